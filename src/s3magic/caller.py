"""Whom the credentials belong to, as the token service (STS) says that goes with them."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from s3magic.botoclient import tables, verifying
from s3magic.connecting import is_foreign
from s3magic.httpsession import http_session_class

if TYPE_CHECKING:
    from types_aiobotocore_s3 import S3Client

    from s3magic.connecting import Options

__all__ = ["caller"]


async def caller(client: S3Client, options: Options, timeout: float) -> str:  # noqa: ASYNC109 - a client's own, of a connection and of an answer
    """Ask whom a client's credentials belong to.

    A server of one's own is asked itself: credentials are shown to nobody but
    the server that they are for, unless the AWS settings name another for STS.

    Args:
        client: The client.
        options: What it was made with.
        timeout: Seconds until a connection, or an answer, is given up.

    Returns:
        The ARN of a user or a role; nothing in it is secret.

    Raises:
        Exception: botocore's, where there is no STS, or it says no.
    """
    keys = await client._request_signer._credentials.get_frozen_credentials()  # noqa: SLF001 - no public way leads there
    endpoint = client.meta.endpoint_url
    region = client.meta.region_name

    def make() -> Any:  # in a thread: it reads the tables of STS
        return asyncio.run(_made(keys, options, endpoint, region, timeout))

    made = await asyncio.to_thread(make)
    try:
        answer = await made.get_caller_identity()
    finally:
        await made.close()
    return str(answer["Arn"])


async def _made(keys: Any, options: Options, s3: str, region: str, timeout: float) -> Any:  # noqa: ASYNC109 - as above
    from aiobotocore.config import AioConfig
    from aiobotocore.session import AioSession
    from botocore.configprovider import ConfiguredEndpointProvider

    session = AioSession(profile=options.profile)
    session.register_component("data_loader", tables(session.get_config_variable("data_path")))
    endpoint = ConfiguredEndpointProvider(
        full_config=session.full_config,
        scoped_config=session.get_scoped_config(),
        client_name="sts",
    ).provide()
    if endpoint is None and is_foreign(s3):
        endpoint = s3
    creator = session.create_client(
        "sts",
        region_name=region,
        endpoint_url=endpoint,
        verify=verifying(options.verify, endpoint),
        aws_access_key_id=keys.access_key,
        aws_secret_access_key=keys.secret_key,
        aws_session_token=keys.token,
        config=AioConfig(
            http_session_cls=http_session_class(),
            connect_timeout=timeout,
            read_timeout=timeout,
            retries={"total_max_attempts": 1},
        ),
    )
    return await creator.__aenter__()

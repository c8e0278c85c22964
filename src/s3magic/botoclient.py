"""How one aiobotocore client is made.

botocore's chain decides all that it can: environment, profiles, SSO, roles,
endpoints. What is added here is what a notebook needs on top of it, each with
its reason beside it.
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
import os
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from s3magic.connecting import Options, config_of, endpoint_of, told
from s3magic.credentials import presign_with_v4
from s3magic.httpsession import http_session_class
from s3magic.settings import MiB, defaults
from s3magic.wire.wire import attach

if TYPE_CHECKING:
    import datetime as dt

    from types_aiobotocore_s3 import S3Client

__all__ = ["Facts", "Options", "build", "prepare", "tables", "verifying"]

_POOL = 256  # connections of the client itself, at most; the wire has its own
# What AWS's own tools try in their standard mode. A body that breaks off is asked
# for again more often; a wrong endpoint should be told within seconds.
_TRIES = 3
_WORTH_ASKING = 1 * MiB  # bytes of a body that is sent only when the server says go on
# botocore's names of its credential providers, in the words of their documentation.
_SOURCES = {
    "env": "environment variables",
    "shared-credentials-file": "the shared credentials file",
    "config-file": "the config file",
    "iam-role": "the instance's role",
    "container-role": "the container's role",
    "assume-role": "an assumed role",
    "assume-role-with-web-identity": "a web identity",
    "sso": "SSO",
    "custom-process": "a credential process",
}


@dataclass(frozen=True, slots=True)
class Facts:
    """What a client turned out to be, for people: no secret among it."""

    endpoint: str
    region: str
    credentials: str
    expires: dt.datetime | None


def prepare() -> None:
    """Read botocore's tables of S3 ahead of the first client: no setting, no credential."""
    tables(os.environ.get("AWS_DATA_PATH"))


def build(options: Options) -> tuple[S3Client, Facts]:
    """Make a client on a loop of this thread's own: it touches no socket till first use."""
    return asyncio.run(_build(options))


async def _build(options: Options) -> tuple[S3Client, Facts]:
    from aiobotocore.session import AioSession

    session = AioSession(profile=options.profile)
    session.register_component("data_loader", tables(session.get_config_variable("data_path")))
    endpoint = endpoint_of(session, options)
    creator = session.create_client(
        "s3",
        region_name=options.region,
        endpoint_url=endpoint,
        verify=verifying(options.verify, endpoint),
        aws_access_key_id=options.aws_access_key_id,
        aws_secret_access_key=options.aws_secret_access_key,
        aws_session_token=options.aws_session_token,
        config=_config(session, options, endpoint),
    )
    made = await creator.__aenter__()
    made.meta.events.register_last("before-call.s3", _send_small_bodies_at_once)
    made.meta.events.register_first("choose-signer.s3", presign_with_v4)
    if options.request_payer:
        made.meta.events.register_first("before-parameter-build.s3", _pay)
    attach(made, await _credentials(session, options))
    return made, await _facts(session, options, made)


async def _credentials(session: Any, options: Options) -> Any:
    """Give the source of the client's credentials, as it was made with; None for none."""
    if options.anonymous:
        return None
    if options.aws_access_key_id:
        from aiobotocore.credentials import AioCredentials

        return AioCredentials(
            options.aws_access_key_id, options.aws_secret_access_key, options.aws_session_token
        )
    return await session.get_credentials()


_reading = threading.Lock()


def tables(data_path: str | None) -> Any:
    """Give botocore's reader of its tables, with those of S3 read: one reader for all clients.

    botocore has one a session, and each of our clients has a session. The
    tables are the same for all, and reading them is most of what a client takes.
    """
    with _reading:  # else two that ask at once would both read them
        loader = _loader(data_path)
        with contextlib.suppress(Exception):  # a botocore that has other tables reads those itself
            for name in ("endpoints", "partitions", "sdk-default-configuration"):
                loader.load_data(name)
            for name in ("service-2", "endpoint-rule-set-1"):
                loader.load_service_model("s3", name, api_version=None)
        return loader


@functools.lru_cache(maxsize=4)
def _loader(data_path: str | None) -> Any:
    from botocore.loaders import create_loader

    return create_loader(data_path)


def verifying(wanted: bool | str | None, endpoint: str | None) -> bool | str | None:  # noqa: FBT001 - as botocore has it
    """Tell botocore what to verify certificates with.

    Over plain HTTP there are none, but the client would read all authorities
    nonetheless: some forty milliseconds of the first line. A proxy may have one.
    """
    if isinstance(wanted, str):
        return str(Path(wanted).expanduser())
    if wanted is None and endpoint is not None and endpoint.startswith("http://"):
        from botocore.utils import get_environ_proxies

        return None if get_environ_proxies(endpoint) else False
    return wanted


def _pay(params: dict[str, Any], model: Any, **_: Any) -> None:
    """Say with each request that can say so that who asks pays for it."""
    if model.input_shape is not None and "RequestPayer" in model.input_shape.members:
        params.setdefault("RequestPayer", "requester")


def _send_small_bodies_at_once(params: dict[str, Any], **_: Any) -> None:
    """Take away botocore's ``Expect: 100-continue`` where it costs more than it saves.

    It spares the body of a request that is refused, for one more round trip.
    """
    from botocore.utils import determine_content_length

    headers = params.get("headers", {})
    if "Expect" in headers and (determine_content_length(params["body"]) or 0) < _WORTH_ASKING:
        del headers["Expect"]


def _config(session: Any, options: Options, endpoint: str | None) -> Any:
    from aiobotocore.config import AioConfig

    values: dict[str, Any] = {
        "http_session_cls": http_session_class(),
        "max_pool_connections": _POOL,
        "connect_timeout": defaults().connect_timeout,
        "read_timeout": defaults().read_timeout,
        "user_agent_extra": "s3magic",
    }
    if not told(session.get_scoped_config(), "AWS_RETRY_MODE", "retry_mode"):
        values["retries"] = {"mode": "standard", "total_max_attempts": _TRIES}
    return AioConfig(**values, **config_of(session, options, endpoint))


async def _facts(session: Any, options: Options, made: S3Client) -> Facts:
    expires = None
    if options.anonymous:
        source = "none: anonymous"
    elif options.aws_access_key_id:
        source = "given to connect"
    elif (found := await session.get_credentials()) is None:
        source = "none found"
    else:
        source = f"from {_SOURCES.get(found.method, found.method)}"
        expires = getattr(found, "_expiry_time", None)
    if profile := session.profile:
        source += f", profile {profile}"
    return Facts(made.meta.endpoint_url, made.meta.region_name or "us-east-1", source, expires)

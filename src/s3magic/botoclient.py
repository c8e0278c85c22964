"""How one aiobotocore client is made: options, botocore's own settings, our exceptions.

botocore's chain decides all that it can: environment, profiles, SSO, roles,
endpoints. What is added here is what a notebook needs on top of it, each with
its reason beside it.
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
import os
import re
import threading
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from s3magic.credentials import presign_with_v4
from s3magic.errors import BadArgument, NoSuchFile
from s3magic.httpsession import http_session_class
from s3magic.settings import MiB, defaults
from s3magic.wire.wire import attach

if TYPE_CHECKING:
    import datetime as dt

    from types_aiobotocore_s3 import S3Client

__all__ = ["Facts", "Options", "build", "prepare"]

_POOL = 256  # connections of the client itself, at most; the wire has its own
# What AWS's own tools try in their standard mode. A body that breaks off is asked
# for again more often; a wrong endpoint should be told within seconds.
_TRIES = 3
_WORTH_ASKING = 1 * MiB  # bytes of a body that is sent only when the server says go on
_AWS = (".amazonaws.com", ".amazonaws.com.cn", ".api.aws")
_CHOICES = {
    "addressing_style": ("path", "virtual", "auto"),
    "checksums": ("when_supported", "when_required"),
}
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
class Options:
    """What `connect` was told. None leaves the choice to what AWS tools read.

    Args:
        profile: A profile of ``~/.aws/config``.
        endpoint_url: The server, for MinIO, Ceph, R2 and the like.
        region: The region to sign for.
        anonymous: Sign nothing: for public buckets.
        addressing_style: ``path``, ``virtual`` or ``auto``.
        verify: False to trust any certificate, or a file of authorities.
        checksums: ``when_supported`` or ``when_required``: whether requests
            carry, and answers are checked against, S3's newer checksums.
        aws_access_key_id: The access key, where no AWS file or variable holds it.
        aws_secret_access_key: Its secret.
        aws_session_token: The token of temporary credentials.
    """

    profile: str | None = None
    endpoint_url: str | None = None
    region: str | None = None
    anonymous: bool = False
    addressing_style: Literal["path", "virtual", "auto"] | None = None
    verify: bool | str | None = None
    checksums: Literal["when_supported", "when_required"] | None = None
    aws_access_key_id: str | None = field(default=None, repr=False)
    aws_secret_access_key: str | None = field(default=None, repr=False)
    aws_session_token: str | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        if bool(self.aws_access_key_id) != bool(self.aws_secret_access_key):
            raise BadArgument(
                "Cannot connect: an access key and its secret go together.",
                hint="Give both aws_access_key_id and aws_secret_access_key, or neither.",
            )
        if self.anonymous and (self.aws_access_key_id or self.profile):
            raise BadArgument("Cannot connect: anonymous and with credentials at once.")
        _check_endpoint(self.endpoint_url)
        for name, choices in _CHOICES.items():
            value = getattr(self, name)
            if value is not None and value not in choices:
                raise BadArgument(
                    f"Cannot connect: {name}={value!r} is not one of {', '.join(choices)}."
                )
        if isinstance(self.verify, str) and not Path(self.verify).expanduser().exists():
            raise NoSuchFile(
                f"Cannot connect: there is no file {self.verify!r} to verify certificates with.",
                hint="Give a file of certificate authorities, or False to trust any certificate.",
            )


def _check_endpoint(endpoint: str | None) -> None:
    """Refuse what is no endpoint, and one that would show a secret wherever it is shown."""
    if not endpoint:
        return
    host = re.split(r"[/?#]", endpoint.partition("://")[2] or endpoint)[0]
    if "@" in host:
        raise BadArgument(
            "Cannot connect: the endpoint's URL has a user or a password in it, "
            "and it is shown wherever the connection is.",
            hint="Leave out what stands before the @; keys go into aws_access_key_id "
            "and aws_secret_access_key, or into your AWS settings.",
        )
    if not endpoint.startswith(("http://", "https://")):
        raise BadArgument(
            f"Cannot connect: {endpoint!r} is no endpoint.",
            hint=f"Write http://{endpoint} or https://{endpoint}.",
        )


@dataclass(frozen=True, slots=True)
class Facts:
    """What a client turned out to be, for people: no secret among it."""

    endpoint: str
    region: str
    credentials: str
    expires: dt.datetime | None


def prepare() -> None:
    """Read botocore's tables of S3 ahead of the first client: no setting, no credential."""
    _tables(os.environ.get("AWS_DATA_PATH"))


def build(options: Options) -> tuple[S3Client, Facts]:
    """Make a client on a loop of this thread's own: it touches no socket till first use."""
    return asyncio.run(_build(options))


async def _build(options: Options) -> tuple[S3Client, Facts]:
    from aiobotocore.session import AioSession
    from botocore.configprovider import ConfiguredEndpointProvider

    session = AioSession(profile=options.profile)
    session.register_component("data_loader", _tables(session.get_config_variable("data_path")))
    endpoint = options.endpoint_url
    if endpoint is None and not _endpoints_ignored(session):
        endpoint = ConfiguredEndpointProvider(
            full_config=session.full_config,
            scoped_config=session.get_scoped_config(),
            client_name="s3",
        ).provide()
        _check_endpoint(endpoint)
    creator = session.create_client(
        "s3",
        region_name=options.region,
        endpoint_url=endpoint,
        verify=_verify(options.verify, endpoint),
        aws_access_key_id=options.aws_access_key_id,
        aws_secret_access_key=options.aws_secret_access_key,
        aws_session_token=options.aws_session_token,
        config=_config(session, options, _is_foreign(endpoint)),
    )
    made = await creator.__aenter__()
    made.meta.events.register_last("before-call.s3", _send_small_bodies_at_once)
    made.meta.events.register_first("choose-signer.s3", presign_with_v4)
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


def _tables(data_path: str | None) -> Any:
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


def _verify(wanted: bool | str | None, endpoint: str | None) -> bool | str | None:  # noqa: FBT001 - as botocore has it
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


def _send_small_bodies_at_once(params: dict[str, Any], **_: Any) -> None:
    """Take away botocore's ``Expect: 100-continue`` where it costs more than it saves.

    It spares the body of a request that is refused, for one more round trip.
    """
    from botocore.utils import determine_content_length

    headers = params.get("headers", {})
    if "Expect" in headers and (determine_content_length(params["body"]) or 0) < _WORTH_ASKING:
        del headers["Expect"]


def _endpoints_ignored(session: Any) -> bool:
    return bool(session.get_config_variable("ignore_configured_endpoint_urls"))


def _is_foreign(endpoint: str | None) -> bool:
    """Tell whether an endpoint is a server of somebody other than AWS."""
    if endpoint is None:
        return False
    host = endpoint.partition("://")[2].partition("/")[0].partition(":")[0]
    return not host.endswith(_AWS)


def _config(session: Any, options: Options, foreign: bool) -> Any:  # noqa: FBT001
    from aiobotocore.config import AioConfig
    from botocore import UNSIGNED

    scoped = session.get_scoped_config()
    values: dict[str, Any] = {
        "http_session_cls": http_session_class(),
        "max_pool_connections": _POOL,
        "connect_timeout": defaults().connect_timeout,
        "read_timeout": defaults().read_timeout,
        "user_agent_extra": "s3magic",
    }
    if not _told(scoped, "AWS_RETRY_MODE", "retry_mode"):
        values["retries"] = {"mode": "standard", "total_max_attempts": _TRIES}
    style = options.addressing_style
    if style is None and foreign and "addressing_style" not in (scoped.get("s3") or {}):
        style = "path"
    if style is not None:
        values["s3"] = {"addressing_style": style}
    for name in ("request_checksum_calculation", "response_checksum_validation"):
        wanted = options.checksums
        if wanted is None and foreign and not _told(scoped, f"AWS_{name.upper()}", name):
            wanted = "when_required"
        if wanted is not None:
            values[name] = wanted
    if options.anonymous:
        values["signature_version"] = UNSIGNED
    return AioConfig(**values)


def _told(scoped: dict[str, Any], variable: str, name: str) -> bool:
    """Tell whether the user's own AWS settings decide this."""
    return variable in os.environ or name in scoped


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

"""Connection settings, and the one client of each running loop.

A client of aiobotocore belongs to the loop that it first sends on, so there is
one a loop: the notebook's, which magics and helpers share, and the blocking
bridge's. It is made on first use, in a helper thread, because reading botocore's
service model takes a few hundred milliseconds.

The life of a client is an async generator. A loop that shuts down finishes its
open generators (`asyncio.run` does), so a client is closed even where nobody
says so.
"""

from __future__ import annotations

import asyncio
import atexit
import contextlib
import dataclasses
import functools
import os
import weakref
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from s3magic.errors import BadArgument, translate
from s3magic.settings import defaults
from s3magic.wording import printable

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import AsyncGenerator, AsyncIterator, Generator

    from types_aiobotocore_s3 import S3Client

__all__ = ["Connection", "Options", "client", "close", "connect", "current", "using"]

_POOL = 256  # sockets at most; how many are used is the verbs' concurrency
_AWS = (".amazonaws.com", ".amazonaws.com.cn", ".api.aws")


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
        if self.endpoint_url and not self.endpoint_url.startswith(("http://", "https://")):
            raise BadArgument(
                f"Cannot connect: {self.endpoint_url!r} is no endpoint.",
                hint=f"Write http://{self.endpoint_url} or https://{self.endpoint_url}.",
            )


@dataclass(slots=True)
class _Open:
    """One loop's client: its life, how many verbs use it, and whether it may go."""

    life: AsyncGenerator[tuple[S3Client, _Facts]]
    client: S3Client
    users: int = 0
    retired: bool = False


@dataclass(frozen=True, slots=True)
class _Facts:
    """What a client turned out to be, for people: no secret among it."""

    endpoint: str
    region: str
    credentials: str
    expires: dt.datetime | None


class Connection:
    """One way to reach S3, shared by every verb and helper.

    ``await`` it to look the credentials up at once; its repr then says where
    they came from and until when they last. It never holds a secret in sight.
    """

    def __init__(self, options: Options) -> None:
        self.options = options
        self._facts: _Facts | None = None
        self._opening: weakref.WeakKeyDictionary[asyncio.AbstractEventLoop, asyncio.Task[_Open]]
        self._opening = weakref.WeakKeyDictionary()
        self._retired = False

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Connection) and self.options == other.options

    def __hash__(self) -> int:
        return hash(self.options)

    def __await__(self) -> Generator[Any, None, Connection]:
        return self._looked_up().__await__()

    def __repr__(self) -> str:
        facts = self._facts
        if facts is None:
            told = (
                f"{one.name}={getattr(self.options, one.name)!r}"
                for one in dataclasses.fields(self.options)
                if one.repr and getattr(self.options, one.name) not in {None, False}
            )
            return printable(f"S3 connection ({', '.join(told) or 'as AWS tools would'})")
        lines = [
            f"S3 connection to {facts.endpoint}",
            f"  region       {facts.region}",
            f"  credentials  {facts.credentials}",
        ]
        if facts.expires is not None:
            local = facts.expires.astimezone()
            lines.append(f"  expire       {local:%Y-%m-%d %H:%M %Z}, renewed before then")
        return "\n".join(printable(line) for line in lines)

    @property
    def endpoint_url(self) -> str | None:
        """The endpoint, once a client was made; before that what `connect` was told."""
        return self._facts.endpoint if self._facts else self.options.endpoint_url

    async def client(self) -> S3Client:
        """Give the running loop's client, made on first use."""
        return (await self._open()).client

    @contextlib.asynccontextmanager
    async def using(self) -> AsyncIterator[S3Client]:
        """Lend the client for a while: `connect` closes it only when it is given back."""
        opened = await self._open()
        opened.users += 1
        try:
            yield opened.client
        finally:
            opened.users -= 1
            if opened.retired and not opened.users:
                await opened.life.aclose()

    async def close(self) -> None:
        """Close the running loop's client, if there is one; the next use makes another."""
        task = self._opening.pop(asyncio.get_running_loop(), None)
        if task is None:
            return
        with contextlib.suppress(Exception):
            opened = await task
            opened.retired = True
            await opened.life.aclose()

    async def _looked_up(self) -> Connection:
        await self._open()
        return self

    async def _open(self) -> _Open:
        loop = asyncio.get_running_loop()
        task = self._opening.get(loop)
        if task is None or (task.done() and (task.cancelled() or task.exception())):
            task = loop.create_task(self._make(), name="s3magic-connect")
            self._opening[loop] = task
        # Shielded: one impatient user does not take the client from the others.
        return await asyncio.shield(task)

    async def _make(self) -> _Open:
        life = _life(self.options)
        try:
            made, self._facts = await anext(life)
        except Exception as error:
            raise translate(error, "connect to S3") from error
        return _Open(life, made)

    def _retire(self) -> None:
        """Close every client as soon as nobody uses it. From any thread."""
        for loop, task in list(self._opening.items()):
            if loop.is_running():
                loop.call_soon_threadsafe(self._retire_on, loop, task)

    def _retire_on(self, loop: asyncio.AbstractEventLoop, task: asyncio.Task[_Open]) -> None:
        async def finish() -> None:
            with contextlib.suppress(Exception):
                opened = await task
                opened.retired = True
                if not opened.users:
                    await opened.life.aclose()

        closing = loop.create_task(finish(), name="s3magic-close")
        _closing.add(closing)
        closing.add_done_callback(_closing.discard)


_closing: set[asyncio.Task[None]] = set()
_current: Connection | None = None
_ever: weakref.WeakSet[Connection] = weakref.WeakSet()


def connect(
    *,
    profile: str | None = None,
    endpoint_url: str | None = None,
    region: str | None = None,
    anonymous: bool = False,
    addressing_style: Literal["path", "virtual", "auto"] | None = None,
    verify: bool | str | None = None,
    checksums: Literal["when_supported", "when_required"] | None = None,
    aws_access_key_id: str | None = None,
    aws_secret_access_key: str | None = None,
    aws_session_token: str | None = None,
) -> Connection:
    """Choose the connection that every verb uses from now on.

    Without arguments it is what AWS tools would use: the environment, profiles,
    SSO, ``AWS_ENDPOINT_URL``, instance roles, through botocore's own chain. An
    endpoint of your own gets path-style addresses and checksums only where S3
    requires them, unless told otherwise, because many servers know no others.

    Args:
        profile: A profile of ``~/.aws/config``.
        endpoint_url: The server, for MinIO, Ceph, R2 and the like.
        region: The region to sign for.
        anonymous: Sign nothing: for public buckets.
        addressing_style: ``path``, ``virtual`` or ``auto``.
        verify: False to trust any certificate, or a file of authorities.
        checksums: ``when_supported`` or ``when_required``.
        aws_access_key_id: The access key, where no AWS file or variable holds it.
        aws_secret_access_key: Its secret.
        aws_session_token: The token of temporary credentials.

    Returns:
        The connection. ``await`` it to look its credentials up at once.

    Raises:
        BadArgument: Two of these contradict each other.

    Example:
        >>> s3.connect(endpoint_url="http://localhost:9000", region="us-east-1")
    """
    global _current
    options = Options(
        profile=profile,
        endpoint_url=endpoint_url,
        region=region,
        anonymous=anonymous,
        addressing_style=addressing_style,
        verify=verify,
        checksums=checksums,
        aws_access_key_id=aws_access_key_id,
        aws_secret_access_key=aws_secret_access_key,
        aws_session_token=aws_session_token,
    )
    before, _current = _current, Connection(options)
    _ever.add(_current)
    if before is not None:
        before._retire()  # noqa: SLF001 - the two halves of one thing
    return _current


def current() -> Connection:
    """Give the connection in force; the one of AWS tools if none was chosen."""
    return _current if _current is not None else connect()


async def client() -> S3Client:
    """Give the running loop's aiobotocore client, the one that the magics use.

    It is closed by `close`, by unloading the extension, by the next `connect`,
    and when its loop or the kernel ends. Do not close it yourself.

    Raises:
        S3Error: The settings that AWS tools read are wrong, an unknown profile
            for example.

    Example:
        >>> await (await s3.client()).get_bucket_versioning(Bucket="b")
    """
    return await current().client()


def using() -> contextlib.AbstractAsyncContextManager[S3Client]:
    """Lend the shared client for the length of one verb."""
    return current().using()


async def close() -> None:
    """Close the running loop's clients; the next verb makes a new one."""
    for connection in list(_ever):
        await connection.close()


async def _life(options: Options) -> AsyncGenerator[tuple[S3Client, _Facts]]:
    made, facts = await asyncio.to_thread(_build_apart, options)
    try:
        yield made, facts
    finally:
        await made.close()


def _build_apart(options: Options) -> tuple[S3Client, _Facts]:
    """Make a client on a loop of this thread's own: it touches no socket till first use."""
    return asyncio.run(_build(options))


async def _build(options: Options) -> tuple[S3Client, _Facts]:
    from aiobotocore.session import AioSession
    from botocore.configprovider import ConfiguredEndpointProvider

    session = AioSession(profile=options.profile)
    endpoint = options.endpoint_url
    if endpoint is None and not _endpoints_ignored(session):
        endpoint = ConfiguredEndpointProvider(
            full_config=session.full_config,
            scoped_config=session.get_scoped_config(),
            client_name="s3",
        ).provide()
    creator = session.create_client(
        "s3",
        region_name=options.region,
        endpoint_url=endpoint,
        verify=options.verify,
        aws_access_key_id=options.aws_access_key_id,
        aws_secret_access_key=options.aws_secret_access_key,
        aws_session_token=options.aws_session_token,
        config=_config(session, options, _is_foreign(endpoint)),
    )
    made = await creator.__aenter__()
    return made, await _facts(session, options, made)


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
        "http_session_cls": _http_session_class(),
        "max_pool_connections": _POOL,
        "connect_timeout": defaults().connect_timeout,
        "read_timeout": defaults().read_timeout,
        "user_agent_extra": "s3magic",
    }
    if not _told(scoped, "AWS_RETRY_MODE", "retry_mode"):
        values["retries"] = {"mode": "standard", "total_max_attempts": defaults().attempts}
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


async def _facts(session: Any, options: Options, made: S3Client) -> _Facts:
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
    return _Facts(made.meta.endpoint_url, made.meta.region_name or "us-east-1", source, expires)


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


@functools.cache
def _http_session_class() -> type[Any]:
    """Make the HTTP session's class: aiobotocore's, less what must not happen.

    botocore never follows a redirect by itself, it signs anew for the right
    region; aiohttp would follow any, with the body and the credentials.
    """
    from aiobotocore.httpsession import AIOHTTPSession

    class NoRedirects:
        """An aiohttp session that gives a redirect back as the answer it is."""

        def __init__(self, session: Any) -> None:
            self._session = session

        def request(self, method: str, **options: Any) -> Any:
            return self._session.request(method, allow_redirects=False, **options)

    class HttpSession(AIOHTTPSession):  # type: ignore[misc]
        def __init__(self, *args: Any, **options: Any) -> None:
            super().__init__(*args, **options)
            _http_sessions.add(self)

        async def _get_session(self, proxy_url: str | None) -> Any:
            return NoRedirects(await super()._get_session(proxy_url))

        def abandon(self) -> None:
            """Let go of every socket, for a loop that will not run again."""
            for session in (self._sessions or {}).values():
                if not session.closed:
                    connector = session.connector
                    session.detach()
                    connector._close()  # noqa: SLF001 - the public one needs a running loop

    return HttpSession


_http_sessions: weakref.WeakSet[Any] = weakref.WeakSet()


@atexit.register
def _close_at_exit() -> None:
    """Close what is still open when the interpreter ends, without a word."""
    for connection in list(_ever):
        for loop, task in list(connection._opening.items()):  # noqa: SLF001 - one thing
            if not loop.is_closed() and not loop.is_running() and task.done():
                with contextlib.suppress(Exception):
                    loop.run_until_complete(task.result().life.aclose())
    for session in list(_http_sessions):
        with contextlib.suppress(Exception):
            session.abandon()

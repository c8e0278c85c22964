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
import weakref
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from s3magic.botoclient import Facts, Options, abandon_sockets, build
from s3magic.errors import S3Error
from s3magic.translation import translate
from s3magic.wire.wire import detach
from s3magic.wording import printable

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator, Generator

    from types_aiobotocore_s3 import S3Client

__all__ = ["Connection", "client", "close", "connect", "current", "retire", "switch", "using"]


@dataclass(slots=True)
class _Open:
    """One loop's client: its life, how many verbs use it, and whether it may go."""

    life: AsyncGenerator[tuple[S3Client, Facts]]
    client: S3Client
    users: int = 0
    retired: bool = False


class Connection:
    """One way to reach S3, shared by every verb and helper.

    ``await`` it to look the credentials up at once; its repr then says where
    they came from and until when they last. It never holds a secret in sight.
    """

    def __init__(self, options: Options) -> None:
        self.options = options
        self._facts: Facts | None = None
        self._opening: weakref.WeakKeyDictionary[asyncio.AbstractEventLoop, asyncio.Task[_Open]]
        self._opening = weakref.WeakKeyDictionary()
        self._before: Connection | None = None  # in force again if this look-up fails

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
        try:
            await self._open()
        except S3Error:
            if _current is self and self._before is not None:
                _install(self._before)
            raise
        self._before = None
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
                self._opening.pop(loop, None)
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
# By identity: two connections with the same options are equal, and each has clients to close.
_ever: weakref.WeakValueDictionary[int, Connection] = weakref.WeakValueDictionary()


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
    reset: bool = False,
) -> Connection:
    """Choose the connection that every verb uses from now on.

    At first it is what AWS tools would use: the environment, profiles, SSO,
    ``AWS_ENDPOINT_URL``, instance roles, through botocore's own chain. An
    endpoint of your own gets path-style addresses and checksums only where S3
    requires them, unless told otherwise, because many servers know no others.

    Without arguments the choice stays as it is, and only the credentials are
    read again; ``reset=True`` goes back to what AWS tools would use. If
    awaiting the connection fails, the one before is in force again.

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
        reset: Forget what was chosen before.

    Returns:
        The connection. ``await`` it to look its credentials up at once.

    Raises:
        BadArgument: One of these cannot be meant, or two contradict each other.
        NoSuchFile: The file of authorities is not there.

    Example:
        >>> s3.connect(endpoint_url="http://localhost:9000", region="us-east-1")
    """
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
    before, chosen = _current, _chosen(options, reset=reset)
    _install(chosen)
    chosen._before = before  # noqa: SLF001 - the two halves of one thing
    return chosen


async def switch(*, reset: bool = False, **options: Any) -> Connection:
    """Look a connection up, and only then have every verb use it.

    Args:
        reset: As `connect` takes it.
        **options: As `connect` takes them.

    Raises:
        S3Error: The look-up failed; the connection before is in force, undisturbed.
    """
    chosen = await _chosen(Options(**options), reset=reset)
    _install(chosen)
    return chosen


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
    for connection in list(_ever.values()):
        await connection.close()


def retire() -> None:
    """Close every client, on each loop, as soon as nobody uses it. From any thread."""
    for connection in list(_ever.values()):
        connection._retire()  # noqa: SLF001 - the two halves of one thing


def _chosen(options: Options, *, reset: bool) -> Connection:
    """Make the connection of some options; without any, the one in force once more."""
    if options == Options() and not reset and _current is not None:
        options = _current.options
    connection = Connection(options)
    _ever[id(connection)] = connection
    return connection


def _install(connection: Connection) -> None:
    """Put a connection in force, and close the one before as soon as nobody uses it."""
    global _current
    before, _current = _current, connection
    if before is not None and before is not connection:
        before._before = None  # noqa: SLF001 - the two halves of one thing
        before._retire()  # noqa: SLF001 - the same


async def _life(options: Options) -> AsyncGenerator[tuple[S3Client, Facts]]:
    made, facts = await asyncio.to_thread(build, options)
    try:
        yield made, facts
    finally:
        detach(made)
        await made.close()


@atexit.register
def _close_at_exit() -> None:
    """Close what is still open when the interpreter ends, without a word."""
    for connection in list(_ever.values()):
        for loop, task in list(connection._opening.items()):  # noqa: SLF001 - one thing
            if not loop.is_closed() and not loop.is_running() and task.done():
                with contextlib.suppress(Exception):
                    loop.run_until_complete(task.result().life.aclose())
    abandon_sockets()

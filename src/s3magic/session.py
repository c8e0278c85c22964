"""The connection in force: which it is, and how it is chosen.

Each has one client a running loop: the notebook's, which magics and helpers
share, and the blocking bridge's.
"""

from __future__ import annotations

import atexit
import weakref
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, Literal

from s3magic.botoclient import Options
from s3magic.connection import Connection
from s3magic.httpsession import abandon_sockets

if TYPE_CHECKING:
    import contextlib

    from types_aiobotocore_s3 import S3Client

__all__ = [
    "chosen",
    "client",
    "close",
    "connect",
    "current",
    "pin",
    "retire",
    "switch",
    "using",
]


_current: Connection | None = None
_pinned: ContextVar[Connection | None] = ContextVar("s3magic-connection", default=None)
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
    request_payer: bool = False,
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
        request_payer: Pay for the requests, where a bucket's owner has it so.
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
        request_payer=request_payer,
        aws_access_key_id=aws_access_key_id,
        aws_secret_access_key=aws_secret_access_key,
        aws_session_token=aws_session_token,
    )
    before, chosen = _current, _chosen(options, reset=reset)
    _install(chosen)

    def go_back() -> None:
        if _current is chosen and before is not None:
            _install(before)

    chosen.failed = go_back
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
    pinned = _pinned.get()
    if pinned is not None:
        return pinned
    return _current if _current is not None else connect()


def pin() -> None:
    """Keep to the connection in force now, in this context, whatever is chosen later."""
    _pinned.set(current())


def chosen() -> Options:
    """Give the options of the connection in force, and make none."""
    connection = _pinned.get() or _current
    return connection.options if connection is not None else Options()


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
        connection.retire()


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
        before.failed = lambda: None
        before.retire()


@atexit.register
def _close_at_exit() -> None:
    """Close what is still open when the interpreter ends, without a word."""
    for connection in list(_ever.values()):
        connection.finish()
    abandon_sockets()

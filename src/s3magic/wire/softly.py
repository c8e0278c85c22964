"""Sends small requests and reads their answers on sockets that do not block.

The same as a line's own methods, in steps, for one thread that holds many
lines: what must be awaited is yielded.
"""

from __future__ import annotations

import errno
import os
import selectors
import socket
import ssl
from typing import TYPE_CHECKING, TypeAlias, TypeVar

from s3magic.settings import KiB
from s3magic.wire.addresses import missed, places
from s3magic.wire.answer import LONGEST, Unplain, end_of_head

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from s3magic.wire.answer import Head
    from s3magic.wire.http1 import Line

__all__ = ["DONE", "READ", "WRITE", "Waiting", "conversing", "opening"]

T = TypeVar("T")
Waiting: TypeAlias = "Generator[tuple[socket.socket, int, float], None, T]"
"""Blocking work in steps: yields a socket, what it waits for, and for how many seconds; then
`TimeoutError` is thrown into it."""

READ, WRITE, DONE = selectors.EVENT_READ, selectors.EVENT_WRITE, 0
"""What a socket is waited for."""

_CONNECTING = {errno.EINPROGRESS, errno.EWOULDBLOCK}  # any other code is how it ended
_SMALL = 512 * KiB  # bytes of an answer that is held in memory


def opening(line: Line) -> Waiting[None]:
    """Connect a line, as its `open` does."""
    at = line.address
    line.soft = True
    failed: OSError = ConnectionError()
    for place, patience in places(at):
        try:
            sock = line.socket = socket.socket(*place.kind)
            sock.setblocking(False)  # noqa: FBT003 - the socket module's own signature
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            code = sock.connect_ex(place.name)
            if code in _CONNECTING:
                yield sock, WRITE, patience
                code = sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
            if line.aborted:
                raise ConnectionAbortedError
            if code:
                raise OSError(code, os.strerror(code))
            if at.tls is not None:
                yield from _secured(line, sock, at.tls)
        except OSError as error:
            line.close()
            if line.aborted or isinstance(error, ssl.SSLError):
                raise
            failed = missed(place, error)
        else:
            return
    raise failed


def _secured(line: Line, sock: socket.socket, tls: ssl.SSLContext) -> Waiting[None]:
    """Begin with TLS."""
    at = line.address
    secure = tls.wrap_socket(sock, server_hostname=at.host, do_handshake_on_connect=False)
    line.socket = secure
    while (events := _tried(secure.do_handshake)) != DONE:
        yield secure, events, at.connect_timeout


def conversing(
    line: Line, request: bytes, buffer: memoryview, *, chunks: bool = False
) -> Waiting[tuple[Head, memoryview]]:
    """Send a request, and read its answer whole.

    Args:
        line: Where to.
        request: Its line, headers and body.
        buffer: Memory for the answer, for as long as nothing is awaited.
        chunks: Whether the answer's body may come in chunks.

    Raises:
        Unplain: An answer came, and it is not plain, or too long for this.
        OSError: None came.
    """
    sock = line.ready()
    if not line.soft:
        sock.setblocking(False)  # noqa: FBT003 - the socket module's own signature
        line.soft = True
    patience = line.address.read_timeout
    sent = _sent(sock, request)
    if sent < len(request):
        yield from _poured(sock, memoryview(request)[sent:], patience)
    if line.address.tls is None:  # else some of the answer may have been decrypted already
        yield sock, READ, patience
    kept = b""
    while True:
        size = yield from _filled(sock, buffer, patience)
        whole = memoryview(kept + bytes(buffer[:size])) if kept else buffer[:size]
        answer = _complete(line, whole, chunks=chunks)
        if answer is not None:
            return answer
        kept = bytes(whole)


def _complete(line: Line, whole: memoryview, *, chunks: bool) -> tuple[Head, memoryview] | None:
    """Give head and body, if all of the answer is there."""
    first = bytes(whole[:LONGEST])
    end = end_of_head(first, len(first))
    if not end:
        return None
    head = line.begin(whole, end, chunks=chunks)
    if max(head.length, len(whole) - end) > _SMALL:
        raise Unplain(0, "too long for this")
    body: memoryview | None = whole[end:]
    if head.chunked:
        body = line.gathered()
    elif len(whole) - end < head.length:
        body = None
    if body is None:
        return None
    line.end()
    return head, body


def _tried(work: Callable[[], object]) -> int:
    """Try a step of TLS; gives what it waits for, or `DONE`."""
    try:
        work()
    except ssl.SSLWantReadError:
        return READ
    except ssl.SSLWantWriteError:
        return WRITE
    return DONE


def _sent(sock: socket.socket, data: bytes) -> int:
    """Send as much as goes at once, which is all of most requests; gives how much."""
    try:
        return sock.send(data)
    except (BlockingIOError, ssl.SSLWantWriteError, ssl.SSLWantReadError):
        return 0


def _poured(sock: socket.socket, data: memoryview, patience: float) -> Waiting[None]:
    """Send all of it."""
    while data:
        events = WRITE
        try:
            data = data[sock.send(data) :]
            if not data:
                return
        except (BlockingIOError, ssl.SSLWantWriteError):
            pass
        except ssl.SSLWantReadError:
            events = READ
        yield sock, events, patience


def _filled(sock: socket.socket, buffer: memoryview, patience: float) -> Waiting[int]:
    """Receive what there is; gives how much."""
    while True:
        events = READ
        try:
            size = sock.recv_into(buffer)
        except (BlockingIOError, ssl.SSLWantReadError):
            pass
        except ssl.SSLWantWriteError:
            events = WRITE
        else:
            if not size:
                raise ConnectionResetError
            return size
        yield sock, events, patience

"""Sends requests and reads answers, HTTP/1.1, on blocking sockets (RFC 9112).

A line serves one request at a time. It takes only plain answers: a status line
and headers, which httptools parses, and a body of a length that the headers
tell. Whatever else comes is `Unplain`, and for the ordinary client to judge.

Sockets block on purpose: a thread that waits for one, or that moves, encrypts
or hashes bytes, holds no lock of the interpreter's.
"""

from __future__ import annotations

import contextlib
import functools
import os
import select
import selectors
import socket
import ssl
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, BinaryIO, TypeAlias, TypeVar

import httptools

from s3magic.settings import KiB

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterable

T = TypeVar("T")
Waiting: TypeAlias = "Generator[tuple[socket.socket, int], None, T]"
"""Blocking work in steps: yields a socket and what it waits for."""

__all__ = ["BUSY", "SILENT", "Address", "FileRange", "Head", "Line", "Unplain", "Waiting"]

SILENT = 408
"""The status that stands for an answer that did not come in time (RFC 9110, 15.5.9)."""

BUSY = frozenset({429, 503, SILENT})
"""What a server says, or does not say, that is asked too much (S3 API, Error Responses)."""

READ, WRITE, DONE = selectors.EVENT_READ, selectors.EVENT_WRITE, 0
"""What a line that does not block waits for."""

_SMALL = 512 * KiB  # bytes of an answer that is held in memory
_HEAD = 64 * KiB  # bytes of an answer's head at most; servers allow 8 to 64 KiB
_PACKET = 64 * KiB  # bytes of a body that are cheaper copied than sent by themselves


class Unplain(Exception):
    """No plain answer came, so the ordinary client shall ask.

    Args:
        status: The answer's status; 0 where there was none.
        reason: What was not plain.
    """

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(f"{status} {reason}")
        self.status = status


@dataclass(frozen=True, slots=True)
class Address:
    """Where a server listens, and how long to wait for it.

    Args:
        host: Its name or number.
        port: Its port.
        tls: How to talk TLS; None for plain text.
        connect_timeout: Seconds until a connection attempt is given up.
        read_timeout: Seconds of silence until a request is given up.
    """

    host: str
    port: int
    tls: ssl.SSLContext | None = field(hash=False, compare=False)
    connect_timeout: float
    read_timeout: float


class Head:
    """An answer's status and headers.

    httptools hands it the headers one by one; a dictionary's own method takes
    them, because a function of Python's for each would cost as much as all the
    rest of a small answer.
    """

    __slots__ = ("_raw", "length", "on_header", "status")

    def __init__(self) -> None:
        self.status = 0
        self.length = 0
        """Bytes of the body."""
        self._raw: dict[bytes, bytes] = {}
        self.on_header = self._raw.__setitem__

    def read(self) -> None:
        """Take the headers' names for what they are in any letters."""
        self._raw = {name.lower(): value for name, value in self._raw.items()}

    def get(self, name: bytes) -> str | None:
        """Give a header by its name in lower case; None where there is none."""
        value = self._raw.get(name)
        return None if value is None else value.decode("latin-1")

    @property
    def headers(self) -> dict[str, str]:
        """All of them, by their names in lower case."""
        return {
            name.decode("latin-1"): value.decode("latin-1") for name, value in self._raw.items()
        }


@dataclass(frozen=True, slots=True)
class FileRange:
    """Bytes of an open file, for the system to send by itself where it can."""

    file: BinaryIO
    start: int
    size: int


class Line:
    """One connection. Blocks; only `abort` may be called from another thread.

    Args:
        address: Where to.
    """

    def __init__(self, address: Address) -> None:
        self.address = address
        self.using: Callable[[Line | None], None] | None = None
        self.used = False
        self.idle_since = 0.0
        self._socket: socket.socket | None = None
        self._aborted = False
        self._early: bytes | memoryview = b""  # of the body, what came with the head
        self._left = 0
        self._keep = False
        self._soft = False  # whether its socket does not block

    def open(self) -> None:
        """Connect."""
        at = self.address
        sock = self._connected()
        secure: ssl.SSLSocket | None = None
        try:
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if at.tls is not None:
                sock = secure = at.tls.wrap_socket(
                    sock, server_hostname=at.host, do_handshake_on_connect=False
                )
        except BaseException:
            sock.close()
            raise
        self._socket = sock
        if self._aborted:  # from here on `abort` finds it
            raise ConnectionAbortedError
        if secure is not None:
            secure.do_handshake()
        sock.settimeout(at.read_timeout)

    def ask(self, head: bytes, body: Iterable[memoryview | FileRange] = ()) -> Head:
        """Send a request, and read the answer's head.

        Args:
            head: The request's line and headers.
            body: Its body, piece by piece.

        Raises:
            Unplain: An answer came, and it is not plain.
            OSError: None came.
        """
        self._keep = False
        sock = self._socket
        if sock is None:
            raise ConnectionAbortedError
        if self._soft:
            sock.settimeout(self.address.read_timeout)
            self._soft = False
        pieces = iter(body)
        first = next(pieces, None)
        if isinstance(first, memoryview) and len(first) <= _PACKET:  # one packet with its head
            sock.sendall(b"".join((head, first)))
        else:
            sock.sendall(head)
            if first is not None:
                self._send(sock, first)
        for piece in pieces:
            self._send(sock, piece)
        return self._read_head(sock)

    def fill(self, view: memoryview) -> int:
        """Read the body into `view`; gives less than its length only where the body ends.

        Raises:
            OSError: The body broke off.
        """
        view = view[: self._left]
        at = min(len(self._early), len(view))
        if at:
            view[:at] = self._early[:at]
            self._early = self._early[at:]
        sock = self._socket
        while at < len(view):
            size = sock.recv_into(view[at:]) if sock is not None else 0
            if not size:
                raise ConnectionResetError
            at += size
        self._left -= at
        self.used = True
        return at

    @property
    def quiet(self) -> bool:
        """Whether nothing has come behind the answer: no stray byte, and not the end."""
        if self._socket is None:
            return False
        if hasattr(select, "poll"):
            poll = select.poll()
            poll.register(self._socket, select.POLLIN)
            return not poll.poll(0)
        return not select.select([self._socket], (), (), 0)[0]

    @property
    def aborted(self) -> bool:
        """Whether `abort` was called."""
        return self._aborted

    @property
    def reusable(self) -> bool:
        """Whether the answer was read to its end, and another may follow."""
        return self._keep and not self._left and not self._aborted

    def abort(self) -> None:
        """End whatever the line waits for. From any thread."""
        self._aborted = True
        if self._socket is not None:
            with contextlib.suppress(OSError):
                # Not SSLSocket's own, which forgets its TLS while another thread reads.
                socket.socket.shutdown(self._socket, socket.SHUT_RDWR)

    def close(self) -> None:
        """Close the connection."""
        self._keep = False
        if self._socket is not None:
            self._socket.close()

    def _connected(self) -> socket.socket:
        """Connect to the first of the server's addresses that answers.

        It does what `socket.create_connection` does, which nobody could end.
        """
        at = self.address
        failed = OSError("it has no address")
        for family, kind, protocol, _, place in socket.getaddrinfo(
            at.host, at.port, type=socket.SOCK_STREAM
        ):
            try:
                sock = self._socket = socket.socket(family, kind, protocol)
                sock.settimeout(at.connect_timeout)
                if self._aborted:  # from here on `abort` finds it
                    raise ConnectionAbortedError
                sock.connect(place)
            except OSError as error:
                failed = error
                self.close()
                if self._aborted:
                    break
            else:
                return sock
        raise failed

    def _send(self, sock: socket.socket, piece: memoryview | FileRange) -> None:
        if isinstance(piece, memoryview):
            sock.sendall(piece)
        elif sock.sendfile(piece.file, piece.start, piece.size) < piece.size:
            raise ConnectionAbortedError  # the file has become shorter

    def _read_head(self, sock: socket.socket) -> Head:
        buffer = bytearray(4 * KiB)
        size, end = 0, -1
        while end < 0:
            if size == len(buffer):
                if size >= _HEAD:
                    raise Unplain(0, "a head without end")
                buffer = buffer + bytes(len(buffer))
            came = sock.recv_into(memoryview(buffer)[size:])
            if not came:
                raise ConnectionResetError
            size += came
            end = buffer.find(b"\r\n\r\n", 0, size)
        return self._begin_answer(memoryview(buffer), end + 4, size)

    def _begin_answer(self, came: memoryview, end: int, size: int) -> Head:
        """Read an answer's head, and keep what came behind it.

        Args:
            came: What came.
            end: Where the head ends in it.
            size: How much it is.
        """
        self.used = True
        head = Head()
        parser = httptools.HttpResponseParser(head)
        try:
            parser.feed_data(came[:end])
        except (httptools.HttpParserError, httptools.HttpParserUpgrade) as error:
            raise Unplain(0, "no HTTP") from error
        head.status = parser.get_status_code()
        head.read()
        length = head.get(b"content-length") or ""
        chunked = head.get(b"transfer-encoding") is not None
        if chunked or not (length.isascii() and length.isdigit()) or head.status < 200:
            raise Unplain(head.status, "no length")
        head.length = self._left = int(length)
        self._early = came[end:size]
        if len(self._early) > self._left:
            raise Unplain(head.status, "more than it announced")
        # Not should_keep_alive, which forgets what was said once a body of nothing has ended.
        closes = "close" in (head.get(b"connection") or "").lower()
        self._keep = parser.get_http_version() == "1.1" and not closes
        return head

    # The same for one thread that holds many lines: what is awaited is yielded.

    def opening(self) -> Waiting[None]:
        """Connect, as `open` does."""
        at = self.address
        failed: OSError = ConnectionRefusedError()
        for family, kind, protocol, _, name in _resolved(at.host, at.port):
            sock = socket.socket(family, kind, protocol)
            self._socket, self._soft = sock, True
            sock.setblocking(False)  # noqa: FBT003 - the socket module's own signature
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if sock.connect_ex(name) != 0:
                yield sock, WRITE
            code = sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
            if self._aborted:
                raise ConnectionAbortedError
            if not code:
                break
            failed = OSError(code, os.strerror(code))
            sock.close()
        else:
            raise failed
        if at.tls is not None:
            secure = at.tls.wrap_socket(
                sock, server_hostname=at.host, do_handshake_on_connect=False
            )
            self._socket = secure
            while (events := _tried(secure.do_handshake)) != DONE:
                yield secure, events

    def conversing(self, request: bytes, buffer: memoryview) -> Waiting[tuple[Head, memoryview]]:
        """Send a request, and read its answer whole.

        Args:
            request: Its line, headers and body.
            buffer: Memory for the answer, for as long as nothing is awaited.

        Raises:
            Unplain: An answer came, and it is not plain, or too long for this.
            OSError: None came.
        """
        sock = self._socket
        if sock is None:
            raise ConnectionAbortedError
        if not self._soft:
            sock.setblocking(False)  # noqa: FBT003 - the socket module's own signature
            self._soft = True
        self._keep = False
        yield from _poured(sock, memoryview(request))
        kept = b""
        while True:
            size = yield from _filled(sock, buffer)
            whole = memoryview(kept + bytes(buffer[:size])) if kept else buffer[:size]
            answer = self._complete(whole)
            if answer is not None:
                return answer
            kept = bytes(whole)

    def _complete(self, whole: memoryview) -> tuple[Head, memoryview] | None:
        """Give head and body, if all of the answer is there."""
        end = bytes(whole[:_HEAD]).find(b"\r\n\r\n") + 4
        if end < 4:
            if len(whole) >= _HEAD:
                raise Unplain(0, "a head without end")
            return None
        head = self._begin_answer(whole, end, len(whole))
        if head.length > _SMALL:
            raise Unplain(0, "too long for this")
        if len(whole) - end < head.length:
            return None
        self._left, self._early = 0, b""
        return head, whole[end:]


def _tried(work: Callable[[], object]) -> int:
    """Try a step of TLS; gives what it waits for, or `DONE`."""
    try:
        work()
    except ssl.SSLWantReadError:
        return READ
    except ssl.SSLWantWriteError:
        return WRITE
    return DONE


def _poured(sock: socket.socket, data: memoryview) -> Waiting[None]:
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
        yield sock, events


def _filled(sock: socket.socket, buffer: memoryview) -> Waiting[int]:
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
        yield sock, events


@functools.lru_cache(maxsize=64)
def _looked_up(host: str, port: int, _minute: int) -> tuple[Any, ...]:
    return tuple(socket.getaddrinfo(host, port, type=socket.SOCK_STREAM))


def _resolved(host: str, port: int) -> tuple[Any, ...]:
    """Look a host up, once a minute."""
    return _looked_up(host, port, int(time.monotonic() / 60))

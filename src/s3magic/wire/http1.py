"""Asks on a connection and reads answers, HTTP/1.1, on blocking sockets (RFC 9112).

A line serves one request at a time, and takes only plain answers.

Sockets block on purpose: a thread that waits for one, or that moves, encrypts
or hashes bytes, holds no lock of the interpreter's.
"""

from __future__ import annotations

import contextlib
import os
from typing import TYPE_CHECKING

from s3magic.settings import KiB
from s3magic.wire.answer import Head, Unplain, end_of_head, read_head
from s3magic.wire.chunks import Chunks
from s3magic.wire.outgoing import READABLE, FileRange, Outgoing, awaited
from s3magic.wire.tcp import Connection

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable, Iterable

    from s3magic.wire.addresses import Address
    from s3magic.wire.pipe import Pipe

__all__ = ["FileRange", "Line"]


class Line(Connection):
    """A connection for HTTP/1.1. Blocks; only `abort` may be called from another thread.

    Args:
        address: Where to.
    """

    def __init__(self, address: Address) -> None:
        super().__init__(address)
        self.using: Callable[[Line | None], None] | None = None
        self.used = False
        self.idle_since = 0.0
        self._early: bytes | memoryview = b""  # of the body, what came with the head
        self._left = 0
        self._chunks: Chunks | None = None  # of a body whose length is not known
        self._keep = False

    def ask(
        self,
        head: bytes,
        body: Iterable[memoryview | FileRange] = (),
        *,
        chunks: bool = False,
        empty: bool = False,
    ) -> Head:
        """Send a request, and read the answer's head.

        Args:
            head: The request's line and headers.
            body: Its body, piece by piece.
            chunks: Whether the answer's body may come in chunks, for `collect`.
            empty: Whether no body comes, whatever length is told: behind a HEAD.

        Raises:
            Unplain: An answer came, and it is not plain.
            OSError: None came.
        """
        sock = self.ready()
        if self.soft:
            sock.settimeout(self.address.read_timeout)
            self.soft = False
        outgoing = Outgoing(sock, self.address.read_timeout)
        whole = outgoing.send(head, body)
        told = self._read_head(sock, outgoing.heard, chunks=chunks, empty=empty)
        if not whole:  # it waits for the rest of the body, or has hung up
            self._keep = told.keeps = False
            if told.status < 300:
                raise Unplain(told.status, "a success before all was sent")
        return told

    def ready(self) -> socket.socket:
        """Give its socket, for one more request.

        Raises:
            ConnectionAbortedError: It has none any more.
        """
        self._keep = False
        if self.socket is None:
            raise ConnectionAbortedError
        return self.socket

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
        sock = self.socket
        while at < len(view):
            size = sock.recv_into(view[at:]) if sock is not None else 0
            if not size:
                raise ConnectionResetError
            at += size
        self._left -= at
        self.used = True
        return at

    def collect(self, buffer: memoryview, most: int) -> bytes:
        """Read a body that comes in chunks.

        Args:
            buffer: Memory to receive in.
            most: Bytes that may come, chunks' sizes and all.

        Raises:
            Unplain: What comes is no chunks, or too long.
            OSError: The body broke off.
        """
        chunks, came = self._chunks, self._early
        if chunks is None:
            raise ConnectionAbortedError
        self._early = b""
        chunks.feed(came)
        size = len(came)
        while not chunks.complete:
            if size > most:
                raise Unplain(200, "chunks without end")
            now = self.socket.recv_into(buffer) if self.socket is not None else 0
            if not now:
                raise ConnectionResetError
            size += now
            chunks.feed(buffer[:now])
        self._chunks = None
        return chunks.body()

    def pour(self, pipe: Pipe, size: int) -> int:
        """Let up to `size` bytes of the body into a pipe; gives how many. Not over TLS.

        Raises:
            OSError: The body broke off.
        """
        size = min(size, self._left)
        if self._early:  # it came with the head; a pipe has room for that
            size = os.write(pipe.inlet, self._early[:size])
            self._early = self._early[size:]
        elif size:
            size = self._poured(pipe, size)
            if not size:
                raise ConnectionResetError
        self._left -= size
        return size

    @property
    def reusable(self) -> bool:
        """Whether the answer was read to its end, and another may follow."""
        read = not self._left and self._chunks is None
        return self._keep and read and not self._aborted

    def close(self) -> None:
        """Close the connection, which serves no other request."""
        self._keep = False
        super().close()

    def _poured(self, pipe: Pipe, size: int) -> int:
        """Have the system move what has come, as soon as some has; gives how much that was."""
        while True:
            if self.socket is None:
                raise ConnectionAbortedError
            with contextlib.suppress(BlockingIOError):
                return pipe.take(self.socket.fileno(), size)
            if not awaited(self.socket, READABLE, self.address.read_timeout):
                raise TimeoutError

    def _read_head(self, sock: socket.socket, came: bytes, *, chunks: bool, empty: bool) -> Head:
        buffer = bytearray(4 * KiB)
        size = len(came)
        buffer[:size] = came
        while not (end := end_of_head(buffer, size)):
            if size == len(buffer):
                buffer = buffer + bytes(len(buffer))
            more = sock.recv_into(memoryview(buffer)[size:])
            if not more:
                raise ConnectionResetError
            size += more
        return self.begin(memoryview(buffer)[:size], end, chunks=chunks, empty=empty)

    def begin(
        self, came: memoryview, end: int, *, chunks: bool = False, empty: bool = False
    ) -> Head:
        """Read an answer's head, and keep what came behind it.

        Args:
            came: What came.
            end: Where the head ends in it.
            chunks: Whether the body may come in chunks.
            empty: Whether none comes, whatever length is told.

        Raises:
            Unplain: The answer is not plain.
        """
        self.used = True
        head = read_head(came[:end], chunks=chunks)
        self._left = 0 if empty else head.length
        self._chunks = Chunks(came[:end]) if head.chunked else None
        self._early = came[end:]
        if len(self._early) > self._left and not head.chunked:
            raise Unplain(head.status, "more than it announced")
        self._keep = head.keeps
        return head

    def gathered(self) -> memoryview | None:
        """Give a body in chunks, if all of it came with its head.

        Raises:
            Unplain: What came is no chunks.
        """
        chunks = self._chunks
        if chunks is None:
            raise ConnectionAbortedError
        chunks.feed(self._early)
        return memoryview(chunks.body()) if chunks.complete else None

    def end(self) -> None:
        """Take the answer for read, which came whole with its head."""
        self._left, self._early, self._chunks = 0, b"", None

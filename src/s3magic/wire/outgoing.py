"""Sends a request on a blocking socket, and hears an answer that comes before all is sent.

A server that refuses a body may answer at once, and read no more of it: RFC
9112, 9.3, has the client look for that while it sends. And only silence ends
the sending, however slow it is: each move of bytes has the patience by itself.
"""

from __future__ import annotations

import os
import select
import ssl
from dataclasses import dataclass
from typing import TYPE_CHECKING, BinaryIO

from s3magic.settings import KiB

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable, Iterable, Iterator

__all__ = ["READABLE", "WRITABLE", "FileRange", "Outgoing", "awaited"]

READABLE, WRITABLE = 1, 4
"""What a socket is waited for, as poll(2) numbers it."""

_PACKET = 64 * KiB  # bytes of a body that are cheaper copied than sent by themselves
_HEARD = 4 * KiB  # bytes of an answer that are read to know that there is one
_LATER = (BlockingIOError, ssl.SSLWantWriteError, ssl.SSLWantReadError)
_GONE = (BrokenPipeError, ConnectionResetError, ssl.SSLEOFError)  # TLS says the last for both


@dataclass(frozen=True, slots=True)
class FileRange:
    """Bytes of an open file, for the system to send by itself where it can."""

    file: BinaryIO
    start: int
    size: int


class Outgoing:
    """One request on its way.

    Args:
        sock: Where to.
        patience: Seconds in which some of it must go.
    """

    def __init__(self, sock: socket.socket, patience: float) -> None:
        self._sock = sock
        self._patience = patience
        self.heard = b""
        """Of an answer that came early, what has been read: that takes TLS to tell."""

    def send(self, head: bytes, body: Iterable[memoryview | FileRange]) -> bool:
        """Send all of it; gives False where an answer, or the end, came before that.

        Args:
            head: The request's line and headers.
            body: Its body, piece by piece.

        Raises:
            OSError: It cannot be sent, and there is no answer.
        """
        pieces = iter(body)
        piece = next(pieces, None)
        if isinstance(piece, memoryview) and len(piece) <= _PACKET:  # one packet with its head
            head = b"".join((head, piece))
            piece = next(pieces, None)
        self._sock.sendall(head)
        if piece is None:
            return True
        self._sock.settimeout(0)  # to wait is for `_answered`, which looks both ways
        try:
            while piece is not None:
                if self._answered(0) or not self._sent(piece):
                    return False
                piece = next(pieces, None)
        finally:
            self._sock.settimeout(self._patience)
        return True

    def _sent(self, piece: memoryview | FileRange) -> bool:
        if isinstance(piece, memoryview):
            return self._sent_bytes(piece)
        if hasattr(os, "sendfile") and not isinstance(self._sock, ssl.SSLSocket):
            return self._sent_file(piece)
        return all(map(self._sent_bytes, _read(piece)))

    def _sent_bytes(self, data: memoryview) -> bool:
        while data:
            size = self._moved(self._sock.send, data)
            if size is None:
                return False
            data = data[size:]
        return True

    def _sent_file(self, piece: FileRange) -> bool:
        """Do what `socket.sendfile` does, which prepares it anew for each piece."""
        sock, file, at, left = self._sock.fileno(), piece.file.fileno(), piece.start, piece.size
        while left:
            size = self._moved(os.sendfile, sock, file, at, left)
            if size is None:
                return False
            if not size:
                raise _shorter()
            at, left = at + size, left - size
        return True

    def _moved(self, move: Callable[..., int], *what: object) -> int | None:
        """Move what goes, as soon as some does; gives how much, None for an answer before that."""
        while True:
            try:
                return move(*what)
            except _LATER:
                if self._answered(self._patience):
                    return None
            except _GONE:
                return None  # an answer may have come before that

    def _answered(self, patience: float) -> bool:
        """Wait until more can be sent; gives whether an answer, or the end, came before that."""
        ready = awaited(self._sock, READABLE | WRITABLE, patience)
        if not ready and patience:
            raise TimeoutError
        if not ready & ~WRITABLE:
            return False
        if isinstance(self._sock, ssl.SSLSocket):
            try:
                self.heard = self._sock.recv(_HEARD)
            except _LATER:  # only TLS had something to say, a new key for example
                return False
        return True


def awaited(sock: socket.socket, events: int, patience: float) -> int:
    """Wait until a socket is ready; gives for what, 0 where it was not in time.

    Args:
        sock: The socket.
        events: `READABLE`, `WRITABLE` or both.
        patience: Seconds.
    """
    if hasattr(select, "poll"):
        poll = select.poll()
        poll.register(sock, events)
        ready = poll.poll(patience * 1000)
        return ready[0][1] if ready else 0
    reading, writing = [sock] * bool(events & READABLE), [sock] * bool(events & WRITABLE)
    readable, writable, _ = select.select(reading, writing, (), patience)
    return READABLE * bool(readable) | WRITABLE * bool(writable)


def _read(piece: FileRange) -> Iterator[memoryview]:
    """Read a range of a file, for a system that cannot send it by itself."""
    piece.file.seek(piece.start)
    left = piece.size
    while left:
        block = piece.file.read(min(left, _PACKET))
        if not block:
            raise _shorter()
        left -= len(block)
        yield memoryview(block)


def _shorter() -> ConnectionAbortedError:
    return ConnectionAbortedError("the file has become shorter")

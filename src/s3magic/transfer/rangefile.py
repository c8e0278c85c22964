"""The file that a reader's thread is given: it waits while the loop brings what is not here."""

from __future__ import annotations

import asyncio
import io
import threading
from typing import TYPE_CHECKING, Any

from s3magic.settings import KiB, MiB

if TYPE_CHECKING:
    from collections.abc import Sequence

    from _typeshed import WriteableBuffer

    from s3magic.transfer.ranged import Ranged

__all__ = ["RangeFile"]

_AHEAD = 64 * KiB  # bytes read ahead at first, doubled as long as one reads on
_FURTHEST = 8 * MiB


class RangeFile(io.RawIOBase):
    """An object's bytes, read-only and seekable. Made on the loop, it is for another thread.

    Args:
        ranged: The object.
        loop: Where its client lives.
    """

    def __init__(self, ranged: Ranged, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__()
        self._ranged = ranged
        self._loop = loop
        self._thread = threading.get_ident()
        self._at = 0
        self._ahead = _AHEAD
        self._next = 0  # where one is who reads on
        self.exact = False
        """Whether to read nothing ahead: the reader knows what it wants."""
        self.failure: BaseException | None = None
        """What kept a range from coming, the first time."""

    @property
    def size(self) -> int:
        """Bytes of the object."""
        return self._ranged.size

    @property
    def moved(self) -> int:
        """Bytes that have moved, or are on their way."""
        return self._ranged.moved

    def readable(self) -> bool:
        """Say that it can be read."""
        return True

    def seekable(self) -> bool:
        """Say that one can go anywhere in it."""
        return True

    def tell(self) -> int:
        """Give the place of the next byte."""
        return self._at

    def seek(self, offset: int, whence: int = 0, /) -> int:
        """Go to a place, which costs nothing."""
        self._at = max(0, offset + {0: 0, 1: self._at, 2: self.size}[whence])
        return self._at

    def read(self, size: int | None = -1, /) -> bytes:
        """Read some bytes, all that are asked for, fewer only where the object ends."""
        return bytes(self.read_buffer(size))

    def read_buffer(self, size: int | None = -1, /) -> memoryview:
        """Read some bytes without a copy; pyarrow asks for these."""
        stop = self.size if size is None or size < 0 else min(self._at + size, self.size)
        start = min(self._at, stop)
        found = self._ranged.held.view(start, stop)
        if found is None:
            self._bring(start, stop)
            found = self._ranged.held.view(start, stop)
        self._at = stop
        return memoryview(b"") if found is None else found

    def readinto(self, buffer: WriteableBuffer, /) -> int:
        """Read as many bytes as there is room for."""
        room = memoryview(buffer).cast("B")
        found = self.read_buffer(len(room))
        room[: len(found)] = found
        return len(found)

    def fetch(self, spans: Sequence[tuple[int, int]]) -> None:
        """Bring some ranges side by side, for reads to come.

        Raises:
            TooMuch: It is more than may move; nothing was asked for.
            S3Error: A range cannot be read.
        """
        self._wait(spans)

    def _bring(self, start: int, stop: int) -> None:
        first = self._ranged.held.missing(start, stop)
        behind = stop
        if not self.exact:
            self._ahead = min(2 * self._ahead, _FURTHEST) if first == self._next else _AHEAD
            behind = max(stop, min(first + self._ahead, self.size))
        self._next = behind
        self._wait([(first, behind)])

    def _wait(self, spans: Sequence[tuple[int, int]]) -> None:
        if threading.get_ident() == self._thread:
            raise RuntimeError("The loop's own thread would wait for itself: read in a thread.")
        asking: Any = self._ranged.asked(spans)
        try:
            asyncio.run_coroutine_threadsafe(asking, self._loop).result()
        except BaseException as error:
            self.failure = self.failure or error
            raise

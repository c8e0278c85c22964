"""The ranges of an object that are here, in memory. From any thread."""

from __future__ import annotations

import threading
from bisect import bisect_left, bisect_right
from typing import TYPE_CHECKING

from s3magic.settings import KiB

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from s3magic.transfer.ranges import Answer

__all__ = ["Held", "Stretch"]

_NEAR = 32 * KiB  # bytes between two ranges that cost less than another request


class Held:
    """The ranges of one object that are here: the loop adds, a reader's thread looks."""

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._starts: list[int] = []
        self._held: list[memoryview] = []

    def __bool__(self) -> bool:
        return bool(self._starts)

    def add(self, stretch: Stretch) -> None:
        """Keep a range that has come."""
        with self._lock:
            at = bisect_right(self._starts, stretch.start)
            self._starts.insert(at, stretch.start)
            self._held.insert(at, memoryview(stretch.whole).toreadonly())

    def forget(self, until: int) -> None:
        """Let go of the ranges that begin before `until`; who reads them again moves them again."""
        with self._lock:
            at = bisect_left(self._starts, until)
            del self._starts[:at], self._held[:at]

    def has(self, start: int, stop: int) -> bool:
        """Tell whether all of a range is here."""
        return self.missing(start, stop) == stop

    def view(self, start: int, stop: int) -> memoryview | None:
        """Give some bytes that are here; None if one is not."""
        with self._lock:
            pieces: list[memoryview] = []
            while start < stop:
                at = bisect_right(self._starts, start) - 1
                if at < 0 or start >= self._starts[at] + len(self._held[at]):
                    return None
                inside = start - self._starts[at]
                pieces.append(self._held[at][inside : inside + stop - start])
                start += len(pieces[-1])
        return pieces[0] if len(pieces) == 1 else memoryview(b"".join(pieces))

    def missing(self, start: int, stop: int) -> int:
        """Give where the bytes that are not here begin."""
        with self._lock:
            while start < stop:
                at = bisect_right(self._starts, start) - 1
                if at < 0 or start >= self._starts[at] + len(self._held[at]):
                    break
                start = self._starts[at] + len(self._held[at])
        return min(start, stop)

    def lacking(self, spans: Iterable[tuple[int, int]], size: int) -> list[tuple[int, int]]:
        """Give what of some ranges is not here, those that are near each other as one.

        Args:
            spans: Of each its first byte, and behind its last.
            size: Bytes of the object.
        """
        wanted: list[tuple[int, int]] = []
        with self._lock:
            for first, behind in sorted(spans):
                for start, stop in self._gaps(first, min(behind, size)):
                    before = wanted[-1][1] if wanted else 0
                    if wanted and start - before <= _NEAR and not self._between(before, start):
                        wanted[-1] = wanted[-1][0], max(stop, before)
                    else:
                        wanted.append((start, stop))
        return wanted

    def _gaps(self, start: int, stop: int) -> Iterable[tuple[int, int]]:
        """Give what of a range is not here."""
        while (start := self.missing(start, stop)) < stop:
            at = bisect_right(self._starts, start)
            behind = min(stop, self._starts[at]) if at < len(self._starts) else stop
            yield start, behind
            start = behind

    def _between(self, start: int, stop: int) -> bool:
        """Tell whether something that is here begins in a range."""
        return bisect_left(self._starts, start) < bisect_left(self._starts, stop)


class Stretch:
    """A landing for one range, in memory.

    Args:
        start: Its first byte's offset in the object.
        stop: Behind its last one.
    """

    file = None

    def __init__(self, start: int, stop: int) -> None:
        self.start = start
        self.stop = stop
        self.whole = bytearray(stop - start)
        self.held: list[int] = []

    def begin(self, answer: Answer) -> None:
        """Do nothing: what is coming is known."""

    def room(self, at: int, size: int) -> memoryview:
        """Give the very memory."""
        return memoryview(self.whole)[at - self.start : at - self.start + size]

    def write(self, blocks: Sequence[bytes | memoryview], at: int) -> None:
        """Copy some blocks to their place."""
        for block in blocks:
            self.room(at, len(block))[:] = block
            at += len(block)

    async def take(self, blocks: list[bytes], at: int) -> None:
        """Do what `write` does: a copy of a megabyte holds up nobody."""
        self.write(blocks, at)

    def commit(self) -> None:
        """Do nothing: it is there."""

"""What a running verb knows of itself.

The engine feeds a `Meter` and knows nothing of screens.
"""

from __future__ import annotations

import heapq
import time
from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from s3magic.settings import MiB
from s3magic.wording import count, duration, filesize

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from s3magic.model import Status, Transfer

__all__ = ["TOLD", "Active", "Meter"]

TOLD = 1 * MiB
"""Bytes after which a helper thread tells of them."""

_WINDOW = 4.0  # seconds over which a rate is taken: steady, and soon true


@dataclass(slots=True)
class Active:
    """One transfer under way.

    Args:
        name: What it is called on the screen: a key or a path, unescaped.
        size: Its bytes; 0 where that is not known.
        started: When it began, on the meter's clock.
        done: Its bytes that are safe at their target.
    """

    name: str
    size: int
    started: float
    done: int = 0


@dataclass(slots=True)
class Meter:
    """The state of one running verb, fed by the engine and read by a display.

    Args:
        doing: The verb as it goes on: ``Downloading``.
        did: The verb when it is over: ``Downloaded``.
        noun: What is counted: ``file``, ``object``.
        files: How many there are in all; None while that is not known.
        size: Bytes in all; None while that is not known, or where nothing moves.
        clock: Gives the time in seconds; a test gives its own.
        kept: Bytes of unfinished transfers that the next try need not fetch again.
        note: What the summary must say besides, even of a short run.
        others: Gives what is under way besides, in helper threads.
        rows: Gives the rows of the transfers that are over. From any thread.
    """

    doing: str
    did: str
    noun: str = "file"
    files: int | None = None
    size: int | None = None
    clock: Callable[[], float] = time.monotonic
    note: str = ""
    done_files: int = 0
    done_size: int = 0
    moved: int = 0
    skipped: int = 0
    failed: int = 0
    kept: int = 0
    stopped: bool = False
    started: float = 0.0
    ended: float | None = None
    active: dict[int, Active] = field(default_factory=dict)
    others: Callable[[], Iterable[Active]] = tuple
    rows: Callable[[], Sequence[Transfer]] = tuple
    _samples: deque[tuple[float, int]] = field(default_factory=deque)
    _stop: Callable[[], object] | None = None
    _next: int = 0

    def __post_init__(self) -> None:
        self.started = self.clock()
        self._samples.append((self.started, 0))

    # fed by the engine

    def begin(self, name: str, size: int = 0) -> int:
        """Note that one transfer begins; returns the number to name it by."""
        self._next += 1
        self.active[self._next] = Active(name, size, self.clock())
        return self._next

    def expect(self, size: int | None) -> None:
        """Note one more transfer to come, of `size` bytes where that is known."""
        self.files = (self.files or 0) + 1
        self.size = (self.size or 0) + (size or 0)

    def learn(self, number: int, size: int) -> None:
        """Note how large a transfer under way turned out to be."""
        active = self.active[number]
        if self.size is not None:
            self.size += size - active.size
        active.size = size

    def advance(self, number: int, size: int, *, moved: bool = True) -> None:
        """Note `size` more bytes safe at their target.

        Args:
            number: What `begin` gave.
            size: Bytes; negative where a piece must be fetched again.
            moved: False for bytes that an earlier run had brought already:
                they count as done, not as speed.
        """
        self.active[number].done += size
        self.done_size += size
        if moved:
            self.moved += size

    def arrived(self, size: int, expected: int, *, moved: bool = True) -> None:
        """Note a whole transfer that nobody began: one that a helper thread did by itself.

        Args:
            size: Its bytes.
            expected: The bytes that `expect` was told.
            moved: False where it was only looked at.
        """
        self.done_files += 1
        self.done_size += size
        self.moved += size if moved else 0
        if self.size is not None:
            self.size += size - expected

    def left(self, expected: int, *, skipped: bool) -> None:
        """Note one that nobody began and that does not arrive: it is skipped, or it failed.

        Args:
            expected: The bytes that `expect` was told.
            skipped: Whether what is there already was to stay.
        """
        if not skipped:
            self.failed += 1
            return
        self.skipped += 1
        if self.size is not None:
            self.size -= expected

    def finish(self, number: int, status: Status) -> None:
        """Note how one transfer ended."""
        ended = self.active.pop(number)
        if status == "done":
            self.done_files += 1
            return
        self.done_size -= ended.done
        if status == "skipped":
            self.skipped += 1
            if self.size is not None:
                self.size -= ended.size
        elif status == "failed":
            self.failed += 1

    def tally(self, number: int = 1) -> None:
        """Count things that are not transfers, listed objects for example."""
        self.done_files += number

    def on_stop(self, stop: Callable[[], object]) -> None:
        """Say what `stop` is to call, from any thread; at once if it was called already."""
        self._stop = stop
        if self.stopped:
            stop()

    # read by a display

    def stop(self) -> None:
        """Ask the verb to end now, as the Cancel button does. From any thread."""
        self.stopped = True
        if self._stop is not None:
            self._stop()

    def sample(self) -> None:
        """Take a sample for the rate; the ticker calls it before each drawing."""
        now = self.clock()
        self._samples.append((now, self._progressed))
        while len(self._samples) > 2 and now - self._samples[1][0] > _WINDOW:
            self._samples.popleft()

    @property
    def _progressed(self) -> int:
        """What the rate is of: bytes where bytes move, else things."""
        return self.done_files if self.size is None and not self.moved else self.moved

    @property
    def rate(self) -> float:
        """Bytes (or things, where no bytes move) a second, over the last seconds."""
        (begun, before), (now, after) = self._samples[0], self._samples[-1]
        return max(0.0, (after - before) / (now - begun)) if now > begun else 0.0

    @property
    def elapsed(self) -> float:
        """Seconds since the verb began, until it ended."""
        return (self.clock() if self.ended is None else self.ended) - self.started

    @property
    def fraction(self) -> float | None:
        """How much is done, 0 to 1; None while the whole is not known."""
        if self.size:
            return min(1.0, max(0.0, self.done_size / self.size))
        over = self.done_files + self.skipped + self.failed
        if self.files and (over or self.files > 1):  # of a single one the number says nothing
            return min(1.0, over / self.files)
        return None

    @property
    def remaining(self) -> float | None:
        """Seconds left at the present rate; None while nobody can say."""
        rate = self.rate
        if self.size and self.moved and rate:
            return max(0.0, (self.size - self.done_size) / rate)
        if self.files and not self.size and not self.moved and rate:
            return max(0.0, (self.files - self.done_files - self.skipped - self.failed) / rate)
        return None

    def slowest(self, number: int) -> list[Active]:
        """Give the transfers that have been under way longest, oldest first."""
        active = [*self.active.values(), *self.others()]
        return heapq.nsmallest(number, active, key=lambda one: one.started)

    @property
    def summary(self) -> str:
        """The one line that stays: what was done, how much, how fast, what failed."""
        parts = [f"{self.did} {count(self.done_files, self.noun)}"]
        if self.size is not None or self.moved:
            parts.append(filesize(self.done_size))
        said = ", ".join(parts) + f" in {duration(self.elapsed)}"
        if self.moved and self.done_size and self.elapsed > 0:
            said += f" ({filesize(self.moved / self.elapsed)}/s)"
        for number, word in ((self.skipped, "skipped"), (self.failed, "failed")):
            if number:
                said += f", {number:,} {word}"
        said += f", {self.note}" if self.note else ""
        said += ", cancelled." if self.stopped else "."
        if self.kept:
            said += (
                f" {filesize(self.kept)} of the rest are kept: the same again goes on from there."
            )
        return said

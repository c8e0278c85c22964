"""Finds how many requests at once are best, while they run. Pure.

It begins like TCP (RFC 5681): the level doubles once a round trip for as long
as that pays. When it no longer does, the level stays, and a little more is
tried now and then. A server that says "slow down" (503, 429), or a request that
times out, halves it; then it climbs back one by one, and remembers where it was
too high.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from s3magic.settings import KiB

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Level"]

_FIRST = 16  # requests at once to begin with
_PAYS = 1.15  # times the throughput that doubling must give at least
_SHORTEST = 0.05  # seconds that a measurement lasts at least
_ROUNDS = 2  # round trips that it lasts at least
_AGAIN = 2.0  # seconds after which more is tried again; longer each time it did not pay
_LONGEST = 60.0
_UNIT = 64 * KiB  # bytes that count as much as one request


@dataclass(slots=True)
class Level:
    """How many requests may be in flight.

    Args:
        most: How many at most.
        limit: How many now.
        clock: Gives the time in seconds; a test gives its own.
    """

    most: int
    limit: int = _FIRST
    clock: Callable[[], float] = time.monotonic
    _ceiling: int = 0  # how far it climbs one by one
    _before: int = 0  # where to go back to if this step does not pay; 0 while it makes none
    _rate: float = 0.0  # units a second that the step must beat
    _pause: float = _AGAIN
    _again: float = 0.0  # when the next step may be tried
    _since: float = 0.0
    _units: float = 0.0
    _requests: int = 0
    _wanted: bool = False  # whether the level was what held requests back

    def __post_init__(self) -> None:
        self.limit = min(self.limit, self.most)
        self._ceiling = self._before = self.limit
        self._measure(self.clock())

    def wanted(self) -> None:
        """Note that a request had to wait for its turn."""
        self._wanted = True

    def done(self, size: int) -> None:
        """Note a request that is done, of about `size` bytes."""
        self._requests += 1
        self._units += 1 + size / _UNIT
        if self._requests < _ROUNDS * self.limit:
            return
        now = self.clock()
        lasted = now - self._since
        if lasted < _SHORTEST:
            return
        rate, wanted = self._units / lasted, self._wanted
        self._measure(now)
        if wanted:  # else nobody wants more, and the rate says nothing of the level
            self._judge(rate, now)

    def throttled(self) -> None:
        """Note that the server asked for less, or did not answer in time."""
        now = self.clock()
        if now - self._since < _SHORTEST and not self._before:
            return  # one burst of refusals counts once
        self._ceiling = max(1, self.limit - 1)
        self.limit = max(1, self.limit // 2)
        self._settle(now)

    def _judge(self, rate: float, now: float) -> None:
        if self._before and rate < _PAYS * self._rate:
            self.limit = self._ceiling = self._before  # as fast with fewer
            self._settle(now)
        elif self._before or (self.limit >= self._ceiling and now >= self._again):
            self._before, self._rate = self.limit, rate
            self.limit = min(2 * self.limit, self.most)
            if self.limit == self._before:
                self._ceiling = self.limit
                self._settle(now)
        elif self.limit < self._ceiling:
            self.limit += 1

    def _settle(self, now: float) -> None:
        """Make no step for a while."""
        self._before = 0
        self._again = now + self._pause
        self._pause = min(2 * self._pause, _LONGEST)
        self._measure(now)

    def _measure(self, now: float) -> None:
        self._since, self._units, self._requests, self._wanted = now, 0.0, 0, False

"""Finds how many requests at once are best, while they run. Pure.

While requests take about as long as the fastest of their kind did, nothing is
in their way but the distance, and the level doubles once a round trip, as TCP
begins (RFC 5681). When they take longer, they wait for each other somewhere;
then twice as many are tried now and then, and kept only if that moves more; and
half as many in turn with it, kept if that moves about as much. A busy server's
throughput is noise: with nothing but the first, the level would only ever rise.

A server that says "slow down" (503, 429), or a request that times out, halves
the level; then it climbs back one by one, stays below where it was too much for
a while, and rises freely again only far above that.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from s3magic.settings import KiB

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Level"]

_FIRST = 8  # requests at once to begin with: the distance is overcome within a few round trips
_FREE = 2.5  # times the fastest request of a kind: up to here they do not wait for each other
_NEAR = 1.5  # and up to here they do not even come near it: the level rises twice as fast
_PAYS = 1.3  # times the throughput that twice the level must give
_SPARES = 0.9  # times the throughput that half of it may give
_SHORTEST = 0.25  # seconds that throughput is measured at least: below it is noise
_ROUNDS = 2  # round trips that it is measured at least
_BURST = 1.0  # seconds within which those that were in flight are refused
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
    _ceiling: int = 0  # how far it may rise before `_again`
    _before: int = 0  # where to go back to if this step does not pay; 0 while it makes none
    _rate: float = 0.0  # units a second before the step
    _first: int = 0  # what it began with; it makes no step down from there
    _lower: bool = True  # whether the next step is one down
    _pause: float = _AGAIN
    _again: float = 0.0  # when it may rise above the ceiling
    _fastest: dict[int, float] = field(default_factory=dict)  # seconds, by kind
    _refused: int = 0  # where it was too much; 0 where that is not known
    _hold: float = _AGAIN  # seconds that it stays below
    _halved: float = 0.0  # when it was halved
    _took: float = 0.0  # seconds of the last request that was done
    _flying: int = 0  # of the requests in flight then, those not heard of yet
    _since: float = 0.0
    _units: float = 0.0
    _strain: float = 0.0
    _requests: int = 0
    _wanted: bool = False  # whether the level was what held requests back
    _warm: bool = False  # whether connections have been made, which takes its own time

    def __post_init__(self) -> None:
        self.limit = self._first = min(self.limit, self.most)
        self._ceiling = self.most
        self._measure(self.clock())

    def wanted(self) -> None:
        """Note that a request had to wait for its turn."""
        self._wanted = True

    def done(self, size: int, seconds: float) -> None:
        """Note a request that is done.

        Args:
            size: Its bytes, about.
            seconds: How long it took.
        """
        kind = size.bit_length() // 4  # as long as another of up to sixteen times its size
        fastest = self._fastest.get(kind)
        if fastest is None or seconds < fastest:
            self._fastest[kind] = fastest = max(seconds, 1e-6)
        self._flying -= 1
        self._took = seconds
        self._requests += 1
        self._units += 1 + size / _UNIT
        self._strain += seconds / fastest
        if self._requests < self.limit:
            return
        now = self.clock()
        lasted = now - self._since
        strain = self._strain / self._requests
        free = strain < _FREE
        if not free and (self._requests < _ROUNDS * self.limit or lasted < _SHORTEST):
            return
        rate, wanted = self._units / max(lasted, 1e-6), self._wanted
        warm, self._warm = self._warm, True
        self._measure(now)
        if wanted and (warm or strain < _NEAR):  # else the rate says nothing of the level
            self._judge(rate, now, strain)

    def throttled(self) -> None:
        """Note that the server asked for less, or did not answer in time."""
        now = self.clock()
        self._flying -= 1
        since = now - self._halved
        if since < _BURST and (self._flying >= 0 or since < self._took):
            return  # it was begun before the level was halved, and says the same
        self._halved, self._flying = now, self.limit - 1
        again = 0 < self._refused <= self.limit  # it was tried again, and is too much still
        self._hold = min(2 * self._hold, _LONGEST) if again else _AGAIN
        self._refused, self._before = self.limit, 0
        self.limit = max(1, self.limit // 2)
        self._measure(now)

    def _judge(self, rate: float, now: float, strain: float) -> None:
        if now >= self._again:
            self._ceiling = self.most
        if self._refused:
            self._climb(now)
        elif strain < _FREE:
            self._before = 0
            self.limit = min((4 if strain < _NEAR else 2) * self.limit, self._ceiling)
        elif self._before and rate < (_PAYS if self._before < self.limit else _SPARES) * self._rate:
            self.limit = self._ceiling = self._before  # as fast with fewer, or faster with more
            self._settle(now)
        elif self._before > self.limit:  # as fast with fewer
            self._ceiling = self.limit
            self._settle(now)
        elif self.limit < self._ceiling:
            self._before, self._rate = self.limit, rate
            half = self.limit // 2
            self._lower = not self._lower
            down = not self._lower and half >= self._first
            self.limit = half if down else min(2 * self.limit, self._ceiling)

    def _climb(self, now: float) -> None:
        """Go back to where it was too much, with care."""
        if self.limit + 1 == self._refused and now < self._halved + self._hold:
            return
        self.limit = min(self.limit + 1, self.most)
        if self.limit >= min(max(2 * self._refused, 2 * _FIRST), self.most):
            self._refused = 0

    def _settle(self, now: float) -> None:
        """Make no step for a while."""
        self._before = 0
        self._again = now + self._pause
        self._pause = min(2 * self._pause, _LONGEST)
        self._measure(now)

    def _measure(self, now: float) -> None:
        self._since, self._units, self._strain, self._requests = now, 0.0, 0.0, 0
        self._wanted = False

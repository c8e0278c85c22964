"""Many small jobs at once: each done wholly by the reactor's thread, with no task of its own.

A task and a wake-up for each of ten thousand small objects cost more than
their requests. So those that are one request go to the reactor, and
their ends come back by the dozen. A server that asks for less is asked again,
in a while; a file that cannot be where it is to be is told at once. Whatever
else does not simply succeed comes back undone, for the ordinary way to do, or
to say what is wrong.
"""

from __future__ import annotations

import asyncio
import functools
from abc import ABC, abstractmethod
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic, TypeVar

from s3magic.errors import AlreadyExists, LocalFault, S3Error, UnsafeKey
from s3magic.model import Transfer
from s3magic.settings import KiB, defaults
from s3magic.transfer.backoff import backoff
from s3magic.transfer.progress import Active
from s3magic.transfer.window import AHEAD
from s3magic.wire.answer import BUSY, SILENT, Unplain, unanswered

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from s3magic.transfer.engine import Job
    from s3magic.transfer.level import Level
    from s3magic.transfer.progress import Meter
    from s3magic.wire.addresses import Address
    from s3magic.wire.answer import Head
    from s3magic.wire.lanes import Lanes
    from s3magic.wire.order import Order
    from s3magic.wire.pool import Pool
    from s3magic.wire.template import Template

__all__ = ["FIRST", "QUICK", "Quick", "Swift"]

J = TypeVar("J", bound="Job")

QUICK = 128 * KiB
"""Bytes up to which a job is small: its request and its answer are held in memory as a whole."""

FIRST = 64
"""Small requests at once to begin with, each a connection: they are over before a few could show
whether the server does more of them at once, and none holds a thread."""


_TRIES = 3  # at most: who takes the job then has tries of its own


@dataclass(slots=True)
class Quick(ABC):
    """How one small job is done: one request. The base of a get's and a put's own.

    Args:
        pool: The idle connections.
        template: The kind of request.
    """

    pool: Pool
    template: Template

    @property
    def address(self) -> Address:
        """Where to."""
        return self.template.address

    @property
    def reads(self) -> bool:
        """Whether a file is read for its request."""
        return False

    @property
    def chunks(self) -> bool:
        """Whether the answer's body may come in chunks."""
        return False

    @abstractmethod
    def request(self) -> bytes:
        """Give the request, signed now."""

    @abstractmethod
    def finish(self, head: Head, body: memoryview) -> int:
        """Take the answer; gives the bytes that were moved.

        Raises:
            LocalFault: Nothing can be written there, whoever asks.
            Exception: Anything else: the ordinary way shall try.
        """


class Swift(Generic[J]):
    """The small jobs of one verb that are under way. Used on its loop.

    Args:
        lanes: Has the reactor, which does them, and the threads beside it.
        level: How many small requests there may be at once; told of what is
            done. Their own: parts of large objects are another load.
        meter: Told of what is done.
        done: Told of a job's number and its row.
    """

    def __init__(
        self, lanes: Lanes, level: Level, meter: Meter, done: Callable[[int, Transfer], None]
    ) -> None:
        self._lanes = lanes
        self._level = level
        self._meter = meter
        self._done = done
        self._orders: dict[int, tuple[J, Order[int]]] = {}
        self._resting: dict[int, tuple[J, asyncio.TimerHandle]] = {}  # until they are tried again
        self._stopping = False
        self._more = asyncio.Event()
        self.back: deque[tuple[int, J, bool]] = deque()
        """The jobs that came back undone, each with its number, and whether the server answered:
        then only the ordinary client can say more."""
        meter.others = self._under_way
        lanes.small(lambda: level.limit)

    @property
    def busy(self) -> bool:
        """Whether some are not done."""
        return bool(self._orders or self._resting)

    async def put(self, number: int, job: J, quick: Quick) -> None:
        """Have a job done; waits while there are enough.

        Raises:
            Unplain: The system has no thread or no descriptor for that.
        """
        while len(self._orders) + len(self._resting) >= self._level.limit + max(
            self._level.limit, AHEAD
        ):
            self._level.wanted()
            await self.news()
        self._begin(number, job, quick, 1)

    async def news(self) -> None:
        """Wait until some more have ended."""
        self._more.clear()
        await self._more.wait()

    async def stop(self) -> None:
        """Cancel what is not done, and wait until no thread is at it; it comes back undone."""
        self._stopping = True
        for number, (job, timer) in self._resting.items():
            timer.cancel()
            self.back.append((number, job, True))
        self._resting.clear()
        for number, (job, order) in list(self._orders.items()):
            if order.drop():
                del self._orders[number]
                self.back.append((number, job, False))
        cancelled: asyncio.CancelledError | None = None
        while self._orders:
            try:
                await self.news()
            except asyncio.CancelledError as again:  # it goes on once no thread writes any more
                cancelled = again
        if cancelled is not None:
            raise cancelled

    def _begin(self, number: int, job: J, quick: Quick, tries: int) -> None:
        ended = functools.partial(self._end, number, quick, tries)
        self._orders[number] = job, self._lanes.put_small(quick, ended)

    def _rest(self, number: int, job: J, quick: Quick, tries: int) -> None:
        """Try a job again in a while."""

        def again() -> None:
            del self._resting[number]
            try:
                self._begin(number, job, quick, tries + 1)
            except Unplain:
                self.back.append((number, job, False))
                self._more.set()

        later = asyncio.get_running_loop().call_later(backoff(tries), again)
        self._resting[number] = job, later

    def _end(
        self,
        number: int,
        quick: Quick,
        tries: int,
        size: int | None,
        error: BaseException | None,
    ) -> None:
        job, order = self._orders.pop(number)
        template = quick.template
        self._more.set()
        if size is not None:
            template.doubts = 0
            self._level.done(size, order.took)
            self._meter.arrived(size, (job.size or 0))
            seconds = round(order.took, 3)
            row = Transfer(job.source_name, job.target_name, size, "done", seconds=seconds)
            self._done(number, row)
            return
        if isinstance(error, LocalFault | UnsafeKey | AlreadyExists):
            self._failed(number, job, error, order.took)
            return
        answered = not isinstance(error, ConnectionError)
        if isinstance(error, OSError):  # of the file; a connection's is unplain
            error = unanswered(error)
        elif isinstance(error, Unplain):
            answered = error.status not in {0, SILENT}
        if isinstance(error, Unplain):
            template.doubt(error.status)
            if error.status in BUSY:
                self._level.throttled()
            more = tries < min(_TRIES, defaults().attempts) and not self._stopping
            if error.status in BUSY - {SILENT} and more:
                self._rest(number, job, quick, tries)
                return
        self.back.append((number, job, answered))

    def _failed(self, number: int, job: J, error: S3Error, took: float) -> None:
        self._meter.finish(self._meter.begin(job.source_name, job.size or 0), "failed")
        names, seconds = (job.source_name, job.target_name), round(took, 3)
        self._done(number, Transfer(*names, 0, "failed", str(error), seconds, error))

    def _under_way(self) -> Iterator[Active]:
        """Give those that a connection has begun with."""
        for job, order in self._orders.values():
            if order.since:
                yield Active(job.source_name, job.size or 0, order.since)

"""Many small jobs at once: each done wholly by a helper thread, with no task of its own.

A task and a wake-up for each of ten thousand small objects cost more than
their requests. So those that are one request go to the reactor, and
their ends come back by the dozen. One that does not simply succeed
comes back undone, for the ordinary way to do, or to say what is wrong.
"""

from __future__ import annotations

import asyncio
import functools
from collections import deque
from typing import TYPE_CHECKING, Generic, Protocol, TypeVar

from s3magic.model import Transfer
from s3magic.settings import KiB
from s3magic.transfer.progress import Active
from s3magic.transfer.window import AHEAD
from s3magic.wire.answer import BUSY, Unplain
from s3magic.wire.reactor import Small

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from s3magic.transfer.engine import Job
    from s3magic.transfer.level import Level
    from s3magic.transfer.progress import Meter
    from s3magic.wire.lanes import Lanes
    from s3magic.wire.order import Order
    from s3magic.wire.template import Template

__all__ = ["QUICK", "Quick", "Swift"]

J = TypeVar("J", bound="Job")

QUICK = 128 * KiB
"""Bytes up to which a job is small: as many as there are threads are held at once."""


class Quick(Small, Protocol):
    """How one small job is done: one request."""

    @property
    def template(self) -> Template:
        """The kind of request that it is."""


class Swift(Generic[J]):
    """The small jobs of one verb that are under way. Used on its loop.

    Args:
        lanes: The threads.
        level: How many of them there may be; told of what is done.
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
        self._more = asyncio.Event()
        self.back: deque[tuple[int, J]] = deque()
        """The jobs that came back undone, each with its number."""
        meter.others = self._under_way

    @property
    def busy(self) -> bool:
        """Whether some are not done."""
        return bool(self._orders)

    async def put(self, number: int, job: J, quick: Quick) -> None:
        """Have a job done; waits while there are enough."""
        while len(self._orders) >= self._level.limit + max(self._level.limit, AHEAD):
            self._level.wanted()
            await self.news()
        ended = functools.partial(self._end, number, quick.template)
        self._orders[number] = job, self._lanes.put_small(quick, ended)

    async def news(self) -> None:
        """Wait until some more have ended."""
        self._more.clear()
        await self._more.wait()

    async def stop(self) -> None:
        """Cancel what is not done, and wait until no thread is at it; it comes back undone."""
        for number, (job, order) in list(self._orders.items()):
            if order.drop():
                del self._orders[number]
                self.back.append((number, job))
        cancelled: asyncio.CancelledError | None = None
        while self._orders:
            try:
                await self.news()
            except asyncio.CancelledError as again:  # it goes on once no thread writes any more
                cancelled = again
        if cancelled is not None:
            raise cancelled

    def _end(
        self, number: int, template: Template, size: int | None, error: BaseException | None
    ) -> None:
        job, order = self._orders.pop(number)
        self._more.set()
        if size is not None:
            template.doubts = 0
            self._level.done(size, order.took)
            self._meter.arrived(size, (job.size or 0))
            seconds = round(order.took, 3)
            row = Transfer(job.source_name, job.target_name, size, "done", seconds=seconds)
            self._done(number, row)
            return
        if isinstance(error, Unplain):
            template.doubt(error.status)
            if error.status in BUSY:
                self._level.throttled()
        self.back.append((number, job))

    def _under_way(self) -> Iterator[Active]:
        """Give those that a thread has begun with."""
        for job, order in self._orders.values():
            if order.since:
                yield Active(job.source_name, job.size or 0, order.since)

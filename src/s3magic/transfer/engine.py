"""Runs jobs side by side and keeps one row for each, whatever becomes of it."""

from __future__ import annotations

import asyncio
import contextlib
import copy
from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Generic, Protocol, TypeVar

from s3magic.model import Transfer
from s3magic.settings import MiB
from s3magic.transfer.doing import cancelled, cancelling, one
from s3magic.transfer.glancing import Glancing
from s3magic.transfer.level import Level
from s3magic.transfer.placing import Folders
from s3magic.transfer.pressure import feeling
from s3magic.transfer.sparing import grown
from s3magic.transfer.swift import FIRST, Swift
from s3magic.transfer.window import AHEAD, Slots, ahead, each
from s3magic.translation import translate
from s3magic.wire.answer import Unplain

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Awaitable, Callable

    from types_aiobotocore_s3 import S3Client

    from s3magic.errors import S3Error
    from s3magic.transfer.direct import Direct
    from s3magic.transfer.glancing import Glance
    from s3magic.transfer.progress import Meter
    from s3magic.transfer.swift import Quick

__all__ = ["Job", "Run", "run"]

_MEMORY = 64 * MiB  # bytes that all transfers of one verb hold at once


class Job(Protocol):
    """What the engine wants to know of a job."""

    @property
    def source_name(self) -> str:
        """The source, for the report."""

    @property
    def target_name(self) -> str:
        """The target, for the report."""

    @property
    def size(self) -> int | None:
        """Bytes, where known."""

    @property
    def refused(self) -> S3Error | None:
        """Why the plan refuses it, if it does."""


J = TypeVar("J", bound=Job)


@dataclass(slots=True)
class Run:
    """What the jobs of one verb share.

    Args:
        client: An aiobotocore client of the running loop.
        meter: What to tell of the progress.
        concurrency: Requests in flight at once, at most.
        part_size: Bytes of a part.
        threshold: Bytes from which on an object moves in parts.
        no_clobber: Whether targets that exist are left as they are.
        level: Finds how many requests at once are best; a new one if None.
        direct: The fast way; None where there is only the ordinary one.
        folders: Those of this machine that are ready for files.
    """

    client: S3Client
    meter: Meter
    concurrency: int
    part_size: int
    threshold: int
    no_clobber: bool = False
    level: Level | None = None
    direct: Direct | None = None
    folders: Folders = field(default_factory=Folders)
    slots: Slots = field(init=False)

    def __post_init__(self) -> None:
        memory = max(_MEMORY, 2 * self.part_size)
        self.level = self.level or Level(self.concurrency)
        self.slots = Slots(self.level, memory, ahead=self.direct is not None)

    @property
    def lanes(self) -> int:
        """How many jobs, or pieces of one, may be under way; the slots hold them back before."""
        return self.concurrency if self.direct is None else 2 * self.concurrency + AHEAD


async def run(
    shared: Run,
    jobs: AsyncGenerator[J],
    work: Callable[[Run, J, int], Awaitable[int]],
    action: str,
    quick: Callable[[Run, J], Awaitable[Quick | None]] | None = None,
    *,
    glance: Glance[J] | None = None,
) -> list[Transfer]:
    """Run every job; one that fails leaves the others alone.

    Args:
        shared: What the jobs share.
        jobs: The jobs; more may still be planned while the first are done.
        work: Does one: given `shared`, the job and its number at the meter, it
            gives the bytes of the object, or raises.
        action: What to call it in an error: ``get``.
        quick: Gives the way to do a small one wholly in a helper thread, where
            there is one. What does not succeed there is done by `work`.
        glance: In a dry run, the way to look at many jobs at once; the others
            are looked at by `work`.

    Returns:
        One row a job, in the jobs' order. When the meter was asked to stop, the
        unfinished ones are ``cancelled``, and so are those not planned yet, in
        one row; when this task is cancelled, they are cleaned up and the
        cancellation goes on.

    Raises:
        S3Error: The plan failed before it gave a single job; a later failure
            of the plan is a row.
    """
    running = _Running(shared, jobs, work, action, quick)
    if glance is not None:
        running.glancing = Glancing(glance, shared, action, running.keep)
    shared.meter.rows = running.over
    loop = asyncio.get_running_loop()
    with feeling(shared.client, shared.level):
        working = loop.create_task(
            each(running.numbered(), running.one, shared.lanes, shared.slots.room),
            name=f"s3magic-{action}",
        )
    shared.meter.on_stop(lambda: loop.call_soon_threadsafe(working.cancel))
    try:
        await working
    except asyncio.CancelledError:
        if not shared.meter.stopped or cancelling():
            raise
        running.give_up()
    finally:
        await running.stop()
    return await asyncio.to_thread(running.over)  # of many it takes a while


@dataclass(slots=True)
class _Running(Generic[J]):
    """The jobs of one `run`: those that wait, and the rows of those that began."""

    shared: Run
    jobs: AsyncGenerator[J]
    work: Callable[[Run, J, int], Awaitable[int]]
    action: str
    quick: Callable[[Run, J], Awaitable[Quick | None]] | None
    rows: dict[int, Transfer] = field(default_factory=dict)
    waiting: deque[J] = field(default_factory=deque)
    begun: int = 0
    planned: bool = False
    swift: Swift[J] | None = None
    glancing: Glancing[J] | None = None
    ordinary: Run = field(init=False)

    def __post_init__(self) -> None:
        direct, shared = self.shared.direct, self.shared
        # The same slots: made by `replace` it would have its own.
        self.ordinary = copy.copy(shared)
        self.ordinary.direct = None
        if self.quick is not None and direct is not None:
            level = Level(shared.concurrency, FIRST)
            self.swift = Swift(direct.lanes, level, shared.meter, self.keep)

    def keep(self, number: int, row: Transfer) -> None:
        """Keep a row."""
        self.rows[number] = row
        grown(len(self.rows))

    async def numbered(self) -> AsyncGenerator[tuple[int, J, bool]]:
        """Give the jobs as they are planned, each with its place in the report.

        Those that are done as small ones are not among them, unless they come
        back undone; what is given last says whether the server has answered.
        """
        try:
            async with contextlib.aclosing(ahead(self._expected(), self.waiting)) as planned:
                async for job in planned:
                    self.begun += 1
                    number = self.begun
                    try:
                        gone = await self._gone(number, job)
                    except asyncio.CancelledError:  # it waits no more, and did not begin
                        self.rows[number] = cancelled(job)
                        raise
                    if not gone:
                        yield number, job, False
                    while self.swift is not None and self.swift.back:
                        yield self.swift.back.popleft()
        except Exception as error:
            ours = translate(error, self.action)
            if not self.begun:
                raise ours from error
            self.planned = True
            self._add(Transfer("the rest", "", 0, "failed", str(ours), cause=ours))
        while self.swift is not None and (self.swift.back or self.swift.busy):
            if self.swift.back:
                yield self.swift.back.popleft()
            else:
                await self.swift.news()

    async def _gone(self, number: int, job: J) -> bool:
        """Tell whether the job is done with no task of its own: as a small one, or at a glance."""
        if self.glancing is not None:
            taken = self.glancing.takes(number, job)
            await self.glancing.look(more=bool(self.waiting))
            return taken
        if self.swift is None or self.quick is None or job.refused is not None:
            return False
        quick = await self.quick(self.shared, job)
        if quick is None:
            return False
        try:
            await self.swift.put(number, job, quick)
        except Unplain:
            return False
        return True

    async def stop(self) -> None:
        """Have no small job go on; what is not done is cancelled."""
        if self.swift is not None:
            try:
                await self.swift.stop()
            finally:
                for number, job, _ in self.swift.back:
                    self.rows[number] = cancelled(job)

    async def one(self, numbered: tuple[int, J, bool]) -> None:
        """Do one job, and keep its row."""
        index, job, answered = numbered
        shared = self.ordinary if answered else self.shared
        try:
            self.keep(index, await one(shared, job, self.work, self.action))
        except asyncio.CancelledError:
            self.rows[index] = cancelled(job)
            raise

    def over(self) -> list[Transfer]:
        """Give the rows there are, in the jobs' order."""
        rows = self.rows.copy()
        return [rows[number] for number in sorted(rows)]

    def give_up(self) -> None:
        """Keep a row for each job that has not begun, and one for all that were not planned."""
        for job in self.waiting:
            self._add(cancelled(job))
        if not self.planned:
            self._add(Transfer("the rest", "", 0, "cancelled"))

    def _add(self, row: Transfer) -> None:
        self.begun += 1
        self.rows[self.begun] = row

    async def _expected(self) -> AsyncGenerator[J]:
        planned = 0
        async with contextlib.aclosing(self.jobs):
            async for job in self.jobs:
                self.shared.meter.expect(job.size)
                planned += 1
                grown(planned)
                yield job
        self.planned = True

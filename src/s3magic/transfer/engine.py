"""Runs jobs side by side and keeps one row for each, whatever becomes of it."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Generic, Protocol, TypeVar

from s3magic.errors import AlreadyExists, S3Error
from s3magic.model import Transfer
from s3magic.settings import MiB
from s3magic.transfer.window import Slots, ahead, each
from s3magic.translation import translate

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Awaitable, Callable

    from types_aiobotocore_s3 import S3Client

    from s3magic.model import Status
    from s3magic.transfer.progress import Meter

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
        concurrency: Requests in flight at once.
        part_size: Bytes of a part.
        threshold: Bytes from which on an object moves in parts.
        no_clobber: Whether targets that exist are left as they are.
    """

    client: S3Client
    meter: Meter
    concurrency: int
    part_size: int
    threshold: int
    no_clobber: bool = False
    slots: Slots = field(init=False)

    def __post_init__(self) -> None:
        self.slots = Slots(self.concurrency, max(_MEMORY, 2 * self.part_size))


async def run(
    shared: Run,
    jobs: AsyncGenerator[J],
    work: Callable[[Run, J, int], Awaitable[int]],
    action: str,
) -> list[Transfer]:
    """Run every job; one that fails leaves the others alone.

    Args:
        shared: What the jobs share.
        jobs: The jobs; more may still be planned while the first are done.
        work: Does one: given `shared`, the job and its number at the meter, it
            gives the bytes of the object, or raises.
        action: What to call it in an error: ``get``.

    Returns:
        One row a job, in the jobs' order. When the meter was asked to stop, the
        unfinished ones are ``cancelled``, and so are those not planned yet, in
        one row; when this task is cancelled, they are cleaned up and the
        cancellation goes on.

    Raises:
        S3Error: The plan failed before it gave a single job; a later failure
            of the plan is a row.
    """
    running = _Running(shared, jobs, work, action)
    loop = asyncio.get_running_loop()
    working = loop.create_task(
        each(running.numbered(), running.one, shared.concurrency), name=f"s3magic-{action}"
    )
    shared.meter.on_stop(lambda: loop.call_soon_threadsafe(working.cancel))
    try:
        await working
    except asyncio.CancelledError:
        if not shared.meter.stopped or _cancelling():
            raise
        running.give_up()
    return [running.rows[index] for index in sorted(running.rows)]


@dataclass(slots=True)
class _Running(Generic[J]):
    """The jobs of one `run`: those that wait, and the rows of those that began."""

    shared: Run
    jobs: AsyncGenerator[J]
    work: Callable[[Run, J, int], Awaitable[int]]
    action: str
    rows: dict[int, Transfer] = field(default_factory=dict)
    waiting: deque[J] = field(default_factory=deque)
    begun: int = 0
    planned: bool = False

    async def numbered(self) -> AsyncGenerator[tuple[int, J]]:
        """Give the jobs as they are planned, each with its place in the report."""
        try:
            async with contextlib.aclosing(ahead(self._expected(), self.waiting)) as planned:
                async for job in planned:
                    self.begun += 1
                    yield self.begun, job
        except Exception as error:
            ours = translate(error, self.action)
            if not self.begun:
                raise ours from error
            self.planned = True
            self._add(Transfer("the rest", "", 0, "failed", str(ours), cause=ours))

    async def one(self, numbered: tuple[int, J]) -> None:
        """Do one job, and keep its row."""
        index, job = numbered
        try:
            self.rows[index] = await _one(self.shared, job, self.work, self.action)
        except asyncio.CancelledError:
            self.rows[index] = _cancelled(job)
            raise

    def give_up(self) -> None:
        """Keep a row for each job that has not begun, and one for all that were not planned."""
        for job in self.waiting:
            self._add(_cancelled(job))
        if not self.planned:
            self._add(Transfer("the rest", "", 0, "cancelled"))

    def _add(self, row: Transfer) -> None:
        self.begun += 1
        self.rows[self.begun] = row

    async def _expected(self) -> AsyncGenerator[J]:
        async with contextlib.aclosing(self.jobs):
            async for job in self.jobs:
                self.shared.meter.expect(job.size)
                yield job
        self.planned = True


def _cancelled(job: Job) -> Transfer:
    return Transfer(job.source_name, job.target_name, 0, "cancelled")


def _cancelling() -> bool:
    """Tell whether somebody cancelled this very task."""
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0


async def _one(
    shared: Run, job: J, work: Callable[[Run, J, int], Awaitable[int]], action: str
) -> Transfer:
    """Do one job; its end, but for a cancellation, becomes a row."""
    begun = time.monotonic()
    number = shared.meter.begin(job.source_name, job.size or 0)
    status: Status = "cancelled"
    size = 0
    error: S3Error | None = job.refused
    try:
        if error is None:
            size = await work(shared, job, number)
        status = "failed" if error else "done"
    except AlreadyExists as exists:
        status = "skipped" if shared.no_clobber else "failed"
        error = exists
    except Exception as failure:
        if _cancelling():  # it failed on its way out, and must not be lost for that
            raise asyncio.CancelledError from failure
        status = "failed"
        error = translate(failure, f"{action} {job.source_name}")
    finally:
        shared.meter.finish(number, status)
    seconds = round(time.monotonic() - begun, 3)
    text = str(error) if error else ""
    return Transfer(job.source_name, job.target_name, size, status, text, seconds, error)

"""Looks at the jobs of a dry run many at once, those that no request is needed for.

Each as a task of its own, with a thread to look at its file, would cost as much
as a small transfer does, and leave the collector of garbage as much to look through.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Generic, TypeVar

from s3magic.errors import AlreadyExists
from s3magic.model import Transfer
from s3magic.transfer.doing import cancelled
from s3magic.translation import translate

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from s3magic.transfer.engine import Job, Run

__all__ = ["Glance", "Glancing"]

_TOGETHER = 256  # jobs: as many as a plan gives in one go

J = TypeVar("J", bound="Job")


@dataclass(frozen=True, slots=True)
class Glance(Generic[J]):
    """How jobs are looked at without a request.

    Args:
        may: Tells whether a job is one of these.
        look: Gives of each of some jobs its bytes, or the error of its row.
    """

    may: Callable[[Run, J], bool]
    look: Callable[[Run, Sequence[J]], Awaitable[Sequence[int | Exception]]]


@dataclass(slots=True)
class Glancing(Generic[J]):
    """The jobs that wait to be looked at together.

    Args:
        glance: How they are.
        shared: What the jobs of the verb share.
        action: What to call it in an error: ``get``.
        keep: Given the number and the row of each.
    """

    glance: Glance[J]
    shared: Run
    action: str
    keep: Callable[[int, Transfer], object]
    _held: list[tuple[int, J]] = field(default_factory=list)

    def takes(self, number: int, job: J) -> bool:
        """Hold a job, if it is one of those."""
        if job.refused is not None or not self.glance.may(self.shared, job):
            return False
        self._held.append((number, job))
        return True

    async def look(self, *, more: bool) -> None:
        """Look at those that are held, unless more come at once and there is room for them."""
        if not self._held or (more and len(self._held) < _TOGETHER):
            return
        held, self._held = self._held, []
        try:
            told = await self.glance.look(self.shared, [job for _, job in held])
        except asyncio.CancelledError:
            for number, job in held:
                self.keep(number, cancelled(job))
            raise
        for (number, job), size in zip(held, told, strict=True):
            self.keep(number, self._row(job, size))

    def _row(self, job: J, size: int | Exception) -> Transfer:
        source, target, meter = job.source_name, job.target_name, self.shared.meter
        if not isinstance(size, Exception):
            meter.arrived(size, job.size or 0, moved=False)
            return Transfer(source, target, size, "done")
        there = isinstance(size, AlreadyExists) and self.shared.no_clobber
        meter.left(job.size or 0, skipped=there)
        error = translate(size, f"{self.action} {source}")
        return Transfer(
            source, target, 0, "skipped" if there else "failed", str(error), cause=error
        )

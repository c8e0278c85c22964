"""Does one job; what becomes of it is a row."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, TypeVar

from s3magic.errors import AlreadyExists, S3Error
from s3magic.model import Transfer
from s3magic.translation import translate

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from s3magic.model import Status
    from s3magic.transfer.engine import Job, Run

__all__ = ["cancelled", "cancelling", "one"]

J = TypeVar("J", bound="Job")


def cancelled(job: Job) -> Transfer:
    """Give the row of a job that was cancelled."""
    return Transfer(job.source_name, job.target_name, 0, "cancelled")


def cancelling() -> bool:
    """Tell whether somebody cancelled this very task."""
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0


async def one(
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
        if cancelling():  # it failed on its way out, and must not be lost for that
            raise asyncio.CancelledError from failure
        status = "failed"
        error = translate(failure, f"{action} {job.source_name}")
    finally:
        shared.meter.finish(number, status)
    seconds = round(time.monotonic() - begun, 3)
    text = str(error) if error else ""
    return Transfer(job.source_name, job.target_name, size, status, text, seconds, error)

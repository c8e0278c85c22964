"""The frame around every transferring verb: client, progress, engine, report."""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from s3magic.commands.report import conclude, frame, prepare
from s3magic.commands.shown import display
from s3magic.session import using
from s3magic.settings import defaults
from s3magic.transfer.engine import Job, Run, run
from s3magic.transfer.progress import Meter, watching

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Awaitable, Callable

    from pandas import DataFrame
    from types_aiobotocore_s3 import S3Client

    from s3magic.commands.options import Transferring
    from s3magic.model import Transfer

__all__ = ["Wording", "run_jobs", "transfer"]

J = TypeVar("J", bound=Job)


@dataclass(frozen=True, slots=True)
class Wording:
    """What a verb is called: ``get``, ``Downloading``, ``Downloaded``."""

    action: str
    doing: str
    did: str


async def transfer(
    wording: Wording,
    options: Transferring,
    plan: Callable[[S3Client], AsyncGenerator[J]],
    work: Callable[[Run, J, int], Awaitable[int]],
    preview: Callable[[S3Client, J], Awaitable[Transfer]],
) -> DataFrame:
    """Plan and do a verb's jobs, or only say what they would be.

    Args:
        wording: What the verb is called.
        options: How to transfer.
        plan: Gives the jobs.
        work: Does one.
        preview: Gives the row of one that is only planned.

    Returns:
        The report, as `s3magic.commands.report.frame` describes it.

    Raises:
        TransferError: Something failed or was cancelled.
        S3Error: The plan failed at once.
    """
    if options.dry_run:
        async with using() as client, contextlib.aclosing(plan(client)) as jobs:
            rows = [await preview(client, job) async for job in jobs]
        return await asyncio.to_thread(frame, rows)
    prepare()
    rows = await run_jobs(wording, options, plan, work)
    return await conclude(rows, "file", options.errors)


async def run_jobs(
    wording: Wording,
    options: Transferring,
    plan: Callable[[S3Client], AsyncGenerator[J]],
    work: Callable[[Run, J, int], Awaitable[int]],
) -> list[Transfer]:
    """Do a verb's jobs under its progress; gives one row a job."""
    shown = display(options.progress)
    meter = Meter(wording.doing, wording.did)
    async with watching(meter, shown), using() as client:
        shared = Run(
            client,
            meter,
            options.concurrency,
            options.part_size,
            max(options.part_size, defaults().multipart_threshold),
            no_clobber=options.no_clobber,
        )
        return await run(shared, plan(client), work, wording.action)

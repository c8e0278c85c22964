"""The frame around every transferring verb: client, progress, engine, report."""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Generic, TypeVar

from s3magic.commands.running.report import conclude, prepare, used_up
from s3magic.commands.showing.displays import display
from s3magic.errors import Denied
from s3magic.session import using
from s3magic.settings import defaults
from s3magic.transfer.descriptors import affordable
from s3magic.transfer.direct import direct_of
from s3magic.transfer.engine import Job, Run, run
from s3magic.transfer.level import Level
from s3magic.transfer.progress import Meter
from s3magic.transfer.sparing import sparing
from s3magic.transfer.watching import watching
from s3magic.translation import translate

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Sequence

    from pandas import DataFrame
    from types_aiobotocore_s3 import S3Client

    from s3magic.commands.options.shared import Transferring
    from s3magic.model import Transfer
    from s3magic.transfer.glancing import Glance
    from s3magic.transfer.swift import Quick
    from s3magic.uri import S3Uri

__all__ = ["Ways", "Wording", "refuse_missing_bucket", "run_jobs", "transfer", "under_way"]

_PLANNING = {"doing": "Planning", "did": "Planned"}

J = TypeVar("J", bound=Job)


@dataclass(frozen=True, slots=True)
class Ways(Generic[J]):
    """How a verb does one of its jobs.

    Args:
        work: Does it: gives its bytes, or raises.
        preview: Finds out what would become of it: gives its bytes, or raises
            as `work` would.
        quick: Gives the way to do a small one wholly in a helper thread, if
            there is one.
        glance: Finds out what would become of many at once, where no request is
            needed for that.
    """

    work: Callable[[Run, J, int], Awaitable[int]]
    preview: Callable[[Run, J, int], Awaitable[int]]
    quick: Callable[[Run, J], Awaitable[Quick | None]]
    glance: Glance[J]


@dataclass(frozen=True, slots=True)
class Wording:
    """What a verb is called, and what it counts: ``get``, ``Downloading``, ``Downloaded``."""

    action: str
    doing: str
    did: str
    noun: str = "file"


async def transfer(
    wording: Wording,
    options: Transferring,
    plan: Callable[[S3Client], AsyncGenerator[J]],
    ways: Ways[J],
) -> DataFrame:
    """Plan and do a verb's jobs, or only say what they would be.

    Args:
        wording: What the verb is called.
        options: How to transfer.
        plan: Gives the jobs.
        ways: How one is done.

    Returns:
        The report, as `s3magic.commands.running.report.frame` describes it.

    Raises:
        TransferError: Something failed or was cancelled.
        S3Error: The plan failed at once.
    """
    prepare()
    with sparing():
        if options.dry_run:
            planning = replace(wording, **_PLANNING)
            rows = await run_jobs(planning, options, plan, ways.preview, glance=ways.glance)
            if await asyncio.to_thread(_cut, rows):
                return await conclude(rows, wording.noun, options.errors)
            # What would fail is what a dry run is to find out: a row, and no error.
            return await asyncio.to_thread(used_up, rows, planned=True)
        rows = await run_jobs(wording, options, plan, ways.work, ways.quick)
        return await conclude(rows, wording.noun, options.errors)


def _cut(rows: Sequence[Transfer]) -> bool:
    """Tell whether it was stopped on its way."""
    return any(row.status == "cancelled" for row in rows)


async def refuse_missing_bucket(client: S3Client, uri: S3Uri, action: str) -> None:
    """Raise if there is no such bucket; say nothing where listing is not allowed.

    The answer to a HEAD has no words for what is missing, the key or the bucket.

    Args:
        client: Any aiobotocore client.
        uri: What is in the bucket.
        action: What was tried, on what.

    Raises:
        NoSuchBucket: There is none.
        S3Error: The endpoint cannot be asked at all.
    """
    try:
        await client.list_objects_v2(Bucket=uri.bucket, Prefix=uri.key, MaxKeys=1)
    except Exception as error:
        ours = translate(error, action)
        if not isinstance(ours, Denied):
            raise ours from error


async def run_jobs(
    wording: Wording,
    options: Transferring,
    plan: Callable[[S3Client], AsyncGenerator[J]],
    work: Callable[[Run, J, int], Awaitable[int]],
    quick: Callable[[Run, J], Awaitable[Quick | None]] | None = None,
    *,
    glance: Glance[J] | None = None,
    quiet_if_short: bool = False,
) -> list[Transfer]:
    """Do a verb's jobs under its progress; gives one row a job.

    Args:
        wording: What the verb is called.
        options: How to transfer.
        plan: Gives the jobs.
        work: Does one: gives its bytes, or raises.
        quick: Gives the way to do a small one wholly in a helper thread, if
            there is one.
        glance: As `s3magic.transfer.engine.run` takes it.
        quiet_if_short: Leave no closing line where it took but a moment: what
            the verb gives says it all.
    """
    async with under_way(wording, options, quiet_if_short=quiet_if_short) as shared:
        return await run(shared, plan(shared.client), work, wording.action, quick, glance=glance)


@contextlib.asynccontextmanager
async def under_way(
    wording: Wording, options: Transferring, *, quiet_if_short: bool = False
) -> AsyncIterator[Run]:
    """Give what the jobs of a verb share, under its progress.

    Args:
        wording: What the verb is called.
        options: How to transfer.
        quiet_if_short: As `run_jobs` takes it.
    """
    shown = display(options.progress)
    meter = Meter(wording.doing, wording.did, wording.noun)
    concurrency = affordable(options.concurrency)
    level = Level(concurrency)
    async with (
        watching(meter, shown, quiet_if_short=quiet_if_short),
        using() as client,
        direct_of(client, level) as direct,
    ):
        yield Run(
            client,
            meter,
            concurrency,
            options.part_size,
            max(options.part_size, defaults().multipart_threshold),
            no_clobber=options.no_clobber,
            level=level,
            direct=direct,
        )

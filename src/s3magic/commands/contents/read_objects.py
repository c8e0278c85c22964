"""Reads the objects of one read, side by side, each into a table."""

from __future__ import annotations

import asyncio
import contextlib
import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from s3magic.commands.contents.read_frames import stamped
from s3magic.commands.contents.read_parquet import TAIL, Wanted, parquet
from s3magic.commands.contents.read_whole import by_columns, first_rows, is_text, narrowed, table_of
from s3magic.errors import Damaged, S3Error
from s3magic.settings import MiB
from s3magic.transfer.download import download_bytes
from s3magic.transfer.plan import Download
from s3magic.transfer.ranged import Ranged
from s3magic.transfer.ranges import Source
from s3magic.transfer.unpacking import unpacker

if TYPE_CHECKING:
    from collections.abc import Iterator

    from s3magic.commands.contents.read_plan import Asked, Planned
    from s3magic.transfer.engine import Run

__all__ = ["Job", "Reading", "as_ours"]

_SMALL = 1 * MiB  # bytes up to which an object comes whole, whatever is wanted of it
_DECODING = 2 * (os.cpu_count() or 2) + 2  # larger objects at once, with bytes and table in memory
_EMPTY = {"EmptyDataError", "NoDataError"}  # pandas's and Polars's, which is not imported for it
_EMPTY_CSV = "Empty CSV file"  # so begins pyarrow's


@dataclass(frozen=True, slots=True)
class Job:
    """One object to be read.

    Args:
        number: Its place among all.
        plan: What it is.
        refused: Why it cannot be read.
    """

    number: int
    plan: Planned
    refused: S3Error | None = None

    @property
    def source_name(self) -> str:
        """The object."""
        return str(self.plan.found.uri)

    @property
    def target_name(self) -> str:
        """Nothing: it goes into memory."""
        return ""

    @property
    def size(self) -> int | None:
        """Its bytes, where a listing told; of Parquet not all of them may move."""
        return self.plan.found.size


class Reading:
    """The objects of one read, and their tables.

    Args:
        asked: What is wanted of each.
    """

    def __init__(self, asked: Asked) -> None:
        self._asked = asked
        self._failed = False
        self._rows = 0
        self._turn = asyncio.Lock()  # with a limit, one after the other
        self._decoding = asyncio.Semaphore(_DECODING)
        self.tables: dict[int, Any] = {}

    async def work(self, shared: Run, job: Job, number: int) -> int:
        """Read one object; gives the bytes that moved."""
        size = job.size
        held: Any = contextlib.nullcontext()
        if self._asked.limit is not None:
            held = self._turn
        elif size is None or size > _SMALL:
            held = self._decoding
        async with held:
            enough = self._asked.limit is not None and self._rows >= self._asked.limit
            if self._failed or (enough and self.tables):
                return 0
            try:
                with as_ours(job.source_name, self._asked):
                    table, moved = await self._table(shared, job.plan, number)
                    table = await asyncio.to_thread(stamped, table, job.plan, self._asked)
            except BaseException:
                self._failed = True
                raise
            self.tables[job.number] = table
            self._rows += len(table)
            return moved

    async def _table(self, shared: Run, plan: Planned, number: int) -> tuple[Any, int]:
        asked, found = self._asked, plan.found
        source = Source(shared.client, found.uri, found.version_id)
        small = found.size is not None and found.size <= _SMALL
        if plan.format == "parquet" and not plan.packed:
            wanted = Wanted(
                plan.wanted(asked),
                plan.pushed(asked),
                None if plan.left(asked) else asked.limit,
                asked.engine in {"pandas", "dask"},
            )
            ranged = Ranged(shared, number, source)
            await ranged.open(tail=max(found.size or 0, TAIL) if small else TAIL)
            return await parquet(ranged, wanted), ranged.moved
        if plan.format in {"arrow", "orc"} and asked.columns and not small and not plan.packed:
            ranged = Ranged(shared, number, source)
            await ranged.open(tail=TAIL)
            names, terms = plan.wanted(asked), plan.pushed(asked)
            table = await ranged.read(
                lambda file: narrowed(by_columns(file, plan.format, names), names, terms)
            )
            return table, ranged.moved
        if is_text(plan, asked) and not small:
            ranged = Ranged(shared, number, source)
            await ranged.open(head=TAIL)
            if await ranged.read(lambda file: unpacker(file.read(16), str(found.uri))) is None:
                table = await ranged.read(lambda file: first_rows(file, plan, asked))
                return table, ranged.moved
        job = Download(found.uri, Path(), found.size, found.version_id)
        data = await download_bytes(shared, job, number)
        return await asyncio.to_thread(table_of, data, plan, asked), len(data)


@contextlib.contextmanager
def as_ours(name: str, asked: Asked) -> Iterator[None]:
    """Turn what a reader raises into one of our errors.

    Args:
        name: What was read.
        asked: What was wanted of it.
    """
    try:
        yield
    except (S3Error, MemoryError):
        raise
    except Exception as error:
        if type(error).__name__ in _EMPTY or _EMPTY_CSV in str(error):
            raise Damaged(
                f"Cannot read {name}: nothing is in it, not even the names of columns.",
                hint="Of a listing, df[df.Size > 0] leaves empty objects out.",
            ) from error
        what = "the filter may not fit its columns" if asked.terms else "say what with {0}"
        raise Damaged(
            "Cannot read {1}: {2}.",
            hint=f"It may be something else, or damaged; {what}. See %s3peek.",
            options=["format", name, f"{type(error).__name__}: {error}"],
        ) from error

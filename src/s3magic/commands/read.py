"""The verb read: objects into a DataFrame."""

from __future__ import annotations

import asyncio
import contextlib
import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from s3magic.commands.kinds import INTEGER, NAMES, SETTING, TEXT
from s3magic.commands.objects import find, is_frame, listed
from s3magic.commands.options import (
    GLOB,
    PROGRESS_OPTION,
    RECURSIVE,
    Transferring,
    choice,
    whole,
)
from s3magic.commands.read_frames import ENGINES, finished, prepare, stamped
from s3magic.commands.read_parquet import TAIL, Wanted, parquet
from s3magic.commands.read_plan import READABLE, Asked, Planned, planned
from s3magic.commands.read_whole import by_columns, narrowed, table_of
from s3magic.commands.reading import SOURCES, VERSION
from s3magic.commands.running import Wording, run_jobs
from s3magic.commands.verbs import Option, Verb
from s3magic.errors import Damaged, S3Error, TransferError
from s3magic.settings import MiB
from s3magic.transfer.download import download_bytes
from s3magic.transfer.plan import Download
from s3magic.transfer.ranged import Ranged
from s3magic.transfer.ranges import Source

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Iterator, Mapping, Sequence

    from types_aiobotocore_s3 import S3Client

    from s3magic.transfer.engine import Run

__all__ = ["VERB", "read"]

VERB = Verb(
    name="s3read",
    summary="Read objects into a DataFrame: of Parquet only what is wanted of it.",
    positionals=(SOURCES,),
    options=(
        RECURSIVE,
        GLOB,
        Option(("--columns",), "only these columns, in this order", kind=NAMES),
        Option(("--filter",), "only rows of which this is true: x > 5 and name == 'a'", kind=TEXT),
        Option(("--limit",), "at most so many rows", kind=INTEGER),
        Option(("--engine",), "whose frame to give", choices=ENGINES, default="pandas"),
        Option(("--format",), "what it is, where its name does not tell", choices=READABLE),
        Option(("--with-source",), "with a column Source: the object that a row is from"),
        Option(
            ("--option",), "what else the engine's reader is told", kind=SETTING, repeatable=True
        ),
        VERSION,
        PROGRESS_OPTION,
    ),
    examples=(
        ("stations = %s3read s3://weather/stations.csv", "one object"),
        ("df = %s3read s3://weather/parquet/ -r --columns station,rain", "two columns of a tree"),
        (
            '%s3read s3://weather/parquet/ -r --filter "rain > 8 and year >= 2023"',
            "the rows that are wanted, the folders' columns among them",
        ),
        ('%s3read "s3://weather/csv/*/station=wien.csv" --glob --with-source', "many of one kind"),
        ("%s3read s3://weather/stations.csv --option dtype=str", "what pandas.read_csv takes"),
    ),
    twin="s3.read",
    details=(
        "Of Parquet only the columns and the row groups move that are wanted; of many objects "
        "several come side by side. With several objects, what folders are called (year=2024/) "
        "becomes columns. It reads Parquet, CSV, TSV, JSON lines, JSON, Arrow, ORC and Excel, "
        "packed with gzip, bzip2, xz or Zstandard too."
    ),
)

_WORDING = Wording("get", "Reading", "Read")
_SMALL = 1 * MiB  # bytes up to which an object comes whole, whatever is wanted of it
_DECODING = 2 * (os.cpu_count() or 2) + 2  # larger objects at once, with bytes and table in memory


@dataclass(frozen=True, slots=True)
class _Job:
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


async def read(
    source: object,
    *,
    recursive: bool = False,
    glob: bool = False,
    columns: Sequence[str] | str | None = None,
    filter: str | None = None,  # noqa: A002 - the option's name
    limit: int | None = None,
    engine: str = "pandas",
    format: str | None = None,  # noqa: A002 - the option's name
    with_source: bool = False,
    option: Mapping[str, Any] | None = None,
    version_id: str | None = None,
    progress: str | None = None,
    **options: Any,
) -> Any:
    """Read objects into one DataFrame.

    Of Parquet only the columns that are wanted move, and the row groups that
    may hold wanted rows; the rest comes whole. Several objects are read side by
    side, and are one frame in their order; if one of them fails, all do.

    Args:
        source: ``s3://bucket/key``, an `S3Uri`, a frame from `ls`, or a list
            or Series of these.
        recursive: Everything below the address.
        glob: The key is a pattern: ``*``, ``?``, ``[abc]``, ``**``.
        columns: Only these, in this order.
        filter: Only rows of which this is true: comparisons of columns with
            values, ``in``, ``is None``, joined by ``and``, ``or`` and ``not``.
        limit: Rows at most, the first ones. Nothing is read behind them.
        engine: ``pandas``, ``polars``, ``pyarrow`` (a Table), ``duckdb`` (a
            relation) or ``dask`` (of rows in memory).
        format: ``parquet``, ``csv``, …; by default the name tells.
        with_source: Add the column ``Source``: the object that a row is from.
        option: What else the engine's reader is told, as a dict.
        version_id: One version of one object.
        progress: ``auto``, ``widget``, ``text`` or ``none``.
        **options: The same as `option`: ``sep=";"`` is `pandas.read_csv`'s own.

    Returns:
        The engine's frame. What folders of several objects are called
        (``year=2024/``) are columns of it, int64 where all are whole numbers.

    Raises:
        NoSuchKey: There is nothing there.
        BadArgument: The arguments cannot be meant; there is no such column.
        NotSupported: A package is missing, which the error names.
        Damaged: An object is not what its name says.

    Example:
        >>> df = await s3.read("s3://weather/parquet/", recursive=True, columns=["rain"])
    """
    sources, several = listed(source)
    asked = Asked.of(
        choice("engine", engine, ENGINES),
        filter,
        [columns] if isinstance(columns, str) else list(columns or ()),
        limit=None if limit is None else whole("limit", limit),
        options={**(option or {}), **options},
        source=with_source,
    )
    named = None if format is None else choice("format", format, READABLE)
    settings = Transferring.checked(
        no_clobber=False,
        concurrency=None,
        part_size=None,
        dry_run=False,
        errors=None,
        progress=progress,
    )
    await asyncio.to_thread(prepare, asked.engine)
    folders = recursive or glob or several or is_frame(sources[0])
    reading = _Reading(asked)

    async def plan(client: S3Client) -> AsyncGenerator[_Job]:
        matched = find(
            client,
            sources,
            recursive=recursive,
            glob=glob,
            version_id=version_id,
            several=several,
        )
        found = []
        async with contextlib.aclosing(matched):
            async for one in matched:
                if one.refused is not None:
                    raise one.refused
                found.append(one)
        for number, each in enumerate(planned(found, asked, named=named, folders=folders)):
            yield _Job(number, each)

    rows = await run_jobs(_WORDING, settings, plan, reading.work, quiet_if_short=True)
    for row in rows:
        if row.cause is not None:
            raise row.cause
    if any(row.status == "cancelled" for row in rows):
        from s3magic.commands.report import frame

        report = await asyncio.to_thread(frame, rows)
        raise TransferError("The read was cancelled.", report=report)
    tables = [reading.tables[number] for number in sorted(reading.tables)]
    with _as_ours(", ".join(map(str, sources[:1])), asked):
        return await asyncio.to_thread(finished, tables, asked)


class _Reading:
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

    async def work(self, shared: Run, job: _Job, number: int) -> int:
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
                with _as_ours(job.source_name, self._asked):
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
        job = Download(found.uri, Path(), found.size, found.version_id)
        data = await download_bytes(shared, job, number)
        return await asyncio.to_thread(table_of, data, plan, asked), len(data)


@contextlib.contextmanager
def _as_ours(name: str, asked: Asked) -> Iterator[None]:
    """Turn what a reader raises into one of our errors."""
    try:
        yield
    except (S3Error, MemoryError):
        raise
    except Exception as error:
        what = "the filter may not fit its columns" if asked.terms else "say what with --format"
        raise Damaged(
            f"Cannot read {name}: {type(error).__name__}: {error}.",
            hint=f"It may be something else, or damaged; {what}. See %s3peek.",
        ) from error

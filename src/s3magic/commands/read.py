"""The verb read: objects into a DataFrame."""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING, Any

from s3magic.commands.contents.foreign_options import refused
from s3magic.commands.contents.read_frames import ENGINES, finished, prepare
from s3magic.commands.contents.read_objects import Job, Reading, as_ours
from s3magic.commands.contents.read_plan import READABLE, Asked, planned
from s3magic.commands.options.description import Option, Verb
from s3magic.commands.options.kinds import INTEGER, NAMES, SETTING, TEXT
from s3magic.commands.options.reading import SOURCES, VERSION
from s3magic.commands.options.shared import (
    GLOB,
    PROGRESS_OPTION,
    RECURSIVE,
    Transferring,
    choice,
    whole,
)
from s3magic.commands.running.transferring import Wording, run_jobs
from s3magic.commands.sources.objects import find, is_frame, listed
from s3magic.errors import TransferError

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Mapping, Sequence

    from types_aiobotocore_s3 import S3Client


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

_WORDING = Wording("get", "Reading", "Read", "object")


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
    reading = Reading(asked)

    async def plan(client: S3Client) -> AsyncGenerator[Job]:
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
        plans = await asyncio.to_thread(planned, found, asked, named=named, folders=folders)
        for number, each in enumerate(plans):
            yield Job(number, each)

    rows = await run_jobs(_WORDING, settings, plan, reading.work, quiet_if_short=True)
    for row in rows:
        if row.cause is not None:
            own = [option.name for option in VERB.options]
            raise refused(row.cause, f"Cannot read {row.source}", asked.options, own)
    if any(row.status == "cancelled" for row in rows):
        from s3magic.commands.running.report import frame

        report = await asyncio.to_thread(frame, rows)
        raise TransferError("The read was cancelled.", report=report)
    tables = [reading.tables[number] for number in sorted(reading.tables)]
    with as_ours(", ".join(map(str, sources[:1])), asked):
        return await asyncio.to_thread(finished, tables, asked)

"""Reads a Parquet object: the chunks that are wanted of it, some while others are decoded."""

from __future__ import annotations

import asyncio
import contextlib
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from s3magic.commands.contents.formats import need
from s3magic.commands.contents.read_frames import conditions, refuse_missing
from s3magic.settings import KiB, MiB

if TYPE_CHECKING:
    from collections.abc import Sequence

    from s3magic.commands.contents.row_filters import Filter
    from s3magic.transfer.ranged import Ranged
    from s3magic.transfer.rangefile import RangeFile

__all__ = ["TAIL", "Wanted", "parquet"]

TAIL = 64 * KiB
"""Bytes of the first request: they hold the whole of most footers, and of a small object all."""

_WINDOW = 64 * MiB  # bytes that are brought at once, while those before them are decoded


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is wanted of one object.

    Args:
        names: The columns; empty for all.
        terms: What rows must fulfil.
        limit: Rows at most; None for all.
        index: Whether pandas's index columns are wanted too.
    """

    names: Sequence[str]
    terms: Sequence[Filter]
    limit: int | None
    index: bool


@dataclass(frozen=True, slots=True)
class _Window:
    """Some row groups, and where their bytes are."""

    groups: list[int]
    spans: list[tuple[int, int]]


@dataclass(frozen=True, slots=True)
class _Plan:
    """What is to be read."""

    meta: Any
    schema: Any
    names: list[str] | None
    windows: list[_Window]


async def parquet(ranged: Ranged, wanted: Wanted) -> Any:
    """Read what is wanted of an object that is open at its end.

    Row groups that can hold no row that is wanted, by their statistics, are
    not brought, nor are other columns. Some row groups are decoded while the
    next are on their way.

    Args:
        ranged: The object.
        wanted: What of it.

    Returns:
        A pyarrow Table.
    """
    need("pyarrow", "Parquet")
    plan = await ranged.read(lambda file: _planned(file, wanted))
    tables: list[Any] = []
    rows = 0
    ahead = _begin(ranged, plan.windows[:1])
    try:
        for number, window in enumerate(plan.windows):
            await ahead
            ahead = _begin(ranged, plan.windows[number + 1 : number + 2])
            tables.append(
                await ranged.read(lambda file, window=window: _decoded(file, plan, window, wanted))  # type: ignore[misc]  # a default is how a loop's lambda keeps its window
            )
            following = plan.windows[number + 1 : number + 2]
            if following:
                ranged.held.forget(min(start for start, _ in following[0].spans))
            rows += len(tables[-1])
            if wanted.limit is not None and rows >= wanted.limit:
                break
    finally:
        ahead.cancel()
        with contextlib.suppress(asyncio.CancelledError, Exception):
            await ahead
    return await asyncio.to_thread(_joined, tables, plan, wanted.limit)


def _begin(ranged: Ranged, windows: list[_Window]) -> asyncio.Task[None]:
    """Begin to bring the next window, if there is one."""
    spans = [span for window in windows for span in window.spans]
    return asyncio.create_task(ranged.fetch(spans), name="s3magic-ahead")


def _planned(file: RangeFile, wanted: Wanted) -> _Plan:
    """Read the footer, and choose row groups and columns. Blocks."""
    import pyarrow.dataset as ds
    import pyarrow.parquet as pq

    file.exact = True
    reader = pq.ParquetFile(file, pre_buffer=False)
    meta, schema = reader.metadata, reader.schema_arrow
    refuse_missing(wanted.names, wanted.terms, schema.names)
    names = _with_index(schema, wanted) if wanted.names else None
    groups = list(range(meta.num_row_groups))
    where = conditions(wanted.terms, schema)
    if where is not None and groups:
        fragment = ds.ParquetFileFormat().make_fragment(file)
        kept = {group.id for group in fragment.subset(where, schema=schema).row_groups}
        groups = [group for group in groups if group in kept]
    return _Plan(meta, schema, names, _windows(meta, groups, names, wanted))


def _with_index(schema: Any, wanted: Wanted) -> list[str]:
    """Give the columns, and those that pandas made of an index of its own."""
    names = list(wanted.names)
    told = (schema.metadata or {}).get(b"pandas") if wanted.index else None
    index = json.loads(told).get("index_columns", []) if told else []
    return names + [name for name in index if isinstance(name, str) and name not in names]


def _windows(
    meta: Any, groups: Sequence[int], names: list[str] | None, wanted: Wanted
) -> list[_Window]:
    """Cut the row groups into windows of so many bytes."""
    found: list[_Window] = []
    size = rows = 0
    for number in groups:
        group = meta.row_group(number)
        spans = []
        for leaf in range(group.num_columns):
            chunk = group.column(leaf)
            path = chunk.path_in_schema
            if names is None or any(path == one or path.startswith(f"{one}.") for one in names):
                start = chunk.data_page_offset
                if chunk.has_dictionary_page and chunk.dictionary_page_offset:
                    start = min(start, chunk.dictionary_page_offset)
                spans.append((start, start + chunk.total_compressed_size))
                size += chunk.total_compressed_size
        if not found or size > _WINDOW:
            found.append(_Window([], []))
            size = 0
        found[-1].groups.append(number)
        found[-1].spans.extend(spans)
        rows += group.num_rows
        if wanted.limit is not None and not wanted.terms and rows >= wanted.limit:
            break
    return found


def _decoded(file: RangeFile, plan: _Plan, window: _Window, wanted: Wanted) -> Any:
    """Decode some row groups, and keep the rows that are wanted. Blocks."""
    import pyarrow.parquet as pq

    file.exact = True
    reader = pq.ParquetFile(file, metadata=plan.meta, pre_buffer=False)
    table = reader.read_row_groups(window.groups, columns=plan.names)
    if plan.names is not None:
        table = table.select(plan.names)
    where = conditions(wanted.terms, table.schema)
    return table if where is None else table.filter(where)


def _joined(tables: list[Any], plan: _Plan, limit: int | None) -> Any:
    """Join the windows' tables; of none it is one without rows."""
    import pyarrow as pa

    if not tables:
        table = plan.schema.empty_table()
        return table if plan.names is None else table.select(plan.names)
    table = pa.concat_tables(tables)
    return table if limit is None else table.slice(0, limit)

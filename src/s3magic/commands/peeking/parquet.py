"""Looks into Parquet: what its footer says, and the pages of the first rows.

Blocks: call it in a reader's thread.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from s3magic.commands.contents.formats import need
from s3magic.commands.peeking.look import BUDGET, Look, listing
from s3magic.settings import KiB
from s3magic.transfer.ranged import TooMuch
from s3magic.wording import count, filesize, shorten

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pandas as pd

    from s3magic.transfer.rangefile import RangeFile

__all__ = ["parquet"]

_PEEKED = 16 * KiB  # bytes that Arrow reads at a page's beginning, to find its header's end
_SMALL = 64 * KiB  # bytes up to which a column's chunk is read as it is
_PROBE = 64  # bytes of a page's header that tell its size
_HEADER = 1 * KiB  # bytes that a header may have, its statistics included
_WIDEST = 200  # columns of which pages are looked for: each is a request, or two
_FOOTER = 8  # bytes behind a Parquet footer: its length, and the magic
_STATISTICS = 20_000  # chunks whose statistics are looked at: a tenth of a second
_LONGEST = 30  # characters of a least or largest value


def parquet(file: RangeFile, rows: int) -> Look:
    """Look into Parquet: its footer, and of each column the first page."""
    need("pyarrow", "Parquet")
    import pyarrow.parquet as pq

    file.exact = True
    footer = _footer(file)
    if footer + file.moved > BUDGET and footer > _SMALL:
        return Look("parquet", note=f"Its footer alone has {filesize(footer)}: it was not read.")
    # Nothing is buffered ahead, and of a chunk only the pages are read that are wanted.
    reader = pq.ParquetFile(file, pre_buffer=False, buffer_size=4 * KiB)
    meta, schema = reader.metadata, reader.schema_arrow
    table = listing((field.name, str(field.type)) for field in schema)
    chunks = list(_chunks(meta, schema.names, rows))
    table = table.assign(**_told(meta, schema.names))
    facts = {"row groups": meta.num_row_groups, "written by": meta.created_by or "unknown"}
    if not meta.num_rows or not rows:
        head = schema.empty_table().to_pandas()
        return Look("parquet", table, head, meta.num_rows, facts)
    names, spans = _affordable(file, chunks)
    head, note = None, ""
    if names:
        file.fetch(spans)
        try:
            head = _first(reader, rows, [name for name in schema.names if name in names])
        except TooMuch:
            file.failure = None
    if head is None:
        note = "Its pages are too large: of its rows nothing was read."
    elif len(names) < len(schema.names):
        left = count(len(schema.names) - len(names), "column")
        note = f"The pages of {left} are too large: without them in the rows."
    return Look("parquet", table, head, meta.num_rows, facts, note)


class _Chunk(NamedTuple):
    """A column's bytes in one of the first row groups.

    Args:
        name: The column at the top, to which it belongs.
        start: Where it begins.
        data: Where its first page of data begins, behind the dictionary.
        stop: Where it ends.
    """

    name: str
    start: int
    data: int
    stop: int


def _footer(file: RangeFile) -> int:
    """Give the length of the footer (the Parquet format, "File format")."""
    file.seek(-_FOOTER, 2)
    end = file.read(_FOOTER)
    if end[4:] not in {b"PAR1", b"PARE"}:
        raise ValueError("it does not end as Parquet does")
    return int.from_bytes(end[:4], "little")


def _roots(meta: Any, names: list[str]) -> list[str]:
    """Give for each leaf the column at the top; a name may hold dots itself."""
    known = set(names)
    roots = []
    for number in range(meta.num_columns):
        path = meta.schema.column(number).path
        parts = path.split(".")
        ends = range(len(parts), 0, -1)
        roots.append(next((r for e in ends if (r := ".".join(parts[:e])) in known), path))
    return roots


def _told(meta: Any, names: list[str]) -> dict[str, Any]:
    """Give what the footer says of each column: bytes, least and largest value."""
    import pandas as pd

    sizes = dict.fromkeys(names, 0)
    values: dict[str, list[Any]] = {}
    for number, root in enumerate(_roots(meta, names)):
        plain = meta.schema.column(number).path == root
        known: list[Any] = []
        for group in range(meta.num_row_groups):
            chunk = meta.row_group(group).column(number)
            sizes[root] = sizes.get(root, 0) + chunk.total_compressed_size
            if plain and meta.num_row_groups * meta.num_columns <= _STATISTICS:
                told = chunk.statistics
                known.append((told.min, told.max) if told and told.has_min_max else None)
        if known and None not in known:
            values[root] = [min(one[0] for one in known), max(one[1] for one in known)]
    texts: list[list[str | None]] = [
        [_short(one) for one in values.get(name, ())] or [None, None] for name in names
    ]
    return {
        "Bytes": [sizes[name] for name in names],
        "Min": pd.array([least for least, _ in texts], dtype="string"),
        "Max": pd.array([largest for _, largest in texts], dtype="string"),
    }


def _short(value: object) -> str:
    if isinstance(value, float):  # writers put -0.0 where the least is zero: it is no news
        return f"{value + 0.0:.6g}"
    return shorten(str(value), _LONGEST)


def _chunks(meta: Any, names: list[str], rows: int) -> Iterator[_Chunk]:
    """Give the chunks in which the first rows are."""
    roots = _roots(meta, names)
    seen = 0
    for number in range(meta.num_row_groups):
        group = meta.row_group(number)
        for leaf, root in enumerate(roots):
            column = group.column(leaf)
            data = column.data_page_offset
            start = column.dictionary_page_offset if column.has_dictionary_page else data
            start = min(start or data, data)
            yield _Chunk(root, start, data, start + column.total_compressed_size)
        seen += group.num_rows
        if seen >= rows:
            return


def _affordable(file: RangeFile, chunks: list[_Chunk]) -> tuple[set[str], list[tuple[int, int]]]:
    """Choose the columns whose first pages may move; gives their names and the pages.

    Where a page ends stands at its beginning, so large chunks cost a probe.
    """
    widest = set(list(dict.fromkeys(chunk.name for chunk in chunks))[:_WIDEST])
    chunks = [chunk for chunk in chunks if chunk.name in widest]
    probed = [chunk for chunk in chunks if chunk.stop - chunk.start > _SMALL]
    file.fetch([(chunk.data, chunk.data + _PROBE) for chunk in probed])
    spans: dict[str, list[tuple[int, int]]] = {}
    for chunk in chunks:
        stop = chunk.stop
        if stop - chunk.start > _SMALL:
            file.seek(chunk.data)
            page = _page_size(file.read(_PROBE)) + _HEADER
            stop = min(stop, chunk.data + max(page, _PEEKED))
        spans.setdefault(chunk.name, []).append((chunk.start, stop))
    left = BUDGET - file.moved - _PEEKED
    chosen: list[tuple[int, int]] = []
    names: set[str] = set()
    costs = {name: sum(stop - start for start, stop in pages) for name, pages in spans.items()}
    for name in sorted(costs, key=lambda name: costs[name]):  # as many columns as possible
        left -= costs[name]
        if left < 0:
            break
        names.add(name)
        chosen += spans[name]
    return names, chosen


def _page_size(header: bytes) -> int:
    """Read how many bytes follow a page's header.

    It is Thrift's compact protocol: of the structure ``PageHeader`` the first
    three fields are numbers, each with one byte before it, and the third is
    ``compressed_page_size``.
    """
    at = value = 0
    for _ in range(3):
        at += 1
        value = shift = 0
        while True:
            byte = header[at]
            value |= (byte & 0x7F) << shift
            at, shift = at + 1, shift + 7
            if byte < 0x80:
                break
    return (value >> 1) ^ -(value & 1)


def _first(reader: Any, rows: int, names: list[str]) -> pd.DataFrame:
    """Read the first rows of some columns, page by page."""
    import pyarrow as pa

    batches: list[Any] = []
    wanted = rows
    for batch in reader.iter_batches(batch_size=rows, columns=names, use_threads=False):
        batches.append(batch.slice(0, wanted))
        wanted -= len(batches[-1])
        if wanted <= 0:
            break
    frame: pd.DataFrame = pa.Table.from_batches(batches).to_pandas()
    return frame[[name for name in names if name in frame.columns] or frame.columns]

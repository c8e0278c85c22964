"""Reads a table out of an object's bytes, by the engine's own reader.

Blocks: call it in a thread.
"""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

from s3magic.commands.contents.formats import need
from s3magic.commands.contents.read_frames import conditions, refuse_missing
from s3magic.settings import KiB
from s3magic.transfer.unpacking import unpacker

if TYPE_CHECKING:
    from collections.abc import Sequence

    from s3magic.commands.contents.read_plan import Asked, Planned
    from s3magic.commands.contents.row_filters import Filter

__all__ = ["by_columns", "first_rows", "is_text", "narrowed", "table_of"]

_BY_PANDAS = {"pandas", "dask"}
_BUFFER = 64 * KiB  # bytes that are read of a text at once


def table_of(data: bytes, plan: Planned, asked: Asked) -> Any:
    """Read a table.

    Args:
        data: The object's bytes, packed or not.
        plan: What it is.
        asked: What is wanted.

    Returns:
        A frame of pandas (for pandas and dask) or polars, or a pyarrow Table.

    Raises:
        BadArgument: A column is wanted that is not there.
        Damaged: What is packed in it is not whole.
    """
    unpacking = unpacker(data[:16], str(plan.found.uri))
    if unpacking is not None:
        data = unpacking.feed(data)
        unpacking.end()  # half a table would pass for a whole one
    names, terms = plan.wanted(asked), plan.pushed(asked)
    limit = asked.limit if not asked.terms else None
    if plan.format in {"arrow", "orc"}:
        table = by_columns(io.BytesIO(data), plan.format, names)
    elif plan.format == "excel":
        table = _excel(data, asked)
    elif asked.engine in _BY_PANDAS:
        table = _pandas(io.BytesIO(data), plan.format, asked, limit)
    elif asked.engine == "polars":
        table = _polars(data, plan.format, asked, limit)
    else:
        table = _arrow(data, plan.format, asked)
    return narrowed(table, names, terms)


def by_columns(file: Any, kind: str, names: Sequence[str]) -> Any:
    """Read some columns of an Arrow or ORC file, and the bytes of no others.

    Args:
        file: The file.
        kind: ``arrow`` or ``orc``.
        names: The columns; empty for all.
    """
    need("pyarrow", "ORC" if kind == "orc" else "Arrow")
    import pyarrow as pa

    if kind == "orc":
        from pyarrow import orc

        reader = orc.ORCFile(file)
        refuse_missing(names, (), reader.schema.names)
        return reader.read(columns=list(names) or None)
    file.seek(0)
    whole = file.read(6) == b"ARROW1"
    file.seek(0)
    if not whole:
        return pa.ipc.open_stream(file).read_all()
    schema = pa.ipc.open_file(file).schema
    refuse_missing(names, (), schema.names)
    fields = [schema.get_field_index(name) for name in names] or None
    return pa.ipc.open_file(file, options=pa.ipc.IpcReadOptions(included_fields=fields)).read_all()


def first_rows(file: io.RawIOBase, plan: Planned, asked: Asked) -> Any:
    """Read the first rows of a text that is not packed, and as much of it as they take.

    Args:
        file: The object.
        plan: What it is.
        asked: What is wanted; it has a limit and no filter.
    """
    buffered = io.BufferedReader(file, _BUFFER)
    table = _pandas(buffered, plan.format, asked, asked.limit)
    return narrowed(table, plan.wanted(asked), ())


def is_text(plan: Planned, asked: Asked) -> bool:
    """Tell whether `first_rows` can read it."""
    lines = plan.format in {"csv", "tsv", "jsonl"} and not plan.packed
    return lines and asked.engine in _BY_PANDAS and asked.limit is not None and not asked.terms


def _pandas(file: Any, kind: str, asked: Asked, limit: int | None) -> Any:
    import pandas as pd

    options = dict(asked.options)
    if limit is not None and kind != "json":
        options.setdefault("nrows", limit)
    if kind in {"csv", "tsv"}:
        options.setdefault("sep", "\t" if kind == "tsv" else ",")
        return pd.read_csv(file, **options)
    options.setdefault("lines", kind == "jsonl")
    return pd.read_json(file, **options)


def _polars(data: bytes, kind: str, asked: Asked, limit: int | None) -> Any:
    import polars as pl

    options = dict(asked.options)
    if kind in {"csv", "tsv"}:
        options.setdefault("separator", "\t" if kind == "tsv" else ",")
        return pl.read_csv(data, n_rows=limit, **options)
    if kind == "jsonl":
        return pl.read_ndjson(data, **options)
    return pl.read_json(data, **options)


def _arrow(data: bytes, kind: str, asked: Asked) -> Any:
    import pyarrow as pa
    from pyarrow import csv, json

    options = dict(asked.options)
    if kind in {"csv", "tsv"}:
        if kind == "tsv":
            options.setdefault("parse_options", csv.ParseOptions(delimiter="\t"))
        return csv.read_csv(io.BytesIO(data), **options)
    if kind == "jsonl":
        return json.read_json(io.BytesIO(data), **options)
    import pandas as pd

    return pa.Table.from_pandas(pd.read_json(io.BytesIO(data), **options), preserve_index=False)


def _excel(data: bytes, asked: Asked) -> Any:
    import pandas as pd

    if data[:2] == b"PK":
        need("openpyxl", "Excel")
    frame = pd.read_excel(io.BytesIO(data), **asked.options)
    if asked.engine in _BY_PANDAS:
        return frame
    import pyarrow as pa

    return pa.Table.from_pandas(frame, preserve_index=False)


def narrowed(table: Any, names: Sequence[str], terms: Sequence[Filter]) -> Any:
    """Keep the columns and the rows that are wanted.

    Args:
        table: A frame of pandas or polars, or a pyarrow Table.
        names: The columns; empty for all.
        terms: What rows must fulfil.
    """
    columns = getattr(table, "column_names", None) or list(table.columns)
    refuse_missing(names, terms, [str(name) for name in columns])
    if hasattr(table, "iloc"):
        for term in terms:
            table = table[term.of_frame(table)]
        table = table[list(names)] if names else table
        return table.reset_index(drop=True) if terms else table
    if hasattr(table, "to_arrow"):  # polars: without a copy there and back
        if terms:
            import polars as pl

            arrow = table.to_arrow()
            table = pl.from_arrow(arrow.filter(conditions(terms, arrow.schema)))
    elif terms:
        table = table.filter(conditions(terms, table.schema))
    return table.select(list(names)) if names else table

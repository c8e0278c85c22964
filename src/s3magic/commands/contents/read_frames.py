"""Joins the tables of many objects, and gives them as the frame of an engine."""

from __future__ import annotations

import difflib
import os
from typing import TYPE_CHECKING, Any

from s3magic.commands.contents.formats import need
from s3magic.errors import BadArgument

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    import pandas as pd

    from s3magic.commands.contents.read_plan import Asked, Planned
    from s3magic.commands.contents.row_filters import Filter

__all__ = ["ENGINES", "conditions", "finished", "prepare", "refuse_missing", "stamped"]

ENGINES = ("pandas", "polars", "pyarrow", "duckdb", "dask")


def prepare(engine: str) -> None:
    """Import an engine, which takes its time. Blocks.

    Raises:
        NotSupported: It is not installed.
    """
    need(engine, f"The engine {engine}")
    if engine in {"polars", "duckdb"}:
        need("pyarrow", f"The engine {engine}")
    if engine == "dask":
        pass
    else:
        __import__(engine)


def conditions(terms: Iterable[Filter], schema: Any) -> Any:
    """Join some terms to one expression of pyarrow's; None for none."""
    joined = None
    for term in terms:
        one = _fitting(term, schema)
        joined = one if joined is None else joined & one
    return joined


def refuse_missing(names: Iterable[str], terms: Iterable[Filter], columns: Sequence[str]) -> None:
    """Make sure that each column that is wanted is there.

    Raises:
        BadArgument: One is not.
    """
    wanted = [*names, *(name for term in terms for name in sorted(term.names))]
    for name in wanted:
        if name not in columns:
            near = difflib.get_close_matches(name, columns, n=1)
            raise BadArgument(
                f"There is no column {name!r}; there are {', '.join(columns[:20])}"
                f"{', …' * (len(columns) > 20)}.",
                hint=f"Did you mean {near[0]!r}?" if near else "",
            )


def stamped(table: Any, plan: Planned, asked: Asked) -> Any:
    """Add what an object's folders say to its table, and ask the rest of the filter."""
    own = _names(table)
    added = plan.added
    table = _with(table, {name: added[name] for name in added if name not in own})
    terms = plan.left(asked)
    if not terms:
        return table
    refuse_missing((), terms, _names(table))
    if hasattr(table, "iloc"):
        for term in terms:
            table = table[term.of_frame(table)]
        return table.reset_index(drop=True)
    if hasattr(table, "to_arrow"):
        import polars as pl

        arrow = table.to_arrow()
        return pl.from_arrow(arrow.filter(conditions(terms, arrow.schema)))
    return table.filter(conditions(terms, table.schema))


def finished(tables: Sequence[Any], asked: Asked) -> Any:
    """Join the tables of all objects, in their order, as the engine's frame. Blocks."""
    first = tables[0]
    if hasattr(first, "iloc"):
        return _of_pandas(tables, asked)
    if hasattr(first, "to_arrow"):
        import polars as pl

        return _cut(pl.concat(tables, how="diagonal_relaxed"), asked)
    import pyarrow as pa

    return _of_arrow(_cut(pa.concat_tables(tables, promote_options="permissive"), asked), asked)


def _of_arrow(table: Any, asked: Asked) -> Any:
    if asked.engine == "pandas":
        return _pandas_of(table, asked.options)
    if asked.engine == "dask":
        return _dask_of(_pandas_of(table, asked.options))
    if asked.engine == "polars":
        import polars as pl

        return pl.from_arrow(table)
    if asked.engine == "duckdb":
        import duckdb

        return duckdb.from_arrow(table)
    return table


def _dask_of(frame: pd.DataFrame) -> Any:
    """Give a dask frame of rows that are in memory: a partition for each processor."""
    import dask.dataframe as dd

    return dd.from_pandas(frame, npartitions=os.cpu_count() or 1)  # type: ignore[no-untyped-call]


def _of_pandas(tables: Sequence[Any], asked: Asked) -> Any:
    import pandas as pd

    frame = tables[0] if len(tables) == 1 else pd.concat(tables, ignore_index=True)
    frame = frame[list(asked.columns)] if asked.columns else frame
    frame = frame if asked.limit is None else frame.head(asked.limit)
    return frame if asked.engine == "pandas" else _dask_of(frame)


def _pandas_of(table: Any, options: Mapping[str, Any]) -> Any:
    """Make a pandas frame of a pyarrow Table, as `pandas.read_parquet` does."""
    import pandas as pd
    import pyarrow as pa

    given = dict(options)
    backend = given.pop("dtype_backend", None)
    if backend == "pyarrow":
        given["types_mapper"] = pd.ArrowDtype
    elif backend == "numpy_nullable":
        given["types_mapper"] = {
            pa.int8(): pd.Int8Dtype(),
            pa.int16(): pd.Int16Dtype(),
            pa.int32(): pd.Int32Dtype(),
            pa.int64(): pd.Int64Dtype(),
            pa.uint8(): pd.UInt8Dtype(),
            pa.uint16(): pd.UInt16Dtype(),
            pa.uint32(): pd.UInt32Dtype(),
            pa.uint64(): pd.UInt64Dtype(),
            pa.bool_(): pd.BooleanDtype(),
            pa.float32(): pd.Float32Dtype(),
            pa.float64(): pd.Float64Dtype(),
            pa.string(): pd.StringDtype(),
            pa.large_string(): pd.StringDtype(),
        }.get
    return table.to_pandas(**given)


def _cut(table: Any, asked: Asked) -> Any:
    if asked.columns:
        names = list(asked.columns)
        if asked.engine in {"pandas", "dask"} and hasattr(table, "schema"):
            names += [name for name in _index(table) if name not in names]
        table = table.select(names)
    return table if asked.limit is None else table.slice(0, asked.limit)


def _index(table: Any) -> list[str]:
    """Give the columns that pandas made of an index of its own."""
    told = table.schema.pandas_metadata or {}
    index = told.get("index_columns", [])
    return [name for name in index if isinstance(name, str) and name in table.column_names]


def _with(table: Any, values: Mapping[str, Any]) -> Any:
    """Add columns that hold the same value in each row."""
    if not values:
        return table
    if hasattr(table, "iloc"):
        return table.assign(**values)
    if hasattr(table, "to_arrow"):
        import polars as pl

        return table.with_columns(**{name: pl.lit(value) for name, value in values.items()})
    import pyarrow as pa

    for name, value in values.items():
        kind = pa.int64() if isinstance(value, int) else pa.string()
        column = pa.nulls(len(table), kind)
        if value is not None:
            column = pa.repeat(pa.scalar(value, kind), len(table))
        table = table.append_column(name, column)
    return table


def _names(table: Any) -> list[str]:
    return list(getattr(table, "column_names", None) or map(str, table.columns))


def _fitting(term: Filter, schema: Any) -> Any:
    """Give a term for this schema, or say why it does not fit."""
    import pyarrow as pa

    try:
        return term.of_schema(schema)
    except pa.ArrowException as error:
        raise BadArgument(f"The filter {term.text!r} does not fit: {error}.") from error

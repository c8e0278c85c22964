"""Makes files of tables: frames of pandas, Polars and Dask, tables of pyarrow, relations of DuckDB.

Blocks: call it in a thread.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from s3magic.commands.contents.formats import need
from s3magic.errors import BadArgument
from s3magic.wording import called

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

__all__ = ["ENDINGS", "frame_file", "is_table", "partition_files", "shape_of"]

ENDINGS = {"parquet": "parquet", "csv": "csv", "arrow": "feather"}
"""The formats that can be written in partitions, with their files' endings."""

_MOST = 10_000  # partitions: each is an object


def is_table(data: object) -> bool:
    """Tell whether this is some library's table, without importing one."""
    return _maker(data) in {"pandas", "polars", "pyarrow", "duckdb", "dask"}


def shape_of(data: object) -> tuple[int, ...]:
    """Give rows and columns, or an array's shape, or how many; nothing where nobody can say."""
    if _maker(data) in {"pandas", "polars", "pyarrow", "numpy"}:  # others would compute it
        shape = getattr(data, "shape", ())
        return tuple(one for one in shape if isinstance(one, int))
    if isinstance(data, str | bytes | bytearray | list | tuple | dict):
        return (len(data),)
    return ()


def frame_file(data: Any, kind: str, path: Path, options: Mapping[str, Any]) -> None:
    """Write a table to a file.

    Args:
        data: The table; what is none is made a frame of pandas.
        kind: The format.
        path: The file.
        options: What else the writer of the table's own library is told.

    Raises:
        BadArgument: It is no table, or the writer takes no such options.
    """
    try:
        table = _plain(data)
        _WRITERS.get((_maker(table), kind), _by_other)(table, kind, path, dict(options))
    except (TypeError, ValueError, KeyError) as error:
        raise BadArgument(
            f"{called(data)} cannot be written as {kind}: {{1}}.",
            hint="If the fault is not in {0}, make a DataFrame of it first.",
            options=["option", str(error)],
        ) from error


def partition_files(
    data: Any, kind: str, folder: Path, by: Sequence[str], options: Mapping[str, Any]
) -> None:
    """Write a table as a tree of folders ``year=2024/``, a file in each.

    Args:
        data: The table.
        kind: One of `ENDINGS`.
        folder: The root, which is made.
        by: The columns that become folders.
        options: What else the format's writer is told.

    Raises:
        BadArgument: It has no such column, or cannot be cut up so.
    """
    need("pyarrow", "A tree of partitions")
    import pyarrow as pa
    import pyarrow.dataset as ds

    table = _arrow(_plain(data))
    missing = [name for name in by if name not in table.column_names]
    if missing or len(by) == len(table.column_names):
        raise BadArgument(
            f"There is no column {missing[0]!r} to partition by."
            if missing
            else "A partition needs at least one column that is no folder.",
            hint=f"There are {', '.join(table.column_names[:20])}.",
        )
    forms = {"parquet": ds.ParquetFileFormat, "csv": ds.CsvFileFormat, "arrow": ds.IpcFileFormat}
    form = forms[kind]()
    try:
        ds.write_dataset(
            table,
            folder,
            format=form,
            file_options=form.make_write_options(**options),
            partitioning=list(by),
            partitioning_flavor="hive",
            basename_template=f"part-{{i}}.{ENDINGS[kind]}",
            max_partitions=_MOST,
            max_open_files=500,
        )
    except (pa.ArrowException, TypeError, ValueError) as error:
        raise BadArgument(f"It cannot be partitioned by {', '.join(by)}: {error}.") from error


def _maker(data: object) -> str:
    """Give the library that a table is of; ``numpy`` and the like for what is none."""
    root = type(data).__module__.partition(".")[0].lstrip("_")
    return "dask" if root == "dask_expr" else root


def _plain(data: Any) -> Any:
    """Give a table that is here and now: a frame of pandas or Polars, or a pyarrow Table."""
    maker = _maker(data)
    if maker == "dask":
        return _plain(data.compute())
    if maker == "duckdb":
        return data.to_arrow_table()
    if maker == "polars":
        data = data.collect() if hasattr(data, "collect") else data
        return data.to_frame() if hasattr(data, "to_frame") else data
    if maker == "pyarrow":
        import pyarrow as pa

        return data if isinstance(data, pa.Table) else pa.table(data)
    import pandas as pd

    if isinstance(data, pd.Series):
        return data.to_frame()
    return data if isinstance(data, pd.DataFrame) else pd.DataFrame(data)


def _arrow(table: Any) -> Any:
    """Give a table of any kind as pyarrow's; pandas's own index stays unless it only counts."""
    import pyarrow as pa

    if _maker(table) == "pandas":
        return pa.Table.from_pandas(table)
    return table.to_arrow() if _maker(table) == "polars" else table


def _by_other(table: Any, kind: str, path: Path, options: dict[str, Any]) -> None:
    """Write a table that its own library does not write so: pyarrow or pandas does."""
    if kind in {"parquet", "arrow", "orc"}:
        need("pyarrow", kind)
        _WRITERS["pyarrow", kind](_arrow(table), kind, path, options)
    else:
        frame = table if _maker(table) == "pandas" else table.to_pandas()
        _WRITERS["pandas", kind](frame, kind, path, options)


def _pandas_parquet(table: Any, _kind: str, path: Path, options: dict[str, Any]) -> None:
    need("pyarrow", "Parquet")
    table.to_parquet(path, engine="pyarrow", **options)


def _pandas_text(table: Any, kind: str, path: Path, options: dict[str, Any]) -> None:
    import pandas as pd

    # As to_parquet has it: an index that only counts says nothing.
    counts = isinstance(table.index, pd.RangeIndex) and table.index.name is None
    given = {"sep": "\t" if kind == "tsv" else ",", "index": not counts} | options
    table.to_csv(path, **given)


def _pandas_json(table: Any, kind: str, path: Path, options: dict[str, Any]) -> None:
    given = {"orient": "records", "date_format": "iso", "force_ascii": False} | options
    table.to_json(path, lines=kind == "jsonl", **given)


def _pandas_excel(table: Any, _kind: str, path: Path, options: dict[str, Any]) -> None:
    import pandas as pd

    counts = isinstance(table.index, pd.RangeIndex)
    with path.open("wb") as file:
        table.to_excel(file, engine="openpyxl", **{"index": not counts} | options)


def _polars_parquet(table: Any, _kind: str, path: Path, options: dict[str, Any]) -> None:
    table.write_parquet(path, **options)


def _polars_text(table: Any, kind: str, path: Path, options: dict[str, Any]) -> None:
    table.write_csv(path, **{"separator": "\t" if kind == "tsv" else ","} | options)


def _polars_json(table: Any, kind: str, path: Path, options: dict[str, Any]) -> None:
    (table.write_ndjson if kind == "jsonl" else table.write_json)(path, **options)


def _arrow_parquet(table: Any, _kind: str, path: Path, options: dict[str, Any]) -> None:
    import pyarrow.parquet as pq

    pq.write_table(table, path, **options)


def _arrow_text(table: Any, kind: str, path: Path, options: dict[str, Any]) -> None:
    from pyarrow import csv

    csv.write_csv(
        table, path, csv.WriteOptions(delimiter="\t" if kind == "tsv" else ",", **options)
    )


def _arrow_feather(table: Any, _kind: str, path: Path, options: dict[str, Any]) -> None:
    import pyarrow as pa
    from pyarrow import feather

    if path.suffix == ".arrows":
        with pa.OSFile(str(path), "wb") as file, pa.ipc.new_stream(file, table.schema) as writer:
            writer.write_table(table, **options)
    else:
        feather.write_feather(table, str(path), **options)


def _arrow_orc(table: Any, _kind: str, path: Path, options: dict[str, Any]) -> None:
    from pyarrow import orc

    orc.write_table(table, str(path), **options)


_WRITERS: dict[tuple[str, str], Callable[[Any, str, Path, dict[str, Any]], None]] = {
    ("pandas", "parquet"): _pandas_parquet,
    ("pandas", "csv"): _pandas_text,
    ("pandas", "tsv"): _pandas_text,
    ("pandas", "json"): _pandas_json,
    ("pandas", "jsonl"): _pandas_json,
    ("pandas", "excel"): _pandas_excel,
    ("polars", "parquet"): _polars_parquet,
    ("polars", "csv"): _polars_text,
    ("polars", "tsv"): _polars_text,
    ("polars", "json"): _polars_json,
    ("polars", "jsonl"): _polars_json,
    ("pyarrow", "parquet"): _arrow_parquet,
    ("pyarrow", "csv"): _arrow_text,
    ("pyarrow", "tsv"): _arrow_text,
    ("pyarrow", "arrow"): _arrow_feather,
    ("pyarrow", "orc"): _arrow_orc,
}

"""Test support: a table, and its bytes in every format that has rows."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma

import pandas as pd
import pyarrow as pa
import pyarrow.feather
import pyarrow.orc
import pyarrow.parquet

TABLE = pd.DataFrame({"n": range(100), "x": [k / 4 for k in range(100)], "who": ["ä", "b"] * 50})


def parquet(frame=TABLE, **options):
    file = io.BytesIO()
    table = frame if isinstance(frame, pa.Table) else pa.Table.from_pandas(frame)
    pyarrow.parquet.write_table(table, file, **options)
    return file.getvalue()


def feather(frame=TABLE, **options):
    file = io.BytesIO()
    pyarrow.feather.write_feather(frame, file, **options)
    return file.getvalue()


def stream(frame=TABLE):
    file = io.BytesIO()
    table = pa.Table.from_pandas(frame)
    with pa.ipc.new_stream(file, table.schema) as writer:
        writer.write_table(table)
    return file.getvalue()


def orc(frame=TABLE):
    file = io.BytesIO()
    pyarrow.orc.write_table(pa.Table.from_pandas(frame), file)
    return file.getvalue()


def excel(frame=TABLE):
    file = io.BytesIO()
    frame.to_excel(file, index=False)
    return file.getvalue()


def csv(frame=TABLE, **options):
    return frame.to_csv(index=False, **options).encode()


def jsonl(frame=TABLE):
    return frame.to_json(orient="records", lines=True, force_ascii=False).encode()


def json(frame=TABLE):
    return frame.to_json(orient="records", force_ascii=False).encode()


def zstd(data):
    return pa.compress(data, codec="zstd", asbytes=True)


# By a key each: the name tells the format.
OBJECTS = {
    "t.parquet": parquet(),
    "t.feather": feather(),
    "t.arrows": stream(),
    "t.orc": orc(),
    "t.csv": csv(),
    "t.tsv": csv(sep="\t"),
    "t.jsonl": jsonl(),
    "t.json": json(),
    "t.xlsx": excel(),
    "t.csv.gz": gzip.compress(csv()),
    "t.csv.bz2": bz2.compress(csv()),
    "t.csv.xz": lzma.compress(csv()),
    "t.jsonl.zst": zstd(jsonl()),
}

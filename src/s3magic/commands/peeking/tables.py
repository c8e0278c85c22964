"""Looks into Arrow, ORC and Avro: what their index or header says, and the first rows.

Blocks: call it in a reader's thread.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from s3magic.commands.contents.formats import need
from s3magic.commands.peeking.look import Look, listing
from s3magic.transfer.ranged import TooMuch

if TYPE_CHECKING:
    from s3magic.transfer.rangefile import RangeFile

__all__ = ["arrow", "avro", "orc"]

_ROW_COUNTS = 32  # batches of an Arrow file whose rows are counted: each is a request


def arrow(file: RangeFile, rows: int) -> Look:
    """Look into an Arrow or Feather file, or a stream: its schema, and the first batch."""
    need("pyarrow", "Arrow")
    import pyarrow as pa

    file.exact = True
    file.seek(0)
    whole = file.read(6) == b"ARROW1"
    file.seek(0)
    reader: Any = pa.ipc.open_file(file) if whole else pa.ipc.open_stream(file)
    schema = reader.schema
    table = listing((field.name, str(field.type)) for field in schema)
    total: int | None = None
    batch: Any = None
    note = ""
    facts = {"batches": reader.num_record_batches} if whole else {}
    try:
        if whole and reader.num_record_batches <= _ROW_COUNTS:
            total = reader.count_rows()
        if not whole:
            batch = reader.read_next_batch()
        elif reader.num_record_batches:
            batch = reader.get_batch(0)
    except StopIteration:
        pass
    except TooMuch:
        file.failure = None
        note = "Its first batch is too large: of its rows nothing was read."
    if batch is None:
        head = None if note else schema.empty_table().to_pandas()
    else:
        head = pa.Table.from_batches([batch.slice(0, rows)]).to_pandas()
    return Look("arrow", table, head, total, facts, note)


def orc(file: RangeFile, rows: int) -> Look:
    """Look into ORC: its footer, and the first stripe if it is small."""
    need("pyarrow", "ORC")
    import pyarrow as pa
    from pyarrow import orc as reading

    file.exact = True
    reader = reading.ORCFile(file)
    table = listing((field.name, str(field.type)) for field in reader.schema)
    note, head = "", None
    try:
        if reader.nstripes:
            head = pa.Table.from_batches([reader.read_stripe(0).slice(0, rows)]).to_pandas()
        else:
            head = reader.schema.empty_table().to_pandas()
    except OSError:  # the reader wraps whatever its file raises
        if not isinstance(file.failure, TooMuch):
            raise
        note = "Its first stripe is too large: of its rows nothing was read."
    facts = {"stripes": reader.nstripes, "compression": str(reader.compression)}
    return Look("orc", table, head, reader.nrows, facts, note)


def avro(file: RangeFile, rows: int) -> Look:  # noqa: ARG001 - as every look is asked
    """Look into Avro: the schema that stands in its header.

    The source is the Avro specification, "Object Container Files".
    """
    file.seek(4)
    told: dict[str, bytes] = {}
    while entries := _long(file):
        if entries < 0:
            _long(file)  # the block's bytes
        for _ in range(abs(entries)):
            name = file.read(_long(file)).decode()
            told[name] = file.read(_long(file))
    schema = json.loads(told["avro.schema"])
    fields = schema.get("fields", []) if isinstance(schema, dict) else []
    table = listing((field["name"], _avro_type(field["type"])) for field in fields)
    facts = {"codec": told.get("avro.codec", b"null").decode()}
    return Look("avro", table, None, None, facts, "Of Avro only the schema is shown.")


def _long(file: RangeFile) -> int:
    value = shift = 0
    while True:
        (byte,) = file.read(1)
        value |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80:
            return (value >> 1) ^ -(value & 1)


def _avro_type(kind: Any) -> str:
    """Say a type in few words: ``["null", "long"]`` is ``long or null``."""
    if isinstance(kind, list):
        ordered = sorted(kind, key=lambda one: one == "null")
        return " or ".join(_avro_type(one) for one in ordered)
    if isinstance(kind, dict):
        return str(kind.get("logicalType") or _avro_type(kind["type"]))
    return str(kind)

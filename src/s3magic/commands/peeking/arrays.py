"""Looks into numpy's arrays and into archives: what their headers and indexes say.

Blocks: call it in a reader's thread.
"""

from __future__ import annotations

import importlib.util
import io
import math
import zipfile
from typing import TYPE_CHECKING, Any

from s3magic.commands.peeking.look import BUDGET, Look, listing, types_of
from s3magic.transfer.ranged import TooMuch
from s3magic.wording import count

if TYPE_CHECKING:
    from s3magic.transfer.rangefile import RangeFile

__all__ = ["archive", "excel", "npy", "npz"]

_ARRAYS = 20  # of an .npz whose headers are read: each is a request
_VALUES = 20  # of one row that are shown


def npy(file: RangeFile, rows: int) -> Look:
    """Look into an array: its shape, its type, and its first rows."""
    import numpy as np
    import pandas as pd

    file.seek(0)
    shape, by_columns, kind = _header(file)
    facts = {"shape": shape, "dtype": str(kind), "order": "columns" if by_columns else "rows"}
    columns = listing([(name, str(kind[name])) for name in kind.names]) if kind.names else None
    each = math.prod(shape[1:]) * kind.itemsize
    shown = min(rows, shape[0]) if shape else 0
    note = ""
    head = None
    if kind.hasobject:
        note = "It holds Python objects: to read them is to run whatever its writer put there."
    elif (by_columns and len(shape) > 1) or shown * each > BUDGET - file.moved:
        note = "Its first rows are far apart, or too large: they were not read."
    elif shape:
        data = np.frombuffer(file.read(shown * each), kind).reshape(shown, -1)
        if columns is not None and len(shape) == 1:
            head = pd.DataFrame({name: data[name].ravel() for name in kind.names or ()})
        elif len(shape) == 1:
            head = pd.DataFrame({"value": data.ravel()})
        else:
            head = pd.DataFrame(data[:, :_VALUES])
    return Look("npy", columns, head, shape[0] if shape else None, facts, note)


def npz(file: RangeFile, rows: int) -> Look:  # noqa: ARG001 - as every look is asked
    """Look into an archive of arrays: the shape and type of each."""
    import pandas as pd

    with zipfile.ZipFile(file) as packed:
        entries = packed.infolist()
        told: list[tuple[str, str, str]] = []
        for entry in entries[:_ARRAYS]:
            with packed.open(entry) as one:
                shape, _, kind = _header(one)
            told.append((entry.filename.removesuffix(".npy"), str(kind), str(shape)))
    table = listing((name, kind) for name, kind, _ in told)
    table["Shape"] = pd.array([shape for _, _, shape in told], dtype="string")
    left = len(entries) - len(told)
    note = f"{count(left, 'further array')} not looked at." if left else ""
    return Look("npz", table, None, None, {"arrays": len(entries)}, note)


def archive(file: RangeFile, rows: int) -> Look:
    """Look into a zip archive: what is in it, by its index."""
    import pandas as pd

    try:
        with zipfile.ZipFile(file) as packed:
            entries = packed.infolist()
    except TooMuch:
        file.failure = None
        return Look("zip", note="Its index alone is too large: it was not read.")
    shown = entries[:rows]
    head = pd.DataFrame(
        {
            "Name": pd.array([entry.filename for entry in shown], dtype="string"),
            "Size": pd.array([entry.file_size for entry in shown], dtype="int64"),
            "Packed": pd.array([entry.compress_size for entry in shown], dtype="int64"),
        }
    )
    unpacked = sum(entry.file_size for entry in entries)
    return Look("zip", None, head, None, {"entries": len(entries), "unpacked": unpacked})


def excel(file: RangeFile, rows: int) -> Look:
    """Look into a workbook: its first sheet if it is small, else what is in its archive."""
    if file.size > BUDGET // 2 or importlib.util.find_spec("openpyxl") is None:
        inside = archive(file, rows)
        note = "It is read only as a whole, with %s3read: here is what is in its archive."
        return Look("excel", None, inside.head, None, inside.facts, note)
    import pandas as pd

    file.seek(0)
    with pd.ExcelFile(io.BytesIO(file.read())) as book:
        sheets = [str(name) for name in book.sheet_names]
        frame = pd.read_excel(book)
    facts = {"sheets": ", ".join(sheets)}
    return Look("excel", types_of(frame), frame.head(rows), len(frame), facts)


def _header(file: RangeFile | Any) -> tuple[tuple[int, ...], bool, Any]:
    """Read an array's header (numpy.lib.format): shape, whether by columns, and type."""
    from numpy.lib import format as form

    stream: io.RawIOBase | Any = file
    version = form.read_magic(stream)
    read = form.read_array_header_1_0 if version == (1, 0) else form.read_array_header_2_0
    return read(stream)

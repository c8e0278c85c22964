"""Makes files of what a variable holds: its format's, packed if the name says so.

Blocks: call it in a thread.
"""

from __future__ import annotations

import bz2
import gzip
import json
import lzma
import os
import shutil
import sys
from typing import TYPE_CHECKING, Any

from s3magic.commands.contents.formats import need
from s3magic.commands.contents.write_frames import frame_file, is_table, shape_of
from s3magic.errors import BadArgument
from s3magic.wording import called

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from s3magic.commands.contents.formats import Form

__all__ = ["TABLES", "WRITABLE", "file_of", "told"]

TABLES = ("parquet", "csv", "tsv", "jsonl", "json", "arrow", "orc", "excel")
"""The formats of tables that can be written."""

WRITABLE = (*TABLES, "npy", "npz", "text")
"""All formats that can be written."""

_PACKABLE = {"csv", "tsv", "jsonl", "json", "text", "npy", ""}


def told(data: object) -> str:
    """Say what is written, for the report: ``<DataFrame, 1,000 × 5>``."""
    shape = shape_of(data)
    return f"<{type(data).__name__}{', ' if shape else ''}{' × '.join(f'{n:,}' for n in shape)}>"


def file_of(data: object, form: Form, path: Path, options: Mapping[str, Any]) -> None:
    """Write a variable's value to a file.

    Args:
        data: The value.
        form: What to make of it.
        path: The file.
        options: What else the writer is told.

    Raises:
        BadArgument: This value cannot be written as that.
    """
    if form.packed and form.format not in _PACKABLE:
        raise BadArgument(
            f"{form.format} is packed within, not around.",
            hint='Leave the second ending out, and choose with --option compression="zstd".',
        )
    plain = path.with_name("plain") if form.packed else path
    _plain(data, form.format, plain, options)
    if form.packed:
        with plain.open("rb") as source, _packing(form.packed, path) as target:
            shutil.copyfileobj(source, target, 1 << 20)
        plain.unlink()


def _plain(data: object, kind: str, path: Path, options: Mapping[str, Any]) -> None:
    if isinstance(data, str | bytes | bytearray | memoryview):
        path.write_bytes(data.encode() if isinstance(data, str) else bytes(data))
        return
    if kind in {"npy", "npz"}:
        _arrays(data, kind, path)
    elif kind == "json" and not is_table(data):
        path.write_text(_json(data, options), encoding="utf-8")
    elif kind == "jsonl" and isinstance(data, list | tuple):
        path.write_text("".join(f"{_json(one, options)}\n" for one in data), encoding="utf-8")
    elif kind in TABLES:
        if kind == "excel":
            need("openpyxl", "Excel")
        frame_file(data, kind, path, options)
    else:
        how = f" as {kind}" if kind else ": the key ends in no format that is known"
        raise BadArgument(
            f"{called(data)} cannot be written{how}.",
            hint=f"End the key in what it is to be, or give {{0}}: {', '.join(WRITABLE)}.",
            options=["format"],
        )


def _json(data: object, options: Mapping[str, Any]) -> str:
    try:
        return json.dumps(data, **{"ensure_ascii": False, **options})
    except (TypeError, ValueError, RecursionError) as error:
        raise BadArgument(
            f"This {type(data).__name__} is no JSON: {error}.",
            hint="Turn what is in it into dicts, lists, texts and numbers first.",
        ) from error


def _arrays(data: Any, kind: str, path: Path) -> None:
    import numpy as np

    try:
        with path.open("wb") as file:
            if kind == "npy":
                np.save(file, np.asarray(data), allow_pickle=False)
            else:
                named = dict(data) if hasattr(data, "keys") else {"data": data}
                arrays: dict[str, Any] = {str(name): np.asarray(one) for name, one in named.items()}
                if any(one.dtype.hasobject for one in arrays.values()):
                    raise ValueError("it holds Python objects")
                np.savez(file, **arrays)
    except ValueError as error:
        raise BadArgument(f"This {type(data).__name__} is no array: {error}.") from error


def _packing(packed: str, path: Path) -> Any:
    if packed == "gz":
        # Without the time: the same data give the same bytes.
        return gzip.GzipFile(path, "wb", compresslevel=6, mtime=0)
    if packed == "bz2":
        return bz2.open(path, "wb")
    if packed == "xz":
        return lzma.open(path, "wb")
    if sys.version_info >= (3, 14):
        from compression import zstd
    else:
        from backports import zstd
    return zstd.open(os.fspath(path), "wb")

"""What an object's name and its first bytes say of its format, and what reads each."""

from __future__ import annotations

import importlib.util
import os
from dataclasses import dataclass

from s3magic.errors import BadArgument, NotSupported

__all__ = ["FORMATS", "Form", "form_of", "need", "refuse_pickle", "sniffed"]

_ENDINGS = {
    ".parquet": "parquet",
    ".parq": "parquet",
    ".pq": "parquet",
    ".csv": "csv",
    ".tsv": "tsv",
    ".tab": "tsv",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".json": "json",
    ".feather": "arrow",
    ".arrow": "arrow",
    ".arrows": "arrow",
    ".ipc": "arrow",
    ".orc": "orc",
    ".avro": "avro",
    ".xlsx": "excel",
    ".xls": "excel",
    ".zip": "zip",
    ".npy": "npy",
    ".npz": "npz",
    ".png": "image",
    ".jpg": "image",
    ".jpeg": "image",
    ".gif": "image",
    ".webp": "image",
    ".bmp": "image",
    ".txt": "text",
    ".log": "text",
    ".md": "text",
    ".pickle": "pickle",
    ".pkl": "pickle",
}
_PACKED = {".gz": "gz", ".gzip": "gz", ".bz2": "bz2", ".xz": "xz", ".zst": "zst", ".zstd": "zst"}

FORMATS = tuple(dict.fromkeys(_ENDINGS.values()))
"""The names of all formats that are known by an ending."""

# The first bytes, as each format's own specification gives them.
_BEGINNINGS = (
    (b"PAR1", "parquet"),
    (b"ARROW1", "arrow"),
    (b"ORC", "orc"),
    (b"Obj\x01", "avro"),
    (b"\x93NUMPY", "npy"),
    (b"PK\x03\x04", "zip"),
    (b"PK\x05\x06", "zip"),
    (b"\x89PNG\r\n\x1a\n", "image"),
    (b"\xff\xd8\xff", "image"),
    (b"GIF87a", "image"),
    (b"GIF89a", "image"),
)
_SPECIAL = {"excel", "npz"}  # zip archives of a kind that only the name tells


@dataclass(frozen=True, slots=True)
class Form:
    """What a name says.

    Args:
        format: One of `FORMATS`; empty where the name says nothing.
        packed: ``gz``, ``bz2``, ``xz`` or ``zst``; empty for none.
    """

    format: str
    packed: str = ""


def form_of(name: str, given: str | None = None) -> Form:
    """Read a name's endings: ``a.csv.gz`` is CSV, packed with gzip.

    Args:
        name: A key, or a path.
        given: The format, where somebody says it.
    """
    stem, ending = os.path.splitext(name.lower())  # noqa: PTH122 - a key is no path
    packed = _PACKED.get(ending, "")
    if packed:
        ending = os.path.splitext(stem)[1]  # noqa: PTH122 - the same
    return Form(given or _ENDINGS.get(ending, ""), packed)


def sniffed(beginning: bytes, named: str) -> str:
    """Say the format that the first bytes tell; that of the name where they tell none.

    Args:
        beginning: Twelve bytes at least, where the object has so many.
        named: The format that its name tells; empty for none.
    """
    for begins, name in _BEGINNINGS:
        if beginning.startswith(begins):
            return named if name == "zip" and named in _SPECIAL else name
    if beginning[:4] == b"RIFF" and beginning[8:12] == b"WEBP":
        return "image"
    return named


def need(package: str, what: str) -> None:
    """Make sure that a package is there.

    Args:
        package: Its name, for the import and the installation alike.
        what: What needs it: ``Parquet``.

    Raises:
        NotSupported: It is not installed.
    """
    if importlib.util.find_spec(package) is None:
        raise NotSupported(
            f"{what} needs the package {package}, which is not installed here.",
            hint=f"Install it: %pip install {package}.",
        )


def refuse_pickle(uri: object) -> BadArgument:
    """Give the error of a pickle, which nobody should open unseen."""
    return BadArgument(
        f"{uri} is a pickle: to read one is to run whatever program its writer put into it.",
        hint="If you trust it: data = %s3get URI -, then pickle.loads(data).",
    )

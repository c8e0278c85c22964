"""Looks into CSV, JSON lines, JSON and plain text: their beginning, unpacked if need be.

Blocks: call it in a reader's thread.
"""

from __future__ import annotations

import csv as csvs
import io
import itertools
import json
from typing import TYPE_CHECKING, Any

from s3magic.commands.peeking.look import BUDGET, FIRST, Look, listing, types_of
from s3magic.settings import KiB
from s3magic.transfer.unpacking import unpacker

if TYPE_CHECKING:
    from s3magic.transfer.rangefile import RangeFile

__all__ = ["lines", "packed"]

_TEXT = 128 * KiB  # bytes of text that are looked at, unpacked
_SAMPLE = 64 * KiB  # bytes of what is not packed
_SEPARATORS = ",;\t|"
_WIDTH = 200  # characters that are shown of a line
_FIELDS = 1000  # of one JSON object that are shown


def packed(file: RangeFile, name: str) -> bool:
    """Tell whether an object is packed, by its first bytes."""
    file.seek(0)
    return unpacker(file.read(16), name) is not None


def lines(file: RangeFile, rows: int, kind: str, name: str) -> Look:
    """Look into a text by its beginning.

    Args:
        file: The object.
        rows: How many rows, or lines, to show.
        kind: ``csv``, ``tsv``, ``jsonl``, ``json``, ``text``, or nothing.
        name: What an error calls it.
    """
    data, whole, how = _beginning(file, name)
    facts = {"packed": how} if how else {}
    try:
        text = _decoded(data)
    except UnicodeDecodeError:
        return _binary(data, facts)
    if not whole:
        text = text[: text.rfind("\n") + 1] or text
    kind = kind or _guessed(text)
    if kind in {"csv", "tsv"}:
        return _table(text, rows, kind, facts)
    if kind == "jsonl":
        return _records(text, rows, facts)
    if kind == "json":
        return _document(text, rows, facts, whole=whole)
    return _text(text, rows, facts)


def _beginning(file: RangeFile, name: str) -> tuple[bytes, bool, str]:
    """Give the first bytes, unpacked; whether they are all; and how they were packed."""
    file.exact = True
    file.seek(0)
    first = file.read(FIRST)
    unpacking = unpacker(first[:16], name)
    if unpacking is None:
        data = first + file.read(_SAMPLE - len(first))
        return data, len(data) >= file.size, ""
    data = unpacking.feed(first, _TEXT)
    while len(data) < _TEXT and file.tell() < file.size and file.tell() < BUDGET // 2:
        data += unpacking.feed(file.read(FIRST), _TEXT - len(data))
    return data, len(data) < _TEXT and file.tell() >= file.size, unpacking.form


def _decoded(data: bytes) -> str:
    """Decode UTF-8, or UTF-16 with its mark; a character that is cut at the end is left out."""
    if data[:2] in {b"\xff\xfe", b"\xfe\xff"}:
        return data[: len(data) // 2 * 2].decode("utf-16", errors="ignore")
    if b"\0" in data[:1000]:
        raise UnicodeDecodeError("utf-8", data[:1], 0, 1, "no text")
    for cut in range(4):
        try:
            return data[: len(data) - cut].decode("utf-8-sig")
        except UnicodeDecodeError as error:
            if error.start < len(data) - 4 or cut == 3:
                raise
    return ""


def _guessed(text: str) -> str:
    """Guess what a text is that has no telling name."""
    start = text.lstrip()[:1]
    if start in {"{", "["}:
        first = text.lstrip().partition("\n")[0]
        try:
            value = json.loads(first)
        except ValueError:
            return "json"
        return "jsonl" if isinstance(value, dict) else "json"
    return "text"


def _table(text: str, rows: int, kind: str, facts: dict[str, Any]) -> Look:
    import pandas as pd

    separator = "\t" if kind == "tsv" else _separator(text)
    if not text.strip():
        return Look(kind, listing([]), pd.DataFrame(), 0, facts)
    try:
        frame = pd.read_csv(io.StringIO(text), sep=separator)
    except ValueError:  # of pandas's errors each is one: what was cut off may be missed
        frame = pd.read_csv(io.StringIO(text), sep=separator, nrows=rows, on_bad_lines="skip")
    if separator != "," and kind == "csv":
        facts = facts | {"separator": separator}
    return Look(kind, types_of(frame), frame.head(rows), None, facts)


def _separator(text: str) -> str:
    first = text.partition("\n")[0]
    if "," in first and not any(one in first for one in _SEPARATORS[1:]):
        return ","
    try:
        return csvs.Sniffer().sniff(text[:4000].rpartition("\n")[0] or first, _SEPARATORS).delimiter
    except csvs.Error:
        return ","


def _records(text: str, rows: int, facts: dict[str, Any]) -> Look:
    values = []
    for line in text.splitlines():
        if line.strip():
            try:
                values.append(json.loads(line))
            except ValueError:
                break
    return _of_values(values, rows, "jsonl", facts)


def _document(text: str, rows: int, facts: dict[str, Any], *, whole: bool) -> Look:
    """Look into one JSON value, of which the end may be missing."""
    import pandas as pd

    if whole:
        try:
            value = json.loads(text)
        except ValueError:
            return Look("json", facts=facts, note="It is no JSON.")
        if isinstance(value, list):
            look = _of_values(value, rows, "json", facts)
            return Look("json", look.schema, look.head, len(value), facts)
        if not isinstance(value, dict):
            return Look("json", None, pd.DataFrame({"value": [value]}), 1, facts)
        names = [(str(name), type(item).__name__) for name, item in value.items()]
        head = pd.DataFrame({"value": pd.Series(value, dtype=object)}).head(rows)
        return Look("json", listing(names[:_FIELDS]), head, None, facts)
    start = text.lstrip()
    if not start.startswith("["):
        return Look("json", facts=facts, note="It is one large value: only its beginning was read.")
    return _of_values(_items(start), rows, "json", facts)


def _items(text: str) -> list[Any]:
    """Read the items of a list until the text breaks off."""
    decoder = json.JSONDecoder()
    found: list[Any] = []
    at = 1
    while True:
        while text[at : at + 1] in {" ", "\n", "\r", "\t", ","} and at < len(text):
            at += 1
        try:
            value, at = decoder.raw_decode(text, at)
        except ValueError:
            return found
        found.append(value)


def _of_values(values: list[Any], rows: int, kind: str, facts: dict[str, Any]) -> Look:
    import pandas as pd

    if all(isinstance(value, dict) for value in values):
        frame = pd.DataFrame.from_records(values)
    else:
        frame = pd.DataFrame({"value": pd.Series(values, dtype=object)})
    return Look(kind, types_of(frame), frame.head(rows), None, facts)


def _text(text: str, rows: int, facts: dict[str, Any]) -> Look:
    import pandas as pd

    shown = [line[:_WIDTH] for line in itertools.islice(text.splitlines(), rows)]
    head = pd.DataFrame({"Line": pd.array(shown, dtype="string")})
    return Look("text", None, head, None, facts)


def _binary(data: bytes, facts: dict[str, Any]) -> Look:
    begins = data[:16].hex(" ")
    return Look("binary", facts=facts | {"begins": begins}, note="No format that is known.")

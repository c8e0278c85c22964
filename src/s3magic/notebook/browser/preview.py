"""What an object looks like: the beginning of a text, a small image, the first rows of a table.

Never the whole of a large object: a few kilobytes of a text, an image only if
it is small.
"""

from __future__ import annotations

import asyncio
import contextlib
import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from s3magic.commands.peek import peek
from s3magic.notebook.browser.look import preformatted
from s3magic.settings import KiB, MiB
from s3magic.translation import translate
from s3magic.wording import count, filesize, printable

if TYPE_CHECKING:
    from pandas import DataFrame
    from types_aiobotocore_s3 import S3Client

    from s3magic.notebook.browser.entries import Entry

__all__ = ["Preview", "preview"]

_HEAD = 16 * KiB  # bytes of an object of which the beginning is shown
_LINES, _WIDTH = 40, 240  # of which so much is shown
_BYTES = 128  # of one that is no text
_LARGEST_IMAGE = 4 * MiB
# What every browser draws, and what cannot hold a script.
_IMAGES = {"png": "png", "jpg": "jpeg", "jpeg": "jpeg", "gif": "gif", "webp": "webp", "bmp": "bmp"}
_TABLES = {"parquet", "csv", "tsv", "jsonl", "ndjson", "arrow", "feather", "npy"}
_ROWS, _COLUMNS = 8, 12


@dataclass(frozen=True, slots=True)
class Preview:
    """What there is to see of an object.

    Args:
        kind: Its content type, where the server said it.
        html: Its beginning, as HTML; empty for an image.
        image: An image's bytes.
        form: What it is for the browser: ``png``.
    """

    kind: str = ""
    html: str = ""
    image: bytes = b""
    form: str = ""


async def preview(client: S3Client, entry: Entry) -> Preview:
    """Look at an object.

    Raises:
        S3Error: It cannot be read.
    """
    ending = entry.name.rpartition(".")[2].lower()
    size = entry.size or 0
    if not size:
        return Preview(html='<span class="s3b-dim">It is empty.</span>')
    if ending in _TABLES and (table := await _table(entry)):
        return Preview(html=table)
    whole = ending in _IMAGES and size <= _LARGEST_IMAGE
    kind, data = await _beginning(client, entry, size if whole else min(size, _HEAD))
    if whole and len(data) == size:
        return Preview(kind, image=data, form=_IMAGES[ending])
    return Preview(kind, await asyncio.to_thread(_drawn, data, size))


async def _beginning(client: S3Client, entry: Entry, size: int) -> tuple[str, bytes]:
    try:
        answer = await client.get_object(
            Bucket=entry.uri.bucket, Key=entry.uri.key, Range=f"bytes=0-{size - 1}"
        )
        data = bytearray()
        async with answer["Body"] as body:
            # A server that knows no ranges sends all of it; a read gives what is there.
            while len(data) < size and (more := await body.read(size - len(data))):
                data += more
        return answer.get("ContentType", ""), bytes(data)
    except Exception as error:
        raise translate(error, f"look at {entry.uri}") from error


async def _table(entry: Entry) -> str:
    """Give the first rows of a table as HTML; nothing where there is no telling."""
    with contextlib.suppress(Exception):  # then its first bytes are shown, or the error is told
        seen = await peek(entry.uri, rows=_ROWS, progress="none")
        if seen.head is not None:
            return await asyncio.to_thread(_tabled, seen.head, seen.rows)
    return ""


def _tabled(frame: DataFrame, rows: int | None) -> str:
    shown = frame.map(lambda value: printable(value) if isinstance(value, str) else value)
    shown.columns = [printable(str(name)) for name in frame.columns]
    made = shown.to_html(max_cols=_COLUMNS, border=0, index=False)
    columns = count(len(frame.columns), "column")
    told = (
        f"{count(rows, 'row')}, {columns}." if rows is not None else f"{columns}; its first rows."
    )
    return f'{_note(told)}<div class="s3b-table">{made}</div>'


def _drawn(data: bytes, size: int) -> str:
    """Draw the beginning of an object: as text if it is one, else byte by byte."""
    told = "" if len(data) >= size else f"The first {filesize(len(data))} of {filesize(size)}."
    if data.startswith(b"\x1f\x8b"):
        with contextlib.suppress(zlib.error):
            data = zlib.decompressobj(31).decompress(data, _HEAD)
            told = "Unpacked by gzip; its beginning."
    text = _text(data)
    if text is None:
        return _note("Not a text; its first bytes.") + preformatted(_dump(data[:_BYTES]))
    lines = text.split("\n")
    if len(lines) > _LINES or len(text) > _LINES * _WIDTH:
        told = told or "Its beginning."
    shown = [line if len(line) <= _WIDTH else f"{line[:_WIDTH]}…" for line in lines[:_LINES]]
    return _note(told) + preformatted("\n".join(shown))


def _text(data: bytes) -> str | None:
    """Read bytes as a text; None if they are none."""
    if b"\0" in data:
        return None
    for cut in range(4):  # a character may be cut in two
        with contextlib.suppress(UnicodeDecodeError):
            return data[: len(data) - cut].decode("utf-8-sig")
    return None


def _dump(data: bytes) -> str:
    """Write bytes as an old-fashioned dump does."""
    lines = []
    for at in range(0, len(data), 16):
        row = data[at : at + 16]
        seen = "".join(chr(byte) if 32 <= byte < 127 else "·" for byte in row)
        lines.append(f"{at:04x}  {row.hex(' '):<47}  {seen}")
    return "\n".join(lines)


def _note(text: str) -> str:
    return f'<span class="s3b-dim">{text}</span>' if text else ""

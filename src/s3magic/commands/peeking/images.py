"""Reads the shape of an image from its header, and of nothing behind it.

Blocks: call it in a reader's thread.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Any

from s3magic.commands.peeking.look import Look

if TYPE_CHECKING:
    from collections.abc import Callable

    from s3magic.transfer.rangefile import RangeFile

__all__ = ["image"]

# PNG specification, 11.2.1, "IHDR": colour types.
_COLOURS = {0: "grey", 2: "RGB", 3: "palette", 4: "grey with alpha", 6: "RGB with alpha"}
# ITU T.81, table B.1: the markers that begin a frame. C4, C8 and CC are others.
_FRAMES = set(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_BARE = {0x01, *range(0xD0, 0xD9)}  # markers with nothing behind them
_COMPONENTS = {1: "grey", 3: "colour", 4: "CMYK"}


def image(file: RangeFile, rows: int) -> Look:  # noqa: ARG001 - as every look is asked
    """Look into a PNG, JPEG, GIF or WebP: what kind of image, how large, which colours."""
    file.seek(0)
    beginning = file.read(32)
    known: tuple[tuple[bytes, str, Callable[[RangeFile, bytes], dict[str, Any]]], ...] = (
        (b"\x89PNG", "png", _png),
        (b"\xff\xd8\xff", "jpeg", _jpeg),
        (b"GIF8", "gif", _gif),
        (b"RIFF", "webp", _webp),
        (b"BM", "bmp", _bmp),
    )
    for begins, name, read in known:
        if beginning.startswith(begins):
            try:
                return Look(name, facts=read(file, beginning))
            except (struct.error, IndexError):
                return Look(name, note="Its header is damaged.")
    return Look("image", note="It is named as an image, and begins as none that is known.")


def _png(_file: RangeFile, head: bytes) -> dict[str, Any]:
    width, height, depth, colour = struct.unpack(">IIBB", head[16:26])
    return _sized(width, height, _COLOURS.get(colour, "unknown"), f"{depth} bits")


def _gif(_file: RangeFile, head: bytes) -> dict[str, Any]:
    width, height, packed = struct.unpack("<HHB", head[6:11])
    return _sized(width, height, "palette", f"{(packed & 7) + 1} bits")


def _bmp(_file: RangeFile, head: bytes) -> dict[str, Any]:
    width, height, _, depth = struct.unpack("<iiHH", head[18:30])
    return _sized(width, abs(height), "palette" if depth <= 8 else "RGB", f"{depth} bits")


def _webp(_file: RangeFile, head: bytes) -> dict[str, Any]:
    """Read RFC 9649, 2.5 to 2.7: lossy, lossless and extended images."""
    kind = head[12:16]
    if kind == b"VP8X":
        width = int.from_bytes(head[24:27], "little") + 1
        height = int.from_bytes(head[27:30], "little") + 1
        return _sized(width, height, "RGB with alpha" if head[20] & 0x10 else "RGB")
    if kind == b"VP8L":
        bits = int.from_bytes(head[21:25], "little")
        return _sized((bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1, "RGB with alpha")
    width, height = struct.unpack("<HH", head[26:30])
    return _sized(width & 0x3FFF, height & 0x3FFF, "RGB")


def _jpeg(file: RangeFile, _head: bytes) -> dict[str, Any]:
    """Go from marker to marker until a frame begins; what lies between is left out."""
    at = 2
    while at < file.size:
        file.seek(at)
        mark = file.read(10)
        if mark[0] != 0xFF:
            raise IndexError(at)
        if mark[1] == 0xFF:  # filled up
            at += 1
        elif mark[1] in _FRAMES:
            depth, height, width, components = struct.unpack(">BHHB", mark[4:10])
            colours = _COMPONENTS.get(components, f"{components} components")
            return _sized(width, height, colours, f"{depth} bits")
        else:
            at += 2 if mark[1] in _BARE else 2 + struct.unpack(">H", mark[2:4])[0]
    raise IndexError(at)


def _sized(width: int, height: int, colours: str, depth: str = "") -> dict[str, Any]:
    facts: dict[str, Any] = {"width": width, "height": height, "colours": colours}
    return facts | ({"depth": depth} if depth else {})

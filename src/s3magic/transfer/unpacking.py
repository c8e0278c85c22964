"""Unpacks gzip, bzip2, xz and Zstandard as the bytes come, and no further than is wanted.

What is packed is known by its first bytes. A name that ends in ``.gz`` and a
``Content-Encoding`` promise it only: many a server, and many a proxy, unpacks
on the way. Blocks: call it in a thread.
"""

from __future__ import annotations

import bz2
import lzma
import re
import sys
import zlib
from typing import TYPE_CHECKING, NamedTuple, Protocol

from s3magic.errors import Damaged

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Unpacker", "unpacker"]


class _Stream(Protocol):
    """One packed stream, as the standard library's decompressors have it."""

    @property
    def eof(self) -> bool:
        """Whether its end was seen."""

    @property
    def unused_data(self) -> bytes:
        """What came behind its end."""

    def decompress(self, data: bytes, max_length: int = -1) -> bytes:
        """Unpack some more, at most so many bytes; the rest is kept for the next call."""


class _Gzip:
    """A gzip stream, with the manners of the other decompressors."""

    def __init__(self) -> None:
        self._stream = zlib.decompressobj(wbits=31)  # zlib's manual: 15, and 16 for gzip

    @property
    def eof(self) -> bool:
        """Whether its end was seen."""
        return self._stream.eof

    @property
    def unused_data(self) -> bytes:
        """What came behind its end."""
        return self._stream.unused_data

    def decompress(self, data: bytes, max_length: int = -1) -> bytes:
        """Unpack some more."""
        # zlib takes 0 for no limit.
        return self._stream.decompress(self._stream.unconsumed_tail + data, max(0, max_length))


def _zstd() -> _Stream:
    if sys.version_info >= (3, 14):
        from compression import zstd
    else:
        from backports import zstd
    return zstd.ZstdDecompressor()


class _Form(NamedTuple):
    """A form of packing.

    Args:
        name: What people call it.
        begins: Matches the first bytes of what is packed so.
        stream: Makes a decompressor of one stream.
    """

    name: str
    begins: re.Pattern[bytes]
    stream: Callable[[], _Stream]


_AS_STORED = "Take the bytes as they are: %s3cat --raw."
_TELLING = 10  # bytes by which the beginning of any form is known

# RFC 1952, 2.3.1 (8 is deflate, the only method there is); bzip2's block and end marks;
# the .xz file format, 2.1.1.1; RFC 8878, 3.1.1 and 3.1.2 (skippable frames).
_FORMS = (
    _Form("gzip", re.compile(rb"\x1f\x8b\x08"), _Gzip),
    _Form("bzip2", re.compile(rb"BZh[1-9](?:1AY&SY|\x17rE8P\x90)"), bz2.BZ2Decompressor),
    _Form("xz", re.compile(rb"\xfd7zXZ\0"), lzma.LZMADecompressor),
    _Form("Zstandard", re.compile(rb"\x28\xb5\x2f\xfd|[\x50-\x5f]\x2a\x4d\x18"), _zstd),
)


def unpacker(beginning: bytes, name: str) -> Unpacker | None:
    """Give what unpacks an object; None if it is not packed.

    Args:
        beginning: Its first bytes: ten, where it has so many.
        name: What an error calls it.
    """
    form = next((form for form in _FORMS if form.begins.match(beginning)), None)
    return None if form is None else Unpacker(form, name)


class Unpacker:
    """Unpacks one object: one stream, or several one behind the other.

    What comes behind a stream and is none (zeros, a tape's end) is left out, as
    gzip does.

    Args:
        form: How it is packed.
        name: What an error calls it.
    """

    def __init__(self, form: _Form, name: str) -> None:
        self.form = form.name
        self._name = name
        self._form = form
        self._stream = form.stream()
        self._fresh = True  # nothing was fed to the stream under way
        self._streams = 0  # those that ended
        self._over = False  # the last stream has ended
        self._held = b""  # too little to tell whether it is a stream

    @property
    def whole(self) -> bool:
        """Whether all that was fed ends where a stream does."""
        return self._over or (self._fresh and self._streams > 0)

    def end(self) -> None:
        """Take note that nothing more comes.

        Raises:
            Damaged: A stream is not at its end.
        """
        if not self.whole:
            raise Damaged(
                f"Cannot unpack {self._name}: its {self.form} stream ends too soon.",
                hint=_AS_STORED,
            )

    def feed(self, data: bytes, most: int = -1) -> bytes:
        """Unpack some more.

        Args:
            data: What comes next of the object.
            most: At most so many bytes; -1 for all that there are. Who got as
                many has enough, and feeds no more.

        Raises:
            Damaged: It is not what its beginning promised.
        """
        unpacked: list[bytes] = []
        room = most
        data, self._held = self._held + data, b""
        while room and not self._over:
            if self._fresh and not self._begins(data):
                break
            some = self._unpacked(data, room)
            unpacked.append(some)
            room -= len(some) if most >= 0 else 0
            data, self._fresh = b"", False
            if self._stream.eof:
                data = self._stream.unused_data
                self._streams += 1
                self._stream, self._fresh = self._form.stream(), True
            elif not some or most < 0:
                break
        return b"".join(unpacked)

    def _begins(self, data: bytes) -> bool:
        """Tell whether a stream begins here; keeps what is too short to tell."""
        if self._streams and len(data) < _TELLING:
            self._held = data
            return False
        self._over = bool(self._streams) and not self._form.begins.match(data)
        return bool(data) and not self._over

    def _unpacked(self, data: bytes, most: int) -> bytes:
        try:
            return self._stream.decompress(data, most)
        except Exception as error:  # each library has its own
            raise Damaged(
                f"Cannot unpack {self._name}: it begins as {self.form}, and goes on as "
                "something else.",
                hint=_AS_STORED,
            ) from error

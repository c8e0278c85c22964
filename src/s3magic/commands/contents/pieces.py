"""What is read of one object: how much, unpacked, as text. Pure; blocks: call it in a thread."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from s3magic.commands.showing.texts import decoded
from s3magic.errors import BadArgument
from s3magic.settings import KiB, MiB
from s3magic.transfer.unpacking import unpacker

if TYPE_CHECKING:
    from s3magic.transfer.unpacking import Unpacker

__all__ = ["HEADED", "LINE", "Asked", "Piece", "Span"]

HEADED = 1 * MiB
"""Bytes in which the first lines of one object are looked for, if they are few."""
LINE = 1 * KiB
"""Bytes for each line, if they are many."""

_SAMPLE = 512  # bytes of an object that is no text, where lines were asked for
_TELLING = 4 * KiB  # bytes that tell a text from what is none


@dataclass(frozen=True, slots=True)
class Span:
    """A range of an object's bytes, as HTTP writes it.

    Args:
        start: The first byte; None for the last `stop` bytes of the object.
        stop: Behind the last one; None for the object's end.
    """

    start: int | None
    stop: int | None

    @classmethod
    def parse(cls, text: str) -> Span:
        """Read ``0-99``, ``100-`` or ``-500``.

        Raises:
            BadArgument: It is none of these.
        """
        first, dash, last = (part.strip() for part in str(text).partition("-"))
        digits = all(part.isascii() and part.isdigit() for part in (first, last) if part)
        if dash and digits and (first or last):
            if not first and int(last):
                return cls(None, int(last))
            if first and (not last or int(first) <= int(last)):
                return cls(int(first), int(last) + 1 if last else None)
        raise BadArgument(
            "{0} is no range of bytes.",
            hint="Write 0-99 for the first hundred, 100- for all behind them, "
            "-500 for the last five hundred.",
            options=[("range", text)],
        )


@dataclass(frozen=True, slots=True)
class Asked:
    """What is wanted of the objects.

    Args:
        limit: Bytes at most, unpacked, of all objects together; None for all there are.
        lines: The first lines of each; None where they are not counted.
        each: Whether the limit is each object's own.
        raw: Take the bytes as they are: unpack nothing, read none of it as text.
        encoding: The text's encoding; empty to find out.
        span: The range of bytes of each; None for the object from its beginning.
    """

    limit: int | None
    lines: int | None = None
    each: bool = False
    raw: bool = False
    encoding: str = ""
    span: Span | None = None


@dataclass(slots=True)
class Piece:
    """What was read of one object. Its methods block: call them in a thread.

    Args:
        name: What an error calls the object.
        asked: What is wanted.
        data: It, as far as it was wanted, unpacked; there when it has ended.
        charset: What its content type says of its encoding.
        cut: Whether the limit kept some of it away.
        text: The data as text; None where they are none.
    """

    name: str
    asked: Asked
    data: bytes = b""
    charset: str = ""
    cut: bool = False
    text: str | None = None
    _blocks: list[bytes] = field(default_factory=list)
    _size: int = 0
    _newlines: int = 0
    _unpacker: Unpacker | None = None

    def take(self, block: bytes) -> bool:
        """Take what comes next of the object; tells whether that is enough."""
        asked = self.asked
        if not self._blocks and not asked.raw and asked.span is None:
            self._unpacker = unpacker(block, self.name)
        # One more than is wanted: so it is known whether there is more.
        room = -1 if asked.limit is None else asked.limit + 1 - self._size
        if self._unpacker is not None:
            block = self._unpacker.feed(block, room)
        elif room >= 0:
            block = block[:room]
        self._blocks.append(block)
        self._size += len(block)
        if asked.limit is not None and self._size > asked.limit:
            return True
        return asked.lines is not None and self._has(asked.lines, block)

    def end(self, *, whole: bool) -> None:
        """Make the most of what came.

        Args:
            whole: Whether the object was read to its end.

        Raises:
            Damaged: It was, and what is packed in it is not whole.
            BadArgument: It is not in the encoding that was told.
        """
        asked, packed = self.asked, self._unpacker
        self.data, self._blocks = b"".join(self._blocks), []
        if asked.limit is not None and self._size > asked.limit:
            self.data = self.data[: asked.limit]
            self.cut = True
        elif whole and packed is not None:
            packed.end()
        self.decode(cut=self.cut or not whole)
        if asked.lines is not None:
            self._keep(asked.lines)

    def decode(self, *, cut: bool) -> None:
        """Read the data as text, if they are to be one and are."""
        self.text = None if self.asked.raw else self._decoded(self.data, cut=cut)

    def _keep(self, lines: int) -> None:
        """Keep so many lines; of what is no text its beginning."""
        end: int | None = _SAMPLE
        if self.text is not None:
            end = _behind(self.text, lines)
            self.text = self.text[:end]
        else:
            if self.asked.raw:
                end = _behind(self.data.decode("latin-1"), lines)
            self.data = self.data[:end]
        self.cut = self.cut and end is None

    def _has(self, lines: int, block: bytes) -> bool:
        """Tell whether so many lines are there now, or none are to be had."""
        self._newlines += block.count(b"\n")
        if self._newlines < lines or self.asked.raw:  # there are no more ends than these
            return self._newlines >= lines or self._is_no_text()
        text = self._decoded(b"".join(self._blocks), cut=True)
        return text is None or _behind(text, lines) is not None

    def _is_no_text(self) -> bool:
        beginning = self._blocks[0][:_TELLING]
        told = len(beginning) == _TELLING and not self.asked.raw
        return told and self._decoded(beginning, cut=True) is None

    def _decoded(self, data: bytes, *, cut: bool) -> str | None:
        span = self.asked.span
        return decoded(
            data,
            name=self.name,
            encoding=self.asked.encoding,
            charset=self.charset,
            inside=span is not None and span.start != 0,
            cut=cut or span is not None,
        )


def _behind(text: str, lines: int) -> int | None:
    """Give the place behind so many lines; None if there are not so many."""
    at = 0
    for _ in range(lines):
        at = text.find("\n", at) + 1
        if not at:
            return None
    return at

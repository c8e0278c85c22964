r"""Progress for a terminal: one line drawn over and over, or only the last one.

A line is cut to the terminal's width before it is written, since a line that
wraps cannot be drawn over. Names are made printable first, so the only control
characters that get out are our own ``\r`` and the last ``\n``.
"""

from __future__ import annotations

import os
import unicodedata
from typing import TYPE_CHECKING, TextIO

from s3magic.transfer.figures import Figures, read
from s3magic.wording import printable

if TYPE_CHECKING:
    from s3magic.transfer.progress import Meter

__all__ = ["ClosingLine", "TextBar"]

_WIDTH = 80  # columns, where nobody can say: a notebook's stream for example
_BAR = (10, 28)  # columns of the bar, at least and at most
_NAME = (12, 28)  # columns below which a name is not worth showing, and for which the bar gives way
_PRETTY, _PLAIN = ("━", "─", "…", " · "), ("#", "-", "...", " | ")


class ClosingLine:
    """Writes nothing but the summary, once, at the end.

    Args:
        stream: Where to.
    """

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def draw(self, meter: Meter) -> None:
        """Draw nothing."""

    def close(self, summary: str) -> None:
        """Write the summary, if there is one."""
        if summary:
            self._stream.write(_encodable(f"{printable(summary)}\n", self._stream))
            self._stream.flush()


class TextBar:
    r"""One line that is drawn over with ``\r``, and ends as the summary.

    Args:
        stream: A terminal, or what treats ``\r`` as one does.
        width: Columns to use; by default what the terminal has at each drawing.
    """

    def __init__(self, stream: TextIO, *, width: int | None = None) -> None:
        self._stream = stream
        self._width = width
        self._shown = ""
        self._signs = _PRETTY if _can_write(stream, "".join(_PRETTY)) else _PLAIN

    def draw(self, meter: Meter) -> None:
        """Draw the line anew, if it changed."""
        # The last column stays free: some terminals wrap when it is written to.
        line = self._compose(read(meter, slowest=1), (self._width or _columns_of(self._stream)) - 1)
        if line != self._shown:
            self._replace(line, "")

    def close(self, summary: str) -> None:
        """Put the summary in the line's place, and end the line if there is one."""
        if summary or self._shown:
            self._replace(printable(summary), "\n" if summary else "\r")

    def _replace(self, line: str, end: str) -> None:
        rest = " " * (_columns(self._shown) - _columns(line))
        self._stream.write(
            _encodable(f"\r{line}{rest}{end}" if self._shown else line + end, self._stream)
        )
        self._stream.flush()
        self._shown = line

    def _compose(self, figures: Figures, width: int) -> str:
        """Make a line of at most `width` columns; the least needed goes first."""
        full, empty, dots, dot = self._signs
        parts = [f"{figures.percent:>4}" if figures.percent else "", figures.size]
        parts += [] if figures.size else [figures.counted]
        parts += [figures.rate, figures.left]
        parts += [figures.counted] if figures.size else []
        parts += [figures.skipped, figures.failed]
        lead = figures.doing.replace("…", dots)
        said = dot.join(part for part in parts if part)
        line = f"{lead}  {said}" if said else lead
        name = figures.name or (figures.slowest[0].name if figures.slowest else "")
        room = width - len(line)
        if figures.fraction is not None and room >= _BAR[0] + 1:
            size = room - 1 - (_NAME[1] + len(dot) if name else 0)
            size = max(_BAR[0], min(_BAR[1], size))
            done = int(figures.fraction * size)
            line = f"{lead} {full * done}{empty * (size - done)} {said}"
        room = width - len(line) - len(dot)
        if name and room >= _NAME[0]:
            line += dot + _fit(printable(name), room, dots)
        return _fit(line, width, dots)


def _fit(text: str, width: int, dots: str) -> str:
    """Cut the middle out of a text wider than `width` columns; its end tells most."""
    if _columns(text) <= width:
        return text
    room = max(0, width - len(dots))
    head, tail = room // 3, room - room // 3
    return _cut(text, head) + dots[:width] + _cut(text[::-1], tail)[::-1]


def _cut(text: str, width: int) -> str:
    """Give as many of the first characters as fit into `width` columns."""
    used = 0
    for index, char in enumerate(text):
        used += _columns(char)
        if used > width:
            return text[:index]
    return text


def _columns(text: str) -> int:
    """Count the columns a terminal needs; rather too many than too few."""
    if text.isascii():
        return len(text)
    return sum(2 if unicodedata.east_asian_width(char) in "WF" else 1 for char in text)


def _columns_of(stream: TextIO) -> int:
    try:
        return os.get_terminal_size(stream.fileno()).columns or _WIDTH
    except (OSError, ValueError, AttributeError):  # no terminal; `io` raises both of the former
        return _WIDTH


def _can_write(stream: TextIO, text: str) -> bool:
    return _encodable(text, stream) == text


def _encodable(text: str, stream: TextIO) -> str:
    """Give the text with ``?`` for what the stream's encoding does not have."""
    encoding = getattr(stream, "encoding", None) or "utf-8"
    return text.encode(encoding, "replace").decode(encoding)

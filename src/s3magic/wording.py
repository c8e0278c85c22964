"""Words for people: sizes, times and names as they may reach a screen.

A key is any string of up to 1,024 bytes, terminal escapes and markup
included. Whatever shows one passes it through `printable` (for text) or
`markup` (for HTML) first.
"""

from __future__ import annotations

import html
import unicodedata

__all__ = ["called", "count", "duration", "filesize", "markup", "printable", "shorten"]

_UNITS = ("kB", "MB", "GB", "TB", "PB", "EB")
# Control, format (bidirectional overrides among them), surrogate, and the
# Unicode line and paragraph separators.
_UNSEEN = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})
_JOINERS = frozenset("\u200c\u200d")  # they make up emoji and Indic words, and move nothing


def printable(text: str) -> str:
    r"""Give the text with every control or direction character as its escape.

    Args:
        text: Any string, a key for example.

    Returns:
        One line that moves no cursor: ``"a\x1b[2J"`` reads ``a\\x1b[2J``.
    """
    if text.isascii() and text.isprintable():
        return text
    return "".join(
        char
        if char in _JOINERS or unicodedata.category(char) not in _UNSEEN
        else char.encode("unicode_escape").decode("ascii")
        for char in text
    )


def markup(text: str) -> str:
    """Give the text as HTML that shows it literally, quotes escaped too."""
    return html.escape(printable(text), quote=True)


def shorten(text: str, width: int) -> str:
    """Cut the middle out of a text longer than `width` characters.

    The end of a key tells most, so it keeps two thirds of the room.
    """
    if len(text) <= width:
        return text
    tail = (width - 1) * 2 // 3
    return f"{text[: width - 1 - tail]}…{text[len(text) - tail :]}"


def filesize(size: float) -> str:
    """Say a number of bytes in decimal units: ``1,234`` is ``1.2 kB``."""
    if size < 1000:
        return f"{size:.0f} B"
    for unit in _UNITS:
        size /= 1000
        if size < 999.5 or unit == _UNITS[-1]:
            break
    return f"{size:.0f} {unit}" if size >= 99.5 else f"{size:.1f} {unit}"


def duration(seconds: float) -> str:
    """Say a number of seconds: ``40 ms``, ``0.4 s``, ``12 s``, ``3:05``, ``1:02:09``."""
    if seconds < 0.0995:
        return f"{seconds * 1000:.0f} ms"
    if seconds < 9.95:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    minutes, rest = divmod(whole, 60)
    if minutes < 60:
        return f"{minutes}:{rest:02}"
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}"


def count(number: int, noun: str) -> str:
    """Say how many: ``count(1, "file")`` is ``1 file``, 2000 are ``2,000 files``."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def called(value: object) -> str:
    """Say at the beginning of a sentence what a value is: ``A DataFrame``, ``An int``, ``None``."""
    name = type(value).__name__
    if value is None:
        return "None"
    return f"{'An' if name[0] in 'aeiouAEIOU' else 'A'} {name}"

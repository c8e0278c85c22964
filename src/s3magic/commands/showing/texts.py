"""What an object holds, as a value that shows itself: a `Text`, or `Data` where it is none.

Both are what they look like, a str and bytes, for whatever Python does with
them. Only a notebook shows them otherwise: a text as its lines and not as a
quoted line with its ends in it, data as a table of bytes; both cut where they are
long, and neither can steer a terminal.
"""

from __future__ import annotations

import codecs
from typing import Any, Self

from s3magic.errors import BadArgument
from s3magic.wording import count, filesize, printable

__all__ = ["Data", "Text", "codec", "decoded"]

# The Unicode Standard, 23.8, "Byte order mark"; the longer ones first.
_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_LONGEST = 4  # bytes of one character in UTF-8
_CONTINUING = range(0x80, 0xC0)  # RFC 3629, 3: the bytes within a character

_PIECE = 1024 * 1024  # bytes: a millisecond or two

# What a notebook shows of a long one: it is saved with the notebook.
_LINES = 500
_CHARACTERS = 50_000
_ROWS = 16
_WIDTH = 16


class Text(str):
    """A text that a notebook shows as it reads.

    Args:
        text: The text.
        cut: Whether the limit kept some of it away.
    """

    __slots__ = ("cut",)

    cut: bool

    def __new__(cls, text: str, *, cut: bool = False) -> Self:
        """Make one."""
        made = super().__new__(cls, text)
        made.cut = cut
        return made

    def __reduce__(self) -> tuple[Any, ...]:
        return str, (str(self),)

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:  # noqa: ARG002, FBT001 - IPython's protocol
        # Within a list or a dict it is a value among others.
        _show(printer, [repr(str(self))] if len(printer.stack) > 1 else self._shown())

    def _shown(self) -> list[str]:
        seen = self[:_CHARACTERS]
        lines = seen.split("\n")
        if len(lines) > _LINES:
            seen = "\n".join(lines[:_LINES]) + "\n"
        # A tab is a tab, and a carriage return before a line's end is Windows's.
        shown = [
            "\t".join(map(printable, line.removesuffix("\r").split("\t")))
            for line in seen.removesuffix("\n").split("\n")
        ]
        if len(seen) < len(self):
            rest = count(len(self) - len(seen), "character")
            shown.append(f"… and {rest} more: text = %s3cat …, then print(text), shows them all.")
        return shown


class Data(bytes):
    """Bytes that are no text, which a notebook shows as a table.

    Args:
        data: The bytes.
        cut: Whether the limit kept some of it away.
    """

    cut: bool

    def __new__(cls, data: bytes, *, cut: bool = False) -> Self:
        """Make one."""
        made = super().__new__(cls, data)
        made.cut = cut
        return made

    def __reduce__(self) -> tuple[Any, ...]:
        return bytes, (bytes(self),)

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:  # noqa: ARG002, FBT001 - IPython's protocol
        _show(printer, [repr(bytes(self))] if len(printer.stack) > 1 else self._shown())

    def _shown(self) -> list[str]:
        rows = []
        for at in range(0, min(len(self), _ROWS * _WIDTH), _WIDTH):
            row = self[at : at + _WIDTH]
            seen = "".join(chr(byte) if 0x20 <= byte < 0x7F else "." for byte in row)
            rows.append(f"{at:08x}  {row.hex(' '):<{3 * _WIDTH}} {seen}")
        what = f"{filesize(len(self))} that are no text"
        if len(self) > _ROWS * _WIDTH:
            what = f"… {what}, of which these are the first {_ROWS * _WIDTH}"
        advice = "%s3peek looks into tables and pictures; --encoding NAME reads it as a text."
        return [*rows, f"{what}. {advice}"]


def _show(printer: Any, lines: list[str]) -> None:
    for number, line in enumerate(lines):
        if number:
            printer.break_()
        printer.text(line)


def codec(name: str) -> str:
    """Give an encoding's own name.

    Raises:
        BadArgument: Python knows none of this name, or it is none of texts.
    """
    try:
        found = codecs.lookup(name)
    except (LookupError, ValueError) as error:
        raise BadArgument(
            "{0} is no encoding that Python knows.",
            hint="Write utf-8, latin-1, cp1252, utf-16 or another of its names.",
            options=[("encoding", name)],
        ) from error
    if not getattr(found, "_is_text_encoding", True):
        raise BadArgument(
            "{0} makes no text of bytes.", hint="Write utf-8.", options=[("encoding", name)]
        )
    return found.name


def decoded(
    data: bytes,
    *,
    name: str = "it",
    encoding: str = "",
    charset: str = "",
    inside: bool = False,
    cut: bool = False,
) -> str | None:
    """Read bytes as text: as told, by their byte order mark, or as UTF-8.

    Args:
        data: The bytes.
        name: What an error calls the object.
        encoding: What the user says that they are.
        charset: What the object's content type says: believed where they are no UTF-8.
        inside: Whether they may begin within a character.
        cut: Whether they may end within one.

    Returns:
        The text, without a mark; None if they are none.

    Raises:
        BadArgument: They are not in the encoding that the user told.
    """
    if encoding:
        try:
            return _read(data, encoding, cut=cut).removeprefix("\ufeff")
        except UnicodeError as error:
            raise BadArgument(
                "Cannot read {1}: it is no text in {2}.",
                hint="Leave {0} out: what is no text then comes as bytes.",
                options=["encoding", name, encoding],
            ) from error
    for mark, marked in _MARKS:
        if data.startswith(mark):
            return _tried(data[len(mark) :], marked, cut=cut)
    if b"\0" in data:
        return None
    text = _tried(_begun(data) if inside else data, "utf-8", cut=cut)
    if text is None and charset:
        try:
            return _tried(data, codec(charset), cut=cut)
        except BadArgument:
            return None
    return text


def _begun(data: bytes) -> bytes:
    """Leave out the rest of a character that begins before."""
    at = 0
    while at < min(len(data), _LONGEST - 1) and data[at] in _CONTINUING:
        at += 1
    return data[at:]


def _tried(data: bytes, name: str, *, cut: bool) -> str | None:
    try:
        return _read(data, name, cut=cut)
    except UnicodeError:
        return None


def _read(data: bytes, name: str, *, cut: bool) -> str:
    # In pieces, since Python lets nobody else run while it decodes one.
    decoder = codecs.getincrementaldecoder(name)("strict")
    pieces = [decoder.decode(data[at : at + _PIECE]) for at in range(0, len(data), _PIECE)]
    if not cut:
        pieces.append(decoder.decode(b"", final=True))
    return "".join(pieces)

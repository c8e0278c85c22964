r"""Cut a magic's line into words, as a POSIX shell would.

- Blanks part words. ``'…'`` holds anything literally. ``"…"`` holds blanks.
  ``\`` takes the next character literally, except on Windows, where it is the
  character of every path.
- ``$name``, ``${expression}`` and ``{expression}`` are found here, outside
  single quotes, and looked up elsewhere. ``$$``, ``{{`` and ``}}`` are the
  plain characters.
- ``#`` at the start of a word begins a comment. A ``;`` at the end is dropped:
  in a notebook it silences a value and is no part of an argument.
"""

from __future__ import annotations

import os
import re
import shlex
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from s3magic.errors import BadArgument

__all__ = ["Piece", "Unfinished", "Word", "split", "unfinished", "without_semicolon", "written"]

_TAIL = re.compile(r";\s*(\s#.*)?\Z", re.DOTALL)
_NAME = re.compile(r"[^\W\d]\w*")
_ESCAPED_IN_QUOTES = frozenset('"\\$`{}')
_PLAIN = re.compile(r"""[^\s'"\\$`{};#]+(#[^\s'"\\$`{};#]*)*""")


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of a word.

    Args:
        kind: Whether it is text, or stands for a value.
        text: The text; the name; the expression.
        source: How it was written, quotes and backslashes apart. An option
            whose value is nobody's to expand (a query) takes this.
    """

    kind: Literal["text", "name", "expression"]
    text: str
    source: str


Word: TypeAlias = tuple[Piece, ...]


@dataclass(frozen=True, slots=True)
class Unfinished:
    """A line as far as it is written.

    Args:
        words: Those that are whole.
        word: The one under way, as far as it goes; None behind a blank.
        start: Where that begins in the line.
        quote: The quote that is open; empty for none.
    """

    words: tuple[Word, ...]
    word: Word | None
    start: int
    quote: str


def split(line: str, *, windows: bool = os.name == "nt") -> list[Word]:
    """Cut a line into words.

    Raises:
        BadArgument: A quote is never closed.
    """
    return _Splitter(line, windows=windows).run().words


def unfinished(line: str, *, windows: bool = os.name == "nt") -> Unfinished | None:
    """Cut a line that is still being written; None within a comment."""
    splitter = _Splitter(line, windows=windows)
    return splitter.unfinished()


def written(text: str) -> str:
    """Write a text so that it is read as one word, every character literally."""
    if _PLAIN.fullmatch(text):
        return text
    if text and not set(text) & _ESCAPED_IN_QUOTES:
        return f'"{text}"'
    return shlex.quote(text)  # also where a backslash is no escape


def without_semicolon(line: str) -> str | None:
    """Give the line without the ``;`` that ends it; None where none does."""
    if ";" not in line:
        return None
    try:
        at = _Splitter(line, windows=os.name == "nt").run().semicolon
    except BadArgument:
        return None
    return None if at is None else line[:at] + line[at + 1 :]


@dataclass(slots=True)
class _Splitter:
    """Goes through a line once, character by character."""

    line: str
    windows: bool
    words: list[Word] = field(default_factory=list)
    semicolon: int | None = None
    _at: int = 0
    _quote: str = ""
    _opened: int = 0  # where the last quote was opened
    _pieces: list[Piece] | None = None  # of the word under way; None between words

    def run(self) -> _Splitter:
        """Go to the end of the line."""
        while self._at < len(self.line):
            if not self._quote and self._ends_here():
                break
            self._step(self.line[self._at])
        if self._quote:
            raise self._unclosed()
        self._end_word()
        return self

    def unfinished(self) -> Unfinished | None:
        """Go to where the line stops, which may be anywhere."""
        start = 0
        while self._at < len(self.line):
            if self._pieces is None:
                start = self._at
                if self.line[start] == "#":
                    return None
            self._step(self.line[self._at])
        if self._pieces is None:
            return Unfinished(tuple(self.words), None, len(self.line), "")
        return Unfinished(tuple(self.words), tuple(self._pieces), start, self._quote)

    def _ends_here(self) -> bool:
        """Notice a comment, or the ``;`` that ends the line."""
        char = self.line[self._at]
        if char == "#":
            return self._pieces is None
        if char == ";" and _TAIL.match(self.line, self._at):
            self.semicolon = self._at
            return True
        return False

    def _step(self, char: str) -> None:
        """Take one character, or one construct, from the line."""
        if char == self._quote:
            self._quote = ""
            self._at += 1
        elif self._quote == "'":
            self._add("text", char)
        elif not self._quote and char.isspace():
            self._end_word()
            self._at += 1
        elif not self._quote and char in "'\"":
            self._quote, self._opened = char, self._at
            self._pieces = self._pieces or []
            self._at += 1
        elif char == "\\" and self._escapes(self._at):
            self._at += 1
            self._add("text", self.line[self._at])
        elif char in "${}":
            self._special(char)
        else:
            self._add("text", char)

    def _escapes(self, at: int) -> bool:
        """Tell whether the backslash there makes the next character literal."""
        following = self.line[at + 1 : at + 2]
        if self.windows or not following:
            return False
        return not self._quote or following in _ESCAPED_IN_QUOTES

    def _special(self, char: str) -> None:
        """Take ``$`` or a brace, and what belongs to it."""
        following = self.line[self._at + 1 : self._at + 2]
        if following == char:
            self._add("text", char, width=2)
            return
        if char == "$" and (name := _NAME.match(self.line, self._at + 1)):
            self._add("name", name.group(), width=1 + len(name.group()))
            return
        brace = self._at + (char == "$")
        group = self._group(brace) if self.line[brace : brace + 1] == "{" else None
        if group is None:
            self._add("text", char)
        else:
            self._add("expression", group[0], width=group[1] - self._at)

    def _group(self, at: int) -> tuple[str, int] | None:
        """Read ``{…}``: what it holds and where it ends; None if it never does.

        Quotes within it are Python's, not the line's.
        """
        depth, quote, held = 0, "", ""
        while at < len(self.line):
            char = self.line[at]
            following = self.line[at + 1 : at + 2]
            if char == "\\" and self._quote and self._escapes(at):
                at, char = at + 1, following
            elif char == "\\" and quote:
                at, char = at + 1, char + following
            at += 1
            held += char
            if quote:
                quote = "" if char == quote else quote
            elif char in "'\"":
                quote = char
            elif char in "{}":
                depth += 1 if char == "{" else -1
                if depth == 0:
                    return held[1:-1], at
        return None

    def _add(
        self, kind: Literal["text", "name", "expression"], text: str, *, width: int = 1
    ) -> None:
        """Append to the word under way, and go on behind it."""
        source = self.line[self._at : self._at + width]
        if kind == "expression":
            source = ("${" if source[0] == "$" else "{") + text + "}"
        pieces = self._pieces = self._pieces or []
        if kind == "text" and pieces and pieces[-1].kind == "text":
            last = pieces.pop()
            text, source = last.text + text, last.source + source
        pieces.append(Piece(kind, text, source))
        self._at += width

    def _end_word(self) -> None:
        if self._pieces is not None:
            self.words.append(tuple(self._pieces))
        self._pieces = None

    def _unclosed(self) -> BadArgument:
        """Say which word has the quote, and how it is written so that it has not."""
        start = self._opened
        while start and not self.line[start - 1].isspace():
            start -= 1
        word = self.line[start:].split()[0].rstrip(";")
        written = f'"{word}"' if not set(word) & _ESCAPED_IN_QUOTES else shlex.quote(word)
        return BadArgument(
            f"The quote {self._quote} in {word} is never closed.",
            hint=f"If it belongs to the name, write {written}.",
        )

"""Spells the options that a sentence names: as Python has them, or as a magic's line does. Pure.

One error goes out by two doors: ``await s3.ls(…, page_size=0)`` is told of
``page_size=0``, ``%s3ls --page-size 0`` of ``--page-size 0``. So a sentence
that names options has ``{0}``, ``{1}`` where they stand. While a line runs, what is
raised for it is spelled as it was written, rows of a report among it.
"""

from __future__ import annotations

import contextlib
import re
from contextvars import ContextVar
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

__all__ = ["Option", "Sentences", "line"]

_flags: ContextVar[Mapping[str, str] | None] = ContextVar("s3magic_flags", default=None)
_PLACE = re.compile(r"\{(\d)\}")
_PLAIN = re.compile(r"[^\s'\"]+")

Option: TypeAlias = "str | tuple[str, object]"
"""An option's keyword, or that and its value; True is the value of a switch.

Any other text stays as it is: a key, which may have braces of its own, has a
place too where a sentence names options.
"""


@contextlib.contextmanager
def line(flags: Mapping[str, str]) -> Iterator[None]:
    """Spell as a line does what is raised within, in tasks and threads that begin there too.

    Args:
        flags: How the magic writes each of its options.
    """
    before = _flags.set(flags)
    try:
        yield
    finally:
        _flags.reset(before)


@dataclass(frozen=True, slots=True)
class Sentences:
    """An error's sentences, and the options that they name.

    Args:
        message: The one.
        hint: The other.
        options: Each option's keyword, how Python writes it, and what a line
            writes behind its flag; or a text that stays as it is.
    """

    message: str
    hint: str
    options: tuple[tuple[str, str, str], ...]

    @classmethod
    def of(cls, message: str, hint: str, options: Sequence[Option]) -> Sentences:
        """Take the values' texts, and not the values, which may be large."""
        return cls(message, hint, tuple(map(_told, options)))

    def spelled(self) -> tuple[str, str]:
        """Give message and hint for whoever asks now: a line, or a call."""
        flags = _flags.get()
        return self.in_python() if flags is None else self.on_line(flags)

    def in_python(self) -> tuple[str, str]:
        """Give message and hint for a call: ``page_size=0``."""
        return self._with([python for _, python, _ in self.options])

    def on_line(self, flags: Mapping[str, str]) -> tuple[str, str]:
        """Give message and hint for a magic's line: ``--page-size 0``.

        Args:
            flags: How the magic writes each of its options; what it has not is
                no option there, and keeps its name.
        """
        return self._with([flags.get(name, name) + value for name, _, value in self.options])

    def _with(self, words: Sequence[str]) -> tuple[str, str]:
        def word(place: re.Match[str]) -> str:
            number = int(place[1])
            return words[number] if number < len(words) else place[0]

        return _PLACE.sub(word, self.message), _PLACE.sub(word, self.hint)


def _told(option: Option) -> tuple[str, str, str]:
    if isinstance(option, str):
        return option, option, ""
    name, value = option
    said = repr(value)
    if value is True:
        return name, f"{name}={said}", ""
    plain = isinstance(value, str) and _PLAIN.fullmatch(value)
    return name, f"{name}={said}", f" {value if plain else said}"

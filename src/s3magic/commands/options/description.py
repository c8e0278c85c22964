"""Describe a magic and its awaitable twin, once for both.

`s3magic.notebook.arguments` reads a line by the description,
`s3magic.notebook.helptext` writes the help from it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Self

from s3magic.commands.options.kinds import OBJECT, TEXT, Kind

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Option", "Placed", "Positional", "Verb"]


class Placed(str):
    """A text of a line that knows its place among the options, where their order counts."""

    __slots__ = ("place",)
    place: int

    def __new__(cls, text: str, place: int) -> Self:
        """Give `text` its place, counted from 0."""
        placed = super().__new__(cls, text)
        placed.place = place
        return placed


@dataclass(frozen=True, slots=True)
class Positional:
    """An argument that is known by its place.

    Args:
        name: What help calls it: ``SOURCE``.
        help: One phrase.
        required: Whether it must be given.
        many: Whether any number may stand here: one is passed as itself,
            several as a list. At most one of a verb's positionals may be so.
        kind: What it may be; by default any text or object.
        accepts: For an optional one behind `many`: whether the last word is
            this one rather than one more of those. By default it is.
        where: What it names, for who completes it: something in S3 (``s3``),
            on this file system (``local``), or either (``both``). Of one that
            names a variable (``variable``) what that holds is passed; no other
            may come before it but such.
    """

    name: str
    help: str = ""
    required: bool = True
    many: bool = False
    kind: Kind = OBJECT
    accepts: Callable[[object], bool] | None = None
    where: Literal["s3", "local", "both", "variable"] = "s3"


@dataclass(frozen=True, slots=True)
class Option:
    """An argument that is known by its name.

    Args:
        flags: How it is written: ``("-r", "--recursive")``.
        help: One phrase.
        kind: What its value may be; None for a switch, which takes none.
        choices: The only values there are, if so.
        default: What help says holds when it is not given; `parse` passes nothing then.
        raw: Its value is in a language that has ``$`` and braces of its own:
            only a whole ``$name`` is looked up, nothing inside.
        repeatable: Whether it may be given again: the values make a list, or,
            where each is a mapping, one dict.
        keyword: The twin's name for it; by default that of the last flag.
        value: What a switch passes.
        variable: Its value is the name of a variable, and what that holds is passed.
        secret: Its value may only come from a variable: what is typed into a
            cell is saved with the notebook, and in the history.
        placed: Its values come as `Placed`: their order among those of other
            options counts.
        bare: What it passes when it stands alone; a value then only comes
            behind ``=``. None where it must have one.
    """

    flags: tuple[str, ...]
    help: str = ""
    kind: Kind | None = None
    choices: tuple[str, ...] = ()
    default: object = None
    raw: bool = False
    repeatable: bool = False
    keyword: str = ""
    value: object = True
    variable: bool = False
    secret: bool = False
    placed: bool = False
    bare: object = None

    @property
    def name(self) -> str:
        """The keyword that the twin takes: ``--page-size`` is ``page_size``."""
        return self.keyword or self.flags[-1].lstrip("-").replace("-", "_")

    @property
    def alone(self) -> object:
        """What it passes when it stands alone; None where it must have a value."""
        return self.value if self.takes is None else self.bare

    @property
    def takes(self) -> Kind | None:
        """What its value may be; None for a switch."""
        return TEXT if self.kind is None and (self.choices or self.raw) else self.kind


@dataclass(frozen=True, slots=True)
class Verb:
    """A magic and its awaitable twin.

    Args:
        name: The magic's name, without ``%``.
        summary: What it does: one sentence.
        positionals: In their order.
        options: As help lists them; ``-h, --help`` is every verb's.
        examples: Lines that work when pasted, each with what it does.
        twin: How the twin is called in a cell: ``s3.ls``.
        details: What else help should say; paragraphs.
        takes_cell: The twin's keyword that takes the text below the first line,
            where this is a cell magic; else empty.
    """

    name: str
    summary: str
    positionals: tuple[Positional, ...] = ()
    options: tuple[Option, ...] = ()
    examples: tuple[tuple[str, str], ...] = ()
    twin: str = ""
    details: str = ""
    takes_cell: str = ""

    @property
    def magic(self) -> str:
        """The magic as it is written: ``%s3get``, and ``%%s3put`` for a cell's."""
        return ("%%" if self.takes_cell else "%") + self.name

    @property
    def usage(self) -> str:
        """The line that shows what goes where: ``%s3get SOURCE… [TARGET] [options]``."""
        words = [self.magic]
        for item in self.positionals:
            name = item.name + ("…" if item.many else "")
            words.append(name if item.required else f"[{name}]")
        return " ".join([*words, "[options]"])

"""The magics at a glance: what ``%s3`` alone shows."""

from __future__ import annotations

import difflib
import textwrap
from dataclasses import dataclass
from typing import TYPE_CHECKING

from s3magic.errors import BadArgument
from s3magic.wording import markup

if TYPE_CHECKING:
    from collections.abc import Sequence

    from s3magic.commands.options.description import Verb

__all__ = ["Family", "asked"]

_WIDTH = 88
_HEADS = ("magic", "in a cell", "what it does")
_LAST = "%s3 ls, for example, shows the help of %s3ls; so do %s3ls -h and %s3ls?."


@dataclass(frozen=True, slots=True)
class Family:
    """The verbs, shown as a table: magic, twin, what it does."""

    verbs: tuple[Verb, ...]

    def __repr__(self) -> str:
        magics = max(len(verb.magic) for verb in self.verbs) + 2
        twins = max(len(verb.twin) for verb in self.verbs) + 2
        lines = [f"{_HEADS[0]:{magics}}{_HEADS[1]:{twins}}{_HEADS[2]}"]
        for verb in self.verbs:
            start = f"{verb.magic:{magics}}{verb.twin:{twins}}"
            told = textwrap.wrap(verb.summary, _WIDTH - len(start)) or [""]
            lines += [start + told[0], *(" " * len(start) + more for more in told[1:])]
        return "\n".join([*lines, "", _LAST])

    def _repr_html_(self) -> str:
        rows = "".join(_row(verb) for verb in self.verbs)
        head = "".join(f'<th style="text-align:left">{one}</th>' for one in _HEADS)
        return f"<table><tr>{head}</tr>{rows}</table><p>{markup(_LAST)}</p>"


def asked(line: str, names: Sequence[str]) -> str | None:
    """Give the magic whose help is asked for; None for all of them.

    Raises:
        BadArgument: There is no such magic.
    """
    words = line.split()
    if not words or words[0] in {"-h", "--help"}:
        return None
    name = "s3" + words[0].lstrip("%").removeprefix("s3")
    if name in names:
        if words[1:] not in ([], ["-h"], ["--help"]):
            raise BadArgument(
                f"%s3 only shows help, and was given more than {words[0]}.",
                hint=f"Write %{name} {' '.join(words[1:])}.",
            )
        return name
    short = [one.removeprefix("s3") for one in names]
    near = difflib.get_close_matches(name.removeprefix("s3"), short, n=1)
    raise BadArgument(
        f"There is no magic %{name}.",
        hint=f"Did you mean %s3{near[0]}?" if near else "%s3 lists them.",
    )


def _row(verb: Verb) -> str:
    cells = (
        f"<code>{markup(verb.magic)}</code>",
        f"<code>{markup(verb.twin)}</code>",
        markup(verb.summary),
    )
    return "<tr>" + "".join(f'<td style="text-align:left">{cell}</td>' for cell in cells) + "</tr>"

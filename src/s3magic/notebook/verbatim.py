"""Keep the text of a cell magic as it was written.

IPython takes a cell for Python before it looks for a ``%%``: it removes what
looks like a prompt, ``>>>``, from every line, and the blanks of lines that hold
nothing else. So the call of a cell magic is made before all that. IPython also
refuses a cell of one line alone, ``%%magic -h`` for example, before the magic
is asked: it is given an empty line.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Verbatim"]

_CELL_MAGIC = re.compile(r"%%(\w+)((?:[ \t].*)?)$", re.DOTALL)


class Verbatim:
    """The first of a shell's input transformers: makes the call of a cell magic.

    Args:
        is_ours: Tells whether a magic of some kind and name is one of ours.
    """

    has_side_effects = True  # IPython asks: none, but it needs the %% to know when a cell ends

    def __init__(self, is_ours: Callable[[str, str], bool]) -> None:
        self._is_ours = is_ours

    def __call__(self, lines: list[str]) -> list[str]:
        """Give a cell's lines, or the one that calls its magic."""
        first = next((at for at, line in enumerate(lines) if line.strip()), None)
        if first is None or not (found := _CELL_MAGIC.match(lines[first])):
            return lines
        name, line = found.groups()
        if not self._is_ours("cell", name):
            return lines
        body = "".join(lines[first + 1 :]) or "\n"
        return [f"get_ipython().run_cell_magic({name!r}, {line.strip()!r}, {body!r})\n"]

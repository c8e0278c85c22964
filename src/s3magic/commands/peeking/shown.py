"""What a look into an object gives, and how it shows itself: as HTML, and as text."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from s3magic.wording import count, filesize, markup, printable

if TYPE_CHECKING:
    import pandas as pd

    from s3magic.commands.peeking.look import Look

__all__ = ["Peek"]

_COLUMNS = 100  # of a schema that are shown
_COUNTED = {  # facts that are numbers of things, and what one of them is called
    "row groups": "row group",
    "batches": "batch",
    "stripes": "stripe",
    "arrays": "array",
    "entries": "entry",
}
_PLAIN = {"colours", "depth"}  # facts that need no name in front


@dataclass(frozen=True, eq=False, repr=False)
class Peek:
    """What was seen of an object.

    Args:
        uri: The object.
        size: Its bytes.
        bytes_read: Those that moved for it.
        look: What was found in them.
    """

    uri: str
    size: int
    bytes_read: int
    look: Look

    @property
    def format(self) -> str:
        """What it is: ``parquet``, ``csv``, ``png``, ``text``, ``binary``."""
        return self.look.format

    @property
    def schema(self) -> pd.DataFrame | None:
        """Its columns: ``Column``, ``Type`` (string), of Parquet ``Bytes``, ``Min``, ``Max``."""
        return self.look.schema

    @property
    def head(self) -> pd.DataFrame | None:
        """Its first rows, lines or entries; None where none could be read."""
        return self.look.head

    @property
    def rows(self) -> int | None:
        """How many rows it has, where the format says it."""
        return self.look.rows

    @property
    def facts(self) -> dict[str, Any]:
        """What else it says of itself: ``width`` and ``height`` of an image, ``shape``."""
        return dict(self.look.facts)

    @property
    def note(self) -> str:
        """Why there is no more to see; empty where nothing is missing."""
        return self.look.note

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Peek):
            return NotImplemented
        mine, theirs = self.look, other.look
        plain = (self.uri, self.size, mine.format, mine.rows, dict(mine.facts), mine.note)
        return (
            plain
            == (other.uri, other.size, theirs.format, theirs.rows, dict(theirs.facts), theirs.note)
            and _same(mine.schema, theirs.schema)
            and _same(mine.head, theirs.head)
        )

    def __hash__(self) -> int:
        return hash((self.uri, self.size))

    def __repr__(self) -> str:
        parts = [self._title()]
        if self.schema is not None and len(self.schema):
            parts.append(self.schema.head(_COLUMNS).to_string(index=False, na_rep=""))
        if self.head is not None and len(self.head.columns):
            parts.append(self.head.to_string(max_colwidth=50, line_width=120))
        parts += [self.note] if self.note else []
        return "\n\n".join(
            "\n".join(printable(line) for line in part.split("\n")) for part in parts
        )

    def _repr_html_(self) -> str:
        title, _, told = self._title().partition("\n")
        parts = [f"<p><b>{markup(title)}</b><br>{markup(told)}</p>"]
        if self.schema is not None and len(self.schema):
            inner = self.schema.head(_COLUMNS).to_html(index=False, border=0, na_rep="")
            opened = " open" if len(self.schema) <= 20 else ""
            columns = count(len(self.schema), "column")
            parts.append(f"<details{opened}><summary>{columns}</summary>{inner}</details>")
        if self.head is not None and len(self.head.columns):
            parts.append(self.head.to_html(border=0, max_cols=30, notebook=True))
        if self.note:
            parts.append(f"<p><i>{markup(self.note)}</i></p>")
        return f"<div>{''.join(parts)}</div>"

    def _title(self) -> str:
        told = [self.format, filesize(self.size)]
        if self.rows is not None:
            told.append(count(self.rows, "row"))
        if self.schema is not None and len(self.schema):
            told.append(count(len(self.schema), "column"))
        told += [_said(name, value) for name, value in self.look.facts.items()]
        return f"{self.uri}\n{', '.join(told)} ({filesize(self.bytes_read)} read)"


def _said(name: str, value: object) -> str:
    if name in _COUNTED and isinstance(value, int):
        return f"{value:,} {_COUNTED[name] if value == 1 else name}"
    if name in _PLAIN:
        return str(value)
    return f"{name} {repr(value) if isinstance(value, str) and not value.strip() else value}"


def _same(mine: pd.DataFrame | None, theirs: pd.DataFrame | None) -> bool:
    if mine is None or theirs is None:
        return mine is theirs
    return mine.equals(theirs)

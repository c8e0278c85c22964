"""Plans a read: which objects, in which format, with which columns from their folders. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from s3magic.commands.contents.formats import form_of, refuse_pickle
from s3magic.commands.contents.row_filters import Filter, filter_of
from s3magic.errors import BadArgument
from s3magic.wording import count

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from s3magic.commands.sources.objects import Found
    from s3magic.uri import S3Uri

__all__ = ["READABLE", "Asked", "Planned", "planned"]

READABLE = ("parquet", "csv", "tsv", "jsonl", "json", "arrow", "orc", "excel")
"""The formats that hold tables which can be read."""

_FOLDER = re.compile(r"^([^=]+)=(.*)$")
_MISSING = "__HIVE_DEFAULT_PARTITION__"  # Hive's name for a missing value, and Spark's
_INTEGER = re.compile(r"^-?(0|[1-9]\d{0,17})$")


@dataclass(frozen=True, slots=True)
class Asked:
    """What is wanted of each object.

    Args:
        engine: Whose frame it is to be.
        columns: The columns wanted, in their order; empty for all.
        terms: What rows must fulfil.
        limit: Rows at most; None for all.
        options: What the engine's own reader is told.
        source: Whether a column ``Source`` says where each row is from.
    """

    engine: str
    columns: tuple[str, ...] = ()
    terms: tuple[Filter, ...] = ()
    limit: int | None = None
    options: Mapping[str, Any] = field(default_factory=dict)
    source: bool = False

    @classmethod
    def of(cls, engine: str, where: str | None, columns: Sequence[str], **others: Any) -> Asked:
        """Read the filter, and check that no column is named twice."""
        twice = {name for name in columns if list(columns).count(name) > 1}
        if twice:
            raise BadArgument(f"The column {min(twice)!r} is named twice.")
        terms = tuple(filter_of(where)) if where is not None else ()
        return cls(engine, tuple(columns), terms, **others)


@dataclass(frozen=True, slots=True)
class Planned:
    """One object that is read.

    Args:
        found: The object.
        format: One of `READABLE`.
        packed: Whether its name says that it is packed.
        added: The columns that its folders, and `Source`, give it.
    """

    found: Found
    format: str
    packed: bool
    added: Mapping[str, Any]

    def pushed(self, asked: Asked) -> list[Filter]:
        """Give the terms that the object itself can be asked."""
        return [term for term in asked.terms if not term.names & self.added.keys()]

    def left(self, asked: Asked) -> list[Filter]:
        """Give the terms that need its folders' columns beside its own."""
        return [term for term in asked.terms if term.names & self.added.keys()]

    def wanted(self, asked: Asked) -> list[str]:
        """Give the columns of its own that must be read; empty for all."""
        if not asked.columns:
            return []
        looked_at = sorted({name for term in asked.terms for name in term.names})
        names = dict.fromkeys((*asked.columns, *looked_at))
        return [name for name in names if name not in self.added]


def planned(
    found: Sequence[Found], asked: Asked, *, named: str | None, folders: bool
) -> list[Planned]:
    """Plan the read of some objects.

    Args:
        found: The objects.
        asked: What is wanted of them.
        named: Their format, where somebody says it.
        folders: Whether they are of a tree: what its folders are called
            (``year=2024/``) become columns, and names that begin with ``_`` or
            ``.`` are left out, as every reader of such trees does.

    Raises:
        BadArgument: Their formats are unknown, or several; or nothing is left.
    """
    taken = [one for one in found if not folders or _shown(one.uri)]
    if not taken:
        raise BadArgument(
            "There is nothing to read among what was found.",
            hint="Names that begin with _ or . are left out of trees.",
        )
    forms = [_form(one.uri, named) for one in taken]
    formats = sorted({form for form, _ in forms})
    if len(formats) > 1:
        raise BadArgument(
            f"There are {' and '.join(formats)} among the {count(len(taken), 'object')}, and a "
            "frame is read of one format.",
            hint='Choose with {0}: "s3://bucket/folder/**/*.csv".',
            options=[("glob", True)],
        )
    values = _typed([_values(one.uri) if folders else {} for one in taken])
    plans = []
    for one, (form, packed), own in zip(taken, forms, values, strict=True):
        its = own | ({"Source": str(one.uri)} if asked.source else {})
        plans.append(Planned(one, form, packed, its))
    kept = [one for one in plans if _may(one, asked)]
    return kept or plans[:1]  # the columns of one, and none of its rows


def _may(plan: Planned, asked: Asked) -> bool:
    """Tell whether an object may hold rows, by what its folders say."""
    known = [term for term in asked.terms if term.names <= plan.added.keys()]
    return all(term.of_values(plan.added) for term in known)


def _shown(uri: S3Uri) -> bool:
    parts = [part for part in uri.key.split("/") if "=" not in part]
    return not uri.key.endswith("/") and not any(part.startswith(("_", ".")) for part in parts)


def _form(uri: S3Uri, named: str | None) -> tuple[str, bool]:
    form = form_of(uri.key, named)
    if form.format == "pickle":
        raise refuse_pickle(uri)
    if form.format not in READABLE:
        what = (
            "its name tells no format" if not form.format else f"it is no table, but {form.format}"
        )
        raise BadArgument(
            f"Cannot read {{1}}: {what}.",
            hint=f"Say what it is with {{0}}: {', '.join(READABLE)}.",
            options=["format", str(uri)],
        )
    return form.format, bool(form.packed)


def _values(uri: S3Uri) -> dict[str, str | None]:
    """Give what a key's folders say: ``year=2024/`` gives year."""
    matches = (_FOLDER.match(part) for part in uri.key.split("/")[:-1])
    pairs = ((unquote(match[1]), unquote(match[2])) for match in matches if match)
    return {name: None if text == _MISSING else text for name, text in pairs}


def _typed(values: Iterable[dict[str, str | None]]) -> list[dict[str, Any]]:
    """Turn a column's texts into numbers where all of them are."""
    rows = list(values)
    names = dict.fromkeys(name for row in rows for name in row)
    numbers = {
        name
        for name in names
        if all(_INTEGER.match(row[name] or "0") for row in rows if row.get(name) is not None)
    }
    return [
        {
            name: int(text) if name in numbers and text is not None else text
            for name, text in ((name, row.get(name)) for name in names)
        }
        for row in rows
    ]

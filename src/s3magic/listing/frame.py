"""Build the DataFrame of a listing, with the columns and types that are promised.

pandas is imported when the first frame is built, in the thread that builds it.
Later frames of a few rows are built where they are asked for.
"""

from __future__ import annotations

import asyncio
import difflib
import functools
import sys
from typing import TYPE_CHECKING, Any

from s3magic.errors import BadArgument

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    import pandas as pd

    from s3magic.listing.page import Page
    from s3magic.model import S3Owner

__all__ = ["Table", "arrange", "buckets", "column_names", "framed", "named", "results"]

_USUAL = ("Key", "Size", "LastModified", "ETag", "StorageClass", "Type", "Bucket")
_VERSIONS = ("VersionId", "IsLatest", "IsDeleteMarker")
_TEXTS = frozenset({"Key", "ETag", "StorageClass", "Owner", "VersionId"})
# Rows that are kept as Python objects before they become a part of the frame. A part
# takes a third of their memory; of this size it holds the interpreter for milliseconds.
_PART = 16_000
_AT_ONCE = 1_000  # rows that take less time than a thread to wake, on a busy machine


def column_names(*, owner: bool = False, versions: bool = False) -> tuple[str, ...]:
    """Give the names of a listing's columns, in their order."""
    return _USUAL + ("Owner",) * owner + _VERSIONS * versions


class Table:
    """A listing that grows page by page into a frame.

    Args:
        bucket: The bucket listed.
        owner: Whether the frame has ``Owner``.
        versions: Whether it has ``VersionId``, ``IsLatest``, ``IsDeleteMarker``.
    """

    def __init__(self, bucket: str, *, owner: bool = False, versions: bool = False) -> None:
        self._bucket = bucket
        self._names = column_names(owner=owner, versions=versions)
        self._pages: list[Page] = []
        self._waiting = 0
        self._parts: list[pd.DataFrame] = []

    async def add(self, page: Page) -> None:
        """Append a page's rows."""
        self._pages.append(page)
        self._waiting += len(page)
        if self._waiting >= _PART:
            await self._part()

    async def frame(self) -> pd.DataFrame:
        """Give all rows.

        Returns:
            ``Key`` string; ``Size`` int64, bytes; ``LastModified`` datetime64 in
            UTC; ``ETag`` and ``StorageClass`` string; ``Type`` string, ``object``
            or ``prefix``; ``Bucket`` category; and what was asked for on top. A
            prefix has size 0 and nothing else to tell.
        """
        if self._pages or not self._parts:
            await self._part()
        if len(self._parts) == 1:
            return self._parts[0]
        return await asyncio.to_thread(_joined, self._parts)

    async def _part(self) -> None:
        pages, rows, self._pages, self._waiting = self._pages, self._waiting, [], 0
        if rows <= _AT_ONCE and "pandas" in sys.modules:
            part = _frame(pages, self._bucket, self._names)
        else:
            part = await asyncio.to_thread(_frame, pages, self._bucket, self._names)
        self._parts.append(part)


def framed(page: Page, bucket: str) -> pd.DataFrame:
    """Make a listing's frame of one page, at once; blocks while pandas is imported."""
    return _frame([page], bucket, column_names())


def buckets(answers: Iterable[dict[str, Any]]) -> pd.DataFrame:
    """Make the frame of a list of buckets: ``Name`` string, ``CreationDate`` in UTC."""
    import pandas as pd

    rows = list(answers)
    return pd.DataFrame(
        {
            "Name": pd.array([row["Name"] for row in rows], dtype="string"),
            "CreationDate": pd.DatetimeIndex(
                [row.get("CreationDate") for row in rows], dtype="datetime64[us, UTC]"
            ),
        }
    )


def results(found: list[Any], bucket: str, empty: pd.DataFrame) -> pd.DataFrame:
    """Make a frame of what a query found.

    Args:
        found: Objects, projections of objects, or scalars.
        bucket: The bucket listed.
        empty: What to give where nothing was found.

    Returns:
        Rows that hold a ``Key``: the usual columns, as far as the query gave
        them, then its own, then ``Type`` and ``Bucket``: still a source for get.
        Other objects: their fields. Anything else: one column, ``value``.
    """
    import pandas as pd

    if not found:
        return empty
    if not all(isinstance(row, dict) for row in found):
        if all(isinstance(row, list) for row in found):
            return _tidy(pd.DataFrame(found).rename(columns=str))
        return _tidy(pd.DataFrame({"value": pd.Series(found, dtype=object)}).infer_objects())
    names = list(dict.fromkeys(name for row in found for name in row))
    if "Owner" in names:
        found = [row | {"Owner": _owner(row.get("Owner"))} for row in found]
    frame = _tidy(pd.DataFrame(found, columns=names))
    if not all(isinstance(row.get("Key"), str) for row in found):
        return frame
    frame["Type"] = pd.array(["object"] * len(frame), dtype="string")
    frame["Bucket"] = _bucket(bucket, len(frame))
    usual = [name for name in column_names(owner=True, versions=True) if name in frame]
    return frame[usual + [name for name in names if name not in usual]]


def named(name: str, columns: Sequence[str]) -> str:
    """Find a column by its name, capitals or not.

    Raises:
        BadArgument: There is none, and the sentence names the nearest.
    """
    folded = {column.casefold(): column for column in columns}
    if name in columns:
        return name
    if name.casefold() in folded:
        return folded[name.casefold()]
    near = difflib.get_close_matches(name.casefold(), folded, n=3, cutoff=0.5)
    raise BadArgument(
        f"Cannot sort by {name!r}: there is no such column.",
        hint=f"Did you mean {' or '.join(folded[one] for one in near)}?"
        if near
        else f"There are {', '.join(columns)}.",
    )


def arrange(frame: pd.DataFrame, sort: str | None, *, reverse: bool) -> pd.DataFrame:
    """Sort a frame, equal rows in the order they were; or turn it round.

    Raises:
        BadArgument: The column is not there, or its values have no order.
    """
    if sort is None:
        return frame.iloc[::-1].reset_index(drop=True) if reverse else frame
    column = named(sort, list(frame.columns))
    try:
        return frame.sort_values(column, ascending=not reverse, kind="stable", ignore_index=True)
    except TypeError as error:
        raise BadArgument(f"Cannot sort by {column!r}: its values have no order.") from error


def _frame(pages: list[Page], bucket: str, names: tuple[str, ...]) -> pd.DataFrame:
    import numpy as np
    import pandas as pd

    columns: dict[str, list[Any]] = {name: [] for name in names}
    for page in pages:
        _append(columns, page)
    made: dict[str, Any] = {}
    for name, values in columns.items():
        if name == "Size":
            made[name] = np.array(values, dtype="int64")
        elif name == "LastModified":
            made[name] = _times(values)
        elif name in {"IsLatest", "IsDeleteMarker"}:
            made[name] = np.array(values, dtype="bool")
        elif name == "Bucket":
            made[name] = _bucket(bucket, len(columns["Key"]))
        else:
            made[name] = _texts(values)
    return pd.DataFrame(made, copy=False)  # the columns are nobody else's


def _append(columns: dict[str, list[Any]], page: Page) -> None:
    """Append a page's rows to the columns, folders among the objects by their names."""
    objects, folders = len(page.keys), len(page.prefixes)
    nothing = [None] * folders
    rows: dict[str, list[Any]] = {
        "Key": page.keys + page.prefixes,
        "Size": page.sizes + [0] * folders,
        "LastModified": page.stamps + nothing,
        "ETag": page.etags + nothing,
        "StorageClass": page.classes + nothing,
        "Type": ["object"] * objects + ["prefix"] * folders,
        "Owner": [_owner(owner) for owner in page.owners or ()] + nothing,
        "VersionId": [*(page.version_ids or ()), *nothing],
        "IsLatest": [*(page.latest or ()), *[False] * folders],
        "IsDeleteMarker": [*(page.deleted or ()), *[False] * folders],
    }
    order = page.order
    for name in columns.keys() - {"Bucket"}:
        column = rows[name]
        columns[name] += column if order is None else [column[at] for at in order]


def _joined(parts: list[pd.DataFrame]) -> pd.DataFrame:
    import pandas as pd

    return pd.concat(parts, ignore_index=True)


def _texts(values: list[str | None]) -> pd.api.extensions.ExtensionArray:
    import pandas as pd

    kind = pd.StringDtype()
    # As types and classes often are. For a few rows it is the dearer way: the first
    # call of anything in pandas, after a while, costs more than ten rows do.
    if len(values) > _AT_ONCE and values.count(values[0]) == len(values):
        return pd.array(values[:1], dtype=kind).repeat(len(values))
    return pd.array(values, dtype=kind)


def _times(stamps: list[str | None]) -> pd.DatetimeIndex:
    import numpy as np
    import pandas as pd

    return pd.DatetimeIndex(np.array(stamps, dtype="datetime64[us]"), tz="UTC")


def _bucket(name: str, length: int) -> pd.Categorical[Any]:
    import numpy as np
    import pandas as pd

    codes = np.zeros(length, dtype="int8")
    return pd.Categorical.from_codes(codes, dtype=_category(name), validate=False)


@functools.lru_cache(maxsize=64)
def _category(name: str) -> pd.CategoricalDtype[Any]:
    """Make the type of a bucket's column, which costs more than the rest of it."""
    import pandas as pd

    return pd.CategoricalDtype(pd.Index([name]))


def _owner(owner: Any) -> Any:
    """Name an owner: S3 gave display names once, and gives identifiers now."""
    if not isinstance(owner, dict):
        return owner
    told: S3Owner = owner  # type: ignore[assignment]
    return told.get("DisplayName") or told.get("ID")


def _tidy(frame: pd.DataFrame) -> pd.DataFrame:
    """Give texts and times the types that they have in a listing."""
    import pandas as pd

    for name in frame.columns:
        kind = pd.api.types.infer_dtype(frame[name], skipna=True)
        if kind == "string" or (name in _TEXTS and kind == "empty"):
            frame[name] = frame[name].astype("string")
        elif kind in {"datetime", "datetime64"}:
            frame[name] = pd.to_datetime(frame[name], utc=True).astype("datetime64[us, UTC]")
    return frame

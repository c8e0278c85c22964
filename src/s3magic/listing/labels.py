"""Say of each object of a page to which group it belongs: its class, extension, age, … Pure."""

from __future__ import annotations

import bisect
import datetime as dt
import difflib
from functools import partial
from typing import TYPE_CHECKING, TypeAlias

from s3magic.errors import BadArgument

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from s3magic.listing.page import Page

__all__ = ["BY", "ORDERED", "Labels", "canonical", "labels_of", "named"]

Labels: TypeAlias = "Callable[[Page], Sequence[str]]"
"""Gives the label of each of a page's objects."""

# Days, and what is younger than that; S3 charges the infrequent classes for 30, 90 or 180.
_AGES = (
    (1, "under a day"),
    (7, "under a week"),
    (30, "under 30 days"),
    (90, "under 90 days"),
    (180, "under 180 days"),
    (365, "under a year"),
    (1095, "under 3 years"),
)
_OLDEST = "3 years and more"
# Bytes, and what is smaller; what is below 128 KiB has no profit of the infrequent classes.
_SIZES = (
    (1, "empty"),
    (1024, "under 1 KiB"),
    (128 * 1024, "under 128 KiB"),
    (1024**2, "under 1 MiB"),
    (16 * 1024**2, "under 16 MiB"),
    (128 * 1024**2, "under 128 MiB"),
    (1024**3, "under 1 GiB"),
    (10 * 1024**3, "under 10 GiB"),
)
_LARGEST = "10 GiB and more"
_UNKNOWN = "unknown"

BY = ("StorageClass", "Extension", "Age", "Year", "Month", "SizeRange", "Owner")
"""What objects can be grouped by."""

_FOLDED = {one.casefold(): one for one in BY}

ORDERED = {
    "Age": (*(name for _, name in _AGES), _OLDEST, _UNKNOWN),
    "SizeRange": (*(name for _, name in _SIZES), _LARGEST),
    "Year": (),
    "Month": (),
}
"""Those with an order of their own, and their labels in it; empty where the text has it."""


def canonical(name: object) -> str:
    """Give the one of `BY` that is meant, capitals and dashes or not; else the name as it is."""
    return _FOLDED.get(str(name).casefold().replace("_", "").replace("-", ""), str(name))


def named(name: object) -> str:
    """Find one of `BY` by its name, as `canonical` reads it.

    Raises:
        BadArgument: There is none, and the sentence names the nearest.
    """
    found = canonical(name)
    if found in BY:
        return found
    near = difflib.get_close_matches(found.casefold(), _FOLDED, n=1, cutoff=0.5)
    raise BadArgument(
        f"Cannot group by {name!r}.",
        hint=(f"Did you mean {_FOLDED[near[0]]}? " if near else "") + f"There are {', '.join(BY)}.",
    )


def labels_of(name: str, now: dt.datetime) -> Labels:
    """Give what labels a page's objects by one of `BY`.

    Args:
        name: Which.
        now: The moment that ages count back from, with its zone.
    """
    if name == "Age":
        moment = now.astimezone(dt.UTC).replace(tzinfo=None)
        # The youngest come last in time: the borders ascend as bisect wants them.
        borders = [(moment - dt.timedelta(days=days)).isoformat() for days, _ in reversed(_AGES)]
        return partial(_ages, borders)
    return _PLAIN[name]


def _classes(page: Page) -> Sequence[str]:
    return [one or "STANDARD" for one in page.classes]


def _extensions(page: Page) -> Sequence[str]:
    return [_extension(key.rpartition("/")[2]) for key in page.keys]


def _extension(name: str) -> str:
    """Give ``.csv`` for ``a.CSV``; nothing for a name without one, or with nothing before it."""
    head, dot, tail = name.rpartition(".")
    return f".{tail.lower()}" if dot and head and tail else ""


def _ages(borders: Sequence[str], page: Page) -> Sequence[str]:
    names = [_OLDEST, *(name for _, name in reversed(_AGES))]
    return [
        _UNKNOWN if stamp is None else names[bisect.bisect_right(borders, stamp)]
        for stamp in page.stamps
    ]


def _years(page: Page) -> Sequence[str]:
    return [_UNKNOWN if stamp is None else stamp[:4] for stamp in page.stamps]


def _months(page: Page) -> Sequence[str]:
    return [_UNKNOWN if stamp is None else stamp[:7] for stamp in page.stamps]


def _ranges(page: Page) -> Sequence[str]:
    borders = [size for size, _ in _SIZES]
    names = [*(name for _, name in _SIZES), _LARGEST]
    return [names[bisect.bisect_right(borders, size)] for size in page.sizes]


def _owners(page: Page) -> Sequence[str]:
    if page.owners is None:
        return [_UNKNOWN] * len(page.keys)
    return [
        (owner and (owner.get("DisplayName") or owner.get("ID"))) or _UNKNOWN
        for owner in page.owners
    ]


_PLAIN: dict[str, Labels] = {
    "StorageClass": _classes,
    "Extension": _extensions,
    "Year": _years,
    "Month": _months,
    "SizeRange": _ranges,
    "Owner": _owners,
}

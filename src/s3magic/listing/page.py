"""One page of a listing, as columns."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import compress
from typing import TYPE_CHECKING, Any

from s3magic.listing.columns import moments

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Sequence

    from s3magic.model import S3Owner

__all__ = ["Page"]


@dataclass(slots=True)
class Page:
    """One page: a list a column, each as long as `keys`, and the common prefixes.

    Args:
        keys: The keys.
        sizes: Bytes.
        stamps: When they were modified: ISO 8601, in UTC, without a zone.
        etags: Without quotes.
        classes: Storage classes, ``STANDARD`` for example.
        prefixes: The folders of this level that begin on this page.
        more: Whether the server has more.
        owners: Where they were asked for.
        version_ids: Where versions were asked for; so are the next two.
        latest: Whether it is the newest version of its key.
        deleted: Whether it is a delete marker.
    """

    keys: list[str]
    sizes: list[int]
    stamps: list[str | None]
    etags: list[str | None]
    classes: list[str | None]
    prefixes: list[str]
    more: bool = False
    owners: list[S3Owner | None] | None = None
    version_ids: list[str | None] | None = None
    latest: list[bool] | None = None
    deleted: list[bool] | None = None

    def __len__(self) -> int:
        return len(self.keys) + len(self.prefixes)

    @property
    def modified(self) -> list[dt.datetime | None]:
        """When they were modified, with their zone."""
        return moments(self.stamps)

    def items(self) -> list[dict[str, Any]]:
        """Give the objects with S3's names of their fields, for a query to search."""
        given = {name: getattr(self, column) for column, name in _FIELDS.items()}
        given["LastModified"] = self.modified
        columns = {name: column for name, column in given.items() if column is not None}
        return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]

    @property
    def order(self) -> list[int] | None:
        """The order of the rows, keys and then prefixes counted on; None for as they are.

        S3 lists folders among the objects, by name.
        """
        if not self.keys or not self.prefixes:
            return None
        names = self.keys + self.prefixes
        return sorted(range(len(names)), key=names.__getitem__)

    def first(self, number: int) -> Page:
        """Give the page with its first rows alone."""
        order = self.order or range(len(self))
        chosen = set(order[:number])
        border = len(self.keys)
        return self.kept(
            [at in chosen for at in range(border)],
            [at in chosen for at in range(border, len(self))],
        )

    def kept(self, keys: Sequence[bool], prefixes: Sequence[bool]) -> Page:
        """Give the page with only those of its keys and prefixes whose flag is set."""
        chosen: dict[str, Any] = {"prefixes": list(compress(self.prefixes, prefixes))}
        for name in _FIELDS:
            column = getattr(self, name)
            chosen[name] = None if column is None else list(compress(column, keys))
        return replace(self, **chosen)


_FIELDS = {
    "keys": "Key",
    "sizes": "Size",
    "stamps": "LastModified",
    "etags": "ETag",
    "classes": "StorageClass",
    "owners": "Owner",
    "version_ids": "VersionId",
    "latest": "IsLatest",
    "deleted": "IsDeleteMarker",
}

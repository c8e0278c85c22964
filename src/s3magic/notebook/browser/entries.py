"""What lies in one folder: its entries as columns, in an order, through a filter. Pure.

A folder may have a hundred thousand entries, so each is a few values in lists;
objects are made only of the few that are on the screen.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import compress
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from s3magic.listing.page import Page
from s3magic.uri import S3Uri

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

__all__ = ["Entries", "Entry", "Order", "Sort"]

Sort: TypeAlias = Literal["name", "size", "date"]


@dataclass(frozen=True, slots=True)
class Order:
    """How the entries are shown.

    Args:
        sort: By what; folders always come first, by their names if by size.
        reverse: The other way round.
        needle: Only entries whose name has this in it, capitals or not.
    """

    sort: Sort = "name"
    reverse: bool = False
    needle: str = ""


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry that is on the screen.

    Args:
        index: Its place among all that were listed.
        uri: Its address; a folder's ends in ``/``.
        name: What it is called within its folder.
        size: Bytes; None of a folder, and of a bucket.
        stamp: When it was modified (a bucket: made), ISO 8601 in UTC, where known.
        folder: Whether it can be opened.
        storage_class: Where S3 keeps it; empty where it does not say.
        etag: Without quotes; empty where there is none.
    """

    index: int
    uri: S3Uri
    name: str
    size: int | None
    stamp: str | None
    folder: bool
    storage_class: str = ""
    etag: str = ""


@dataclass(slots=True)
class Entries:
    """The entries of a folder, or, without one, the buckets.

    Args:
        place: The folder, or a prefix that keys begin with; None for the buckets.
    """

    place: S3Uri | None = None
    keys: list[str] = field(default_factory=list)
    folders: list[bool] = field(default_factory=list)
    sizes: list[int] = field(default_factory=list)
    stamps: list[str | None] = field(default_factory=list)
    classes: list[str | None] = field(default_factory=list)
    etags: list[str | None] = field(default_factory=list)
    cut: bool = False
    """Whether there are more than are wanted here."""

    def __len__(self) -> int:
        return len(self.keys)

    def add(self, page: Page) -> None:
        """Take a page of a listing; a folder's own marker is no entry of it."""
        wanted = [key != self._folder for key in page.keys]
        if not all(wanted):
            page = page.kept(wanted, [True] * len(page.prefixes))
        self.keys += page.keys + page.prefixes
        nothing: list[str | None] = [None] * len(page.prefixes)
        self.folders += [False] * len(page.keys) + [True] * len(page.prefixes)
        self.sizes += page.sizes + [0] * len(page.prefixes)
        self.stamps += page.stamps + nothing
        self.classes += page.classes + nothing
        self.etags += page.etags + nothing

    def add_buckets(self, rows: Iterable[dict[str, Any]]) -> None:
        """Take the buckets, as S3's ListBuckets tells of them."""
        for row in rows:
            made = row.get("CreationDate")
            self.keys.append(row["Name"])
            self.folders.append(True)
            self.sizes.append(0)
            self.stamps.append(None if made is None else made.strftime("%Y-%m-%dT%H:%M:%S"))
            self.classes.append(None)
            self.etags.append(None)

    def arranged(self, order: Order) -> list[int]:
        """Give the indices of what is to be shown, in its order."""
        start, needle = len(self._folder), order.needle.casefold()
        # What came while this runs, in another thread, is for the next time.
        found: Iterable[int] = range(len(self.etags))
        keys = self.keys
        if needle:
            found = [at for at in found if needle in keys[at].casefold()[start:]]
        folders = [at for at in found if self.folders[at]]
        objects = [at for at in found if not self.folders[at]]
        if self.place is None and order.sort == "date":
            folders.sort(key=lambda at: self.stamps[at] or "", reverse=order.reverse)
        else:
            back = order.reverse and order.sort == "name"
            folders.sort(key=keys.__getitem__, reverse=back)
        if order.sort == "size":
            objects.sort(key=lambda at: (self.sizes[at], keys[at]), reverse=order.reverse)
        elif order.sort == "date":
            objects.sort(key=lambda at: (self.stamps[at] or "", keys[at]), reverse=order.reverse)
        else:
            objects.sort(key=keys.__getitem__, reverse=order.reverse)
        return folders + objects

    def entry(self, index: int) -> Entry:
        """Give one of them."""
        key, folder = self.keys[index], self.folders[index]
        uri = S3Uri(key) if self.place is None else S3Uri(self.place.bucket, key)
        return Entry(
            index,
            uri,
            key[len(self._folder) :],
            None if folder else self.sizes[index],
            self.stamps[index],
            folder,
            self.classes[index] or "",
            self.etags[index] or "",
        )

    def page(self, indices: Sequence[int]) -> Page:
        """Give some of them as a page of a listing, of which a frame is made."""
        objects = [not self.folders[at] for at in indices]
        chosen = list(compress(indices, objects))
        return Page(
            [self.keys[at] for at in chosen],
            [self.sizes[at] for at in chosen],
            [self.stamps[at] for at in chosen],
            [self.etags[at] for at in chosen],
            [self.classes[at] for at in chosen],
            [self.keys[at] for at in indices if self.folders[at]],
        )

    def size(self, indices: Iterable[int]) -> int:
        """Add the bytes of some of them up; folders count nothing."""
        return sum(self.sizes[at] for at in indices)

    @property
    def _folder(self) -> str:
        return self.place.folder if self.place is not None else ""

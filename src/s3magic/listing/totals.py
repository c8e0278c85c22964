"""Count objects and bytes by folder, page after page, and keep only the sums. Pure."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from itertools import repeat
from typing import TYPE_CHECKING, Any

from s3magic.listing.labels import labels_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from s3magic.listing.labels import Labels
    from s3magic.listing.page import Page

__all__ = ["Folder", "Group", "Sums", "Totals", "rolled_up"]


@dataclass(slots=True)
class Sums:
    """What there is of something.

    Args:
        objects: How many.
        size: Their bytes.
        old: Versions that are not the latest and hold bytes.
        old_size: Their bytes.
        markers: Delete markers.
    """

    objects: int = 0
    size: int = 0
    old: int = 0
    old_size: int = 0
    markers: int = 0

    def add(self, other: Sums) -> None:
        """Count these too."""
        self.objects += other.objects
        self.size += other.size
        self.old += other.old
        self.old_size += other.old_size
        self.markers += other.markers


@dataclass(frozen=True, slots=True)
class Folder:
    """A prefix, and what of it is meant.

    Args:
        key: The prefix.
        whole: Whether everything below it is meant; else only what lies right in it.
    """

    key: str
    whole: bool


@dataclass(frozen=True, slots=True)
class Group:
    """What is counted together: a folder, and a label for each thing grouped by."""

    folder: Folder
    labels: tuple[str, ...] = ()


@dataclass(slots=True)
class Totals:
    """Sums that grow with each page; each object is counted once.

    Folders are told apart down to `depth` levels below the prefix. What lies
    deeper counts for its folder there; what lies less deep for the folder that
    it lies right in.

    Args:
        bucket: The bucket.
        prefix: What all keys begin with, as S3 means it.
        depth: Levels of folders; 0 for all in one.
        by: What else to tell apart: of `s3magic.listing.labels.BY`.
        now: The moment that ages count back from.
        partly: Whether there may be more below a folder than was counted.
        sums: What was counted.
    """

    bucket: str
    prefix: str = ""
    depth: int = 1
    by: Sequence[str] = ()
    now: dt.datetime = field(default_factory=lambda: dt.datetime.now(dt.UTC))
    partly: bool = False
    sums: dict[Group, Sums] = field(default_factory=dict)
    _labels: list[Labels] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._labels = [labels_of(name, self.now) for name in self.by]

    def add(self, page: Page, weights: Iterable[int] = repeat(1)) -> None:
        """Count a page's objects; of versions, the old ones apart.

        Args:
            page: Its rows.
            weights: How many objects each row stands for.
        """
        found: dict[Any, list[int]] = {}  # a list adds twice as fast as an object does
        folders = self._folders(page.keys)
        rows = (
            zip(folders, *(labels(page) for labels in self._labels), strict=True)
            if self._labels
            else folders
        )
        latest: Iterable[bool] = page.latest or repeat(object=True)
        deleted: Iterable[bool] = page.deleted or repeat(object=False)
        for row, size, weight, current, marker in zip(
            rows, page.sizes, weights, latest, deleted, strict=False
        ):
            sums = found.get(row)
            if sums is None:
                sums = found[row] = [0, 0, 0, 0, 0]
            if marker:
                sums[4] += 1
            elif current:
                sums[0] += weight
                sums[1] += size
            else:
                sums[2] += 1
                sums[3] += size
        for row, sums in found.items():
            (key, whole), labels = (row[0], row[1:]) if self._labels else (row, ())
            group = Group(Folder(key, whole), labels)
            self.sums.setdefault(group, Sums()).add(Sums(*sums))

    def _folders(self, keys: Sequence[str]) -> Iterator[tuple[str, bool]]:
        """Give the folder that each key counts for, and whether it is the whole of it."""
        depth, prefix = self.depth, self.prefix
        if not depth:
            yield from repeat((prefix, True), len(keys))
            return
        begin = prefix.rfind("/") + 1
        known: dict[str, tuple[str, bool]] = {}
        for key in keys:
            folder = key[: key.rfind("/") + 1]
            answer = known.get(folder)
            if answer is None:
                answer = known[folder] = self._folder(folder, begin, depth)
            yield answer

    def _folder(self, folder: str, begin: int, depth: int) -> tuple[str, bool]:
        names = folder[begin:].split("/", depth)
        if len(names) > depth:
            return folder[: len(folder) - len(names[-1])], True
        # A prefix may end within a name; what begins so is all that was asked for.
        return max(folder, self.prefix, key=len), False


def rolled_up(totals: Totals) -> dict[str, Sums]:
    """Give all below each folder, folders within folders counted for each of them.

    Args:
        totals: Counted without labels.

    Returns:
        The sums by prefix, each folder before those in it: as a tree is drawn.
    """
    root = totals.prefix
    begin = root.rfind("/") + 1
    found: dict[str, Sums] = {root: Sums()}
    for group, sums in totals.sums.items():
        key = group.folder.key
        found[root].add(sums)
        if len(key) <= len(root):
            continue
        end = key.find("/", begin)
        while end >= 0:
            found.setdefault(key[: end + 1], Sums()).add(sums)
            end = key.find("/", end + 1)
    return dict(sorted(found.items(), key=lambda item: item[0].split("/")))

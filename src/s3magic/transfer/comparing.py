"""Compares two sides, name by name, and tells what differs. Pure.

What a side holds comes in any order and in portions: servers do not agree on
one order, so none is relied on. Where both come in the same order, hardly
anything is held.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from s3magic.transfer.sparing import grown

if TYPE_CHECKING:
    from collections.abc import Iterable

    from s3magic.errors import S3Error

__all__ = ["Comparison", "Entry", "Pair", "Way", "differs"]

_SECOND = 1_000_000  # microseconds


class Way(enum.Enum):
    """Which way the bytes go."""

    UPLOAD = "upload"
    DOWNLOAD = "download"
    COPY = "copy"


class Entry(NamedTuple):
    """A file or an object. A tuple: there may be millions, and a dataclass costs three times it.

    Args:
        name: Below the folder that is compared, with ``/`` between its names.
        size: Bytes.
        moment: When it was changed: microseconds since 1970, in UTC; None
            where the server does not say.
        etag: Of an object, without quotes, where the server says it.
        storage_class: Of an object, where the server says it.
        refused: Why it cannot be transferred.
        stays: Whether it must not be deleted.
    """

    name: str
    size: int
    moment: int | None = None
    etag: str | None = None
    storage_class: str | None = None
    refused: S3Error | None = None
    stays: bool = False


@dataclass(frozen=True, slots=True)
class Pair:
    """What is to be brought to the target, and what it is to replace.

    Args:
        source: What the source has.
        target: What the target has under the same name, if anything.
        reason: Why: ``new``, ``size``, ``newer``, ``older``, ``checksum``.
    """

    source: Entry
    target: Entry | None
    reason: str


@dataclass(slots=True)
class Comparison:
    """Two sides that are compared while they come.

    Args:
        way: Which way the bytes go.
        size_only: Look at nothing but sizes.
        checksum: Where sizes are the same the content decides, whatever the times.
    """

    way: Way
    size_only: bool = False
    checksum: bool = False
    same: int = 0
    """How many are the same."""
    changed: list[Pair] = field(default_factory=list)
    """Those that are to be transferred."""
    unsure: list[Pair] = field(default_factory=list)
    """Those whose content decides; the reason holds if it differs."""
    sources: int = 0
    """How many the source has."""
    _sources: dict[str, Entry] = field(default_factory=dict)
    _targets: dict[str, Entry] = field(default_factory=dict)

    def take_sources(self, entries: Iterable[Entry]) -> None:
        """Take some more of the source."""
        for entry in entries:
            self.sources += 1
            target = self._targets.pop(entry.name, None)
            if target is None:
                self._sources[entry.name] = entry
                grown(len(self._sources))
            else:
                self._decide(entry, target)

    def take_targets(self, entries: Iterable[Entry]) -> None:
        """Take some more of the target."""
        for entry in entries:
            source = self._sources.pop(entry.name, None)
            if source is None:
                self._targets[entry.name] = entry
                grown(len(self._targets))
            else:
                self._decide(source, entry)

    def new(self) -> list[Pair]:
        """Give what the source alone has; only when all of both has come."""
        return [Pair(entry, None, "new") for entry in self._sources.values()]

    def extra(self) -> list[Entry]:
        """Give what the target alone has and may be deleted; only when all of both has come."""
        return [entry for entry in self._targets.values() if not entry.stays]

    def _decide(self, source: Entry, target: Entry) -> None:
        reason, sure = differs(
            self.way, source, target, size_only=self.size_only, checksum=self.checksum
        )
        if not reason:
            self.same += 1
        else:
            (self.changed if sure else self.unsure).append(Pair(source, target, reason))


def differs(
    way: Way, source: Entry, target: Entry, *, size_only: bool = False, checksum: bool = False
) -> tuple[str, bool]:
    """Tell why two of one name are not the same, and whether that is sure.

    The rule of ``aws s3 sync``, less its traps. S3 tells when it got an object,
    never when its content was made; so for an upload or a copy a target that is
    as young as its source is the same. A file that was brought here has its
    object's own time; so for a download only the same time means the same, and
    with another time the content decides.

    Args:
        way: Which way the bytes go.
        source: What the source has.
        target: What the target has.
        size_only: Look at nothing but sizes.
        checksum: Where sizes are the same the content decides.

    Returns:
        The reason, empty for the same, and True; or False where the content
        must tell, and the reason holds only if it differs.
    """
    if source.refused is not None:
        return "new", True  # it is told each time
    if source.size != target.size:
        return "size", True
    if size_only:
        return "", True
    if checksum:
        alike = source.etag is not None and source.etag == target.etag
        return ("", True) if alike else ("checksum", False)
    return _by_times(way, source, target)


def _by_times(way: Way, source: Entry, target: Entry) -> tuple[str, bool]:
    """Do the same by their times alone."""
    mine, theirs = source.moment, target.moment
    if mine is None or theirs is None:
        return "newer", False
    newer = "newer" if mine > theirs else ""
    if way is Way.DOWNLOAD:
        return ("", True) if mine == theirs else (newer or "older", False)
    if mine // _SECOND == theirs // _SECOND and not theirs % _SECOND:
        # S3 tells whole seconds: what was written within one may be older or newer.
        if way is Way.COPY:
            return ("" if source.etag == target.etag else "newer"), True
        return newer, not newer
    return newer, True

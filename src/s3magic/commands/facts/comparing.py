"""Compares two listings, object by object, in plain Python.

pandas' joins of texts let no other thread run for as long as they take: with a
million keys a second, in which the notebook is dead. What follows goes through
the rows in parts, and a thread can do it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from s3magic.commands.sources.longframes import in_parts, parts
from s3magic.transfer.sparing import let_go

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import pandas as pd

    from s3magic.uri import S3Uri

__all__ = ["Side", "compared"]

_COMPARED = ("Size", "ETag", "LastModified")
_KINDS: dict[str, Any] = {
    "Key": "string",
    "Bucket": "string",
    "Size": "Int64",
    "ETag": "string",
    "LastModified": "datetime64[us, UTC]",
}


@dataclass(frozen=True, slots=True)
class Side:
    """One of the two: a frame that was given, or the address of what was listed."""

    frame: Any = None
    uri: S3Uri | None = None


def compared(
    sides: tuple[Side, Side], frames: list[pd.DataFrame], *, size_only: bool
) -> pd.DataFrame:
    """Compare two listings.

    Args:
        sides: What was given.
        frames: The listing of each.
        size_only: Leave ETags out of account.

    Returns:
        What `s3magic.commands.diff.diff` describes.
    """
    kept = [_newest(frame) for frame in frames]
    by_bucket = _by_bucket(sides, kept)
    before, after = (
        _records(frame, side, other, by_bucket=by_bucket)
        for frame, side, other in zip(kept, sides, sides[::-1], strict=True)
    )
    left: dict[str, int] = {}  # by place, where it is in the frame; the last of two
    sizes: list[int] = [0] * len(kept[0])
    tags: list[str | None] = [None] * len(kept[0])
    for place, at, size, tag in before:
        left[place] = at
        sizes[at], tags[at] = size, tag
    matched = bytearray(len(kept[0]))
    rows: dict[str, tuple[int | None, int | None]] = {}
    for place, at, size, tag in after:
        old = left.get(place)
        same = old is not None and sizes[old] == size
        same = same and (size_only or _alike(tags[old], tag))  # type: ignore[index]  # it is there
        if same:
            rows.pop(place, None)
        else:
            rows[place] = old, at
        if old is not None:
            matched[old] = 1
    for place, at in left.items():
        if not matched[at]:
            rows[place] = at, None
    told = _told(rows, kept, by_bucket=by_bucket)
    for held in (left, tags, rows):
        let_go(held)
    return told


def _alike(tag: str | None, other: str | None) -> bool:
    """Compare ETags; a server, or a frame, may leave them out: then sizes must do."""
    return tag is None or other is None or tag == other


def _newest(frame: pd.DataFrame) -> pd.DataFrame:
    """Give the newest objects of a listing of versions."""
    if "IsDeleteMarker" in frame.columns:
        frame = frame[~frame["IsDeleteMarker"].astype("bool")]
    if "IsLatest" in frame.columns:
        frame = frame[frame["IsLatest"].astype("bool")]
    return frame


def _by_bucket(sides: tuple[Side, Side], frames: list[pd.DataFrame]) -> bool:
    """Tell whether a bucket's name is part of an object's.

    It is not between two addresses, nor between frames of one bucket each,
    which differ: a copy of one in the other.
    """
    if sides[0].uri is not None and sides[1].uri is not None:
        return False
    buckets = [set(map(str, frame["Bucket"].unique())) for frame in frames]
    return bool(buckets[0] & buckets[1]) or any(len(names) != 1 for names in buckets)


def _records(
    frame: pd.DataFrame, side: Side, other: Side, *, by_bucket: bool
) -> Iterator[tuple[str, int, int, str | None]]:
    """Give of each object its place, its row, its size and its ETag.

    Between two addresses the place is what follows them; else it is the key,
    and of a frame only what the other's address covers.
    """
    cut = len(side.uri.key) if side.uri is not None and other.uri is not None else 0
    covers = other.uri if side.uri is None else None
    begin = 0
    for part in parts(frame):
        keys = part["Key"].tolist()
        buckets = part["Bucket"].astype("string").tolist() if by_bucket or covers else keys
        sizes = part["Size"].fillna(-1).astype("int64").tolist()
        rows = zip(buckets, keys, sizes, _tags(part), strict=True)
        for at, (bucket, key, size, tag) in enumerate(rows, begin):
            if covers and not (bucket == covers.bucket and key.startswith(covers.key)):
                continue
            yield f"{bucket}\0{key}" if by_bucket else key[cut:], at, size, tag
        begin += len(part)


def _tags(part: pd.DataFrame) -> list[str | None]:
    if "ETag" not in part.columns:
        return [None] * len(part)
    return part["ETag"].astype("object").where(part["ETag"].notna(), None).tolist()


def _told(
    rows: dict[str, tuple[int | None, int | None]], frames: list[pd.DataFrame], *, by_bucket: bool
) -> pd.DataFrame:
    """Make the frame of what was found: of each place its row in each listing."""
    import pandas as pd

    def part(some: Sequence[str]) -> pd.DataFrame:
        found = [rows[place] for place in some]
        before = _taken(frames[0], [old for old, _ in found])
        after = _taken(frames[1], [new for _, new in found])
        changes = [
            "added" if old is None else "removed" if new is None else "changed"
            for old, new in found
        ]
        told = pd.DataFrame({"Key": after["Key"].fillna(before["Key"])})
        told["Change"] = pd.Categorical(changes, categories=["added", "changed", "removed"])
        for name in _COMPARED:
            told[f"{name}Before"], told[f"{name}After"] = before[name], after[name]
        places = [place.partition("\0")[2] if by_bucket else place for place in some]
        told["Place"] = pd.array(places, dtype="string")
        told["Bucket"] = after["Bucket"].fillna(before["Bucket"])
        return told

    told = in_parts(sorted(rows), part)
    told["Bucket"] = told["Bucket"].astype("category")
    return told


def _taken(frame: pd.DataFrame, rows: list[int | None]) -> pd.DataFrame:
    """Give some rows of a listing, with nothing where one is None."""
    import numpy as np
    import pandas as pd

    at = np.array([-1 if row is None else row for row in rows], dtype="int64")
    there = at >= 0
    made = {}
    for name, kind in _KINDS.items():
        if name in frame.columns:
            values = frame[name].iloc[at[there]].astype(kind)
        else:
            values = pd.Series([None] * int(there.sum()), dtype=kind)
        column = pd.Series(index=range(len(at)), dtype=kind)
        column[there] = values.array
        made[name] = column
    return pd.DataFrame(made)

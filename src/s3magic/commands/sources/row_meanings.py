"""Reads what the rows of a frame mean: of a listing, or of a report."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from s3magic.commands.sources.longframes import parts
from s3magic.commands.sources.rows import FOLDERS, is_report
from s3magic.errors import BadArgument
from s3magic.uri import S3Uri, is_uri
from s3magic.wording import count

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["Row", "read", "read_part", "surveyed"]

_LISTED = (
    "Bucket", "Key", "Size", "Type", "VersionId", "IsDeleteMarker", "ETag", "StorageClass",
)  # fmt: skip


class Row(NamedTuple):
    """What one row means.

    Args:
        bucket: The bucket.
        key: The key, or a folder's prefix.
        size: Bytes, where a listing told.
        delimiter: Of a folder how deep it is meant: empty for all below, ``/``
            for what lies right in it; None for an object.
        version_id: The version, where the frame names one.
        marker: Whether that is a delete marker.
        etag: Without quotes, where a listing told; else empty.
        storage_class: Where a listing told.
    """

    bucket: str
    key: str
    size: int | None = None
    delimiter: str | None = None
    version_id: str | None = None
    marker: bool = False
    etag: str = ""
    storage_class: str | None = None


def surveyed(frame: Any) -> set[str]:
    """Give the buckets that the rows name; looks at each row.

    Raises:
        BadArgument: Some of them name nothing.
    """
    if not is_report(frame):
        buckets: set[str] = set()
        for part in parts(frame[["Bucket", "Key"]]):
            names = part["Bucket"].tolist()
            if not all(isinstance(name, str) for name in names + part["Key"].tolist()):
                raise BadArgument(
                    "Some rows of the frame have no Bucket or no Key.",
                    hint='Leave them out: df.dropna(subset=["Bucket", "Key"]).',
                )
            buckets.update(map(str, names))
        if wrong := next(filter(is_uri, buckets), ""):
            raise BadArgument(
                f"The frame's column Bucket holds {wrong!r}, which is an address and no name.",
                hint="Write the bucket's name alone there: "
                "df.assign(Bucket=df.Bucket.str.removeprefix('s3://')).",
            )
        return buckets
    places = [place for part in parts(frame[["Source", "Target"]]) for place in _places(part)]
    if None in places:
        raise BadArgument(
            f"{places.count(None):,} of {count(len(places), 'row')} of the report "
            "name nothing in S3.",
            hint="Leave them out: df[df.Source.str.startswith('s3://')], for example.",
        )
    return {S3Uri.parse(str(place)).bucket for place in places}


def read(frame: Any) -> list[Row]:
    """Give what the rows mean, in their order.

    A report's row means its target if that is in S3, else its source.

    Raises:
        BadArgument: Some of them name nothing.
    """
    surveyed(frame)
    return [row for part in parts(frame) for row in read_part(part)]


def read_part(part: Any) -> list[Row]:
    """Give the same of some rows of a frame that was surveyed."""
    return list(_of_report(part) if is_report(part) else _of_listing(part))


def _of_listing(frame: Any) -> Iterator[Row]:
    columns = {name: frame[name].tolist() for name in _LISTED if name in frame.columns}
    missing = [None] * len(frame)
    values = zip(*(columns.get(name, missing) for name in _LISTED), strict=True)
    for bucket, key, size, kind, version, marker, etag, place in values:
        yield Row(
            str(bucket),
            str(key),
            int(size) if isinstance(size, int) else None,
            FOLDERS.get(str(kind)),
            (version or None) if isinstance(version, str) else None,
            marker is True,
            etag if isinstance(etag, str) else "",
            place if isinstance(place, str) else None,
        )


def _of_report(frame: Any) -> Iterator[Row]:
    """Read addresses alone: a size there is of what was moved, nothing where that failed."""
    for place in _places(frame):
        uri = S3Uri.parse(str(place))
        yield Row(uri.bucket, uri.key)


def _places(frame: Any) -> list[Any]:
    """Give of each row of a report what it names in S3; None where that is nothing."""
    pairs = zip(frame["Target"].tolist(), frame["Source"].tolist(), strict=True)
    return [next(filter(is_uri, pair), None) for pair in pairs]

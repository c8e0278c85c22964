"""The records of a page as they go from room to room: a list a field, or a dictionary an object."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from s3magic.model import S3Item, S3Owner

__all__ = ["Columns", "items", "moments"]


@dataclass(slots=True)
class Columns:
    """The records of one page, a list a field, in the server's order.

    Args:
        keys: Decoded.
        sizes: Bytes; 0 for a delete marker.
        stamps: When they were modified: ISO 8601, in UTC, without a zone, as
            numpy reads a column of them; None where the server says nothing.
        etags: Without quotes; None where the server says none.
        classes: The storage class; None where the server says none.
        owners: None where the server says none.
        version_ids: None in a listing without versions.
        latest: Whether the version is the newest; False without versions.
        deleted: Whether the version is a delete marker.
        prefixes: The common prefixes, decoded.
        markers: ``NextMarker`` and ``NextKeyMarker``, decoded, where given.
        quote: What the server writes around an ETag: as a rule ``"``.
    """

    keys: list[str] = field(default_factory=list)
    sizes: list[int] = field(default_factory=list)
    stamps: list[str | None] = field(default_factory=list)
    etags: list[str | None] = field(default_factory=list)
    classes: list[str | None] = field(default_factory=list)
    owners: list[S3Owner | None] = field(default_factory=list)
    version_ids: list[str | None] = field(default_factory=list)
    latest: list[bool] = field(default_factory=list)
    deleted: list[bool] = field(default_factory=list)
    prefixes: list[str] = field(default_factory=list)
    markers: dict[str, str] = field(default_factory=dict)
    quote: str | None = None

    @property
    def modified(self) -> list[dt.datetime | None]:
        """When they were modified, with their zone."""
        return moments(self.stamps)


def moments(stamps: Iterable[str | None]) -> list[dt.datetime | None]:
    """Read stamps one by one."""
    return [
        None if stamp is None else dt.datetime.fromisoformat(stamp).replace(tzinfo=dt.UTC)
        for stamp in stamps
    ]


def items(columns: Columns) -> list[S3Item]:
    """Give the columns as the dictionaries that botocore would have made of them."""
    made: list[S3Item] = []
    quote = columns.quote or ""
    rows = zip(
        columns.keys,
        columns.modified,
        columns.etags,
        columns.sizes,
        columns.classes,
        columns.owners,
        strict=True,
    )
    for key, modified, etag, size, storage_class, owner in rows:
        item: S3Item = {"Key": key, "Size": size}
        if modified is not None:
            item["LastModified"] = modified
        if etag is not None:
            item["ETag"] = f"{quote}{etag}{quote}"
        if storage_class is not None:
            item["StorageClass"] = storage_class
        if owner is not None:
            item["Owner"] = owner
        made.append(item)
    return made

"""Take the records out of a listing's XML, as columns, and leave the rest of it. Pure.

botocore parses a page into one dictionary an object, which takes 1,000 of them
a tenth of a second. One pass of expat over the same bytes takes a few
milliseconds. The pass knows what S3 sends and nothing else: a page that looks
otherwise is left to botocore, whole.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import unquote_plus
from xml.parsers.expat import ExpatError, ParserCreate

if TYPE_CHECKING:
    from s3magic.model import S3Item, S3Owner

__all__ = ["Columns", "items", "split"]

_ROOTS = frozenset({"ListBucketResult", "ListVersionsResult"})
_OBJECTS = frozenset({"Contents", "Version", "DeleteMarker"})
# What stands beside the records and is encoded with them: the answer is decoded
# here or by botocore, never by both.
_MARKERS = frozenset({"NextMarker", "NextKeyMarker"})
_ENCODING = "EncodingType"
_TAKEN = _OBJECTS | _MARKERS | {"CommonPrefixes", _ENCODING}


@dataclass(slots=True)
class Columns:
    """The records of one page, a list a field, in the server's order.

    Args:
        keys: Decoded.
        sizes: Bytes; 0 for a delete marker.
        modified: In UTC; None where the server says nothing.
        etags: As the server writes them, in double quotes.
        classes: The storage class; None where the server says none.
        owners: None where the server says none.
        version_ids: None in a listing without versions.
        latest: Whether the version is the newest; False without versions.
        deleted: Whether the version is a delete marker.
        prefixes: The common prefixes, decoded.
        markers: ``NextMarker`` and ``NextKeyMarker``, decoded, where given.
    """

    keys: list[str] = field(default_factory=list)
    sizes: list[int] = field(default_factory=list)
    modified: list[dt.datetime | None] = field(default_factory=list)
    etags: list[str | None] = field(default_factory=list)
    classes: list[str | None] = field(default_factory=list)
    owners: list[S3Owner | None] = field(default_factory=list)
    version_ids: list[str | None] = field(default_factory=list)
    latest: list[bool] = field(default_factory=list)
    deleted: list[bool] = field(default_factory=list)
    prefixes: list[str] = field(default_factory=list)
    markers: dict[str, str] = field(default_factory=dict)


def split(body: bytes) -> tuple[bytes, Columns] | None:
    """Part a page into the XML that is left without its records, and the records.

    Args:
        body: The answer to ListObjects, ListObjectsV2 or ListObjectVersions.

    Returns:
        The rest and the columns; None for a page that is not as S3 documents
        it (an error, another namespace prefix, a size that is no number).
    """
    page = _Page(body)
    try:
        page.parse()
        return page.rest(), page.columns()
    except (_Unexpected, ExpatError, ValueError, KeyError):
        return None


def items(columns: Columns) -> list[S3Item]:
    """Give the columns as the dictionaries that botocore would have made of them."""
    made: list[S3Item] = []
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
            item["ETag"] = etag
        if storage_class is not None:
            item["StorageClass"] = storage_class
        if owner is not None:
            item["Owner"] = owner
        made.append(item)
    return made


class _Unexpected(Exception):
    """The page holds what S3 does not document; botocore shall judge it."""


class _Page:
    """One pass over a page: expat's handlers, and what they have seen."""

    def __init__(self, body: bytes) -> None:
        self._body = body
        self._cuts: list[tuple[int, int]] = []
        self._objects: list[dict[str, str]] = []
        self._prefixes: list[str] = []
        self._told: dict[str, str] = {}
        self._begun = 0

    def parse(self) -> None:
        """Read the page to its end.

        The handlers of what lies inside a record are closures, not methods:
        they run seventeen times an object, and a local name costs a third of
        an attribute.
        """
        if b"\0" in self._body:  # UTF-16: its bytes cannot be cut at ASCII marks
            raise _Unexpected
        parser = ParserCreate()
        parser.buffer_text = True
        path: list[str] = []
        row: dict[str, str] = {}
        text = ""

        def start(name: str, attributes: dict[str, str]) -> None:
            nonlocal text, row
            text = ""
            path.append(name)
            if len(path) < 3:
                row = self._begin(name, attributes, len(path), parser.CurrentByteIndex)

        def characters(data: str) -> None:
            nonlocal text
            text += data

        def end(name: str) -> None:
            nonlocal text
            path.pop()
            depth = len(path)
            if depth == 2:
                row[name] = text
            elif depth == 3 and path[2] == "Owner":
                row["Owner." + name] = text
            elif depth == 1 and name in _TAKEN:
                self._take(name, row, text, parser.CurrentByteIndex)
            text = ""

        parser.StartElementHandler = start
        parser.CharacterDataHandler = characters
        parser.EndElementHandler = end
        parser.StartDoctypeDeclHandler = _refuse
        parser.Parse(self._body, True)  # noqa: FBT003 - expat's own signature: this is all

    def _begin(
        self, name: str, attributes: dict[str, str], depth: int, index: int
    ) -> dict[str, str]:
        """Note where an element of the first two levels begins; gives its empty row."""
        if (depth == 1 and name not in _ROOTS) or (depth == 2 and name in _TAKEN and attributes):
            raise _Unexpected
        self._begun = index
        return {"": name}

    def _take(self, name: str, row: dict[str, str], text: str, index: int) -> None:
        """Keep a record that has ended, and note its bytes as taken."""
        body, cuts = self._body, self._cuts
        # Behind an empty element the index is past it, else at its end tag.
        stop = index
        if body.startswith(b"</" + name.encode(), index):
            stop = body.index(b">", index) + 1
        if cuts and cuts[-1][1] == self._begun:
            cuts[-1] = (cuts[-1][0], stop)
        else:
            cuts.append((self._begun, stop))
        if name in _OBJECTS:
            self._objects.append(row)
        elif name == "CommonPrefixes":
            self._prefixes.append(row["Prefix"])
        else:
            self._told[name] = text

    def rest(self) -> bytes:
        """Give the page without what was taken out of it."""
        kept = []
        at = 0
        for begin, stop in self._cuts:
            kept.append(self._body[at:begin])
            at = stop
        return b"".join((*kept, self._body[at:]))

    def columns(self) -> Columns:
        """Turn the texts into values."""
        encoding = self._told.pop(_ENCODING, "")
        if encoding not in {"", "url"}:
            raise _Unexpected
        decode = unquote_plus if encoding else str
        made = Columns(
            prefixes=[decode(prefix) for prefix in self._prefixes],
            markers={name: decode(text) for name, text in self._told.items()},
        )
        owners: dict[tuple[str | None, str | None], S3Owner | None] = {(None, None): None}
        names: dict[str | None, str | None] = {}
        for row in self._objects:
            get = row.get
            marker = row[""] == "DeleteMarker"
            storage_class = get("StorageClass")
            owner = (get("Owner.ID"), get("Owner.DisplayName"))
            if owner not in owners:
                owners[owner] = _owner(*owner)
            made.keys.append(decode(row["Key"]))
            made.sizes.append(0 if marker else int(row["Size"]))
            made.modified.append(_moment(get("LastModified")))
            made.etags.append(get("ETag"))
            made.classes.append(names.setdefault(storage_class, storage_class))
            made.owners.append(owners[owner])
            made.version_ids.append(get("VersionId"))
            made.latest.append(get("IsLatest") == "true")
            made.deleted.append(marker)
        return made


def _refuse(*_declaration: object) -> None:
    raise _Unexpected


def _owner(identity: str | None, name: str | None) -> S3Owner:
    owner: S3Owner = {}
    if name is not None:
        owner["DisplayName"] = name
    if identity is not None:
        owner["ID"] = identity
    return owner


def _moment(text: str | None) -> dt.datetime | None:
    """Read an ISO 8601 time; S3 writes them all with a ``Z``."""
    if text is None:
        return None
    if text[10:11] != "T":
        raise _Unexpected
    moment = dt.datetime.fromisoformat(text)
    if moment.tzinfo is None:
        return moment.replace(tzinfo=dt.UTC)
    return moment if moment.tzinfo is dt.UTC else moment.astimezone(dt.UTC)

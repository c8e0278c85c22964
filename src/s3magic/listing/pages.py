"""Ask a bucket for its keys, page after page."""

from __future__ import annotations

import contextlib
import datetime as dt
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from s3magic.errors import ServerFault
from s3magic.listing.columns import Columns
from s3magic.listing.hook import install, taking
from s3magic.listing.lanes import side_by_side
from s3magic.listing.page import Page
from s3magic.listing.plain import plain_of
from s3magic.settings import defaults
from s3magic.translation import translate
from s3magic.uri import S3Uri

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from types_aiobotocore_s3 import S3Client

    from s3magic.listing.plain import Plain

__all__ = ["Listing", "pages"]


_LANES = 16  # parts of a listing at once, at most
_LARGEST = 2**63 - 1  # what a column of sizes holds


@dataclass(frozen=True, slots=True)
class Listing:
    """What to list.

    Args:
        bucket: The bucket.
        prefix: Keys that begin with this, as S3 means it: ``a`` finds ``ab`` too.
        delimiter: ``/`` for one level, with the folders as prefixes; empty for all.
        page_size: Keys asked for in one request; None for the default.
        start_after: Only keys behind this one, in the order of code points.
        owner: Ask for the owners.
        versions: List every version and every delete marker.
    """

    bucket: str
    prefix: str = ""
    delimiter: str = ""
    page_size: int | None = None
    start_after: str = ""
    owner: bool = False
    versions: bool = False

    def __str__(self) -> str:
        return f"list {S3Uri(self.bucket, self.prefix)}"


# One of these is in every listing, be it empty; in a web page there is none.
_LISTED = {"Contents", "IsTruncated", "KeyCount", "MaxKeys", "Name", "Prefix", "Versions"}


async def pages(
    client: S3Client, listing: Listing, *, lanes: int | None = None
) -> AsyncGenerator[Page]:
    """Give a listing's pages in the server's order, each as soon as it is here.

    A flat listing that goes on is listed in several parts side by side, as
    `s3magic.listing.lanes` tells; it asks ahead of its reader.

    Args:
        client: Any aiobotocore client.
        listing: What to list.
        lanes: Parts at once; 1 for a page at a time, each when it is asked
            for; None for the default.

    Raises:
        S3Error: The server refuses, is missing, or contradicts itself.
    """
    most = min(defaults().concurrency, _LANES) if lanes is None else lanes
    # What has folders, versions or a start is as a rule short, or told in another order.
    flat = not (listing.delimiter or listing.versions or listing.start_after)
    async with plain_of(client, listing.bucket, most) as plain:
        walk = partial(_walk, client, plain, listing)
        found = side_by_side(walk, listing.prefix, most) if flat and most > 1 else walk("")
        async with contextlib.aclosing(found):
            async for page in found:
                yield page


async def _walk(
    client: S3Client, plain: Plain | None, listing: Listing, cut: str
) -> AsyncGenerator[Page]:
    """Give the pages one after the other.

    It ends on every server: one that gives the same page, or the same token to
    go on with, twice is an error. Keys up to ``start_after`` never appear, even
    where the server does not know that parameter.

    Args:
        client: Any aiobotocore client.
        plain: The plain way to its server, if there is one.
        listing: What to list.
        cut: Begin behind this, in whatever order the server has.
    """
    request = _request(listing) | ({"StartAfter": cut} if cut else {})
    seen: set[tuple[object, ...]] = set()
    first = last_prefix = None
    while True:
        found = await plain.ask(request) if plain and not listing.versions else None
        columns, answer = found or await _asked(client, listing, request)
        if _LISTED.isdisjoint(answer) and not columns.keys:
            raise ServerFault(
                f"Cannot {listing}: the endpoint's answer is not S3's.",
                hint="Check the endpoint with %s3connect.",
            )
        _check(columns, listing)
        begin = (columns.keys[0], columns.version_ids[0]) if columns.keys else None
        if begin is not None and begin == first:
            raise ServerFault(f"Cannot {listing}: the server gives the same page again and again.")
        if columns.prefixes and columns.prefixes[0] == last_prefix:
            del columns.prefixes[0]  # some servers repeat a folder that two pages share
        first, last_prefix = begin, columns.prefixes[-1] if columns.prefixes else last_prefix
        page = _page(columns, listing, more=bool(answer.get("IsTruncated")))
        token = _token(answer, listing) if page.more else {}
        if page.more and (not any(token.values()) or tuple(token.values()) in seen):
            raise ServerFault(
                "Cannot {1}: the server says there is more, and not where.",
                hint="It may not know ListObjectsV2; a larger {0} may need fewer pages.",
                options=["page_size", str(listing)],
            )
        yield page
        if not page.more:
            return
        seen.add(tuple(token.values()))
        request = _request(listing) | token


async def _asked(
    client: S3Client, listing: Listing, request: dict[str, Any]
) -> tuple[Columns, dict[str, Any]]:
    """Have the client ask for a page."""
    install(client)
    ask: Any = client.list_object_versions if listing.versions else client.list_objects_v2
    try:
        with taking() as catch:
            answer = await ask(**request)
    except Exception as error:
        raise translate(error, str(listing)) from error
    return catch.columns or _columns(answer), answer


def _check(columns: Columns, listing: Listing) -> None:
    """Refuse what cannot be: names would be cut wrongly, and no frame holds such sizes."""
    for names in filter(None, (columns.keys, columns.prefixes)):
        # Between two names that begin so, in the order of code points, all do.
        for name in (min(names), max(names)):
            if name.startswith(listing.prefix):
                continue
            raise ServerFault(
                f"Cannot {listing}: the server gives {name!r}, which is not below it.",
                hint="Check the endpoint with %s3connect.",
            )
    if columns.sizes and not 0 <= min(columns.sizes) <= max(columns.sizes) <= _LARGEST:
        key, size = max(zip(columns.keys, columns.sizes, strict=True), key=lambda row: abs(row[1]))
        raise ServerFault(
            f"Cannot {listing}: the server says that {key!r} has {size} bytes.",
            hint="Check the endpoint with %s3connect.",
        )


def _request(listing: Listing) -> dict[str, Any]:
    request: dict[str, Any] = {
        "Bucket": listing.bucket,
        "Prefix": listing.prefix,
        "Delimiter": listing.delimiter,
        "MaxKeys": listing.page_size or defaults().page_size,
    }
    # A marker before the prefix means nothing, and SeaweedFS lists nothing for it.
    if listing.start_after > listing.prefix:
        request["KeyMarker" if listing.versions else "StartAfter"] = listing.start_after
    if listing.owner and not listing.versions:  # with versions the owner always comes
        request["FetchOwner"] = True
    return {name: value for name, value in request.items() if value != ""}


def _token(answer: dict[str, Any], listing: Listing) -> dict[str, Any]:
    names = (
        {"NextKeyMarker": "KeyMarker", "NextVersionIdMarker": "VersionIdMarker"}
        if listing.versions
        else {"NextContinuationToken": "ContinuationToken"}
    )
    return {ask: answer[told] for told, ask in names.items() if answer.get(told)}


def _page(columns: Columns, listing: Listing, *, more: bool) -> Page:
    page = Page(
        keys=columns.keys,
        sizes=columns.sizes,
        stamps=columns.stamps,
        etags=columns.etags,
        classes=columns.classes,
        prefixes=columns.prefixes,
        more=more,
        owners=columns.owners if listing.owner else None,
        version_ids=columns.version_ids if listing.versions else None,
        latest=columns.latest if listing.versions else None,
        deleted=columns.deleted if listing.versions else None,
    )
    after = listing.start_after
    if not after:
        return page
    # A folder that holds `after` may hold keys behind it.
    return page.kept(
        [key > after for key in page.keys],
        [prefix > after or after.startswith(prefix) for prefix in page.prefixes],
    )


def _columns(answer: dict[str, Any]) -> Columns:
    """Make the columns of a page that botocore parsed."""
    rows = [(row, False) for row in (*answer.get("Contents", ()), *answer.get("Versions", ()))]
    if markers := answer.get("DeleteMarkers"):
        rows += [(row, True) for row in markers]
        rows.sort(key=lambda pair: pair[0]["Key"])
    return Columns(
        keys=[row["Key"] for row, _ in rows],
        sizes=[row.get("Size", 0) for row, _ in rows],
        stamps=[
            moment and moment.astimezone(dt.UTC).replace(tzinfo=None).isoformat()
            for moment in (row.get("LastModified") for row, _ in rows)
        ],
        etags=[etag and etag.strip('"') for etag in (row.get("ETag") for row, _ in rows)],
        classes=[row.get("StorageClass") for row, _ in rows],
        owners=[row.get("Owner") for row, _ in rows],
        version_ids=[row.get("VersionId") for row, _ in rows],
        latest=[bool(row.get("IsLatest")) for row, _ in rows],
        deleted=[deleted for _, deleted in rows],
        prefixes=[found["Prefix"] for found in answer.get("CommonPrefixes", ())],
    )

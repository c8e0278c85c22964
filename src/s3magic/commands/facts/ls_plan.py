"""Plans a listing: from the options of `ls` to what is asked for. Pure."""

from __future__ import annotations

import os
from dataclasses import dataclass

from s3magic.commands.options.filters import ALL, Filters
from s3magic.errors import BadArgument
from s3magic.listing.frame import column_names, named
from s3magic.listing.matching import Matching
from s3magic.listing.pages import Listing
from s3magic.listing.query import Query
from s3magic.settings import defaults
from s3magic.uri import S3Uri, is_uri

__all__ = ["Options", "Plan", "plan"]

_BUCKET_COLUMNS = ("Name", "CreationDate")


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """The options of `ls`, as given."""

    recursive: bool
    query: str | None
    glob: bool
    limit: int | None
    page_size: int | None
    start_after: str | None
    owner: bool
    versions: bool
    sort: str | None
    reverse: bool
    wanted: Filters = ALL

    @property
    def cut(self) -> int | None:
        """Rows after which to stop asking: in another order the last may come first."""
        return None if self.sort is not None or self.reverse else self.limit


@dataclass(frozen=True, slots=True)
class Plan:
    """What to ask for, and what to do with the rows. Nothing is asked before it is whole.

    Args:
        cut: Rows after which to stop; None where all must be known before rows
            can be left out.
        sort: The column to sort by.
        listing: What to list; None for the buckets.
        matching: Which of it to keep; None for all.
        query: What to search it with; None for nothing.
        wanted: Chooses among the names that are listed.
        base: Where those names begin in a key: behind the address's folder.
    """

    cut: int | None
    sort: str | None
    listing: Listing | None = None
    matching: Matching | None = None
    query: Query | None = None
    wanted: Filters = ALL
    base: int = 0

    @property
    def noun(self) -> str:
        """What is counted: folders stand among the objects of a level."""
        if self.listing is None:
            return "bucket"
        return "item" if self.listing.delimiter else "object"


def plan(uri: object, options: Options) -> Plan:
    """Plan a listing; nothing is asked.

    Raises:
        BadArgument: The address or an option cannot be meant.
    """
    place = _place(uri)
    return _plan_objects(place, options) if place else _plan_buckets(options)


def _plan_buckets(options: Options) -> Plan:
    for name in ("recursive", "query", "glob", "page_size", "start_after", "owner", "versions"):
        if getattr(options, name) not in {None, False}:
            raise BadArgument(
                f"Cannot list buckets with {name}: it is for the objects of one.",
                hint="Name the bucket: s3://bucket/prefix.",
            )
    if options.wanted:
        raise BadArgument(
            "Cannot list buckets with exclude or include: they are for the objects of one.",
            hint="Name the bucket, or choose in the frame: df[df.Name.str.startswith('my-')].",
        )
    return Plan(options.cut, options.sort and named(options.sort, _BUCKET_COLUMNS))


def _plan_objects(place: S3Uri, options: Options) -> Plan:
    query = None if options.query is None else Query(options.query)
    recursive = options.recursive or query is not None
    matching = Matching(place.key, recursive=recursive) if options.glob else None
    size = options.page_size or defaults().page_size
    if options.cut and not matching and not options.wanted:
        size = min(size, options.cut + 1)  # one more than wanted proves that there are more
    listing = Listing(
        bucket=place.bucket,
        prefix=matching.prefix if matching else place.key,
        delimiter=matching.delimiter if matching else "" if recursive else "/",
        page_size=size,
        start_after=_start_after(options.start_after, place),
        owner=options.owner,
        versions=options.versions,
    )
    sort = options.sort
    if sort is not None and query is None:  # else only its result has the columns
        sort = named(sort, column_names(owner=options.owner, versions=options.versions))
    base = listing.prefix.rfind("/") + 1
    return Plan(options.cut, sort, listing, matching, query, options.wanted, base)


def _place(uri: object) -> S3Uri | None:
    if uri is None or isinstance(uri, S3Uri):
        return uri
    if isinstance(uri, str):
        return S3Uri.parse(uri, scheme_optional=True) if uri != "s3://" else None
    raise BadArgument(
        f"Cannot list this: an address is text, not {type(uri).__name__}.",
        hint="Write s3://bucket/prefix. What is on this machine !ls tells."
        if isinstance(uri, os.PathLike)
        else "Write s3://bucket/prefix.",
    )


def _start_after(given: str | None, place: S3Uri) -> str:
    if given is None or not is_uri(given):
        return given or ""
    uri = S3Uri.parse(given)
    if uri.bucket != place.bucket:
        raise BadArgument(f"Cannot start after {given}: it is in another bucket than {place}.")
    return uri.key

"""The verb ls: list buckets, or the objects and folders under a prefix."""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING, Any

from s3magic.commands.facts.ls_plan import Options
from s3magic.commands.facts.ls_plan import plan as planned
from s3magic.commands.options.description import Option, Positional, Verb
from s3magic.commands.options.filters import FILTERS, Filters
from s3magic.commands.options.kinds import INTEGER, TEXT
from s3magic.commands.options.shared import GLOB, PROGRESS_OPTION, whole
from s3magic.commands.showing.displays import display
from s3magic.commands.showing.stopping import stoppable
from s3magic.listing.buckets import list_buckets
from s3magic.listing.frame import Table, arrange, buckets, results
from s3magic.listing.pages import pages
from s3magic.session import using
from s3magic.settings import defaults
from s3magic.transfer.progress import Meter
from s3magic.transfer.watching import watching
from s3magic.wording import count

if TYPE_CHECKING:
    import pandas as pd
    from types_aiobotocore_s3 import S3Client

    from s3magic.commands.facts.ls_plan import Plan
    from s3magic.commands.options.filters import Patterns
    from s3magic.listing.page import Page
    from s3magic.uri import S3Uri

__all__ = ["VERB", "ls"]

VERB = Verb(
    name="s3ls",
    summary="List buckets, or what lies under a prefix, as a DataFrame.",
    positionals=(
        Positional(
            "URI",
            "s3://bucket/prefix, or bucket/prefix; the buckets if left out",
            required=False,
        ),
    ),
    options=(
        Option(("-r", "--recursive"), "all objects below, and no folders; else one level"),
        Option(
            ("--query",),
            "JMESPath over Contents, in which dates compare; implies -r",
            kind=TEXT,
            raw=True,
        ),
        GLOB,
        *FILTERS,
        Option(
            ("--limit",), "at most so many rows: the first in the order asked for", kind=INTEGER
        ),
        Option(("--page-size",), "keys a request", kind=INTEGER, default=defaults().page_size),
        Option(("--start-after",), "only keys behind this one", kind=TEXT),
        Option(("--owner",), "with the column Owner"),
        Option(("--versions",), "every version and every delete marker"),
        Option(("--sort",), "sort by this column", kind=TEXT),
        Option(("--reverse",), "the other way round"),
        PROGRESS_OPTION,
    ),
    examples=(
        ("%s3ls", "your buckets"),
        ("%s3ls s3://weather/csv/", "the folders and objects of one level"),
        ("df = %s3ls s3://weather/ -r", "everything below, as a DataFrame in df"),
        (
            '%s3ls s3://weather/ --query "Contents[?Size > `100000`][]"',
            "objects of more than 100,000 bytes",
        ),
        (
            "%s3ls s3://weather/ --query \"Contents[?LastModified > '2024-01-01'][]\"",
            "objects changed since a date",
        ),
        ('%s3ls "s3://weather/csv/*/station=wien.csv" --glob', "what a pattern finds"),
        ("%s3ls s3://weather/ -r --sort Size --reverse --limit 3", "the three largest"),
    ),
    twin="s3.ls",
    details=(
        "A prefix is what keys begin with, as S3 means it: s3://b/2024 finds 2024/, 2024-old/ "
        "and 2024.csv. The columns are Key, Size (bytes), LastModified (UTC), ETag, "
        "StorageClass, Type (object or prefix) and Bucket; a prefix with nothing under it "
        "gives an empty frame. What comes back is a source: %s3get $df ./here."
    ),
)

_MOST = 1000  # S3 API, ListObjectsV2: "returns up to 1,000 key names"


async def ls(
    uri: str | S3Uri | None = None,
    *,
    recursive: bool = False,
    query: str | None = None,
    glob: bool = False,
    exclude: Patterns = None,
    include: Patterns = None,
    limit: int | None = None,
    page_size: int | None = None,
    start_after: str | None = None,
    owner: bool = False,
    versions: bool = False,
    sort: str | None = None,
    reverse: bool = False,
    progress: str | None = None,
) -> pd.DataFrame:
    """List buckets, or what lies under a prefix.

    The key part of `uri` is a prefix as S3 means it: ``s3://b/2024`` finds
    ``2024/``, ``2024-old/`` and ``2024.csv``. Every character of it is literal,
    unless `glob` is set. A prefix with nothing under it is an empty frame.

    Args:
        uri: ``s3://bucket/prefix``, or ``bucket/prefix``; None for the buckets.
        recursive: All objects below, and no folders; else one level.
        query: JMESPath over the objects: ``Contents[?Size > `100`][]``. It sees
            all objects below the prefix (as with `recursive`), with the fields
            of the frame's columns, and `LastModified` compares with dates.
        glob: Read the key part as a pattern: ``*`` and ``?`` within one level,
            ``**`` across levels, ``[abc]``. Folders match too; with `recursive`,
            or a query, what lies below them is listed in their place.
        exclude: Names below the address's folder that are left out: a pattern, or
            several. ``*`` crosses folders here; a folder's own name ends in ``/``.
        include: Those of them that are listed after all. In a line the order of
            both counts: the last pattern that matches decides.
        limit: Rows at most: what S3 gives first, after `glob` and before `query`.
            With `sort` or `reverse` everything is listed, and what then comes
            first is kept. A frame that was cut has ``attrs["truncated"]``.
        page_size: Keys asked for in one request, 1 to 1,000.
        start_after: Only keys behind this one, a whole key.
        owner: Add the column ``Owner``.
        versions: List every version and delete marker, with ``VersionId``,
            ``IsLatest`` and ``IsDeleteMarker``.
        sort: A column to sort by; else the order is S3's.
        reverse: The other way round.
        progress: ``auto``, ``widget``, ``text`` or ``none``.

    Returns:
        One row an object or folder: ``Key`` string; ``Size`` int64, bytes;
        ``LastModified`` datetime64 in UTC; ``ETag``, ``StorageClass``, ``Type``
        (``object`` or ``prefix``) string; ``Bucket`` category. For buckets:
        ``Name`` string, ``CreationDate`` in UTC. For a query: the columns of
        what it gives, ``value`` for plain values.

    Raises:
        NoSuchBucket: There is no such bucket.
        AccessDenied: Listing is not allowed.
        BadArgument: An argument cannot be meant; nothing was asked.
        BadQuery: JMESPath refuses the query.

    Example:
        >>> df = await s3.ls("s3://b/2024/", recursive=True)
        >>> await s3.ls("s3://b/", query="Contents[?LastModified > `2024-01-31`][]")
    """
    options = Options(
        recursive=recursive,
        query=query,
        glob=glob,
        limit=None if limit is None else whole("limit", limit),
        page_size=None if page_size is None else whole("page_size", page_size, most=_MOST),
        start_after=start_after,
        owner=owner,
        versions=versions,
        sort=sort,
        reverse=reverse,
        wanted=Filters.of(exclude=exclude, include=include),
    )
    plan = planned(uri, options)
    meter = Meter(doing="Listing", did="Listed", noun=plan.noun)
    shown = display(progress)
    async with watching(meter, shown, quiet_if_short=True):
        with stoppable(meter):
            async with using() as client:
                frame, truncated = await _collect(client, plan, meter)
            if plan.sort is not None or reverse:
                frame = await asyncio.to_thread(arrange, frame, plan.sort, reverse=reverse)
        if truncated:
            # What the server still has may hold nothing that the pattern matches.
            more = "there may be more" if plan.matching or plan.wanted else "there are more"
            meter.note = f"the first {plan.cut:,}; {more}"
        elif options.limit and plan.cut is None and len(frame) > options.limit:
            meter.note = f"the first {options.limit:,} of {count(len(frame), 'row')} are kept"
            frame = frame.head(options.limit)
            truncated = True
        if truncated:
            frame.attrs["truncated"] = True
    return frame


async def _collect(client: S3Client, plan: Plan, meter: Meter) -> tuple[pd.DataFrame, bool]:
    """Ask, and build the frame; also says whether the limit cut it."""
    if plan.listing is None:
        rows = await list_buckets(client)
        kept = rows[: plan.cut]
        meter.tally(len(kept))
        return await asyncio.to_thread(buckets, kept), len(kept) < len(rows)
    asked = plan.listing
    table = Table(asked.bucket, owner=asked.owner, versions=asked.versions)
    items: list[dict[str, Any]] = []
    truncated = False
    # Who wants but a few rows asks for no page that may not be needed.
    lanes = None if plan.cut is None else 1
    async with contextlib.aclosing(pages(client, asked, lanes=lanes)) as answers:
        async for page in answers:
            kept_page, done, truncated = _trimmed(page, plan, meter.done_files)
            meter.tally(len(kept_page))
            if plan.query is None:
                await table.add(kept_page)
            else:
                items += kept_page.items()
            if done:
                break
    frame = await table.frame()
    if plan.query is not None:
        found = await asyncio.to_thread(plan.query.search, items)
        frame = await asyncio.to_thread(results, found, asked.bucket, frame)
    return frame, truncated


def _trimmed(page: Page, plan: Plan, before: int) -> tuple[Page, bool, bool]:
    """Keep what is wanted of a page; also says whether that is all, and whether rows were lost."""
    if plan.matching is not None:
        page = plan.matching.of(page)
    if plan.wanted:
        wants, base = plan.wanted.wants, plan.base
        page = page.kept(
            [wants(key[base:]) for key in page.keys], [wants(key[base:]) for key in page.prefixes]
        )
    if plan.cut is None or before + len(page) < plan.cut:
        return page, False, False
    left = plan.cut - before
    return page.first(left), True, page.more or len(page) > left

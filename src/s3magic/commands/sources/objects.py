"""Finds the objects that a verb's sources mean: an address, a tree, a glob, a frame."""

from __future__ import annotations

import contextlib
import functools
import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from s3magic.commands.options.filters import ALL
from s3magic.commands.sources.longframes import beside, parts
from s3magic.commands.sources.row_meanings import read_part, surveyed
from s3magic.commands.sources.rows import (
    check,
    is_column,
    is_frame,
    is_source,
    listed,
)
from s3magic.errors import BadArgument, NoSuchKey
from s3magic.listing.matching import Matching
from s3magic.listing.pages import Listing, pages
from s3magic.transfer.sparing import grown, let_go
from s3magic.transfer.window import stream
from s3magic.uri import S3Uri
from s3magic.wording import called

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Iterator, Sequence

    from types_aiobotocore_s3 import S3Client

    from s3magic.commands.options.filters import Filters
    from s3magic.errors import S3Error
    from s3magic.listing.page import Page

__all__ = [
    "ADD_GLOB",
    "Found",
    "checked",
    "find",
    "is_column",
    "is_frame",
    "is_source",
    "listed",
    "wild",
]

ADD_GLOB = "Add {0} to read it as a pattern."
"""With the option glob in its place."""
_WILD = re.compile(r"[*?\[]")


@dataclass(frozen=True, slots=True)
class Found:
    """One object that a source means.

    Args:
        uri: Where it is.
        base: The beginning of its key that the source gave; what follows is
            its place in a tree.
        size: Bytes, where a listing told.
        version_id: The version, where named.
        above: What stands before its place: its bucket's name and ``/``, where
            one frame, or one line, names several buckets.
        etag: Without quotes; empty where no listing told.
        storage_class: Where a listing told; empty where it left it out.
        refused: Why it stands for nothing that could be fetched.
        pinned: Whether it is meant only with that `etag`: a frame's row is of then.
    """

    uri: S3Uri
    base: str
    size: int | None = None
    version_id: str | None = None
    above: str = ""
    etag: str = ""
    storage_class: str | None = None
    refused: S3Error | None = None
    pinned: bool = False

    @property
    def place(self) -> str:
        """Its place in a tree."""
        return self.above + self.uri.key[len(self.base) :]


def wild(text: str) -> bool:
    """Tell whether a pattern may be meant by this."""
    return bool(_WILD.search(text))


async def find(
    client: S3Client,
    sources: Sequence[object],
    *,
    recursive: bool = False,
    glob: bool = False,
    version_id: str | None = None,
    several: bool = False,
    wanted: Filters = ALL,
    action: str = "get",
    markers: bool = False,
    seen: bool = False,
) -> AsyncGenerator[Found]:
    """Give the objects of some sources, in the sources' order, as the pages come.

    One that several sources or rows mean comes once. A single key costs no
    request here: it is not known whether it is there.

    Args:
        client: Any aiobotocore client.
        sources: ``s3://…`` addresses, `S3Uri`, or frames: listings, and reports,
            of which a row means its target if that is in S3, else its source.
        recursive: An address, or a folder's row, means everything below it.
        glob: An address's key is a pattern.
        version_id: The version of a single key.
        several: Each folder keeps its own last name in the tree. One that has
            nothing below it is then found, as refused; else it is an error.
        wanted: Chooses among them by their places.
        action: What is to be done with them, for the errors: ``delete``.
        markers: Give the delete markers that a frame names, too.
        seen: With `recursive`, look whether a key that has nothing below it is
            there at all.

    Raises:
        BadArgument: A source is none, or means a folder without `recursive`.
        NoSuchKey: There is nothing below the folder, or nothing that matches.
    """
    given: set[tuple[S3Uri, str | None]] = set()
    rows = sum(len(one) for one in sources if is_frame(one))  # type: ignore[arg-type,misc]
    sure = functools.partial(checked, recursive=recursive, glob=glob)
    meant = await beside(rows, lambda: [sure(source) for source in sources])
    if version_id is not None and (recursive or glob or len(sources) != 1):
        raise BadArgument(
            "A version is one object's: give its key alone with {0}.", options=["version_id"]
        )
    for source in meant:
        if not isinstance(source, S3Uri):
            found = _of_frame(client, source, markers=markers)
        elif glob:
            found = _of_glob(client, source, action, recursive=recursive)
        elif recursive:
            found = _of_tree(client, source, action, named=several, seen=seen)
        else:
            found = stream([Found(source, source.folder, None, version_id)])
        async with contextlib.aclosing(found):
            async for one in found:
                if one.refused is not None and not several:
                    raise one.refused
                if one.refused is None and not wanted.wants(one.place):
                    continue
                if (name := (one.uri, one.version_id)) not in given:
                    given.add(name)
                    grown(len(given))
                    yield one
    await beside(len(given), let_go, given)


def checked(source: object, *, recursive: bool, glob: bool) -> Any:
    """Give a source as an `S3Uri` or a frame.

    Raises:
        BadArgument: It is none, or means a folder without `recursive`.
    """
    if is_frame(source):
        check(source, recursive=recursive)
        return source
    if isinstance(source, S3Uri):
        uri = source
    elif isinstance(source, str):
        uri = S3Uri.parse(source)
    else:
        # A job may still run: what its report will name nobody knows.
        hint = "Its .report is a frame, and a source." if hasattr(type(source), "report") else ""
        raise BadArgument(f"{called(source)} is no source: write s3://bucket/key.", hint=hint)
    if not recursive and not glob and (not uri.key or uri.key.endswith("/")):
        raise BadArgument(
            f"{{1}} is a {'folder' if uri.key else 'bucket'}.",
            hint="Add {0} for everything in it, or see %s3ls {1}.",
            options=[("recursive", True), str(uri)],
        )
    return uri


async def _of_tree(
    client: S3Client, uri: S3Uri, action: str, *, named: bool, seen: bool
) -> AsyncGenerator[Found]:
    """Give all below a folder; a key that is no folder is itself.

    Args:
        client: Any aiobotocore client.
        uri: The folder, with or without the slash, or the bucket.
        action: What is to be done, for the error.
        named: Keep the folder's own last name in the places.
        seen: Look whether a key that is no folder is there.
    """
    prefix = uri.key if not uri.key or uri.key.endswith("/") else f"{uri.key}/"
    base = S3Uri(uri.bucket, prefix[:-1]).folder if named else prefix
    above = f"{uri.bucket}/" if named and not prefix else ""
    anything = False
    async with contextlib.aclosing(_below(client, Listing(uri.bucket, prefix), base)) as found:
        async for one in found:
            anything = True
            yield replace(one, above=above) if above else one
    if anything or not uri.key:
        return  # a bucket may well be empty
    if prefix != uri.key and not seen:
        yield Found(uri, uri.folder)
    elif prefix != uri.key and (key := await _alone(client, uri)):
        yield key
    else:
        nothing = NoSuchKey(
            f"Cannot {action} {uri}: there is nothing below it.",
            hint=f"See what there is with %s3ls {S3Uri(uri.bucket)}.",
        )
        yield Found(uri, base, refused=nothing)


async def _alone(client: S3Client, uri: S3Uri) -> Found | None:
    """Look up a single key; of those that begin like it, it comes first."""
    listing = Listing(uri.bucket, uri.key, page_size=1)
    async with contextlib.aclosing(pages(client, listing, lanes=1)) as listed:
        async for page in listed:
            if page.keys[:1] == [uri.key]:
                return Found(uri, uri.folder, page.sizes[0], etag=page.etags[0] or "")
            break
    return None


async def _of_glob(
    client: S3Client, uri: S3Uri, action: str, *, recursive: bool
) -> AsyncGenerator[Found]:
    """Give what a pattern finds, as `s3magic.listing.matching` reads it."""
    matching = Matching(uri.key, recursive=recursive)
    base = S3Uri(uri.bucket, matching.prefix).folder
    listing = Listing(uri.bucket, matching.prefix, matching.delimiter)
    anything = folders = False
    async with contextlib.aclosing(pages(client, listing)) as listed:
        async for page in listed:
            kept = matching.of(page)
            folders = folders or bool(kept.prefixes)
            for one in _of_page(kept, uri.bucket, base):
                anything = True
                yield one
    if not anything:
        nothing = NoSuchKey(
            f"Cannot {action} {{1}}: "
            f"{'only folders match it' if folders else 'nothing matches it'}.",
            hint="Add {0} for everything in them."
            if folders
            else "See what there is with %s3ls {2}.",
            options=[("recursive", True), str(uri), str(S3Uri(uri.bucket, base))],
        )
        yield Found(uri, base, refused=nothing)


async def _below(client: S3Client, listing: Listing, base: str) -> AsyncGenerator[Found]:
    async with contextlib.aclosing(pages(client, listing)) as listed:
        async for page in listed:
            for one in _of_page(page, listing.bucket, base):
                yield one


def _of_page(page: Page, bucket: str, base: str) -> Iterator[Found]:
    rows = zip(page.keys, page.sizes, page.etags, page.classes, strict=True)
    for key, size, etag, kind in rows:
        yield Found(S3Uri(bucket, key), base, size, etag=etag or "", storage_class=kind or "")


async def _of_frame(client: S3Client, source: Any, *, markers: bool) -> AsyncGenerator[Found]:
    """Give a frame's objects; with -r a folder's row means all below it.

    Each keeps its whole key as its place, so that where a file lands does not
    depend on which other rows a filter left; with several buckets the bucket's
    name comes before it.
    """
    several = len(await beside(len(source), surveyed, source)) > 1
    for part in parts(source):
        async for row in stream(await beside(len(part), read_part, part)):
            above = f"{row.bucket}/" if several else ""
            if row.delimiter is not None:
                below = _below(client, Listing(row.bucket, row.key, row.delimiter), "")
                async with contextlib.aclosing(below) as found:
                    async for one in found:
                        yield replace(one, above=above) if above else one
            elif markers or not row.marker:  # a marker holds no bytes
                uri, known = S3Uri(row.bucket, row.key), (row.size, row.version_id)
                pinned = bool(row.etag) and row.version_id is None
                yield Found(uri, "", *known, above, row.etag, row.storage_class, pinned=pinned)

"""Finds every version and delete marker of the objects that a verb's sources mean."""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import replace
from typing import TYPE_CHECKING

from s3magic.commands.options.filters import ALL
from s3magic.commands.sources.objects import Found, checked
from s3magic.commands.sources.row_meanings import read
from s3magic.errors import NotSupported
from s3magic.listing.matching import Matching
from s3magic.listing.pages import Listing, pages
from s3magic.transfer.window import results, stream
from s3magic.uri import S3Uri

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Sequence

    from types_aiobotocore_s3 import S3Client

    from s3magic.commands.options.filters import Filters
    from s3magic.listing.page import Page

__all__ = ["versions"]

_KEYS = 16  # whose versions are asked for at once


async def versions(
    client: S3Client,
    sources: Sequence[object],
    *,
    recursive: bool,
    glob: bool,
    wanted: Filters = ALL,
) -> AsyncGenerator[Found]:
    """Give the versions of what some sources mean, delete markers too, each once.

    Args:
        client: Any aiobotocore client.
        sources: As `s3magic.commands.sources.objects.find` takes them; of a frame's
            row every version is meant, whichever it names.
        recursive: An address, or a folder's row, means everything below it.
        glob: An address's key is a pattern.
        wanted: Chooses among them by their places.

    Raises:
        BadArgument: A source is none, or means a folder without `recursive`.
        NotSupported: The server keeps no versions.
    """
    given: set[tuple[S3Uri, str | None]] = set()
    meant = [checked(source, recursive=recursive, glob=glob) for source in sources]
    for source in meant:
        if not isinstance(source, S3Uri):
            found = _of_frame(client, source)
        elif glob:
            found = _of_glob(client, source, recursive=recursive)
        elif recursive:
            found = _of_tree(client, source, named=len(sources) > 1)
        else:
            found = _of_key(client, source, source.folder)
        async with contextlib.aclosing(found):
            async for one in found:
                name = (one.uri, one.version_id)
                if name not in given and wanted.wants(one.place):
                    given.add(name)
                    yield one


async def _of_tree(client: S3Client, uri: S3Uri, *, named: bool) -> AsyncGenerator[Found]:
    """Give all below a folder; a key that is no folder is itself.

    Args:
        client: Any aiobotocore client.
        uri: The folder, with or without the slash, or the bucket.
        named: Keep the folder's own last name in the places.
    """
    prefix = uri.key if not uri.key or uri.key.endswith("/") else f"{uri.key}/"
    base = S3Uri(uri.bucket, prefix[:-1]).folder if named else prefix
    anything = False
    async with contextlib.aclosing(_listed(client, Listing(uri.bucket, prefix))) as listed:
        async for page in listed:
            anything = anything or bool(page.keys)
            for one in _founds(uri.bucket, page, base):
                yield one
    if not anything and prefix != uri.key:
        async with contextlib.aclosing(_of_key(client, uri, uri.folder)) as found:
            async for one in found:
                yield one


async def _of_glob(client: S3Client, uri: S3Uri, *, recursive: bool) -> AsyncGenerator[Found]:
    matching = Matching(uri.key, recursive=recursive)
    base = S3Uri(uri.bucket, matching.prefix).folder
    listing = Listing(uri.bucket, matching.prefix, matching.delimiter)
    async with contextlib.aclosing(_listed(client, listing)) as listed:
        async for page in listed:
            for one in _founds(uri.bucket, matching.of(page), base):
                yield one


async def _of_key(client: S3Client, uri: S3Uri, base: str) -> AsyncGenerator[Found]:
    """Give the versions of one key: of all that begin like it, it comes first."""
    async with contextlib.aclosing(_listed(client, Listing(uri.bucket, uri.key))) as listed:
        async for page in listed:
            wanted = [key == uri.key for key in page.keys]
            kept = page.kept(wanted, [False] * len(page.prefixes))
            for one in _founds(uri.bucket, kept, base):
                yield one
            if not all(wanted):
                return


async def _of_frame(client: S3Client, source: object) -> AsyncGenerator[Found]:
    """Give the versions of a frame's objects, of several at once, and of its folders."""
    rows = await asyncio.to_thread(read, source)
    keys = dict.fromkeys(S3Uri(row.bucket, row.key) for row in rows if row.delimiter is None)

    async def of_key(uri: S3Uri) -> list[Found]:
        async with contextlib.aclosing(_of_key(client, uri, "")) as found:
            return [one async for one in found]

    async with contextlib.aclosing(results(stream(keys), of_key, _KEYS)) as several:
        async for founds in several:
            for one in founds:
                yield one
    for row in rows:
        if row.delimiter is not None:
            below = _of_tree(client, S3Uri(row.bucket, row.key), named=False)
            async with contextlib.aclosing(below) as found:
                async for one in found:
                    yield replace(one, base="")


async def _listed(client: S3Client, listing: Listing) -> AsyncGenerator[Page]:
    asked = Listing(listing.bucket, listing.prefix, listing.delimiter, versions=True)
    try:
        async with contextlib.aclosing(pages(client, asked)) as listed:
            async for page in listed:
                yield page
    except NotSupported as error:
        error.advise("It keeps no versions: leave {0} out.", options=["all_versions"])
        raise


def _founds(bucket: str, page: Page, base: str) -> list[Found]:
    """Give the rows of a page; a server without versions names none."""
    version_ids = page.version_ids or [None] * len(page.keys)
    rows = zip(page.keys, page.sizes, version_ids, strict=True)
    return [Found(S3Uri(bucket, key), base, size, version or None) for key, size, version in rows]

"""`cp`: copies objects from S3 to S3, on the server's side."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from s3magic.commands.options.description import Verb
from s3magic.commands.options.filters import Filters
from s3magic.commands.options.headers import headers_of
from s3magic.commands.options.shared import Transferring
from s3magic.commands.running.background import run, told
from s3magic.commands.running.copies import COPYING, POSITIONALS, copies
from s3magic.commands.running.transferring import Wording, transfer
from s3magic.transfer.copying import copy
from s3magic.transfer.quickcopy import quick

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Mapping

    from pandas import DataFrame

    from s3magic.commands.options.filters import Patterns
    from s3magic.uri import S3Uri

__all__ = ["VERB", "cp"]

VERB = Verb(
    name="s3cp",
    summary="Copy objects from S3 to S3; their bytes do not come here.",
    positionals=POSITIONALS,
    options=COPYING,
    examples=(
        ("%s3cp s3://weather/README.txt s3://archive/weather.txt", "one object, to this key"),
        ("%s3cp s3://weather/csv/ s3://archive/csv/ -r", "everything below a folder"),
        ('%s3cp "s3://weather/csv/*/station=wien.csv" s3://archive/wien/ --glob', "a pattern"),
        ("%s3cp $df s3://archive/all/ --dry-run", "only say what would be copied, and where to"),
        (
            "%s3cp s3://archive/weather.txt s3://archive/weather.txt --content-type text/markdown",
            "the same object, with another type",
        ),
    ),
    twin="s3.cp",
    details=(
        "Type, metadata, tags and storage class go with an object, unless an option replaces "
        "them; who may read it and how it is encrypted does not, as S3 has it. Large objects "
        "are copied in parallel parts. Returns one row an object: Source, Target, Size, "
        "Status, Error, Seconds.\n\n"
        "With -r and --glob the folders below the address are kept, and with several sources "
        "each folder's own name too; objects of a frame keep their whole key below the target."
    ),
)

_WORDING = Wording("copy", "Copying", "Copied", "object")


async def cp(
    source: object,
    target: str | S3Uri,
    *,
    recursive: bool = False,
    glob: bool = False,
    exclude: Patterns = None,
    include: Patterns = None,
    version_id: str | None = None,
    content_type: str | None = None,
    content_encoding: str | None = None,
    cache_control: str | None = None,
    metadata: Mapping[str, str] | None = None,
    tag: Mapping[str, str] | None = None,
    acl: str | None = None,
    storage_class: str | None = None,
    sse: str | None = None,
    sse_kms_key_id: str | None = None,
    content_disposition: str | None = None,
    content_language: str | None = None,
    expires: str | dt.date | None = None,
    website_redirect: str | None = None,
    no_clobber: bool = False,
    concurrency: int | None = None,
    dry_run: bool = False,
    errors: str | None = None,
    progress: str | None = None,
    bg: bool = False,
) -> DataFrame | Any:
    """Copy objects from S3 to S3, on the server's side.

    A target appears whole, or stays what it was. What an object is besides its
    bytes goes with it: type and other headers, metadata, tags, storage class.
    An object that changed since it was listed is an error.

    Args:
        source: ``s3://bucket/key``, an `S3Uri`, a frame from `ls`, or a list
            or Series of these.
        target: A key; or a folder, if it ends in ``/``, or if several objects
            can come.
        recursive: Everything below the address, its folders kept, and of several
            addresses each one's own last name too; of a frame, all below the
            folders among its rows, which are refused without it.
        glob: The key is a pattern: ``*``, ``?``, ``[abc]``, ``**``. With
            `recursive`, what lies below the folders that match comes too.
        exclude: Names below the folder that are left out: a pattern, or several.
            ``*`` crosses folders here, as in ``aws s3``.
        include: Those of them that are copied after all. In a line the order of
            both counts: the last pattern that matches decides.
        version_id: One version of one object.
        content_type: What it is, in place of the source's.
        content_encoding: How the bytes are packed, in place of the source's.
        cache_control: How long it may be cached, in place of the source's.
        metadata: In place of all of the source's.
        tag: In place of all of the source's tags.
        acl: A canned ACL. None is sent by default: it is the owner's alone then.
        storage_class: Where S3 keeps it, in place of the source's.
        sse: Server-side encryption; by default the target bucket's.
        sse_kms_key_id: The KMS key to encrypt with.
        content_disposition: How a browser is to save it, in place of the source's.
        content_language: The language that it is in, in place of the source's.
        expires: When it is stale, in place of the source's: a date, or ISO 8601.
        website_redirect: Where a website's reader is sent instead.
        no_clobber: Leave targets that exist as they are (a conditional write
            where the server knows one): ``skipped``.
        concurrency: Requests at once, at most; how many are best is found
            meanwhile.
        dry_run: Only say what would be done.
        errors: ``raise`` a `TransferError` at the end if anything failed, or
            ``return`` the report as it is.
        progress: ``auto``, ``widget``, ``text`` or ``none``.
        bg: Go on in the background, and give a `Job`, which can be awaited.

    Returns:
        One row an object: ``Source``, ``Target`` (string), ``Size`` (int64,
        bytes), ``Status`` (string: done, skipped, failed, cancelled, planned),
        ``Error`` (string), ``Seconds`` (float64). With `bg` the `Job`.

    Raises:
        NoSuchKey: There is nothing below the address, or nothing that matches.
        BadArgument: The arguments cannot be meant; nothing was done.
        TransferError: Something failed or was cancelled; the rest was copied.

    Example:
        >>> await s3.cp("s3://weather/csv/", "s3://archive/csv/", recursive=True)
    """
    replaced = headers_of(
        content_type=content_type,
        content_encoding=content_encoding,
        cache_control=cache_control,
        metadata=metadata,
        tag=tag,
        acl=acl,
        storage_class=storage_class,
        sse=sse,
        sse_kms_key_id=sse_kms_key_id,
        content_disposition=content_disposition,
        content_language=content_language,
        expires=expires,
        website_redirect=website_redirect,
    )
    asked = await asyncio.to_thread(
        copies,
        "copy",
        source,
        target,
        recursive=recursive,
        glob=glob,
        version_id=version_id,
        wanted=Filters.of(exclude=exclude, include=include),
        replaced=replaced,
    )
    options = Transferring.checked(
        no_clobber=no_clobber,
        concurrency=concurrency,
        part_size=None,
        dry_run=dry_run,
        errors=errors,
        progress=progress,
    )

    work = transfer(_WORDING, options, asked.plan, asked.ways(copy, quick))
    return await run(told("cp", source, target), work, bg=bg, progress=progress)

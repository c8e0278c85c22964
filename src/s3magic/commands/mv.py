"""`mv`: moves objects from S3 to S3: copies them, and deletes what was copied."""

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
from s3magic.transfer.moving import Moving

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Mapping

    from pandas import DataFrame

    from s3magic.commands.options.filters import Patterns
    from s3magic.uri import S3Uri

__all__ = ["VERB", "mv"]

VERB = Verb(
    name="s3mv",
    summary="Move objects within S3: copy them, and delete what was copied.",
    positionals=POSITIONALS,
    options=COPYING,
    examples=(
        ("%s3mv s3://photos/clouds/wien.jpg s3://photos/sky/wien.jpg", "one object, to this key"),
        ("%s3mv s3://photos/clouds/ s3://photos/sky/ -r", "everything below a folder"),
        ('%s3mv "s3://photos/sky/*.jpg" s3://photos/clouds/ --glob', "what a pattern finds"),
        ("%s3mv $df s3://archive/all/ --dry-run", "only say what would be moved, and where to"),
    ),
    twin="s3.mv",
    details=(
        "An object is deleted only when its target has been looked at and is what was copied, "
        "and only if it has not changed meanwhile: whatever breaks off, nothing is lost. On a "
        "versioned bucket the old version stays behind a delete marker. Targets and options are "
        "those of %s3cp. Returns one row an object: Source, Target, Size, Status, Error, Seconds."
    ),
)

_WORDING = Wording("move", "Moving", "Moved", "object")


async def mv(
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
    """Move objects within S3: copy them, and delete what was copied.

    A source is deleted only when its target was asked for anew and is what was
    copied, and only if it is still the same object: cut off at whatever moment,
    every object is safe at its source or at its target. On a versioned bucket
    its versions stay behind a delete marker; with `version_id` that version
    itself is deleted.

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
        include: Those of them that are moved after all. In a line the order of
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
        no_clobber: Leave targets that exist as they are, and their sources: ``skipped``.
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
        TransferError: Something failed or was cancelled; the rest was moved.
            The row's error says whether its object was copied.

    Example:
        >>> await s3.mv("s3://weather/csv/", "s3://archive/csv/", recursive=True)
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
        "move",
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

    work = transfer(_WORDING, options, asked.plan, asked.ways(Moving().move))
    return await run(told("mv", source, target), work, bg=bg, progress=progress)

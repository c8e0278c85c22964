"""`sync`: makes a folder or a prefix what another one is, with as few transfers as that takes."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from s3magic.commands.options.description import Option, Positional, Verb
from s3magic.commands.options.filters import FILTERS, NO_LINKS, Filters
from s3magic.commands.options.headers import HEADERS, SERVING, headers_of
from s3magic.commands.options.kinds import OBJECT
from s3magic.commands.options.shared import BG, TRANSFERRING, YES, Transferring
from s3magic.commands.running.background import run, told
from s3magic.commands.running.report import prepare
from s3magic.commands.sources.objects import is_frame
from s3magic.commands.syncing.enacting import agreed, enact
from s3magic.commands.syncing.planning import planned
from s3magic.commands.syncing.reconciling import Found, Wish
from s3magic.commands.syncing.sides import side_of
from s3magic.commands.syncing.steps import frame, read
from s3magic.errors import BadArgument
from s3magic.transfer.plan import upload_part_size
from s3magic.transfer.sparing import let_go, sparing

if TYPE_CHECKING:
    import datetime as dt
    import os
    from collections.abc import Mapping

    from pandas import DataFrame

    from s3magic.commands.options.filters import Patterns
    from s3magic.uri import S3Uri

__all__ = ["VERB", "sync"]

VERB = Verb(
    name="s3sync",
    summary="Make a folder or a prefix what another one is, moving only what differs.",
    positionals=(
        Positional("SOURCE", "a folder, or s3://bucket/folder/", required=False, where="both"),
        Positional(
            "TARGET",
            "where it is to be the same; one of the two is in S3",
            required=False,
            where="both",
        ),
    ),
    options=(
        Option(("--delete",), "delete what the target alone has, when all transfers are done"),
        *FILTERS,
        Option(("--size-only",), "what has the same size is the same"),
        Option(("--checksum",), "of what has the same size the content decides, not the time"),
        Option(
            ("--plan",),
            "run this plan, or what you left of it: a frame that --dry-run gave",
            kind=replace(OBJECT, metavar="FRAME"),
        ),
        YES,
        *HEADERS,
        *SERVING,
        NO_LINKS,
        *(option for option in TRANSFERRING if option.name != "no_clobber"),
        BG,
    ),
    examples=(
        ("%s3sync ./out s3://weather/backup/", "send what is new or changed"),
        ("%s3sync s3://weather/csv/ ./csv", "bring what is new or changed"),
        ("%s3sync s3://weather/csv/ s3://archive/csv/", "copy it, on the server's side"),
        (
            "plan = %s3sync s3://weather/csv/ ./csv --delete --dry-run",
            "only find out what would be done",
        ),
        ("%s3sync --plan $plan", "and do it, or what you left of it"),
        (
            '%s3sync ./out s3://weather/plots/ --exclude "*" --include "*.png"',
            "only some of it; the last pattern that matches a name decides",
        ),
    ),
    twin="s3.sync",
    details=(
        "What differs in size is transferred. Of what does not: a file newer than its object is "
        "sent, an object newer than its copy copied; a file that was brought here has its "
        "object's time, and if it has another one, its content is compared. Nothing is deleted "
        "without --delete, nor before all transfers have succeeded. Returns one row a step: "
        "Action, Source, Target, Size, Status, Error, Seconds."
    ),
)


async def sync(
    source: str | os.PathLike[str] | S3Uri | None = None,
    target: str | os.PathLike[str] | S3Uri | None = None,
    *,
    delete: bool = False,
    exclude: Patterns = None,
    include: Patterns = None,
    size_only: bool = False,
    checksum: bool = False,
    plan: DataFrame | None = None,
    yes: bool = False,
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
    no_follow_symlinks: bool = False,
    concurrency: int | None = None,
    part_size: int | None = None,
    dry_run: bool = False,
    errors: str | None = None,
    progress: str | None = None,
    bg: bool = False,
) -> DataFrame | Any:
    """Make a folder or a prefix what another one is, moving only what differs.

    Both sides are read to their ends and compared name by name before anything
    is done; a side that cannot be read is an error, and nothing was done.
    Each file or object then appears whole, or stays what it was, as with get,
    put and cp. What is deleted is deleted last, and only if all transfers
    succeeded.

    Args:
        source: A folder, or ``s3://bucket/folder/``.
        target: Where it is to be the same. One of the two at least is in S3.
        delete: Delete what the target alone has.
        exclude: Names below the two folders that are left alone, on both
            sides: a pattern, or several. ``*`` crosses folders.
        include: Those of them that are synced after all. In a line the order
            of both counts: the last pattern that matches decides.
        size_only: What has the same size is the same.
        checksum: Of what has the same size the content decides, not the time.
        plan: What an earlier ``dry_run`` gave, or what is left of it, in place
            of the two sides.
        yes: Do not ask before many deletions, before an empty source empties
            its target, or before the working folder is cleared.
        content_type: Of what is uploaded: guessed from the name by default. Of
            what is copied this and all down to `website_redirect` are the
            source's by default, but for `acl` and the encryption.
        content_encoding: How the bytes are packed.
        cache_control: How long the objects may be cached.
        metadata: Kept with the objects.
        tag: The objects' tags.
        acl: A canned ACL.
        storage_class: Where S3 keeps them.
        sse: Server-side encryption.
        sse_kms_key_id: The KMS key to encrypt with.
        content_disposition: How a browser is to save them.
        content_language: The language that they are in.
        expires: When they are stale, for who caches them: a date, or its text in ISO 8601.
        website_redirect: Where a bucket that is a website sends its readers instead.
        no_follow_symlinks: Leave links in a source folder out.
        concurrency: Requests at once, at most; how many are best is found
            meanwhile.
        part_size: Bytes of one part, 5 MiB to 5 GiB.
        dry_run: Only say what would be done.
        errors: ``raise`` a `TransferError` at the end if anything failed, or
            ``return`` the report as it is.
        progress: ``auto``, ``widget``, ``text`` or ``none``.
        bg: Go on in the background, and give a `Job`, which can be awaited.

    Returns:
        One row a step: ``Action`` (string: upload, download, copy, delete),
        ``Source``, ``Target`` (string), ``Size`` (int64, bytes), ``Status``
        (string: done, failed, skipped, cancelled), ``Error`` (string),
        ``Seconds`` (float64). Of a dry run the plan: ``Action``, ``Source``,
        ``Target``, ``Size``, ``Reason`` (string: new, size, newer, older,
        checksum, extra), ``Name`` (string, below the two folders),
        ``LastModified`` (datetime64, UTC), ``ETag``, ``StorageClass`` (string).
        With `bg` the `Job`.

    Raises:
        BadArgument: The arguments cannot be meant; nothing was done.
        NoSuchFile: There is no source folder; nothing was done.
        NoSuchKey: There is nothing below the source's prefix; nothing was done.
        TransferError: Something failed or was cancelled; the rest was done, but
            for the deletions.

    Example:
        >>> plan = await s3.sync("out", "s3://weather/out/", delete=True, dry_run=True)
        >>> await s3.sync(plan=plan[plan.Action == "upload"])
    """
    options = Transferring.checked(
        no_clobber=False,
        concurrency=concurrency,
        part_size=part_size,
        dry_run=dry_run,
        errors=errors,
        progress=progress,
    )
    upload_part_size(0, options.part_size)  # refused now, not once for each file
    headers = headers_of(
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
    if plan is None:
        if is_frame(source):
            raise BadArgument(
                "A frame is no source of a sync.",
                hint="A plan has an option of its own: {0}.",
                options=["plan"],
            )
        if size_only and checksum:
            raise BadArgument(
                "{0} and {1} at once: which of them?", options=["size_only", "checksum"]
            )
        work: Wish | Found = Wish(
            side_of(source, "source"),
            side_of(target, "target"),
            Filters.of(exclude=exclude, include=include),
            delete=delete,
            size_only=size_only,
            checksum=checksum,
            links=not no_follow_symlinks,
        )
    else:
        given = (source, target, exclude, include)
        if any(one is not None for one in given) or delete or size_only or checksum:
            raise BadArgument(
                "A plan says by itself what is synced, and how.",
                hint="Give {0} without source, target, {1}, filters and comparisons.",
                options=["plan", "delete"],
            )
        work = Found.of(await asyncio.to_thread(read, plan))
    line = told("sync", source, target) if plan is None else told("sync --plan", plan)
    coming = _synced(work, options, headers, yes=yes)
    return await run(line, coming, bg=bg, progress=progress)


async def _synced(
    work: Wish | Found, options: Transferring, headers: Mapping[str, Any], *, yes: bool
) -> DataFrame:
    """Compare, unless there is a plan already; and do what there is to do."""
    prepare()
    with sparing():
        found = await planned(work, options) if isinstance(work, Wish) else work
        if options.dry_run:
            return await asyncio.to_thread(_used_up, found)
    meant = yes or await agreed(found)
    return await enact(found, options, headers, again=work is found, meant=meant)


def _used_up(found: Found) -> DataFrame:
    """Make the plan's frame of what was found, which is then let go."""
    plan = frame(found.steps)
    let_go(found.transfers)
    let_go(found.deletions)
    return plan

"""`put`: sends files, folders and variables to S3."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from s3magic.commands.options.description import Option, Positional, Verb
from s3magic.commands.options.filters import FILTERS, NO_LINKS, Filters
from s3magic.commands.options.headers import HEADERS, SERVING, headers_of
from s3magic.commands.options.kinds import OBJECT
from s3magic.commands.options.shared import BG, GLOB, RECURSIVE, TRANSFERRING, Transferring
from s3magic.commands.running.background import run, told
from s3magic.commands.running.preview import GLANCE_THERE, preview_upload
from s3magic.commands.running.transferring import Ways, Wording, refuse_missing_bucket, transfer
from s3magic.commands.sources.files import uploads
from s3magic.commands.sources.longframes import beside
from s3magic.commands.sources.objects import listed
from s3magic.errors import BadArgument
from s3magic.transfer.plan import upload_part_size
from s3magic.transfer.sparing import grown, let_go, sparing
from s3magic.transfer.upload import quick, upload
from s3magic.transfer.window import stream
from s3magic.uri import S3Uri, is_uri

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import AsyncGenerator, Mapping

    from pandas import DataFrame
    from types_aiobotocore_s3 import S3Client

    from s3magic.commands.options.filters import Patterns
    from s3magic.transfer.plan import Upload

__all__ = ["CELL", "VERB", "put"]

VERB = Verb(
    name="s3put",
    summary="Send files, folders or variables to S3.",
    positionals=(
        Positional(
            "SOURCE",
            "a file, a folder with -r, or $data that is bytes",
            many=True,
            required=False,
            where="local",
        ),
        Positional("URI", "s3://bucket/key, or a folder: s3://bucket/folder/"),
    ),
    options=(
        RECURSIVE,
        GLOB,
        *FILTERS,
        Option(
            ("--var",),
            "send what this variable holds, a str or bytes, in place of a file",
            kind=replace(OBJECT, metavar="NAME"),
            variable=True,
        ),
        *HEADERS,
        *SERVING,
        NO_LINKS,
        *TRANSFERRING,
        BG,
    ),
    examples=(
        ("%s3put report.csv s3://weather/results/2026.csv", "one file, to this key"),
        ("%s3put a.csv b.csv s3://weather/results/", "several files, into a folder"),
        ("%s3put ./out s3://weather/results/out/ -r", "everything below a folder"),
        ('%s3put "out/*.png" s3://weather/results/plots/ --glob', "what a pattern finds"),
        ("%s3put --var text s3://weather/results/notes.txt", "the text that a variable holds"),
        ("%s3put big.bin s3://weather/results/big.bin --no-clobber", "only if the key is free"),
    ),
    twin="s3.put",
    details=(
        "Large files go in parallel parts; an upload that fails or is cancelled leaves nothing "
        "open and the old object as it was. Returns one row a transfer: Source, Target, Size, "
        "Status, Error, Seconds."
    ),
)

CELL = replace(
    VERB,
    summary="Send the text of this cell, all that stands below the first line, to S3.",
    positionals=(Positional("URI", "s3://bucket/key"),),
    # What a text has not: files, folders, and a variable in its place.
    options=tuple(
        option
        for option in VERB.options
        if option not in {RECURSIVE, GLOB, NO_LINKS} and not option.variable
    ),
    examples=(
        ("%%s3put s3://weather/results/notes.md", "what stands below, in UTF-8"),
        ("%%s3put s3://weather/results/plan.json --no-clobber", "only if the key is free"),
        ("%%s3put s3://weather/results/$name.txt", "a variable in the address"),
    ),
    details=(
        "The text goes as it is written: nothing in it is looked up, neither $name nor "
        "{expression}. It ends in one newline, and empty lines at its end are left out. Only "
        "the first line is read as any magic's. To send a text that was computed: "
        "%s3put --var name s3://bucket/key."
    ),
    takes_cell="var",
)

_WORDING = Wording("put", "Uploading", "Uploaded")


async def put(
    source: object = None,
    uri: str | S3Uri | None = None,
    *,
    recursive: bool = False,
    glob: bool = False,
    exclude: Patterns = None,
    include: Patterns = None,
    var: str | bytes | None = None,
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
    no_clobber: bool = False,
    concurrency: int | None = None,
    part_size: int | None = None,
    dry_run: bool = False,
    errors: str | None = None,
    progress: str | None = None,
    bg: bool = False,
) -> DataFrame | Any:
    """Send files, folders or data to S3.

    An object appears whole, or stays what it was. A large file goes in parallel
    parts, which grow so that 5 TiB fit in S3's 10,000; a multipart upload that
    does not end well is aborted.

    Args:
        source: A path, bytes, or a list or Series of these. A str is a path; the text of
            one goes as `var`.
        uri: The key; or a folder, ending in ``/``, into which the names go.
        recursive: Take a folder with all that is in it.
        glob: Read the path as a pattern: ``*``, ``?``, ``[abc]``, ``**``.
        exclude: Names below the folder that are left out: a pattern, or several.
            ``*`` crosses folders here, as in ``aws s3``.
        include: Those of them that are sent after all. In a line the order of
            both counts: the last pattern that matches decides.
        var: The content itself, in place of a source: bytes, or a str as UTF-8.
        content_type: Guessed from the name by default.
        content_encoding: How the bytes are packed.
        cache_control: How long the object may be cached.
        metadata: Kept with the object.
        tag: The object's tags.
        acl: A canned ACL. None is sent by default: it is the owner's alone
            then, and buckets with ACLs turned off refuse the header.
        storage_class: Where S3 keeps it.
        sse: Server-side encryption.
        sse_kms_key_id: The KMS key to encrypt with.
        content_disposition: How a browser is to save it.
        content_language: The language that it is in.
        expires: When it is stale, for who caches it: a date, or its text in ISO 8601.
        website_redirect: Where a bucket that is a website sends its readers instead.
        no_follow_symlinks: Leave links below a folder, or that match a pattern, out.
        no_clobber: Leave objects that exist as they are (a conditional write): ``skipped``.
        concurrency: Requests at once, at most; how many are best is found
            meanwhile.
        part_size: Bytes of one part, 5 MiB to 5 GiB.
        dry_run: Only say what would be done.
        errors: ``raise`` a `TransferError` at the end if anything failed, or
            ``return`` the report as it is.
        progress: ``auto``, ``widget``, ``text`` or ``none``.
        bg: Go on in the background, and give a `Job`, which can be awaited.

    Returns:
        One row a transfer: ``Source``, ``Target`` (string), ``Size`` (int64,
        bytes), ``Status`` (string: done, skipped, failed, cancelled, planned),
        ``Error`` (string), ``Seconds`` (float64). With `bg` the `Job`.

    Raises:
        BadArgument: The arguments cannot be meant; nothing was done.
        NoSuchFile: There is no such file; nothing was done.
        TransferError: Something failed or was cancelled; the rest arrived.

    Example:
        >>> await s3.put("report.csv", "s3://weather/results/")
    """
    sources, several, target = _meant(source, uri, var)
    options = Transferring.checked(
        no_clobber=no_clobber,
        concurrency=concurrency,
        part_size=part_size,
        dry_run=dry_run,
        errors=errors,
        progress=progress,
    )
    upload_part_size(0, options.part_size)  # refused now, not once for each file
    given = headers_of(
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
    wanted = Filters.of(exclude=exclude, include=include)

    def found() -> list[Upload]:
        jobs: list[Upload] = []
        for job in uploads(
            sources,
            target,
            given,
            recursive=recursive,
            glob=glob,
            several=several,
            wanted=wanted,
            links=not no_follow_symlinks,
        ):
            jobs.append(job)
            grown(len(jobs))
        return jobs

    what = None if var is not None else source
    with sparing():
        jobs = await asyncio.to_thread(found)

        async def plan(client: S3Client) -> AsyncGenerator[Upload]:
            if options.dry_run:  # else the first upload says so
                await refuse_missing_bucket(client, target, f"put {target}")
            async for job in stream(jobs):
                yield job
            await beside(len(jobs), let_go, jobs)

        ways = Ways(upload, preview_upload, quick, GLANCE_THERE)
        going = transfer(_WORDING, options, plan, ways)
        return await run(told("put", what, target), going, bg=bg, progress=progress)


def _meant(source: object, uri: object, var: object) -> tuple[list[object], bool, S3Uri]:
    """Sort out the ways to call it; raises BadArgument for what is none of them."""
    if var is not None:
        if uri is None:
            source, uri = None, source
        if source is not None:
            raise BadArgument(
                "A source and {0} at once: which of them?", hint="Give one.", options=["var"]
            )
        if not isinstance(var, str | bytes | bytearray | memoryview):
            raise BadArgument(
                f"{{0}} holds a {type(var).__name__}, and only str and bytes can be sent as "
                "they are.",
                hint="Make bytes of it first: df.to_csv().encode(), for example.",
                options=["var"],
            )
        source = var.encode() if isinstance(var, str) else var
    if source is None or uri is None:
        raise BadArgument("A put needs a source and s3://bucket/key.", hint="See %s3put -h.")
    sources, several = listed(source)
    for one in sources:
        if isinstance(one, S3Uri) or is_uri(one):
            raise BadArgument(
                f"The source {one} is in S3, and %s3put sends files there.",
                hint="%s3get brings it here; to send a file, name the file first.",
            )
    if not isinstance(uri, str | S3Uri):
        raise BadArgument(f"The target is a {type(uri).__name__}: write s3://bucket/key.")
    return sources, several, uri if isinstance(uri, S3Uri) else S3Uri.parse(uri)

"""`rm`: deletes objects, folders, and versions."""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from s3magic.commands.options.description import Option, Positional, Verb
from s3magic.commands.options.filters import FILTERS, Filters
from s3magic.commands.options.kinds import TEXT
from s3magic.commands.options.shared import DELETING, GLOB, RECURSIVE, Deleting
from s3magic.commands.running.deleting import Errand, remove
from s3magic.commands.running.report import judged, prepare
from s3magic.commands.running.transferring import refuse_missing_bucket
from s3magic.commands.sources.longframes import parts
from s3magic.commands.sources.objects import checked, find, is_frame, listed, wild
from s3magic.commands.sources.rows import check_leaving, names_versions
from s3magic.commands.sources.versions import versions
from s3magic.errors import BadArgument, Denied, NoSuchKey, NotFound, NotSupported
from s3magic.session import using
from s3magic.transfer.sparing import sparing
from s3magic.transfer.window import each, stream
from s3magic.translation import translate
from s3magic.uri import S3Uri

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Sequence

    from pandas import DataFrame
    from types_aiobotocore_s3 import S3Client

    from s3magic.commands.options.filters import Patterns
    from s3magic.commands.sources.objects import Found

__all__ = ["VERB", "rm"]

_LITERAL = "its name taken literally: --glob reads it as a pattern"

VERB = Verb(
    name="s3rm",
    summary="Delete objects: single ones, folders, what a pattern or a frame names, versions.",
    positionals=(
        Positional("SOURCE", "s3://bucket/key, several of them, or $frame from %s3ls", many=True),
    ),
    options=(
        RECURSIVE,
        GLOB,
        *FILTERS,
        Option(("--version-id",), "this version of the object, for good", kind=TEXT),
        Option(("--all-versions",), "every version and every delete marker of it, for good"),
        *DELETING,
    ),
    examples=(
        ("%s3rm s3://weather/results/notes.txt", "one object"),
        ("%s3rm s3://weather/tmp/ -r", "everything below a folder"),
        ("%s3rm s3://weather/ -r --dry-run", "only say what would go"),
        ('%s3rm "s3://weather/tmp/*.part" --glob', "what a pattern finds"),
        ("%s3rm s3://weather/tmp/ -r --exclude *.csv", "but for some"),
        ("%s3rm ${df[df.LastModified < '2024-01-01']}", "what was chosen from a listing df"),
        ("%s3rm s3://weather/tmp/ -r -y", "without being asked, however many they are"),
    ),
    twin="s3.rm",
    details=(
        "Before more than 1,000 objects, and before everything in a bucket, you are asked; -y "
        "answers yes. A key that is not there counts as deleted, as S3 has it. Of a frame with "
        "ETags only what is still as it was listed goes. Where the bucket keeps versions, the "
        "objects are hidden by delete markers, which the report names. Returns one row an object: "
        "Bucket, Key, VersionId, Size, ETag, Status, Error, DeleteMarker."
    ),
)

_LOOKS = 16  # keys that are looked up at once for a dry run


async def rm(
    source: object,
    *,
    recursive: bool = False,
    glob: bool = False,
    exclude: Patterns = None,
    include: Patterns = None,
    version_id: str | None = None,
    all_versions: bool = False,
    dry_run: bool = False,
    yes: bool = False,
    concurrency: int | None = None,
    errors: str | None = None,
    progress: str | None = None,
) -> DataFrame:
    """Delete objects.

    They go as their listing comes, a thousand a request. One that cannot be
    deleted leaves the others alone. Before more than 1,000 objects, and before
    all objects of a bucket, the notebook asks; where nobody can be asked that is an error,
    unless `yes` is set. Where the bucket keeps versions, an object is hidden by
    a delete marker, and is there again when that is removed.

    Args:
        source: ``s3://bucket/key``, a list or Series of these, an `S3Uri`, or
            a frame: of a listing, or the report of another verb. A frame that
            has versions means just these; one that has ETags means the objects
            that still have them: what was replaced since is a failed row.
        recursive: Everything below the address, and below folders of a frame.
        glob: Read the key as a pattern: ``*``, ``?``, ``[abc]``, ``**``.
        exclude: Patterns of names below the address that stay.
        include: Patterns of names that go after all.
        version_id: This version of a single key, for good.
        all_versions: Every version and every delete marker, for good.
        dry_run: Only say what would go.
        yes: Do not ask.
        concurrency: Requests at once.
        errors: ``raise`` a `TransferError` at the end if anything failed, or
            ``return`` the report as it is.
        progress: ``auto``, ``widget``, ``text`` or ``none``.

    Returns:
        One row an object or version: ``Bucket`` (category), ``Key``,
        ``VersionId`` (string), ``Size`` (Int64, bytes) and ``ETag`` (string),
        where a listing told, ``Status`` (string: done, failed, cancelled, planned), ``Error``
        (string), ``DeleteMarker`` (string: the version of the marker that was
        made). What lies nowhere is an empty frame.

    Raises:
        BadArgument: The arguments cannot be meant, or nobody can be asked;
            nothing was deleted.
        NoSuchBucket: There is no such bucket.
        AccessDenied: Listing is not allowed.
        TransferError: Something failed or was cancelled; the rest is gone.

    Example:
        >>> await s3.rm("s3://weather/tmp/", recursive=True)
    """
    options = Deleting.checked(
        dry_run=dry_run, yes=yes, concurrency=concurrency, errors=errors, progress=progress
    )
    sources, several = listed(source)
    wanted = Filters.of(exclude=exclude, include=include)
    if version_id is not None and all_versions:
        raise BadArgument("One version and all versions at once: which?", hint="Give one.")
    errand = await asyncio.to_thread(
        _errand,
        sources,
        recursive=recursive,
        glob=glob,
        all_versions=all_versions,
        for_good=all_versions or version_id is not None,
    )

    async def plan(client: S3Client) -> AsyncGenerator[Found]:
        if all_versions:
            found = versions(client, sources, recursive=recursive, glob=glob, wanted=wanted)
        else:
            found = find(
                client,
                sources,
                recursive=recursive,
                glob=glob,
                version_id=version_id,
                several=several,
                wanted=wanted,
                action="delete",
                markers=True,
                seen=True,
            )
        with contextlib.suppress(NoSuchKey):  # nothing is there, which is what was wanted
            async with contextlib.aclosing(found):
                async for one in found:
                    if one.refused is None:
                        yield one

    prepare()
    async with using() as client:
        found = plan(client)
        # Keys that were named, and listed by nobody: a frame's rows were.
        if dry_run and not (recursive or glob or all_versions or any(map(is_frame, sources))):
            found = _present(client, found)
        with sparing():
            record = await remove(client, found, options, errand)
            report, ending = await asyncio.to_thread(record.used_up)
    return judged(report, ending, options.errors)


def _errand(
    sources: Sequence[object], *, recursive: bool, glob: bool, all_versions: bool, for_good: bool
) -> Errand:
    """Look at the sources, and say what is to be done; takes a while for long frames.

    Raises:
        BadArgument: A source is none, or nobody can mean that what it names goes.
    """
    meant = [checked(one, recursive=recursive, glob=glob) for one in sources]
    for one in meant:
        check_leaving(one)
    return Errand(
        _where(meant, recursive=recursive, glob=glob),
        noun="version" if all_versions else "object",
        always=any(_is_bucket(one, glob=glob) for one in meant),
        for_good=for_good or any(is_frame(one) and names_versions(one) for one in meant),
        note=_LITERAL if not glob and any(_looks_wild(one) for one in meant) else "",
    )


async def _present(client: S3Client, found: AsyncGenerator[Found]) -> AsyncGenerator[Found]:
    """Give those that are there, each with its size, in their order."""
    founds = [one async for one in found]
    looked: dict[int, Found | None] = {}

    async def look(numbered: tuple[int, Found]) -> None:
        number, one = numbered
        looked[number] = await _looked_up(client, one)

    await each(stream(enumerate(founds)), look, _LOOKS)
    for _, one in sorted(looked.items()):
        if one is not None:
            yield one


async def _looked_up(client: S3Client, found: Found) -> Found | None:
    """Look what a dry run would delete under a key; None if nothing is there."""
    uri, action = found.uri, f"delete {found.uri}"
    version: Any = {} if found.version_id is None else {"VersionId": found.version_id}
    try:
        head = await client.head_object(Bucket=uri.bucket, Key=uri.key, **version)
    except Exception as error:
        ours = translate(error, action)
        if isinstance(ours, Denied | NotSupported):
            return found  # a marker, or who may delete and not read
        if not isinstance(ours, NotFound):
            raise ours from error
        await refuse_missing_bucket(client, uri, action)
        return None
    return replace(found, size=head["ContentLength"], etag=head.get("ETag", "").strip('"'))


def _looks_wild(one: object) -> bool:
    """Tell whether a pattern may have been meant: a key that is not there counts as deleted."""
    return isinstance(one, S3Uri) and wild(one.key)


def _is_bucket(source: Any, *, glob: bool) -> bool:
    """Tell whether a source means all that is in a bucket."""
    if is_frame(source):
        if not {"Key", "Type"} <= set(source.columns):
            return False
        return any(
            bool((part["Key"].isin([""]) & part["Type"].isin(["prefix"])).any())
            for part in parts(source)
        )
    return isinstance(source, S3Uri) and (not source.key or (glob and not source.key.strip("*/")))


def _where(sources: Sequence[object], *, recursive: bool, glob: bool) -> str:
    """Say where the objects are, for the question."""
    if len(sources) != 1:  # none where a filter left nothing of a column
        return f"that {len(sources):,} sources name"
    if is_frame(sources[0]):
        return "that the frame names"
    if glob:
        return f"that match {sources[0]}"
    return f"below {sources[0]}" if recursive else f"at {sources[0]}"

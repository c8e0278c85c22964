"""`rb`: removes a bucket, with all that is in it if asked to."""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from s3magic.commands.options.description import Option, Positional, Verb
from s3magic.commands.options.shared import DELETING, Deleting
from s3magic.commands.running.aborting import Ended, aborted
from s3magic.commands.running.asking import ADD_YES, confirmed
from s3magic.commands.running.deleted import Record
from s3magic.commands.running.deleting import Errand, remove
from s3magic.commands.running.report import Ending, judged, prepare
from s3magic.commands.sources.bucket import bucket_of
from s3magic.commands.sources.objects import find
from s3magic.commands.sources.open_uploads import OpenUpload, open_uploads
from s3magic.commands.sources.versions import versions
from s3magic.errors import BadArgument, NotSupported
from s3magic.session import using
from s3magic.translation import translate
from s3magic.wording import count

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Sequence

    from pandas import DataFrame
    from types_aiobotocore_s3 import S3Client

    from s3magic.commands.sources.objects import Found
    from s3magic.uri import S3Uri

__all__ = ["VERB", "rb"]

VERB = Verb(
    name="s3rb",
    summary="Remove a bucket; with --force all that is in it first.",
    positionals=(Positional("BUCKET", "s3://bucket, or bucket"),),
    options=(
        Option(
            ("--force",),
            "first delete every object, version, delete marker and open upload in it, for good",
        ),
        *DELETING,
    ),
    examples=(
        ("%s3rb s3://archive --dry-run", "only look whether it is empty"),
        ("%s3rb s3://archive --force --dry-run", "only say what would be deleted with it"),
        ("%s3rb s3://my-drafts --force -y", "with all that is in it, without being asked"),
    ),
    twin="s3.rb",
    details=(
        "A bucket that is not empty is refused, unless --force empties it, which asks first; -y "
        "answers yes. The bucket goes last, and only if all else went. Returns one row each: "
        "Bucket, Type (object, upload or bucket), Key, VersionId, UploadId, Size, Status, Error."
    ),
)


@dataclass(slots=True)
class _Ends:
    """What became of all that is in a bucket, and of itself."""

    record: Record = field(default_factory=lambda: Record("version"))
    uploads: dict[OpenUpload, Ended] = field(default_factory=dict)
    bucket: Ended = field(default_factory=lambda: Ended("cancelled"))

    @property
    def empty(self) -> bool:
        """Whether all that was in it is gone."""
        ending = self.record.ending
        went = all(one.status == "done" for one in self.uploads.values())
        return went and not ending.failures and not ending.cancelled

    @property
    def ending(self) -> Ending:
        """How it ended, in figures."""
        inside = self.record.ending
        others = [*self.uploads.values(), self.bucket]
        return Ending(
            "thing",
            total=inside.total + len(others),
            done=inside.done + sum(one.status == "done" for one in others),
            cancelled=inside.cancelled + sum(one.status == "cancelled" for one in others),
            failures=[*inside.failures, *(one.error for one in others if one.error is not None)],
            did="deleted",
        )


async def rb(
    uri: str | S3Uri,
    *,
    force: bool = False,
    dry_run: bool = False,
    yes: bool = False,
    concurrency: int | None = None,
    errors: str | None = None,
    progress: str | None = None,
) -> DataFrame:
    """Remove a bucket.

    It goes last, and only if all that was in it went.

    Args:
        uri: ``s3://bucket``, or ``bucket``.
        force: First delete every object, version, delete marker and open
            upload in it, for good; asks first.
        dry_run: Only say what would go.
        yes: Do not ask.
        concurrency: Requests at once.
        errors: ``raise`` a `TransferError` at the end if anything stayed, or
            ``return`` the report as it is.
        progress: ``auto``, ``widget``, ``text`` or ``none``.

    Returns:
        One row each: ``Bucket`` (category), ``Type`` (string: object, upload
        or bucket), ``Key``, ``VersionId``, ``UploadId`` (string), ``Size``
        (Int64, bytes), ``Status`` (string: done, failed, cancelled, planned),
        ``Error`` (string).

    Raises:
        BadArgument: That is no bucket, or nobody can be asked.
        NoSuchBucket: There is no such bucket.
        TransferError: The bucket is not empty, or something in it stayed.

    Example:
        >>> await s3.rb("s3://my-drafts", force=True)
    """
    options = Deleting.checked(
        dry_run=dry_run, yes=yes, concurrency=concurrency, errors=errors, progress=progress
    )
    place = bucket_of(uri, "%s3rm {uri} -r deletes what is below it.")
    prepare()
    ends = _Ends()
    async with using() as client:
        if force:
            await _empty(client, place, options, ends)
        if dry_run:
            ends.bucket = await _previewed(client, place, force=force)
        elif ends.empty:
            ends.bucket = await _removed(client, place.bucket)
    return judged(
        await asyncio.to_thread(_frame, place.bucket, ends),
        ends.ending,
        "return" if dry_run else options.errors,
    )


async def _empty(client: S3Client, place: S3Uri, options: Deleting, ends: _Ends) -> None:
    """Delete all that is in the bucket."""
    pending = await _pending(client, place)
    errand = Errand(
        f"and all else in {place}, and the bucket itself,",
        noun="version",
        always=True,
        for_good=True,
    )
    ends.record = await remove(client, _everything(client, place), options, errand)
    if options.dry_run:
        ends.uploads = {upload: Ended("planned") for upload in pending}
    elif not pending:
        return
    elif ends.empty and (options.yes or ends.record.names or await _agreed(place, pending)):
        ends.uploads = await aborted(client, pending, options.progress)
    else:
        ends.uploads = {upload: Ended("cancelled") for upload in pending}


async def _pending(client: S3Client, place: S3Uri) -> list[OpenUpload]:
    """Give the open uploads; none where the server has no such list."""
    try:
        async with contextlib.aclosing(open_uploads(client, place)) as found:
            return [upload async for upload in found]
    except NotSupported:
        return []


async def _agreed(place: S3Uri, pending: Sequence[OpenUpload]) -> bool:
    """Ask about uploads where nothing else was asked about."""
    uploads = count(len(pending), "open upload")
    return await confirmed(f"Abort {uploads} to {place}, and remove the bucket?", hint=ADD_YES)


async def _everything(client: S3Client, place: S3Uri) -> AsyncGenerator[Found]:
    """Give every version, or every object of a server that has no others."""
    try:
        async with contextlib.aclosing(
            versions(client, [place], recursive=True, glob=False)
        ) as found:
            async for one in found:
                yield one
    except NotSupported:
        async with contextlib.aclosing(find(client, [place], recursive=True)) as found:
            async for one in found:
                yield one


async def _removed(client: S3Client, bucket: str) -> Ended:
    try:
        await client.delete_bucket(Bucket=bucket)
    except Exception as error:  # noqa: BLE001 - it becomes the bucket's row
        return Ended("failed", translate(error, f"remove the bucket {bucket}"))
    return Ended("done")


async def _previewed(client: S3Client, place: S3Uri, *, force: bool) -> Ended:
    """Find out whether the bucket could be removed.

    Raises:
        NoSuchBucket: There is none.
    """
    if force:
        return Ended("planned")
    async with contextlib.aclosing(_everything(client, place)) as found:
        async for _ in found:
            full = BadArgument(
                f"Cannot remove the bucket {place.bucket}: it is not empty.",
                hint="Add {0} to delete everything in it first.",
                options=[("force", True)],
            )
            return Ended("failed", full)
    return Ended("planned")


def _frame(bucket: str, ends: _Ends) -> DataFrame:
    import pandas as pd

    inside = ends.record.frame()
    others = [*ends.uploads.values(), ends.bucket]
    keys = [*(upload.uri.key for upload in ends.uploads), None]
    names = [*(upload.upload_id for upload in ends.uploads), None]
    nothing = [None] * len(others)
    columns = {
        "Key": [*inside["Key"], *keys],
        "VersionId": [*inside["VersionId"], *nothing],
        "UploadId": [*[None] * len(inside), *names],
        "Size": [*inside["Size"], *nothing],
        "Status": [*inside["Status"], *(one.status for one in others)],
        "Error": [*inside["Error"], *(str(one.error or "") for one in others)],
    }
    kinds = ["object"] * len(inside) + ["upload"] * len(ends.uploads) + ["bucket"]
    made = {
        name: pd.array(values, dtype="Int64" if name == "Size" else "string")
        for name, values in columns.items()
    }
    return pd.DataFrame(
        {
            "Bucket": pd.Categorical([bucket] * len(kinds)),
            "Type": pd.array(kinds, dtype="string"),
            **made,
        }
    )

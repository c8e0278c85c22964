"""`uploads`: multipart uploads that were begun and never ended, which cost money."""

from __future__ import annotations

import asyncio
import contextlib
import datetime as dt
from typing import TYPE_CHECKING, Any

from s3magic.commands.options.description import Option, Positional, Verb
from s3magic.commands.options.kinds import DURATION
from s3magic.commands.options.shared import DRY_RUN, ERRORS, PROGRESS_OPTION, YES, Deleting
from s3magic.commands.running.aborting import Ended, aborted
from s3magic.commands.running.asking import ADD_YES, confirmed
from s3magic.commands.running.report import Ending, judged, prepare
from s3magic.commands.showing.displays import display
from s3magic.commands.sources.open_uploads import OpenUpload, measured, open_uploads
from s3magic.commands.sources.rows import is_frame, refuse_other_frames
from s3magic.errors import BadArgument, Denied
from s3magic.listing.buckets import list_buckets
from s3magic.session import using
from s3magic.transfer.progress import Meter
from s3magic.transfer.watching import watching
from s3magic.transfer.window import results, stream
from s3magic.uri import S3Uri
from s3magic.wording import called, count, filesize

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Sequence

    from pandas import DataFrame
    from types_aiobotocore_s3 import S3Client

__all__ = ["VERB", "uploads"]

VERB = Verb(
    name="s3uploads",
    summary="List multipart uploads that were begun and never ended, and abort them.",
    positionals=(
        Positional(
            "SOURCE",
            "s3://bucket or s3://bucket/prefix, or $frame of uploads; all buckets if left out",
            required=False,
        ),
    ),
    options=(
        Option(
            ("--older-than",), "only those begun longer ago than this: 12h, 1d, 14d", kind=DURATION
        ),
        Option(("--abort",), "abort them: their parts are gone for good"),
        DRY_RUN,
        YES,
        ERRORS,
        PROGRESS_OPTION,
    ),
    examples=(
        ("%s3uploads", "in all buckets"),
        ("up = %s3uploads s3://weather/", "of one bucket, as a DataFrame in up"),
        ("%s3uploads s3://weather/ --older-than 1d", "forgotten ones"),
        ("%s3uploads s3://weather/ --older-than 1d --abort -y", "abort those"),
        ("%s3uploads ${up[up.Size > 1_000_000]} --abort -y", "abort what was chosen in pandas"),
    ),
    twin="s3.uploads",
    details=(
        "Parts that were sent are kept, and paid for, until their upload is completed or "
        "aborted. Whoever is sending one right now loses it by an abort, so --abort asks first; "
        "-y answers yes. Without it an address is a prefix, as in a listing; with it 2024 is the "
        "key 2024 or the folder 2024/, as for %s3rm -r, and never 2024-old/. Columns: Bucket, "
        "Key, UploadId, Initiated, Age, Size (bytes of the parts), Parts, StorageClass, "
        "Initiator; with --abort also Status and Error."
    ),
)

_LANES = 16  # requests at once
_NAMES = ("Bucket", "Key", "UploadId")


async def uploads(
    source: Any = None,
    *,
    older_than: str | float | dt.timedelta | None = None,
    abort: bool = False,
    dry_run: bool = False,
    yes: bool = False,
    errors: str | None = None,
    progress: str | None = None,
) -> DataFrame:
    """List multipart uploads that were begun and never ended, and abort them.

    Args:
        source: ``s3://bucket`` or ``s3://bucket/prefix``; a frame that this
            gave, filtered perhaps; None for all buckets. A prefix is what keys
            begin with, as in a listing; with `abort` it is a key, or a folder.
        older_than: Only those begun longer ago: seconds, a `timedelta`, or text like ``1d``.
        abort: Abort them; asks first. Their parts are gone for good.
        dry_run: With `abort`, only say what would be aborted.
        yes: Do not ask.
        errors: ``raise`` a `TransferError` at the end if one could not be
            aborted, or ``return`` the report as it is.
        progress: ``auto``, ``widget``, ``text`` or ``none``.

    Returns:
        One row an upload, the oldest first: ``Bucket`` (category), ``Key``, ``UploadId``
        (string), ``Initiated`` (UTC), ``Age`` (timedelta), ``Size`` (Int64,
        bytes of its parts), ``Parts`` (Int64), ``StorageClass``, ``Initiator``
        (string); with `abort` also ``Status`` (done, failed, cancelled,
        planned) and ``Error``. Missing is what the server does not tell.

    Raises:
        BadArgument: The arguments cannot be meant, or nobody can be asked.
        NoSuchBucket: There is no such bucket.
        AccessDenied: Listing the uploads is not allowed.
        TransferError: One could not be aborted; the others are.

    Example:
        >>> await s3.uploads("s3://weather/", older_than="1d")
    """
    options = Deleting.checked(
        dry_run=dry_run, yes=yes, concurrency=None, errors=errors, progress=progress
    )
    if (dry_run or yes) and not abort:
        raise BadArgument(
            "{0} and {1} are for {2}; a listing changes nothing.",
            options=["dry_run", "yes", "abort"],
        )
    oldest = None if older_than is None else dt.datetime.now(dt.UTC) - _age(older_than)
    place = _meant(source)
    prepare()
    async with using() as client:
        found = await _found(client, place, oldest, options.progress, exact=abort)
        ended: dict[OpenUpload, Ended] = {}
        if abort and dry_run:
            ended = {upload: Ended("planned") for upload in found}
        elif abort and found:
            ended = await _aborted(client, found, options)
    report = await asyncio.to_thread(_frame, found, ended if abort else None)
    failures = [end.error for end in ended.values() if end.error is not None]
    statuses = [end.status for end in ended.values()]
    done, cancelled = statuses.count("done"), statuses.count("cancelled")
    ending = Ending("upload", len(found), done, cancelled, failures, did="aborted")
    return judged(report, ending, options.errors)


def _age(given: object) -> dt.timedelta:
    """Read a length of time; a bare number is seconds."""
    try:
        return dt.timedelta(seconds=DURATION.convert(given))  # type: ignore[arg-type]
    except (ValueError, TypeError):
        raise BadArgument(
            f"{{0}} is not {DURATION.wanted}.", options=[("older_than", given)]
        ) from None


def _meant(source: Any) -> S3Uri | list[OpenUpload] | None:
    """Sort out what the source is."""
    if source is None or isinstance(source, S3Uri):
        return source
    if isinstance(source, str):
        return S3Uri.parse(source, scheme_optional=True)
    if is_frame(source) and all(name in source.columns for name in _NAMES):
        columns = (source[name].tolist() for name in _NAMES)
        return [
            OpenUpload(S3Uri(str(bucket), str(key)), str(upload_id), when)
            for bucket, key, upload_id, when in zip(*columns, _moments(source), strict=True)
        ]
    refuse_other_frames(source)
    raise BadArgument(
        f"{called(source)} like this names no uploads.",
        hint="Write s3://bucket, or take a frame that %s3uploads gave.",
    )


def _moments(frame: Any) -> list[dt.datetime | None]:
    """Give when the uploads of a frame began, as far as it tells."""
    told = frame["Initiated"].tolist() if "Initiated" in frame.columns else [None] * len(frame)
    return [when if isinstance(when, dt.datetime) and when == when else None for when in told]  # noqa: PLR0124 - NaT is not itself


async def _found(
    client: S3Client,
    place: S3Uri | list[OpenUpload] | None,
    oldest: dt.datetime | None,
    progress: str | None,
    *,
    exact: bool,
) -> list[OpenUpload]:
    """Find the uploads and measure them, the oldest first; `exact` for what ends them."""
    meter = Meter("Listing", "Listed", noun="upload")
    denied: list[str] = []
    beside: list[OpenUpload] = []
    found: list[OpenUpload] = []

    async def measure(upload: OpenUpload) -> OpenUpload | None:
        try:
            return await measured(client, upload)
        except Denied:
            return upload

    async with watching(meter, display(progress), quiet_if_short=True):
        listed = _listed(client, place, denied)
        if exact and isinstance(place, S3Uri):
            listed = _within(place, listed, beside)
        wanted = _wanted(listed, oldest)
        async with contextlib.aclosing(results(wanted, measure, _LANES)) as several:
            async for upload in several:
                if upload is not None:  # else it ended meanwhile
                    found.append(upload)
                    meter.tally()
        if denied:
            meter.note = f"{count(len(denied), 'bucket')} left out: access denied"
        elif beside:
            meter.note = f"{count(len(beside), 'upload')} left out: the key only begins like that"
    beginning = dt.datetime.min.replace(tzinfo=dt.UTC)
    return sorted(found, key=lambda one: (one.initiated or beginning, str(one.uri), one.upload_id))


async def _listed(
    client: S3Client, place: S3Uri | list[OpenUpload] | None, denied: list[str]
) -> AsyncGenerator[OpenUpload]:
    if isinstance(place, list):
        for upload in place:
            yield upload
        return
    if place is not None:
        async with contextlib.aclosing(open_uploads(client, place)) as several:
            async for upload in several:
                yield upload
        return

    async def of_bucket(row: Any) -> list[OpenUpload]:
        try:
            async with contextlib.aclosing(open_uploads(client, S3Uri(row["Name"]))) as several:
                return [upload async for upload in several]
        except Denied:
            denied.append(row["Name"])
            return []

    buckets = stream(await list_buckets(client))
    async with contextlib.aclosing(results(buckets, of_bucket, _LANES)) as all_of_them:
        async for some in all_of_them:
            for upload in some:
                yield upload


async def _within(
    place: S3Uri, found: AsyncGenerator[OpenUpload], beside: list[OpenUpload]
) -> AsyncGenerator[OpenUpload]:
    """Leave out what is neither the key nor below the folder, and only begins like it."""
    folder = place.key if not place.key or place.key.endswith("/") else f"{place.key}/"
    async with contextlib.aclosing(found):
        async for upload in found:
            if upload.uri.key == place.key or upload.uri.key.startswith(folder):
                yield upload
            else:
                beside.append(upload)


async def _wanted(
    found: AsyncGenerator[OpenUpload], oldest: dt.datetime | None
) -> AsyncGenerator[OpenUpload]:
    """Leave out those that are too young, or of which nobody knows."""
    async with contextlib.aclosing(found):
        async for upload in found:
            if oldest is None or (upload.initiated is not None and upload.initiated <= oldest):
                yield upload


async def _aborted(
    client: S3Client, found: Sequence[OpenUpload], options: Deleting
) -> dict[OpenUpload, Ended]:
    size = sum(upload.size or 0 for upload in found)
    question = f"Abort {count(len(found), 'upload')} ({filesize(size)}), those under way too?"
    if not options.yes and not await confirmed(question, hint=ADD_YES):
        return {upload: Ended("cancelled") for upload in found}
    return await aborted(client, found, options.progress)


def _frame(found: Sequence[OpenUpload], ended: dict[OpenUpload, Ended] | None) -> DataFrame:
    import pandas as pd

    moments = pd.DatetimeIndex([one.initiated for one in found], dtype="datetime64[us, UTC]")
    frame = pd.DataFrame(
        {
            "Bucket": pd.Categorical([one.uri.bucket for one in found]),
            "Key": pd.array([one.uri.key for one in found], dtype="string"),
            "UploadId": pd.array([one.upload_id for one in found], dtype="string"),
            "Initiated": moments,
            "Age": (pd.Timestamp.now("UTC") - moments).as_unit("s"),
            "Size": pd.array([one.size for one in found], dtype="Int64"),
            "Parts": pd.array([one.parts for one in found], dtype="Int64"),
            "StorageClass": pd.array([one.storage_class for one in found], dtype="string"),
            "Initiator": pd.array([one.initiator for one in found], dtype="string"),
        }
    )
    if ended is not None:
        frame["Status"] = pd.array([ended[one].status for one in found], dtype="string")
        texts = [str(ended[one].error or "") for one in found]
        frame["Error"] = pd.array(texts, dtype="string")
    return frame

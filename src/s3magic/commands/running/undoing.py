"""Takes a deletion back: removes the delete markers that a report of rm names."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from s3magic.commands.options.shared import Deleting
from s3magic.commands.running.deleting import Errand, remove
from s3magic.commands.running.report import judged, prepare
from s3magic.commands.sources.objects import Found
from s3magic.commands.sources.rows import is_frame
from s3magic.errors import BadArgument, NoSuchVersion
from s3magic.session import using
from s3magic.transfer.window import stream
from s3magic.uri import S3Uri

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pandas import DataFrame

__all__ = ["undo"]

_COLUMNS = ("Bucket", "Key", "Status", "DeleteMarker")
_FOR_GOOD = "Only a bucket that keeps versions keeps what is deleted: %s3mb --versioning."


async def undo(
    report: Any,
    *,
    dry_run: bool = False,
    concurrency: int | None = None,
    errors: str | None = None,
    progress: str | None = None,
) -> DataFrame:
    """Bring back what `rm` deleted where the bucket keeps versions.

    The delete markers that it made are removed, and no other: an object that
    had been deleted before that stays deleted. What was deleted for good cannot
    come back, and is a failed row.

    Args:
        report: What `rm` gave; filtered is fine.
        dry_run: Only say what would be removed.
        concurrency: Requests at once.
        errors: ``raise`` a `TransferError` at the end if something did not
            come back, or ``return`` the report as it is.
        progress: ``auto``, ``widget``, ``text`` or ``none``.

    Returns:
        One row an object that the report says was deleted, as `rm` has them;
        ``VersionId`` is the marker that was removed.

    Raises:
        BadArgument: This is no report of a deletion, or all of it was for good.
        TransferError: Something did not come back.
    """
    options = Deleting.checked(
        dry_run=dry_run, yes=True, concurrency=concurrency, errors=errors, progress=progress
    )
    if not is_frame(report) or any(name not in report.columns for name in _COLUMNS):
        raise BadArgument(
            "This is no report of a deletion: there is nothing to undo.",
            hint="Take what %s3rm gave; filtered is fine.",
        )
    founds = await asyncio.to_thread(lambda: list(_deleted(report)))
    if founds and all(one.refused is not None for one in founds):
        raise BadArgument("Nothing of this can come back: it was deleted for good.", hint=_FOR_GOOD)
    prepare()
    errand = Errand("that were deleted", doing="Bringing back", did="Brought back")
    async with using() as client:
        record = await remove(client, stream(founds), options, errand)
    return judged(await asyncio.to_thread(record.frame), record.ending, options.errors)


def _deleted(report: Any) -> Iterator[Found]:
    """Give the delete marker of each row that is gone; refused, where there is none."""
    for bucket, key, status, marker in zip(
        *(report[name].tolist() for name in _COLUMNS), strict=True
    ):
        if status != "done" or not isinstance(key, str):
            continue
        uri = S3Uri(str(bucket), key)
        if isinstance(marker, str) and marker:
            yield Found(uri, "", None, marker)
        else:
            gone = NoSuchVersion(f"Cannot bring back {uri}: it was deleted for good.")
            yield Found(uri, "", refused=gone)

"""Finds out what a download, an upload or a copy would do, for a dry run."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from s3magic.commands.running.transferring import refuse_missing_bucket
from s3magic.errors import AlreadyExists, NoSuchKey
from s3magic.transfer.disk import in_thread
from s3magic.transfer.glancing import Glance
from s3magic.transfer.placing import refuse_target
from s3magic.transfer.upload import exists
from s3magic.translation import translate

if TYPE_CHECKING:
    from collections.abc import Sequence

    from s3magic.transfer.engine import Run
    from s3magic.transfer.plan import Copy, Download, Upload

__all__ = ["GLANCE", "GLANCE_THERE", "preview", "preview_upload"]


async def preview(shared: Run, job: Download, number: int) -> int:
    """Find out what would become of a job, as `download` would: its bytes, or an error."""
    size = job.size
    if size is None:
        version: Any = {} if job.version_id is None else {"VersionId": job.version_id}
        action = f"get {job.uri}"
        try:
            head = await shared.client.head_object(
                Bucket=job.uri.bucket, Key=job.uri.key, **version
            )
        except Exception as error:
            ours = translate(error, action)
            if isinstance(ours, NoSuchKey):
                await refuse_missing_bucket(shared.client, job.uri, action)
            raise ours from error
        size = head["ContentLength"]
        shared.meter.learn(number, size)
    if not job.folder:
        await in_thread(refuse_target, job.target, no_clobber=shared.no_clobber)
    shared.meter.advance(number, size, moved=False)
    return size


async def preview_upload(shared: Run, job: Upload, number: int) -> int:
    """Find out what would become of a job, as `upload` would: its bytes, or an error."""
    if shared.no_clobber and await exists(shared.client, job.uri):
        raise AlreadyExists(f"{job.uri} is there already, and was left as it is.")
    shared.meter.advance(number, job.size, moved=False)
    return job.size


def _listed(_shared: Run, job: Download) -> bool:
    """Tell whether a listing said how large it is, and so that it is there."""
    return job.size is not None


async def _look(shared: Run, jobs: Sequence[Download]) -> list[int | Exception]:
    """Look at the files that some downloads would make."""

    def look() -> list[int | Exception]:
        found: list[int | Exception] = []
        for job in jobs:
            try:
                if not job.folder:
                    refuse_target(job.path, no_clobber=shared.no_clobber)
                found.append(job.size or 0)
            except Exception as error:  # noqa: BLE001 - each becomes a row
                found.append(error)
        return found

    return await in_thread(look)


def _unasked(shared: Run, job: Upload | Copy) -> bool:
    """Tell whether nothing need be known of the target, and the source is known."""
    return job.size is not None and not shared.no_clobber


async def _sizes(_shared: Run, jobs: Sequence[Upload | Copy]) -> list[int | Exception]:
    return [job.size or 0 for job in jobs]


GLANCE = Glance(_listed, _look)
"""For downloads."""

GLANCE_THERE: Glance[Any] = Glance(_unasked, _sizes)
"""For uploads and copies."""

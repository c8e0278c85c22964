"""Finds out what a download or an upload would do, for a dry run."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from s3magic.commands.running import refuse_missing_bucket
from s3magic.errors import AlreadyExists, NoSuchKey
from s3magic.transfer.disk import in_thread
from s3magic.transfer.placing import refuse_target
from s3magic.transfer.upload import exists
from s3magic.translation import translate

if TYPE_CHECKING:
    from s3magic.transfer.engine import Run
    from s3magic.transfer.plan import Download, Upload

__all__ = ["preview", "preview_upload"]


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

"""Moves one object on the server's side: copies it, and deletes what was copied.

The source is deleted only when all of this holds:

1. The server said that the copy is done, and named the target's ETag.
2. The target, asked for anew, has that very ETag, and the source's size.
3. The source, asked for anew, is still the object that was copied.
4. Source and target are two objects, not one under two names.

The request that deletes names the ETag as well, so that a server which knows
conditional deletes refuses if the object changed since the third question.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from s3magic.errors import (
    AccessDenied,
    BadArgument,
    Damaged,
    Denied,
    NotFound,
    NotSupported,
    ObjectChanged,
    S3Error,
)
from s3magic.transfer.copying import replicate
from s3magic.transfer.quickmove import quickly
from s3magic.translation import translate

if TYPE_CHECKING:
    from collections.abc import Mapping

    from types_aiobotocore_s3 import S3Client

    from s3magic.transfer.copying import Copied
    from s3magic.transfer.engine import Run
    from s3magic.transfer.plan import Copy
    from s3magic.uri import S3Uri

__all__ = ["Moving"]


@dataclass(slots=True)
class Moving:
    """The work of one `mv`."""

    _apart: set[tuple[str, str]] = field(default_factory=set)  # buckets known to be two

    async def move(self, shared: Run, job: Copy, number: int) -> int:
        """Move one object; the engine's work for `mv`.

        Args:
            shared: What the jobs share.
            job: Source and target, and what is replaced.
            number: The job's number at the meter.

        Returns:
            Bytes of the object.

        Raises:
            S3Error: The source is still there. The sentence says whether it was copied.
        """
        await self._refuse_one_object(shared.client, job)
        known = job.uri.key != job.target.key or self._are_two(job)
        moved = await quickly(shared, job) if known else None
        if moved is not None:
            shared.meter.advance(number, moved.copied.source.size)
            if moved.deleted:
                return moved.copied.source.size
        copied = moved.copied if moved is not None else await replicate(shared, job, number)
        try:
            there = await _verified(shared.client, job, copied)
            here = await _present(shared.client, job)
            if here is not None:
                self._refuse_changed(job, copied, here, there)
                await _delete(shared.client, job, here["ETag"])
        except Exception as error:
            raise _undeleted(job, translate(error, f"delete {job.uri}")) from error
        return copied.source.size

    async def _refuse_one_object(self, client: S3Client, job: Copy) -> None:
        """Refuse to move an object onto itself, under another name of its bucket.

        An access point is such a name; some servers give a bucket several. Two
        names of one bucket show the same object under each key.
        """
        if job.uri.key != job.target.key or self._are_two(job):
            return
        there = await _told(client, job.target, None)
        if there is None:  # or the server does not say; what it says later is looked at
            return
        if there:
            here = await _told(client, job.uri, job.version_id)
            if here is None:
                return
            if here and _alike(here, there):
                raise BadArgument(
                    f"Cannot move {job.uri} to {job.target}: that seems to be the same object, "
                    "under another name of its bucket.",
                    hint="If it is a second copy, delete the source with %s3rm.",
                )
        self._apart.add((job.uri.bucket, job.target.bucket))

    def _are_two(self, job: Copy) -> bool:
        """Tell whether the buckets are known to be two, or are one, of one name."""
        buckets = job.uri.bucket, job.target.bucket
        return buckets[0] == buckets[1] or buckets in self._apart

    def _refuse_changed(
        self, job: Copy, copied: Copied, here: Mapping[str, Any], there: Mapping[str, Any]
    ) -> None:
        """Refuse to delete what is not, or may not be, what was copied.

        Args:
            job: Source and target.
            copied: What was copied.
            here: What the server tells of the source now.
            there: What it told of the target before.
        """
        source = copied.source
        same = here["ETag"].strip('"') == source.etag and here["ContentLength"] == source.size
        if not same or here["LastModified"] > there["LastModified"]:
            raise ObjectChanged("it changed since it was copied.", hint="Run it again.")
        unknown = job.uri.key == job.target.key and not self._are_two(job)
        if unknown and job.version_id is None and _alike(here, there):
            raise ObjectChanged(
                "it was written in the same second, and may be the same object, under another "
                "name of its bucket.",
                hint="Run it again in a moment.",
            )


async def _verified(client: S3Client, job: Copy, copied: Copied) -> Mapping[str, Any]:
    """Give what the server tells of the target, if that is what was copied."""
    try:
        there: Any = await client.head_object(Bucket=job.target.bucket, Key=job.target.key)
    except Exception as error:
        raise translate(error, f"look at {job.target}") from error
    if there["ContentLength"] != copied.source.size or there["ETag"].strip('"') != copied.etag:
        raise Damaged(f"what is at {job.target} now is not what was copied there.")
    return dict(there)


async def _delete(client: S3Client, job: Copy, etag: str) -> None:
    """Delete the source; on the condition that it is the same still, where the server takes one."""
    named: Any = {"Bucket": job.uri.bucket, "Key": job.uri.key}
    condition: Any = {"IfMatch": etag}
    if job.version_id is not None:  # a version never changes
        named["VersionId"], condition = job.version_id, {}
    try:
        await _conditionally(client, named, condition)
    except Exception:  # the answer may have got lost
        if await _present(client, job) is not None:
            raise


async def _conditionally(client: S3Client, named: Any, condition: Any) -> None:
    """Delete on a condition, or with none where the server takes none."""
    try:
        await client.delete_object(**named, **condition)
    except Exception as error:
        if not condition or not isinstance(translate(error, "delete it"), NotSupported):
            raise
        await client.delete_object(**named)


async def _present(client: S3Client, job: Copy) -> Mapping[str, Any] | None:
    """Give what the server tells of the source; None if it is gone."""
    found = await _told(client, job.uri, job.version_id)
    if found is None:
        raise AccessDenied(f"{job.uri} may not be looked at.")
    return found or None


async def _told(client: S3Client, uri: S3Uri, version_id: str | None) -> Mapping[str, Any] | None:
    """Give what the server tells of an object: nothing if there is none, None if it may not."""
    named: Any = {} if version_id is None else {"VersionId": version_id}
    try:
        return dict(await client.head_object(Bucket=uri.bucket, Key=uri.key, **named))
    except Exception as error:
        ours = translate(error, f"look at {uri}")
        if isinstance(ours, NotFound):
            return {}
        if isinstance(ours, Denied):
            return None
        raise ours from error


def _alike(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    """Tell whether two answers may be of one object."""
    names = ("ETag", "ContentLength", "LastModified", "VersionId")
    return all(one.get(name) == other.get(name) for name in names)


def _undeleted(job: Copy, error: S3Error) -> S3Error:
    """Say that an object was copied, and is still where it was."""
    hint = error.hint or "Look at both, and delete the source with %s3rm."
    kind = type(error)
    said = f"{job.uri} was copied to {job.target}, but not deleted: {error.message}"
    return kind(said, hint=hint, code=error.code)

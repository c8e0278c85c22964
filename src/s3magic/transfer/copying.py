"""Copies one object on the server's side: its bytes never come here.

A large one is copied in parts, side by side, because that is faster, and above
5 GiB because S3 has no other way. Either way the target appears whole, or stays
what it was, and the source must be the very object that was looked at first.

The answer to a copy may get lost, or be an error inside a 200; then the target
itself is asked what became of it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from s3magic.errors import AlreadyExists, NoSuchKey, NotSupported
from s3magic.settings import MiB, defaults
from s3magic.transfer.attributes import Source, kept, look, rewrites
from s3magic.transfer.copyparts import in_parts
from s3magic.transfer.plan import Copy
from s3magic.transfer.proving import Wanted, changed, differs, named, refuse_changed, verify
from s3magic.transfer.upload import exists
from s3magic.translation import error_code, translate

if TYPE_CHECKING:
    from collections.abc import Mapping

    from types_aiobotocore_s3 import S3Client

    from s3magic.transfer.engine import Run

__all__ = ["Copied", "Copy", "arguments", "copy", "replicate", "rewritten", "threshold"]

_LARGEST = 5 * 1024 * MiB  # S3 API, CopyObject: "up to 5 GB in size in a single atomic action"
_TOOK_IT = {"PreconditionFailed", "412", "ConditionalRequestConflict"}


@dataclass(frozen=True, slots=True)
class Copied:
    """What was copied, and what came of it.

    Args:
        source: The object that was copied.
        etag: The target's, as the server named it, without quotes.
    """

    source: Source
    etag: str


async def copy(shared: Run, job: Copy, number: int) -> int:
    """Copy one object on the server's side; the engine's work for `cp`.

    Type, metadata, tags and storage class are the source's unless replaced.
    From ``copy_threshold`` of the settings on it goes in parts.

    Args:
        shared: What the jobs share.
        job: Source, target, and what is replaced.
        number: The job's number at the meter.

    Returns:
        Bytes of the object.

    Raises:
        ObjectChanged: The source is no more what was listed.
        AlreadyExists: There is an object at the target, and `shared.no_clobber` is set.
        S3Error: The target holds what it held before; or nobody can tell, where
            the server fell silent.
    """
    return (await replicate(shared, job, number)).source.size


async def replicate(shared: Run, job: Copy, number: int) -> Copied:
    """Do what `copy` does; gives what was copied, and what came of it."""
    try:
        source = await _source(shared.client, job)
        if source.size != job.size:
            shared.meter.learn(number, source.size)
        # Asked before much is copied, and for servers that know no conditions; for
        # those that do, the last request asks again, without a race.
        if shared.no_clobber and await exists(shared.client, job.target):
            raise _exists(job)
        if source.size >= threshold():
            try:
                return Copied(source, await in_parts(shared, job, number, source))
            except Exception as error:
                unknown = isinstance(translate(error, job.action), NotSupported)
                if not unknown or source.size > _LARGEST:
                    raise
        return await _whole(shared, job, number, source)
    except Exception as error:
        if shared.no_clobber and await _taken(shared.client, job, error):
            raise _exists(job) from error
        raise translate(error, job.action) from error


def rewritten(job: Copy) -> bool:
    """Tell whether the target's attributes must be written anew, all of them.

    S3 takes the replaced ones only with all others beside them; and copies an
    object onto itself only so.

    Args:
        job: Source, target, and what is replaced.
    """
    return rewrites(job.replaced) or (job.uri == job.target and job.version_id is None)


def arguments(job: Copy, source: Source) -> dict[str, Any]:
    """Give the arguments of CopyObject that say what the target has besides its bytes.

    Args:
        job: Source, target, and what is replaced.
        source: What the server told of the source.
    """
    given = {**source.placed(job.target), **job.replaced}
    if rewritten(job):
        given = {**kept(source.head), **given, "MetadataDirective": "REPLACE"}
    if "Tagging" in given:
        given["TaggingDirective"] = "REPLACE"
    return given


def threshold() -> int:
    """Give the bytes from which on an object is copied in parts."""
    return min(defaults().copy_threshold, _LARGEST + 1)


async def _source(client: S3Client, job: Copy) -> Source:
    """Find out what is to be copied; costs nothing where a listing has told it all."""
    if job.size is not None and job.etag and job.storage_class is not None:
        listed = Source(job.size, job.etag, job.storage_class)
        if job.size < threshold() and not rewritten(job):
            return listed
    found = await look(client, job.uri, job.version_id, job.action)
    if job.etag and found.etag != job.etag:
        raise changed(job, "since it was listed")
    return found


async def _whole(shared: Run, job: Copy, number: int, source: Source) -> Copied:
    condition: dict[str, Any] = {"IfNoneMatch": "*"} if shared.no_clobber else {}
    wanted = Wanted(source.size, source.etag)
    try:
        async with shared.slots.take(0, source.size):
            answer: Any = await shared.client.copy_object(
                Bucket=job.target.bucket,
                Key=job.target.key,
                CopySource=job.copy_source,
                CopySourceIfMatch=f'"{source.etag}"',
                **arguments(job, source),
                **condition,
            )
        etag = named(answer.get("CopyObjectResult") or {}, job)
    except Exception as error:  # noqa: BLE001 - raised again unless it did work
        folder = source.size == 0 and job.uri.key.endswith("/")
        if folder and isinstance(translate(error, job.action), NoSuchKey):
            return await _marker(shared, job, source)
        await verify(shared.client, job, wanted, error)
        etag = source.etag
        answer = {}
    if differs(etag, source.etag) and not _sealed(answer):
        # Of a server that knows no conditions; else it is another kind of ETag.
        await refuse_changed(shared.client, job, source)
    shared.meter.advance(number, source.size)
    return Copied(source, etag)


async def _marker(shared: Run, job: Copy, source: Source) -> Copied:
    """Make a folder's marker anew: SeaweedFS lists it, and says that there is nothing to copy."""
    found = await look(shared.client, job.uri, job.version_id, job.action)
    if (found.size, found.etag) != (source.size, source.etag):
        raise changed(job, "while it was copied")
    condition: Any = {"IfNoneMatch": "*"} if shared.no_clobber else {}
    answer = await shared.client.put_object(
        Bucket=job.target.bucket,
        Key=job.target.key,
        Body=b"",
        **{**kept(found.head), **found.placed(job.target), **job.replaced},
        **condition,
    )
    return Copied(source, named(answer, job))


async def _taken(client: S3Client, job: Copy, error: Exception) -> bool:
    """Tell whether a copy failed because its target is there, and not for its source's sake."""
    if error_code(error) not in _TOOK_IT:
        return False
    told = getattr(error, "response", {}).get("Error", {}).get("Condition", "")
    return "copy-source" not in told.lower() and await exists(client, job.target)


def _exists(job: Copy) -> AlreadyExists:
    return AlreadyExists(f"{job.target} is there already, and was left as it is.")


def _sealed(answer: Mapping[str, Any]) -> bool:
    """Tell whether the target is encrypted with a key of KMS: its ETag is no MD5 then."""
    return str(answer.get("ServerSideEncryption", "")).startswith("aws:kms")

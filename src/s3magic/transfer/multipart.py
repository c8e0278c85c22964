"""Holds a multipart upload open for a block, and aborts it unless the block ends well.

Whatever ends the block: an error, a cancellation, even of the request that
opens the upload. What a killed process left open is aborted by the next upload
to the same endpoint.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
from typing import TYPE_CHECKING, Any

from s3magic.errors import ServerFault
from s3magic.transfer.disk import in_thread
from s3magic.transfer.leftovers import Leftover, Note, abandoned
from s3magic.translation import error_code

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Coroutine, Mapping, Sequence

    from types_aiobotocore_s3 import S3Client

    from s3magic.uri import S3Uri

__all__ = ["combined", "multipart"]

_INLINE = 0.25  # seconds that a cancelled cell waits for the abort
_PATIENT = 30.0  # and that a failure waits for it, which nobody asked to end at once
_SWEEP = 5.0  # seconds that an upload waits for the abort of what others left
_TRIES = 3  # S3 API, AbortMultipartUpload: parts in flight may outlive the first
_GONE = {"NoSuchUpload", "404"}


@contextlib.asynccontextmanager
async def multipart(
    client: S3Client, uri: S3Uri, headers: Mapping[str, Any]
) -> AsyncIterator[dict[str, Any]]:
    """Open a multipart upload for the block.

    Args:
        client: Any aiobotocore client.
        uri: Where the object goes.
        headers: Arguments of CreateMultipartUpload: ContentType, ….

    Yields:
        What every request of the upload names: ``Bucket``, ``Key``, ``UploadId``.
    """
    await _bounded(_sweep(client), _SWEEP)
    # Not cancellable in between: an upload whose name nobody heard stays open for ever.
    opening = asyncio.ensure_future(_open(client, uri, headers))
    try:
        where, note = await asyncio.shield(opening)
    except asyncio.CancelledError:
        await _bounded(_abort_when_open(client, opening), _INLINE)
        raise
    try:
        yield where
    except BaseException as error:
        longest = _PATIENT if isinstance(error, Exception) else _INLINE
        await _bounded(_abort(client, where, note), longest)
        raise
    await in_thread(note.remove)


def combined(parts: Sequence[Mapping[str, Any]]) -> str:
    """Give the ETag of the object that some parts make: the MD5 of their MD5s, in quotes.

    Args:
        parts: As CompleteMultipartUpload takes them, in their order.

    Returns:
        Nothing where the parts' ETags are no MD5s.
    """
    try:
        sums = b"".join(bytes.fromhex(part["ETag"].strip('"')) for part in parts)
    except ValueError:
        return ""
    whole = hashlib.md5(sums, usedforsecurity=False).hexdigest()
    return f'"{whole}-{len(parts)}"'


async def _open(
    client: S3Client, uri: S3Uri, headers: Mapping[str, Any]
) -> tuple[dict[str, Any], Note]:
    created = await client.create_multipart_upload(Bucket=uri.bucket, Key=uri.key, **headers)
    upload_id = created.get("UploadId")
    if not upload_id:
        raise ServerFault(
            f"Cannot put {uri}: the endpoint's answer is not S3's: it names no upload.",
            hint="Check the endpoint with %s3connect.",
        )
    leftover = Leftover(client.meta.endpoint_url, uri.bucket, uri.key, upload_id)
    note = await in_thread(Note, leftover)
    return {"Bucket": uri.bucket, "Key": uri.key, "UploadId": upload_id}, note


async def _abort_when_open(
    client: S3Client, opening: asyncio.Future[tuple[dict[str, Any], Note]]
) -> None:
    with contextlib.suppress(Exception):
        where, note = await opening
        await _abort(client, where, note)


async def _abort(client: S3Client, where: dict[str, Any], note: Note) -> None:
    """Abort an upload, until the server says that it knows it no more."""
    for _ in range(_TRIES):
        with contextlib.suppress(Exception):
            await client.abort_multipart_upload(**where)
        try:
            await client.list_parts(**where)
        except Exception as error:  # noqa: BLE001 - gone, or out of reach: try that again
            if error_code(error) in _GONE:
                await in_thread(note.remove)
                return
    await in_thread(note.leave)  # the next upload may have more luck


async def _sweep(client: S3Client) -> None:
    """Abort what processes that are gone have left open."""
    for leftover, note in await in_thread(abandoned, client.meta.endpoint_url):
        where = {"Bucket": leftover.bucket, "Key": leftover.key, "UploadId": leftover.upload_id}
        await _abort(client, where, note)


_under_way: set[asyncio.Task[None]] = set()


async def _bounded(clean_up: Coroutine[Any, Any, None], longest: float) -> None:
    """Wait a moment for a clean-up; one that takes longer goes on by itself.

    So a server that went silent does not keep an interrupted cell, and still
    gets its abort if it comes back.
    """
    task = asyncio.create_task(clean_up, name="s3magic-abort")
    _under_way.add(task)
    task.add_done_callback(_under_way.discard)
    await asyncio.wait([task], timeout=longest)

"""Sends one file, or some bytes: the object is there whole, or as it was before.

The answer to the request that completes a multipart upload may get lost, or be
an error inside a 200; then the object itself is asked what became of it.
"""

from __future__ import annotations

import contextlib
import functools
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from s3magic.errors import AlreadyExists, LocalFault, ServerFault
from s3magic.transfer.body import Body
from s3magic.transfer.direct import HELD
from s3magic.transfer.disk import in_thread
from s3magic.transfer.multipart import combined, multipart
from s3magic.transfer.piece import Piece
from s3magic.transfer.plan import cut, upload_part_size
from s3magic.transfer.sending import sent_all
from s3magic.transfer.sums import guards
from s3magic.transfer.swift import QUICK, Quick
from s3magic.transfer.taking import quoted
from s3magic.transfer.window import each, stream
from s3magic.translation import error_code, translate

if TYPE_CHECKING:
    import io
    from collections.abc import Mapping

    from types_aiobotocore_s3 import S3Client

    from s3magic.transfer.engine import Run
    from s3magic.transfer.plan import Part, Upload
    from s3magic.uri import S3Uri
    from s3magic.wire.answer import Head

__all__ = ["exists", "quick", "send", "upload"]

_TOOK_IT = {"PreconditionFailed", "412", "ConditionalRequestConflict"}

# Of the arguments of PutObject, those that belong to the whole, not to a part.
_CUSTOMER_KEY = {"SSECustomerAlgorithm", "SSECustomerKey", "SSECustomerKeyMD5"}
_PART_OPTIONS = {*_CUSTOMER_KEY, "RequestPayer"}


async def upload(shared: Run, job: Upload, number: int) -> int:
    """Send one file or some bytes; the engine's work for `put`.

    Args:
        shared: What the jobs share.
        job: The source, the key and its headers.
        number: The job's number at the meter.

    Returns:
        Bytes of the object.

    Raises:
        S3Error: The key holds what it held before.
        AlreadyExists: There is an object, and `shared.no_clobber` is set.
    """
    await send(shared, job, number)
    return job.size


async def send(shared: Run, job: Upload, number: int) -> dict[str, Any]:
    """Do what `upload` does; gives S3's own answer to the last request."""
    condition: dict[str, Any] = {"IfNoneMatch": "*"} if shared.no_clobber else {}
    try:
        # Asked before much is sent, and for servers that know no conditions; for
        # those that do, the last request asks again, without a race.
        if shared.no_clobber and await exists(shared.client, job.uri):
            raise _exists(job)
        if job.size < shared.threshold:
            return await _put_whole(shared, job, number, condition)
        return await _put_in_parts(shared, job, number, condition)
    except Exception as error:
        if shared.no_clobber and error_code(error) in _TOOK_IT:
            raise _exists(job) from error
        raise translate(error, f"put {job.uri}") from error


async def quick(shared: Run, job: Upload) -> Quick | None:
    """Give the way to send a small source wholly in a helper thread; None if there is none.

    Args:
        shared: What the jobs share.
        job: The source, the key and its headers.
    """
    if shared.direct is None or job.size > QUICK or not _plain(shared, job):
        return None
    template = await shared.direct.wire.template("put_object", job.uri.bucket, job.headers)
    if template is None:
        return None
    return _Small(shared.direct.wire.pool, template, job)


@dataclass(slots=True)
class _Small(Quick):
    """A small source to be sent.

    Args:
        job: The source, the key and its headers.
    """

    job: Upload

    @property
    def reads(self) -> bool:
        """Whether the source is a file."""
        return isinstance(self.job.source, Path)

    def request(self) -> bytes:
        """Read the source, and give the request with it.

        Raises:
            Exception: Anything: the ordinary way shall try.
        """
        job, template = self.job, self.template
        with Piece(job, 0, job.size).opened(memoryview(bytearray(job.size))) as source:
            headers, payload = guards(template, source)
            headers["content-length"] = str(job.size)
            head = template.render(job.uri.key, headers, payload=payload)
            return b"".join((head, *source.blocks()))

    def finish(self, head: Head, body: memoryview) -> int:  # noqa: ARG002 - there is none
        """Check the answer; gives the bytes that were sent."""
        sent_all(head)
        return self.job.size


def _plain(shared: Run, job: Upload) -> bool:
    """Tell whether the fast way may send it: no condition, no key of the customer's."""
    return not shared.no_clobber and _CUSTOMER_KEY.isdisjoint(job.headers)


async def _put_whole(
    shared: Run, job: Upload, number: int, condition: dict[str, Any]
) -> dict[str, Any]:
    advance = functools.partial(shared.meter.advance, number)
    if shared.direct is not None and _plain(shared, job):
        piece = Piece(job, 0, job.size)
        async with shared.slots.take(HELD, job.size, ahead=True):
            sent = await shared.direct.put("put_object", job.uri, job.headers, piece, advance)
        if sent is not None:
            return sent
    async with shared.slots.take(job.size, job.size):
        body = await in_thread(_read, job, 0, job.size)
        with body.telling(shared.client, advance):
            answer: Any = await shared.client.put_object(
                Bucket=job.uri.bucket, Key=job.uri.key, Body=body, **job.headers, **condition
            )
            _tagged(answer, job)
    return dict(answer)


async def _put_in_parts(
    shared: Run, job: Upload, number: int, condition: dict[str, Any]
) -> dict[str, Any]:
    parts = cut(job.size, upload_part_size(job.size, shared.part_size))
    tags: dict[int, dict[str, Any]] = {}
    stamp = await in_thread(_stamp, job)
    async with multipart(shared.client, job.uri, job.headers) as where:

        async def put(part: Part) -> None:
            answer = await _put_part(shared, job, number, part, where)
            kept = {name: answer[name] for name in answer if name.startswith("Checksum")}
            kept.pop("ChecksumType", None)
            tags[part.index] = {"PartNumber": part.index + 1, "ETag": answer["ETag"], **kept}

        await each(stream(parts), put, shared.lanes, shared.slots.room)
        if await in_thread(_stamp, job) != stamp:
            raise LocalFault(
                f"Cannot put {job.uri}: {job.name!r} changed while it was read.", hint="Try again."
            )
        ordered: list[Any] = [tags[part.index] for part in parts]
        try:
            answer: Any = await shared.client.complete_multipart_upload(
                **where, MultipartUpload={"Parts": ordered}, **condition
            )
            _tagged(answer, job)
        except Exception as error:  # noqa: BLE001 - raised again unless it did work
            return await _verify(shared.client, job, ordered, error)
    return dict(answer)


async def _put_part(
    shared: Run, job: Upload, number: int, part: Part, where: dict[str, Any]
) -> Mapping[str, Any]:
    """Send one part; gives S3's answer."""
    options = {name: job.headers[name] for name in _PART_OPTIONS & job.headers.keys()}
    advance = functools.partial(shared.meter.advance, number)
    if shared.direct is not None and _plain(shared, job):
        # Number and upload are in the query; what is named here is any part's.
        kind = {"PartNumber": 1, "UploadId": "any", **options}
        query = f"partNumber={part.index + 1}&uploadId={quoted(where['UploadId'])}"
        piece = Piece(job, part.start, part.size)
        async with shared.slots.take(HELD, part.size, ahead=True):
            sent = await shared.direct.put(
                "upload_part", job.uri, kind, piece, advance, query=query
            )
        if sent is not None:
            return sent
    async with shared.slots.take(part.size, part.size):
        body = await in_thread(_read, job, part.start, part.size)
        with body.telling(shared.client, advance):
            answer: Any = await shared.client.upload_part(
                **where, PartNumber=part.index + 1, Body=body, **options
            )
            _tagged(answer, job)
    return dict(answer)


async def _verify(
    client: S3Client, job: Upload, parts: list[dict[str, Any]], error: Exception
) -> dict[str, Any]:
    """Find out whether a completion that seems to have failed did work.

    The ETag of a multipart object is the MD5 of its parts' MD5s, where the
    parts' ETags are MD5s.

    Raises:
        Exception: It did not: `error`.
    """
    with contextlib.suppress(Exception):
        found = await client.head_object(Bucket=job.uri.bucket, Key=job.uri.key)
        if found["ContentLength"] == job.size and found["ETag"] == combined(parts):
            return {"ETag": found["ETag"], "ResponseMetadata": found["ResponseMetadata"]}
    raise error


async def exists(client: S3Client, uri: S3Uri) -> bool:
    """Tell whether there is an object; False where the server does not let us ask."""
    try:
        await client.head_object(Bucket=uri.bucket, Key=uri.key)
    except Exception as error:
        if isinstance(getattr(error, "response", None), dict):
            return False
        raise
    return True


def _exists(job: Upload) -> AlreadyExists:
    return AlreadyExists(f"{job.uri} is there already, and was left as it is.")


def _tagged(answer: Mapping[str, Any], job: Upload) -> None:
    """Refuse an answer that names no ETag, as S3's every answer to a write does.

    A login page or a proxy's greeting is a 200 too.
    """
    if not answer.get("ETag"):
        raise ServerFault(
            f"Cannot put {job.uri}: the endpoint's answer is not S3's: it names no ETag.",
            hint="Check the endpoint with %s3connect.",
        )


def _read(job: Upload, start: int, size: int) -> Body:
    """Read a piece of the source, all of it, as the body of a request."""
    if not isinstance(job.source, Path):
        return Body(memoryview(job.source)[start : start + size])
    with job.source.open("rb", buffering=0) as file:
        file.seek(start)
        body = Body(_exactly(file, size))
        whole = start + size == job.size
        if body.getbuffer().nbytes < size or (whole and file.read(1)):
            raise LocalFault(
                f"Cannot put {job.uri}: {job.name!r} changed its size while it was read.",
                hint="Try again.",
            )
    return body


def _exactly(file: io.FileIO, size: int) -> bytes:
    """Read `size` bytes, less only where the file ends: one read may give less."""
    data = file.read(size)
    while data and len(data) < size and (more := file.read(size - len(data))):
        data += more
    return data


def _stamp(job: Upload) -> tuple[int, int]:
    """Give what changes when a file does."""
    if not isinstance(job.source, Path):
        return 0, 0
    found = job.source.stat()
    return found.st_size, found.st_mtime_ns

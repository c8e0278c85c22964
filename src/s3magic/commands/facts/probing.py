"""What a doctor looks at in one bucket: whether it is there, can be read, and can be written."""

from __future__ import annotations

import asyncio
import uuid
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from s3magic.commands.facts.diagnosis import Finding
from s3magic.commands.facts.examining import bounded
from s3magic.commands.facts.probe import Probe
from s3magic.errors import Denied, NoSuchKey, NotSupported
from s3magic.translation import error_code, translate
from s3magic.uri import S3Uri

if TYPE_CHECKING:
    from s3magic.commands.facts.examining import Patient

__all__ = ["WRITING", "bucket", "reading", "versioning", "writing"]

WRITING = ("Write", "Conditional writes", "Checksums", "Multipart uploads", "Delete")
"""What is looked at by writing."""

_INLINE = 0.5  # seconds that a cancelled cell waits for the clean-up
_NAME = ".s3magic-doctor-"


async def bucket(patient: Patient, uri: S3Uri) -> list[Finding]:
    """Find out whether the bucket is there, and where."""
    action = f"reach s3://{uri.bucket}"
    try:
        answer: Any = await patient.client.head_bucket(Bucket=uri.bucket)
    except Exception as error:
        ours = translate(error, action)
        if isinstance(ours, NoSuchKey):  # a HEAD has no words for what is missing
            advice = "See your buckets with %s3ls, and the endpoint with %s3connect."
            found = f"there is no bucket {uri.bucket} at this endpoint"
            return [Finding("Bucket", "fail", found, advice)]
        raise ours from error
    told = answer["ResponseMetadata"].get("HTTPHeaders", {})
    region, ours_ = told.get("x-amz-bucket-region"), patient.client.meta.region_name
    if region and ours_ and region not in {ours_, "aws-global"}:
        advice = f"Each first request asks twice: %s3connect --region {region}."
        found = f"it is there, in {region}; requests are signed for {ours_}"
        return [Finding("Bucket", "warn", found, advice)]
    return [Finding("Bucket", "ok", "it is there" + (f", in {region}" if region else ""))]


async def reading(patient: Patient, uri: S3Uri) -> list[Finding]:
    """List what is at the address, and read a byte of it."""

    async def list_() -> list[Finding]:
        try:
            found = await patient.client.list_objects_v2(
                Bucket=uri.bucket, Prefix=uri.key, MaxKeys=10
            )
        except Exception as error:
            raise translate(error, f"list {uri}") from error
        keys.extend(
            item["Key"]
            for item in found.get("Contents", [])
            if item["Size"] or item["Key"] == uri.key
        )
        there = "there are objects" if found.get("Contents") else "allowed; there is nothing"
        return [Finding("List", "ok", f"{there} below {uri}")]

    async def read() -> list[Finding]:
        return await _read(patient, uri, keys)

    keys: list[str] = []
    listed = await bounded("List", patient.timeout, list_)
    return listed + await bounded("Read", patient.timeout, read)


async def _read(patient: Patient, uri: S3Uri, keys: list[str]) -> list[Finding]:
    named = uri.key if uri.key and not uri.key.endswith("/") else ""
    key = named if named and (named in keys or not keys) else next(iter(keys), "")
    if not key:
        return [Finding("Read", "skipped", "there is nothing that could be read")]
    try:
        answer = await patient.client.get_object(Bucket=uri.bucket, Key=key, Range="bytes=0-0")
    except Exception as error:
        if error_code(error) == "InvalidRange":
            return [Finding("Read", "ok", "an object could be read; it is empty")]
        raise translate(error, f"get {S3Uri(uri.bucket, key)}") from error
    answer["Body"].close()
    if answer["ResponseMetadata"]["HTTPStatusCode"] == 206:
        return [Finding("Read", "ok", "an object could be read, and a part of it alone")]
    advice = "Large objects come in one stream, and cannot be resumed."
    return [Finding("Read", "warn", "an object could be read, but only whole", advice)]


async def versioning(patient: Patient, uri: S3Uri) -> list[Finding]:
    """Find out whether the bucket keeps what is overwritten or deleted."""
    try:
        answer = await patient.client.get_bucket_versioning(Bucket=uri.bucket)
    except Exception as error:
        ours = translate(error, f"ask whether s3://{uri.bucket} keeps versions")
        if isinstance(ours, Denied | NotSupported):
            return [Finding("Versioning", "skipped", ours.message)]
        raise ours from error
    status = answer.get("Status")
    if status == "Enabled":
        return [Finding("Versioning", "ok", "on: what is overwritten or deleted is kept")]
    found = "off: what is overwritten or deleted is gone"
    return [Finding("Versioning", "ok", f"{found} ({status.lower()})" if status else found)]


async def writing(patient: Patient, uri: S3Uri) -> list[Finding]:
    """Write a tiny object beside what the address names, and delete it again.

    Its key is random, so nothing is overwritten. Whatever happens, also a
    cancellation, what may have been written is deleted; a cell that was
    interrupted waits a moment for that, and no longer.
    """
    folder = uri.key if uri.key.endswith("/") else uri.folder
    probe = Probe(patient, S3Uri(uri.bucket, f"{folder}{_NAME}{uuid.uuid4().hex}"))
    steps = (probe.write, probe.conditions, probe.checksums, probe.multipart)
    findings: list[Finding] = []
    try:
        for name, step in zip(WRITING[:-1], steps, strict=True):
            findings += await bounded(name, patient.timeout, step)
            if findings[0].status == "fail":
                findings += [_skipped(other) for other in WRITING[1:-1]]
                break
    except asyncio.CancelledError:
        await asyncio.wait([_cleaning(probe)], timeout=_INLINE)
        raise
    gone = _cleaning(probe)
    try:
        findings += [_named(one, probe.uri) for one in await asyncio.shield(gone)]
    except asyncio.CancelledError:
        await asyncio.wait([gone], timeout=_INLINE)
        raise
    return findings


_under_way: set[asyncio.Task[list[Finding]]] = set()  # a task that nobody holds may be collected


def _cleaning(probe: Probe) -> asyncio.Task[list[Finding]]:
    """Begin to clean up; it goes on by itself where a cell that was interrupted has ended."""
    clean = bounded("Delete", probe.patient.timeout, probe.clean)
    task = asyncio.get_running_loop().create_task(clean, name="s3magic-doctor")
    _under_way.add(task)
    task.add_done_callback(_under_way.discard)
    return task


def _named(one: Finding, uri: S3Uri) -> Finding:
    """Have a clean-up that failed say of what."""
    if one.status != "fail" or str(uri) in one.found:
        return one
    return replace(one, advice=f"If {uri} is there, delete it. {one.advice}")


def _skipped(name: str) -> Finding:
    return Finding(name, "skipped", "nothing could be written")

"""What a doctor looks at in one bucket: reading, and writing by one tiny object that goes again."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import uuid
import zlib
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from s3magic.commands.diagnosis import Finding
from s3magic.commands.examining import bounded
from s3magic.errors import Denied, NoSuchKey, NotSupported
from s3magic.translation import error_code, translate
from s3magic.uri import S3Uri

if TYPE_CHECKING:
    from s3magic.commands.examining import Patient

__all__ = ["WRITING", "bucket", "reading", "versioning", "writing"]

WRITING = ("Write", "Conditional writes", "Checksums", "Multipart uploads", "Delete")
"""What is looked at by writing."""

_INLINE = 0.5  # seconds that a cancelled cell waits for the clean-up
# By name: what botocore raises before a byte of the request is out.
_UNSENT = {"EndpointConnectionError", "ConnectTimeoutError", "NoCredentialsError", "SSLError"}
_NAME = ".s3magic-doctor-"
_BODY = b"Written by s3magic's doctor, which deletes it again.\n"
_WRONG = b"not the body that this sum is of"


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
    probe = _Probe(patient, S3Uri(uri.bucket, f"{folder}{_NAME}{uuid.uuid4().hex}"))
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


def _cleaning(probe: _Probe) -> asyncio.Task[list[Finding]]:
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


def _status(error: BaseException) -> int:
    """Give the HTTP status of an answer that says no; 0 where there was none."""
    response = getattr(error, "response", None) or {}
    return int(response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))


@dataclass(slots=True)
class _Probe:
    """The tiny object.

    Args:
        patient: What is examined.
        uri: Where it goes.
        versions: Those that were written, and must go one by one.
        unsure: Whether one may have been written without our hearing of it.
        upload: The multipart upload that is open.
    """

    patient: Patient
    uri: S3Uri
    versions: list[str | None] = field(default_factory=list)
    unsure: bool = False
    upload: str = ""

    async def write(self) -> list[Finding]:
        """Write it, if it is not there, which it is not."""
        try:
            await self._put(IfNoneMatch="*")
        except Exception as error:
            if not isinstance(translate(error, "write"), NotSupported):
                raise translate(error, f"put {self.uri}") from error
            await self._put()
        return [Finding("Write", "ok", "an object could be written")]

    async def conditions(self) -> list[Finding]:
        """Write it again if it is not there: a server that knows conditions refuses."""
        try:
            await self._put(IfNoneMatch="*")
        except Exception as error:
            if _status(error) in {409, 412}:
                found = "known: --no-clobber overwrites nothing, whoever else writes"
                return [Finding("Conditional writes", "ok", found)]
            if not isinstance(translate(error, "write"), NotSupported):
                raise translate(error, f"put {self.uri}") from error
        advice = "With --no-clobber, a writer who comes in the same moment may be overwritten."
        return [Finding("Conditional writes", "warn", "not known to this server", advice)]

    async def checksums(self) -> list[Finding]:
        """Write it with a right sum, then with a wrong one."""
        right = base64.b64encode(zlib.crc32(_BODY).to_bytes(4, "big")).decode()
        wrong = base64.b64encode(zlib.crc32(_WRONG).to_bytes(4, "big")).decode()
        try:
            await self._put(ChecksumCRC32=right)
            told = await self.patient.client.head_object(
                Bucket=self.uri.bucket, Key=self.uri.key, ChecksumMode="ENABLED"
            )
        except Exception as error:
            raise translate(error, f"put {self.uri}") from error
        kept = told.get("ChecksumCRC32") == right
        try:
            await self._put(ChecksumCRC32=wrong)
        except Exception as error:  # noqa: BLE001 - refused, as it should be, in whatever words
            checked = bool(_status(error))
        else:
            checked = False
        if checked and kept:
            return [Finding("Checksums", "ok", "checked as an object comes, and kept with it")]
        found = (
            "kept, but not checked" if kept else "checked, but not kept" if checked else "ignored"
        )
        advice = (
            "Nothing to do: sizes and ETags are checked all the same. If uploads fail over "
            "checksums: %s3connect --checksums when_required."
        )
        return [Finding("Checksums", "warn", found, advice)]

    async def multipart(self) -> list[Finding]:
        """Begin a multipart upload, and abort it."""
        where: Any = {"Bucket": self.uri.bucket, "Key": self.uri.key}
        try:
            begun = await self.patient.client.create_multipart_upload(**where)
            self.upload = begun["UploadId"]
            await self.patient.client.abort_multipart_upload(**where, UploadId=self.upload)
        except Exception as error:
            raise translate(error, f"upload {self.uri} in parts") from error
        self.upload = ""
        return [Finding("Multipart uploads", "ok", "large files go in parts")]

    async def clean(self) -> list[Finding]:
        """Delete every version that was written, and what may have been."""
        client: Any = self.patient.client
        where = {"Bucket": self.uri.bucket, "Key": self.uri.key}
        if self.upload:
            with contextlib.suppress(Exception):  # told by the check that failed
                await client.abort_multipart_upload(**where, UploadId=self.upload)
        if not self.versions and not self.unsure:
            return [Finding("Delete", "skipped", "nothing was written")]
        try:
            if self.unsure:
                self.versions += await self._found()
            for version in dict.fromkeys(self.versions):
                which = {} if version is None else {"VersionId": version}
                await client.delete_object(**where, **which)
        except Exception as error:  # noqa: BLE001 - a finding, whatever it is
            ours = translate(error, f"delete {self.uri}")
            advice = f"It may still be there; delete it. {ours.hint}"
            return [Finding("Delete", "fail", ours.message, advice.rstrip())]
        if await self._is_there():
            return [Finding("Delete", "fail", f"{self.uri} is still there", "Delete it.")]
        return [Finding("Delete", "ok", "the object is gone again")]

    async def _put(self, **more: Any) -> None:
        self.unsure = True
        try:
            answer = await self.patient.client.put_object(
                Bucket=self.uri.bucket, Key=self.uri.key, Body=_BODY, **more
            )
        except Exception as error:
            # It was refused, or not even sent.
            self.unsure = not _status(error) and type(error).__name__ not in _UNSENT
            raise
        self.unsure = False
        self.versions.append(answer.get("VersionId"))

    async def _found(self) -> list[str | None]:
        """Find what was written without our hearing of it."""
        try:
            answer = await self.patient.client.list_object_versions(
                Bucket=self.uri.bucket, Prefix=self.uri.key
            )
        except Exception:  # noqa: BLE001 - a server without versions, or one that is silent
            return [None]
        return [one.get("VersionId") for one in answer.get("Versions", [])]

    async def _is_there(self) -> bool:
        try:
            await self.patient.client.head_object(Bucket=self.uri.bucket, Key=self.uri.key)
        except Exception:  # noqa: BLE001 - gone, or nobody may look
            return False
        return True

"""The tiny object by which a doctor finds out what may be written, and which goes again."""

from __future__ import annotations

import base64
import contextlib
import zlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from s3magic.commands.facts.diagnosis import Finding
from s3magic.errors import NotSupported
from s3magic.translation import translate

if TYPE_CHECKING:
    from s3magic.commands.facts.examining import Patient
    from s3magic.uri import S3Uri

__all__ = ["Probe"]

# By name: what botocore raises before a byte of the request is out.
_UNSENT = {"EndpointConnectionError", "ConnectTimeoutError", "NoCredentialsError", "SSLError"}
_BODY = b"Written by s3magic's doctor, which deletes it again.\n"
_WRONG = b"not the body that this sum is of"


@dataclass(slots=True)
class Probe:
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


def _status(error: BaseException) -> int:
    """Give the HTTP status of an answer that says no; 0 where there was none."""
    response = getattr(error, "response", None) or {}
    return int(response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))

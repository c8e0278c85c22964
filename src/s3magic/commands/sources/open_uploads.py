"""Finds multipart uploads that are open, measures them, and aborts them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from s3magic.errors import ServerFault
from s3magic.translation import error_code, translate
from s3magic.uri import S3Uri

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import AsyncGenerator

    from types_aiobotocore_s3 import S3Client

__all__ = ["OpenUpload", "abort", "measured", "open_uploads"]

_GONE = {"NoSuchUpload", "404"}
_TRIES = 3  # S3 API, AbortMultipartUpload: parts in flight may outlive the first


@dataclass(frozen=True, slots=True)
class OpenUpload:
    """One multipart upload that was begun, and neither completed nor aborted.

    Args:
        uri: Where the object would be.
        upload_id: Its name.
        initiated: When it began, where the server tells.
        storage_class: Where the object would be kept.
        initiator: Who began it, where the server tells.
        size: Bytes of the parts that are there; None where nobody looked.
        parts: How many they are.
    """

    uri: S3Uri
    upload_id: str
    initiated: dt.datetime | None = None
    storage_class: str | None = None
    initiator: str | None = None
    size: int | None = None
    parts: int | None = None

    @property
    def named(self) -> dict[str, str]:
        """How a request names it."""
        return {"Bucket": self.uri.bucket, "Key": self.uri.key, "UploadId": self.upload_id}

    def __str__(self) -> str:
        return f"the upload {self.upload_id} to {self.uri}"


async def open_uploads(client: S3Client, uri: S3Uri) -> AsyncGenerator[OpenUpload]:
    """Give the open uploads whose keys begin as the address does.

    Raises:
        S3Error: They cannot be listed.
    """
    action = f"list the open uploads of {uri}"
    request: Any = {"Bucket": uri.bucket, "Prefix": uri.key}
    seen: set[tuple[str, str]] = set()
    token: Any = {}
    while True:
        try:
            answer: Any = await client.list_multipart_uploads(**request, **token)
        except Exception as error:
            raise translate(error, action) from error
        for row in answer.get("Uploads", ()):
            initiator = row.get("Initiator") or {}
            yield OpenUpload(
                S3Uri(uri.bucket, row["Key"]),
                row["UploadId"],
                row.get("Initiated"),
                row.get("StorageClass"),
                initiator.get("DisplayName") or initiator.get("ID"),
            )
        if not answer.get("IsTruncated"):
            return
        here = (answer.get("NextKeyMarker", ""), answer.get("NextUploadIdMarker", ""))
        if here in seen or not any(here):
            raise ServerFault(f"Cannot {action}: the server says there is more, and not where.")
        seen.add(here)
        token = {"KeyMarker": here[0]} | ({"UploadIdMarker": here[1]} if here[1] else {})


async def measured(client: S3Client, upload: OpenUpload) -> OpenUpload | None:
    """Count the parts of an upload and their bytes; None if it is open no more.

    Raises:
        S3Error: The parts cannot be listed.
    """
    size = parts = 0
    at = 0
    while True:
        try:
            answer: Any = await client.list_parts(**upload.named, PartNumberMarker=at)  # type: ignore[arg-type]
        except Exception as error:
            if error_code(error) in _GONE:
                return None
            raise translate(error, f"list the parts of {upload}") from error
        rows = answer.get("Parts", ())
        size += sum(row["Size"] for row in rows)
        parts += len(rows)
        following = int(answer.get("NextPartNumberMarker") or 0)
        if not answer.get("IsTruncated") or following <= at:
            return replace(upload, size=size, parts=parts)
        at = following


async def abort(client: S3Client, upload: OpenUpload) -> None:
    """Abort an upload, until the server says that it knows it no more.

    Raises:
        S3Error: It is open still, or nobody can tell.
    """
    action = f"abort {upload}"
    for _ in range(_TRIES):
        try:
            await client.abort_multipart_upload(**upload.named)  # type: ignore[arg-type]
            left = await client.list_parts(**upload.named, MaxParts=1)  # type: ignore[arg-type]
        except Exception as error:
            if error_code(error) in _GONE:
                return
            raise translate(error, action) from error
        if not left.get("Parts"):
            return
    raise ServerFault(
        f"Cannot {action}: parts of it are there still.",
        hint="Somebody may be sending them right now; try again in a minute.",
    )

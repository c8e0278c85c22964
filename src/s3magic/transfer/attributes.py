"""What an object has besides its bytes, and which of it a copy must name to keep it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from s3magic.errors import Denied, NotSupported
from s3magic.translation import translate

if TYPE_CHECKING:
    from collections.abc import Mapping

    from types_aiobotocore_s3 import S3Client

    from s3magic.uri import S3Uri

__all__ = ["Source", "kept", "look", "rewrites", "tagging"]

# S3 API, CopyObject: what MetadataDirective is about. Under these names HeadObject tells
# of it, and CopyObject and CreateMultipartUpload take it.
_WRITTEN = (
    "CacheControl",
    "ContentDisposition",
    "ContentEncoding",
    "ContentLanguage",
    "ContentType",
    "Expires",
    "Metadata",
)
# Classes that belong to a kind of bucket, and cannot be asked for in another.
_BOUND = {"", "STANDARD", "EXPRESS_ONEZONE", "OUTPOSTS", "SNOW", "FSX_OPENZFS", "FSX_ONTAP"}
_DIRECTORY = "--x-s3"  # how the name of a directory bucket ends: it has one class
_NONE = {"NoSuchTagSet", "NoSuchTagSetError"}  # how some servers say that there are no tags


@dataclass(frozen=True, slots=True)
class Source:
    """An object as it was when it was looked at.

    Args:
        size: Bytes.
        etag: Without quotes.
        storage_class: Empty for the usual one.
        head: All that HeadObject told, if it was asked.
    """

    size: int
    etag: str
    storage_class: str = ""
    head: Mapping[str, Any] = field(default_factory=dict)

    def placed(self, target: S3Uri) -> dict[str, str]:
        """Give the argument that keeps the storage class: S3 itself would not."""
        if self.storage_class in _BOUND or target.bucket.endswith(_DIRECTORY):
            return {}
        return {"StorageClass": self.storage_class}


async def look(client: S3Client, uri: S3Uri, version_id: str | None, action: str) -> Source:
    """Ask for all that the server tells of an object.

    The answer to a HEAD has no words for what is wrong; whoever refuses one is
    asked for the first byte, to hear them.

    Raises:
        S3Error: There is no such object, or it may not be read.
    """
    named: Any = {"Bucket": uri.bucket, "Key": uri.key}
    if version_id is not None:
        named["VersionId"] = version_id
    try:
        head: Any = await client.head_object(**named)
    except Exception as error:
        if not isinstance(getattr(error, "response", None), dict):
            raise translate(error, action) from error
        try:
            answer = await client.get_object(**named, Range="bytes=0-0")
            answer["Body"].close()
        except Exception as told:
            raise translate(told, action) from told
        raise translate(error, action) from error
    return Source(
        head["ContentLength"],
        head["ETag"].strip('"'),
        head.get("StorageClass") or "",
        head,
    )


def kept(head: Mapping[str, Any]) -> dict[str, Any]:
    """Give the arguments that write an object's attributes anew: type, metadata and the like."""
    return {name: head[name] for name in _WRITTEN if head.get(name)}


def rewrites(replaced: Mapping[str, Any]) -> bool:
    """Tell whether some of these are attributes that S3 copies or replaces only together."""
    return not replaced.keys().isdisjoint(_WRITTEN)


async def tagging(client: S3Client, uri: S3Uri, version_id: str | None) -> str | None:
    """Give an object's tags as a request takes them, empty where there are none.

    Returns:
        None where they may not be read.

    Raises:
        S3Error: The server cannot be asked at all.
    """
    named: Any = {"Bucket": uri.bucket, "Key": uri.key}
    if version_id is not None:
        named["VersionId"] = version_id
    try:
        answer = await client.get_object_tagging(**named)
    except Exception as error:
        ours = translate(error, f"read the tags of {uri}")
        if isinstance(ours, NotSupported) or ours.code in _NONE:
            return ""  # a server that knows no tags has none to lose
        if isinstance(ours, Denied):
            return None
        raise ours from error
    return urlencode([(tag["Key"], tag["Value"]) for tag in answer.get("TagSet", ())])

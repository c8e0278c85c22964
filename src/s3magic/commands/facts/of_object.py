"""Asks S3 for all that it knows of one object, side by side."""

from __future__ import annotations

import asyncio
import re
from typing import TYPE_CHECKING, Any

from s3magic.commands.facts.answers import NONE, Answer, Fact, answered, grants, pairs
from s3magic.commands.running.transferring import refuse_missing_bucket
from s3magic.errors import NoSuchKey
from s3magic.wording import count, filesize, printable

if TYPE_CHECKING:
    from types_aiobotocore_s3 import S3Client

    from s3magic.uri import S3Uri

__all__ = ["facts_of_object"]

# Of the head, in the order of the lines; S3 API, HeadObject.
_ALWAYS = ("ContentType", "ServerSideEncryption")
_WHERE_GIVEN = (
    "ContentEncoding", "ContentLanguage", "ContentDisposition", "CacheControl", "ExpiresString",
    "SSEKMSKeyId", "BucketKeyEnabled", "SSECustomerAlgorithm",
    "ArchiveStatus", "ReplicationStatus", "WebsiteRedirectLocation", "MissingMeta",
    "ObjectLockMode", "ObjectLockRetainUntilDate", "ObjectLockLegalHoldStatus",
)  # fmt: skip
_PARTS = re.compile(r"-(\d+)$")
_QUOTED = re.compile(r'([\w-]+)="([^"]*)"')


async def facts_of_object(client: S3Client, uri: S3Uri, version_id: str | None) -> list[Fact]:
    """Ask for an object's head, tags, parts, versions and grants.

    Args:
        client: Any aiobotocore client.
        uri: The object.
        version_id: The version; None for the latest.

    Raises:
        NoSuchKey: There is no such object.
        NoSuchVersion: There is no such version.
        AccessDenied: Its head may not be asked for.
        S3Error: Or that failed.
    """
    here: Any = {"Bucket": uri.bucket, "Key": uri.key}
    version: Any = here | ({} if version_id is None else {"VersionId": version_id})
    action = f"stat {uri}"
    listing = {"Bucket": uri.bucket, "Prefix": uri.key}
    head, tags, attributes, versions, acl = await asyncio.gather(
        answered(client.head_object, version | {"ChecksumMode": "ENABLED"}, action, "s3:GetObject"),
        answered(client.get_object_tagging, version, action, "s3:GetObjectTagging"),
        answered(
            client.get_object_attributes,
            version | {"ObjectAttributes": ["ObjectParts"]},
            action,
            "s3:GetObjectAttributes",
        ),
        answered(client.list_object_versions, listing, action, "s3:ListBucketVersions"),
        answered(client.get_object_acl, version, action, "s3:GetObjectAcl"),
    )
    if head.error is not None:
        await _explain(client, uri, head, versions)
        raise head.error
    facts = [Fact("Bucket", uri.bucket), Fact("Key", uri.key), *_of_head(head.data)]
    facts.append(_parts(str(head.data.get("ETag", "")), attributes))
    facts += [
        Fact(f"Metadata.{name}", value) for name, value in head.data.get("Metadata", {}).items()
    ]
    facts += pairs("Tag", tags, tags.data.get("TagSet", ()))
    facts.append(_versions(uri.key, versions))
    facts.append(grants(acl))
    return facts


async def _explain(client: S3Client, uri: S3Uri, head: Answer, versions: Answer) -> None:
    """Say what the answer to a HEAD has no words for."""
    if not isinstance(head.error, NoSuchKey):
        return
    # S3 says so in a header; a server that does not lists the marker.
    response = getattr(head.error.__cause__, "response", {})
    headers = response.get("ResponseMetadata", {}).get("HTTPHeaders", {})
    markers = versions.data.get("DeleteMarkers", ())
    if headers.get("x-amz-delete-marker") == "true" or any(
        marker["Key"] == uri.key and marker.get("IsLatest") for marker in markers
    ):
        key = printable(str(uri))
        head.error.hint = f"It was deleted; %s3ls {key} --versions shows what is left of it."
        return
    await refuse_missing_bucket(client, uri, f"stat {uri}")


def _of_head(head: dict[str, Any]) -> list[Fact]:
    size = head.get("ContentLength", 0)
    facts = [
        Fact("Size", size, filesize(size)),
        Fact("LastModified", head.get("LastModified")),
        Fact("ETag", str(head.get("ETag", "")).strip('"') or None),
        # No word in its place: the frame of several is a source, and would ask for that version.
        Fact("VersionId", head.get("VersionId"), "" if "VersionId" in head else "it has none"),
        Fact("StorageClass", head.get("StorageClass", "STANDARD")),
    ]
    facts += [Fact(name, head.get(name, NONE)) for name in _ALWAYS]
    facts += [Fact(name, head[name]) for name in _WHERE_GIVEN if head.get(name) is not None]
    sums = [name for name in head if name.startswith("Checksum")]
    facts += [Fact(name, head[name]) for name in sums] or [Fact("Checksums", NONE)]
    if restore := head.get("Restore"):
        facts.append(_restore(str(restore)))
    if expiration := head.get("Expiration"):
        told = dict(_QUOTED.findall(str(expiration)))
        note = f"by the lifecycle rule {told['rule-id']}" if "rule-id" in told else ""
        facts.append(Fact("Expires", told.get("expiry-date", expiration), note))
    return facts


def _restore(text: str) -> Fact:
    """Read ``ongoing-request="false", expiry-date="Fri, 21 Dec 2012 …"``."""
    told = dict(_QUOTED.findall(text))
    if told.get("ongoing-request") == "true":
        return Fact("Restore", "under way", "it cannot be read yet")
    return Fact("Restore", "restored", f"until {told.get('expiry-date', 'an unknown date')}")


def _parts(etag: str, attributes: Answer) -> Fact:
    parts = attributes.data.get("ObjectParts", {})
    total = parts.get("TotalPartsCount") or parts.get("PartsCount")
    told = _PARTS.search(etag.strip('"'))
    if total is None and told is None:
        return Fact("Parts", 1)
    number = int(total or told[1])  # type: ignore[index]  # one of the two is there
    sizes = [part.get("Size") for part in parts.get("Parts", ())]
    note = "its ETag is no MD5 of it"
    if sizes and sizes[0]:
        note = f"of {filesize(sizes[0])}; {note}"
    return Fact("Parts", number, note if told else "")


def _versions(key: str, answer: Answer) -> Fact:
    """Count the versions of one key on the first page: keys that only begin so come behind it."""
    rows = [row for row in answer.data.get("Versions", ()) if row["Key"] == key]
    markers = [row for row in answer.data.get("DeleteMarkers", ()) if row["Key"] == key]
    notes: list[str] = []
    if len(rows) > 1:
        old = sum(row.get("Size", 0) for row in rows if not row.get("IsLatest"))
        notes.append(f"the old ones hold {filesize(old)}")
    if markers:
        notes.append(f"and {count(len(markers), 'delete marker')}")
    if answer.data.get("IsTruncated") and answer.data.get("NextKeyMarker") == key:
        notes.append("and there are more")
    return answer.fact("Versions", len(rows), ", ".join(notes))

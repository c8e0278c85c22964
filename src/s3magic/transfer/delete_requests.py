"""The requests that delete: many keys in one, or one alone; and how their answers are read.

Of the large ones botocore would hold the loop for twenty milliseconds twice:
when it makes their body, which is made here, and when it reads the answer,
which is read in a thread.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree as ET
from xml.sax.saxutils import escape

from s3magic.translation import error_code

if TYPE_CHECKING:
    from collections.abc import Sequence

    from types_aiobotocore_s3 import S3Client

__all__ = ["alone", "install", "together"]

# Servers that know no newer checksum say one of these to a request without the old one.
_WANTS_MD5 = {"MissingContentMD5", "InvalidRequest"}
_NAMESPACE = "http://s3.amazonaws.com/doc/2006-03-01/"
_OURS: ContextVar[bool] = ContextVar("s3magic-deletion", default=False)
_MD5: ContextVar[bool] = ContextVar("s3magic-deletion-md5", default=False)
_BODY: ContextVar[bytes | None] = ContextVar("s3magic-deletion-body", default=None)


async def together(
    client: S3Client, bucket: str, objects: Sequence[dict[str, str]], *, quiet: bool
) -> dict[str, Any]:
    """Send one DeleteObjects.

    Args:
        client: A client on which `install` was called.
        bucket: The bucket.
        objects: ``Key`` of each and, where it is one version, ``VersionId``;
            1,000 at most, and none of a character that XML cannot carry.
        quiet: Have only the errors told.
    """
    wanted: Any = {"Objects": [objects[0]], "Quiet": quiet}
    token, body = _OURS.set(True), _BODY.set(_written(objects, quiet=quiet))
    try:
        return dict(await client.delete_objects(Bucket=bucket, Delete=wanted))
    except Exception as error:
        if error_code(error) not in _WANTS_MD5:
            raise
        again = _MD5.set(True)
        try:
            return dict(await client.delete_objects(Bucket=bucket, Delete=wanted))
        finally:
            _MD5.reset(again)
    finally:
        _OURS.reset(token)
        _BODY.reset(body)


def _written(objects: Sequence[dict[str, str]], *, quiet: bool) -> bytes:
    """Make the body of a DeleteObjects."""
    rows = "".join(
        f"<Object>{''.join(f'<{name}>{escape(text)}</{name}>' for name, text in one.items())}"
        "</Object>"
        for one in objects
    )
    told = f"<Quiet>{str(quiet).lower()}</Quiet>"
    return f'<Delete xmlns="{_NAMESPACE}">{rows}{told}</Delete>'.encode()


async def alone(client: S3Client, bucket: str, one: dict[str, str]) -> dict[str, Any]:
    """Send one DeleteObject, and tell of it as DeleteObjects would.

    Raises:
        Exception: It is no answer about this object alone: the bucket is
            missing, or the server.
    """
    try:
        answer: dict[str, Any] = dict(await client.delete_object(Bucket=bucket, **one))  # type: ignore[arg-type]
    except Exception as error:
        told = getattr(error, "response", {}).get("Error", {})
        if not told or told.get("Code") == "NoSuchBucket":
            raise
        failed = {**one, "Code": told.get("Code", ""), "Message": told.get("Message", "")}
        return {"Errors": [failed], "ResponseMetadata": error.response["ResponseMetadata"]}  # type: ignore[attr-defined]
    deleted: dict[str, Any] = dict(one)
    if "DeleteMarker" in answer:
        deleted["DeleteMarker"] = answer["DeleteMarker"]
        deleted["DeleteMarkerVersionId"] = answer.get("VersionId")
    return {"ResponseMetadata": answer["ResponseMetadata"], "Deleted": [deleted]}


def install(client: S3Client) -> None:
    """Put the hooks on a client, once. They act on our own requests alone."""
    # Behind botocore's own, which escapes the body, and before its checksums; and,
    # with the wildcard in the middle, before its reading of the answer.
    client.meta.events.register_last(
        "before-call.s3.DeleteObjects", _finish, unique_id="s3magic-deletion-body"
    )
    client.meta.events.register_first(
        "before-parse.*.DeleteObjects", _take, unique_id="s3magic-deletion"
    )


def _finish(params: dict[str, Any], **_: Any) -> None:
    """Put our body in the place of botocore's, and the checksum that old servers want."""
    if (body := _BODY.get()) is not None:
        params["body"] = body
    if _MD5.get():
        digest = hashlib.md5(params["body"], usedforsecurity=False).digest()
        params["headers"]["Content-MD5"] = base64.b64encode(digest).decode()


async def _take(
    response_dict: dict[str, Any], customized_response_dict: dict[str, Any], **_: Any
) -> None:
    """Take what botocore would read on the loop, twenty milliseconds of it."""
    if not _OURS.get() or response_dict["status_code"] != 200:
        return
    found = await asyncio.to_thread(_read, response_dict["body"])
    if found is not None:
        response_dict["body"] = b"<DeleteResult/>"
        customized_response_dict.update(found)


def _read(body: bytes) -> dict[str, list[dict[str, Any]]] | None:
    """Read a DeleteResult; None for anything else, an error for example."""
    try:
        root = ET.fromstring(body)  # noqa: S314 - expat bounds entities; botocore reads it so too
    except ET.ParseError:
        return None
    if _name(root) != "DeleteResult":
        return None
    found: dict[str, list[dict[str, Any]]] = {}
    for child in root:
        row: dict[str, Any] = {_name(leaf): leaf.text or "" for leaf in child}
        if "DeleteMarker" in row:
            row["DeleteMarker"] = row["DeleteMarker"] == "true"
        found.setdefault({"Error": "Errors"}.get(_name(child), _name(child)), []).append(row)
    return found


def _name(element: ET.Element) -> str:
    return element.tag.rpartition("}")[2]

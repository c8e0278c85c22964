"""The requests that delete: many keys in one, or one alone; and how their answers are read.

Of the large ones botocore would hold the loop for twenty milliseconds twice:
when it makes their body, which is made here, and when it reads the answer,
which is read in a thread.

A request whose answer got lost may have been carried out. To send it again is
no harm, unless it names no version and the bucket keeps versions: each time
makes one more delete marker. Such a request is sent `once`.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import re
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree as ET
from xml.sax.saxutils import escape

from s3magic.translation import error_code

if TYPE_CHECKING:
    from collections.abc import Sequence

    from types_aiobotocore_s3 import S3Client

__all__ = ["BATCH", "ODD", "alone", "install", "together"]

BATCH = 1000
"""Keys of a request: "a list of up to 1,000 keys" (S3 API, DeleteObjects)."""

# XML 1.0 has no control characters; some servers strip the spaces around a text.
ODD = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]|\A\s|\s\Z")
"""What a key has that goes alone."""

# Servers that know no newer checksum say one of these to a request without the old one.
_WANTS_MD5 = {"MissingContentMD5", "InvalidRequest"}
_NAMESPACE = "http://s3.amazonaws.com/doc/2006-03-01/"
_ALONE = {"ETag": "IfMatch"}  # what DeleteObject calls otherwise than DeleteObjects
_OURS: ContextVar[bool] = ContextVar("s3magic-deletion", default=False)
_MD5: ContextVar[bool] = ContextVar("s3magic-deletion-md5", default=False)
# Not sent at all, so that it can be sent again; and an answer that says as much.
_UNSENT = {"EndpointConnectionError", "ConnectTimeoutError", "ProxyConnectionError"}
_UNDONE = 503
_ONCE: ContextVar[bool] = ContextVar("s3magic-deletion-once", default=False)
_BODY: ContextVar[bytes | None] = ContextVar("s3magic-deletion-body", default=None)


async def together(
    client: S3Client,
    bucket: str,
    objects: Sequence[dict[str, str]],
    *,
    quiet: bool,
    once: bool = False,
) -> dict[str, Any]:
    """Send one DeleteObjects.

    Args:
        client: A client on which `install` was called.
        bucket: The bucket.
        objects: ``Key`` of each and, where it is one version, ``VersionId``;
            ``ETag`` where it is to go only with that one. 1,000 at most, and
            none of a character that XML cannot carry.
        quiet: Have only the errors told.
        once: Have botocore not send it again where it may have been carried out.
    """
    wanted: Any = {"Objects": [objects[0]], "Quiet": quiet}
    token, body = _OURS.set(True), _BODY.set(_written(objects, quiet=quiet))
    tries = _ONCE.set(once)
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
        _ONCE.reset(tries)


def _written(objects: Sequence[dict[str, str]], *, quiet: bool) -> bytes:
    """Make the body of a DeleteObjects."""
    rows = "".join(
        f"<Object>{''.join(f'<{name}>{escape(text)}</{name}>' for name, text in one.items())}"
        "</Object>"
        for one in objects
    )
    told = f"<Quiet>{str(quiet).lower()}</Quiet>"
    return f'<Delete xmlns="{_NAMESPACE}">{rows}{told}</Delete>'.encode()


async def alone(
    client: S3Client, bucket: str, one: dict[str, str], *, once: bool = False
) -> dict[str, Any]:
    """Send one DeleteObject, and tell of it as DeleteObjects would.

    Args:
        client: A client on which `install` was called.
        bucket: The bucket.
        one: ``Key``, ``VersionId`` and ``ETag``, as `together` takes them.
        once: As `together` takes it.

    Raises:
        Exception: It is no answer about this object alone: the bucket is
            missing, or the server.
    """
    tries = _ONCE.set(once)
    named: Any = {_ALONE.get(name, name): text for name, text in one.items()}
    try:
        answer: dict[str, Any] = dict(await client.delete_object(Bucket=bucket, **named))
    except Exception as error:
        given: dict[str, Any] = getattr(error, "response", None) or {}  # a lost one is None
        told = given.get("Error", {})
        unclear = once and _unclear(given)
        if not told or told.get("Code") == "NoSuchBucket" or unclear:
            raise
        failed = {**one, "Code": told.get("Code", ""), "Message": told.get("Message", "")}
        return {"Errors": [failed], "ResponseMetadata": given["ResponseMetadata"]}
    finally:
        _ONCE.reset(tries)
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
    for operation in ("DeleteObject", "DeleteObjects"):
        client.meta.events.register_first(
            f"needs-retry.s3.{operation}", _forbid, unique_id=f"s3magic-deletion-{operation}"
        )
    client.meta.events.register_first(
        "before-parse.*.DeleteObjects", _take, unique_id="s3magic-deletion"
    )


def _unclear(answer: Any) -> bool:
    """Tell whether an answer leaves open if the request was carried out."""
    status = answer.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    return bool(status >= 500 and status != _UNDONE)


def _forbid(response: Any, caught_exception: Any, **_: Any) -> bool | None:
    """Keep botocore from sending again what is to be sent once: False is a no."""
    if not _ONCE.get():
        return None
    if caught_exception is not None:
        return None if type(caught_exception).__name__ in _UNSENT else False
    return False if response is not None and _unclear(response[1]) else None


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

"""Deletes any number of keys, a thousand a request, and keeps every error.

The answers of such requests are read in a thread. Keys that XML cannot carry,
or that servers are known to read otherwise than they were written, go alone, in
the address of a request of their own.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import re
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree as ET

from s3magic.errors import BadArgument
from s3magic.transfer.window import each, stream
from s3magic.translation import error_code, translate
from s3magic.uri import S3Uri
from s3magic.wording import count

if TYPE_CHECKING:
    from collections.abc import Sequence

    from types_aiobotocore_s3 import S3Client

__all__ = ["delete"]

_BATCH = 1000  # S3 API, DeleteObjects: "a list of up to 1,000 keys"
_LANES = 4  # such requests at once; S3 takes 3,500 deletions a second from one prefix
# XML 1.0 has no control characters; some servers strip the spaces around a text.
_ODD = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]|\A\s|\s\Z")
# Servers that know no newer checksum say one of these to a request without the old one.
_WANTS_MD5 = {"MissingContentMD5", "InvalidRequest"}
_OURS: ContextVar[bool] = ContextVar("s3magic-deletion", default=False)
_MD5: ContextVar[bool] = ContextVar("s3magic-deletion-md5", default=False)


async def delete(
    client: S3Client, bucket: str, keys: Sequence[str], *, quiet: bool = True
) -> dict[str, Any]:
    """Delete keys; one that is not there counts as deleted, as S3 has it.

    Args:
        client: Any aiobotocore client.
        bucket: The bucket.
        keys: Any number of keys.
        quiet: Leave out what was deleted.

    Returns:
        One answer in the shape of DeleteObjects: ``Deleted``, ``Errors`` and
        the ``ResponseMetadata`` of the last request; a list with nothing in it
        is left out.

    Raises:
        BadArgument: One of them can be no key; nothing was deleted.
        S3Error: A request failed as a whole; those before it were done.
    """
    _check(keys)
    _install(client)
    plain = [key for key in keys if not _ODD.search(key)]
    batches = [plain[at : at + _BATCH] for at in range(0, len(plain), _BATCH)]
    batches += [[key] for key in keys if _ODD.search(key)]
    answers: dict[int, dict[str, Any]] = {}

    failed: list[str] = []

    async def one(numbered: tuple[int, list[str]]) -> None:
        number, batch = numbered
        ask = _alone if _ODD.search(batch[0]) else _together
        try:
            answers[number] = await ask(client, bucket, batch, quiet=quiet)
        except Exception:
            failed.extend(batch)
            raise

    try:
        await each(stream(enumerate(batches)), one, _LANES)
    except Exception as error:
        action = f"delete {S3Uri(bucket, failed[0])}"
        if len(failed) > 1:
            action += f" and {count(len(failed) - 1, 'other key')}"
        raise translate(error, action) from error
    merged = _merged([answers[number] for number in sorted(answers)])
    if quiet:
        merged.pop("Deleted", None)  # some servers tell it all the same
    return merged


def _check(keys: Sequence[str]) -> None:
    for key in keys:
        if not isinstance(key, str) or not key:
            raise BadArgument(f"Cannot delete {key!r}: it is no key.")


async def _together(
    client: S3Client, bucket: str, keys: list[str], *, quiet: bool
) -> dict[str, Any]:
    wanted: Any = {"Objects": [{"Key": key} for key in keys], "Quiet": quiet}
    token = _OURS.set(True)
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


async def _alone(client: S3Client, bucket: str, keys: list[str], *, quiet: bool) -> dict[str, Any]:
    """Delete one key, and tell of it as DeleteObjects would."""
    key = keys[0]
    try:
        answer: dict[str, Any] = dict(await client.delete_object(Bucket=bucket, Key=key))
    except Exception as error:
        told = getattr(error, "response", {}).get("Error", {})
        if not told or told.get("Code") == "NoSuchBucket":
            raise
        failed = {"Key": key, "Code": told.get("Code", ""), "Message": told.get("Message", "")}
        return {"Errors": [failed], "ResponseMetadata": error.response["ResponseMetadata"]}  # type: ignore[attr-defined]
    deleted: dict[str, Any] = {"Key": key}
    if "DeleteMarker" in answer:
        deleted["DeleteMarker"] = answer["DeleteMarker"]
        deleted["DeleteMarkerVersionId"] = answer.get("VersionId")
    found: dict[str, Any] = {"ResponseMetadata": answer["ResponseMetadata"]}
    return found if quiet else found | {"Deleted": [deleted]}


def _merged(answers: list[dict[str, Any]]) -> dict[str, Any]:
    merged: dict[str, Any] = dict(answers[-1]) if answers else {}
    for name in ("Deleted", "Errors"):
        merged.pop(name, None)
        if rows := [row for answer in answers for row in answer.get(name, ())]:
            merged[name] = rows
    return merged


def _install(client: S3Client) -> None:
    """Put the hooks on a client, once. They act on our own requests alone."""
    # Behind botocore's own, which escapes the body; and, with the wildcard in
    # the middle, before its reading of the answer.
    client.meta.events.register_last(
        "before-call.s3.DeleteObjects", _add_md5, unique_id="s3magic-deletion-md5"
    )
    client.meta.events.register_first(
        "before-parse.*.DeleteObjects", _take, unique_id="s3magic-deletion"
    )


def _add_md5(params: dict[str, Any], **_: Any) -> None:
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

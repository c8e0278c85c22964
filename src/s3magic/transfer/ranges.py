"""Asks for an object, or a range of it, and believes no answer that it has not checked.

An answer counts only if its status, ``Content-Range``, ETag and length are
those of what was asked for (RFC 9110, sections 14 and 15.3.7). After the first
answer every request names the ETag that it goes on with (``If-Match``), so an
object that is replaced meanwhile is an error, not a mixture.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from s3magic.errors import BadArgument, Damaged, NoSuchVersion, ObjectChanged, S3Error, ServerFault
from s3magic.translation import translate

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from types_aiobotocore_s3 import S3Client

    from s3magic.uri import S3Uri

__all__ = ["Answer", "Source", "checked", "open_source"]

_CONTENT_RANGE = re.compile(r"^bytes (\d+)-(\d+)/(\d+)$")


@dataclass(frozen=True, slots=True)
class Source:
    """What is read.

    Args:
        client: The client to read it with.
        uri: The object.
        version_id: The version; None for the latest.
    """

    client: S3Client
    uri: S3Uri
    version_id: str | None = None

    @property
    def action(self) -> str:
        """What an error is to call it."""
        return f"get {self.uri}"


@dataclass(slots=True)
class Answer:
    """A checked answer, its body still to be read.

    Args:
        body: aiobotocore's streaming body; None where it has been read.
        etag: The object's ETag, quotes included; empty if the server gave none.
        start: Offset of the body's first byte in the object.
        stop: Offset behind its last byte.
        total: Bytes of the whole object.
        promised: Gives a header by its name, of an answer whose checksums are
            still to be checked; None where there are none.
        headers: All its headers, their names in lower case, where the client
            asked; none where it came over the wire.
    """

    body: Any
    etag: str
    start: int
    stop: int
    total: int
    promised: Callable[[bytes], str | None] | None = None
    headers: Mapping[str, str] = field(default_factory=dict)

    def close(self) -> None:
        """Drop the connection: the rest of the body is not wanted."""
        if self.body is not None:
            self.body.close()


async def open_source(
    source: Source, start: int = 0, stop: int | None = None, *, after: Answer | None = None
) -> Answer:
    """Ask for the bytes from `start` up to `stop`, and check the answer's head.

    Args:
        source: The object.
        start: First byte wanted.
        stop: Behind the last byte wanted, which may lie behind the object's
            end; None for all the rest.
        after: An earlier answer: it must still be the same object.

    Returns:
        The answer. A first one may be of the whole object, from a
        server that takes no ranges; it says so in `start` and `stop`.

    Raises:
        S3Error: The server says no, or its answer is not what was asked for.
    """
    ranged = start > 0 or stop is not None
    asked: dict[str, Any] = {"Bucket": source.uri.bucket, "Key": source.uri.key}
    if source.version_id is not None:
        asked["VersionId"] = source.version_id
    if ranged:
        asked["Range"] = f"bytes={start}-{'' if stop is None else stop - 1}"
    if after:
        asked["IfMatch"] = after.etag
    try:
        head = await source.client.get_object(**asked)
    except Exception as error:
        ours = translate(error, source.action)
        if ours.code == "InvalidRange" or _status(error) == 416:
            if start == 0 and not after:  # there is no first byte: it is empty
                return await open_source(source)
            if not after:
                raise BadArgument(
                    f"Cannot {source.action}: it has no byte {start:,}; it is shorter.",
                    hint="See its size with %s3ls.",
                ) from error
            raise _changed(source) from error
        raise ours from error
    try:
        answer = checked(source, head, start, stop, after)
    except S3Error:
        head["Body"].close()
        raise
    headers = answer.headers = head["ResponseMetadata"].get("HTTPHeaders", {})
    if answer.stop - answer.start == answer.total:
        answer.promised = lambda name: headers.get(name.decode())
    return answer


def checked(
    source: Source, head: Any, start: int, stop: int | None, after: Answer | None
) -> Answer:
    """Check an answer's head; the arguments are those of `open_source`.

    Args:
        source: The object.
        head: The answer as botocore gives it.
        start: First byte that was wanted.
        stop: Behind the last byte that was wanted.
        after: An earlier answer.

    Raises:
        S3Error: It is not what was asked for.
    """
    status = head["ResponseMetadata"]["HTTPStatusCode"]
    length = head.get("ContentLength")
    given = str(head.get("ETag", ""))
    if given.startswith("W/"):  # RFC 9110, 8.8.1: weak ones do not tell bytes apart
        given = ""
    if after and given != after.etag:
        raise _changed(source)
    _refuse_stranger(source, head)
    if status == 200 and start == 0 and (not after or stop is None):
        # Asked for no range, or the server knows none: the whole object.
        if length is None:
            raise Damaged(f"Cannot {source.action}: the server does not say how long it is.")
        if after and length != after.total:
            raise _changed(source)
        return Answer(head["Body"], given, 0, length, length)
    if status != 206:
        raise Damaged(
            f"Cannot {source.action}: asked for a range, the server sent something else "
            f"(status {status}).",
        )
    match = _CONTENT_RANGE.match(head.get("ContentRange", ""))
    if not match:
        raise Damaged(f"Cannot {source.action}: the server does not say which range it sent.")
    first, last, total = (int(number) for number in match.groups())
    if after and total != after.total:
        raise _changed(source)
    wanted = total if stop is None else min(stop, total)
    if first != start or last + 1 != wanted or length not in {None, wanted - start}:
        raise Damaged(
            f"Cannot {source.action}: asked for bytes {start:,} to {wanted - 1:,}, the server "
            f"sent {first:,} to {last:,}."
        )
    return Answer(head["Body"], given, start, wanted, total)


def _refuse_stranger(source: Source, head: Any) -> None:
    """Refuse a page that is no object, and another version than the one asked for."""
    told = head["ResponseMetadata"].get("HTTPHeaders", {})
    known = "etag" in told or any(name.startswith(("x-amz-", "x-goog-")) for name in told)
    if not known and str(head.get("ContentType", "")).startswith("text/html"):
        raise ServerFault(
            f"Cannot {source.action}: a web page answers there, and no S3 server.",
            hint="Check the endpoint with %s3connect: a console or a login page?",
        )
    # An object from before its bucket had versions is its version "null".
    asked = source.version_id
    if asked is not None and head.get("VersionId", "null") != asked:
        raise NoSuchVersion(
            f"Cannot {source.action}: asked for version {asked}, the server sent another.",
            hint="See %s3ls --versions; the bucket may keep none.",
        )


def _changed(source: Source) -> ObjectChanged:
    return ObjectChanged(
        f"Cannot {source.action}: the object was replaced while it was read.", hint="Try again."
    )


def _status(error: BaseException) -> int:
    response = getattr(error, "response", None) or {}
    return int(response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))

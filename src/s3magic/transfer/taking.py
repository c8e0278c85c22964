"""Takes the answer to a GET on the wire, in its thread: checks it, and lands its bytes.

The checks are those of the ordinary way. What does not pass them is `Unplain`,
and asked for again by the client, which says what is wrong.
"""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from s3magic.errors import S3Error
from s3magic.transfer.progress import TOLD
from s3magic.transfer.ranges import Answer, checked
from s3magic.transfer.sums import Sum
from s3magic.wire.answer import Unplain
from s3magic.wire.pipe import open_pipe

if TYPE_CHECKING:
    from collections.abc import Callable

    from s3magic.transfer.landing import Landing
    from s3magic.transfer.level import Level
    from s3magic.transfer.ranges import Source
    from s3magic.wire.answer import Head
    from s3magic.wire.http1 import Line
    from s3magic.wire.order import Order

__all__ = ["Got", "Taking", "Wanted", "quoted", "told_all"]


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is asked for.

    Args:
        source: The object.
        start: First byte wanted.
        stop: Behind the last byte wanted; None for all.
        after: An earlier answer: it must still be the same object. None for
            the first request.
    """

    source: Source
    start: int = 0
    stop: int | None = None
    after: Answer | None = None

    @property
    def headers(self) -> dict[str, str]:
        """What the request has of its own."""
        headers: dict[str, str] = {}
        if self.start > 0 or self.stop is not None:
            last = "" if self.stop is None else self.stop - 1
            headers["range"] = f"bytes={self.start}-{last}"
        if self.after is not None:
            headers["if-match"] = self.after.etag
        return headers

    @property
    def query(self) -> str:
        """The request's query."""
        version = self.source.version_id
        return "" if version is None else f"versionId={quoted(version)}"


@dataclass(frozen=True, slots=True)
class Got:
    """What came over the wire.

    Args:
        answer: The checked answer; its body is read.
        at: Offset behind the last byte that landed. A whole object has been
            made whole at its landing.
    """

    answer: Answer
    at: int


def quoted(value: str) -> str:
    """Encode a value for a query, as signatures want it (RFC 3986)."""
    return quote(value, safe="-_.~")


@dataclass(frozen=True, slots=True)
class Taking:
    """Takes an answer's body to its landing.

    Args:
        order: The order that it is work of.
        landing: Where the bytes go.
        advance: Told on the loop of bytes that landed.
        level: Told of a line that fell silent.
        learn: Told on the loop, by a first answer, how many bytes the object has.
    """

    order: Order[Any]
    landing: Landing
    advance: Callable[[int], object]
    level: Level
    learn: Callable[[int], object] | None = None

    def take(self, line: Line, head: Head, wanted: Wanted) -> Got:
        """Check an answer's head, and take its body as far as it comes.

        Raises:
            Unplain: It is not what was asked for, or nothing of it can be kept.
        """
        answer = _checked(head, wanted)
        self.order.enter()
        if wanted.after is None:
            if self.learn is not None:
                self.order.tell(self.learn, answer.total)
            self.landing.begin(answer)
            if self.landing.held and self.landing.held[0]:  # an earlier run has brought it
                return Got(answer, answer.start)
        whole = answer.start == 0 and answer.stop == answer.total
        summed = Sum(head.get if whole else None)
        at = self._move(line, answer, summed)
        if at == answer.stop and summed.right:
            if whole:
                self.landing.commit()
            return Got(answer, at)
        if at < answer.stop and answer.etag and not summed.promised:
            return Got(answer, at)
        # Nothing to go on with: it is damaged, or nobody would hold the rest to its checksum.
        self.order.tell(self.advance, answer.start - at)
        raise Unplain(head.status if at == answer.stop else 0, "damaged")

    def _move(self, line: Line, answer: Answer, summed: Sum) -> int:
        """Move the body; gives the offset behind what landed."""
        at = told = answer.start
        file = self.landing.file
        # What is encrypted or summed must come here, and little repays no pipe.
        aside = file is not None and line.address.tls is None and not summed.promised
        pipe = open_pipe() if aside and answer.stop - at > TOLD else None
        with pipe or contextlib.nullcontext():
            while at < answer.stop:
                size = min(answer.stop - at, TOLD)
                if pipe is not None and file is not None:
                    size = self._heard(line.pour, pipe, size)
                    file.drain(pipe, size, at)
                else:
                    size = self._copy(line, at, size, summed)
                if not size:
                    break  # it broke off
                at += size
                if at - told >= TOLD:
                    self.order.tell(self.advance, at - told)
                    told = at
        self.order.tell(self.advance, at - told)
        return at

    def _copy(self, line: Line, at: int, size: int, summed: Sum) -> int:
        """Move some bytes by way of memory; gives how many, none where the line broke off."""
        room = self.landing.room(at, size)
        view = self.order.buffer[:size] if room is None else room
        view = view[: self._heard(line.fill, view)]
        if room is None:
            self.landing.write([view], at)
        summed.update(view)
        return len(view)

    def _heard(self, receive: Callable[..., int], *what: Any) -> int:
        """Receive some bytes; gives how many, none where the line broke off."""
        try:
            return receive(*what)
        except OSError as error:
            if isinstance(error, TimeoutError):
                self.order.tell(self.level.throttled)
            return 0


def told_all(head: Head, body: memoryview, wanted: Wanted) -> None:
    """Check a whole object that came in one answer.

    Raises:
        Unplain: It is not what was asked for.
    """
    if head.status not in {200, 206}:
        raise Unplain(head.status, "no success")
    answer = _checked(head, wanted)
    summed = Sum(head.get)
    summed.update(body)
    if answer.start or answer.stop < answer.total or answer.total != len(body) or not summed.right:
        raise Unplain(head.status, "damaged")


def _checked(head: Head, wanted: Wanted) -> Answer:
    try:
        answer = checked(wanted.source, _told(head), wanted.start, wanted.stop, wanted.after)
    except S3Error as error:
        raise Unplain(head.status, "not what was asked for") from error
    if not answer.etag and answer.stop < answer.total:
        raise Unplain(0, "nothing would hold the parts together")
    return answer


def _told(head: Head) -> dict[str, Any]:
    """Put an answer's head as botocore would, as far as `checked` reads it."""
    content_type = head.get(b"content-type") or ""
    page = content_type.startswith("text/html")  # then it reads who sent it
    told = {
        "ResponseMetadata": {
            "HTTPStatusCode": head.status,
            "HTTPHeaders": head.headers if page else {},
        },
        "Body": None,
        "ContentLength": head.length,
        "ETag": head.get(b"etag") or "",
        "ContentRange": head.get(b"content-range") or "",
        "ContentType": content_type,
    }
    if version := head.get(b"x-amz-version-id"):
        told["VersionId"] = version
    return told

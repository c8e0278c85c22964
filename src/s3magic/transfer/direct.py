"""Moves objects over the wire, in helper threads: the fast way beside the ordinary one.

Every request is one that the client itself would have made, and every answer
passes the checks of the ordinary way. Whatever is not a plain success, a
refusal, a redirect, a connection that breaks, is not judged here: `None` or a
piece comes back, and the ordinary client does the rest and says what is wrong.
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
import random
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import quote

from s3magic.errors import S3Error
from s3magic.settings import KiB, MiB, defaults
from s3magic.transfer.ranges import Answer, checked
from s3magic.transfer.sums import Sum, guards
from s3magic.wire.answer import BUSY, SILENT, Unplain
from s3magic.wire.http1 import FileRange
from s3magic.wire.lanes import Lanes
from s3magic.wire.wire import wire_of

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Mapping

    from types_aiobotocore_s3 import S3Client

    from s3magic.transfer.landing import Landing
    from s3magic.transfer.level import Level
    from s3magic.transfer.piece import Opened, Piece
    from s3magic.transfer.ranges import Source
    from s3magic.uri import S3Uri
    from s3magic.wire.answer import Head
    from s3magic.wire.http1 import Line
    from s3magic.wire.lanes import Order
    from s3magic.wire.template import Template
    from s3magic.wire.wire import Wire

__all__ = ["HELD", "Direct", "Got", "Wanted", "direct_of", "quoted", "sent_all", "told_all"]

R = TypeVar("R")

HELD = 64 * KiB
"""Bytes that one request on the wire holds, besides a small object's own."""

_TOLD = 1 * MiB  # bytes after which the progress hears of them
_FIRST_WAIT = 0.2  # seconds before a busy server is asked again, doubled for each further time
_LONGEST_WAIT = 10.0
_ANSWER = 64 * KiB  # bytes of an answer to a PUT that are read


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


@contextlib.asynccontextmanager
async def direct_of(client: S3Client, level: Level) -> AsyncIterator[Direct | None]:
    """Lend the fast way for one verb; None for a client that has none, or where it is off."""
    wire = wire_of(client) if defaults().fast else None
    if wire is None:
        yield None
        return
    lanes = Lanes(lambda: level.limit)
    try:
        yield Direct(wire, lanes, level)
    finally:
        lanes.close()


@dataclass(slots=True)
class Direct:
    """The fast way of one verb.

    Args:
        wire: The client's.
        lanes: The threads.
        level: Told when the server asks for less.
    """

    wire: Wire
    lanes: Lanes
    level: Level

    async def get(
        self, wanted: Wanted, landing: Landing, advance: Callable[[int], object]
    ) -> Got | None:
        """Bring a range of an object to its landing.

        Args:
            wanted: What to ask for.
            landing: Where the bytes go; it begins with a first answer.
            advance: Told on the loop of bytes that landed.

        Returns:
            What came, which may be less than was wanted; None if nothing did.
        """
        template = await self.wire.template("get_object", wanted.source.uri.bucket)
        if template is None:
            return None
        size = (wanted.stop or 0) - wanted.start
        return await self._do(
            template, self.getting(template, wanted, landing, advance), max(0, size)
        )

    def getting(
        self,
        template: Template,
        wanted: Wanted,
        landing: Landing,
        advance: Callable[[int], object],
    ) -> Callable[[Order[Any]], Got]:
        """Give the blocking work of a `get`; its arguments are the same."""

        def work(order: Order[Any]) -> Got:
            taking = _Taking(order, landing, advance, self.level)
            try:
                return self._ask(order, template, wanted, taking)
            except Unplain as unplain:
                if unplain.status != 416 or wanted.start or wanted.after is not None:
                    raise
            # There is no first byte: it is empty.
            return self._ask(order, template, replace(wanted, stop=None), taking)

        return work

    def _ask(self, order: Order[Any], template: Template, wanted: Wanted, taking: _Taking) -> Got:
        request = template.render(wanted.source.uri.key, wanted.headers, query=wanted.query)
        line, head = self._send(order, template, request)
        try:
            return taking.take(line, head, wanted)
        finally:
            self.wire.pool.give_back(line)

    async def put(
        self,
        operation: str,
        uri: S3Uri,
        parameters: Mapping[str, Any],
        piece: Piece,
        advance: Callable[[int], object],
        *,
        query: str = "",
    ) -> dict[str, Any] | None:
        """Send a piece of a source.

        Args:
            operation: ``put_object`` or ``upload_part``.
            uri: Where to.
            parameters: What else the client's method would be given, but for the body.
            piece: The bytes.
            advance: Told on the loop of bytes that were sent; of fewer than
                none where they must be sent again.
            query: The request's query.

        Returns:
            The answer, as far as S3's answers to these tell something; None if
            the ordinary client must send it.
        """
        template = await self.wire.template(operation, uri.bucket, parameters)
        if template is None:
            return None
        work = self.putting(template, uri, piece, advance, query=query)
        return await self._do(template, work, piece.size)

    def putting(
        self,
        template: Template,
        uri: S3Uri,
        piece: Piece,
        advance: Callable[[int], object],
        *,
        query: str = "",
    ) -> Callable[[Order[dict[str, Any]]], dict[str, Any]]:
        """Give the blocking work of a `put`; its arguments are the same."""

        def work(order: Order[dict[str, Any]]) -> dict[str, Any]:
            with piece.opened(order.buffer) as source:
                headers, payload = guards(template, source)
                headers["content-length"] = str(piece.size)
                request = template.render(uri.key, headers, query=query, payload=payload)
                sent = _Sent(order, advance)
                try:
                    line, head = self._send(
                        order, template, request, lambda: sent.of(source, template)
                    )
                    try:
                        return _answered(line, head)
                    finally:
                        self.wire.pool.give_back(line)
                except BaseException:
                    sent.take_back()
                    raise

        return work

    async def _do(self, template: Template, work: Callable[[Order[R]], R], size: int) -> R | None:
        """Do some work in a lane; None where the ordinary client must do it."""
        tries = 0
        while True:
            try:
                result = await self.lanes.do(work, functools.partial(self.level.done, size))
            except Unplain as unplain:
                template.doubt(unplain.status)
                if unplain.status in BUSY:
                    self.level.throttled()
                if unplain.status not in BUSY - {SILENT}:
                    return None
            except UnicodeError:  # a key that is no text: the ordinary way says so
                return None
            else:
                template.doubts = 0
                return result
            tries += 1
            if tries >= defaults().attempts:
                return None
            longest = min(_LONGEST_WAIT, _FIRST_WAIT * 2**tries)
            await asyncio.sleep(random.uniform(longest / 2, longest))  # noqa: S311 - spreads the tries

    def _send(
        self,
        order: Order[Any],
        template: Template,
        request: bytes,
        body: Callable[[], Iterable[memoryview | FileRange]] = tuple,
    ) -> tuple[Line, Head]:
        """Send a request; gives the line, to be given back, and the head of a success."""
        try:
            line, head = self.wire.pool.ask(template.address, request, body, order.use)
        except TimeoutError as error:
            raise Unplain(SILENT, "no answer in time") from error
        except OSError as error:
            raise Unplain(0, "no answer") from error
        if head.status not in {200, 206}:
            self.wire.pool.give_back(line)
            raise Unplain(head.status, "no success")
        return line, head


@dataclass(frozen=True, slots=True)
class _Taking:
    """Takes an answer's body to its landing.

    Args:
        order: The order that it is work of.
        landing: Where the bytes go.
        advance: Told on the loop of bytes that landed.
        level: Told of a line that fell silent.
    """

    order: Order[Any]
    landing: Landing
    advance: Callable[[int], object]
    level: Level

    def take(self, line: Line, head: Head, wanted: Wanted) -> Got:
        """Check an answer's head, and take its body as far as it comes.

        Raises:
            Unplain: It is not what was asked for, or nothing of it can be kept.
        """
        answer = _checked(head, wanted)
        self.order.enter()
        if wanted.after is None:
            self.landing.begin(answer)
            if self.landing.held and self.landing.held[0]:  # an earlier run has brought it
                return Got(answer, answer.start)
        whole = answer.start == 0 and answer.stop == answer.total
        summed = Sum(head if whole else None)
        at = self._move(line, answer, summed)
        if at == answer.stop and summed.right:
            if whole:
                self.landing.commit()
            return Got(answer, at)
        if at == answer.stop or not answer.etag:  # nothing to go on with
            self.order.tell(self.advance, answer.start - at)
            raise Unplain(head.status, "damaged")
        return Got(answer, at)

    def _move(self, line: Line, answer: Answer, summed: Sum) -> int:
        """Move the body; gives the offset behind what landed."""
        at = told = answer.start
        while at < answer.stop:
            size = min(answer.stop - at, _TOLD)
            room = self.landing.room(at, size)
            view = self.order.buffer[:size] if room is None else room
            try:
                size = line.fill(view)
            except OSError as error:
                if isinstance(error, TimeoutError):
                    self.order.tell(self.level.throttled)
                break
            if room is None:
                self.landing.write([view[:size]], at)
            summed.update(view[:size])
            at += size
            if at - told >= _TOLD:
                self.order.tell(self.advance, at - told)
                told = at
        self.order.tell(self.advance, at - told)
        return at


def told_all(head: Head, body: memoryview, wanted: Wanted) -> None:
    """Check a whole object that came in one answer.

    Raises:
        Unplain: It is not what was asked for.
    """
    if head.status not in {200, 206}:
        raise Unplain(head.status, "no success")
    answer = _checked(head, wanted)
    summed = Sum(head)
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


class _Sent:
    """Tells of the bytes of a body as they are sent, and takes them back where that was in vain."""

    def __init__(self, order: Order[Any], advance: Callable[[int], object]) -> None:
        self._order = order
        self._advance = advance
        self._told = 0

    def of(self, source: Opened, template: Template) -> Iterator[memoryview | FileRange]:
        """Give the body's blocks, from the beginning."""
        self.take_back()
        untold = 0
        # Over TLS every byte must come here anyway, and unguarded ones are looked at.
        itself = template.address.tls is None and (template.hashed or template.summed)
        for block in source.ranges() if itself else source.blocks():
            yield block  # it is sent when the next is asked for
            untold += block.size if isinstance(block, FileRange) else len(block)
            if untold >= _TOLD:
                self._tell(untold)
                untold = 0
        self._tell(untold)

    def take_back(self) -> None:
        """Unsay what was said."""
        self._tell(-self._told)

    def _tell(self, size: int) -> None:
        if size:
            self._told += size
            self._order.tell(self._advance, size)


def quoted(value: str) -> str:
    """Encode a value for a query, as signatures want it (RFC 3986)."""
    return quote(value, safe="-_.~")


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


def _answered(line: Line, head: Head) -> dict[str, Any]:
    """Read the answer to a PUT; gives it as botocore would.

    Raises:
        Unplain: It names no ETag, as S3's every answer to a write does.
    """
    try:
        line.fill(memoryview(bytearray(min(head.length, _ANSWER))))
    except OSError as error:
        raise Unplain(0, "the answer broke off") from error
    return sent_all(head)


def sent_all(head: Head) -> dict[str, Any]:
    """Check the answer to a PUT; gives it as botocore would.

    Raises:
        Unplain: It is no success, or names no ETag, as S3's every answer to a write does.
    """
    etag = head.get(b"etag")
    if head.status != 200 or not etag:
        raise Unplain(head.status, "no ETag")
    answer: dict[str, Any] = {
        "ETag": etag,
        "ResponseMetadata": {"HTTPStatusCode": head.status, "HTTPHeaders": head.headers},
    }
    if crc32 := head.get(b"x-amz-checksum-crc32"):
        answer["ChecksumCRC32"] = crc32
    if version := head.get(b"x-amz-version-id"):
        answer["VersionId"] = version
    return answer

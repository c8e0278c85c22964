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
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, TypeVar

from s3magic.settings import KiB, defaults
from s3magic.transfer.backoff import backoff
from s3magic.transfer.sending import Sent, answered
from s3magic.transfer.sums import guards
from s3magic.transfer.taking import Got, Taking, Wanted
from s3magic.wire.answer import BODILESS, BUSY, SILENT, Unplain, unanswered
from s3magic.wire.lanes import Lanes
from s3magic.wire.wire import wire_of

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterable, Mapping

    from types_aiobotocore_s3 import S3Client

    from s3magic.transfer.landing import Landing
    from s3magic.transfer.level import Level
    from s3magic.transfer.piece import Piece
    from s3magic.uri import S3Uri
    from s3magic.wire.answer import Head
    from s3magic.wire.http1 import FileRange, Line
    from s3magic.wire.order import Order
    from s3magic.wire.template import Template
    from s3magic.wire.wire import Wire

__all__ = ["HELD", "Direct", "direct_of"]

R = TypeVar("R")

HELD = 64 * KiB
"""Bytes that one request on the wire holds, besides a small object's own."""

_REFUSAL = 64 * KiB  # bytes of a refusal that are read; a new connection costs less than more


@contextlib.asynccontextmanager
async def direct_of(client: S3Client, level: Level) -> AsyncIterator[Direct | None]:
    """Lend the fast way for one verb; None for a client that has none, or where it is off."""
    wire = wire_of(client) if defaults().fast else None
    if wire is None:
        yield None
        return
    lanes = Lanes(lambda: level.limit, level.most)
    try:
        yield Direct(wire, lanes, level)
    finally:
        lanes.close()
        wire.pool.sweep_later()


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
        self,
        wanted: Wanted,
        landing: Landing,
        advance: Callable[[int], object],
        learn: Callable[[int], object] | None = None,
    ) -> Got | None:
        """Bring a range of an object to its landing.

        Args:
            wanted: What to ask for.
            landing: Where the bytes go; it begins with a first answer.
            advance: Told on the loop of bytes that landed.
            learn: Told on the loop, by a first answer, how many bytes the object has.

        Returns:
            What came, which may be less than was wanted; None if nothing did.
        """
        template = await self.wire.template("get_object", wanted.source.uri.bucket)
        if template is None:
            return None
        size = (wanted.stop or 0) - wanted.start
        return await self.do(
            template, self.getting(template, wanted, landing, advance, learn), max(0, size)
        )

    def getting(
        self,
        template: Template,
        wanted: Wanted,
        landing: Landing,
        advance: Callable[[int], object],
        learn: Callable[[int], object] | None = None,
    ) -> Callable[[Order[Any]], Got]:
        """Give the blocking work of a `get`; its arguments are the same."""

        def work(order: Order[Any]) -> Got:
            taking = Taking(order, landing, advance, self.level, learn)
            try:
                return self._ask(order, template, wanted, taking)
            except Unplain as unplain:
                if unplain.status != 416 or wanted.start or wanted.after is not None:
                    raise
            # There is no first byte: it is empty.
            return self._ask(order, template, replace(wanted, stop=None), taking)

        return work

    def _ask(self, order: Order[Any], template: Template, wanted: Wanted, taking: Taking) -> Got:
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
        return await self.do(template, work, piece.size)

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
                sent = Sent(order, advance)
                try:
                    line, head = self._send(
                        order, template, request, lambda: sent.of(source, template)
                    )
                    try:
                        return answered(line, head)
                    finally:
                        self.wire.pool.give_back(line)
                except BaseException:
                    sent.take_back()
                    raise

        return work

    async def do(self, template: Template, work: Callable[[Order[R]], R], size: int) -> R | None:
        """Do some work in a lane; None where the ordinary client must do it.

        Args:
            template: The kind of request that it begins with.
            work: The work, which raises `Unplain` for what is no plain success.
            size: Its bytes, about.
        """
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
            await asyncio.sleep(backoff(tries))

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
        except OSError as error:
            raise unanswered(error) from error
        if head.status not in {200, 206}:
            # Read to its end, so that the line may be used again: another costs a handshake.
            if head.keeps and head.length <= _REFUSAL and head.status not in BODILESS:
                with contextlib.suppress(OSError):
                    line.fill(memoryview(bytearray(head.length)))
            self.wire.pool.give_back(line)
            raise Unplain(head.status, "no success")
        return line, head

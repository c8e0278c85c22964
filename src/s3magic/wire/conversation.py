"""Holds a conversation: does one small order after another on a connection.

A conversation is a generator, which yields wherever it would have to wait, for
one thread that holds many.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from s3magic.wire.answer import SILENT, Unplain, unanswered
from s3magic.wire.http1 import Line
from s3magic.wire.order import BUFFER
from s3magic.wire.small import Pace
from s3magic.wire.softly import conversing, opening

if TYPE_CHECKING:
    from collections.abc import Callable

    from s3magic.wire.addresses import Address
    from s3magic.wire.answer import Head
    from s3magic.wire.order import Order
    from s3magic.wire.small import Small
    from s3magic.wire.softly import Waiting

__all__ = ["Conversations"]


class Conversations:
    """What those of one thread share: its memory, and how fast its files are.

    Args:
        following: Gives the next order to an address; None where a conversation
            is to end.
        hand_over: Has an order's blocking end done elsewhere.
    """

    def __init__(
        self,
        following: Callable[[Address], tuple[Order[Any], Small] | None],
        hand_over: Callable[[Order[Any], Callable[[], Any]], None],
    ) -> None:
        self._following = following
        self._hand_over = hand_over
        self._buffer = memoryview(bytearray(BUFFER))
        self._reading, self._writing = Pace(), Pace()

    def hold(self, order: Order[Any], small: Small) -> Waiting[None]:
        """Do one order after another on one connection."""
        address = small.address
        line: Line | None = None
        try:
            while True:
                try:
                    line = line or small.pool.take(address)
                    line, head, body = yield from self._answered(order, small, line)
                    order.use(None)
                    order.enter()
                    self._finish(order, small, head, body)
                except GeneratorExit:
                    order.fail(Unplain(0, "given up"))
                    raise
                except TimeoutError:
                    order.fail(Unplain(SILENT, "no answer in time"))
                    return
                except OSError as error:
                    order.fail(unanswered(error))
                    return
                except Exception as error:  # noqa: BLE001 - the ordinary way shall meet it
                    order.fail(error)
                    return
                # A stray byte would be read as the next answer, and belong to another object.
                if not line.reusable or not line.quiet:
                    return
                if (following := self._following(address)) is None:
                    return
                order, small = following
        finally:
            if line is not None:
                small.pool.give_back(line)

    def _answered(
        self, order: Order[Any], small: Small, line: Line | None
    ) -> Waiting[tuple[Line, Head, memoryview]]:
        """Ask on the line, or on a new one; gives that which was used, and the answer."""
        address = small.address
        request = self._request(small)
        if line is not None:
            order.use(line)
            line.used = False
            try:
                return line, *(
                    yield from conversing(line, request, self._buffer, chunks=small.chunks)
                )
            except OSError as error:
                line.close()
                if line.used or line.aborted or isinstance(error, TimeoutError):
                    raise
            # The server had closed it unheard: RFC 9112, 9.3.1.
        line = Line(address)
        try:
            order.use(line)
            yield from opening(line)
            order.use(line)
            return line, *(yield from conversing(line, request, self._buffer, chunks=small.chunks))
        except BaseException:
            line.close()
            raise

    def _finish(self, order: Order[Any], small: Small, head: Head, body: memoryview) -> None:
        """End an order with its answer, here or elsewhere."""
        if self._writing.slow():
            kept = memoryview(bytes(body))
            self._hand_over(order, lambda: small.finish(head, kept))
            return
        with self._writing:
            try:
                result = small.finish(head, body)
            except Exception as error:  # noqa: BLE001 - the connection is as good as it was
                order.fail(error)
            else:
                order.succeed(result)

    def _request(self, small: Small) -> bytes:
        """Have a small request made, unless that would hold up the others.

        Raises:
            Unplain: It would: others shall do it.
        """
        if not small.reads:
            return small.request()
        if self._reading.slow():
            raise Unplain(0, "a slow disk")
        with self._reading:
            return small.request()

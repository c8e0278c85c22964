"""One piece of blocking work: what its thread sees of it, and what its loop.

An order that is cancelled has its connection shut down, which ends whatever its
thread waits for.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from s3magic.settings import KiB

if TYPE_CHECKING:
    from collections.abc import Callable

    from s3magic.wire.http1 import Line
    from s3magic.wire.lanes import Lanes

__all__ = ["BUFFER", "Order"]

R = TypeVar("R")

BUFFER = 256 * KiB
"""Bytes of memory that a thread receives into: so few stay in the processor's cache on their way
to the file."""


class Order(Generic[R]):
    """One piece of blocking work: what its thread sees of it.

    Args:
        lanes: Whose.
        work: What to do; None for what the reactor does.
        ended: Told on the loop how it ended: its result and None, or None and
            its error. Never told after `drop`, unless that gave False.
        asks: Whether it is a request to a server.
    """

    __slots__ = (
        "_dropped",
        "_ended",
        "_entered",
        "_lanes",
        "_line",
        "_work",
        "asks",
        "buffer",
        "since",
        "took",
    )

    def __init__(
        self,
        lanes: Lanes,
        work: Callable[[Order[R]], R] | None,
        ended: Callable[[R | None, BaseException | None], object],
        *,
        asks: bool = True,
    ) -> None:
        self._lanes = lanes
        self.asks = asks
        lanes.news.begun()
        self._work = work
        self._ended = ended
        self._line: Line | None = None
        self._dropped = self._entered = False
        self.buffer = memoryview(b"")
        self.since = 0.0
        """When its thread began with it, or had a connection for it; 0 while it waits."""
        self.took = 0.0
        """Seconds that it took from then on, once it has ended."""

    def use(self, line: Line | None) -> None:
        """Note the line that is used from now on, so that a cancellation can end it.

        Args:
            line: The line; None when it is another's.

        Raises:
            ConnectionAbortedError: The order was cancelled.
        """
        with self._lanes.lock:
            if self._dropped and line is not None:
                raise ConnectionAbortedError
            self._line = line
            if line is not None:
                self.since = time.monotonic()

    def enter(self) -> None:
        """Begin what must be waited for, a file for example.

        Raises:
            ConnectionAbortedError: The order was cancelled.
        """
        with self._lanes.lock:
            if self._dropped:
                raise ConnectionAbortedError
            self._entered = True

    def tell(self, fact: Callable[..., object], *values: Any) -> None:
        """Have the loop call `fact`, in order and within a moment, unless it was cancelled."""
        self._lanes.news.note(self._tell, fact, values)

    def drop(self) -> bool:
        """Cancel it; gives whether its thread has nothing in hand that must be waited for."""
        with self._lanes.lock:
            self._dropped = True
            if self._line is not None:
                self._line.abort()
            return not self._entered

    def run(self, buffer: memoryview) -> None:
        """Do it, in its thread."""
        self.buffer = buffer
        self.since = time.monotonic()
        try:
            if self._dropped or self._work is None:
                raise ConnectionAbortedError
            result = self._work(self)
        except BaseException as error:  # noqa: BLE001 - it is raised where it is awaited
            self._lanes.free(self)
            self.fail(error)
        else:
            self._lanes.free(self)
            self.succeed(result)

    def succeed(self, result: R) -> None:
        """Tell that it is done. From its thread, once."""
        self.took = time.monotonic() - self.since
        self._lanes.news.post(self._end, result, None)

    def fail(self, error: BaseException) -> None:
        """Tell that it is not. From its thread, once."""
        self._lanes.news.post(self._end, None, error)
        # A server may be asking for less, and what waits would be refused too.
        self._lanes.news.wake()

    def _tell(self, fact: Callable[..., object], values: tuple[Any, ...]) -> None:
        if not self._dropped:
            fact(*values)

    def _end(self, result: R | None, error: BaseException | None) -> None:
        self._lanes.news.over()
        if self._entered or not self._dropped:
            self._ended(result, error)

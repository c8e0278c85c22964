"""Helper threads for blocking requests, and the way back to the loop.

A lane is a thread that does one order after another. Orders wait in a queue, so
that a lane that is done finds the next one there; what it has to say is kept
until the queue runs low, and then the loop hears all of it at once. A loop and
a thread that wake each other for every small request would spend most of their
time on that.
"""

from __future__ import annotations

import _thread
import asyncio
import contextlib
import threading
import time
from collections import deque
from queue import SimpleQueue
from typing import TYPE_CHECKING, Any, TypeVar

from s3magic.settings import KiB
from s3magic.wire.order import Order
from s3magic.wire.reactor import Reactor

if TYPE_CHECKING:
    from collections.abc import Callable

    from s3magic.wire.small import Small

__all__ = ["Lanes"]

R = TypeVar("R")

_changing = threading.Lock()  # for what two threads change: held for a moment
_LONGEST = 0.02  # seconds that the loop is left without news
_BUFFER = 256 * KiB  # of this size it stays in the processor's cache on its way to the file


class Lanes:
    """The threads of one verb, begun as they are needed. Made and closed on its loop.

    Args:
        limit: Gives how many may work at once, which may change meanwhile.
    """

    def __init__(self, limit: Callable[[], int]) -> None:
        self._loop = asyncio.get_running_loop()
        self._limit = limit
        self._orders: SimpleQueue[Order[Any] | None] = SimpleQueue()
        self._posts: deque[tuple[Callable[..., object], tuple[Any, ...]]] = deque()
        self._woken = False
        self._heard = time.monotonic()
        self._threads = 0
        self._under_way = 0
        self._look: asyncio.TimerHandle | None = None
        self._reactor: Reactor | None = None
        self._most_small = limit

    async def do(
        self, work: Callable[[Order[R]], R], took: Callable[[float], object] = lambda _: None
    ) -> R:
        """Do blocking work in a lane, as soon as one is free.

        When the caller is cancelled, the work's connection ends, and the
        cancellation goes on once the work has let go of what it `enter`-ed.
        """
        done: asyncio.Future[R] = self._loop.create_future()
        over = asyncio.Event()

        def ended(result: Any, error: BaseException | None) -> None:
            over.set()
            if done.done():
                return  # cancelled meanwhile
            if error is None:
                took(order.took)
                done.set_result(result)
            else:
                done.set_exception(error)

        order = self.put(work, ended)
        try:
            return await done
        except asyncio.CancelledError:
            if not order.drop():
                while not over.is_set():
                    with contextlib.suppress(asyncio.CancelledError):
                        await over.wait()
            raise

    def put(
        self,
        work: Callable[[Order[R]], R],
        ended: Callable[[R | None, BaseException | None], object],
    ) -> Order[R]:
        """Have work done in a lane; `ended` is told of its end, on the loop."""
        order = Order(self, work, ended)
        self._orders.put(order)
        # Begin as many threads as there is work for, and as may work.
        if self._threads < self._limit() and self._orders.qsize():
            with _changing:
                self._threads += 1
            try:
                # `Thread.start` waits until the thread runs, on a busy machine for many a tick.
                _thread.start_new_thread(self._begin, ())
            except RuntimeError:  # the system has no more: those that there are go on
                with _changing:
                    self._threads -= 1
                if not self._threads:
                    raise
        return order

    def small(self, limit: Callable[[], int]) -> None:
        """Say how many small requests may be under way at once; else as many as threads."""
        self._most_small = limit

    def put_small(
        self, small: Small, ended: Callable[[R | None, BaseException | None], object]
    ) -> Order[R]:
        """Have a small request done beside many others; `ended` is told as by `put`."""
        if self._reactor is None:
            self._reactor = Reactor(self._most_small, self._take_over)
        order: Order[R] = Order(self, None, ended)
        self._reactor.put(order, small)
        return order

    def _take_over(self, order: Order[Any], work: Callable[[], Any]) -> None:
        """Do the end of a small request in a thread. From the reactor's."""

        def do(_: Order[None]) -> None:
            try:
                order.succeed(work())
            except BaseException as error:  # noqa: BLE001 - it is told where it is awaited
                order.fail(error)

        self.post(self.put, do, lambda _result, _error: None)

    def note(self, fact: Callable[..., object], *values: Any) -> None:
        """Have the loop call `fact` with `values` when it looks next. From any thread."""
        self._posts.append((fact, values))

    def post(self, fact: Callable[..., object], *values: Any) -> None:
        """Have the loop call `fact` with `values`, at once where it waits. From any thread."""
        self.note(fact, *values)
        if self._woken:
            return
        waiting, busy = self._orders.qsize(), self._threads
        if self._reactor is not None:
            waiting, busy = waiting + self._reactor.waiting, busy + self._reactor.active
        low = waiting <= busy // 2
        if low or time.monotonic() - self._heard > _LONGEST:
            self.wake()

    def wake(self) -> None:
        """Have the loop hear at once what was posted. From any thread."""
        if not self._woken:
            self._woken = True
            with contextlib.suppress(RuntimeError):  # the loop is closed: nobody listens
                self._loop.call_soon_threadsafe(self._hear)

    def close(self) -> None:
        """Let the threads end as soon as they have nothing to do."""
        if self._look is not None:
            self._look.cancel()
        if self._reactor is not None:
            self._reactor.close()
        for _ in range(self._threads):
            self._orders.put(None)

    def begun(self) -> None:
        """Note that there is an order, on the loop."""
        self._under_way += 1
        if self._look is None:
            self._look = self._loop.call_later(_LONGEST, self._look_again)

    def over(self) -> None:
        """Note that an order is over, on the loop."""
        self._under_way -= 1

    def _look_again(self) -> None:
        """Hear what no thread woke the loop for: all of them may wait for a silent server."""
        self._look = None
        if self._posts:
            self._hear()
        if self._under_way and self._look is None:
            self._look = self._loop.call_later(_LONGEST, self._look_again)

    def _hear(self) -> None:
        self._woken = False
        try:
            while self._posts:
                fact, values = self._posts.popleft()
                fact(*values)
        finally:
            self._heard = time.monotonic()
            if self._posts:  # one of them failed, which is for the loop to tell
                self._loop.call_soon(self._hear)

    def _begin(self) -> None:
        try:
            threading.Thread(target=self._serve, name="s3magic-lane", daemon=True).start()
        except RuntimeError:  # the system has no more: then this one does it
            self._serve()

    def _serve(self) -> None:
        buffer = memoryview(bytearray(_BUFFER))
        while (order := self._orders.get()) is not None:
            order.run(buffer)
            del order
            if self._threads > self._limit():
                with _changing:
                    if self._threads > self._limit():
                        self._threads -= 1
                        return

"""Helper threads for blocking requests, and how they share the work.

A lane is a thread that does one order after another. Orders wait in a queue, so
that a lane that is done finds the next one there, and none is woken for it.
What a lane has to say comes to the loop by `news.py`.
"""

from __future__ import annotations

import _thread
import asyncio
import contextlib
import os
import sys
import threading
from collections import deque
from typing import TYPE_CHECKING, Any, TypeVar

from s3magic.wire.answer import Unplain
from s3magic.wire.news import News
from s3magic.wire.order import BUFFER, Order
from s3magic.wire.reactor import Reactor

if TYPE_CHECKING:
    from collections.abc import Callable

    from s3magic.wire.small import Small

__all__ = ["Lanes"]

R = TypeVar("R")

_BACK = 5  # niceness of a helper thread above its process's


class Lanes:
    """The threads of one verb, begun as they are needed. Made and closed on its loop.

    Args:
        limit: Gives how many may work at once, which may change meanwhile.
        most: Requests at once at most, the small ones beside them among them;
            None where nothing is beside them.
    """

    def __init__(self, limit: Callable[[], int], most: int | None = None) -> None:
        self._loop = asyncio.get_running_loop()
        self._limit = limit
        self._most = most
        self.lock = threading.Lock()
        """For what two threads change: held for a moment. A fork's child makes its own lanes."""
        self.news = News(self._loop, self._runs_low)
        self._changed = threading.Condition(self.lock)
        self._orders: deque[Order[Any]] = deque()
        self._ends: deque[Order[Any]] = deque()  # of small requests, which ask no server
        self._busy = 0  # threads with a request
        self._idle = 0  # threads with no order, those that just begin among them
        self._closed = False
        self._threads = 0
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
        *,
        asks: bool = True,
    ) -> Order[R]:
        """Have work done in a lane; `ended` is told of its end, on the loop.

        Args:
            work: What to do.
            ended: Told as `Order` has it.
            asks: Whether it is a request to a server.

        Raises:
            Unplain: The system has no thread for it.
        """
        order = Order(self, work, ended, asks=asks)
        queue = self._orders if asks else self._ends
        with self._changed:
            queue.append(order)
            # Begin as many threads as there is work for, and as may work.
            waiting = len(self._orders) + len(self._ends)
            more = waiting > self._idle and self._threads < self._limit()
            if more:
                self._threads += 1
                self._idle += 1
            else:
                self._changed.notify()
        if not more:
            return order
        try:
            # `Thread.start` waits until the thread runs, on a busy machine for many a tick.
            _thread.start_new_thread(self._begin, ())
        except RuntimeError as error:  # the system has no more: those that there are go on
            with self._changed:
                self._threads -= 1
                self._idle -= 1
                if not self._threads:
                    queue.remove(order)
                    self.news.over()
                    raise Unplain(0, "no thread") from error
                self._changed.notify()
        return order

    def small(self, limit: Callable[[], int]) -> None:
        """Say how many small requests may be under way at once; else as many as threads."""
        self._most_small = limit

    def put_small(
        self, small: Small, ended: Callable[[R | None, BaseException | None], object]
    ) -> Order[R]:
        """Have a small request done beside many others; `ended` is told as by `put`.

        Raises:
            Unplain: The system has no thread or no descriptor for that.
        """
        order: Order[R] = Order(self, None, ended)
        try:
            if self._reactor is None:
                self._reactor = Reactor(self._room_for_small, self._take_over)
            self._reactor.put(order, small)
        except (RuntimeError, OSError) as error:
            self.news.over()
            raise Unplain(0, str(error)) from error
        return order

    def _room_for_small(self) -> int:
        """Give how many small requests there may be. The reactor asks at each of its turns."""
        limit = self._most_small()
        if self._most is None:
            return limit
        # Half of all is the threads', if they have work for so many.
        wanted = min(self._busy + len(self._orders), self._limit(), self._most // 2)
        if self._orders and self._idle:
            with self._changed:
                if self._has_room():
                    self._changed.notify()
        return min(limit, self._most - max(self._busy, wanted))

    def _has_room(self) -> bool:
        """Tell whether one more thread may ask a server. With the lock held."""
        if self._most is None or self._reactor is None or self._closed:
            return True
        half = self._most - self._most // 2
        talks = self._reactor.active
        wanted = min(talks + self._reactor.waiting, self._most_small(), half)
        return self._busy < self._most - max(talks, wanted)

    def _runs_low(self) -> bool:
        """Tell whether there is little left to begin with. From any thread."""
        waiting, busy = len(self._orders) + len(self._ends), self._threads
        if self._reactor is not None:
            waiting, busy = waiting + self._reactor.waiting, busy + self._reactor.active
        return waiting <= busy // 2

    def _take_over(self, order: Order[Any], work: Callable[[], Any]) -> None:
        """Do the end of a small request in a thread. From the reactor's."""

        def do(_: Order[None]) -> None:
            try:
                order.succeed(work())
            except BaseException as error:  # noqa: BLE001 - it is told where it is awaited
                order.fail(error)

        def put() -> None:
            try:
                self.put(do, lambda _result, _error: None, asks=False)
            except Unplain as error:
                order.fail(error)

        self.news.post(put)

    def close(self) -> None:
        """Let the threads end as soon as they have nothing to do."""
        self.news.close()
        if self._reactor is not None:
            self._reactor.close()
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    def _begin(self) -> None:
        try:
            threading.Thread(target=self._serve, name="s3magic-lane", daemon=True).start()
        except RuntimeError:  # the system has no more: then this one does it
            self._serve()

    def _serve(self) -> None:
        _step_back()
        buffer = memoryview(bytearray(BUFFER))
        while (order := self._next()) is not None:
            order.run(buffer)
            del order

    def _next(self) -> Order[Any] | None:
        """Wait for an order; None where this thread is to end."""
        with self._changed:
            while self._threads <= self._limit():
                if self._ends:
                    self._idle -= 1
                    return self._ends.popleft()
                if self._orders and self._has_room():
                    self._idle -= 1
                    self._busy += 1
                    return self._orders.popleft()
                if self._closed and not self._orders:
                    break
                self._changed.wait()
            self._threads -= 1
            self._idle -= 1
            self._changed.notify()  # what it was woken for is another's
            return None

    def free(self, order: Order[Any]) -> None:
        """Note that a thread is done with an order, before anybody hears of its end.

        Who then puts the next one finds this thread idle, and begins no other.
        """
        with self.lock:
            self._idle += 1
            self._busy -= order.asks
        if self._reactor is not None and self._reactor.waiting and self._most is not None:
            self._reactor.wake()


def _step_back() -> None:
    """Let the loop's thread come first where too few cores are there for all.

    On Linux alone is niceness a thread's own (sched(7), "The nice value").
    """
    if sys.platform == "linux":
        with contextlib.suppress(OSError):
            mine = threading.get_native_id()
            os.setpriority(os.PRIO_PROCESS, mine, os.getpriority(os.PRIO_PROCESS, mine) + _BACK)

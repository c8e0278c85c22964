"""Bounded concurrency: lanes that pull from one stream, and slots that they share.

A window slides: as soon as one piece is done the next begins, so one slow
piece never holds up the others. Everything that is started here has ended when
the call returns, on success, failure and cancellation alike.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import (
        AsyncGenerator,
        AsyncIterator,
        Awaitable,
        Callable,
        Iterable,
        Sequence,
    )

__all__ = ["Slots", "ahead", "each", "stream"]

T = TypeVar("T")

_TURN = 256  # items: a few tenths of a millisecond


async def stream(items: Iterable[T]) -> AsyncGenerator[T]:
    """Give a plain iterable as an async one, which lets others run now and then."""
    for number, item in enumerate(items, 1):
        yield item
        if not number % _TURN:
            await asyncio.sleep(0)


async def each(items: AsyncGenerator[T], work: Callable[[T], Awaitable[None]], lanes: int) -> None:
    """Await `work` on every item, on at most `lanes` of them at once.

    Items begin in the order in which they come, and are asked for only when a
    lane is free. The first error cancels the other lanes and is raised; a
    cancellation is raised whatever else goes wrong on the way out.

    Args:
        items: Where the items come from; closed at the end.
        work: What to do with one.
        lanes: How many at once.
    """
    turn = asyncio.Lock()  # an async generator serves one caller at a time

    async def lane() -> None:
        while True:
            async with turn:
                try:
                    item = await anext(items)
                except StopAsyncIteration:
                    return
            await work(item)

    # Not asyncio.TaskGroup: in it an error of the clean-up hides a cancellation.
    running = [asyncio.create_task(lane()) for _ in range(lanes)]
    async with contextlib.aclosing(items):
        try:
            ended, _ = await asyncio.wait(running, return_when=asyncio.FIRST_EXCEPTION)
        finally:
            await _end(running)
    for task in ended:
        task.result()


async def _end(tasks: Sequence[asyncio.Task[None]]) -> None:
    """Cancel tasks, and wait until all have ended, however often we are cancelled meanwhile."""
    for task in tasks:
        task.cancel()
    cancelled: asyncio.CancelledError | None = None
    while not all(task.done() for task in tasks):
        try:
            await asyncio.wait(tasks)
        except asyncio.CancelledError as again:
            cancelled = again
    for task in tasks:
        if not task.cancelled():
            task.exception()  # seen: what ended them all is what counts
    if cancelled:
        raise cancelled


async def ahead(items: AsyncGenerator[T], waiting: deque[T]) -> AsyncGenerator[T]:
    """Give the same items, asked for as fast as they come, not as they are used.

    So a plan knows early how much there is to do. An error of theirs is raised
    behind the last of them.

    Args:
        items: Where they come from; closed at the end.
        waiting: Holds those that came and were not used yet.
    """
    more = asyncio.Event()

    async def fill() -> None:
        try:
            async with contextlib.aclosing(items):
                async for item in items:
                    waiting.append(item)
                    more.set()
        finally:
            more.set()

    filling = asyncio.create_task(fill(), name="s3magic-plan")
    try:
        while True:
            more.clear()
            while waiting:
                yield waiting.popleft()
            if filling.done():
                break
            await more.wait()
        await filling
    finally:
        await _end([filling])


class Slots:
    """What all lanes of one verb share: so many requests, so many bytes in memory.

    First come, first served. A piece larger than the whole budget still gets
    its turn, alone.

    Args:
        requests: Requests in flight at once.
        memory: Bytes held at once.
    """

    def __init__(self, requests: int, memory: int) -> None:
        self._requests = requests
        self._memory = self._budget = memory
        self._queue: deque[tuple[int, asyncio.Future[None]]] = deque()

    @contextlib.asynccontextmanager
    async def take(self, memory: int) -> AsyncIterator[None]:
        """Hold one request and `memory` bytes of the budget for the block."""
        need = min(memory, self._budget)
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._queue.append((need, turn))
        self._serve()
        try:
            await turn
        except asyncio.CancelledError:
            if turn.cancelled():
                self._serve()  # the next in the queue may need less
            else:
                self._give_back(need)  # served and cancelled in the same moment
            raise
        try:
            yield
        finally:
            self._give_back(need)

    def _give_back(self, need: int) -> None:
        self._requests += 1
        self._memory += need
        self._serve()

    def _serve(self) -> None:
        while self._queue:
            need, turn = self._queue[0]
            if turn.cancelled():
                self._queue.popleft()
                continue
            if not self._requests or need > self._memory:
                return
            self._queue.popleft()
            self._requests -= 1
            self._memory -= need
            turn.set_result(None)

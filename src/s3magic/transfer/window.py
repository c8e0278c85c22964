"""Bounded concurrency: lanes that pull from one stream, and slots that they share.

A window slides: as soon as one piece is done the next begins, so one slow
piece never holds up the others. Everything that is started here has ended when
the call returns, on success, failure and cancellation alike.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
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

    from s3magic.transfer.level import Level

__all__ = ["AHEAD", "Slots", "ahead", "each", "results", "stream"]

T = TypeVar("T")
U = TypeVar("U")

AHEAD = 32
"""Requests that may be ready at least, beyond those in flight, where helper threads take them."""

_TURN = 0.002  # seconds that items are given for before others have their turn
_LOOK = 16  # items after which to look at the clock


async def stream(items: Iterable[T]) -> AsyncGenerator[T]:
    """Give a plain iterable as an async one, which lets others run now and then."""
    begun = time.monotonic()
    for number, item in enumerate(items, 1):
        yield item  # for as long as who takes it works with it
        if not number % _LOOK and time.monotonic() - begun > _TURN:
            await asyncio.sleep(0)
            begun = time.monotonic()


async def each(
    items: AsyncGenerator[T],
    work: Callable[[T], Awaitable[None]],
    lanes: int,
    room: Callable[[], Awaitable[None]] | None = None,
) -> None:
    """Await `work` on every item, on at most `lanes` of them at once.

    Items begin in the order in which they come, and are asked for only when a
    lane is free; lanes are made as they are needed. The first error cancels
    the other lanes and is raised; a cancellation is raised whatever else goes
    wrong on the way out.

    Args:
        items: Where the items come from; closed at the end.
        work: What to do with one.
        lanes: How many at once.
        room: Awaited before each item is asked for: when to begin one more.
    """
    turn = asyncio.Lock()  # an async generator serves one caller at a time
    running: list[asyncio.Task[None]] = []
    ended: asyncio.Future[asyncio.Task[None] | None] = asyncio.get_running_loop().create_future()

    def begin() -> None:
        if len(running) < lanes:
            running.append(asyncio.create_task(lane()))
            running[-1].add_done_callback(end)

    def end(task: asyncio.Task[None]) -> None:
        failed = task.cancelled() or task.exception() is not None
        if not ended.done() and (failed or all(one.done() for one in running)):
            ended.set_result(task if failed else None)

    async def lane() -> None:
        while True:
            async with turn:
                if room is not None:
                    await room()
                try:
                    item = await anext(items)
                except StopAsyncIteration:
                    return
            begin()
            await work(item)

    # Not asyncio.TaskGroup: in it an error of the clean-up hides a cancellation.
    async with contextlib.aclosing(items):
        try:
            begin()
            failed = await ended
        finally:
            await _end(running)
    for task in running if failed is None else [failed]:
        task.result()


async def results(
    items: AsyncGenerator[T], work: Callable[[T], Awaitable[U]], lanes: int
) -> AsyncGenerator[U]:
    """Await `work` on every item, as `each` does, and give what it gives, as it comes.

    An error is raised behind what came before it.

    Args:
        items: Where the items come from; closed at the end.
        work: What to do with one.
        lanes: How many at once.
    """
    done: deque[U] = deque()
    more = asyncio.Event()

    async def one(item: T) -> None:
        done.append(await work(item))
        more.set()

    working = asyncio.create_task(each(items, one, lanes), name="s3magic-results")
    working.add_done_callback(lambda _: more.set())
    try:
        while True:
            more.clear()
            while done:
                yield done.popleft()
            if working.done():
                break
            await more.wait()
        await working
    finally:
        await _end([working])


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
        level: How many requests may be in flight, which may change meanwhile.
        memory: Bytes held at once.
        ahead: Whether as many requests again may be ready, for helper threads
            that take the next one by themselves.
    """

    def __init__(self, level: Level, memory: int, *, ahead: bool = False) -> None:
        self._level = level
        self._ahead = ahead
        self._busy = 0
        self._memory = self._budget = memory
        self._queue: deque[tuple[int, bool, asyncio.Future[None]]] = deque()
        self._more: deque[asyncio.Future[None]] = deque()

    @contextlib.asynccontextmanager
    async def take(self, memory: int, size: int = 0, *, ahead: bool = False) -> AsyncIterator[None]:
        """Hold one request and `memory` bytes of the budget for the block.

        Args:
            memory: Bytes that the block holds.
            size: Bytes that it moves, about.
            ahead: Whether it need not be in flight yet.
        """
        need = min(memory, self._budget)
        if self._queue or not self._fits(need, ahead=ahead):
            await self._wait(need, ahead=ahead)
        else:
            self._busy += 1
            self._memory -= need
        begun = time.monotonic()
        try:
            yield
            if not ahead:  # else it may have waited for a thread: who did it tells
                self._level.done(size, time.monotonic() - begun)
        finally:
            self._give_back(need)

    async def room(self) -> None:
        """Wait until one more request could begin at once."""
        waited = False
        while self._queue or not self._fits(0, ahead=self._ahead):
            waited = True
            self._level.wanted()
            more: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            self._more.append(more)
            try:
                await more
            except asyncio.CancelledError:
                self._serve()  # another may be waiting for the same room
                raise
        if waited:
            self._serve()  # and nothing may be left to begin with here: the next has it then

    def _fits(self, need: int, *, ahead: bool) -> bool:
        limit = self._level.limit
        most = limit + max(limit, AHEAD) if ahead else limit
        return self._busy < most and need <= self._memory

    async def _wait(self, need: int, *, ahead: bool) -> None:
        self._level.wanted()
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._queue.append((need, ahead, turn))
        try:
            await turn
        except asyncio.CancelledError:
            if turn.cancelled():
                self._serve()  # the next in the queue may need less
            else:
                self._give_back(need)  # served and cancelled in the same moment
            raise

    def _give_back(self, need: int) -> None:
        self._busy -= 1
        self._memory += need
        self._serve()

    def _serve(self) -> None:
        while self._queue:
            need, ahead, turn = self._queue[0]
            if turn.cancelled():
                self._queue.popleft()
                continue
            if not self._fits(need, ahead=ahead):
                return
            self._queue.popleft()
            self._busy += 1
            self._memory -= need
            turn.set_result(None)
        if self._more and self._fits(0, ahead=self._ahead):
            more = self._more.popleft()
            if not more.done():
                more.set_result(None)

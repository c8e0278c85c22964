"""Brings what helper threads have to say to the loop, many things at a time.

It is kept until little is left to be done, and then the loop hears all of it at
once. A loop and a thread that wake each other for every small request would
spend most of their time on that.
"""

from __future__ import annotations

import contextlib
import time
from collections import deque
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable

__all__ = ["News"]

_LONGEST = 0.02  # seconds that the loop is left without news


class News:
    """What the threads of one verb have to say.

    Args:
        loop: Who is told.
        low: Tells whether what is left to be begun with runs low, so that the
            loop had better hear. Asked from any thread.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop, low: Callable[[], bool]) -> None:
        self._loop = loop
        self._low = low
        self._posts: deque[tuple[Callable[..., object], tuple[Any, ...]]] = deque()
        self._woken = False
        self._heard = time.monotonic()
        self._under_way = 0
        self._look: asyncio.TimerHandle | None = None

    def note(self, fact: Callable[..., object], *values: Any) -> None:
        """Have the loop call `fact` with `values` when it looks next. From any thread."""
        self._posts.append((fact, values))

    def post(self, fact: Callable[..., object], *values: Any) -> None:
        """Have the loop call `fact` with `values`, at once where it waits. From any thread."""
        self._posts.append((fact, values))
        if self._woken:
            return
        if self._low() or time.monotonic() - self._heard > _LONGEST:
            self.wake()

    def wake(self) -> None:
        """Have the loop hear at once what was posted. From any thread."""
        if not self._woken:
            self._woken = True
            with contextlib.suppress(RuntimeError):  # the loop is closed: nobody listens
                self._loop.call_soon_threadsafe(self._hear)

    def begun(self) -> None:
        """Note that there is an order, on the loop."""
        self._under_way += 1
        if self._look is None:
            self._look = self._loop.call_later(_LONGEST, self._look_again)

    def over(self) -> None:
        """Note that an order is over, on the loop."""
        self._under_way -= 1

    def close(self) -> None:
        """Look no more by itself, on the loop. What is posted is heard all the same."""
        if self._look is not None:
            self._look.cancel()

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

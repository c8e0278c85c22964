"""Let an interrupt end an awaited coroutine at once, and say so in one line.

Where a cell is awaited, Ctrl-C alone does too little. A notebook kernel
cancels the cell, but by a callback that does not wake a loop whose sockets are
silent. Terminal IPython breaks out of the loop instead, and leaves the cell's
coroutine behind to go on with the next cell. `interruptible` mends both.
"""

from __future__ import annotations

import asyncio
import contextlib
import signal
import threading
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from collections.abc import Coroutine, Iterator
    from types import FrameType

__all__ = ["INTERRUPTED", "interruptible", "show_briefly"]

INTERRUPTED = "Interrupted: what was under way has been stopped."

_TICK = 0.1  # seconds until an idle loop notices that it was interrupted
_CELL = "InteractiveShell.run_cell_async"  # the coroutine in which IPython runs a cell

T = TypeVar("T")


async def interruptible(coroutine: Coroutine[Any, Any, T], message: str = INTERRUPTED) -> T:
    """Await a coroutine so that an interrupt of the cell acts within a tenth of a second.

    Args:
        coroutine: What to await.
        message: What IPython shows in place of the traceback when it is cancelled.

    Raises:
        CancelledError: It was interrupted, or its task was cancelled. This is
            the very error that arrived, since `asyncio.timeout` looks for it.
    """
    __tracebackhide__ = True
    with _ticking(), _sigint.cancelling():
        try:
            return await coroutine
        except asyncio.CancelledError as error:
            show_briefly(error, message)
            raise


def show_briefly(error: BaseException, message: str = INTERRUPTED) -> None:
    """Have IPython show the message where it would show the error's traceback.

    Who was nearest to what was interrupted knows best what to say.
    """
    if not hasattr(error, "_render_traceback_"):
        error._render_traceback_ = lambda: [message]  # type: ignore[attr-defined]


@contextlib.contextmanager
def _ticking() -> Iterator[None]:
    """Wake the running loop ten times a second."""
    loop = asyncio.get_running_loop()

    timer: asyncio.TimerHandle

    def tick() -> None:
        nonlocal timer
        timer = loop.call_later(_TICK, tick)

    tick()
    try:
        yield
    finally:
        timer.cancel()


class _Sigint:
    """Turns Ctrl-C into a cancellation where nobody else has done so.

    A kernel and `asyncio.run` bring a handler of their own, which stays. Only
    Python's default one, which would break the loop off, is replaced, for as
    long as a coroutine is awaited.
    """

    def __init__(self) -> None:
        self._waiting: list[asyncio.Task[Any]] = []
        self._asked = False

    @contextlib.contextmanager
    def cancelling(self) -> Iterator[None]:
        """Replace the default handler while the current task is here."""
        task = asyncio.current_task()
        if task is None or threading.current_thread() is not threading.main_thread():
            yield
            return
        if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
            self._asked = False
            signal.signal(signal.SIGINT, self._interrupt)
        self._waiting.append(task)
        try:
            yield
        finally:
            self._waiting.remove(task)
            if not self._waiting and signal.getsignal(signal.SIGINT) == self._interrupt:
                with contextlib.suppress(ValueError):  # collected, in some other thread
                    signal.signal(signal.SIGINT, signal.default_int_handler)

    def _interrupt(self, number: int, frame: FrameType | None) -> None:
        """Ask the loop to cancel; break it off if it has not done so when asked again."""
        loop = self._waiting[-1].get_loop() if self._waiting else None
        if loop is None or not loop.is_running() or self._asked:
            self._asked = False
            signal.default_int_handler(number, frame)
        else:
            self._asked = True
            loop.call_soon_threadsafe(self._cancel, loop)

    def _cancel(self, loop: asyncio.AbstractEventLoop) -> None:
        """Cancel the cell, which cancels what it awaits; with no cell, what waits here."""
        self._asked = False
        cells = [
            task
            for task in asyncio.all_tasks(loop)
            if getattr(task.get_coro(), "__qualname__", "") == _CELL
        ]
        for task in cells or list(self._waiting):
            task.cancel()


_sigint = _Sigint()

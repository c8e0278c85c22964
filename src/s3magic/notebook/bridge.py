"""Wait for a coroutine where Python lets nobody await.

A plain ``def``, a comprehension or ``%%time`` wants a value, not a coroutine,
and the notebook's own loop cannot serve it: it is busy running that very code.
So a `Bridge` keeps a second event loop in one helper thread, started on first
use, and `Bridge.run` blocks the caller until the coroutine there is done.
"""

from __future__ import annotations

import asyncio
import atexit
import contextlib
import signal
import threading
import time
from contextvars import Context, ContextVar, copy_context
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, Any, Generic, TypeAlias, TypeVar

from s3magic.notebook.interrupts import show_briefly

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Coroutine, Iterator
    from concurrent.futures import Future

__all__ = ["Bridge", "alone", "is_bridged", "on_caller"]

_TICK = 0.05  # seconds; on Windows Ctrl-C does not end a wait, so no wait is longer
_GRACE = 0.8  # seconds that an interrupt waits for clean-ups: the cell ends within one
_CLOSING = 5.0  # seconds that the clean-ups of `close` may take

T = TypeVar("T")
_Calls: TypeAlias = "SimpleQueue[Callable[[], object] | None]"  # None: the coroutine is done

_caller: ContextVar[_Calls | None] = ContextVar("_caller", default=None)


def on_caller(call: Callable[[], object]) -> None:
    """Run `call` on the thread that waits for this coroutine; do not wait for it.

    Behind a bridge that is the thread blocked in `Bridge.run`, which owns the
    display; anywhere else it is this thread, now.
    """
    calls = _caller.get()
    if calls is None:
        call()
    else:
        calls.put(call)


def alone() -> Context:
    """Give a copy of this context for work that no thread will wait for."""
    context = copy_context()
    context.run(_caller.set, None)
    return context


def is_bridged() -> bool:
    """Tell whether a thread is blocked until this coroutine is done."""
    return _caller.get() is not None


class Bridge:
    """A second event loop, for callers that cannot await.

    Args:
        name: What its thread is called.

    Example:
        >>> bridge = Bridge()
        >>> bridge.run(lambda: asyncio.sleep(0, "done"))
        'done'
        >>> bridge.close()
    """

    def __init__(self, name: str = "coroutine-bridge") -> None:
        self._name = name
        self._lock = threading.Lock()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None
        self._cleanups: list[Callable[[], Awaitable[object]]] = []

    @property
    def loop(self) -> asyncio.AbstractEventLoop | None:
        """The helper thread's loop; None before the first use and after `close`."""
        return self._loop

    def at_close(self, cleanup: Callable[[], Awaitable[object]]) -> None:
        """Have `close` await this on the helper thread's loop; the last come first."""
        self._cleanups.append(cleanup)

    def run(self, function: Callable[[], Coroutine[Any, Any, T]]) -> T:
        """Call `function` in the helper thread, await it there, and give its value.

        The coroutine sees the caller's context variables. An interrupt cancels
        it, waits a moment for its clean-up (which goes on in the helper thread
        if it takes longer) and then raises KeyboardInterrupt here.

        Raises:
            RuntimeError: Called from the helper thread, which would wait for itself.
        """
        __tracebackhide__ = True
        if threading.current_thread() is self._thread:
            raise RuntimeError(
                "A coroutine behind the bridge cannot wait for another one through "
                "the bridge: it would wait for itself. Await it instead."
            )
        errand = _Errand(function, self.started())
        with _interrupts_raise():
            try:
                errand.start()
                errand.serve()
            except BaseException as error:
                if isinstance(error, KeyboardInterrupt):
                    show_briefly(error)
                errand.cancel()
                errand.serve(time.monotonic() + _GRACE)
                raise
        return errand.result()

    def begin(self, function: Callable[[], Coroutine[Any, Any, T]]) -> Future[T]:
        """Have the helper thread begin a coroutine, and wait for nothing.

        What it gives, or raises, is the future's.
        """
        return asyncio.run_coroutine_threadsafe(function(), self.started())

    def started(self) -> asyncio.AbstractEventLoop:
        """Give the helper thread's loop, running, for work that nobody waits for."""
        with self._lock:
            # A thread does not survive a fork; the child starts its own.
            if self._loop is None or self._thread is None or not self._thread.is_alive():
                loop = self._loop = asyncio.new_event_loop()
                self._thread = threading.Thread(
                    target=_turn, args=(loop,), name=self._name, daemon=True
                )
                self._thread.start()
                atexit.register(self.close)
            return self._loop

    def close(self) -> None:
        """Cancel what still runs, await the clean-ups, end the thread.

        The next `run` starts afresh.
        """
        with self._lock:
            loop, thread, cleanups = self._loop, self._thread, self._cleanups
            self._loop, self._thread, self._cleanups = None, None, []
        atexit.unregister(self.close)
        if loop is None or thread is None or not thread.is_alive():
            return
        winding_up = asyncio.run_coroutine_threadsafe(_wind_up(cleanups), loop)
        winding_up.add_done_callback(lambda _: loop.call_soon_threadsafe(loop.stop))
        if threading.current_thread() is not thread:
            thread.join(2 * _CLOSING)


class _Errand(Generic[T]):
    """One coroutine sent over the bridge, and the thread that waits for it."""

    def __init__(
        self, function: Callable[[], Coroutine[Any, Any, T]], loop: asyncio.AbstractEventLoop
    ) -> None:
        self._function = function
        self._loop = loop
        self._calls: _Calls = SimpleQueue()
        self._context = copy_context()
        self._context.run(_caller.set, self._calls)
        self._task: asyncio.Task[T] | None = None

    def start(self) -> None:
        """Have the helper thread begin."""
        self._loop.call_soon_threadsafe(self._begin)

    def cancel(self) -> None:
        """Have the helper thread cancel it."""
        self._loop.call_soon_threadsafe(lambda: self._task and self._task.cancel())

    def serve(self, deadline: float = float("inf")) -> None:
        """Run what the coroutine hands over until it is done, or the time is up."""
        while time.monotonic() < deadline:
            try:
                call = self._calls.get(timeout=_TICK)
            except Empty:
                continue
            if call is None:
                return
            call()

    def result(self) -> T:
        """Give the value, or raise what the coroutine raised."""
        __tracebackhide__ = True
        task, self._task = self._task, None
        assert task is not None  # noqa: S101 - it is done, so it began
        try:
            return task.result()
        except asyncio.CancelledError as error:
            show_briefly(error)
            raise
        finally:
            del task  # no cycle through the traceback keeps it alive

    def _begin(self) -> None:
        self._task = self._loop.create_task(self._await(), context=self._context)
        self._task.add_done_callback(self._done)

    async def _await(self) -> T:
        __tracebackhide__ = True
        return await self._function()

    def _done(self, task: asyncio.Task[T]) -> None:
        if not task.cancelled():
            task.exception()  # looked at, so that nothing is said of it on stderr
        self._calls.put(None)


def _turn(loop: asyncio.AbstractEventLoop) -> None:
    """Be the helper thread."""
    asyncio.set_event_loop(loop)
    try:
        loop.run_forever()
    finally:
        loop.close()


@contextlib.contextmanager
def _interrupts_raise() -> Iterator[None]:
    """Let SIGINT raise KeyboardInterrupt here, also in a cell that awaits.

    There a kernel's handler leaves a note for the loop, which nobody would
    read: this thread, which should turn the loop, is blocked.
    """
    handler = None
    if threading.current_thread() is threading.main_thread():
        with contextlib.suppress(RuntimeError):  # no loop runs: the handler is right
            asyncio.get_running_loop()
            handler = signal.getsignal(signal.SIGINT)
    if handler is None or handler is signal.SIG_IGN:
        yield
        return
    signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, handler)


async def _wind_up(cleanups: list[Callable[[], Awaitable[object]]]) -> None:
    """Leave nothing on the loop that could complain when it is closed."""
    loop = asyncio.get_running_loop()
    until, mine = loop.time() + _CLOSING / 2, asyncio.current_task()
    for task in asyncio.all_tasks(loop) - {mine}:
        task.cancel()
    # One that ends may leave another behind: the abort of an upload, for example.
    while (others := asyncio.all_tasks(loop) - {mine}) and (left := until - loop.time()) > 0:
        await asyncio.wait(others, timeout=left)
    for cleanup in reversed(cleanups):
        with contextlib.suppress(Exception):  # the others still have their turn
            async with asyncio.timeout(_CLOSING / 2):
                await cleanup()
    await loop.shutdown_asyncgens()

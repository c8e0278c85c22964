"""The tasks of one explorer: the newest of a kind alone goes on, and none fails unseen."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Any

from s3magic import session
from s3magic.errors import S3Error
from s3magic.notebook.bridge import alone

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

__all__ = ["Tasks"]

_log = logging.getLogger("s3magic")


class Tasks:
    """Tasks on the loop that this was made on, begun from any thread.

    Args:
        failed: Told, on that loop, what went wrong.
    """

    def __init__(self, failed: Callable[[str], None]) -> None:
        self._loop = asyncio.get_running_loop()
        # A later `connect` is for others: what is shown and what is done stay together.
        self._context = alone()
        self._context.run(session.pin)
        self._failed = failed
        self._running: dict[str, asyncio.Task[None]] = {}

    def call(self, act: Callable[[], None]) -> None:
        """Have it called on the loop; what it raises is told."""
        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._act, act, context=self._context)

    def begin(self, kind: str, coroutine: Coroutine[Any, Any, Any]) -> None:
        """Have it run; what still runs of its kind is out of date, and ends. On the loop only."""
        self.end(kind)
        task = self._loop.create_task(
            self._run(coroutine), name=f"s3magic-browse-{kind}", context=self._context
        )
        self._running[kind] = task
        task.add_done_callback(lambda _: coroutine.close())  # one that never began

    def end(self, *kinds: str) -> None:
        """End these, or all."""
        for kind in kinds or tuple(self._running):
            if (task := self._running.pop(kind, None)) is not None:
                task.cancel()

    def runs(self, kind: str) -> bool:
        """Tell whether one of its kind is under way."""
        return kind in self._running and not self._running[kind].done()

    def _act(self, act: Callable[[], None]) -> None:
        try:
            act()
        except Exception as error:  # noqa: BLE001 - it is told on the screen
            self._tell(error)

    async def _run(self, coroutine: Coroutine[Any, Any, Any]) -> None:
        try:
            await coroutine
        except Exception as error:  # noqa: BLE001 - it is told on the screen
            self._tell(error)

    def _tell(self, error: Exception) -> None:
        if not isinstance(error, S3Error):
            _log.warning("The explorer failed.", exc_info=error)
        self._failed(str(error) if isinstance(error, S3Error) else repr(error))

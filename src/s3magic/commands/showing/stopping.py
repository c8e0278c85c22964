"""Lets a display's Cancel end a verb that runs no engine, as an interrupt would."""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from s3magic.transfer.progress import Meter

__all__ = ["stoppable"]


@contextlib.contextmanager
def stoppable(meter: Meter) -> Iterator[None]:
    """Let the display's Cancel end the block as an interrupt would."""
    loop, task = asyncio.get_running_loop(), asyncio.current_task()
    if task is not None:
        meter.on_stop(lambda: loop.call_soon_threadsafe(task.cancel))
    try:
        yield
    finally:
        meter.on_stop(lambda: None)  # a late click must not end what comes next

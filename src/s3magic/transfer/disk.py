"""Blocking file work, kept off the loop.

A few threads of our own, so that file work never waits behind whatever else
the notebook gave the loop's default executor.
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, ParamSpec, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["in_thread"]

P = ParamSpec("P")
R = TypeVar("R")

_THREADS = 4  # file work releases the GIL, and more threads only queue at the disk


@functools.cache
def _pool() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(_THREADS, thread_name_prefix="s3magic-disk")


async def in_thread(work: Callable[P, R], *args: P.args, **options: P.kwargs) -> R:
    """Run blocking work on one of our threads, and wait until it has ended.

    A thread cannot be stopped. When the caller is cancelled meanwhile, however
    often, the cancellation goes on only once the work is over, so that no
    thread writes into a file that its owner has closed.
    """
    loop = asyncio.get_running_loop()
    running = loop.run_in_executor(_pool(), functools.partial(work, *args, **options))
    try:
        return await asyncio.shield(running)
    except asyncio.CancelledError:
        while not running.done():
            with contextlib.suppress(asyncio.CancelledError):
                await asyncio.wait([running])
        if not running.cancelled():
            running.exception()  # seen: the cancellation is what counts
        raise

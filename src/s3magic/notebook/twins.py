"""Makes the awaitable twins at home in a shell: interruptible, with its progress bars."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any, TypeVar

from s3magic.notebook import ahead, asking, bars, home
from s3magic.notebook.browser import opening
from s3magic.notebook.interrupts import interruptible

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

__all__ = ["at_home"]

T = TypeVar("T")


def at_home(
    command: Callable[..., Coroutine[Any, Any, T]],
) -> Callable[..., Coroutine[Any, Any, T]]:
    """Give a command that an interrupt of the cell ends at once, and in one line."""

    @functools.wraps(command)
    async def twin(*args: Any, **kwargs: Any) -> T:
        bars.install()
        asking.install()
        home.install()
        opening.install()
        ahead.needed()
        return await interruptible(prepared(*args, **kwargs))

    async def prepared(*args: Any, **kwargs: Any) -> T:
        await ahead.caught_up()
        return await command(*args, **kwargs)

    return twin

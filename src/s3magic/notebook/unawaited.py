"""Says that an ``await`` is missing, where a twin was called without one.

Such a call gives a coroutine, which does nothing by itself and tells nothing of
it: shown, it is an address in memory, and where a frame is expected, an error
that names coroutines alone. So `slips` shows it as what it is, and below such
an error what to write.
"""

from __future__ import annotations

import inspect
import re
import traceback
from pathlib import Path
from types import CoroutineType, ModuleType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["advised", "shown"]

_PACKAGE = Path(__file__).parent.parent


def shown(value: Any) -> str:
    """Give a coroutine as Python shows it, unless it is a call of ours that has not begun."""
    waiting = _is_ours(value) and inspect.getcoroutinestate(value) == inspect.CORO_CREATED
    return _advice(value.__name__) if waiting else repr(value)


def advised(error: AttributeError | TypeError, cell: str) -> str:
    """Say what to write, if something of ours was taken for its result; else nothing.

    Args:
        error: What ended the cell.
        cell: Its source.
    """
    name = next(_suspects(error, cell), "")
    return _advice(name) if name else ""


def _suspects(error: AttributeError | TypeError, cell: str) -> Iterator[str]:
    """Give the twins of which the error may speak, the surest first."""
    met = getattr(error, "obj", None)  # an AttributeError's own; a TypeError has none
    if isinstance(met, CoroutineType):
        if _is_ours(met):
            yield met.__name__
        return
    for frame, _ in traceback.walk_tb(error.__traceback__):
        for name, value in list(frame.f_locals.items()):
            word = rf"(?<![\w.]){re.escape(name)}"
            if isinstance(value, CoroutineType) and _is_ours(value) and re.search(word, cell):
                yield value.__name__
            elif isinstance(value, ModuleType) and value.__name__ == "s3magic":
                called = re.finditer(rf"(?<!await ){word}\.(\w+)\(", cell)
                yield from (
                    one[1]
                    for one in called
                    if inspect.iscoroutinefunction(getattr(value, one[1], None))
                )


def _is_ours(value: Any) -> bool:
    """Tell whether a coroutine is of this package."""
    return Path(value.cr_code.co_filename).is_relative_to(_PACKAGE)


def _advice(name: str) -> str:
    return f"s3.{name}(…) was not awaited, so it has not begun: write await s3.{name}(…)."

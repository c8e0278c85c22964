"""Goes through long frames in parts: what makes or reads a column at once holds the interpreter.

No other thread runs for as long as that takes, and the notebook's loop is one. A
part takes a millisecond or two, and a thread can go from one to the next.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    import pandas as pd

__all__ = ["beside", "in_parts", "number_of", "parts"]

_PART = 8_000  # rows
_AT_ONCE = 1_000  # rows that take less time than a thread to wake, on a busy machine

P = ParamSpec("P")
R = TypeVar("R")
T = TypeVar("T")


def parts(frame: Any) -> Iterator[Any]:
    """Give a frame, or a column, part by part; one at least."""
    for begin in range(0, max(len(frame), 1), _PART):
        yield frame.iloc[begin : begin + _PART]


def in_parts(rows: Sequence[T], make: Callable[[Sequence[T]], pd.DataFrame]) -> pd.DataFrame:
    """Make a frame of rows, part by part."""
    import pandas as pd

    made = [make(rows[begin : begin + _PART]) for begin in range(0, max(len(rows), 1), _PART)]
    return made[0] if len(made) == 1 else pd.concat(made, ignore_index=True)


def number_of(column: Any, values: Sequence[str]) -> int:
    """Count the rows in which a column is one of some values; what is missing is none."""
    return sum(int(part.isin(values).sum()) for part in parts(column))


async def beside(rows: int, work: Callable[P, R], *args: P.args, **options: P.kwargs) -> R:
    """Do some work on frames: in a thread where they have many rows."""
    if rows <= _AT_ONCE:
        return work(*args, **options)
    return await asyncio.to_thread(work, *args, **options)

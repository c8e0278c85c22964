"""Spares Python's collector of garbage the rows of a large transfer.

Its full collections look through every object that is alive, and no other code
runs meanwhile: with 200,000 rows that is a second each time. `gc.freeze` takes
the rows out of its sight, at no cost whatever their number; they go by their
reference counts all the same. Cycles that other code drops while a large
transfer runs are collected when it ends.

To free as many at once holds the interpreter as well: `let_go` does it one by one.
"""

from __future__ import annotations

import contextlib
import gc
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

__all__ = ["grown", "let_go", "sparing"]

_STEP = 5_000  # rows: looking through as many takes the collector a few milliseconds

_verbs = 0
_frozen = False


@contextlib.contextmanager
def sparing() -> Iterator[None]:
    """Let `grown` take effect for the block, which makes its rows, and uses them up."""
    global _verbs, _frozen  # noqa: PLW0603 - one process, one collector
    _verbs += 1
    try:
        yield
    finally:
        _verbs -= 1
        if _frozen and not _verbs:
            _frozen = False
            gc.unfreeze()


def grown(rows: int) -> None:
    """Tell how many rows there are, as each is made."""
    global _frozen  # noqa: PLW0603 - the same
    # What somebody else has frozen, to fork for example, must not be unfrozen by us.
    if rows and rows % _STEP == 0 and _verbs and (_frozen or not gc.get_freeze_count()):
        _frozen = True
        gc.freeze()


def let_go(held: list[Any] | set[Any] | dict[Any, Any]) -> None:
    """Empty what many rows are in, one by one, for a thread that others run beside.

    Dropped as a whole they would all be freed in one go.
    """
    take = held.popitem if isinstance(held, dict) else held.pop
    while held:
        take()

"""How long to wait before a server that was too busy, or broke off, is asked again."""

from __future__ import annotations

import random

__all__ = ["backoff"]

_FIRST = 0.2  # seconds before a server is asked again, doubled for each further time


def backoff(tries: int, longest: float = 10.0) -> float:
    """Give the seconds to wait, which differ each time, so that the tries are spread.

    Args:
        tries: How many there have been.
        longest: Seconds at the most.
    """
    most = min(longest, _FIRST * 2**tries)
    return random.uniform(most / 2, most)  # noqa: S311 - it only spreads them

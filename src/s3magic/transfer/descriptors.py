"""How many transfers at once the system's limit on open files allows. Raises no limit."""

from __future__ import annotations

import contextlib
import os

__all__ = ["affordable", "fair"]

_EACH = 4  # what a large part may hold: a connection, a pipe's two ends, a file
_LEAST = 4
_OPEN = ("/proc/self/fd", "/dev/fd")


def affordable(wanted: int) -> int:
    """Give how many may be at once: as many as are wanted, if there are descriptors for them."""
    try:
        import resource
    except ImportError:  # Windows, where sockets are no files
        return wanted
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return wanted if soft == resource.RLIM_INFINITY else fair(wanted, soft, _open_below(soft))


def fair(wanted: int, limit: int, there: int) -> int:
    """Give how many may be at once, and leave the rest of the process what it may need.

    Args:
        wanted: How many at most.
        limit: Descriptors that the process may have.
        there: Descriptors that it has.
    """
    return min(wanted, max(_LEAST, (limit - there) // _EACH))


def _open_below(limit: int) -> int:
    """Count the descriptors that the limit is on; 0 where the system does not tell.

    It is on their numbers: those that were opened before it was lowered, and
    lie above it, take nothing from what is left.
    """
    for folder in _OPEN:
        with contextlib.suppress(OSError):
            return sum(int(name) < limit for name in os.listdir(folder))  # noqa: PTH208 - names only
    return 0

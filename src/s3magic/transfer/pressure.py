"""Hears when a server asks the ordinary client for less, and tells the verb's level of it.

botocore tries again by itself and says nothing of it, so that a server which
refuses every second request only seems slow. Its own event ``needs-retry``
comes behind every answer, and behind every request that had none.
"""

from __future__ import annotations

import contextlib
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any

from s3magic.wire.answer import BUSY, crowded

if TYPE_CHECKING:
    from collections.abc import Iterator

    from types_aiobotocore_s3 import S3Client

    from s3magic.transfer.level import Level

__all__ = ["feeling", "felt"]

_level: ContextVar[Level | None] = ContextVar("s3magic-level", default=None)


@contextlib.contextmanager
def feeling(client: S3Client | None, level: Level | None) -> Iterator[None]:
    """Tell a level of what the client hears for the block, in whatever task of it.

    Args:
        client: The client; None for none.
        level: The level of the verb; None for none.
    """
    if client is not None:
        client.meta.events.register_first("needs-retry.s3", _hear, unique_id="s3magic-pressure")
    token = _level.set(level)
    try:
        yield
    finally:
        _level.reset(token)


def felt() -> None:
    """Tell the level of the verb that runs that the server asked for less, or fell silent."""
    level = _level.get()
    if level is not None:
        level.throttled()


def _hear(response: Any = None, caught_exception: Any = None, **_: Any) -> None:
    from botocore.exceptions import ConnectTimeoutError, ReadTimeoutError

    if caught_exception is not None:
        below = getattr(caught_exception, "kwargs", {}).get("error")
        timeout = isinstance(caught_exception, ConnectTimeoutError | ReadTimeoutError)
        busy = timeout or crowded(below)
    else:
        answer, parsed = response
        # An answer that began as a success may still end with an error inside.
        busy = answer.status_code in BUSY or parsed.get("Error", {}).get("Code") == "SlowDown"
    if busy:
        felt()

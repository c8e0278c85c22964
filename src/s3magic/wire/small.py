"""What a small request is to the thread that does many, and how long its files may take there."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from s3magic.wire.addresses import Address
    from s3magic.wire.answer import Head
    from s3magic.wire.pool import Pool

__all__ = ["Pace", "Small"]

_SLOW = 0.005  # seconds that work on a file may take; a slower disk gets threads
_KEPT = 0.8  # of the mean so far, when a new time is added
_EASED = 0.98  # of it, each time that the work is done elsewhere: in a while it is tried again


class Small(Protocol):
    """A small request: all of it, and all of its answer, fit into memory."""

    @property
    def pool(self) -> Pool:
        """Where idle connections are."""

    @property
    def address(self) -> Address:
        """Where to."""

    @property
    def reads(self) -> bool:
        """Whether a file is read for its request."""

    @property
    def chunks(self) -> bool:
        """Whether the answer's body may come in chunks."""

    def request(self) -> bytes:
        """Give line, headers and body, signed now."""

    def finish(self, head: Head, body: memoryview) -> Any:
        """Take the answer; gives the order's result."""


class Pace:
    """The mean time of some work that holds up others; each piece of it is a `with` block."""

    __slots__ = ("_begun", "_mean")

    def __init__(self) -> None:
        self._mean = self._begun = 0.0

    def slow(self) -> bool:
        """Tell whether the next piece is to be done elsewhere."""
        if self._mean <= _SLOW:
            return False
        self._mean *= _EASED
        return True

    def __enter__(self) -> None:
        self._begun = time.monotonic()

    def __exit__(self, *_: object) -> None:
        self._mean = _KEPT * self._mean + (1 - _KEPT) * (time.monotonic() - self._begun)

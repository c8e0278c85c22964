"""Keeps the connections that are open and idle, for the next request."""

from __future__ import annotations

import asyncio
import contextlib
import threading
import time
from collections import deque
from typing import TYPE_CHECKING

from s3magic.wire.http1 import Line

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from s3magic.wire.addresses import Address
    from s3magic.wire.answer import Head
    from s3magic.wire.http1 import FileRange

__all__ = ["Pool"]

_IDLE = 10.0  # seconds after which a server may have closed a connection unheard
_LATE = 1.0  # seconds after the end of a verb in which its threads give lines back
_KEPT = 256  # connections kept for the next request, at most


class Pool:
    """The connections that are open and idle. From any thread.

    Args:
        clock: Gives the time, in seconds.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._idle: dict[Address, deque[Line]] = {}
        self._closed = False
        self._lock = threading.Lock()

    def ask(
        self,
        address: Address,
        head: bytes,
        body: Callable[[], Iterable[memoryview | FileRange]],
        using: Callable[[Line | None], None],
        *,
        chunks: bool = False,
        empty: bool = False,
    ) -> tuple[Line, Head]:
        """Send a request on an idle line, or a new one, and read the answer's head.

        An idle line may have been closed by the server unheard; then the
        request goes over a new one, as RFC 9112, 9.3.1 has it.

        Args:
            address: Where to.
            head: The request's line and headers.
            body: Gives the request's body, anew each time.
            using: Told of the line before it is used, and raises to stop; told
                None when it is given back, and is another's from then on.
            chunks: Whether the answer's body may come in chunks.
            empty: Whether no body comes, whatever length is told: behind a HEAD.
        """
        line = self.take(address)
        if line is not None:
            try:
                line.using = using
                using(line)
                return line, line.ask(head, body(), chunks=chunks, empty=empty)
            except (ConnectionAbortedError, TimeoutError):
                line.close()
                raise  # we ended it, or the server is there and slow
            except OSError:
                line.close()
            except BaseException:
                line.close()
                raise
        line = Line(address)
        try:
            line.using = using
            using(line)
            line.open()
            using(line)  # it is ready: what it takes from now on is the request's
            return line, line.ask(head, body(), chunks=chunks, empty=empty)
        except BaseException:
            line.close()
            raise

    def give_back(self, line: Line) -> None:
        """Keep a line for the next request, if another may follow; else close it."""
        if line.using is not None:
            line.using(None)
            line.using = None
        ended = [line]
        with self._lock:
            if line.reusable and not self._closed:
                idle = self._idle.setdefault(line.address, deque())
                ended = self._stale(idle)
                line.idle_since = self._clock()
                idle.append(line)
                if len(idle) > _KEPT:
                    ended.append(idle.popleft())
        for one in ended:
            one.close()

    def sweep(self) -> None:
        """Close the lines that have been idle for too long."""
        with self._lock:
            stale = [line for idle in self._idle.values() for line in self._stale(idle)]
            self._idle = {address: idle for address, idle in self._idle.items() if idle}
        for line in stale:
            line.close()

    def sweep_later(self) -> None:
        """Have the loop that runs here sweep, once what is idle now has been so for too long.

        Called where a verb ends: no later request may come by and do it.
        """
        with contextlib.suppress(RuntimeError):  # none runs any more
            asyncio.get_running_loop().call_later(_IDLE + _LATE, self.sweep)

    def close(self) -> None:
        """Close every idle line; those in use are closed when they are given back."""
        with self._lock:
            self._closed = True
            lines = [line for idle in self._idle.values() for line in idle]
            self._idle.clear()
        for line in lines:
            line.close()

    def take(self, address: Address) -> Line | None:
        """Give an idle line, which is to be given back; None if there is none."""
        while True:
            with self._lock:
                idle = self._idle.get(address)
                if not idle:
                    return None
                line = idle.pop()  # the one used last is the likeliest to be alive
            # A stray byte would be read as the next answer, and belong to another object.
            if self._clock() - line.idle_since < _IDLE and line.quiet:
                return line
            line.close()

    def _stale(self, idle: deque[Line]) -> list[Line]:
        """Take out those that have been idle for too long, whom `take` leaves to the last."""
        since, stale = self._clock() - _IDLE, []
        while idle and idle[0].idle_since <= since:
            stale.append(idle.popleft())
        return stale

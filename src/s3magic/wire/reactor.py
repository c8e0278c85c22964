"""One helper thread that holds many small conversations at once.

A thread a request is best where bytes flow. Where a request is small, hundreds
of threads spend most of their time on waking each other; so here one thread
waits for all connections together. Each of them is a generator that says what
it waits for, and does one order after another. Files are read and written in
between, unless that turns out to be slow: then others do it. A host's name is
looked up here too, once a minute, which all of them wait for.
"""

from __future__ import annotations

import contextlib
import selectors
import socket
import threading
import time
from collections import deque
from typing import TYPE_CHECKING, Any

from s3magic.wire.conversation import Conversations

if TYPE_CHECKING:
    from collections.abc import Callable

    from s3magic.wire.addresses import Address
    from s3magic.wire.order import Order
    from s3magic.wire.small import Small
    from s3magic.wire.softly import Waiting

__all__ = ["Reactor"]

_LOOK = 0.25  # seconds between two looks for conversations that fell silent


class _Talk:
    """One conversation: a connection, and what it waits for."""

    __slots__ = ("events", "fd", "going", "heard", "patience", "sock")

    def __init__(self) -> None:
        self.going: Waiting[None]
        self.sock: socket.socket | None = None
        self.fd = -1  # of the socket, which may be closed by the time it is forgotten
        self.events = 0
        self.heard = time.monotonic()
        self.patience = 0.0  # seconds of silence after which it is told of it


class Reactor:
    """The thread, begun with the first order.

    Args:
        limit: Gives how many conversations there may be at once.
        hand_over: Has an order's blocking end done elsewhere.
    """

    def __init__(
        self, limit: Callable[[], int], hand_over: Callable[[Order[Any], Callable[[], Any]], None]
    ) -> None:
        self._limit = limit
        self._orders: deque[tuple[Order[Any], Small]] = deque()
        self._talks: set[_Talk] = set()
        self._conversations = Conversations(self._next, hand_over)
        self._selector = selectors.DefaultSelector()
        self._ear, self._bell = socket.socketpair()
        self._ear.setblocking(False)  # noqa: FBT003 - the socket module's own signature
        self._selector.register(self._ear, selectors.EVENT_READ)
        self._hungry = False
        self._closed = False
        self._thread: threading.Thread | None = None

    @property
    def waiting(self) -> int:
        """Orders that nobody has begun with."""
        return len(self._orders)

    @property
    def active(self) -> int:
        """Conversations under way."""
        return len(self._talks)

    def put(self, order: Order[Any], small: Small) -> None:
        """Have an order done."""
        self._orders.append((order, small))
        if self._closed:  # seen behind that: its thread may have looked for the last time
            self._drain()
        elif self._thread is None:
            self._start()
        elif self._hungry:
            self._ring()

    def close(self) -> None:
        """Let the thread end; what is not done is given up."""
        self._closed = True
        if self._thread is None:
            self._end()
        else:
            self._ring()

    def wake(self) -> None:
        """Have it look whether there may be more conversations now. From any thread."""
        self._ring()

    def _ring(self) -> None:
        self._hungry = False
        with contextlib.suppress(OSError):
            self._bell.send(b"\0")

    def _start(self) -> None:
        thread = threading.Thread(target=self._serve, name="s3magic-reactor", daemon=True)
        try:
            thread.start()
        except RuntimeError:  # the system has no more: others shall do what comes
            self.close()
        else:
            self._thread = thread

    def _serve(self) -> None:
        looked = time.monotonic()
        try:
            while not self._closed:
                self._begin()
                self._hungry = len(self._talks) < self._limit()
                if self._hungry and self._orders:
                    continue  # one came in between, and rang no bell
                ready = self._selector.select(_LOOK)
                now = time.monotonic()
                if now - looked > _LOOK:
                    looked = now
                    self._end_silent(now, {key.data for key, _ in ready})
                for key, _ in ready:
                    if key.data is None:
                        with contextlib.suppress(OSError):
                            self._ear.recv(64)
                    elif key.data in self._talks:
                        self._go_on(key.data)
        finally:
            self._closed = True
            self._end()

    def _begin(self) -> None:
        """Begin conversations, as many as there is work for and as may be."""
        while self._orders and len(self._talks) < self._limit():
            talk = _Talk()
            talk.going = self._conversations.hold(*self._orders.popleft())
            self._talks.add(talk)
            self._go_on(talk)

    def _go_on(self, talk: _Talk, error: OSError | None = None) -> None:
        """Let a conversation go on until it waits, with what it waited for or an error."""
        try:
            going = talk.going
            sock, events, talk.patience = next(going) if error is None else going.throw(error)
        except StopIteration:
            self._forget(talk)
            return
        talk.heard = time.monotonic()
        try:
            self._watch(talk, sock, events)
        except OSError:  # the system watches no more for us
            self._give_up(talk)

    def _watch(self, talk: _Talk, sock: socket.socket, events: int) -> None:
        """Have the selector tell what a conversation waits for."""
        if sock is not talk.sock:  # its number may be that of one that was closed
            self._unwatch(talk)
            talk.sock, fd = sock, sock.fileno()
            self._selector.register(fd, events, talk)
            talk.fd = fd
        elif events != talk.events:
            self._selector.modify(talk.fd, events, talk)
        talk.events = events

    def _forget(self, talk: _Talk) -> None:
        self._talks.discard(talk)
        self._unwatch(talk)

    def _unwatch(self, talk: _Talk) -> None:
        if talk.fd >= 0:
            with contextlib.suppress(KeyError):  # it forgets by itself what it cannot modify
                self._selector.unregister(talk.fd)
            talk.fd = -1

    def _next(self, address: Address) -> tuple[Order[Any], Small] | None:
        """Give the next order to a conversation; None where it is to end."""
        if self._closed or len(self._talks) > self._limit() or not self._orders:
            return None
        following = self._orders[0][1].address
        if following is not address and following != address:
            return None
        return self._orders.popleft()

    def _end_silent(self, now: float, ready: set[Any]) -> None:
        """Tell the conversations in which nobody says anything."""
        for talk in self._talks - ready:
            if now - talk.heard > talk.patience:
                self._go_on(talk, TimeoutError())

    def _give_up(self, talk: _Talk) -> None:
        self._forget(talk)
        talk.going.close()

    def _end(self) -> None:
        for talk in list(self._talks):
            with contextlib.suppress(Exception):  # the others are to hear of their end too
                self._give_up(talk)
        self._drain()
        self._selector.close()
        self._bell.close()
        self._ear.close()

    def _drain(self) -> None:
        """End what nobody will begin with."""
        with contextlib.suppress(IndexError):  # two threads may do so at once
            while True:
                self._orders.popleft()[0].fail(ConnectionAbortedError())

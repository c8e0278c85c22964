"""A slow line to the server: each request waits, and then bytes flow as fast as they can.

``python -I -S proxy.py PORT SECONDS`` prints the port that it listens on, and
carries what comes there to PORT. Whenever a connection turns round, from
answer to request, the request is held so many seconds; the first of a
connection twice as long, since a TCP handshake is a round trip too. It ends
when standard input does.

The line must not become what is measured, so bytes go from socket to pipe to
socket inside the kernel (Linux's splice(2)), and one thread serves them all.
"""

from __future__ import annotations

import heapq
import itertools
import os
import select
import socket
import sys
import time
from contextlib import suppress

__all__ = ["main"]

_HOST = "127.0.0.1"
_PIPE = 1 << 20  # bytes on their way in one direction
_SET_PIPE_SIZE = 1031  # Linux, fcntl.h: F_SETPIPE_SZ
_FLAGS = os.SPLICE_F_MOVE | os.SPLICE_F_NONBLOCK
_AT_ONCE = 1024  # connections waiting to be accepted


class _Way:
    """One direction of a connection: a pipe between two sockets."""

    def __init__(self, source: socket.socket, sink: socket.socket) -> None:
        self.source = source
        self.sink = sink
        self.out, self.into = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        with suppress(OSError):  # a user may have only so many large pipes
            import fcntl

            fcntl.fcntl(self.into, _SET_PIPE_SIZE, _PIPE)
        self.pending = 0
        self.full = False
        self.held = False
        self.blocked = False
        self.ended = False
        self.told = False  # the sink knows of the end

    def pull(self) -> int:
        """Take in what there is; gives the bytes."""
        try:
            count = os.splice(self.source.fileno(), self.into, _PIPE, flags=_FLAGS)
        except BlockingIOError:
            # No more slots in the pipe, or nothing to read after all.
            self.full = self.pending > 0
            return 0
        except OSError:
            count = 0
        self.ended = count == 0
        self.pending += count
        return count

    def push(self) -> None:
        """Hand on what is there, unless it is held."""
        self.blocked = False
        while self.pending and not self.held:
            try:
                self.pending -= os.splice(self.out, self.sink.fileno(), self.pending, flags=_FLAGS)
                self.full = False
            except BlockingIOError:
                self.blocked = True
                return
            except OSError:  # the other side is gone: nobody waits for these bytes
                self.give_up()
        if self.ended and not self.pending and not self.told:
            self.told = True
            with suppress(OSError):
                self.sink.shutdown(socket.SHUT_WR)

    def give_up(self) -> None:
        """Forget what is there: nobody is left to take it."""
        self.ended = self.told = True
        self.pending = 0

    def close(self) -> None:
        """Give the pipe back."""
        os.close(self.out)
        os.close(self.into)


class _Pair:
    """A connection of a client, and ours to the server for it."""

    def __init__(self, client: socket.socket, server: socket.socket) -> None:
        self.up = _Way(client, server)
        self.down = _Way(server, client)
        self.fresh = True
        self.asking = False
        self.watched = {client.fileno(): 0, server.fileno(): 0}

    def wishes(self) -> dict[int, int]:
        """Say which events each socket is to be watched for."""
        wanted = dict.fromkeys(self.watched, 0)
        for way in (self.up, self.down):
            source, sink = way.source.fileno(), way.sink.fileno()
            if source in wanted and not (way.ended or way.full):
                wanted[source] |= select.EPOLLIN
            if sink in wanted and way.blocked:
                wanted[sink] |= select.EPOLLOUT
        return wanted

    @property
    def over(self) -> bool:
        """Whether both sides know of each other's end."""
        return self.up.told and self.down.told


class _Line:
    """The one thread's loop over all connections."""

    def __init__(self, port: int, seconds: float) -> None:
        self._port = port
        self._seconds = seconds
        self._listener = socket.create_server((_HOST, 0), backlog=_AT_ONCE)
        self._listener.settimeout(0)
        self._epoll = select.epoll()
        self._epoll.register(self._listener, select.EPOLLIN)
        self._epoll.register(0, select.EPOLLIN)
        self._pairs: dict[int, _Pair] = {}
        self._waiting: list[tuple[float, int, _Pair]] = []
        self._numbers = itertools.count()  # two that are due at once are not compared further

    def run(self) -> None:
        """Say the port, and serve until standard input ends."""
        print(self._listener.getsockname()[1], flush=True)
        while True:
            for descriptor, event in self._epoll.poll(self._until_due()):
                if descriptor == 0:
                    if not os.read(0, 4096):
                        return
                elif descriptor == self._listener.fileno():
                    self._accept()
                elif pair := self._pairs.get(descriptor):
                    self._serve(pair, descriptor, event)
            self._release()

    def _until_due(self) -> float:
        return max(self._waiting[0][0] - time.monotonic(), 0) if self._waiting else -1

    def _accept(self) -> None:
        with suppress(BlockingIOError):
            while True:
                client, _ = self._listener.accept()
                server = socket.create_connection((_HOST, self._port))
                for one in (client, server):
                    one.settimeout(0)
                    one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                pair = _Pair(client, server)
                for descriptor in pair.watched:
                    self._pairs[descriptor] = pair
                    self._epoll.register(descriptor, 0)
                self._watch(pair)

    def _serve(self, pair: _Pair, descriptor: int, event: int) -> None:
        up, down = pair.up, pair.down
        here, there = (up, down) if descriptor == up.source.fileno() else (down, up)
        if event & (select.EPOLLIN | select.EPOLLHUP | select.EPOLLERR) and not here.ended:
            if here.pull():
                if here is up and not pair.asking:
                    self._hold(pair)
                pair.asking = here is up
            here.push()
        if event & select.EPOLLOUT:
            there.push()
        if event & (select.EPOLLHUP | select.EPOLLERR) and here.ended:
            # Gone both ways, which epoll would say again and again.
            self._epoll.unregister(descriptor)
            del pair.watched[descriptor], self._pairs[descriptor]
            there.give_up()
        self._watch(pair)

    def _hold(self, pair: _Pair) -> None:
        trips = 2 if pair.fresh else 1
        pair.fresh = False
        pair.up.held = True
        due = time.monotonic() + trips * self._seconds
        heapq.heappush(self._waiting, (due, next(self._numbers), pair))

    def _release(self) -> None:
        now = time.monotonic()
        while self._waiting and self._waiting[0][0] <= now:
            pair = heapq.heappop(self._waiting)[2]
            pair.up.held = False
            if not pair.over:
                pair.up.push()
                self._watch(pair)

    def _watch(self, pair: _Pair) -> None:
        if pair.over:
            for descriptor in pair.watched:
                self._epoll.unregister(descriptor)
                del self._pairs[descriptor]
            for way in (pair.up, pair.down):
                way.close()
                way.source.close()
            return
        for descriptor, wanted in pair.wishes().items():
            if pair.watched[descriptor] != wanted:
                pair.watched[descriptor] = wanted
                self._epoll.modify(descriptor, wanted)


def main(arguments: list[str]) -> None:
    """Carry bytes until standard input ends."""
    _Line(int(arguments[0]), float(arguments[1])).run()


if __name__ == "__main__":
    main(sys.argv[1:])

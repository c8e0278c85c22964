"""Idle connections: used again where that is safe, and closed where it is not, or not needed."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
import threading

import pytest
import trustme

from raw import DEADLINE, HOST, Raw, answer, request
from s3magic.wire import pool
from s3magic.wire.addresses import Address
from s3magic.wire.pool import Pool

GET = b"GET /k HTTP/1.1\r\nhost: h\r\n\r\n"


@pytest.fixture(scope="module")
def authority():
    """A certificate for localhost, and who trusts it."""
    made = trustme.CA()
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    made.issue_cert("localhost").configure_cert(server)
    client = ssl.create_default_context()
    made.configure_trust(client)
    return server, client


def taken(lines, at):
    """Ask on a line of the pool, and read all of the answer; gives the line, and what it said."""
    line, head = lines.ask(at, GET, tuple, lambda _line: None)
    body = bytearray(head.length)
    line.fill(memoryview(body))
    return line, bytes(body)


def asked(lines, at):
    """Ask, read all and give the line back."""
    line, body = taken(lines, at)
    lines.give_back(line)
    return body


@pytest.mark.parametrize("secure", [False, True])
@pytest.mark.parametrize("apart", [False, True])
def test_a_stray_answer_is_no_answer_to_the_next_request(authority, secure, apart):
    """Neither what waits at the socket, nor what TLS has decrypted with the answer's end."""
    strayed = threading.Event()

    def serve(connection, number):
        request(connection)
        first, stray = answer(b"%d" % number * 5000), b"" if number else answer(b"stray")
        connection.sendall(first if apart else first + stray)
        if apart:
            connection.sendall(stray)
        strayed.set()
        request(connection)

    server_tls, client_tls = authority if secure else (None, None)
    with Raw(serve, server_tls) as server, contextlib.closing(Pool()) as lines:
        host = "localhost" if secure else HOST
        at = Address(host, server.port, client_tls, DEADLINE, DEADLINE)
        line, first = taken(lines, at)
        assert strayed.wait(DEADLINE)
        lines.give_back(line)

        assert (first, asked(lines, at)) == (b"0" * 5000, b"1" * 5000)
        assert server.connections == 2


def test_no_line_is_lent_to_who_trusts_others(authority):
    """The same host and port; but whom it talks to was judged by somebody else."""

    def serve(connection, _number):
        while request(connection):
            connection.sendall(answer())

    server_tls, client_tls = authority
    with Raw(serve, server_tls) as server, contextlib.closing(Pool()) as lines:
        asked(lines, Address("localhost", server.port, client_tls, DEADLINE, DEADLINE))
        for distrustful in (None, ssl.create_default_context()):
            at = Address("localhost", server.port, distrustful, DEADLINE, DEADLINE)
            assert lines.take(at) is None


class Clock:
    """A clock that a test sets."""

    def __init__(self):
        self.now = 1000.0

    def __call__(self):
        return self.now


class Hall:
    """A server that keeps all its connections open, and sees which of them end."""

    def __init__(self):
        self.ended = []
        self._some = threading.Condition()

    def serve(self, connection, number):
        while request(connection):
            connection.sendall(answer())
        with self._some:
            self.ended.append(number)
            self._some.notify_all()

    def all_ended(self, count):
        """Wait until so many have ended."""
        with self._some:
            return self._some.wait_for(lambda: len(self.ended) >= count, DEADLINE)


@contextlib.contextmanager
def idling(count):
    """A pool with some idle lines, oldest first, of one clock; gives all that belongs to it."""
    clock, hall = Clock(), Hall()
    with Raw(hall.serve) as server, contextlib.closing(Pool(clock)) as lines:
        at = Address(HOST, server.port, None, DEADLINE, DEADLINE)
        used = [taken(lines, at)[0] for _ in range(count)]
        for line in used:
            lines.give_back(line)
        yield lines, at, clock, hall


def test_a_line_that_is_given_back_has_those_closed_that_were_idle_for_too_long():
    """The oldest are never asked for: the one used last is the next."""
    with idling(3) as (lines, at, clock, hall):
        clock.now += pool._IDLE / 2
        asked(lines, at)
        clock.now += pool._IDLE / 2 + 1
        line, _ = taken(lines, at)
        lines.give_back(line)

        assert hall.all_ended(2)
        assert sorted(hall.ended) == [0, 1]
        assert [len(idle) for idle in lines._idle.values()] == [1]


def test_a_sweep_closes_what_was_idle_for_too_long_and_nothing_else():
    """And forgets servers of whom nothing is left."""
    with idling(3) as (lines, at, clock, hall):
        clock.now += pool._IDLE - 1
        lines.sweep()
        asked(lines, at)
        assert hall.ended == []

        clock.now += 1
        lines.sweep()
        assert hall.all_ended(2)
        assert sorted(hall.ended) == [0, 1]

        clock.now += pool._IDLE
        lines.sweep()
        assert hall.all_ended(3)
        assert lines._idle == {}


def test_of_too_many_the_oldest_are_closed(monkeypatch):
    """Those used last are the likeliest to be alive."""
    monkeypatch.setattr(pool, "_KEPT", 2)
    with idling(3) as (_lines, _at, _clock, hall):
        assert hall.all_ended(1)
        assert hall.ended == [0]


def test_what_a_verb_leaves_idle_is_closed_a_while_later(monkeypatch):
    """By the loop, though no request comes by any more."""
    monkeypatch.setattr(pool, "_IDLE", 0.0)
    monkeypatch.setattr(pool, "_LATE", 0.0)

    async def leave(lines, hall):
        lines.sweep_later()
        assert await asyncio.to_thread(hall.all_ended, 2)

    with idling(2) as (lines, _at, _clock, hall):
        asyncio.run(leave(lines, hall))

        assert lines._idle == {}


def test_neither_the_loop_nor_the_process_waits_for_what_is_idle():
    """The loop ends first, and then nothing is closed; without a loop nothing is promised."""

    async def leave(lines):
        lines.sweep_later()

    with idling(2) as (lines, _at, _clock, hall):
        before = threading.active_count()
        asyncio.run(asyncio.wait_for(leave(lines), pool._IDLE / 2))
        lines.sweep_later()

        assert threading.active_count() == before
        assert hall.ended == []

"""Many small conversations in one thread: each order ends, with its own answer or with none."""

from __future__ import annotations

import asyncio
import errno
import itertools
import socket
import ssl
import threading
import time
from collections import deque
from dataclasses import dataclass, field

import pytest
import trustme

from raw import DEADLINE, HOST, Raw, answer, request, silent
from s3magic.wire import addresses, softly
from s3magic.wire.addresses import Address
from s3magic.wire.answer import SILENT, Unplain
from s3magic.wire.lanes import Lanes
from s3magic.wire.pool import Pool

MANY = 60


@dataclass
class Ask:
    """A small request for a name; its answer's body is its result.

    Args:
        pool: The idle connections.
        address: Where to.
        name: What is asked for.
        then: Called with the answer's body, in whatever thread takes it.
        reading: Called for the request, as if a file were read; None for none.
        chunks: Whether its answer may come in chunks.
    """

    pool: Pool
    address: Address
    name: str
    then: object = bytes
    reading: object = None
    chunks: bool = False
    threads: list = field(default_factory=list)

    @property
    def reads(self):
        return self.reading is not None

    def request(self):
        if self.reading is not None:
            self.reading()
        return f"GET /{self.name} HTTP/1.1\r\nhost: h\r\n\r\n".encode()

    def finish(self, _head, body):
        self.threads.append(threading.current_thread().name)
        return self.then(bytes(body))


class Desk:
    """Lanes with a pool, at which a test puts its orders."""

    def __init__(self, limit):
        self.limit = limit
        self.pool = Pool()
        self.lanes = Lanes(lambda: self.limit)

    def put(self, small):
        """Put an order; gives the future of its end."""
        end = asyncio.get_running_loop().create_future()

        def ended(result, error):
            if error is None:
                end.set_result(result)
            else:
                end.set_exception(error)

        self.lanes.put_small(small, ended)
        return end

    def ask(self, address, name, then=bytes):
        return self.put(Ask(self.pool, address, name, then))


@pytest.fixture
async def desk():
    """A desk of three at once; at the end no thread of it is left."""
    before = set(threading.enumerate())
    made = Desk(3)
    yield made
    made.lanes.close()
    made.pool.close()
    async with asyncio.timeout(DEADLINE):  # no join: a lane may be about to begin
        while any(  # noqa: ASYNC110 - nobody tells
            thread.name in {"s3magic-reactor", "s3magic-lane"}
            for thread in set(threading.enumerate()) - before
        ):
            await asyncio.sleep(0.005)


def at(server, *, tls=None, host=HOST, read_timeout=DEADLINE):
    return Address(host, server.port, tls, DEADLINE, read_timeout)


def named(head):
    """Give the name that a request asks for."""
    return head.split(b" ")[1][1:]


def echo(connection, _number):
    """Answer each request with the name that it asks for."""
    while head := request(connection):
        connection.sendall(answer(named(head)))


def lead(monkeypatch, *names):
    """Have every host's name stand for these places, in this order, and none has failed."""
    kinds = [
        (socket.AF_INET6 if ":" in name[0] else socket.AF_INET, socket.SOCK_STREAM, 0)
        for name in names
    ]
    found = tuple(addresses.Place(kind, name) for kind, name in zip(kinds, names, strict=True))
    monkeypatch.setattr(addresses, "_looked_up", lambda *_: found)
    monkeypatch.setattr(addresses, "_missed", {})


def once(connection, _number):
    """Answer one request, and say that there shall be no other."""
    if head := request(connection):
        connection.sendall(answer(named(head), connection="close"))


async def within(awaitable):
    async with asyncio.timeout(DEADLINE):
        return await awaitable


async def ends(futures):
    """Wait until all have ended; gives their results, or their errors."""
    return await within(asyncio.gather(*futures, return_exceptions=True))


async def test_each_order_gets_its_own_answer_and_no_more_talk_at_once_than_may(desk):
    """On as many connections as are allowed."""
    with Raw(echo) as server:
        names = [f"n{number}" for number in range(MANY)]

        results = await ends([desk.ask(at(server), name) for name in names])

        assert results == [name.encode() for name in names]
        assert 1 <= server.connections <= 3


async def test_a_limit_of_its_own_is_kept(desk):
    """Small requests may be more, or fewer, than there are threads."""
    desk.lanes.small(lambda: 1)
    with Raw(echo) as server:
        await ends([desk.ask(at(server), f"n{number}") for number in range(MANY)])

        assert server.connections == 1


async def test_tls_is_spoken(desk):
    """Many answers on few connections, to whom the certificate was given."""
    authority = trustme.CA()
    server_tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost").configure_cert(server_tls)
    client_tls = ssl.create_default_context()
    authority.configure_trust(client_tls)
    with Raw(echo, server_tls) as server:
        address = at(server, tls=client_tls, host="localhost")
        names = [f"n{number}" for number in range(MANY)]

        results = await ends([desk.ask(address, name) for name in names])

        assert results == [name.encode() for name in names]
        assert server.connections <= 3


async def test_a_certificate_of_nobody_known_is_refused(desk):
    """Nothing is asked of such a server."""
    server_tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    trustme.CA().issue_cert("localhost").configure_cert(server_tls)
    asked = []
    with Raw(lambda connection, _: asked.append(request(connection)), server_tls) as server:
        address = at(server, tls=ssl.create_default_context(), host="localhost")

        (error,) = await ends([desk.ask(address, "secret")])

        assert isinstance(error, Unplain)
    assert not any(asked)


async def test_a_server_that_falls_silent_is_given_up(desk):
    """Before an answer and within one; the others are served meanwhile."""

    def serve(connection, _number):
        while head := request(connection):
            if named(head) == b"whole":
                connection.sendall(answer(b"whole"))
                continue
            if named(head) == b"half":
                connection.sendall(answer(b"half")[:-2])
            request(connection)  # until the client goes
            return

    with Raw(serve) as server:
        address = at(server, read_timeout=0.3)

        results = await ends([desk.ask(address, name) for name in ("silent", "half", "whole")])

        assert [error.status for error in results[:2]] == [SILENT, SILENT]
        assert results[2] == b"whole"


async def test_a_server_that_falls_silent_is_not_asked_again(desk):
    """On a line that was idle, either: it is there, and slow."""
    heard = []

    def serve(connection, _number):
        while head := request(connection):
            heard.append(named(head))
            if named(head) == b"first":
                connection.sendall(answer(b"first"))

    with Raw(serve) as server:
        address = at(server, read_timeout=0.2)

        await ends([desk.ask(address, "first")])
        (error,) = await ends([desk.ask(address, "second")])

        assert error.status == SILENT
    assert heard == [b"first", b"second"]


async def test_ends_that_take_long_are_handed_to_threads_and_back(desk):
    """A slow disk holds up no other conversation; a fast one needs no thread."""
    slow = Ask(desk.pool, None, "slow", lambda body: time.sleep(0.05) or body)
    with Raw(echo) as server:
        slow.address = at(server)
        asks = [Ask(desk.pool, at(server), f"n{number}") for number in range(MANY)]

        await ends([desk.put(slow)])
        results = [(await ends([desk.put(ask)]))[0] for ask in asks]

        assert slow.threads == ["s3magic-reactor"]
        assert asks[0].threads == ["s3magic-lane"]
        assert asks[-1].threads == ["s3magic-reactor"]
        assert results == [ask.name.encode() for ask in asks]


async def test_files_that_take_long_to_read_are_for_others_for_a_while(desk):
    """A slow disk holds up no conversation that needs nothing of it."""
    with Raw(echo) as server:

        async def end(name, reading):
            return (await ends([desk.put(Ask(desk.pool, at(server), name, bytes, reading))]))[0]

        slow = await end("slow", lambda: time.sleep(0.05))
        read = [await end(f"r{number}", lambda: None) for number in range(MANY)]
        again = await end("slow", lambda: time.sleep(0.05))
        mixed = [await end("read", lambda: None), await end("unread", None)]

        assert slow == again == b"slow"
        assert isinstance(read[0], Unplain)
        assert read[-1] == b"r%d" % (MANY - 1)
        assert isinstance(mixed[0], Unplain)
        assert mixed[1] == b"unread"
        assert server.connections == 1


async def test_an_error_at_the_end_is_that_orders_own(desk):
    """In the reactor's thread and in another; the connection serves on."""

    def fail(_body):
        time.sleep(0.1)
        raise LookupError("no room")

    with Raw(echo) as server:
        errors = [(await ends([desk.ask(at(server), "bad", fail)]))[0] for _ in range(2)]
        results = await ends([desk.ask(at(server), "good")])

        assert [type(error) for error in errors] == [LookupError, LookupError]
        assert results == [b"good"]
        assert server.connections == 1


async def test_a_line_that_was_closed_unheard_is_left_for_a_new_one_once(desk):
    """The request is asked again, RFC 9112, 9.3.1; where that breaks too, it is the client's."""
    heard = []

    def serve(connection, number):
        while head := request(connection):
            heard.append((number, named(head)))
            if named(head) == b"broken" or (number == 0 and named(head) == b"second"):
                return
            connection.sendall(answer(named(head)))

    with Raw(serve) as server:
        results = [
            (await ends([desk.ask(at(server), name)]))[0] for name in ("first", "second", "broken")
        ]

        assert results[:2] == [b"first", b"second"]
        assert isinstance(results[2], Unplain)
    assert heard == [(0, b"first"), (0, b"second"), (1, b"second"), (1, b"broken"), (2, b"broken")]


async def test_an_address_that_refuses_is_left_for_the_next(desk, monkeypatch):
    """A name may stand for several, as localhost does for ::1 and 127.0.0.1."""
    with Raw(echo) as server, socket.create_server((HOST, 0)) as closed:
        refused = closed.getsockname()
        closed.close()
        at_once = ("255.255.255.255", 9)
        lead(monkeypatch, ("::1", server.port), at_once, refused, (HOST, server.port))

        results = await ends([desk.ask(at(server, host="localhost"), "name")])

        assert results == [b"name"]


async def test_a_kind_of_address_that_the_system_does_not_know_is_left_for_the_next(
    desk, monkeypatch
):
    """A machine without IPv6 has no socket for it."""
    with Raw(echo) as server:
        lead(monkeypatch, (HOST, server.port))
        known = addresses._looked_up()
        unknown = addresses.Place((9999, socket.SOCK_STREAM, 0), (HOST, server.port))
        monkeypatch.setattr(addresses, "_looked_up", lambda *_: (unknown, *known))

        results = await ends([desk.ask(at(server, host="localhost"), "name")])

        assert results == [b"name"]


async def test_an_address_that_says_nothing_costs_a_moment_once(desk, monkeypatch):
    """Those that connect later begin with the one that answered, and nobody is told of silence."""
    monkeypatch.setattr(addresses, "_MOMENT", 0.1)
    with Raw(once) as server, silent() as nowhere:
        lead(monkeypatch, nowhere, (HOST, server.port))
        address = Address("both", server.port, None, DEADLINE, DEADLINE)

        results = await ends([desk.ask(address, "first")])
        tried = [place.name for place, _ in addresses.places(address)]
        results += await ends([desk.ask(address, "second")])

        assert results == [b"first", b"second"]
        assert tried == [(HOST, server.port), nowhere]
        assert server.connections == 2


@pytest.mark.parametrize("secure", [False, True])
async def test_silence_while_connecting_is_no_busy_server(desk, monkeypatch, secure):
    """It is no answer; a server that is there and slow is another thing."""
    tls = ssl.create_default_context() if secure else None
    with Raw(lambda connection, _: request(connection)) as server, silent() as nowhere:
        # TLS meets a server that takes the connection, and says nothing then.
        lead(monkeypatch, (HOST, server.port) if secure else nowhere)

        (error,) = await ends([desk.ask(Address(HOST, 1, tls, 0.2, DEADLINE), "k")])

        assert isinstance(error, Unplain)
        assert error.status == 0


async def test_a_server_that_nobody_is_is_the_clients_to_tell(desk, monkeypatch):
    """Every address refuses."""
    with socket.create_server((HOST, 0)) as closed:
        refused = closed.getsockname()
    lead(monkeypatch, refused)

    (error,) = await ends([desk.ask(Address(HOST, refused[1], None, DEADLINE, DEADLINE), "k")])

    assert isinstance(error, Unplain)
    assert "refused" in str(error)


async def test_a_stray_answer_in_the_same_packet_belongs_to_nobody(desk):
    """Neither to the order whose answer it follows, nor to the next."""

    def serve(connection, number):
        while head := request(connection):
            stray = answer(b"stray") if number == 0 else b""
            connection.sendall(answer(named(head)) + stray)

    desk.limit = 1
    with Raw(serve) as server:
        first, second = await ends([desk.ask(at(server), name) for name in ("first", "second")])

        assert isinstance(first, Unplain)
        assert second == b"second"


@pytest.mark.parametrize("waiting", [True, False])
async def test_a_stray_answer_behind_another_belongs_to_nobody(desk, waiting):
    """Whether the next order waits already, or takes the line when it is idle."""
    ended, strayed = threading.Event(), threading.Event()

    def serve(connection, number):
        while head := request(connection):
            connection.sendall(answer(named(head)))
            if number == 0:
                assert ended.wait(DEADLINE)
                connection.sendall(answer(b"stray"))
                strayed.set()

    def hold(body):
        """Keep the line busy until the stray bytes are there."""
        ended.set()
        assert strayed.wait(DEADLINE)
        return body

    desk.limit = 1
    with Raw(serve) as server:
        if waiting:
            results = await ends(
                [desk.ask(at(server), "first", hold), desk.ask(at(server), "second")]
            )
        else:
            results = await ends([desk.ask(at(server), "first")])
            ended.set()
            assert await asyncio.to_thread(strayed.wait, DEADLINE)
            results += await ends([desk.ask(at(server), "second")])

        assert results == [b"first", b"second"]
        assert server.connections == 2


async def test_closing_ends_every_order(desk):
    """Those under way, those that wait, and those that come behind it."""
    reached = threading.Semaphore(0)

    def serve(connection, _number):
        if request(connection):
            reached.release()
            request(connection)  # until the client goes

    with Raw(serve) as server:
        orders = [desk.ask(at(server), f"n{number}") for number in range(10)]
        for _ in range(3):
            assert await asyncio.to_thread(reached.acquire, timeout=DEADLINE)
        desk.lanes.close()
        results = await ends(orders)
        late = await ends([desk.ask(at(server), "late")])

        assert all(isinstance(one, Unplain | ConnectionAbortedError) for one in results + late)


async def test_a_dropped_order_lets_its_connection_go_at_once(desk):
    """And is told of nothing."""
    reached = threading.Event()
    gone = threading.Event()

    def serve(connection, number):
        if number:
            echo(connection, number)
            return
        assert request(connection)
        reached.set()
        assert not request(connection)
        gone.set()

    with Raw(serve) as server:
        told = []
        small = Ask(desk.pool, at(server), "k")
        order = desk.lanes.put_small(small, lambda *end: told.append(end))
        assert await asyncio.to_thread(reached.wait, DEADLINE)

        assert order.drop()

        assert await asyncio.to_thread(gone.wait, DEADLINE)
        assert await ends([desk.ask(at(server), "other")]) == [b"other"]
        assert not told


async def test_a_conversation_that_the_system_cannot_watch_ends_alone(desk, monkeypatch):
    """The thread goes on, and does what comes next."""
    with Raw(once) as server:
        await ends([desk.ask(at(server), "first")])
        selector = desk.lanes._reactor._selector
        register = selector.register

        def refuse(*_):
            monkeypatch.setattr(selector, "register", register)
            raise OSError(errno.ENOSPC, "no room")

        monkeypatch.setattr(selector, "register", refuse)
        (error,) = await ends([desk.ask(at(server), "unwatched")])
        (result,) = await ends([desk.ask(at(server), "watched")])

        assert isinstance(error, Unplain)
        assert result == b"watched"


async def test_every_order_ends_where_the_thread_dies(desk, monkeypatch):
    """Even where giving up one of them fails."""
    monkeypatch.setattr(threading, "excepthook", lambda _: None)  # the error is what it is about
    reached = threading.Semaphore(0)

    def serve(connection, _number):
        if request(connection):
            reached.release()
            request(connection)  # until the client goes

    with Raw(serve) as server:
        orders = [desk.ask(at(server), f"n{number}") for number in range(6)]
        for _ in range(3):
            assert await asyncio.to_thread(reached.acquire, timeout=DEADLINE)
        reactor = desk.lanes._reactor
        forget = reactor._forget
        failing = iter([LookupError("the selector knows it not")])

        def stumble(talk):
            forget(talk)
            for error in failing:
                talk.going.close()
                raise error

        monkeypatch.setattr(reactor, "_forget", stumble)
        monkeypatch.setattr(reactor, "_begin", [].pop)
        reactor._ring()

        results = await ends(orders)
        late = await ends([desk.ask(at(server), "late")])

        assert all(isinstance(one, Unplain | ConnectionAbortedError) for one in results + late)


async def test_an_order_that_comes_while_the_thread_ends_is_ended_too(desk):
    """Between its last look at them, and the moment in which that is known."""
    with Raw(echo) as server:
        await ends([desk.ask(at(server), "first")])
        reactor = desk.lanes._reactor

        class Late(deque):
            """Holds a new one back until the thread has looked for the last time."""

            def append(self, one):
                reactor.close()
                reactor._thread.join(DEADLINE)
                super().append(one)

        reactor._orders = Late()
        (error,) = await ends([desk.ask(at(server), "late")])

        assert isinstance(error, ConnectionAbortedError)


async def test_orders_are_for_others_where_the_system_has_no_more_threads(desk, monkeypatch):
    """All of them come back."""

    def refuse(_thread):
        raise RuntimeError("can't start new thread")

    address = Address(HOST, 1, None, DEADLINE, DEADLINE)
    with monkeypatch.context() as patched:
        patched.setattr(threading.Thread, "start", refuse)
        orders = [desk.ask(address, f"n{number}") for number in range(3)]

    assert all(isinstance(error, ConnectionAbortedError) for error in await ends(orders))


def in_chunks(body):
    """An answer whose body comes in chunks of 100,000 bytes at most."""
    pieces = [body[at : at + 100_000] for at in range(0, len(body), 100_000)]
    chunks = [f"{len(piece):x}\r\n".encode() + piece + b"\r\n" for piece in pieces]
    head = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n"
    return head + b"".join(chunks) + b"0\r\n\r\n"


@pytest.mark.parametrize("chunked", [False, True], ids=["of told length", "in chunks"])
async def test_an_answer_in_several_pieces_is_put_together(desk, chunked):
    """Broken within its head, behind it and within its body; and one larger than a read."""
    large = bytes(range(256)) * 1500

    def serve(connection, _number):
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        while head := request(connection):
            body = large if named(head) == b"large" else b"body of " + named(head)
            said = in_chunks(body) if chunked else answer(body)
            end = said.index(b"\r\n\r\n")
            cuts = [0, 5, end + 2, end + 4, end + 7, len(said)]
            for start, stop in itertools.pairwise(cuts):
                connection.sendall(said[start:stop])
                read.acquire(timeout=DEADLINE)

    read = threading.Semaphore(0)
    with Raw(serve) as server:
        filled = softly._filled

        def noted(*args):
            size = yield from filled(*args)
            read.release()
            return size

        with pytest.MonkeyPatch.context() as patched:
            patched.setattr(softly, "_filled", noted)
            names = ["one", "two", "large"]
            asks = [Ask(desk.pool, at(server), name, chunks=chunked) for name in names]
            results = [(await ends([desk.put(ask)]))[0] for ask in asks]

        assert results == [b"body of one", b"body of two", large]


async def test_a_certificate_for_another_name_is_refused(desk):
    """Nothing is asked of such a server, whoever vouches for it."""
    authority = trustme.CA()
    server_tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("elsewhere.example").configure_cert(server_tls)
    client_tls = ssl.create_default_context()
    authority.configure_trust(client_tls)
    asked = []
    with Raw(lambda connection, _: asked.append(request(connection)), server_tls) as server:
        address = at(server, tls=client_tls, host="localhost")

        (error,) = await ends([desk.ask(address, "secret")])

        assert isinstance(error, Unplain)
    assert not any(asked)

"""One connection at a time: plain answers are read, all others are for the client to judge."""

from __future__ import annotations

import contextlib
import os
import socket
import ssl
import threading
import time

import pytest
import trustme
from hypothesis import given, settings
from hypothesis import strategies as st

from raw import DEADLINE, HOST, Raw, answer, request
from s3magic.wire.addresses import Address
from s3magic.wire.answer import Head, Unplain
from s3magic.wire.http1 import FileRange, Line
from s3magic.wire.pool import Pool

GET = b"GET /k HTTP/1.1\r\nhost: h\r\n\r\n"
BODY = bytes(range(256)) * 40


def address(port, tls=None, host=HOST, read_timeout=DEADLINE):
    return Address(host, port, tls, DEADLINE, read_timeout)


@contextlib.contextmanager
def pool():
    lines = Pool()
    try:
        yield lines
    finally:
        lines.close()


def unwatched(_line):
    """Do not care which line is used."""


def saying(*pieces, then=None):
    """A server that reads a request and says some pieces, one packet each."""

    def serve(connection, _number):
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        request(connection)
        for piece in pieces:
            connection.sendall(piece)
        if then is not None:
            then(connection)

    return serve


def again_and_again(body=BODY):
    """A server that answers every request on a connection."""

    def serve(connection, _number):
        while request(connection):
            connection.sendall(answer(body))

    return serve


def opened(port, **options):
    line = Line(address(port, **options))
    line.open()
    return line


def read(line, head):
    """Read the body of an answer."""
    data = bytearray(head.length)
    size = line.fill(memoryview(data))
    return bytes(data[:size])


def ask(lines, at, head=GET, body=tuple, using=unwatched):
    """Ask, read all and give the line back."""
    line, told = lines.ask(at, head, body, using)
    try:
        return told, read(line, told)
    finally:
        lines.give_back(line)


# the head


@pytest.mark.parametrize("size", [1, 7, 100_000])
def test_an_answer_may_come_in_pieces_of_any_size(size):
    """Byte by byte, too."""
    whole = answer(BODY[:300], etag='"e"', X_Amz_Version_Id="v")
    pieces = [whole[at : at + size] for at in range(0, len(whole), size)]
    with Raw(saying(*pieces)) as server, contextlib.closing(opened(server.port)) as line:
        head = line.ask(GET)

        assert (head.status, head.length) == (200, 300)
        assert head.get(b"etag") == '"e"'
        assert head.headers["x-amz-version-id"] == "v"
        assert head.get(b"not-there") is None
        assert read(line, head) == BODY[:300]
        assert line.reusable


@pytest.mark.parametrize(
    ("said", "status"),
    [
        (b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n", 200),
        (b"HTTP/1.1 200 OK\r\ncontent-length: 3\r\nTransfer-Encoding: chunked\r\n\r\n", 0),
        (b"HTTP/1.1 200 OK\r\nx: y\r\n\r\nto the end", 200),
        (b"HTTP/1.1 304 Not Modified\r\n\r\n", 304),
        (b"HTTP/1.1 100 Continue\r\n\r\n", 100),
        (b"HTTP/1.1 100 Continue\r\n\r\n" + answer(b"x"), 100),
        (b"HTTP/1.1 101 Switching Protocols\r\nupgrade: h2c\r\nconnection: upgrade\r\n\r\n", 0),
        (b"HTTP/1.1 103 Early Hints\r\nlink: x\r\n\r\n" + answer(b"x"), 103),
        (b"HTTP/1.1 200 OK\r\ncontent-length: three\r\n\r\n", 0),
        (b"HTTP/1.1 200 OK\r\ncontent-length: -3\r\n\r\n", 0),
        (b"HTTP/1.1 200 OK\r\ncontent-length: \xb2\r\n\r\n", 0),
        (b"HTTP/1.1 200 OK\r\ncontent-length: 3\r\ncontent-length: 4\r\n\r\nabcd", 0),
        (b"HTTP/1.1 200 OK\r\ncontent-length: 3, 3\r\n\r\nabc", 0),
        (b"HTTP/1.1 200 OK\r\ncontent-length: 99999999999999999999999\r\n\r\n", 0),
        (b"HTTP/1.1 999999 OK\r\ncontent-length: 0\r\n\r\n", 0),
        (b"HTTP/1.1 200 OK\r\nno colon\r\n\r\n", 0),
        (b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\na\x00b: c\r\n\r\n", 0),
        (b"SSH-2.0-OpenSSH_9.6\r\n\r\n", 0),
        (b"\x16\x03\x01\x00\x05hello\r\n\r\n", 0),
        (b"HTTP/2 200 OK\r\ncontent-length: 0\r\n\r\n", 0),
        (b"GET / HTTP/1.1\r\nhost: h\r\n\r\n", 0),
        (answer(b"abc") + b"more", 200),
        (answer(b"abc") + answer(b"of another object"), 200),
        (b"HTTP/1.1 200 OK\r\n" + b"x: " + b"y" * 2**17 + b"\r\n\r\n", 0),
    ],
)
def test_what_is_not_plain_is_for_the_client_to_judge(said, status):
    """Chunks, no length, a wrong one, garbage, 1xx, more than was announced, no end."""
    with Raw(saying(said, then=lambda connection: connection.recv(1))) as server, pool() as lines:
        with pytest.raises(Unplain) as unplain:
            lines.ask(address(server.port), GET, tuple, unwatched)

        assert unplain.value.status == status
        assert not lines._idle


@pytest.mark.parametrize(
    ("said", "empty"),
    [
        (b"HTTP/1.1 204 No Content\r\n\r\n", False),
        (b"HTTP/1.1 204 No Content\r\ncontent-length: 0\r\n\r\n", False),
        (b"HTTP/1.1 200 OK\r\ncontent-length: 300\r\n\r\n", True),
    ],
)
def test_an_answer_with_no_body_is_over_with_its_head(said, empty):
    """A 204, and what comes behind a HEAD: the connection serves the next request."""
    held = saying(said, then=lambda connection: connection.recv(1))
    with Raw(held) as server, contextlib.closing(opened(server.port)) as line:
        head = line.ask(GET, empty=empty)

        assert head.status in {200, 204}
        assert line.reusable


@settings(max_examples=60, deadline=None)
@given(garbage=st.binary(min_size=1, max_size=300), cut=st.integers(0, 60))
def test_no_garbage_does_more_than_fail(garbage, cut):
    """Before, in or instead of a head: an answer, `Unplain` or an `OSError`, and nothing else."""
    said = answer(b"abc")[:cut] + garbage + b"\r\n\r\n"
    with Raw(saying(said)) as server, pool() as lines:
        try:
            line, head = lines.ask(address(server.port), GET, tuple, unwatched)
        except (Unplain, OSError):
            return
        with contextlib.suppress(OSError):
            read(line, head)
        lines.give_back(line)


@pytest.mark.parametrize("said", [b"", b"HTTP/1.1 200 OK\r\ncontent-le", b"HTTP"])
def test_a_connection_that_ends_before_the_head_does_is_an_error(said):
    """And not an empty answer."""
    with Raw(saying(said)) as server, pool() as lines, pytest.raises(OSError) as error:  # noqa: PT011 - any
        lines.ask(address(server.port), GET, tuple, unwatched)

    assert not isinstance(error.value, ConnectionAbortedError)  # that is how we end one


def test_a_folded_header_brings_no_end_of_line_into_a_value():
    """What a server says in an ETag is sent back to it in a later request."""
    said = b'HTTP/1.1 200 OK\r\ncontent-length: 0\r\netag: "a\r\n x-amz-acl: public"\r\n\r\n'
    with Raw(saying(said)) as server, contextlib.closing(opened(server.port)) as line:
        try:
            head = line.ask(GET)
        except Unplain:
            return

        assert not set("\r\n") & set(head.get(b"etag") or "")


def test_a_head_knows_its_headers_in_any_letters():
    """RFC 9110, 5.1: names do not depend on case."""
    head = Head()
    head.on_header(b"X-Amz-Checksum-CRC32", b"abc=")
    head.read()

    assert head.get(b"x-amz-checksum-crc32") == "abc="


# the body


def test_a_body_that_breaks_off_is_an_error():
    """However much was there."""
    with Raw(saying(answer(BODY)[:-1])) as server, contextlib.closing(opened(server.port)) as line:
        head = line.ask(GET)

        with pytest.raises(OSError):  # noqa: PT011 - whichever the system gives
            read(line, head)

        assert not line.reusable


def test_a_body_is_read_in_pieces_and_never_beyond_its_end():
    """What is asked for behind the end is not waited for."""
    with Raw(saying(answer(BODY), then=lambda connection: connection.recv(1))) as server:
        line = opened(server.port)
        head = line.ask(GET)
        data = bytearray(head.length + 10)
        sizes = [line.fill(memoryview(data)[at : at + 3000]) for at in range(0, 9000, 3000)]
        sizes.append(line.fill(memoryview(data)[9000:]))

        assert sizes == [3000, 3000, 3000, len(BODY) - 9000]
        assert line.fill(memoryview(data)) == 0
        assert bytes(data[: len(BODY)]) == BODY
        line.close()


@pytest.mark.parametrize("said", [b"", b"HTTP/1.1 200 OK\r\n", answer(BODY)[:200]])
def test_silence_is_a_time_out(said):
    """Before, within and behind the head."""
    with Raw(saying(said, then=lambda connection: connection.recv(1))) as server, pool() as lines:
        at = address(server.port, read_timeout=0.2)
        with pytest.raises(TimeoutError):
            ask(lines, at)


# what is sent


@pytest.mark.parametrize("sizes", [[], [1], [65536], [65537], [10, 2**20, 3], [2**20] * 9])
@pytest.mark.parametrize("secure", [False, True])
def test_a_body_is_sent_behind_its_head(sizes, secure, authority):
    """In one packet with it, or in many; what TLS says meanwhile is no answer."""
    heard = []

    def serve(connection, _number):
        heard.append(request(connection))
        connection.sendall(answer())

    pieces = [bytes([number]) * size for number, size in enumerate(sizes)]
    whole = b"".join(pieces)
    head = b"PUT /k HTTP/1.1\r\ncontent-length: %d\r\n\r\n" % len(whole)
    server_tls, client_tls = authority if secure else (None, None)
    with Raw(serve, server_tls) as server:
        line = opened(server.port, tls=client_tls, host="localhost" if secure else HOST)
        line.ask(head, map(memoryview, pieces))
        assert line.reusable
        line.close()

    assert heard == [head + whole]


@pytest.mark.parametrize("able", [True, False])
def test_a_range_of_a_file_is_sent_by_the_system(tmp_path, monkeypatch, able):
    """Exactly that range, or by us; a file that has become shorter is no whole body."""
    heard = []
    if not able:
        monkeypatch.delattr(os, "sendfile")

    def serve(connection, _number):
        heard.append(request(connection))
        connection.sendall(answer())

    path = tmp_path / "f"
    path.write_bytes(BODY)
    head = b"PUT /k HTTP/1.1\r\ncontent-length: 5000\r\n\r\n"
    with Raw(serve) as server, path.open("rb") as file:
        line = opened(server.port)
        line.ask(head, [FileRange(file, 100, 5000)])
        line.close()
        line = opened(server.port)
        with pytest.raises(OSError):  # noqa: PT011 - whichever
            line.ask(head, [FileRange(file, len(BODY) - 10, 5000)])
        line.close()

    assert heard[0] == head + BODY[100:5100]
    assert all(len(other) < len(head) + 5000 for other in heard[1:])


def test_a_server_that_takes_no_more_of_a_file_is_a_time_out(tmp_path):
    """As one that says nothing."""
    path = tmp_path / "f"
    with path.open("w+b") as file:
        file.truncate(64 * 2**20)  # more than any socket holds
        with Raw(lambda connection, _number: released.wait(DEADLINE)) as server:
            released = threading.Event()
            line = opened(server.port, read_timeout=0.2)
            with pytest.raises(TimeoutError):
                line.ask(GET, [FileRange(file, 0, 64 * 2**20)])
            line.close()
            released.set()


def test_a_server_that_takes_a_little_at_a_time_is_not_silent():
    """However long all of a block takes."""
    block, patience = bytes(2**19), 1.0
    head = b"PUT /k HTTP/1.1\r\ncontent-length: %d\r\n\r\n" % len(block)

    def serve(connection, _number):
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2**13)
        left = len(head) + len(block)
        while left:
            size = len(connection.recv(2**14))
            left -= size
            time.sleep(1.5 * patience * size / len(block))  # the pace of its line
        connection.sendall(answer())

    with Raw(serve) as server:
        line = opened(server.port, read_timeout=patience)
        line.socket.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 2**13)
        begun = time.monotonic()
        told = line.ask(head, [memoryview(block)])
        line.close()

        assert told.status == 200
        assert time.monotonic() - begun > patience


# answers before all is sent


LARGE = 64 * 2**20  # more than any socket holds
PUT = b"PUT /k HTTP/1.1\r\ncontent-length: %d\r\n\r\n" % LARGE


def hasty(said, then, released):
    """A server that answers a request's head, and reads nothing of its body."""

    def serve(connection, _number):
        # Else what TLS said before holds the answer back, and hanging up loses it.
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        data = b""
        while b"\r\n\r\n" not in data:
            data += connection.recv(1)
        connection.sendall(said)
        if then == "waits":
            released.wait(DEADLINE)

    return serve


@pytest.fixture(params=["bytes", "a file", "bytes over TLS"])
def large(request, authority, tmp_path):
    """Gives how a server and a client talk TLS, and a large body, anew each time."""
    server_tls, client_tls = authority if "TLS" in request.param else (None, None)
    with (tmp_path / "f").open("w+b") as file:
        file.truncate(LARGE)
        zeros = memoryview(bytes(2**20))

        def body():
            for at in range(0, LARGE, 2**20):
                yield FileRange(file, at, 2**20) if request.param == "a file" else zeros

        yield server_tls, {"tls": client_tls, "host": "localhost" if client_tls else HOST}, body


@pytest.mark.parametrize("then", ["waits", "hangs up"])
def test_a_refusal_before_all_is_sent_is_heard_at_once(large, then):
    """A busy server's, for example; no other request may follow it."""
    released = threading.Event()
    server_tls, options, body = large
    with Raw(hasty(answer(b"busy", 503), then, released), server_tls) as server:
        line = opened(server.port, **options)
        head = line.ask(PUT, body())

        assert head.status == 503
        assert read(line, head) == b"busy"
        assert not line.reusable
        line.close()
        released.set()


@pytest.mark.parametrize("then", ["waits", "hangs up"])
def test_a_success_before_all_is_sent_is_none(large, then):
    """The server cannot have what it says it has."""
    released = threading.Event()
    server_tls, options, body = large
    with Raw(hasty(answer(etag='"e"'), then, released), server_tls) as server, pool() as lines:
        with pytest.raises(Unplain) as unplain:
            lines.ask(address(server.port, **options), PUT, body, unwatched)
        released.set()

        assert unplain.value.status == 200
        assert server.connections == 1
        assert not lines._idle


def test_an_end_before_all_is_sent_is_an_error_at_once(large):
    """Nothing was said that could be heard."""
    server_tls, options, body = large
    with Raw(hasty(b"", "hangs up", None), server_tls) as server, pool() as lines:
        with pytest.raises(OSError) as error:  # noqa: PT011 - whichever the system gives
            lines.ask(address(server.port, **options), PUT, body, unwatched)

        assert not isinstance(error.value, ConnectionAbortedError | TimeoutError)
        assert server.connections == 1


# the pool


def test_a_connection_is_used_again():
    """The same one, for any number of requests one after the other."""
    with Raw(again_and_again()) as server, pool() as lines:
        for _ in range(5):
            assert ask(lines, address(server.port))[1] == BODY

        assert server.connections == 1


def test_a_connection_that_was_closed_while_idle_is_replaced_without_an_error():
    """One new connection, and each request heard once."""
    closed, heard = threading.Event(), []

    def serve(connection, number):
        heard.append(request(connection))
        connection.sendall(answer(b"%d" % number))
        if not number:
            connection.shutdown(socket.SHUT_RDWR)
            closed.set()

    with Raw(serve) as server, pool() as lines:
        first = ask(lines, address(server.port))[1]
        assert closed.wait(DEADLINE)
        second = ask(lines, address(server.port))[1]

        assert (first, second) == (b"0", b"1")
        assert server.connections == 2
        assert heard == [GET, GET]


def test_a_connection_that_is_closed_upon_the_next_request_is_replaced_too():
    """The server did not see it coming; the body is sent anew, from its beginning."""
    heard, bodies = [], []

    def serve(connection, number):
        heard.append(request(connection))
        connection.sendall(answer())
        if not number:
            request(connection)  # and hangs up

    def body():
        bodies.append(number := len(bodies))
        yield memoryview(b"%d" % number * 3)

    head = b"PUT /k HTTP/1.1\r\ncontent-length: 3\r\n\r\n"
    with Raw(serve) as server, pool() as lines:
        ask(lines, address(server.port), head, body)
        ask(lines, address(server.port), head, body)

        assert server.connections == 2
    assert heard == [head + b"000", head + b"222"]


def test_a_new_connection_that_fails_is_not_tried_again():
    """One try: the client tries as often as it was told to."""

    def serve(connection, _number):
        request(connection)

    with Raw(serve) as server, pool() as lines:
        with pytest.raises(OSError):  # noqa: PT011 - whichever
            ask(lines, address(server.port))

        assert server.connections == 1


def test_a_slow_server_is_not_asked_again_by_the_same_request():
    """A time-out on a used connection says nothing of the connection."""
    heard = []

    def serve(connection, _number):
        while one := request(connection):
            heard.append(one)
            if len(heard) == 1:
                connection.sendall(answer())

    with Raw(serve) as server, pool() as lines:
        at = address(server.port, read_timeout=0.2)
        ask(lines, at)
        with pytest.raises(TimeoutError):
            ask(lines, at)

        assert server.connections == 1
    assert len(heard) == 2


def test_stray_bytes_behind_an_answer_are_no_answer_to_the_next_request():
    """A server out of step would give one object's bytes for another's."""
    strayed = threading.Event()

    def serve(connection, number):
        request(connection)
        connection.sendall(answer(b"%d" % number))
        if not number:
            assert given.wait(DEADLINE)  # a packet of its own
            connection.sendall(answer(b"stray"))
            strayed.set()
            connection.recv(1)

    given = threading.Event()
    with Raw(serve) as server, pool() as lines:
        first = ask(lines, address(server.port))[1]
        given.set()
        assert strayed.wait(DEADLINE)
        second = ask(lines, address(server.port))[1]

    assert (first, second) == (b"0", b"1")


@pytest.mark.parametrize("connection", ["close", "Close"])
def test_a_connection_that_the_server_will_close_is_not_kept(connection):
    """It said so."""
    with Raw(saying(answer(b"x", connection=connection))) as server, pool() as lines:
        ask(lines, address(server.port))

        assert not any(lines._idle.values())


def test_a_connection_whose_answer_was_not_read_is_not_kept():
    """What is left of it would be read as the next answer."""
    with Raw(again_and_again()) as server, pool() as lines:
        line, _ = lines.ask(address(server.port), GET, tuple, unwatched)
        line.fill(memoryview(bytearray(100)))
        lines.give_back(line)

        assert not any(lines._idle.values())
        ask(lines, address(server.port))
        assert server.connections == 2


def test_a_closed_pool_keeps_nothing():
    """A line that was in use is closed when it is given back."""
    with Raw(again_and_again()) as server:
        lines = Pool()
        ask(lines, address(server.port))
        line, head = lines.ask(address(server.port), GET, tuple, unwatched)
        read(line, head)
        other, head = lines.ask(address(server.port), GET, tuple, unwatched)
        read(other, head)
        lines.give_back(other)
        lines.close()
        lines.give_back(line)

        assert not any(lines._idle.values())
        assert line.socket.fileno() == other.socket.fileno() == -1


def test_a_connection_that_was_idle_for_long_is_not_trusted(monkeypatch):
    """The server may have closed it, and a firewall may not say so."""
    with Raw(again_and_again()) as server, pool() as lines:
        ask(lines, address(server.port))
        for idle in lines._idle.values():
            idle[0].idle_since = time.monotonic() - 3600

        ask(lines, address(server.port))

        assert server.connections == 2


def test_each_server_has_its_own_connections():
    """Nothing meant for one is sent to another."""
    with Raw(again_and_again(b"one")) as one, Raw(again_and_again(b"two")) as two, pool() as lines:
        told = [ask(lines, address(server.port))[1] for server in (one, two, one, two)]

        assert told == [b"one", b"two", b"one", b"two"]
        assert one.connections == two.connections == 1


def test_who_uses_a_line_hears_when_it_is_anothers():
    """So that no late cancellation ends another's request."""
    told = []
    with Raw(again_and_again()) as server, pool() as lines:
        ask(lines, address(server.port), using=told.append)
        ask(lines, address(server.port), using=told.append)

        # A new one is told of twice: before it is connected, and once it is.
        assert [line is not None for line in told] == [True, True, False, True, False]
        assert told[0] is told[1] is told[3]


def test_no_redirect_is_followed():
    """It is an answer like any other."""
    said = answer(b"", 307, location=f"http://{HOST}:1/elsewhere")
    with Raw(saying(said)) as server, pool() as lines:
        head, _ = ask(lines, address(server.port))

        assert head.status == 307
        assert server.connections == 1


# ended from another thread


def ends(work, reached, abort):
    """Run work in a thread, abort it once it got there; gives what it raised."""
    raised = []

    def run():
        try:
            work()
        except BaseException as error:  # noqa: BLE001 - looked at below
            raised.append(error)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    assert reached.wait(DEADLINE)
    abort()
    thread.join(DEADLINE / 2)  # less than any time-out that could end it
    assert not thread.is_alive()
    return raised[0]


def test_a_line_that_was_aborted_does_not_connect_any_more():
    """Nor is anything sent on it."""
    with Raw(again_and_again()) as server:
        line = Line(address(server.port))
        line.abort()
        with pytest.raises(ConnectionAbortedError):
            line.open()
        line.close()


@pytest.mark.parametrize("stage", ["the head", "within the head", "the body", "sending"])
@pytest.mark.parametrize("secure", [False, True])
def test_abort_ends_what_a_thread_waits_for(stage, secure, authority):
    """At each stage, at once, and with an error."""
    reached = threading.Event()

    def serve(connection, _number):
        if stage == "sending":
            connection.recv(1)
        else:
            request(connection)
        if stage == "within the head":
            connection.sendall(b"HTTP/1.1 200 OK\r\n")
        if stage == "the body":
            connection.sendall(answer(BODY)[:2000])
        reached.set()
        released.wait(DEADLINE)

    released = threading.Event()
    server_tls, client_tls = authority if secure else (None, None)
    with Raw(serve, server_tls) as server:
        line = opened(server.port, tls=client_tls, host="localhost" if secure else HOST)

        def work():
            endless = (memoryview(bytes(2**20)) for _ in range(10_000))
            head = line.ask(GET, endless if stage == "sending" else ())
            read(line, head)

        error = ends(work, reached, line.abort)
        released.set()

        assert isinstance(error, OSError)
        assert not isinstance(error, TimeoutError)
        assert not line.reusable
        line.close()


def test_abort_ends_a_tls_handshake():
    """A server that accepts and says nothing."""
    reached, released = threading.Event(), threading.Event()

    def serve(connection, _number):
        connection.recv(1)
        reached.set()
        released.wait(DEADLINE)

    with Raw(serve) as server:
        line = Line(address(server.port, tls=ssl.create_default_context(), host="localhost"))
        error = ends(line.open, reached, line.abort)
        released.set()
        line.close()

    assert isinstance(error, OSError)
    assert not isinstance(error, TimeoutError)


def test_an_aborted_request_is_not_sent_again():
    """The line was used before, and that it fails now is our doing."""
    reached = threading.Event()

    def serve(connection, _number):
        request(connection)
        connection.sendall(answer())
        request(connection)
        reached.set()
        connection.recv(1)

    used = []
    with Raw(serve) as server, pool() as lines:
        ask(lines, address(server.port))

        def using(line):
            if line is not None:
                if aborted:
                    raise ConnectionAbortedError
                used.append(line)

        aborted = []

        def abort():
            aborted.append(True)
            used[-1].abort()

        error = ends(lambda: ask(lines, address(server.port), using=using), reached, abort)

        assert isinstance(error, OSError)
        assert server.connections == 1


# TLS


@pytest.fixture(scope="module")
def authority():
    """A certificate for localhost, and who trusts it."""
    made = trustme.CA()
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    made.issue_cert("localhost").configure_cert(server)
    client = ssl.create_default_context()
    made.configure_trust(client)
    return server, client


def test_tls_is_spoken_where_the_certificate_is_good(authority):
    """And the connection is used again."""
    server_tls, client_tls = authority
    with Raw(again_and_again(), server_tls) as server, pool() as lines:
        at = address(server.port, client_tls, "localhost")
        for _ in range(3):
            assert ask(lines, at)[1] == BODY

        assert server.connections == 1


@pytest.mark.parametrize("fault", ["another host", "an unknown authority", "no TLS at all"])
def test_no_request_is_sent_to_who_does_not_prove_who_it_is(authority, fault):
    """Nothing of it is heard there."""
    heard = []

    def serve(connection, _number):
        heard.append(connection.recv(65536))

    server_tls, client_tls = authority
    if fault == "an unknown authority":
        client_tls = ssl.create_default_context()
    if fault == "no TLS at all":
        server_tls = None
    host = HOST if fault == "another host" else "localhost"
    with (
        Raw(serve, server_tls) as server,
        pool() as lines,
        pytest.raises(OSError),  # noqa: PT011 - whichever
    ):
        ask(lines, address(server.port, client_tls, host))

    assert not [one for one in heard if b"GET" in one]

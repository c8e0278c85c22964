"""Bodies in chunks: read whole, or not at all, and never into the next answer."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from raw import DEADLINE, HOST, Raw, answer, request
from s3magic.wire.addresses import Address
from s3magic.wire.answer import Unplain, read_head
from s3magic.wire.chunks import Chunks
from s3magic.wire.http1 import Line
from s3magic.wire.pool import Pool

GET = b"GET /k HTTP/1.1\r\nhost: h\r\n\r\n"
BODY = bytes(range(256)) * 40
HEAD = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n"
LAST = b"0\r\n\r\n"
MOST = 1_000_000


def address(port):
    return Address(HOST, port, None, DEADLINE, DEADLINE)


def opened(port):
    line = Line(address(port))
    line.open()
    return line


def saying(*pieces):
    """A server that reads a request and says some pieces."""

    def serve(connection, _number):
        request(connection)
        for piece in pieces:
            connection.sendall(piece)

    return serve


def unwatched(_line):
    """Do not care which line is used."""


def chunk(data, extension=b""):
    return b"%x" % len(data) + extension + b"\r\n" + data + b"\r\n"


def chunked(body=BODY, size=1000):
    return b"".join(chunk(body[at : at + size]) for at in range(0, len(body), size)) + LAST


def collected(line, most=MOST, buffer=700):
    head = line.ask(GET, chunks=True)
    assert (head.status, head.chunked, head.length) == (200, True, 0)
    return line.collect(memoryview(bytearray(buffer)), most)


@given(st.lists(st.binary(min_size=1, max_size=50), max_size=5), st.integers(1, 40))
@settings(deadline=None)
def test_a_body_is_what_its_chunks_hold_however_they_come(parts, size):
    """Cut anywhere: within a size, an end of line, a chunk."""
    sent = b"".join(map(chunk, parts)) + LAST
    chunks = Chunks(HEAD)

    for at in range(0, len(sent), size):
        assert not chunks.complete
        chunks.feed(sent[at : at + size])

    assert chunks.complete
    assert chunks.body() == b"".join(parts)


@pytest.mark.parametrize("size", [1, 7, 1000, 10**6])
def test_a_line_reads_chunks_of_any_size_and_may_be_used_again(size):
    """Also where all of it comes with the head."""

    def serve(connection, _number):
        while request(connection):
            connection.sendall(HEAD + chunked(size=size))

    with Raw(serve) as server, contextlib.closing(opened(server.port)) as line:
        for _ in range(3):
            assert collected(line) == BODY
            assert line.reusable

    assert server.connections == 1


def test_extensions_and_a_trailer_are_no_part_of_the_body():
    """RFC 9112, 7.1.1 and 7.1.2: who does not know them ignores them."""
    body = (
        chunk(b"ab", b";name=value") + chunk(b"c", b';q="1;2"') + b"0;last\r\nx-amz-sum: 1\r\n\r\n"
    )
    with Raw(saying(HEAD + body)) as server, contextlib.closing(opened(server.port)) as line:
        assert collected(line) == b"abc"
        assert line.reusable


@pytest.mark.parametrize("left", [1, 2, 5, 6, 7, 500])
def test_a_body_that_breaks_off_is_an_error(left):
    """Within a chunk, or before the last one, or within that."""
    sent = chunked(size=len(BODY))[:-left]
    with Raw(saying(HEAD + sent)) as server, contextlib.closing(opened(server.port)) as line:
        with pytest.raises(ConnectionResetError):
            collected(line)

        assert not line.reusable


@pytest.mark.parametrize(
    "sent",
    [
        b"xyz\r\nabc\r\n" + LAST,
        b"-1\r\n" + LAST,
        b"2\r\nabc\r\n" + LAST,
        b"f" * 40 + b"\r\nabc",
        b"\r\n" + LAST,
        LAST + b"HTTP/1.1 200 OK\r\ncontent-length: 1\r\n\r\nx",
        LAST + b"stray",
    ],
)
def test_what_is_no_chunk_is_for_the_client_to_judge(sent):
    """Nor is anything that stands behind the last."""
    with Raw(saying(HEAD + sent)) as server, contextlib.closing(opened(server.port)) as line:
        with pytest.raises(Unplain):
            collected(line)

        assert not line.reusable


def test_chunks_without_end_are_given_up():
    """A body of no length is bounded by who reads it, extensions and all."""
    body = chunk(b"a", b";" + b"x" * 4000) * 100
    with Raw(saying(HEAD, body + LAST)) as server, contextlib.closing(opened(server.port)) as line:
        with pytest.raises(Unplain):
            collected(line, most=20_000)

        assert not line.reusable


@pytest.mark.parametrize(
    "coding",
    [
        b"transfer-encoding: gzip, chunked",
        b"transfer-encoding: chunked\r\ncontent-length: 3",
        b"content-length: 3\r\ntransfer-encoding: chunked",
        b"transfer-encoding: identity",
    ],
)
def test_other_codings_are_for_the_client_to_judge(coding):
    """Two lengths, of which one must be wrong, above all."""
    with pytest.raises(Unplain):
        read_head(memoryview(b"HTTP/1.1 200 OK\r\n" + coding + b"\r\n\r\n"), chunks=True)


def test_chunks_are_plain_only_for_who_takes_them():
    """A transfer counts on the length."""
    with Raw(saying(HEAD + chunked())) as server, contextlib.closing(opened(server.port)) as line:
        with pytest.raises(Unplain):
            line.ask(GET)

        assert not line.reusable


def test_a_pool_keeps_no_line_whose_chunks_were_not_read():
    """What is left of them would be the next answer."""

    def serve(connection, number):
        request(connection)
        connection.sendall(HEAD + chunked() if not number else answer(b"second"))

    with Raw(serve) as server, contextlib.closing(Pool()) as lines:
        first, _ = lines.ask(address(server.port), GET, tuple, unwatched, chunks=True)
        lines.give_back(first)
        second, head = lines.ask(address(server.port), GET, tuple, unwatched, chunks=True)
        data = bytearray(head.length)
        second.fill(memoryview(data))
        lines.give_back(second)

    assert data == b"second"
    assert server.connections == 2


def test_a_line_without_chunks_has_none_to_collect():
    """It is not read twice."""
    with pytest.raises(ConnectionAbortedError):
        Line(address(1)).collect(memoryview(bytearray(1)), MOST)

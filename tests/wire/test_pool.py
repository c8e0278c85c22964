"""Idle connections: used again where that is safe, and closed where it is not, or not needed."""

from __future__ import annotations

import contextlib
import ssl
import threading

import pytest
import trustme

from raw import DEADLINE, HOST, Raw, answer, request
from s3magic.wire.http1 import Address
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

"""Where a name leads: a place that fails is left for the next, and goes behind it."""

from __future__ import annotations

import contextlib
import socket

import pytest

from raw import DEADLINE, HOST, Raw, answer, request, silent
from s3magic.wire import addresses
from s3magic.wire.addresses import Address
from s3magic.wire.http1 import Line

GET = b"GET / HTTP/1.1\r\nhost: h\r\n\r\n"
ADDRESS = Address("h", 80, None, DEADLINE, DEADLINE)
KIND = (socket.AF_INET, socket.SOCK_STREAM, 0)


def lead(monkeypatch, *names):
    """Have every host's name stand for these places, in this order; gives them."""
    found = tuple(addresses.Place(KIND, name) for name in names)
    monkeypatch.setattr(addresses, "_looked_up", lambda *_: found)
    monkeypatch.setattr(addresses, "_missed", {})
    return found


def order():
    return [place.name for place, _ in addresses.places(ADDRESS)]


def test_a_place_that_failed_goes_behind_the_others(monkeypatch):
    """The one that failed last is the last; the others keep their order."""
    first, second, _ = lead(monkeypatch, ("a", 1), ("b", 1), ("c", 1))

    addresses.missed(second, OSError())
    after_one = order()
    addresses.missed(first, OSError())

    assert after_one == [("a", 1), ("c", 1), ("b", 1)]
    assert order() == [("c", 1), ("b", 1), ("a", 1)]


def test_only_the_last_is_waited_for_as_long_as_it_was_asked_for(monkeypatch):
    """A short patience is nobody's longer one."""
    lead(monkeypatch, ("a", 1), ("b", 1))

    patient = [seconds for _, seconds in addresses.places(ADDRESS)]
    hasty = [seconds for _, seconds in addresses.places(Address("h", 80, None, 0.5, DEADLINE))]

    assert patient == [1.0, DEADLINE]
    assert hasty == [0.5, 0.5]


def test_what_is_remembered_has_an_end(monkeypatch):
    """A name may lead to others every minute."""
    monkeypatch.setattr(addresses, "_missed", {})

    for number in range(1000):
        addresses.missed(addresses.Place(KIND, ("h", number)), OSError())

    assert len(addresses._missed) <= 256


def test_a_name_is_looked_up(monkeypatch):
    """By the system, for its places of either kind."""
    monkeypatch.setattr(addresses, "_missed", {})
    with socket.create_server((HOST, 0)) as server:
        port = server.getsockname()[1]

        found = addresses.places(Address(HOST, port, None, DEADLINE, DEADLINE))

    assert [place.name for place, _ in found] == [(HOST, port)]


def test_a_line_leaves_a_silent_place_for_the_next_once(monkeypatch):
    """The next line begins with the one that answered."""
    monkeypatch.setattr(addresses, "_MOMENT", 0.1)

    def serve(connection, _number):
        assert request(connection)
        connection.sendall(answer())

    with Raw(serve) as server, silent() as nowhere:
        lead(monkeypatch, nowhere, (HOST, server.port))
        with contextlib.closing(Line(ADDRESS)) as line:
            line.open()
            head = line.ask(GET)

    assert head.status == 200
    assert order() == [(HOST, server.port), nowhere]


def test_a_silent_place_is_no_slow_server(monkeypatch):
    """Who asks too much is told in another way."""
    with silent() as nowhere, contextlib.closing(Line(Address("h", 80, None, 0.1, 1.0))) as line:
        lead(monkeypatch, nowhere)

        with pytest.raises(ConnectionError, match="in time"):
            line.open()

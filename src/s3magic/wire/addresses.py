"""Where a server's name leads: those of its places first that have not failed.

A name may stand for several, and the first of them for one that nobody reaches
from here, as with an IPv6 that some network on the way loses. So a place that
failed goes behind the others for the connections that follow, and while there
are others, one that says nothing is waited for but a moment. RFC 8305 tries
them side by side, which gains that moment once.
"""

from __future__ import annotations

import functools
import socket
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import ssl

__all__ = ["Address", "Place", "missed", "places"]

_MOMENT = 1.0  # seconds: longer than any way there and back, in orbit too
_REMEMBERED = 256  # places that failed, at most


@dataclass(frozen=True, slots=True)
class Address:
    """Where a server listens, and how long to wait for it.

    Args:
        host: Its name or number.
        port: Its port.
        tls: How to talk TLS, and whom to trust; None for plain text.
        connect_timeout: Seconds until a connection attempt is given up.
        read_timeout: Seconds of silence until a request is given up.
    """

    host: str
    port: int
    tls: ssl.SSLContext | None
    connect_timeout: float
    read_timeout: float


@dataclass(frozen=True, slots=True)
class Place:
    """One place where a server may listen.

    Args:
        kind: What `socket.socket` is to be given.
        name: What `connect` is to be given.
    """

    kind: tuple[int, int, int]
    name: Any


_missed: dict[Place, float] = {}  # when a connection last failed there


def places(address: Address) -> list[tuple[Place, float]]:
    """Look an address up, once a minute, which blocks for that moment.

    Returns:
        Its places in the order in which to try them, and the seconds for which
        to wait for each.
    """
    found = sorted(
        _looked_up(address.host, address.port, int(time.monotonic() / 60)),
        key=lambda place: _missed.get(place, 0.0),
    )
    soon = min(_MOMENT, address.connect_timeout)
    return [(place, soon) for place in found[:-1]] + [(found[-1], address.connect_timeout)]


def missed(place: Place, error: OSError) -> OSError:
    """Note that no connection came about; gives what to raise if there is no other place.

    That is no `TimeoutError`, which says of a server that it is there, and slow.
    """
    if len(_missed) >= _REMEMBERED:
        _missed.clear()
    _missed[place] = time.monotonic()
    return ConnectionError("no connection in time") if isinstance(error, TimeoutError) else error


@functools.lru_cache(maxsize=64)
def _looked_up(host: str, port: int, _minute: int) -> tuple[Place, ...]:
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)  # one at least, or it raises
    return tuple(Place((family, kind, number), name) for family, kind, number, _, name in found)

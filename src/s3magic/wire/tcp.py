"""Opens a connection to a server, plain or TLS, which any thread can end.

It knows nothing of what is said on it.
"""

from __future__ import annotations

import contextlib
import socket
import ssl
from typing import TYPE_CHECKING

from s3magic.wire.addresses import missed, places
from s3magic.wire.outgoing import READABLE, awaited

if TYPE_CHECKING:
    from s3magic.wire.addresses import Address

__all__ = ["Connection"]


class Connection:
    """One connection. Blocks; only `abort` may be called from another thread.

    Args:
        address: Where to.
    """

    def __init__(self, address: Address) -> None:
        self.address = address
        self.socket: socket.socket | None = None
        self.soft = False
        """Whether its socket does not block."""
        self._aborted = False

    def open(self) -> None:
        """Connect."""
        at = self.address
        sock = self._connected()
        secure: ssl.SSLSocket | None = None
        try:
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if at.tls is not None:
                sock = secure = at.tls.wrap_socket(
                    sock, server_hostname=at.host, do_handshake_on_connect=False
                )
        except BaseException:
            sock.close()
            raise
        self.socket = sock
        if self._aborted:  # from here on `abort` finds it
            raise ConnectionAbortedError
        if secure is not None:
            secure.do_handshake()
        sock.settimeout(at.read_timeout)

    @property
    def quiet(self) -> bool:
        """Whether nothing has come to be read: no stray byte, and not the end."""
        if self.socket is None:
            return False
        if isinstance(self.socket, ssl.SSLSocket) and self.socket.pending():
            return False  # it came with what was read last, and is decrypted already
        return not awaited(self.socket, READABLE, 0)

    @property
    def aborted(self) -> bool:
        """Whether `abort` was called."""
        return self._aborted

    def abort(self) -> None:
        """End whatever it waits for. From any thread."""
        self._aborted = True
        if self.socket is not None:
            with contextlib.suppress(OSError):
                # Not SSLSocket's own, which forgets its TLS while another thread reads.
                socket.socket.shutdown(self.socket, socket.SHUT_RDWR)

    def close(self) -> None:
        """Close it."""
        if self.socket is not None:
            self.socket.close()

    def _connected(self) -> socket.socket:
        """Connect to the first of the server's addresses that answers.

        It does what `socket.create_connection` does, which nobody could end.
        """
        at = self.address
        failed = OSError("it has no address")
        for place, patience in places(at):
            try:
                sock = self.socket = socket.socket(*place.kind)
                sock.settimeout(patience)
                if self._aborted:  # from here on `abort` finds it
                    raise ConnectionAbortedError
                sock.connect(place.name)
            except OSError as error:
                self.close()
                if self._aborted:
                    raise
                failed = missed(place, error)
            else:
                sock.settimeout(at.connect_timeout)
                return sock
        raise failed

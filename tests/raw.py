"""A server of bare sockets: each connection is served by a function of the test's own.

It runs in threads, so that the blocking code of the wire can be tried from the
test's own thread, and says whatever bytes the test has it say.
"""

from __future__ import annotations

import contextlib
import socket
import threading

HOST = "127.0.0.1"
DEADLINE = 20.0  # seconds after which a test has failed


class Raw:
    """The server.

    Args:
        serve: Called with each connection and its number, from 0 on, in a
            thread; the connection is closed behind it.
        tls: How to talk TLS; None for plain text.
    """

    def __init__(self, serve, tls=None):
        self._serve = serve
        self._tls = tls
        self._threads = []
        self._open = []
        self.errors = []
        self.connections = 0

    def __enter__(self):
        self._listener = socket.create_server((HOST, 0))
        self.port = self._listener.getsockname()[1]
        self._accepting = threading.Thread(target=self._accept, daemon=True)
        self._accepting.start()
        return self

    def __exit__(self, *_exception):
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)  # wakes the thread that accepts
        self._listener.close()
        self._accepting.join(DEADLINE)
        for connection in self._open:
            with contextlib.suppress(OSError):
                socket.socket.shutdown(connection, socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join(DEADLINE)
            assert not thread.is_alive()
        if self.errors and _exception == (None, None, None):
            raise self.errors[0]

    def _accept(self):
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            thread = threading.Thread(
                target=self._one, args=(connection, self.connections), daemon=True
            )
            self.connections += 1
            self._threads.append(thread)
            thread.start()

    def _one(self, connection, number):
        try:
            connection.settimeout(DEADLINE)
            if self._tls is not None:
                connection = self._tls.wrap_socket(connection, server_side=True)
            self._open.append(connection)
            self._serve(connection, number)
        except OSError:
            pass  # the client went: what it saw is what the test looks at
        except BaseException as error:  # noqa: BLE001 - raised where the test ends
            self.errors.append(error)
        finally:
            connection.close()


@contextlib.contextmanager
def silent():
    """Give the name of a place where nobody answers: its queue is full, and stays so."""
    with contextlib.ExitStack() as stack:
        listener = stack.enter_context(socket.socket())
        listener.bind((HOST, 0))
        listener.listen(0)
        for _ in range(8):
            waiting = stack.enter_context(socket.socket())
            waiting.setblocking(False)
            waiting.connect_ex(listener.getsockname())
        yield listener.getsockname()


def request(connection):
    """Read a request, head and body; nothing where the client has closed."""
    data = b""
    while b"\r\n\r\n" not in data:
        more = connection.recv(65536)
        if not more:
            return b""
        data += more
    head, _, body = data.partition(b"\r\n\r\n")
    length = 0
    for line in head.split(b"\r\n"):
        name, _, value = line.partition(b":")
        if name.lower() == b"content-length":
            length = int(value)
    while len(body) < length:
        more = connection.recv(65536)
        if not more:
            return b""
        body += more
    return head + b"\r\n\r\n" + body


def answer(body=b"", status=200, **headers):
    """Write an answer."""
    lines = [f"HTTP/1.1 {status} Said", f"content-length: {len(body)}"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body

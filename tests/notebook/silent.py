"""A server that accepts a connection and then says nothing, for as long as it lives."""

import socket
import threading


class Silent:
    """Use it as a context manager; `asked` is set when a request has come in.

    Example:
        with Silent() as server:
            server.environment
    """

    def __enter__(self):
        self.asked = threading.Event()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._taken = []
        self._thread = threading.Thread(target=self._accept, daemon=True)
        self._thread.start()
        host, port = self._listener.getsockname()
        self.endpoint_url = f"http://{host}:{port}"
        self.environment = {
            "AWS_ACCESS_KEY_ID": "AKIDEXAMPLE",
            "AWS_SECRET_ACCESS_KEY": "secret-of-nobody",
            "AWS_ENDPOINT_URL_S3": self.endpoint_url,
            "AWS_DEFAULT_REGION": "us-east-1",
        }
        return self

    def __exit__(self, *exc_info):
        # Shut down before closing: a close alone does not wake the accept.
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join(10)
        for connection in self._taken:
            connection.close()

    def _accept(self):
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            self._taken.append(connection)
            if connection.recv(1):
                self.asked.set()

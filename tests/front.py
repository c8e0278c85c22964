"""A door before an S3 server: it notes what is asked, and can slow down, or fall silent.

It runs in a thread of its own, so that a kernel, a process, or the test's own
loop can go through it. What goes through is not changed: signatures hold.
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
import urllib.parse
from collections import Counter

from liar import operation
from s3magic.server_probe import HOST, REGION
from serving import serving

_BLOCK = 64 * 1024
_SLOW = 0.1  # seconds that each block waits at a slow door


class Front:
    """Use it as a context manager; `asked` are S3's names of the requests, in their order.

    Args:
        server: The server behind it.

    Example:
        with Front(seaweed) as front:
            front.environment
    """

    def __init__(self, server):
        self._port = int(server.endpoint_url.rpartition(":")[2])
        self.access_key, self.secret_key = server.access_key, server.secret_key
        self.asked = []
        self.reached = threading.Event()
        self.forget()

    def __enter__(self):
        ready = threading.Event()
        self._thread = threading.Thread(target=asyncio.run, args=(self._run(ready),))
        self._thread.start()
        assert ready.wait(30)
        return self

    def __exit__(self, *exc_info):
        self._loop.call_soon_threadsafe(self._over.set)
        self._thread.join(30)

    @property
    def environment(self):
        return {
            "AWS_ACCESS_KEY_ID": self.access_key,
            "AWS_SECRET_ACCESS_KEY": self.secret_key,
            "AWS_ENDPOINT_URL_S3": self.endpoint_url,
            "AWS_DEFAULT_REGION": REGION,
        }

    def forget(self):
        """Forget what was asked, and let everything through."""
        self.asked.clear()
        self.passed = 0
        self._requests = self._size = 0
        self._then = ""
        self.reached.clear()

    def then(self, what, *, requests=1, size=0):
        """Have it change after so many requests, and so many bytes, in all.

        `reached` is set at that moment.

        Args:
            what: ``slow`` or ``silent``.
            requests: How many.
            size: How many bytes, both ways together.
        """
        self.forget()
        self._requests, self._size = requests, size
        self._then = what

    def counts(self):
        """Say how often each operation was asked for."""
        return dict(Counter(self.asked))

    async def _run(self, ready):
        self._loop = asyncio.get_running_loop()
        self._over = asyncio.Event()
        async with serving(self._serve) as port:
            self.endpoint_url = f"http://{HOST}:{port}"
            ready.set()
            await self._over.wait()

    async def _serve(self, reader, writer):
        behind = None
        try:
            there, behind = await asyncio.open_connection(HOST, self._port, limit=2**20)
            ways = (self._to_server(reader, behind), self._to_client(there, writer))
            ways = [asyncio.ensure_future(way) for way in ways]
            try:
                await asyncio.wait(ways, return_when="FIRST_COMPLETED")
            finally:
                for way in ways:
                    way.cancel()
                await asyncio.gather(*ways, return_exceptions=True)
        except (OSError, asyncio.CancelledError):
            pass  # one of the three is gone: so is this connection
        finally:
            if behind is not None:
                behind.transport.abort()

    async def _to_server(self, reader, writer):
        while True:
            head = await reader.readuntil(b"\r\n\r\n")
            line, _, rest = head.decode("latin-1").partition("\r\n")
            method, target, _ = line.split(" ")
            path, _, query = target.partition("?")
            fields = urllib.parse.parse_qs(query, keep_blank_values=True)
            self.asked.append(operation(method, path.lstrip("/").partition("/")[2], fields))
            await self._pass(writer, head)
            lengths = [
                int(header.partition(":")[2])
                for header in rest.split("\r\n")
                if header.lower().startswith("content-length:")
            ]
            left = sum(lengths)
            while left:
                block = await reader.readexactly(min(left, _BLOCK))
                left -= len(block)
                await self._pass(writer, block)

    async def _to_client(self, reader, writer):
        while block := await reader.read(_BLOCK):
            await self._pass(writer, block)

    async def _pass(self, writer, block):
        self.passed += len(block)
        if self._then and len(self.asked) >= self._requests and self.passed >= self._size:
            self.reached.set()
            await asyncio.sleep(_SLOW)
            while self._then == "silent":  # noqa: ASYNC110 - another thread ends it
                await asyncio.sleep(_SLOW)
        writer.write(block)
        with contextlib.suppress(ConnectionError):
            await writer.drain()


@contextlib.contextmanager
def in_thread(server):
    """Run an asynchronous context manager, a `Liar` for example, on a loop in a thread."""
    ready = threading.Event()

    async def run():
        nonlocal end
        loop, over = asyncio.get_running_loop(), asyncio.Event()
        async with server:
            end = lambda: loop.call_soon_threadsafe(over.set)  # noqa: E731
            ready.set()
            await over.wait()

    end = lambda: None  # noqa: E731
    thread = threading.Thread(target=asyncio.run, args=(run(),))
    thread.start()
    try:
        assert ready.wait(30)
        yield server
    finally:
        end()
        thread.join(30)

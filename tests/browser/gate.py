"""A TCP proxy on loopback that lets so many bytes through, and then hardly any.

With it "half-way" is a place and not a moment: a transfer gets there at full
speed and stays as long as a test wants to look.
"""

from __future__ import annotations

import asyncio
import contextlib
import math
import threading
from urllib.parse import urlsplit

from s3magic.server_probe import HOST
from serving import serving

_CHUNK = 64 * 1024


class Gate:
    """The proxy, in a thread of its own; open until `narrow` is called.

    Args:
        target: The URL of the server behind it.
    """

    def __init__(self, target):
        self._target = urlsplit(target)
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="gate")

    def __enter__(self):
        self._thread.start()
        self.open()
        self._serving = serving(self._connected)
        self.url = f"http://{HOST}:{self._call(self._serving.__aenter__())}"
        return self

    def __exit__(self, *exc_info):
        self._call(self._serving.__aexit__(None, None, None))
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def narrow(self, after, rate):
        """Let `after` bytes through from now on, both ways counted, then `rate` a second."""
        self._call(self._set(after, rate))

    def open(self):
        """Let everything through, also what waits now."""
        self._call(self._set(math.inf, math.inf))

    def _call(self, coroutine):
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result(60)

    async def _set(self, free, rate):
        self._free, self._rate, self._due = free, rate, 0.0
        if hasattr(self, "_changed"):
            self._changed.set()
        self._changed = asyncio.Event()

    async def _connected(self, reader, writer):
        try:
            to, back = await asyncio.open_connection(self._target.hostname, self._target.port)
        except OSError:
            return
        async with asyncio.TaskGroup() as group:
            group.create_task(self._pump(reader, back))
            group.create_task(self._pump(to, writer))

    async def _pump(self, reader, writer):
        with contextlib.suppress(OSError):
            try:
                while chunk := await reader.read(_CHUNK):
                    await self._pass(len(chunk))
                    writer.write(chunk)
                    await writer.drain()
            finally:
                writer.close()
            await writer.wait_closed()

    async def _pass(self, size):
        self._free -= size
        if self._free >= 0:
            return
        now = self._loop.time()
        self._due = max(now, self._due) + size / self._rate
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._changed.wait(), self._due - now)

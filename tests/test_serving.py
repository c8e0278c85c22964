"""The tests' own servers leave nothing open: what they leave would fail a later test."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import socket

import pytest

from s3magic.server_probe import HOST
from serving import serving


@pytest.mark.parametrize("turns", range(6))
async def test_no_connection_outlives_its_server(turns):
    """Also none that was accepted a few turns of the loop before the end."""

    async def talk(_reader, _writer):
        await asyncio.Event().wait()

    async with serving(talk) as port:
        end = socket.create_connection((HOST, port))
        for _ in range(turns):
            await asyncio.sleep(0)
    reader, writer = await asyncio.open_connection(sock=end)

    with contextlib.suppress(ConnectionError):
        async with asyncio.timeout(30):
            assert await reader.read() == b""
    writer.close()
    gc.collect()  # an open transport complains when it is collected

"""A test's own server: each of its connections is talked to in a task, and none outlives it."""

from __future__ import annotations

import asyncio
import contextlib

from s3magic.server_probe import HOST


@contextlib.asynccontextmanager
async def serving(talk, **options):
    """Serve on a free port for as long as the block lasts; gives the port.

    A task that is cancelled before its first step runs nothing of its own, not
    even what closes its connection. So it is the server that cuts each
    connection behind its task.

    Args:
        talk: A coroutine function, given the reader and the writer of a
            connection. What it wrote and did not drain is lost when it ends.
        options: What `asyncio.start_server` takes besides.
    """
    tasks = {}
    open_ = True

    def connected(reader, writer):
        if not open_:  # accepted before the server closed, and made after it
            writer.transport.abort()
            return
        task = asyncio.ensure_future(talk(reader, writer))
        tasks[task] = writer
        task.add_done_callback(lambda _: tasks.pop(task).transport.abort())

    server = await asyncio.start_server(connected, HOST, 0, limit=2**20, backlog=1024, **options)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        open_ = False
        for listening in server.sockets:
            asyncio.get_running_loop().remove_reader(listening.fileno())
        await asyncio.sleep(0)  # a turn for what was accepted: a closed server would leave it open
        server.close()
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(list(tasks))

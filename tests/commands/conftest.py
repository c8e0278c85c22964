"""Fixtures for the verbs: the test's server as the connection, and no progress in sight."""

from __future__ import annotations

import contextlib

import pytest
from aiohttp import web

from s3magic import session
from s3magic.commands.running import asking
from s3magic.commands.showing import displays
from s3magic.transfer.watching import Silent


@pytest.fixture
async def connected(s3):
    """The verbs, connected to the server that the test's bucket is on."""
    session.connect(
        endpoint_url=s3.server.endpoint_url,
        aws_access_key_id=s3.server.access_key,
        aws_secret_access_key=s3.server.secret_key,
        region="us-east-1",
    )
    displays.use(lambda _: Silent())
    yield s3
    displays.reset()
    await session.close()
    session.connect(reset=True)  # what follows reaches what its own environment says


@pytest.fixture
async def refusing():
    """Connect the verbs to a server that answers everything with a status, and nothing else."""
    async with contextlib.AsyncExitStack() as stack:

        async def start(status):
            async def handler(_request):
                return web.Response(status=status)

            app = web.Application()
            app.router.add_route("*", "/{tail:.*}", handler)
            runner = web.AppRunner(app)
            await runner.setup()
            stack.push_async_callback(runner.cleanup)
            await web.TCPSite(runner, "127.0.0.1", 0).start()
            session.connect(
                endpoint_url=f"http://127.0.0.1:{runner.addresses[0][1]}",
                aws_access_key_id="testing",
                aws_secret_access_key="testing",
                region="us-east-1",
            )
            stack.push_async_callback(session.close)

        yield start


@pytest.fixture
def asked():
    """Somebody who can be asked: the questions so far, and the answer to all of them."""

    class Reader(list):
        answer = True

        async def _reply(self):
            return self.answer

        def ask(self, question):
            self.append(question)
            return self._reply()

    reader = Reader()
    asking.use(reader.ask)
    yield reader
    asking.reset()

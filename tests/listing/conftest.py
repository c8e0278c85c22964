"""A client of the test's server, and a server that answers LIST as a test tells it to."""

from __future__ import annotations

import contextlib

import pytest
from aiobotocore.config import AioConfig
from aiobotocore.session import get_session
from aiohttp import web


@contextlib.asynccontextmanager
async def client_of(endpoint_url, access_key="testing", secret_key="testing"):
    """Open a plain aiobotocore client, as a user would, that does not retry for long."""
    async with get_session().create_client(
        "s3",
        endpoint_url=endpoint_url,
        aws_access_key_id=access_key,
        aws_secret_access_key=secret_key,
        region_name="us-east-1",
        config=AioConfig(retries={"max_attempts": 1}, s3={"addressing_style": "path"}),
    ) as client:
        yield client


@pytest.fixture
async def client(s3):
    """A plain client of the server that has the test's bucket."""
    server = s3.server
    async with client_of(server.endpoint_url, server.access_key, server.secret_key) as client:
        yield client


@pytest.fixture
async def scripted():
    """Start servers that answer each request with what a function gives: XML, or status and XML."""
    async with contextlib.AsyncExitStack() as stack:

        async def start(answer):
            requests = []

            async def respond(request):
                requests.append(dict(request.query))
                given = answer(request.query)
                status, body = given if isinstance(given, tuple) else (200, given)
                return web.Response(status=status, text=body, content_type="application/xml")

            app = web.Application()
            app.router.add_get("/{tail:.*}", respond)
            runner = web.AppRunner(app)
            await runner.setup()
            stack.push_async_callback(runner.cleanup)
            site = web.TCPSite(runner, "127.0.0.1", 0)
            await site.start()
            port = runner.addresses[0][1]
            client = await stack.enter_async_context(client_of(f"http://127.0.0.1:{port}"))
            return client, requests

        yield start

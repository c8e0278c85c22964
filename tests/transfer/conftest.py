"""Fixtures for transfers: a server that lies, and a watch for what a transfer leaves behind."""

from __future__ import annotations

import asyncio
import gc
import ssl

import pytest
import pytest_asyncio
import trustme

from liar import Liar
from s3magic import session, settings
from s3magic.server_probe import HOST

# Where what is sent, received or broken off is at stake; over TLS that is other code.
SECURE = {"test_direct", "test_ranges", "test_sizes", "test_swift"}


def pytest_generate_tests(metafunc):
    """Run what needs the lying server on either way, and some of it over TLS too."""
    if "lair" in metafunc.fixturenames:
        ways = ["fast", "ordinary"]
        if metafunc.module.__name__.rpartition(".")[2] in SECURE:
            ways.append("tls")
        metafunc.parametrize("lair", ways, indirect=True, scope="module")


@pytest.fixture(scope="session")
def authority(tmp_path_factory):
    """A certificate for the lying server, and a file that says whom to trust for it."""
    made = trustme.CA()
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    made.issue_cert(HOST).configure_cert(tls)
    trusted = tmp_path_factory.mktemp("authority") / "ca.pem"
    made.cert_pem.write_to_path(trusted)
    return tls, str(trusted)


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def lair(request, authority):
    """The lying server, and one client connected to it, for a whole module; on either way."""
    async with Liar(*authority if request.param == "tls" else ()) as liar:
        settings.change(
            attempts=2,
            read_timeout=10.0,
            multipart_threshold=5 * settings.MiB,
            fast=request.param != "ordinary",
        )
        session.connect(
            endpoint_url=liar.endpoint_url,
            region="us-east-1",
            aws_access_key_id="testing",
            aws_secret_access_key="testing",
            aws_session_token="a-session-token",
            verify=liar.trusted,
        )
        yield liar
        gc.collect()  # an unclosed socket warns here, and a warning is an error
        await session.close()
        session.connect(reset=True)  # what follows reaches what its own environment says
        before = settings.Settings()
        settings.change(
            attempts=before.attempts,
            read_timeout=before.read_timeout,
            multipart_threshold=before.multipart_threshold,
            fast=before.fast,
        )


@pytest_asyncio.fixture(loop_scope="module")
async def liar(lair):
    """The lying server, honest again; at the end nothing of ours may be open."""
    lair.reset()
    way = settings.defaults().fast
    yield lair
    settings.change(fast=way)  # a test may have left the way that it was to go
    # An abort may go on by itself for a while; nothing else of ours may run on.
    if ending := {task for task in ours() if task.get_name() == "s3magic-abort"}:
        await asyncio.wait(ending, timeout=10)
    assert await held() == 0, "an answer was left open"
    assert not lair.uploads, "a multipart upload was left open"
    assert {task.get_name() for task in ours()} <= {"s3magic-connect"}


def ours():
    """Give the tasks that this package began."""
    return [task for task in asyncio.all_tasks() if task.get_name().startswith("s3magic-")]


async def held():
    """Count the connections that somebody still holds."""
    client = await session.client()
    sessions = client._endpoint.http_session._sessions or {}
    return sum(len(one.connector._acquired) for one in sessions.values())

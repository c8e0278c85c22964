"""A bucket of another region than the client's: found by the client, and then the wire's."""

from __future__ import annotations

import asyncio

import pytest

from liar import Liar, error
from s3magic import session
from s3magic.commands.get import get

MANY = 60  # as many as are under way at once to begin with


@pytest.fixture
async def server(environment):
    """A lying server, and a client of it that knows nothing yet."""
    async with Liar() as liar:
        for name, value in liar.environment.items():
            environment.setenv(name, value)
        session.connect(reset=True)
        yield liar
        await session.close()
        session.connect(reset=True)


def astray(request):
    """Whether a request was signed for another region than the bucket's."""
    return "/eu-north-9/" not in request.headers["authorization"]


def moved(*_):
    """What S3 says then."""
    answer = error(301, "PermanentRedirect", Bucket="lies")
    answer.headers |= {"x-amz-bucket-region": "eu-north-9"}
    return answer


def malformed(*_):
    """What it says elsewhere."""
    return error(400, "AuthorizationHeaderMalformed", Region="eu-north-9")


@pytest.mark.parametrize("refusal", [moved, malformed])
async def test_small_objects_of_another_region_take_the_wire_in_the_end(
    server, monkeypatch, tmp_path, refusal
):
    """Though many were under way, and refused, before the client knew the region."""
    server.objects |= {f"a/{number:03}": b"x" * 100 for number in range(MANY)}
    all_came = asyncio.Event()

    async def refuse(*_):
        if len(server.asked("GetObject")) >= MANY:
            all_came.set()
        await all_came.wait()
        return refusal()

    server.lie("GetObject", refuse, when=astray)

    first = await get(server.uri("a/"), tmp_path / "1", recursive=True, progress="none")
    refused = sum(map(astray, server.asked("GetObject")))
    monkeypatch.setattr("s3magic.wire.wire._AGAIN", 0.0)  # as if a second had gone by
    server.requests.clear()
    second = await get(server.uri("a/"), tmp_path / "2", recursive=True, progress="none")

    assert refused >= MANY
    assert set(first.Status) == set(second.Status) == {"done"}
    assert len(server.asked("GetObject")) == MANY
    assert not any("amz-sdk-invocation-id" in one.headers for one in server.asked("GetObject"))

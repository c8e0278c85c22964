"""Runs of deletions, against a server that answers as a test wants it to."""

from __future__ import annotations

import asyncio
import contextlib
import re

import pytest
from aiobotocore.config import AioConfig
from aiobotocore.session import get_session
from aiohttp import web

from cutting import through
from s3magic.errors import (
    AccessDenied,
    ConnectionFailed,
    NoSuchBucket,
    NotSupported,
    ObjectChanged,
)
from s3magic.transfer import deletion
from s3magic.transfer.deletion import Deletion
from s3magic.transfer.outcomes import Name, Outcome
from s3magic.transfer.window import stream

KEY = re.compile(r"<Key>(.*?)</Key>")


@pytest.fixture
async def serving():
    """Start servers of one handler, each with a client that does not try again."""
    async with contextlib.AsyncExitStack() as stack:

        async def start(handler):
            app = web.Application(client_max_size=2**26)
            app.router.add_route("*", "/{tail:.*}", handler)
            runner = web.AppRunner(app, shutdown_timeout=0)
            await runner.setup()
            stack.push_async_callback(runner.cleanup)
            await web.TCPSite(runner, "127.0.0.1", 0).start()
            made = get_session().create_client(
                "s3",
                endpoint_url=f"http://127.0.0.1:{runner.addresses[0][1]}",
                aws_access_key_id="testing",
                aws_secret_access_key="testing",
                region_name="us-east-1",
                config=AioConfig(retries={"max_attempts": 0}, s3={"addressing_style": "path"}),
            )
            return await stack.enter_async_context(made)

        yield start


@pytest.fixture
def quick(monkeypatch):
    """Requests of two names, and no pause before another try."""
    monkeypatch.setattr(deletion, "BATCH", 2)
    monkeypatch.setattr(deletion, "_PAUSE", 0.0)


class Told(list):
    """What a run told, name by name."""

    def __call__(self, outcomes):
        self += outcomes

    @property
    def ends(self):
        return {one.name.key: type(one.error) if one.error else "gone" for one in self}


def names(*keys, bucket="bucket"):
    return stream([Name(bucket, key) for key in keys])


def answer(*keys, code=""):
    """Give an answer in which these keys are gone, or failed."""
    rows = "".join(
        f"<Error><Key>{key}</Key><Code>{code}</Code></Error>"
        if code
        else f"<Deleted><Key>{key}</Key></Deleted>"
        for key in keys
    )
    return web.Response(text=f"<DeleteResult>{rows}</DeleteResult>")


def refusal(status, code):
    return web.Response(status=status, text=f"<Error><Code>{code}</Code></Error>")


async def test_names_of_several_buckets_go_in_their_own_requests(serving, quick):
    """Full ones as they fill, the rest at the end."""
    asked = []

    async def handler(request):
        keys = KEY.findall(await request.text())
        asked.append((request.path, keys))
        return answer(*keys)

    told = Told()
    mixed = [Name(bucket, key) for key in ("1", "2", "3") for bucket in ("one", "two")]

    await Deletion(await serving(handler), told).run(stream(mixed))

    assert sorted(asked) == [
        ("/one", ["1", "2"]), ("/one", ["3"]), ("/two", ["1", "2"]), ("/two", ["3"]),
    ]  # fmt: skip
    assert len(told) == 6


async def test_what_the_server_was_too_busy_for_is_asked_again(serving, quick):
    """Only that, and what was done is told at once."""
    asked = []

    async def handler(request):
        asked.append(KEY.findall(await request.text()))
        if len(asked) == 1:
            return web.Response(
                text="<DeleteResult><Deleted><Key>a</Key></Deleted>"
                "<Error><Key>b</Key><Code>SlowDown</Code></Error></DeleteResult>"
            )
        return answer(*asked[-1])

    told = Told()

    await Deletion(await serving(handler), told).run(names("a", "b"))

    assert asked == [["a", "b"], ["b"]]
    assert told.ends == {"a": "gone", "b": "gone"}


async def test_a_bucket_that_is_missing_is_asked_for_no_more(serving, quick):
    """What follows fails for the same reason; another bucket goes on."""
    asked = []

    async def handler(request):
        asked.append(request.path)
        if request.path == "/none":
            return refusal(404, "NoSuchBucket")
        return answer(*KEY.findall(await request.text()))

    told = Told()
    mixed = [*(Name("none", str(n)) for n in range(8)), Name("some", "x"), Name("some", "y")]

    await Deletion(await serving(handler), told, 1).run(stream(mixed))

    assert asked == ["/none", "/some"]
    assert [told.ends[str(n)] for n in range(8)] == [NoSuchBucket] * 8
    assert told.ends["x"] == told.ends["y"] == "gone"


async def test_a_server_that_knows_no_large_requests_gets_small_ones(serving, quick):
    """One key each, as soon as it has said so."""
    asked = []

    async def handler(request):
        asked.append((request.method, request.path))
        return refusal(501, "NotImplemented") if request.method == "POST" else web.Response()

    told = Told()

    await Deletion(await serving(handler), told, 1).run(names("a", "b", "c", "d"))

    assert [method for method, _ in asked] == ["POST"] + ["DELETE"] * 4
    assert set(told.ends.values()) == {"gone"}


async def test_a_server_that_cannot_delete_says_so_of_each(serving, quick):
    """Neither way."""

    async def handler(_request):
        return refusal(501, "NotImplemented")

    told = Told()

    await Deletion(await serving(handler), told).run(names("a", "b"))

    assert told.ends == {"a": NotSupported, "b": NotSupported}


async def test_after_three_failures_in_a_row_a_bucket_is_given_up(serving, quick):
    """A dead server is not asked a thousand times; of what it was asked nobody is sure."""
    asked = []

    async def handler(request):
        asked.append(request.method)
        request.transport.close()
        return web.Response()

    told = Told()

    await Deletion(await serving(handler), told, 1).run(names(*map(str, range(20))))

    assert asked.count("POST") == 3  # beside them it asks if the bucket keeps versions
    assert len(told) == 20
    assert [one.unsure for one in told] == [True] * 6 + [False] * 14


async def test_a_denied_key_is_its_own_error(serving, quick):
    """As each in a request of many."""

    async def handler(request):
        return answer(*KEY.findall(await request.text()), code="AccessDenied")

    told = Told()

    await Deletion(await serving(handler), told).run(names("a", "b"))

    assert told.ends == {"a": AccessDenied, "b": AccessDenied}


async def test_a_stop_waits_for_what_is_in_flight_and_asks_for_nothing_more(serving, quick):
    """So the report can be true."""
    asked, go_on = [], asyncio.Event()

    async def handler(request):
        asked.append(request.path)
        await go_on.wait()
        return answer(*KEY.findall(await request.text()))

    told = Told()
    run = Deletion(await serving(handler), told, 3)

    async def given():
        for number in range(6):
            if number == 4:  # the first request is in flight, or about to be
                run.stop()
                go_on.set()
            yield Name("bucket", str(number))

    await run.run(given())

    assert set(told.ends.values()) <= {"gone"}
    assert len(told) == 2 * len(asked)
    assert run.unanswered == []


async def test_what_was_asked_for_when_it_was_cancelled_is_kept(serving, quick):
    """Nobody knows whether it is gone."""
    reached, over = asyncio.Event(), asyncio.Event()

    async def handler(_request):
        reached.set()
        await over.wait()
        return web.Response()

    told = Told()
    run = Deletion(await serving(handler), told, 1)
    working = asyncio.create_task(run.run(names("a", "b", "c")))
    await reached.wait()

    working.cancel()
    await asyncio.wait([working])
    over.set()  # the server may end

    assert working.cancelled()
    assert sorted(name.key for name in run.unanswered) == ["a", "b"]
    assert told == []


async def test_an_empty_key_asks_nothing(serving, quick):
    """Its address would be the bucket's."""
    asked = []

    async def handler(request):
        asked.append(request.path)
        return web.Response()

    told = Told()

    await Deletion(await serving(handler), told).run(names(""))

    assert asked == []
    assert "it is no key" in str(told[0].error)


@pytest.mark.parametrize("key", ["plain", "odd "])
async def test_a_lost_answer_is_told_as_one(serving, quick, key):
    """Of a key in a large request, and of one that goes alone."""

    async def handler(request):
        request.transport.close()
        return web.Response()

    told = Told()

    await Deletion(await serving(handler), told).run(names(key))

    assert isinstance(told[0].error, ConnectionFailed)
    assert told[0].unsure


async def test_what_may_be_gone_stays_so_whatever_the_next_try_says(serving, quick):
    """One answer got lost, the next says no: nobody knows what the first would have said."""
    asked = []

    async def handler(request):
        asked.append(request.method)
        if request.method == "GET":
            return web.Response(text="<VersioningConfiguration></VersioningConfiguration>")
        if asked.count("POST") == 1:
            request.transport.close()
            return web.Response()
        return answer(*KEY.findall(await request.text()), code="AccessDenied")

    told = Told()

    await Deletion(await serving(handler), told).run(names("a", "b"))

    assert asked == ["POST", "GET", "POST"]
    assert told.ends == {"a": AccessDenied, "b": AccessDenied}
    assert all(one.unsure for one in told)


# conditions


async def test_the_server_itself_refuses_what_was_replaced(s3):
    """A real one, that nobody looked at before; a key that is not there is gone."""
    etag = s3.put("same", "1")["ETag"].strip('"')
    s3.put("other", "2")
    told = Told()
    bound = [Name(s3.bucket, key, etag=etag) for key in ("same", "other", "none")]

    async with through(s3.server) as (_, client):
        await Deletion(client, told).run(stream(bound))

    assert told.ends == {"same": "gone", "other": ObjectChanged, "none": "gone"}
    assert s3.keys() == ["other"]


async def test_a_foreign_server_is_looked_at_and_told_the_condition(serving, quick):
    """What the look ends is asked for no more; the rest goes with its ETag."""
    bodies, looked = [], []

    async def handler(request):
        bodies.append(await request.text())
        return answer(*KEY.findall(bodies[-1]))

    async def look(bound):
        looked.append([name.key for name in bound])
        return [Outcome(bound[0])]

    told = Told()
    asked = [Name("bucket", "a", etag="1"), Name("bucket", "b", etag="2"), Name("bucket", "c")]

    await Deletion(await serving(handler), told, 1, look).run(stream(asked))

    assert looked == [["a", "b"]]
    assert "".join(bodies).count("<ETag>") == 1
    assert "<Key>b</Key><ETag>&quot;2&quot;</ETag>" in bodies[0].replace('"', "&quot;")
    assert told.ends == {"a": "gone", "b": "gone", "c": "gone"}


@pytest.mark.parametrize("refused", ["as a whole", "each", "as no XML"])
async def test_where_conditions_are_refused_the_look_has_to_do(serving, quick, refused):
    """S3 takes none from who may not read; some servers know none."""
    bodies, looks = [], []

    async def handler(request):
        body = await request.text()
        bodies.append(body)
        if "<ETag>" not in body:
            return answer(*KEY.findall(body))
        if refused == "each":
            return answer(*KEY.findall(body), code="AccessDenied")
        return refusal(400, "MalformedXML") if "XML" in refused else refusal(501, "NotImplemented")

    async def look(bound):
        looks.append(len(bodies))
        return []

    told = Told()
    bound = [Name("bucket", "a", etag="1"), Name("bucket", "b", etag="2")]

    await Deletion(await serving(handler), told, 1, look).run(stream(bound))

    assert told.ends == {"a": "gone", "b": "gone"}
    assert len(bodies) == 2
    assert looks == [0, 1]  # just before each


async def test_without_a_look_no_condition_is_dropped(serving, quick):
    """Nobody else would refuse."""
    bodies = []

    async def handler(request):
        bodies.append(await request.text())
        return answer(*KEY.findall(bodies[-1]), code="AccessDenied")

    told = Told()

    await Deletion(await serving(handler), told).run(stream([Name("bucket", "a", etag="1")]))

    assert told.ends == {"a": AccessDenied}
    assert len(bodies) == 1

"""Pages over the wire: as the client gives them, and from the client where they are not plain."""

from __future__ import annotations

import asyncio
import threading

import pytest

from liar import Answer, Liar, error
from s3magic import session
from s3magic.errors import AccessDenied, S3Error, ServerFault
from s3magic.listing import plain
from s3magic.listing.pages import Listing, pages

KEYS = ["a b", "a+b", "a%20b", "a/&<>", "n=1/é", "n=1/😀", "n=2/x", "z'\""]


@pytest.fixture
async def liar(environment):
    """A lying server, and the session's client connected to it."""
    async with Liar() as liar:
        for name, value in liar.environment.items():
            environment.setenv(name, value)
        session.connect(reset=True)
        liar.objects.update({key: key.encode() for key in KEYS})
        yield liar
        await session.close()
        session.connect(reset=True)


async def collected(listing, **options):
    client = await session.client()
    return [page async for page in pages(client, listing, **options)]


def keys_of(found):
    return [key for page in found for key in page.keys]


async def sent():
    """Collect what the client itself sends from now on."""
    requests = []
    client = await session.client()
    client.meta.events.register("before-send.s3", lambda request, **_: requests.append(request.url))
    return requests


def by_client(requests):
    """Leave out the one request that is caught to learn from, and never sent."""
    return [url for url in requests if "s3magic" not in url.rpartition("/")[2]]


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"delimiter": "/"},
        {"prefix": "n=", "owner": True},
        {"start_after": "a/b", "prefix": "a"},
    ],
    ids=str,
)
async def test_the_wire_gives_what_the_client_gives(s3, server, environment, client, options):
    """On each server, with every option, page by page."""
    for name, value in server.environment.items():
        environment.setenv(name, value)
    session.connect(reset=True)
    for key in KEYS:
        s3.put(key, key)
    requests = await sent()
    listing = Listing(s3.bucket, page_size=2, **options)

    found = await collected(listing, lanes=1)
    theirs = [page async for page in pages(client, listing, lanes=1)]
    await session.close()
    session.connect(reset=True)

    assert found == theirs
    assert by_client(requests) == []


async def test_each_page_is_one_request(liar):
    """The wire asks once a page, and the client not at all."""
    requests = await sent()

    found = await collected(Listing("bucket", page_size=3), lanes=1)

    assert keys_of(found) == sorted(KEYS)
    assert len(liar.asked("ListObjectsV2")) == 3
    assert by_client(requests) == []


async def test_a_page_may_come_in_chunks(liar):
    """As AWS sends them: one request a page, and none by the client."""

    def chunked(_request, answer):
        answer.chunked = True
        return answer

    liar.lie("ListObjectsV2", chunked)
    requests = await sent()

    found = await collected(Listing("bucket", page_size=3), lanes=1)

    assert keys_of(found) == sorted(KEYS)
    assert len(liar.asked("ListObjectsV2")) == 3
    assert by_client(requests) == []


def commented(_request, answer):
    """A page that is one, and that is not read here."""
    answer.body = answer.body.replace(b"</ListBucketResult>", b"<!-- --></ListBucketResult>")
    return answer


async def test_a_server_whose_pages_are_not_read_here_is_left_to_the_client(liar):
    """Three of them over the wire are enough."""
    liar.lie("ListObjectsV2", commented)

    for _ in range(6):
        assert keys_of(await collected(Listing("bucket"))) == sorted(KEYS)

    assert len(liar.asked("ListObjectsV2")) == 3 * 2 + 3


async def test_odd_pages_now_and_then_leave_the_wire_in_use(liar):
    """Only those in a row count."""
    requests = await sent()
    for _ in range(4):
        liar.lie("ListObjectsV2", commented, times=1)
        assert keys_of(await collected(Listing("bucket", page_size=3), lanes=1)) == sorted(KEYS)

    assert len(by_client(requests)) == 4
    assert len(liar.asked("ListObjectsV2")) == 4 * (3 + 1)


async def test_a_server_that_gave_no_pages_for_a_moment_is_asked_again_in_a_while(
    liar, environment
):
    """And is then the wire's again, at one request's cost."""
    liar.lie("ListObjectsV2", commented, times=6)
    for _ in range(3):
        await collected(Listing("bucket"))
    requests = await sent()

    environment.setattr(plain, "_REST", 0.0)
    await collected(Listing("bucket"))
    environment.setattr(plain, "_REST", 60.0)
    await collected(Listing("bucket"))

    assert by_client(requests) == []


async def test_a_refusal_is_the_clients_to_tell(liar):
    """What the server refuses over the wire, it refuses the client, who has the words."""
    liar.lie("ListObjectsV2", lambda *_: error(403, "AccessDenied"))

    with pytest.raises(AccessDenied, match="list s3://bucket/"):
        await collected(Listing("bucket"))


@pytest.mark.parametrize(
    "change",
    [
        lambda *_: Answer(0),
        lambda *_: error(503, "SlowDown"),
        lambda _, answer: Answer(200, answer.headers, answer.body[:-40], then="close"),
        lambda _, answer: Answer(200, {"content-length": "5000"}, answer.body, then="close"),
        lambda _, answer: Answer(200, {}, answer.body, chunked=True, then="close"),
        lambda *_: error(200, "InternalError"),
        lambda *_: Answer(200, {}, b"<html>Welcome</html>"),
        lambda *_: Answer(204),
        lambda *_: Answer(307, {"location": "http://127.0.0.1:1/"}),
    ],
    ids=[
        "gone",
        "busy",
        "cut",
        "short",
        "cut in chunks",
        "error",
        "web page",
        "nothing",
        "redirect",
    ],
)
async def test_an_answer_that_is_no_page_is_asked_for_again(liar, change):
    """The client asks once more, and what it is given then is the page."""
    liar.lie("ListObjectsV2", change, times=1)

    found = await collected(Listing("bucket"))

    assert keys_of(found) == sorted(KEYS)
    assert len(liar.asked("ListObjectsV2")) == 2


async def test_a_server_that_never_gives_a_page_is_an_error(liar):
    """The web page of a proxy is told as what it is."""
    liar.lie("ListObjectsV2", lambda *_: Answer(200, {}, b"<html>Welcome</html>"))

    with pytest.raises(ServerFault):
        await collected(Listing("bucket"))


async def test_a_bucket_of_another_region_is_found_by_the_client(liar):
    """A wire that is redirected again and again is no longer asked."""
    liar.lie(
        "ListObjectsV2",
        lambda *_: Answer(400, {}, b"<Error><Code>InvalidRequest</Code></Error>"),
        when=lambda _: len(liar.requests) % 2 == 1,
        times=3,
    )

    for _ in range(5):
        assert keys_of(await collected(Listing("bucket"))) == sorted(KEYS)

    assert len(liar.asked("ListObjectsV2")) == 3 * 2 + 2


async def test_a_cancelled_listing_ends_its_request(liar):
    """It does not wait for a server that is silent, and leaves no thread behind."""
    asked = asyncio.Event()

    async def silent(_request, _answer):
        asked.set()
        await asyncio.Event().wait()

    liar.lie("ListObjectsV2", silent)
    listing = asyncio.create_task(collected(Listing("bucket")))
    await asked.wait()
    ours = [one for one in threading.enumerate() if one.name == "s3magic-lane"]

    listing.cancel()
    with pytest.raises(asyncio.CancelledError):
        await listing
    await asyncio.to_thread(lambda: [one.join(10) for one in ours])

    assert ours
    assert not any(one.is_alive() for one in ours)


async def test_a_key_that_cannot_be_signed_is_left_to_the_client(liar):
    """A prefix that is no text ends in a sentence, as ever."""
    with pytest.raises((S3Error, UnicodeError)):
        await collected(Listing("bucket", prefix="\ud800"))

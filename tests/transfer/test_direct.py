"""The fast way asks what the ordinary way would ask, and leaves to it what is not plain."""

from __future__ import annotations

import asyncio
import base64
import dataclasses
import hashlib
import random
import threading
import zlib

import pytest

from liar import Answer, error
from s3magic import session, settings
from s3magic.commands.get import get
from s3magic.commands.ls import ls
from s3magic.commands.put import put
from s3magic.errors import S3Error
from s3magic.transfer.swift import FIRST
from s3magic.wire import pool
from s3magic.wire.wire import wire_of

pytestmark = pytest.mark.asyncio(loop_scope="module")

PART = 5 * settings.MiB
DATA = random.Random(5).randbytes(3 * 64 * 1024 + 7)
KEYS = [
    "plain",
    "a b+c%20d&e=f?g#h",
    "é/ü/漢字/🦆",
    "//two//slashes/",
    ".././..",
    "'\"<>[]{}|\\^`~*!()$,;:@",
    "tab\tnew\nline\rend",
    "percent%zz%2F",
]
VOLATILE = {
    "amz-sdk-invocation-id",
    "amz-sdk-request",
    "authorization",
    "x-amz-date",
    "accept",
    "connection",
    "expect",  # the client waits for leave to send a large body
}


def fast(request):
    """Whether a request came over the wire: botocore numbers its own."""
    return "amz-sdk-invocation-id" not in request.headers


def on(way):
    settings.change(fast=way == "fast")


async def asked(liar, run):
    """Do something on each way; gives the requests of both."""
    found = {}
    for way in ("ordinary", "fast"):
        on(way)
        liar.requests.clear()
        await run()
        found[way] = list(liar.requests)
    return found["ordinary"], found["fast"]


def alike(request):
    """What two requests must have in common."""
    headers = {name: value for name, value in request.headers.items() if name not in VOLATILE}
    query = {name: value for name, value in request.query.items() if name != "uploadId"}
    return request.method, request.path, query, headers, hashlib.sha256(request.body).hexdigest()


@pytest.mark.parametrize("key", KEYS)
async def test_both_ways_ask_for_the_same(liar, key):
    """Path, query, headers and body, for keys of all kinds."""
    liar.objects[key] = b"content"

    async def run():
        assert await get(f"s3://lies/{key}", None, progress="none") == b"content"

    ordinary, quick = await asked(liar, run)

    assert [alike(one) for one in quick] == [alike(one) for one in ordinary]
    assert all(map(fast, quick))
    assert not any(map(fast, ordinary))
    assert quick[0].key == key


@pytest.mark.parametrize("key", KEYS)
@pytest.mark.parametrize(
    "options",
    [
        {},
        {"content_type": 'text/plain; x="é"', "cache_control": "no-store", "acl": "private"},
        {"metadata": {"a": "b  c", "D": "e"}, "tag": {"k": "v w"}, "storage_class": "GLACIER"},
        {"sse": "aws:kms", "sse_kms_key_id": "arn:x", "content_encoding": "gzip"},
    ],
)
async def test_both_ways_send_the_same(liar, tmp_path, key, options):
    """Path, headers, hash and body."""
    (tmp_path / "f").write_bytes(DATA)

    async def run():
        await put(tmp_path / "f", f"s3://lies/{key}", progress="none", **options)
        liar.objects.clear()

    if key.endswith("/"):
        pytest.skip("put takes it for a folder")
    ordinary, quick = await asked(liar, run)

    assert [alike(one) for one in quick] == [alike(one) for one in ordinary]
    assert all(map(fast, quick))
    assert quick[0].body == DATA


async def test_both_ways_send_the_same_parts(liar, tmp_path):
    """And ask for the same ranges; only what opens and ends an upload is botocore's."""
    data = random.Random(6).randbytes(2 * PART + 3)
    (tmp_path / "f").write_bytes(data)

    async def run():
        await put(tmp_path / "f", liar.uri("k"), part_size=PART, progress="none")
        assert await get(liar.uri("k"), None, part_size=PART, progress="none") == data

    ordinary, quick = await asked(liar, run)

    def kinds(requests, *operations):
        found = [one for one in requests if one.operation in operations]
        return sorted((alike(one) for one in found), key=str)

    assert kinds(quick, "UploadPart") == kinds(ordinary, "UploadPart")
    assert kinds(quick, "GetObject") == kinds(ordinary, "GetObject")
    assert [one.operation for one in quick if not fast(one)] == [
        "CreateMultipartUpload",
        "CompleteMultipartUpload",
    ]


@pytest.mark.parametrize("name", ["content_type", "cache_control", "metadata"])
@pytest.mark.parametrize("end", ["\r\n", "\n", "\r"])
async def test_no_end_of_line_gets_into_a_header(liar, name, end):
    """Nothing is sent at all, on either way."""
    value = f"a{end}x-amz-acl: public-read"
    options = {name: {"m": value} if name == "metadata" else value}

    with pytest.raises(S3Error):
        await put(b"x", liar.uri("k"), progress="none", **options)

    assert liar.objects == {}
    assert not [one for one in liar.requests if "x-amz-acl" in one.headers]


async def test_what_the_fast_way_cannot_do_goes_the_ordinary_way(liar, tmp_path):
    """A conditional write."""
    await put(b"x", liar.uri("k"), no_clobber=True, progress="none")

    assert liar.objects["k"] == b"x"
    assert not any(fast(one) for one in liar.requests)
    assert "if-none-match" in liar.asked("PutObject")[0].headers


async def test_a_damaged_body_is_fetched_again(liar):
    """The sum that the server promised does not fit; whichever way, the bytes are right."""
    on("fast")
    liar.objects["k"] = DATA
    total = base64.b64encode(zlib.crc32(DATA).to_bytes(4, "big")).decode()

    def damaged(_, answer):
        headers = answer.headers | {"x-amz-checksum-crc32": total}
        return dataclasses.replace(
            answer, headers=headers, body=bytes([DATA[0] ^ 1]) + answer.body[1:]
        )

    liar.lie("GetObject", damaged, times=1)

    assert await get(liar.uri("k"), None, progress="none") == DATA
    assert [fast(one) for one in liar.requests] == [True, False]


@pytest.mark.parametrize("status", [301, 307, 400, 401, 403])
async def test_a_refusal_is_judged_by_the_client_and_the_template_learned_anew(liar, status):
    """The next request goes the fast way again."""
    on("fast")
    liar.objects["k"] = DATA
    wire = wire_of(await session.client())
    before = await wire.template("get_object", "lies")
    liar.lie("GetObject", lambda *_: error(status, "Some"), times=1)

    assert await get(liar.uri("k"), None, progress="none") == DATA
    assert await get(liar.uri("k"), None, progress="none") == DATA

    assert [fast(one) for one in liar.requests] == [True, False, True]
    assert await wire.template("get_object", "lies") is not before


@pytest.mark.parametrize(
    ("refusal", "kept"),
    [
        (Answer(403, {}, b"x" * 100), 1),
        (Answer(403, {}, b"x" * 2**16), 1),
        (Answer(403, {}, b"x" * (2**16 + 1)), 0),
        (Answer(403, {"connection": "close"}, b"x" * 100), 0),
        (Answer(304, {"content-length": "100"}), 0),
    ],
    ids=["small", "just small", "large", "the last", "without its body"],
)
async def test_a_refusal_costs_a_connection_only_where_its_body_would_cost_more(
    liar, refusal, kept
):
    """A busy server that speaks TLS would get a handshake for each."""
    on("fast")
    liar.objects["k"] = DATA
    lines = wire_of(await session.client()).pool
    for address in list(lines._idle):
        while (line := lines.take(address)) is not None:
            line.close()
    liar.lie("GetObject", lambda *_: refusal, times=1)

    async with asyncio.timeout(8):  # a body that never comes would be waited for for ten
        assert await get(liar.uri("k"), None, progress="none") == DATA

    assert [fast(one) for one in liar.requests] == [True, False]
    assert sum(map(len, lines._idle.values())) == kept


async def test_a_server_that_is_never_plain_is_soon_left_to_the_client(liar, tmp_path):
    """Each object is asked for twice only for as long as the wire hopes."""
    on("fast")
    liar.objects |= {f"a/{number:03}": b"%d" % number for number in range(200)}
    liar.lie("GetObject", lambda _, answer: dataclasses.replace(answer, chunked=True), when=fast)
    wire = wire_of(await session.client())

    try:
        for _ in range(2):
            await get(liar.uri("a/"), tmp_path, recursive=True, progress="none")
    finally:
        wire._known.clear()

    over_the_wire = [one for one in liar.asked("GetObject") if fast(one)]
    # As many as were in flight or ready when the eighth came back.
    assert len(over_the_wire) < 2 * FIRST + 20
    assert {f"a/{path.name}": path.read_bytes() for path in tmp_path.iterdir()} == liar.objects


async def test_the_answer_to_a_write_must_name_an_etag(liar):
    """A login page is a 200 too."""
    liar.lie("PutObject", lambda *_: Answer(200, {}, b"<html>Welcome</html>"))

    with pytest.raises(S3Error, match="names no ETag"):
        await put(b"x", liar.uri("k"), progress="none")


async def test_renewed_credentials_are_used_within_a_verb(liar, tmp_path):
    """What is asked for later carries the new token."""
    on("fast")
    liar.objects |= {f"a/{number:03}": b"%d" % number for number in range(100)}
    wire = wire_of(await session.client())
    before = wire._credentials
    renewed = type(before)("AKNEW", "another-secret", "a-new-token")

    def renew(_request, answer):
        wire._credentials, wire._asked = renewed, 0.0
        return answer

    liar.lie("GetObject", renew, when=lambda request: request.key == "a/000")
    try:
        await get(liar.uri("a/"), tmp_path, recursive=True, concurrency=2, progress="none")
    finally:
        wire._credentials, wire._asked = before, 0.0

    tokens = {one.key: one.headers["x-amz-security-token"] for one in liar.asked("GetObject")}
    assert tokens["a/000"] == "a-session-token"
    assert tokens["a/099"] == "a-new-token"
    asked_with = liar.asked("GetObject")[-1].headers["authorization"]
    assert "Credential=AKNEW/" in asked_with


@pytest.mark.parametrize("verb", ["get", "ls"])
async def test_connections_that_stay_idle_behind_a_verb_are_closed(liar, monkeypatch, verb):
    """Though no other verb follows."""
    on("fast")
    liar.objects["k"] = DATA
    lines = wire_of(await session.client()).pool
    monkeypatch.setattr(pool, "_IDLE", 0.0)
    monkeypatch.setattr(pool, "_LATE", 0.0)
    swept, sweep = asyncio.Event(), lines.sweep
    monkeypatch.setattr(lines, "sweep", lambda: (sweep(), swept.set()))

    if verb == "get":
        await get(liar.uri("k"), None, progress="none")
    else:
        await ls(liar.uri())
    async with asyncio.timeout(10):
        await swept.wait()

    assert all(map(fast, liar.requests))
    assert lines._idle == {}


async def test_a_get_that_is_cancelled_leaves_no_thread_at_work(liar, tmp_path):
    """In the middle of a body that never ends."""
    on("fast")
    liar.objects["k"] = DATA
    reached = asyncio.Event()

    def silent(_, answer):
        reached.set()
        headers = answer.headers | {"content-length": str(len(answer.body))}
        return dataclasses.replace(answer, headers=headers, body=answer.body[:100], then="hang")

    liar.lie("GetObject", silent)
    task = asyncio.create_task(get(liar.uri("k"), tmp_path / "f", progress="none"))
    await reached.wait()

    task.cancel()
    done, _ = await asyncio.wait([task], timeout=10)

    assert done
    assert task.cancelled()
    for thread in threading.enumerate():
        if thread.name.startswith("s3magic-lane"):
            await asyncio.to_thread(thread.join, 10)
            assert not thread.is_alive()
    assert list(tmp_path.iterdir()) == []

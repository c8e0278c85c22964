"""Reading from a server that lies: the right bytes, or the old file and a sentence."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import dataclasses
import hashlib
import random
import zlib

import pytest

from liar import BUCKET, Answer, error
from s3magic import session, settings
from s3magic.botoclient import Options, build
from s3magic.commands.get import get
from s3magic.errors import Damaged, ObjectChanged, TimedOut
from s3magic.transfer.ranges import Source, open_source
from s3magic.transfer.reading import read_on
from s3magic.uri import S3Uri

pytestmark = pytest.mark.asyncio(loop_scope="module")

PART = 64 * 1024
DATA = random.Random(1).randbytes(3 * PART + 1)
OTHER = random.Random(2).randbytes(3 * PART + 1)


def first(request):
    """The request for the first part."""
    return not request.start


def later(request):
    """A request for any part behind the first."""
    return bool(request.start)


def changed(**fields):
    """A lie that changes some fields of the honest answer."""
    return lambda _, answer: dataclasses.replace(answer, **fields)


def header(name, value):
    """A lie about one header; without a value it is left out."""

    def change(_, answer):
        headers = {key: kept for key, kept in answer.headers.items() if key != name}
        return dataclasses.replace(answer, headers=headers | ({name: value} if value else {}))

    return change


def body(change):
    """A lie about the body alone; the length told is the honest one."""

    def lie(_, answer):
        headers = {"content-length": str(len(answer.body)), **answer.headers}
        return dataclasses.replace(answer, headers=headers, body=change(answer.body), then="close")

    return lie


def shifted(_, answer):
    """Other bytes of the object than asked for, said honestly."""
    start = int(answer.headers["content-range"].split()[1].split("-")[0]) + 1
    text = f"bytes {start}-{start + len(answer.body) - 1}/{len(DATA)}"
    return dataclasses.replace(answer, headers=answer.headers | {"content-range": text})


def whole(_, answer):
    """The whole object, as from a server that knows no ranges."""
    return Answer(200, {"etag": answer.headers["etag"]}, DATA)


def other_total(_, answer):
    text = answer.headers["content-range"].rpartition("/")[0] + f"/{len(DATA) + 5}"
    return dataclasses.replace(answer, headers=answer.headers | {"content-range": text})


def chunked(change, then=""):
    return lambda _, answer: dataclasses.replace(
        answer, body=change(answer.body), chunked=True, then=then
    )


async def fetch(liar, target):
    """Get the object over an old file, and check all that must hold whatever happened."""
    target.write_bytes(b"old")

    report = await get(
        liar.uri("k"), target, part_size=PART, errors="return", progress="none", concurrency=4
    )

    assert len(report) == 1
    row = report.iloc[0]
    assert target.read_bytes() == (DATA if row.Status == "done" else b"old")
    assert await held() == 0
    return row


async def held():
    client = await session.client()
    sessions = client._endpoint.http_session._sessions or {}
    return sum(len(one.connector._acquired) for one in sessions.values())


RIGHT = {
    "first body short, once": (body(lambda data: data[:1000]), 1, first),
    "later bodies short, once each": (body(lambda data: data[:-1]), 3, later),
    "first body empty, once": (body(lambda data: b""), 1, first),
    "short in chunks, once": (chunked(lambda data: data[:1000]), 1, first),
    "chunks broken off, once": (chunked(lambda data: data[:1000], "close"), 1, later),
    "longer in chunks, once": (chunked(lambda data: data + b"more"), 1, later),
    "longer than its length, once": (body(lambda data: data + b"more"), 1, later),
    "reset in mid-body, once": (
        lambda request, answer: dataclasses.replace(
            body(lambda data: data[:30_000])(request, answer), then="reset"
        ),
        1,
        later,
    ),
    "honest chunks": (chunked(lambda data: data), 99, lambda _: True),
    "200 to the first ranged GET": (whole, 1, first),
    "200 to every GET": (whole, 99, lambda _: True),
    "no ETag at all, and ranges": (header("etag", ""), 99, lambda _: True),
    "a weak ETag": (header("etag", 'W/"x"'), 99, lambda _: True),
    "SlowDown once": (lambda *_: error(503, "SlowDown"), 1, later),
    "InternalError once at first": (lambda *_: error(500, "InternalError"), 1, first),
    "hangs up before the answer, once": (
        lambda _, answer: dataclasses.replace(answer, status=0),
        1,
        lambda request: request.start == 2 * PART,
    ),
}


@pytest.mark.parametrize("lie", RIGHT)
async def test_get_gives_the_right_bytes_over_a_passing_fault(liar, tmp_path, lie):
    """What can be made good by asking again, or in another way, is."""
    change, times, when = RIGHT[lie]
    liar.objects["k"] = DATA
    liar.lie("GetObject", change, times=times, when=when)

    row = await fetch(liar, tmp_path / "f")

    assert row.Status == "done", row.Error
    assert [path.name for path in tmp_path.iterdir()] == ["f"]


REFUSED = {
    "every body empty": (body(lambda data: b""), first, "closed the connection"),
    "always short, in chunks": (chunked(lambda data: data[:-1]), later, "1 bytes too soon"),
    "always longer, in chunks": (chunked(lambda data: data + b"x"), later, "more than it anno"),
    "always longer, first": (chunked(lambda data: data + b"x"), first, "more than it anno"),
    "no Content-Range, first": (header("content-range", ""), first, "which range"),
    "no Content-Range, later": (header("content-range", ""), later, "which range"),
    "nonsense in Content-Range": (header("content-range", "bytes 0-x/7"), later, "which range"),
    "unknown total": (header("content-range", "bytes 0-65535/*"), first, "which range"),
    "shifted first": (shifted, first, "asked for bytes"),
    "shifted later": (shifted, later, "asked for bytes"),
    "another range, without a word": (
        header("content-range", f"bytes 0-{PART - 1}/{len(DATA)}"),
        later,
        "asked for bytes",
    ),
    "200 to a later range": (whole, later, "something else"),
    "another total, later": (other_total, later, "replaced"),
    "another ETag, later": (header("etag", '"other"'), later, "replaced"),
    "no ETag, later": (header("etag", ""), later, "replaced"),
    "204": (changed(status=204, body=b""), first, "status 204"),
    "304": (changed(status=304, body=b""), later, "304"),
    "denied later": (lambda *_: error(403, "AccessDenied"), later, "denied"),
    "gone later": (lambda *_: error(404, "NoSuchKey"), later, "no such key"),
    "SlowDown for ever": (lambda *_: error(503, "SlowDown"), later, "slow down"),
}


@pytest.mark.parametrize("lie", REFUSED)
async def test_get_leaves_the_old_file_when_the_answer_is_not_the_object(liar, tmp_path, lie):
    """No answer is believed that is not what was asked for."""
    change, when, reason = REFUSED[lie]
    liar.objects["k"] = DATA
    liar.lie("GetObject", change, when=when)

    row = await fetch(liar, tmp_path / "f")

    assert row.Status == "failed"
    assert reason in row.Error
    assert row.Error.startswith("Cannot get s3://lies/k: ")


@pytest.mark.parametrize("new", [OTHER, OTHER[:-7], OTHER + b"longer", b""])
async def test_an_object_replaced_half_way_is_an_error_not_a_mixture(liar, tmp_path, new):
    """Whatever its new size: not one byte of it goes under the final name, nothing is kept."""
    liar.objects["k"] = DATA

    def replace(_, answer):
        liar.objects["k"] = new
        return answer

    liar.lie("GetObject", replace, times=1)

    row = await fetch(liar, tmp_path / "f")

    assert row.Status == "failed"
    assert "Try again." in row.Error
    assert [path.name for path in tmp_path.iterdir()] == ["f"]


async def test_an_object_replaced_while_one_stream_brings_it_is_an_error(liar, tmp_path):
    """A stream that broke off is gone on with only if the object is still the same."""
    liar.objects["k"] = DATA

    def replace(request, answer):
        liar.objects["k"] = OTHER
        return body(lambda data: data[:PART])(request, answer)

    liar.lie("GetObject", replace, times=1)

    with pytest.raises(ObjectChanged):
        await get(liar.uri("k"), None, progress="none")


async def test_bytes_in_memory_are_the_right_ones_or_an_error(liar):
    """A get into memory checks what a get into a file does."""
    liar.objects["k"] = DATA
    liar.lie("GetObject", shifted, when=later)

    with pytest.raises(Damaged, match="asked for bytes"):
        await get(liar.uri("k"), None, part_size=PART, progress="none")

    assert await held() == 0


async def test_a_failing_part_leaves_no_answer_open_when_the_first_still_waits(liar):
    """With one request at a time the first part waits for its turn, its answer open."""
    liar.objects["k"] = DATA * 20
    liar.lie("GetObject", lambda *_: error(403, "AccessDenied"), when=later)

    with pytest.raises(PermissionError):
        await get(liar.uri("k"), None, part_size=PART, concurrency=2, progress="none")

    assert await held() == 0


async def test_a_broken_stream_is_gone_on_with_not_begun_again(liar, tmp_path):
    """Only the bytes that are missing are asked for a second time."""
    size = 5 * 1024 * 1024
    liar.objects["k"] = random.Random(3).randbytes(size)
    liar.lie("GetObject", body(lambda data: data[: 3 * 1024 * 1024 + 5]), times=1)

    await get(liar.uri("k"), tmp_path / "f", progress="none")

    assert (tmp_path / "f").read_bytes() == liar.objects["k"]
    starts = [request.start for request in liar.asked("GetObject")]
    # The HTTP library gives up what it still holds when a connection breaks.
    assert len(starts) == 2
    assert starts[1] > 2 * 1024 * 1024
    assert liar.asked("GetObject")[1].headers["if-match"] == liar.etag("k")


def promising(algorithm, change):
    """A lie: the sum is of the honest body, and the body is changed."""

    def lie(_, answer):
        found = {
            "crc32": zlib.crc32(answer.body).to_bytes(4, "big"),
            "sha256": hashlib.sha256(answer.body).digest(),
        }[algorithm]
        headers = answer.headers | {f"x-amz-checksum-{algorithm}": base64.b64encode(found).decode()}
        return dataclasses.replace(answer, headers=headers, body=change(answer.body))

    return lie


def rotten(data):
    """One bit is another, far from both ends."""
    at = len(data) // 3
    return data[:at] + bytes([data[at] ^ 4]) + data[at + 1 :]


@pytest.mark.parametrize("algorithm", ["crc32", "sha256"])
@pytest.mark.parametrize("size", [1000, 200_000, 3_000_000])
async def test_what_never_fits_its_checksum_is_no_object(liar, tmp_path, algorithm, size):
    """Rot on the server's disk is told on either way, and the old file stays."""
    liar.objects["a/k"] = random.Random(4).randbytes(size)
    liar.lie("GetObject", promising(algorithm, rotten))
    target = tmp_path / "k"
    target.write_bytes(b"old")

    report = await get(liar.uri("a/"), tmp_path, recursive=True, errors="return", progress="none")

    assert list(report.Status) == ["failed"]
    assert "does not match its checksum" in report.Error[0]
    assert target.read_bytes() == b"old"
    assert [path.name for path in tmp_path.iterdir()] == ["k"]


@pytest.mark.parametrize("into_memory", [False, True])
@pytest.mark.parametrize("size", [1000, 3_000_000])
async def test_what_does_not_fit_its_checksum_is_asked_for_again(liar, tmp_path, size, into_memory):
    """From its beginning, and without a range: a part has no checksum."""
    liar.objects["k"] = random.Random(5).randbytes(size)
    liar.lie("GetObject", promising("crc32", rotten), times=1)
    target = tmp_path / "k"

    whole = await get(liar.uri("k"), None if into_memory else target, progress="none")

    assert (whole if into_memory else target.read_bytes()) == liar.objects["k"]
    assert len(liar.asked("GetObject")) == 2


async def test_a_checksum_holds_for_a_body_that_came_in_pieces(liar, tmp_path):
    """What came before the line broke off is summed with what came behind it, or comes anew."""
    liar.objects["k"] = random.Random(6).randbytes(3_000_000)

    def cut(request, answer):
        lie = promising("crc32", lambda data: data[:2_000_000])(request, answer)
        headers = lie.headers | {"content-length": str(len(answer.body))}
        return dataclasses.replace(lie, headers=headers, then="close")

    liar.lie("GetObject", cut, times=1)
    liar.lie("GetObject", changed(), times=1)
    liar.lie("GetObject", cut, times=1)
    liar.lie("GetObject", promising("crc32", rotten))

    await get(liar.uri("k"), tmp_path / "k", progress="none")
    assert (tmp_path / "k").read_bytes() == liar.objects["k"]
    with pytest.raises(Damaged, match="checksum"):
        await get(liar.uri("k"), tmp_path / "k", progress="none")


@pytest.mark.parametrize("times", [1, 99])
async def test_what_the_clients_own_check_refuses_is_asked_for_again(liar, times):
    """From the beginning: going on behind what came would keep the damage, and check nothing."""
    keys = {"aws_access_key_id": "testing", "aws_secret_access_key": "testing"}
    options = Options(
        endpoint_url=liar.endpoint_url,
        region="r",
        verify=liar.trusted,
        checksums="when_supported",
        **keys,
    )
    client, _ = await asyncio.to_thread(build, options)
    liar.objects["k"] = random.Random(7).randbytes(3_000_000)
    liar.lie("GetObject", promising("crc32", rotten), times=times)
    source, came = Source(client, S3Uri(BUCKET, "k")), bytearray()

    async def take(blocks, at):
        assert at == len(came)
        came.extend(b"".join(blocks))

    def untake(size):
        assert size
        del came[-size:]

    try:
        answer = await open_source(source)
        with pytest.raises(Damaged, match="checksum") if times > 1 else contextlib.nullcontext():
            await read_on(source, answer, take, untake)
    finally:
        await client.close()

    assert (came == liar.objects["k"]) == (times == 1)
    assert [request.start for request in liar.asked("GetObject")] == [None, None]


async def test_every_part_behind_the_first_names_the_etag(liar, tmp_path):
    """So the server itself refuses to mix two versions."""
    liar.objects["k"] = DATA

    await fetch(liar, tmp_path / "f")

    asked = liar.asked("GetObject")
    assert sorted(request.start for request in asked) == [0, PART, 2 * PART, 3 * PART]
    assert {request.headers.get("if-match") for request in asked if request.start} == {
        liar.etag("k")
    }


@pytest.mark.parametrize("size", [0, 1, 4096, PART])
async def test_an_object_of_one_part_costs_one_request(liar, tmp_path, size):
    """No HEAD and no second GET."""
    liar.objects["k"] = DATA[:size]

    await get(liar.uri("k"), tmp_path / "f", progress="none")

    # An empty object has no first byte: a server may say 416 to the first part.
    assert liar.operations() == ["GetObject"] * (2 if size == 0 else 1)
    assert (tmp_path / "f").read_bytes() == DATA[:size]


async def test_a_listed_small_object_costs_one_request_without_a_range(liar, tmp_path):
    """What a listing told of the size is used."""
    liar.objects["a/k"] = DATA

    await get(liar.uri("a/"), tmp_path, recursive=True, progress="none")

    assert liar.operations() == ["ListObjectsV2", "GetObject"]
    assert liar.asked("GetObject")[0].start is None


async def test_a_listing_that_is_out_of_date_does_not_matter(liar, tmp_path):
    """The answer tells the size, not the listing."""
    liar.objects["a/k"] = b"small"

    def grow(_, answer):
        liar.objects["a/k"] = DATA
        return answer

    liar.lie("ListObjectsV2", grow)

    await get(liar.uri("a/"), tmp_path, recursive=True, progress="none")

    assert (tmp_path / "k").read_bytes() == DATA


async def test_a_server_that_falls_silent_is_given_up(lair, liar, tmp_path):
    """Silence in a body, then silence for ever: a sentence, after the time that is set."""
    settings.change(read_timeout=0.3, attempts=2)
    liar.objects["k"] = DATA
    before = session.current()
    connection = session.connect(
        endpoint_url=liar.endpoint_url,
        region="us-east-1",
        aws_access_key_id="testing",
        aws_secret_access_key="testing",
        verify=liar.trusted,
    )
    liar.lie(
        "GetObject",
        lambda request, answer: dataclasses.replace(
            body(lambda data: data[:100])(request, answer), then="hang"
        ),
    )

    try:
        with pytest.raises(TimedOut, match="did not answer in time"):
            await get(liar.uri("k"), None, progress="none")
    finally:
        await connection.close()
        settings.change(read_timeout=10.0)
        session._current = before

    assert len(liar.requests) < 8


async def test_a_cancelled_get_of_a_silent_server_ends_at_once(liar, tmp_path):
    """Cancelling waits for no answer."""
    liar.objects["k"] = DATA
    reached = asyncio.Event()

    def silent(_, answer):
        reached.set()
        return dataclasses.replace(answer, body=b"", chunked=True, then="hang")

    liar.lie("GetObject", silent, when=later)
    task = asyncio.create_task(get(liar.uri("k"), tmp_path / "f", part_size=PART, progress="none"))
    await reached.wait()

    task.cancel()
    done, _ = await asyncio.wait([task], timeout=5)

    assert done
    assert task.cancelled()
    assert not (tmp_path / "f").exists()


@pytest.mark.parametrize("into_memory", [False, True])
async def test_a_get_cancelled_at_any_moment_leaves_nothing_open(liar, tmp_path, into_memory):
    """Cancelled after every number of turns of the loop: no answer open, whole or absent."""
    liar.objects["k"] = DATA
    turns, done = 0, False
    while not done:
        target = None if into_memory else tmp_path / "f"
        task = asyncio.create_task(
            get(liar.uri("k"), target, part_size=PART, concurrency=2, progress="none")
        )
        for _ in range(turns):
            await asyncio.sleep(0)

        task.cancel()
        await asyncio.wait([task])

        assert await held() == 0, f"after {turns} turns"
        done = not task.cancelled()
        if target is not None and target.exists():
            assert target.read_bytes() == DATA
            target.unlink()
        turns += 1 + turns // 8
        if turns > 100_000:
            break
    assert done, "it never got through"

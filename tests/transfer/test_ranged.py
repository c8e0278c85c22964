"""An object as a seekable file, from a server that tells the truth, and from one that lies."""

from __future__ import annotations

import asyncio
import dataclasses
import io
import random
import zipfile

import pytest

from liar import BUCKET, Answer, error
from s3magic import session
from s3magic.errors import NotSupported, ObjectChanged, S3Error
from s3magic.transfer.direct import direct_of
from s3magic.transfer.engine import Run
from s3magic.transfer.level import Level
from s3magic.transfer.progress import Meter
from s3magic.transfer.ranged import Ranged, TooMuch
from s3magic.transfer.ranges import Source
from s3magic.uri import S3Uri

pytestmark = pytest.mark.asyncio(loop_scope="module")

KiB = 1024
DATA = random.Random(1).randbytes(600 * KiB)


@pytest.fixture
def opened(liar):
    """Opens an object of the lying server."""
    liar.objects["k"] = DATA

    async def open_it(work, *, most=None, **where):
        meter = Meter("Reading", "Read")
        level = Level(8)
        async with session.using() as client, direct_of(client, level) as direct:
            shared = Run(client, meter, 8, 64 * KiB, 64 * KiB, level=level, direct=direct)
            number = meter.begin("k", 0)
            ranged = Ranged(shared, number, Source(client, S3Uri(BUCKET, "k")), most=most)
            await ranged.open(**where)
            result = await work(ranged)
            assert meter.active[number].done == ranged.moved
            return result

    return open_it


def moved(liar):
    """The ranges that were asked for."""
    return [request.headers.get("range", "") for request in liar.asked("GetObject")]


async def test_a_reader_sees_the_object_s_own_bytes(liar, opened):
    """Wherever it goes, and however much it takes."""
    steps = random.Random(2)

    def read(file):
        for _ in range(60):
            start, size = steps.randrange(len(DATA)), steps.randrange(90 * KiB)
            file.seek(start)
            assert file.read(size) == DATA[start : start + size]
            assert file.tell() == min(len(DATA), start + size)
        file.seek(-10, 2)
        room = bytearray(20)
        assert file.readinto(room) == 10
        assert file.read() == b""
        return io.BufferedReader(file).seekable()

    assert await opened(lambda ranged: ranged.read(read), tail=KiB)
    assert all(request.headers.get("if-match") for request in liar.asked("GetObject")[1:])


async def test_what_is_here_does_not_move_again(liar, opened):
    """Ranges that are near each other are one request; those that are here are none."""

    async def work(ranged):
        await ranged.fetch([(0, KiB), (2 * KiB, 3 * KiB), (300 * KiB, 301 * KiB)])
        await ranged.fetch([(0, 4 * KiB), (300 * KiB, 301 * KiB)])
        return await ranged.read(lambda file: file.read(4 * KiB))

    assert await opened(work, tail=8) == DATA[: 4 * KiB]
    assert sorted(moved(liar)[1:]) == ["bytes=0-3071", "bytes=3072-4095", "bytes=307200-308223"]


async def test_the_beginning_or_the_end_comes_first(liar, opened):
    """In one request, which tells how large it is."""
    read = lambda ranged: ranged.read(lambda file: (file.size, file.seek(-4, 2), file.read()))  # noqa: E731

    assert await opened(read, tail=100) == (len(DATA), len(DATA) - 4, DATA[-4:])
    assert moved(liar) == ["bytes=-100"]
    liar.requests.clear()
    assert (await opened(read, head=100))[0] == len(DATA)
    assert moved(liar)[0] == "bytes=0-99"


@pytest.mark.parametrize("where", ["head", "tail"])
async def test_an_empty_object_is_empty(liar, opened, where):
    """It has no first byte, and no last."""

    async def work(ranged):
        return ranged.size, await ranged.read(lambda file: file.read())

    opening = opened(work, **{where: 100})
    liar.objects["k"] = b""

    assert await opening == (0, b"")


async def test_a_server_that_knows_no_suffix_is_asked_otherwise(liar, opened):
    """What it sends in place of the end is dropped where it is much."""
    liar.objects["k"] = DATA * 4

    def whole(request, answer):
        if "bytes=-" not in request.headers.get("range", ""):
            return answer
        headers = {name: value for name, value in answer.headers.items() if name != "content-range"}
        return Answer(200, headers, DATA * 4)

    liar.lie("GetObject", whole)

    def read(file):
        file.seek(-10, 2)
        return file.read()

    liar.objects["k"] = DATA * 4

    async def work(ranged):
        return await ranged.read(read)

    got = asyncio.ensure_future(opened(work, tail=100))
    assert await got == DATA[-10:]


async def test_an_object_that_is_replaced_is_an_error(liar, opened):
    """Whatever the reader makes of it."""

    def read(file):
        try:
            return file.read(5)
        except S3Error as failure:
            raise ValueError("the reader has words of its own") from failure

    async def work(ranged):
        liar.objects["k"] = DATA[::-1]
        return await ranged.read(read)

    with pytest.raises(ObjectChanged):
        await opened(work, tail=100)


async def test_without_an_etag_nothing_is_read_piece_by_piece(liar, opened):
    """Nothing would hold the pieces together; all of it at once may be read."""

    def bare(_, answer):
        headers = {name: value for name, value in answer.headers.items() if name != "etag"}
        return dataclasses.replace(answer, headers=headers | {"x-amz-request-id": "1"})

    liar.lie("GetObject", bare)

    async def work(ranged):
        return await ranged.read(lambda file: file.read(4))

    assert await opened(work, head=len(DATA)) == DATA[:4]
    with pytest.raises(NotSupported, match="no ETag"):
        await opened(work, tail=100)


async def test_no_more_moves_than_may(liar, opened):
    """What is too much is not even asked for."""

    async def work(ranged):
        await ranged.fetch([(0, 100 * KiB)])
        with pytest.raises(TooMuch):
            await ranged.read(lambda file: (file.seek(300 * KiB), file.read(150 * KiB)))
        return ranged.moved

    assert await opened(work, most=200 * KiB, tail=KiB) == 101 * KiB


async def test_the_loop_s_own_thread_is_refused(liar, opened):
    """It would wait for itself."""
    held = []

    async def work(ranged):
        await ranged.read(held.append)
        with pytest.raises(RuntimeError, match="wait for itself"):
            held[0].read(1)

    await opened(work, tail=100)


async def test_a_broken_line_is_gone_on_with(liar, opened):
    """As any download does."""

    def broken(_, answer):
        headers = {**answer.headers, "content-length": str(len(answer.body))}
        return dataclasses.replace(answer, headers=headers, body=answer.body[:5000], then="close")

    liar.lie("GetObject", broken, times=1, when=lambda request: request.start == 0)

    async def work(ranged):
        return await ranged.read(lambda file: file.read(50 * KiB))

    assert await opened(work, tail=100) == DATA[: 50 * KiB]


async def test_an_error_of_the_server_is_a_sentence(liar, opened):
    """The reader's thread sees it, and so does who waits for it."""
    liar.lie("GetObject", lambda *_: error(403, "AccessDenied"), when=lambda r: r.start is not None)

    async def work(ranged):
        return await ranged.read(lambda file: file.read(5))

    with pytest.raises(PermissionError, match="Cannot get"):
        await opened(work, tail=100)


async def test_a_reader_of_archives_is_content(liar, opened):
    """It seeks as it likes."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as packed:
        packed.writestr("a", DATA)
        packed.writestr("b", b"found")

    def read(file):
        with zipfile.ZipFile(file) as packed:
            return packed.read("b")

    async def work(ranged):
        return await ranged.read(read)

    opening = opened(work, tail=KiB)
    liar.objects["k"] = file.getvalue()

    assert await opening == b"found"

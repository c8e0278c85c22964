"""A server that is asked too much says so, and is asked less: on either way."""

from __future__ import annotations

import asyncio
import dataclasses

import pytest
import pytest_asyncio

from liar import error
from s3magic import session, settings
from s3magic.commands.get import get
from s3magic.commands.put import put
from s3magic.commands.running import transferring
from s3magic.helpers import upload_file
from s3magic.transfer import engine
from s3magic.transfer.level import Level
from s3magic.transfer.pressure import feeling, felt

pytestmark = pytest.mark.asyncio(loop_scope="module")

MOST = 12  # requests at once that the server takes, which nobody tells the client
FEW = 6  # fewer than any level begins with
PART = 5 * settings.MiB


class Busy:
    """A lie of a server that takes so many requests at once, and no more."""

    def __init__(self):
        self.flying = self.taken = self.refused = self.highest = 0
        self.first = MOST  # so many it takes until it has refused one
        self.crowded = asyncio.Event()

    async def __call__(self, _request, answer):
        if self.flying >= (MOST if self.refused else self.first):
            self.refused += 1
            self.crowded.set()
            return error(503, "SlowDown")
        self.taken += 1
        self.flying += 1
        self.highest = max(self.highest, self.flying)
        try:
            if self.first < MOST:  # however slow the machine is, too many come
                await self.crowded.wait()
            await asyncio.sleep(0.02)  # what a request takes, wherever it comes from
        finally:
            self.flying -= 1
        return answer

    @property
    def share(self):
        """Of all requests, those that were refused."""
        return self.refused / (self.refused + self.taken)


@pytest_asyncio.fixture(loop_scope="module")
async def busy(liar, quick_tries):
    """The lying server, which takes no more than `MOST` requests at once."""
    quick_tries.undo()  # it takes a moment later what it refuses now
    lie = Busy()
    before = settings.defaults().attempts
    settings.change(attempts=settings.Settings().attempts)
    for operation in ("GetObject", "PutObject", "UploadPart"):
        liar.lie(operation, lie)
    yield lie
    settings.change(attempts=before)


@pytest.fixture
def levels(monkeypatch):
    """The levels of the verbs that run."""
    made = []

    def noted(*args):
        made.append(Level(*args))
        return made[-1]

    monkeypatch.setattr(transferring, "Level", noted)
    monkeypatch.setattr(engine, "Level", noted)
    return made


def near(level):
    """Whether a level is about what the server takes: neither idle nor a flood.

    Not all that the client counts as in flight is at the server in that moment.
    """
    return MOST / 3 <= level.limit <= 3 * MOST


async def test_small_objects_come_from_a_server_that_refuses_more(liar, busy, levels, tmp_path):
    """All of them, and few requests are in vain."""
    liar.objects |= {f"a/{number:04}": b"%d" % number * 100 for number in range(600)}
    busy.first = FEW

    report = await get(liar.uri("a/"), tmp_path, recursive=True, progress="none")

    assert set(report.Status) == {"done"}
    assert {f"a/{path.name}": path.read_bytes() for path in tmp_path.iterdir()} == liar.objects
    assert busy.share < 0.25
    assert near(levels[-1])


async def test_large_objects_come_in_parts_from_a_server_that_refuses_more(
    liar, busy, levels, tmp_path
):
    """Nothing is fetched twice but what was refused."""
    size = 64 * 1024
    busy.first = 2  # while three objects are begun
    liar.objects |= {f"a/{name}": bytes([name]) * (120 * size) for name in range(3)}
    liar.etags |= {key: f'"of {key}"' for key in liar.objects}  # a sum for each answer takes long
    settings.change(multipart_threshold=size)

    try:
        report = await get(
            liar.uri("a/"), tmp_path, recursive=True, part_size=size, progress="none"
        )
    finally:
        settings.change(multipart_threshold=PART)

    assert set(report.Status) == {"done"}
    assert {f"a/{path.name}": path.read_bytes() for path in tmp_path.iterdir()} == liar.objects
    assert busy.taken == 360
    assert busy.share < 0.25
    assert near(levels[0])


async def test_small_files_go_to_a_server_that_refuses_more(liar, busy, levels, tmp_path):
    """All of them, and few bodies are sent in vain."""
    busy.first = FEW
    for number in range(600):
        (tmp_path / f"{number:04}").write_bytes(b"%d" % number * 100)

    report = await put(tmp_path, liar.uri("a/"), recursive=True, progress="none")

    assert set(report.Status) == {"done"}
    assert sorted(liar.objects.values()) == sorted(path.read_bytes() for path in tmp_path.iterdir())
    assert busy.share < 0.25
    assert near(levels[-1])


async def test_a_large_file_goes_in_parts_to_a_server_that_refuses_more(liar, busy):
    """Whole."""
    data = bytes(range(256)) * (30 * PART // 256)

    await put(data, liar.uri("k"), part_size=PART, progress="none")

    assert liar.objects["k"] == data
    assert busy.share < 0.25


# what the ordinary client hears


async def halved(liar, run):
    """Run something ordinary; gives how often its level was told of pressure."""
    settings.change(fast=False)
    told = []

    class Telling(Level):
        def throttled(self):
            told.append(self)
            super().throttled()

    client = await session.client()
    with feeling(client, Telling(64)):
        await run(client)
    return len(told)


@pytest.mark.parametrize("status", [400, 429, 503])
async def test_each_refusal_that_the_client_keeps_to_itself_is_felt(liar, status):
    """Twice refused, then taken: the verb sees only that it worked."""
    liar.objects["k"] = b"x"
    liar.lie("ListObjectsV2", lambda *_: error(status, "SlowDown"), times=2)

    told = await halved(liar, lambda client: client.list_objects_v2(Bucket="lies"))

    assert told == 2


@pytest.mark.parametrize("status", [403, 404, 500])
async def test_other_faults_are_no_pressure(liar, status):
    """A missing key says nothing of how busy a server is."""
    liar.lie("GetObject", lambda *_: error(status, "Some"))

    async def run(client):
        with pytest.raises(Exception, match="Some"):
            await client.get_object(Bucket="lies", Key="k")

    assert await halved(liar, run) == 0


async def test_a_server_that_falls_silent_is_felt(lair, liar):
    """Before an answer, and within one."""
    settings.change(read_timeout=0.2)
    way, before = settings.defaults().fast, session.current()
    connection = session.connect(
        endpoint_url=liar.endpoint_url,
        region="us-east-1",
        aws_access_key_id="testing",
        aws_secret_access_key="testing",
    )
    liar.objects["k"] = b"x" * 1000

    async def silent(_request, answer):
        return dataclasses.replace(
            answer, headers=answer.headers | {"content-length": "1000"}, body=b"x", then="hang"
        )

    liar.lie("GetObject", silent, times=1)
    made = []

    class Telling(Level):
        def throttled(self):
            made.append(self)
            super().throttled()

    try:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(transferring, "Level", Telling)
            assert await get(liar.uri("k"), None, progress="none") == liar.objects["k"]
    finally:
        await connection.close()
        settings.change(read_timeout=10.0, fast=way)
        session._current = before

    assert len(made) == 1


async def test_two_verbs_at_once_feel_each_their_own(liar):
    """What one does to the server is not the other's."""
    client = await session.client()
    one, two = Level(64, 64), Level(64, 64)

    async def run(level, pressed):
        with feeling(client, level):
            await asyncio.sleep(0)
            if pressed:
                felt()
            await asyncio.sleep(0)

    await asyncio.gather(run(one, pressed=True), run(two, pressed=False))
    felt()  # nobody's

    assert (one.limit, two.limit) == (32, 64)


async def test_the_helper_feels_it_too(liar, levels, tmp_path):
    """The seed's own upload is a verb of one request."""
    (tmp_path / "f").write_bytes(b"x")
    liar.lie("PutObject", lambda *_: error(503, "SlowDown"), times=1)

    await upload_file(await session.client(), "lies", tmp_path / "f", "k")

    assert liar.objects["k"] == b"x"
    assert levels[0].limit < Level(256).limit

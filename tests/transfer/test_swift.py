"""Small jobs, each wholly in a helper thread: done, or done by the ordinary way, or cancelled."""

from __future__ import annotations

import asyncio
import dataclasses
import errno
import os
import stat
import threading
import time
from pathlib import Path

import pytest

from liar import error
from s3magic import session, settings
from s3magic.commands.get import get
from s3magic.commands.put import put
from s3magic.commands.running import transferring
from s3magic.errors import TransferError
from s3magic.transfer.direct import Direct
from s3magic.transfer.placing import Folders
from s3magic.transfer.progress import Meter
from s3magic.wire import conversation, lanes
from s3magic.wire.small import Pace

pytestmark = pytest.mark.asyncio(loop_scope="module")

MANY = 300


@pytest.fixture
def meters(monkeypatch):
    """The meters of the verbs that run."""
    made = []

    def noted(*args):
        made.append(Meter(*args))
        return made[-1]

    monkeypatch.setattr(transferring, "Meter", noted)
    return made


def fill(liar, number=MANY):
    liar.objects |= {f"a/{name:04}": b"%d" % name * 50 for name in range(number)}


def written(folder):
    return {f"a/{path.name}": path.read_bytes() for path in folder.iterdir()}


async def all_lanes_ended():
    """Wait until no thread of ours is at work."""
    ours = {"s3magic-lane", "s3magic-reactor"}
    async with asyncio.timeout(20):  # no join: one may be about to begin
        while any(  # noqa: ASYNC110 - nobody tells
            thread.name in ours for thread in threading.enumerate()
        ):
            await asyncio.sleep(0.005)


def ordinary(requests):
    """Give those that the client asked: botocore numbers its own."""
    return [request for request in requests if "amz-sdk-invocation-id" in request.headers]


async def test_small_jobs_are_done_by_one_thread_and_none_comes_back(liar, tmp_path, monkeypatch):
    """What fails there would be done by others, so they must not be asked; nor the client."""
    fill(liar)
    for name in ("get", "put"):
        monkeypatch.setattr(Direct, name, None)
    monkeypatch.setattr(Pace, "slow", lambda _: False)  # a busy machine's disk may be

    report = await get(liar.uri("a/"), tmp_path / "a", recursive=True, progress="none")
    await put(tmp_path / "a", liar.uri("b/"), recursive=True, progress="none")

    gets, puts = liar.asked("GetObject"), liar.asked("PutObject")
    assert list(report.Status) == ["done"] * MANY
    assert len(gets) == len(puts) == MANY
    assert len(ordinary(gets + puts)) == (0 if settings.defaults().fast else 2 * MANY)
    await all_lanes_ended()


async def test_a_slow_disk_is_not_read_by_the_thread_that_holds_all_conversations(
    liar, tmp_path, monkeypatch
):
    """But for a try now and then; what it declines is sent by another."""
    for number in range(MANY):
        (tmp_path / f"{number:04}").write_bytes(b"%d" % number)
    threads, opened = [], Path.open

    def slow(path, *args, **options):
        if path.parent == tmp_path:
            threads.append(threading.current_thread().name)
            time.sleep(0.01)
        return opened(path, *args, **options)

    monkeypatch.setattr(Path, "open", slow)

    report = await put(tmp_path, liar.uri("a/"), recursive=True, progress="none")

    assert list(report.Status) == ["done"] * MANY
    assert liar.objects == {f"a/{number:04}": b"%d" % number for number in range(MANY)}
    assert len(liar.asked("PutObject")) == MANY
    assert threads.count("s3magic-reactor") < MANY / 4
    if settings.defaults().fast:
        assert threads.count("s3magic-lane") > MANY / 2


async def test_what_fails_in_a_thread_is_done_by_the_ordinary_way(liar, tmp_path):
    """Every third of them, once: a row each, all done, in the order of the keys."""
    fill(liar)
    failed = set()

    def once(request):
        first = request.key not in failed and int(request.key[-1]) % 3 == 0
        failed.add(request.key)
        return first

    liar.lie("GetObject", lambda *_: error(500, "InternalError"), when=once)

    report = await get(liar.uri("a/"), tmp_path, recursive=True, progress="none")

    assert list(report.Status) == ["done"] * MANY
    assert list(report.Source) == [liar.uri(key) for key in sorted(liar.objects)]
    assert list(report.Size) == [len(liar.objects[key]) for key in sorted(liar.objects)]
    assert written(tmp_path) == liar.objects
    again = [key for key in liar.objects if int(key[-1]) % 3 == 0]
    assert len(liar.asked("GetObject")) == MANY + len(again)


async def test_what_cannot_be_done_is_told_as_the_ordinary_way_tells_it(liar, tmp_path):
    """One row each, with its sentence; the others arrive."""
    fill(liar)
    liar.lie(
        "GetObject",
        lambda *_: error(403, "AccessDenied"),
        when=lambda request: request.key.endswith("7"),
    )
    (tmp_path / "0003").mkdir()

    report = await get(liar.uri("a/"), tmp_path, recursive=True, errors="return", progress="none")

    rows = report.set_index("Source")
    bad = [liar.uri(key) for key in liar.objects if key.endswith("7")] + [liar.uri("a/0003")]
    assert set(rows.index[rows.Status == "failed"]) == set(bad)
    assert rows.Error[liar.uri("a/0003")].endswith("there is a folder of that name.")
    assert "denied" in rows.Error[liar.uri("a/0007")]
    assert (rows.Status == "done").sum() == MANY - len(bad)


async def test_a_busy_server_is_asked_again_on_the_same_way(liar, tmp_path):
    """Once more for each that it refused, and by nobody else."""
    fill(liar)
    refused = set()

    def once(request):
        first = request.key not in refused and request.key.endswith("3")
        refused.add(request.key)
        return first

    liar.lie("GetObject", lambda *_: error(503, "SlowDown"), when=once)

    await get(liar.uri("a/"), tmp_path, recursive=True, progress="none")

    asked = liar.asked("GetObject")
    assert written(tmp_path) == liar.objects
    assert len(asked) == MANY + MANY // 10
    assert len(ordinary(asked)) == (0 if settings.defaults().fast else len(asked))


async def test_a_server_that_stays_busy_is_asked_so_often_and_no_more(liar, tmp_path):
    """Then the ordinary way has its tries, and its sentence."""
    fill(liar, 3)
    liar.lie(
        "GetObject",
        lambda *_: error(503, "SlowDown"),
        when=lambda request: request.key == "a/0001" and "amz-sdk-request" not in request.headers,
    )

    await get(liar.uri("a/"), tmp_path, recursive=True, progress="none")

    asked = [one for one in liar.asked("GetObject") if one.key == "a/0001"]
    assert written(tmp_path) == liar.objects
    # Two tries here, and the ordinary one.
    assert len(asked) == (3 if settings.defaults().fast else 1)


async def test_a_process_without_descriptors_tries_again_and_asks_nobody_twice(
    liar, tmp_path, monkeypatch
):
    """For a connection, and for a file: it is as if the server had asked for less."""
    fill(liar)
    opening, prepare, left = conversation.opening, Folders.prepare, [20, 5]

    def unconnected(line):
        left[0] -= 1
        if left[0] >= 0:
            raise OSError(errno.EMFILE, os.strerror(errno.EMFILE))
        yield from opening(line)

    def unopened(*args):
        left[1] -= 1
        if left[1] >= 0:
            raise OSError(errno.EMFILE, os.strerror(errno.EMFILE))
        return prepare(*args)

    monkeypatch.setattr(conversation, "opening", unconnected)
    if settings.defaults().fast:
        monkeypatch.setattr(Folders, "prepare", unopened)
    await session.close()  # no connection is left from before

    await get(liar.uri("a/"), tmp_path, recursive=True, progress="none")

    asked = liar.asked("GetObject")
    assert written(tmp_path) == liar.objects
    assert len(asked) == MANY + (5 if settings.defaults().fast else 0)
    ordinary = [one for one in asked if "amz-sdk-invocation-id" in one.headers]
    assert len(ordinary) == (0 if settings.defaults().fast else len(asked))


async def test_a_limit_on_open_files_is_kept(liar, tmp_path):
    """What the verb does at once depends on what is left, and nothing fails."""
    resource = pytest.importorskip("resource")
    fill(liar)

    async def slow(_request, answer):
        await asyncio.sleep(0.01)  # until others are under way
        return answer

    liar.lie("GetObject", slow)
    await session.close()  # what is idle is open too
    await session.client()
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    last = max(map(int, os.listdir("/dev/fd")))  # noqa: PTH208 - names only
    # The server has its end of each connection in this very process.
    resource.setrlimit(resource.RLIMIT_NOFILE, (last + 60, before[1]))
    try:
        report = await get(liar.uri("a/"), tmp_path, recursive=True, progress="none")
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)

    assert set(report.Status) == {"done"}


async def test_where_the_system_has_nothing_for_the_reactor_the_ordinary_way_goes(
    liar, tmp_path, monkeypatch
):
    """No descriptor or no thread: each job has its own row, and is done."""
    fill(liar, 9)

    def refuse(*_):
        raise OSError(errno.EMFILE, os.strerror(errno.EMFILE))

    monkeypatch.setattr(lanes, "Reactor", refuse)

    report = await get(liar.uri("a/"), tmp_path, recursive=True, progress="none")

    assert list(report.Status) == ["done"] * 9
    assert written(tmp_path) == liar.objects


@pytest.mark.parametrize("most", [1, 4])
async def test_small_and_large_together_are_no_more_at_once_than_may_be(liar, tmp_path, most):
    """Counted where they arrive."""
    sizes = [100, 300 * settings.KiB]
    liar.objects |= {f"a/{name:04}": bytes(sizes[name % 2]) for name in range(80)}
    now, seen = 0, []

    async def slow(_request, answer):
        nonlocal now
        now += 1
        seen.append(now)
        await asyncio.sleep(0.005)  # until others are under way
        now -= 1
        return answer

    liar.lie("GetObject", slow)

    await get(liar.uri("a/"), tmp_path, recursive=True, concurrency=most, progress="none")

    assert written(tmp_path) == liar.objects
    assert max(seen) == most


async def test_a_listing_out_of_date_leaves_no_part_behind(liar, tmp_path):
    """It was small when it was listed; it is large, and its body breaks off."""
    fill(liar, 3)
    large = bytes(3 * settings.MiB)

    def grow(_, answer):
        liar.objects["a/0001"] = large
        return answer

    def broken(_, answer):
        half = answer.body[: len(answer.body) // 2]
        headers = answer.headers | {"content-length": str(len(answer.body))}
        return dataclasses.replace(answer, headers=headers, body=half, then="close")

    liar.lie("ListObjectsV2", grow)
    liar.lie("GetObject", broken, times=1, when=lambda request: request.key == "a/0001")

    await get(liar.uri("a/"), tmp_path, recursive=True, progress="none")

    assert written(tmp_path) == liar.objects
    assert len(list(tmp_path.iterdir())) == 3


@pytest.mark.parametrize("named", [True, False])
async def test_what_was_there_is_replaced_with_its_mode_and_what_is_no_file_stays(
    liar, tmp_path, monkeypatch, named
):
    """In a folder that is named, in the current one, and in none that the verb makes."""
    liar.objects |= {"a/old": b"new", "a/pipe": b"new", "a/sub/old": b"new", "a/made/old": b"new"}
    for path in (tmp_path / "old", tmp_path / "sub" / "old"):
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(b"old")
        path.chmod(0o640)
    os.mkfifo(tmp_path / "pipe")
    monkeypatch.chdir(tmp_path)

    report = await get(
        liar.uri("a/"),
        tmp_path if named else ".",
        recursive=True,
        errors="return",
        progress="none",
    )

    failed = report[report.Status == "failed"]
    assert list(failed.Source) == [liar.uri("a/pipe")]
    assert (tmp_path / "pipe").is_fifo()
    if not named:
        assert set(report.Target) == {"old", "pipe", "sub/old", "made/old"}
    for path in (tmp_path / "old", tmp_path / "sub" / "old"):
        assert path.read_bytes() == b"new"
        assert stat.S_IMODE(path.stat().st_mode) == 0o640
    assert (tmp_path / "made" / "old").read_bytes() == b"new"


@pytest.mark.parametrize("verb", ["get", "put"])
@pytest.mark.parametrize("silent", [False, True])
async def test_a_stop_in_the_middle_gives_a_row_for_each(liar, meters, tmp_path, verb, silent):
    """Done or cancelled, whole or absent, and no thread at work behind it."""
    source = tmp_path / "source"
    target = tmp_path / "target"
    for folder in (source, target):
        folder.mkdir()
    fill(liar)
    for key, data in liar.objects.items():
        (source / key[2:]).write_bytes(data)
    if verb == "put":
        liar.objects.clear()
    operation = {"get": "GetObject", "put": "PutObject"}[verb]
    half = MANY // 2
    release = asyncio.Event()

    async def slow(_request, answer):
        if len(liar.asked(operation)) > half:
            if not meters[0].stopped:
                asyncio.get_running_loop().call_soon(meters[0].stop)
            if silent:
                await release.wait()
        return answer

    liar.lie(operation, slow)
    # So few at once that some have not begun when half of them are done.
    options = {"recursive": True, "concurrency": 16, "errors": "return", "progress": "none"}
    run = (
        get(liar.uri("a/"), target, **options)
        if verb == "get"
        else put(source, liar.uri("a/"), **options)
    )

    async with asyncio.timeout(20):
        report = await run
        await all_lanes_ended()
    release.set()

    assert len(report) == MANY
    assert set(report.Status) == {"done", "cancelled"}
    assert report.Source.is_unique
    done = report[report.Status == "done"]
    assert set(report.Size[report.Status == "cancelled"]) <= {0}
    if verb == "get":
        there = written(target)
        assert not [path for path in target.iterdir() if path.suffix == ".s3part"]
        # Whatever is told is there. (The ordinary way may give a file its name in the moment of
        # its cancellation, and then says that it was cancelled.)
        told, found = set(done.Source), {liar.uri(key) for key in there}
        assert told == found or (told < found and not settings.defaults().fast)
        assert there.items() <= liar.objects.items()
    else:
        assert set(done.Target) <= {liar.uri(key) for key in liar.objects}
        for key, data in liar.objects.items():
            assert data == (source / key.rpartition("/")[2]).read_bytes()


@pytest.mark.parametrize("turns", [1, 3, 10, 30, 100, 300])
async def test_a_cancellation_at_any_moment_leaves_nothing_half_written(liar, tmp_path, turns):
    """And it goes on."""
    fill(liar)
    task = asyncio.create_task(
        get(liar.uri("a/"), tmp_path, recursive=True, errors="return", progress="none")
    )
    for _ in range(turns):
        await asyncio.sleep(0)

    task.cancel()
    await asyncio.wait([task], timeout=20)
    await all_lanes_ended()

    assert task.cancelled()
    assert written(tmp_path).items() <= liar.objects.items()


async def test_those_under_way_are_seen(liar, meters, tmp_path):
    """By name and size, while a thread waits for them, on either way."""
    fill(liar, 5)
    held, seen = asyncio.Event(), []

    async def slow(_request, answer):
        await held.wait()
        return answer

    liar.lie("GetObject", slow)
    task = asyncio.create_task(get(liar.uri("a/"), tmp_path, recursive=True, progress="none"))
    async with asyncio.timeout(20):
        while len(seen) < 5:
            await asyncio.sleep(0.005)  # until all of them wait for the server
            seen = meters[0].slowest(10) if meters else []
    held.set()
    await task

    assert {(one.name, one.size) for one in seen} == {
        (liar.uri(key), len(data)) for key, data in liar.objects.items()
    }
    assert meters[0].slowest(10) == []
    assert meters[0].done_files == 5
    assert meters[0].done_size == meters[0].size == sum(map(len, liar.objects.values()))


async def test_a_verb_that_was_stopped_says_so(liar, meters, tmp_path):
    """As an error, unless it was told to give the report."""
    fill(liar)

    def stop(_request, answer):
        meters[0].stop()
        return answer

    liar.lie("GetObject", stop, times=1)

    with pytest.raises(TransferError, match="cancelled"):
        await get(liar.uri("a/"), tmp_path, recursive=True, progress="none")

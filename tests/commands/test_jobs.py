"""Verbs that go on in the background, and the verb jobs, on the running loop."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import time

import pandas as pd
import pytest

from front import Front
from s3magic import session
from s3magic.commands.get import get
from s3magic.commands.jobs import jobs
from s3magic.commands.put import put
from s3magic.commands.running import background
from s3magic.commands.showing import displays
from s3magic.errors import BadArgument, NoSuchKey, TransferError

MiB = 1024 * 1024
LARGE = bytes(range(256)) * (20 * MiB // 256)


class Recording:
    """A display that keeps what it is told."""

    def __init__(self):
        self.drawn = []
        self.closed = []

    def draw(self, meter):
        self.drawn.append(meter.doing)

    def close(self, summary):
        self.closed.append(summary)


@contextlib.contextmanager
def connected_to(server):
    session.connect(
        endpoint_url=server.endpoint_url,
        aws_access_key_id=server.access_key,
        aws_secret_access_key=server.secret_key,
        region="us-east-1",
    )
    yield


@pytest.fixture
def display():
    """What every job of the test is shown on."""
    display = Recording()
    displays.use(lambda _: display)
    yield display
    displays.reset()


@pytest.fixture
async def connected(s3, display):
    """The verbs, connected to the server that the test's bucket is on; no job before."""
    with connected_to(s3.server):
        background.forget(background.known())
        yield s3
    await jobs(cancel=True)
    background.forget(background.known())
    await session.close()
    session.connect(reset=True)


@pytest.fixture
async def door(connected, seaweed):
    """A door before the server; the verbs go through it."""
    with Front(seaweed) as front, connected_to(front):
        yield front
        front.forget()
        await jobs(cancel=True)
        await session.close()


def gone(s3):
    """Wait until no upload is open: an abort was held up at the door."""
    deadline = time.monotonic() + 30
    while s3.uploads():
        assert time.monotonic() < deadline
        time.sleep(0.05)  # between two looks


async def reached(door):
    """Wait until the door has changed."""
    assert await asyncio.to_thread(door.reached.wait, 30)


async def test_a_job_gives_what_the_verb_gives(s3, server, connected, tmp_path):
    """A frame, or bytes; in the background nothing else is done than in front."""
    for number in range(5):
        s3.put(f"in/{number}", bytes(number))

    front = await get(s3.uri("in/"), tmp_path / "front", recursive=True)
    job = await get(s3.uri("in/"), tmp_path / "back", recursive=True, bg=True)
    sending = await put(b"there", s3.uri("out"), bg=True)
    reading = await get(s3.uri("in/4"), None, bg=True)

    assert (await job)[["Source", "Size", "Status"]].equals(front[["Source", "Size", "Status"]])
    assert (await sending).Status.tolist() == ["done"]
    assert await reading == bytes(4)
    assert s3.get("out") == b"there"
    assert [one.status for one in (job, sending, reading)] == ["done"] * 3
    assert reading.report.Size.tolist() == [4]


async def test_the_cell_goes_on_at_once(s3, door, tmp_path):
    """While the server is silent the job runs, and its figures are there to read."""
    s3.put("large", LARGE)
    door.then("silent", size=10 * MiB)

    job = await get(s3.uri("large"), tmp_path / "large", bg=True, part_size=MiB)
    await reached(door)

    assert not job.done
    assert job.status == "running"
    assert "running" in repr(job)
    door.forget()
    report = await job
    assert job.done
    assert report.equals(job.report)
    assert (job.size, job.total) == (len(LARGE), len(LARGE))


async def test_the_report_of_a_running_job_has_what_is_over(s3, door, tmp_path):
    """Of three objects two are there when the third hangs."""
    for name in ("a", "b"):
        s3.put(f"in/{name}", b"small")
    s3.put("in/c", LARGE)
    door.then("silent", size=12 * MiB)

    job = await get(s3.uri("in/"), tmp_path, recursive=True, bg=True, part_size=MiB)
    await reached(door)

    assert job.report.Status.tolist() == ["done", "done"]
    assert job.report.Size.tolist() == [5, 5]
    door.forget()
    assert len(await job) == 3


async def test_a_job_knows_its_total_by_the_first_bytes(s3, door, tmp_path):
    """Not only when the first part is whole; before, it is missing and not zero."""
    s3.put("large", LARGE)
    door.then("silent", size=4 * MiB)
    job = await get(s3.uri("large"), tmp_path, bg=True)
    deadline = time.monotonic() + 30

    while not job.size:
        assert job.total in {None, len(LARGE)}
        assert time.monotonic() < deadline
        await asyncio.sleep(0.01)  # between two looks

    assert job.size < len(LARGE)
    assert job.total == len(LARGE)


async def test_a_job_is_no_source_and_says_what_is(connected):
    """Its report is a frame; the sentence names it."""
    job = await get(connected.uri("missing"), errors="return", bg=True)

    with pytest.raises(BadArgument, match=r"A Job is no source(.|\n)*Its \.report is a frame"):
        await get(job)


async def test_what_cannot_be_meant_is_refused_in_the_cell(s3, connected, tmp_path):
    """No job begins that could only fail."""
    with pytest.raises(BadArgument):
        await get(s3.uri("a"), tmp_path, concurrency=0, bg=True)
    with pytest.raises(BadArgument):
        await get(s3.uri("a"), tmp_path, progress="loud", bg=True)
    with pytest.raises(BadArgument):
        await put(b"1", s3.uri(), bg=True)

    assert background.known() == []


async def test_awaiting_raises_what_the_verb_raises(s3, server, connected, tmp_path):
    """As often as it is awaited; with errors="return" it is a row."""
    job = await get(s3.uri("missing"), tmp_path / "x", bg=True)
    quiet = await get(s3.uri("missing"), tmp_path / "x", bg=True, errors="return")

    for _ in range(2):
        with pytest.raises(TransferError) as caught:
            await job

        assert isinstance(caught.value, NoSuchKey)
    assert job.report.Status.tolist() == (await quiet).Status.tolist() == ["failed"]
    assert job.status == quiet.status == "failed"


async def test_the_error_of_a_job_that_nobody_awaits_is_told_once(
    s3, connected, display, tmp_path, caplog
):
    """In the line that closes its bar, and in the frame; Python's own complaint is not heard."""
    job = await get(s3.uri("missing"), tmp_path / "x", bg=True)

    shown_ = await jobs(wait=True)
    number = job.number
    background.forget([job])
    del job
    gc.collect()

    assert len(display.closed) == 1
    assert display.closed[0].startswith(f"Job {number}: ")
    assert "no such key" in display.closed[0]
    assert "no such key" in shown_.Error[0]
    assert "never retrieved" not in caplog.text


async def test_a_cancelled_job_reports_what_arrived_and_leaves_nothing_open(s3, door, tmp_path):
    """An upload is aborted, and the old object is there."""
    s3.put("k", b"old")
    (tmp_path / "large").write_bytes(LARGE)
    door.then("silent", size=12 * MiB)
    job = await put(tmp_path / "large", s3.uri("k"), bg=True, part_size=5 * MiB)
    await reached(door)

    job.cancel()
    with pytest.raises(TransferError, match="cancelled"):
        await job
    door.forget()

    assert job.status == "cancelled"
    assert job.report.Status.tolist() == ["cancelled"]
    await asyncio.to_thread(gone, s3)
    assert s3.get("k") == b"old"


async def test_a_job_cancelled_before_it_begins_does_nothing(s3, connected, tmp_path):
    """Nor does one that is broken off, and awaiting either is an error of ours."""
    s3.put("a", b"1")

    early = await get(s3.uri("a"), tmp_path / "early", bg=True)
    early.cancel()
    broken = await get(s3.uri("a"), tmp_path / "broken", bg=True)
    broken.cancel()
    broken.cancel()

    for job in (early, broken):
        with pytest.raises(TransferError, match="cancelled"):
            await job
        assert job.status == "cancelled"
    assert list(tmp_path.iterdir()) == []


async def test_the_button_of_its_first_drawing_cancels_whatever_it_does_by_then(
    s3, door, tmp_path, monkeypatch
):
    """A bar keeps the button that it was drawn with."""
    buttons = []
    monkeypatch.setattr(Recording, "draw", lambda _, meter: buttons.append(meter.stop))
    s3.put("large", LARGE)
    door.then("silent", size=10 * MiB)
    job = await get(s3.uri("large"), tmp_path / "l", bg=True, part_size=MiB, errors="return")
    await reached(door)

    buttons[0]()

    assert (await job).Status.tolist() == ["cancelled"]


async def test_who_stops_waiting_leaves_the_job_alone(s3, door, tmp_path):
    """A timeout around `await job` ends the waiting only."""
    s3.put("large", LARGE)
    door.then("silent", size=10 * MiB)
    job = await get(s3.uri("large"), tmp_path / "large", bg=True, part_size=MiB)
    await reached(door)

    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0):
            await job
    assert job.status == "running"
    door.forget()

    assert (await job).Status.tolist() == ["done"]


async def test_a_job_that_is_over_holds_neither_engine_nor_client(s3, connected, tmp_path):
    """Only its report: there may be many, and `--clear` is seldom said."""
    s3.put("a", b"1")
    job = await get(s3.uri("a"), tmp_path / "a", bg=True)
    await job
    meter = job.meter

    held = [meter.rows, meter.others, meter._stop]

    assert not any(getattr(one, "__self__", None) for one in held)
    assert meter.rows()[0].status == "done"


async def test_a_front_end_that_fails_does_not_keep_a_job(s3, connected, monkeypatch, tmp_path):
    """Bytes matter more than their bar."""

    def fail(*_):
        raise RuntimeError("the front end went away")

    monkeypatch.setattr(Recording, "draw", fail)
    monkeypatch.setattr(Recording, "close", fail)
    s3.put("a", b"1")

    job = await get(s3.uri("a"), tmp_path / "a", bg=True)

    assert (await job).Status.tolist() == ["done"]


async def test_a_job_stays_on_its_connection(s3, connected, tmp_path):
    """What `connect` is told after it began is for others."""
    s3.put("a", b"here")
    job = await get(s3.uri("a"), tmp_path / "a", bg=True)
    session.connect(endpoint_url="http://127.0.0.1:9", region="us-east-1", anonymous=True)

    report = await job

    assert report.Status.tolist() == ["done"]
    assert (tmp_path / "a").read_bytes() == b"here"


async def test_jobs_is_a_frame(s3, door, tmp_path):
    """Its columns have their types in every state, an empty one too."""
    empty = await jobs()
    s3.put("large", LARGE)
    s3.put("small", b"12345")
    done = await get(s3.uri("small"), tmp_path / "small", bg=True)
    await done
    door.then("silent", size=10 * MiB)
    running = await get(s3.uri("large"), tmp_path / "large", bg=True, part_size=MiB)
    await reached(door)

    frame = await jobs()

    assert frame.Job.tolist() == [done.number, running.number]
    assert frame.Line[0] == f"get {s3.uri('small')} {tmp_path / 'small'}"
    assert frame.Status.tolist() == ["done", "running"]
    assert frame.Done[0] == 5
    assert frame.Total[0] == 5
    assert frame.Error.tolist() == ["", ""]
    assert frame.Started[0] <= pd.Timestamp.now("UTC")
    assert empty.dtypes.astype(str).to_dict() == frame.dtypes.astype(str).to_dict()


async def test_jobs_cancels_and_waits_for_those_named(s3, door, tmp_path):
    """The others go on."""
    s3.put("large", LARGE)
    door.then("silent", size=4 * MiB)
    one = await get(s3.uri("large"), tmp_path / "one", bg=True, part_size=MiB)
    two = await get(s3.uri("large"), tmp_path / "two", bg=True, part_size=MiB)
    await reached(door)

    frame = await jobs(one.number, cancel=True)

    assert frame.Status.tolist() == ["cancelled"]
    assert two.status == "running"
    door.forget()
    assert (await jobs([two.number], wait=True)).Status.tolist() == ["done"]


async def test_jobs_forgets_those_that_are_over(s3, door, tmp_path):
    """They are shown for the last time; one that runs stays."""
    s3.put("large", LARGE)
    s3.put("small", b"1")
    done = await get(s3.uri("small"), tmp_path / "small", bg=True)
    await done
    door.then("silent", size=10 * MiB)
    running = await get(s3.uri("large"), tmp_path / "large", bg=True, part_size=MiB)
    await reached(door)

    last = await jobs(clear=True)

    assert len(last) == 2
    assert background.known() == [running]
    with pytest.raises(BadArgument, match=f"no job {done.number}"):
        background.job(done.number)


@pytest.mark.parametrize("number", [99_999, 0, "two", [1.5]])
async def test_a_number_that_no_job_has_is_refused(connected, number):
    """In a sentence."""
    with pytest.raises(BadArgument):
        await jobs(number)


async def test_what_a_job_says_of_itself_is_harmless(s3, moto, connected, tmp_path):
    """A key can neither steer the terminal nor become markup."""
    key = "<img src=x onerror=alert(1)>\x1b[2J"
    s3.put(key, b"1")

    job = await get(s3.uri(key), tmp_path / "x", bg=True)
    await job
    s3.client.delete_object(Bucket=s3.bucket, Key=key)  # moto cannot list its versions

    assert "\x1b" not in repr(job)
    assert "<img" not in job._repr_html_()
    assert "\x1b" not in job._repr_html_()


@pytest.mark.parametrize(
    ("given", "line"),
    [
        (("get", "s3://b/k", "./d/"), "get s3://b/k ./d/"),
        (("get", "s3://b/a b", None), "get 's3://b/a b'"),
        (("put", b"12", "s3://b/k"), "put <2 B> s3://b/k"),
        (("get", pd.DataFrame({"Key": ["a"]}), "x"), "get <1 row> x"),
        (("get", ["a", "b", "c", "d", "e"], "x"), "get a b c and 2 more x"),
    ],
)
def test_a_line_names_what_was_given(given, line):
    """Frames and bytes by their size alone."""
    assert background.told(*given) == line

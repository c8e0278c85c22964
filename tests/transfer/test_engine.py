"""Jobs side by side: one row each, whatever becomes of them, of the plan, and of us."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

import pytest

from liar import error
from s3magic.commands.get import get
from s3magic.errors import AccessDenied, AlreadyExists, S3Error, TransferError
from s3magic.transfer.engine import Run, run
from s3magic.transfer.glancing import Glance
from s3magic.transfer.progress import Meter

TREE = {f"t/{number:04}": b"%d" % number for number in range(2500)}


@dataclass
class Job:
    """A job that tells what it was."""

    source_name: str
    target_name: str = "there"
    size: int | None = 1
    refused: S3Error | None = None


def shared(concurrency=2, **options):
    return Run(None, Meter("Doing", "Did"), concurrency, 1, 1, **options)


async def planned(names, then=None):
    for name in names:
        yield Job(name)
        await asyncio.sleep(0)
    if then:
        raise then


def statuses(rows):
    return [(row.source, row.status) for row in rows]


async def test_every_job_has_its_row_in_the_jobs_order():
    """Done, failed, there already, refused by the plan."""

    async def work(_, job, __):
        await asyncio.sleep(0.01 if job.source_name == "a" else 0)
        if job.source_name == "b":
            raise RuntimeError("out of luck")
        if job.source_name == "c":
            raise AlreadyExists("It is there.")
        return 5

    async def jobs():
        for name in "abc":
            yield Job(name)
        yield Job("d", refused=S3Error("No."))

    rows = await run(shared(no_clobber=True), jobs(), work, "do")

    assert statuses(rows) == [("a", "done"), ("b", "failed"), ("c", "skipped"), ("d", "failed")]
    assert rows[0].size == 5
    assert rows[1].error == "Cannot do b: RuntimeError: out of luck"
    assert isinstance(rows[1].cause.__cause__, RuntimeError)


async def test_a_plan_that_fails_late_is_a_row_behind_what_it_gave():
    """What was planned is done; that there was more is told."""

    async def work(*_):
        return 1

    rows = await run(shared(), planned("ab", AccessDenied("No.")), work, "do")

    assert statuses(rows) == [("a", "done"), ("b", "done"), ("the rest", "failed")]
    assert rows[2].error == "No."


async def test_a_plan_that_fails_at_once_is_an_error():
    """There is no row to tell it in."""
    with pytest.raises(AccessDenied):
        await run(shared(), planned("", AccessDenied("No.")), None, "do")


async def test_stopping_gives_rows_for_all_and_one_for_what_was_not_planned():
    """Done, cut short, waiting, and still to be listed."""
    ours = shared(concurrency=1)

    async def jobs():
        for name in "abc":
            yield Job(name)
        await asyncio.Event().wait()

    async def work(_, job, __):
        if job.source_name == "b":
            asyncio.get_running_loop().call_later(0.05, ours.meter.stop)
            await asyncio.Event().wait()
        return 1

    rows = await run(ours, jobs(), work, "do")

    assert statuses(rows) == [
        ("a", "done"),
        ("b", "cancelled"),
        ("c", "cancelled"),
        ("the rest", "cancelled"),
    ]


async def test_a_clean_up_that_fails_does_not_hide_that_we_were_stopped():
    """Else the lane would go on with the next job."""
    ours = shared(concurrency=1)
    begun = []

    async def work(_, job, __):
        begun.append(job.source_name)
        asyncio.get_running_loop().call_soon(ours.meter.stop)
        try:
            await asyncio.Event().wait()
        finally:
            raise OSError("of the clean-up")

    rows = await run(ours, planned("abc"), work, "do")

    assert begun == ["a"]
    assert {row.status for row in rows} == {"cancelled"}


@pytest.mark.asyncio(loop_scope="module")
async def test_a_listing_that_fails_on_its_second_page_is_told(liar, tmp_path):
    """What the first page named arrives, and the error says that it was not all."""
    liar.objects.update(TREE)
    liar.lie(
        "ListObjectsV2",
        lambda *_: error(403, "AccessDenied"),
        when=lambda request: "continuation-token" in request.query,
    )

    with pytest.raises(TransferError, match="1 of 1,001 files failed; 1,000 ") as failure:
        await get(liar.uri("t/"), tmp_path, recursive=True, progress="none")

    assert len(list(tmp_path.iterdir())) == 1000
    assert isinstance(failure.value.__cause__, AccessDenied)


@pytest.mark.asyncio(loop_scope="module")
async def test_thousands_of_small_objects_cost_a_request_each(liar, tmp_path):
    """And one for each page of the listing."""
    liar.objects.update(TREE)

    report = await get(liar.uri("t/"), tmp_path, recursive=True, progress="none")

    assert set(report.Status) == {"done"}
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == {
        key.removeprefix("t/"): data for key, data in TREE.items()
    }
    assert len(liar.asked("ListObjectsV2")) == 3
    assert len(liar.asked("GetObject")) == len(liar.requests) - 3 == 2500


async def test_what_needs_no_request_is_looked_at_together():
    """A dry run has no task for each; the others are asked for, and the order is the jobs'."""
    looks = []

    async def look(_, jobs):
        looks.append([job.source_name for job in jobs])
        return [AlreadyExists("It is there.") if job.source_name == "7" else 3 for job in jobs]

    async def work(_, job, __):
        return 5

    async def jobs():
        for number in range(40):
            yield Job(str(number), size=None if number == 5 else 1)
        yield Job("refused", refused=S3Error("No."))

    run_with = shared(no_clobber=True)
    glance = Glance(lambda _, job: job.size is not None, look)
    rows = await run(run_with, jobs(), work, "do", glance=glance)

    assert [row.source for row in rows] == [*map(str, range(40)), "refused"]
    assert [row.size for row in rows[:8]] == [3, 3, 3, 3, 3, 5, 3, 0]
    assert [rows[number].status for number in (0, 5, 7, 40)] == [
        "done",
        "done",
        "skipped",
        "failed",
    ]
    assert len(looks) < 5
    assert (run_with.meter.done_files, run_with.meter.skipped, run_with.meter.failed) == (39, 1, 1)
    assert (run_with.meter.moved, run_with.meter.active) == (0, {})


async def test_a_look_that_is_cut_leaves_a_row_for_each():
    """Stopped while they are looked at: cancelled, those that wait too."""
    stop = asyncio.Event()

    async def look(*_):
        stop.set()
        await asyncio.Event().wait()

    run_with = shared()
    glance = Glance(lambda *_: True, look)
    running = asyncio.create_task(run(run_with, planned("abc"), None, "do", glance=glance))
    await stop.wait()
    run_with.meter.stop()
    rows = await running

    assert {row.status for row in rows} == {"cancelled"}
    assert [row.source for row in rows[:3]] == ["a", "b", "c"]

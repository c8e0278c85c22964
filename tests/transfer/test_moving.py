"""Moving through a server that breaks off at any step: nothing is lost that is not safe."""

from __future__ import annotations

import asyncio
import hashlib
from dataclasses import replace

import pytest

from cutting import through
from liar import BUCKET, Liar
from s3magic import settings
from s3magic.settings import MiB
from s3magic.transfer.copying import Copy
from s3magic.transfer.direct import direct_of
from s3magic.transfer.engine import Run, run
from s3magic.transfer.level import Level
from s3magic.transfer.moving import Moving
from s3magic.transfer.progress import Meter
from s3magic.transfer.window import stream
from s3magic.uri import S3Uri

OBJECTS = {"from/large": b"l" * (5 * MiB + 1), "from/small": b"s"}
ETAGS = {key: f'"{hashlib.md5(data).hexdigest()}"' for key, data in OBJECTS.items()}


# What is small goes the fast way where there is one; what is large, and what broke off, does not.
KEYS = {"ordinary": tuple(OBJECTS), "fast": ("from/small",)}


@pytest.fixture(autouse=True)
def in_parts():
    """Have an object of more than 5 MiB copied in two parts."""
    before = settings.defaults()
    settings.change(copy_threshold=5 * MiB, copy_part_size=5 * MiB)
    yield
    settings.change(copy_threshold=before.copy_threshold, copy_part_size=before.copy_part_size)


@pytest.fixture
async def liar():
    """A server of our own, honest here: a real one takes too long to be filled so often."""
    async with Liar() as liar:
        yield liar


async def move(client, bucket, keys, *, fast=False):
    """Move objects one after the other, so that each step has its number.

    The fast way, on the wire, is for what a listing has told of.
    """
    level = Level(1)
    jobs = [Copy(S3Uri(bucket, key), S3Uri(bucket, key.replace("from", "to"))) for key in keys]
    if fast:
        told = {"storage_class": ""}
        jobs = [
            replace(job, size=len(OBJECTS[key]), etag=ETAGS[key].strip('"'), **told)
            for key, job in zip(keys, jobs, strict=True)
        ]
    async with direct_of(client, level) as direct:
        shared = Run(client, Meter("Moving", "Moved"), 1, 8 * MiB, 16 * MiB, level=level)
        shared.direct = direct if fast else None
        return await run(shared, stream(jobs), Moving().move, "move")


def check(there, rows=()):
    """Each object is whole at its source or at its target, and where its row says."""
    for key, data in OBJECTS.items():
        places = [there[one] for one in (key, key.replace("from", "to")) if one in there]
        assert places, f"{key} is lost"
        assert set(places) == {data}
    for row in rows:
        source, target = (name.rpartition(f"{BUCKET}/")[2] for name in (row.source, row.target))
        assert row.status != "done" or source not in there
        assert "but not deleted" not in row.error or target in there


async def steps(liar, door, client, way):
    """Count the requests of a move that nothing cuts."""
    lay_out(liar)
    door.open()
    rows = await move(client, BUCKET, KEYS[way], fast=way == "fast")
    assert {row.status for row in rows} == {"done"}
    assert liar.objects == moved(KEYS[way])
    return door.count


def moved(keys):
    """What is there when these have been moved."""
    return {key.replace("from", "to") if key in keys else key: OBJECTS[key] for key in OBJECTS}


def lay_out(liar):
    liar.reset()
    liar.objects.update(OBJECTS)
    liar.etags.update(ETAGS)


@pytest.mark.parametrize(
    ("way", "fault", "lasting"),
    [
        ("ordinary", "unheard", False),
        ("ordinary", "unheard", True),
        ("ordinary", "unanswered", False),
        ("ordinary", "unanswered", True),
        ("ordinary", "error", True),
        ("ordinary", "error inside", False),
        ("fast", "unheard", False),
        ("fast", "unanswered", False),
        ("fast", "unanswered", True),
        ("fast", "error inside", False),
    ],
)
async def test_a_move_cut_by_an_error_at_any_step_loses_nothing(liar, way, fault, lasting):
    """Whichever request fails, unheard or unanswered; and the same again finishes it."""
    async with through(liar) as (door, client):
        for step in range(1, await steps(liar, door, client, way) + 1):
            lay_out(liar)
            door.cut(fault, step, lasting=lasting)

            rows = await move(client, BUCKET, KEYS[way], fast=way == "fast")

            assert door.reached.is_set()
            check(liar.objects, rows)
            door.open()
            left = [key for key in KEYS[way] if key in liar.objects]
            assert {row.status for row in await move(client, BUCKET, left)} <= {"done"}
            assert liar.objects == moved(KEYS[way])


@pytest.mark.parametrize("fault", ["silent before", "silent after"])
@pytest.mark.parametrize("way", KEYS)
async def test_a_move_cancelled_at_any_step_loses_nothing(liar, way, fault):
    """While whichever request is under way, whether the server does it or not."""
    async with through(liar) as (door, client):
        for step in range(1, await steps(liar, door, client, way) + 1):
            lay_out(liar)
            door.cut(fault, step)
            moving = asyncio.create_task(move(client, BUCKET, KEYS[way], fast=way == "fast"))
            await asyncio.wait_for(door.reached.wait(), 30)

            moving.cancel()
            await asyncio.wait([moving])

            assert moving.cancelled()
            check(liar.objects)


async def test_on_a_real_server_no_lost_answer_loses_an_object(s3, server):
    """Each request is done, and its answer lost."""
    async with through(server) as (door, client):
        for step in range(1, 6):
            s3.put("from/small", OBJECTS["from/small"])
            door.cut("unanswered", step)

            rows = await move(client, s3.bucket, ["from/small"])

            assert door.reached.is_set()
            there = s3.keys()
            assert there
            assert {s3.get(key) for key in there} == {OBJECTS["from/small"]}
            assert rows[0].status != "done" or there == ["to/small"]


@pytest.mark.parametrize("operation", ["CopyObject", "CompleteMultipartUpload"])
async def test_an_object_that_changes_meanwhile_stays(liar, operation):
    """Between the copy and the question that comes before the delete."""
    key = "from/small" if operation == "CopyObject" else "from/large"

    def written(_request, answer):
        liar.objects[key] = b"new"
        del liar.etags[key]
        return answer

    async with through(liar) as (_, client):
        lay_out(liar)
        liar.lie(operation, written)

        rows = await move(client, BUCKET, [key])

    assert liar.objects[key] == b"new"
    assert rows[0].status == "failed"
    assert "but not deleted: it changed" in rows[0].error


async def test_a_delete_names_what_was_copied(liar):
    """So that a server which knows conditions refuses what was written in the last moment."""

    def written(_request, answer):
        if liar.asked("HeadObject")[-1].key == "from/small" and "to/small" in liar.objects:
            liar.objects["from/small"] = b"new"
            liar.etags.pop("from/small", None)
        return answer

    async with through(liar) as (_, client):
        lay_out(liar)
        liar.lie("HeadObject", written)

        rows = await move(client, BUCKET, ["from/small"])

    assert liar.objects["from/small"] == b"new"
    assert liar.asked("DeleteObject")[0].headers["if-match"]
    assert "but not deleted" in rows[0].error


@pytest.mark.parametrize("what", ["other bytes", "nothing", "less"])
async def test_what_is_not_at_its_target_is_not_deleted(liar, what):
    """Although the server said that the copy is done."""
    there = {"other bytes": b"x", "nothing": None, "less": b""}[what]

    def forgotten(_request, answer):
        if there is None:
            del liar.objects["to/small"]
        else:
            liar.objects["to/small"] = there
        return answer

    async with through(liar) as (_, client):
        lay_out(liar)
        liar.lie("CopyObject", forgotten)

        rows = await move(client, BUCKET, ["from/small"])

    assert liar.objects["from/small"] == OBJECTS["from/small"]
    assert liar.asked("DeleteObject") == []
    assert "but not deleted" in rows[0].error

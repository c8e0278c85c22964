"""A sync with --delete that is cut off at every one of its requests: nothing is lost."""

from __future__ import annotations

import asyncio
import os
from dataclasses import dataclass
from pathlib import Path

import pytest

from cutting import Door
from s3magic import session, settings
from s3magic.commands.showing import displays
from s3magic.commands.sync import sync
from s3magic.errors import S3Error

PAST = 1_600_000_000
SOURCE = {"changed": b"new content", "new": b"1", "deep/new": b"22", "same": b"333"}
TARGET = {"changed": b"old", "same": b"333", "deep/extra": b"4", "extra": b"55"}
EXTRA = {"deep/extra", "extra"}


@dataclass
class Folder:
    """A side here."""

    address: str

    def write(self, name, data):
        path = Path(self.address, name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        os.utime(path, (PAST, PAST))

    def remove(self, name):
        Path(self.address, name).unlink(missing_ok=True)

    def held(self):
        top = Path(self.address)
        files = [path for path in top.rglob("*") if path.is_file()]
        return {path.relative_to(top).as_posix(): path.read_bytes() for path in files}


@dataclass
class Prefix:
    """A side in S3, seen from outside."""

    s3: object
    prefix: str

    @property
    def address(self):
        return self.s3.uri(self.prefix)

    def write(self, name, data):
        self.s3.put(self.prefix + name, data)

    def remove(self, name):
        self.s3.client.delete_object(Bucket=self.s3.bucket, Key=self.prefix + name)

    def held(self):
        return {
            key.removeprefix(self.prefix): self.s3.get(key) for key in self.s3.keys(self.prefix)
        }


@pytest.fixture
async def door(s3, environment):
    """The verbs, connected to the server through a door that cuts; nothing is tried twice."""
    environment.setenv("AWS_MAX_ATTEMPTS", "1")
    async with Door(s3.server) as door:
        session.connect(
            endpoint_url=door.endpoint_url,
            aws_access_key_id=door.access_key,
            aws_secret_access_key=door.secret_key,
            region="us-east-1",
        )
        before = settings.defaults().progress_delay
        settings.change(progress_delay=0)  # a click needs something to click at
        yield door
        settings.change(progress_delay=before)
        await session.close()
    displays.reset()
    session.connect(reset=True)


class Clicking:
    """A display whose Cancel is clicked when the door is reached."""

    def __init__(self, door):
        self.door = door

    def draw(self, meter):
        if self.door.reached.is_set():
            meter.stop()

    def close(self, summary):
        pass


def sides(way, s3, folder):
    """A source, filled, and a target."""
    here = [Folder(str(folder / side)) for side in ("source", "target")]
    there = [Prefix(s3, f"{side}/") for side in ("source", "target")]
    source = here[0] if way == "upload" else there[0]
    for name, data in SOURCE.items():
        source.write(name, data)
    return source, here[1] if way == "download" else there[1]


def lay_out(target):
    """Fill the target, or take it back to how it was."""
    held = target.held()
    for name, data in TARGET.items():
        if held.get(name) != data:
            target.write(name, data)
    for name in held.keys() - TARGET.keys():
        target.remove(name)


async def cut_off(door, how, step, source, target):
    """Run the sync, and cut it off at a request; tells whether it came so far."""
    fault, lasting = {
        "unanswered": ("unanswered", False),
        "refused": ("error", True),
        "cancelled": ("silent after", True),
        "clicked": ("silent after", True),
    }[how]
    door.cut(fault, step, lasting=lasting)
    running = asyncio.create_task(sync(source.address, target.address, delete=True))
    reached = asyncio.create_task(door.reached.wait())
    await asyncio.wait([running, reached], return_when="FIRST_COMPLETED")
    if how == "cancelled" and reached.done():
        running.cancel()
    await asyncio.wait([running])
    reached.cancel()
    came = door.reached.is_set()
    door.open()
    if not running.cancelled() and running.exception() is not None:
        assert isinstance(running.exception(), (S3Error, asyncio.CancelledError))
    return came


@pytest.mark.parametrize(
    ("way", "how"),
    [
        ("upload", "unanswered"),
        ("upload", "refused"),
        ("upload", "cancelled"),
        ("upload", "clicked"),
        ("download", "refused"),
        ("download", "cancelled"),
        ("copy", "unanswered"),
        ("copy", "cancelled"),
    ],
)
async def test_nothing_is_lost_at_whichever_request_it_is_cut(s3, door, tmp_path, way, how):
    """Nothing that the target alone has goes before all else is safe there, and the source stays.

    Run again, it is done.
    """
    displays.use(lambda _: Clicking(door))
    source, target = sides(way, s3, tmp_path)
    step, came = 0, True
    while came:
        step += 1
        lay_out(target)

        came = await cut_off(door, how, step, source, target)

        left = target.held()
        arrived = {name: left.get(name) for name in SOURCE}
        assert source.held() == SOURCE
        assert all(data in {SOURCE[name], TARGET.get(name)} for name, data in arrived.items())
        assert left.keys() <= SOURCE.keys() | EXTRA
        if not left.keys() >= EXTRA:
            assert arrived == SOURCE
        await sync(source.address, target.address, delete=True)
        assert target.held() == SOURCE

    assert step > 5


async def test_what_is_written_in_the_moment_before_its_deletion_stays(s3, door, tmp_path):
    """The server is told what was looked at, and holds to it; the rest goes."""
    source, target = sides("upload", s3, tmp_path)
    lay_out(target)
    passed = door._ask

    async def late(method, address, *rest):
        if method == "POST" and "delete" in address:
            target.write("extra", b"66")
        return await passed(method, address, *rest)

    door._ask = late

    report = await sync(source.address, target.address, delete=True, errors="return")

    assert target.held() == SOURCE | {"extra": b"66"}
    deleted = report[report.Action == "delete"].set_index("Target")
    assert deleted.Status.tolist() == ["done", "failed"]
    assert "changed since it was looked at" in deleted.Error[target.address + "extra"]

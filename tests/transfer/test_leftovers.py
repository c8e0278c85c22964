"""Multipart uploads that a killed process left open are aborted by the next upload."""

import json
import os
import signal
import subprocess
import sys
from dataclasses import replace

import pytest

from s3magic import session
from s3magic.commands.put import put
from s3magic.settings import MiB
from s3magic.transfer import leftovers
from s3magic.transfer.leftovers import Leftover, Note, abandoned

HERE = Leftover("http://127.0.0.1:1", "bucket", "a key/ü", "upload-1")

# Tells when the upload's first part is under way, and waits there to be killed.
KILLED = """
import asyncio, sys
import s3magic as s3
from s3magic import session

async def main(uri):
    client = await session.client()
    def tell(**_):
        print("sending", flush=True)
    client.meta.events.register("before-send.s3.UploadPart", tell)
    await s3.put(uri, var=bytes(64 * 2**20), part_size=5 * 2**20, progress="none")

asyncio.run(main(sys.argv[1]))
"""


@pytest.fixture(autouse=True)
def cache(environment, tmp_path):
    """A cache folder of the test's own."""
    environment.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache" / "s3magic" / "uploads"


def test_a_note_is_nobodys_while_its_process_lives():
    """The lock says so, not the name."""
    note = Note(HERE)

    held = abandoned(HERE.endpoint)
    note.leave()  # as the end of its process does
    free = abandoned(HERE.endpoint)

    assert held == []
    assert [leftover for leftover, _ in free] == [HERE]


def test_a_note_that_is_removed_is_gone(cache):
    """Nothing stays behind an upload that ended."""
    note = Note(HERE)
    (path,) = cache.iterdir()

    told = json.loads(path.read_text())
    note.remove()
    note.remove()

    assert set(told) == {"endpoint", "bucket", "key", "upload_id", "host"}
    assert list(cache.iterdir()) == []


def test_a_note_that_is_looked_at_before_it_is_locked_is_not_taken(monkeypatch, cache):
    """Uploads begin side by side, and each looks at the notes of the others."""
    usual, looking = leftovers.lock, []

    def lock(fd):
        if not looking:
            (path,) = cache.iterdir()
            looking.append(os.open(path, os.O_RDWR))
            usual(looking[0])
        return usual(fd)

    monkeypatch.setattr(leftovers, "lock", lock)
    note = Note(HERE)
    os.close(looking[0])

    held = abandoned(HERE.endpoint)
    note.remove()

    assert held == []
    assert list(cache.iterdir()) == []


def test_a_note_of_another_endpoint_is_left_to_it():
    """Its client could not reach that upload."""
    Note(HERE).leave()

    other = abandoned("http://127.0.0.1:2")

    assert other == []
    assert len(abandoned(HERE.endpoint)) == 1


def test_a_note_of_another_machine_is_left_to_it():
    """Its lock may not be seen here."""
    Note(replace(HERE, host="another")).leave()

    assert abandoned(HERE.endpoint) == []


def test_without_locks_nothing_is_taken_for_abandoned(monkeypatch):
    """The upload may be alive."""
    monkeypatch.setattr(leftovers, "lock", lambda _: False)
    Note(HERE).leave()

    assert abandoned(HERE.endpoint) == []


def test_without_a_home_everything_else_works(monkeypatch):
    """A user whom the system does not know has none."""
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setattr(leftovers.Path, "home", nowhere)

    Note(HERE).remove()

    assert abandoned(HERE.endpoint) == []


@pytest.mark.parametrize("text", ["", "{", "[]", '{"endpoint": 1}', "\0" * 10])
def test_what_is_no_note_is_left_alone(cache, text):
    """Somebody else's file, or one that was cut short."""
    cache.mkdir(parents=True)
    (cache / "x.json").write_text(text)

    assert abandoned(HERE.endpoint) == []
    assert (cache / "x.json").exists()


def test_without_a_folder_to_write_to_everything_else_works(cache):
    """A read-only home is no reason not to upload."""
    cache.parent.mkdir(parents=True)
    cache.write_text("a file where the folder should be")

    note = Note(HERE)
    note.remove()

    assert abandoned(HERE.endpoint) == []


async def test_the_next_upload_aborts_what_a_killed_process_left_open(
    seaweed, s3, environment, cache
):
    """Killed in mid-upload; then an upload to the same server, and nothing is open any more."""
    for name, value in seaweed.environment.items():
        environment.setenv(name, value)
    upload_and_be_killed(s3.uri("killed.bin"))
    left = s3.uploads()
    noted = list(cache.iterdir())

    await put(s3.uri("next.bin"), var=os.urandom(17 * MiB), part_size=5 * MiB, progress="none")
    await session.close()

    assert [upload["Key"] for upload in left] == ["killed.bin"]
    assert len(noted) == 1
    assert s3.uploads() == []
    assert s3.keys() == ["next.bin"]
    assert list(cache.iterdir()) == []


def upload_and_be_killed(uri):
    """Begin an upload in a process of its own, which dies in the middle of it."""
    command = [sys.executable, "-c", KILLED, uri]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout.readline() == "sending\n"
        process.send_signal(signal.SIGKILL)


def nowhere():
    """Do as `Path.home` does for such a user."""
    raise RuntimeError("Could not determine home directory.")

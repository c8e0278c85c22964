"""Landings: a file that appears whole or not at all, and memory that is filled in place."""

from __future__ import annotations

import pytest

from s3magic.errors import AlreadyExists, LocalFault
from s3magic.settings import MiB
from s3magic.transfer.landing import SMALL, InFile, InMemory
from s3magic.transfer.placing import Folders
from s3magic.transfer.plan import Download
from s3magic.transfer.ranges import Answer
from s3magic.uri import S3Uri


def whole(size):
    return Answer(None, '"e"', 0, size, size)


def part(size, total):
    return Answer(None, '"e"', 0, size, total)


def in_file(target, **options):
    return InFile(Download(S3Uri("b", "k"), target), "http://e", MiB, Folders(), **options)


def receive(landing, data, at=0):
    """Put bytes there, in the way that the landing asks for."""
    room = landing.room(at, len(data))
    if room is None:
        landing.write([data[:3], data[3:]], at)
    else:
        room[:] = data


def bring(landing, data):
    landing.begin(whole(len(data)))
    receive(landing, data)
    landing.commit()


@pytest.mark.parametrize("size", [0, 1, SMALL, SMALL + 1])
def test_a_file_appears_when_it_is_made_whole(tmp_path, size):
    """And not before; nothing else is there behind it."""
    target, data = tmp_path / "new" / "f", bytes(range(256)) * (size // 256 + 1)
    landing = in_file(target)
    landing.begin(whole(size))
    receive(landing, data[:size])
    assert not target.exists()

    landing.commit()

    assert landing.committed
    assert target.read_bytes() == data[:size]
    assert list(target.parent.iterdir()) == [target]
    assert landing.leave() == 0


@pytest.mark.parametrize("size", [10, SMALL + 1])
def test_a_file_that_is_left_is_not_there(tmp_path, size):
    """One stream is not gone on with: nothing is kept."""
    (tmp_path / "f").write_bytes(b"old")
    landing = in_file(tmp_path / "f")
    landing.begin(whole(size))
    receive(landing, b"new")

    assert landing.leave() == 0
    assert (tmp_path / "f").read_bytes() == b"old"
    assert len(list(tmp_path.iterdir())) == 1


def test_parts_that_are_there_are_kept_and_known_again(tmp_path):
    """Unless there is nothing to go on with."""
    first = in_file(tmp_path / "f")
    first.begin(part(MiB, 3 * MiB))
    assert first.held == [0, 0, 0]
    receive(first, b"x" * MiB, MiB)
    assert first.file is not None
    assert first.leave() == MiB
    assert first.file is None

    again = in_file(tmp_path / "f")
    again.begin(part(MiB, 3 * MiB))
    assert again.held == [0, MiB, 0]
    again.forget()
    again.leave()
    assert list(tmp_path.iterdir()) == []


def test_beginning_again_forgets_what_came_before(tmp_path):
    """A first answer that was wrong, and the ordinary way's behind it."""
    landing = in_file(tmp_path / "f")
    landing.begin(part(MiB, 3 * MiB))
    receive(landing, b"wrong")
    landing.begin(whole(4))
    receive(landing, b"good")

    landing.commit()
    landing.leave()

    assert (tmp_path / "f").read_bytes() == b"good"


@pytest.mark.parametrize("size", [4, SMALL + 1])
def test_what_stands_in_the_way_stays(tmp_path, size):
    """A folder always, a file where it must not be clobbered."""
    (tmp_path / "d").mkdir()
    (tmp_path / "f").write_bytes(b"old")
    for target, fault, options in [
        ("d", LocalFault, {}),
        ("f", AlreadyExists, {"no_clobber": True}),
    ]:
        landing = in_file(tmp_path / target, **options)
        with pytest.raises(fault):
            bring(landing, bytes(size))
        landing.leave()

    assert (tmp_path / "f").read_bytes() == b"old"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["d", "f"]


def test_memory_is_filled_in_any_order_and_not_copied():
    """In place, or with blocks."""
    landing = InMemory()
    landing.begin(part(2, 6))
    landing.room(4, 2)[:] = b"ef"
    landing.write([b"c", b"d"], 2)
    landing.room(0, 2)[:] = b"ab"
    landing.commit()

    assert landing.value() == b"abcdef"


def test_memory_begins_anew_too():
    """With a first answer that was wrong, still held by somebody."""
    landing = InMemory()
    landing.begin(whole(10))
    held = landing.room(0, 10)
    held[:] = b"0123456789"
    landing.begin(whole(2))
    landing.write([b"ab"], 0)

    assert landing.value() == b"ab"

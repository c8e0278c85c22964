"""The temporary file: resumable, owned by one, and gone or renamed in the end."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import os
import random
import stat
import struct
import sys
from pathlib import Path

import pytest

from s3magic.commands.get import get
from s3magic.errors import AlreadyExists, DiskFull, LocalFault, UnsafeKey
from s3magic.settings import KiB, MiB
from s3magic.transfer.partial import Partial
from s3magic.transfer.placing import SUFFIX, prepare_folder, refuse_target, write_whole
from s3magic.transfer.plan import cut
from s3magic.wire.pipe import Pipe

DATA = random.Random(5).randbytes(1000)
PARTS = cut(1000, 300)
NOTHING = [0, 0, 0, 0]
KILLED = """
import asyncio, sys
import s3magic as s3
from s3magic import session
uri, target, endpoint = sys.argv[1:]
s3.connect(endpoint_url=endpoint, region="us-east-1",
           aws_access_key_id="testing", aws_secret_access_key="testing")
asyncio.run(s3.get(uri, target, part_size=65536, concurrency=2, progress="none"))
"""


def partial(target, identity="one", parts=PARTS):
    return Partial(target, identity, len(DATA), parts)


def bring(opened, *indexes):
    for index in indexes:
        part = PARTS[index]
        opened.write([DATA[part.start : part.stop]], part.start)


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_a_partial_takes_its_final_name_whole(tmp_path):
    """With the object's bytes and nothing behind them."""
    opened = partial(tmp_path / "f")
    assert opened.open() == NOTHING
    bring(opened, 3, 0, 2, 1)

    opened.commit()
    opened.leave()

    assert (tmp_path / "f").read_bytes() == DATA
    assert names(tmp_path) == ["f"]


def test_a_partial_that_was_left_is_gone_on_with(tmp_path):
    """Every byte that arrived is kept, of whole parts and of parts that broke off."""
    first = partial(tmp_path / "f")
    first.open()
    bring(first, 0, 2)
    first.write([DATA[300:400], DATA[400:450]], 300)
    first.write([DATA[450:500]], 450)
    left = first.leave()

    second = partial(tmp_path / "f")
    held = second.open()
    second.write([DATA[500:600]], 500)
    bring(second, 3)
    second.commit()

    assert left == 800
    assert held == [300, 200, 300, 0]
    assert (tmp_path / "f").read_bytes() == DATA
    assert names(tmp_path) == ["f"]


def test_the_map_tells_of_every_megabyte(tmp_path):
    """So no more is lost by a process that is killed; by one that lets go, nothing is."""
    opened = Partial(tmp_path / "f", "k", 8 * MiB, cut(8 * MiB, 4 * MiB))
    opened.open()
    block = bytes(600 * KiB)
    (file,) = tmp_path.iterdir()
    told = []
    for at in range(0, 3 * len(block), len(block)):
        opened.write([block], 4 * MiB + at)
        told.append(struct.unpack("<QQ", file.read_bytes()[8 * MiB :]))

    assert told == [(0, 0), (0, 2 * len(block)), (0, 2 * len(block))]
    assert opened.leave() == 3 * len(block)
    assert struct.unpack("<QQ", file.read_bytes()[8 * MiB :]) == (0, 3 * len(block))


@pytest.mark.skipif(not hasattr(os, "splice"), reason="the system has no splice")
def test_what_is_drained_from_a_pipe_is_counted(tmp_path):
    """As what is written."""
    outlet, inlet = os.pipe()
    os.write(inlet, DATA[300:450])
    first = partial(tmp_path / "f")
    first.open()

    with Pipe(outlet, inlet) as pipe:
        first.drain(pipe, 150, 300)

    assert first.leave() == 150
    second = partial(tmp_path / "f")
    assert second.open() == [0, 150, 0, 0]
    second.leave()


@pytest.mark.parametrize("size", [250, 280, 333])
def test_another_cut_of_the_same_object_starts_afresh(tmp_path, size):
    """As many parts, with other bounds: what is whole of one cut is not of another."""
    first = partial(tmp_path / "f")
    first.open()
    bring(first, 0, 1, 2)
    first.leave()

    second = partial(tmp_path / "f", parts=cut(1000, size))
    held = second.open()
    second.leave()

    assert len(cut(1000, size)) == len(PARTS)
    assert held == NOTHING


def test_a_partial_of_another_user_is_not_trusted(tmp_path, monkeypatch):
    """Its bytes and its map could say anything."""
    first = partial(tmp_path / "f")
    first.open()
    bring(first, 0)
    first.leave()
    second = partial(tmp_path / "f")
    mine = iter([False, True])
    monkeypatch.setattr("s3magic.transfer.partial._mine", lambda _: next(mine))
    held = second.open()
    second.leave()

    assert held == NOTHING


def test_a_final_file_with_two_names_is_left_as_it_is(tmp_path):
    """Killed between the two steps of a name that must be free: the file has both."""
    first = partial(tmp_path / "f")
    first.open()
    bring(first, 0, 1, 2, 3)
    first.leave()
    (temporary,) = tmp_path.iterdir()
    os.truncate(temporary, len(DATA))
    os.link(temporary, tmp_path / "f")

    second = partial(tmp_path / "f")
    held = second.open()

    assert held == NOTHING
    assert (tmp_path / "f").read_bytes() == DATA
    second.leave()


def test_without_locks_nothing_is_gone_on_with(tmp_path, monkeypatch):
    """Who cannot know whether another is at it begins a file of its own."""
    monkeypatch.setattr("s3magic.transfer.partial.lock", lambda _: False)
    first, second = partial(tmp_path / "f"), partial(tmp_path / "f")
    first.open()
    second.open()

    bring(second, 0, 1, 2, 3)
    second.commit()
    bring(first, 0, 1)
    first.leave()

    assert (tmp_path / "f").read_bytes() == DATA


@pytest.mark.parametrize("marked", [(), (1,)])
def test_only_what_can_be_gone_on_with_is_left(tmp_path, marked):
    """Without one whole part there is nothing to keep."""
    opened = partial(tmp_path / "f")
    opened.open()
    bring(opened, *marked)

    opened.leave()

    assert len(names(tmp_path)) == len(marked)


def test_another_version_of_the_object_starts_afresh_and_removes_the_old_rest(tmp_path):
    """What was left of the one is no beginning of the other."""
    first = partial(tmp_path / "f", "etag 1")
    first.open()
    bring(first, 0, 1)
    first.leave()
    other = partial(tmp_path / "other", "etag 1")
    other.open()
    bring(other, 0)
    other.leave()

    second = partial(tmp_path / "f", "etag 2")
    kept = second.open()

    assert kept == NOTHING
    assert len(names(tmp_path)) == 2
    second.leave()


def test_what_is_forgotten_is_not_left(tmp_path):
    """An object that is gone cannot be gone on with."""
    opened = partial(tmp_path / "f")
    opened.open()
    bring(opened, 0, 1)

    opened.forget()
    opened.leave()

    assert names(tmp_path) == []


def test_two_at_the_same_object_do_not_share_a_file(tmp_path):
    """Each writes its own, each gives it the final name, neither leaves anything."""
    first, second = partial(tmp_path / "f"), partial(tmp_path / "f")
    first.open()
    bring(first, 0)

    assert second.open() == NOTHING
    bring(second, 0, 1, 2, 3)
    second.commit()
    bring(first, 1, 2, 3)
    first.commit()

    assert (tmp_path / "f").read_bytes() == DATA
    assert names(tmp_path) == ["f"]


def test_the_second_one_leaves_nothing_that_nobody_would_go_on_with(tmp_path):
    """Its name is random, so no later run would find it."""
    first, second = partial(tmp_path / "f"), partial(tmp_path / "f")
    first.open()
    bring(first, 0)
    second.open()
    bring(second, 0)

    second.leave()
    first.leave()

    assert len(names(tmp_path)) == 1


@pytest.mark.skipif(os.name == "nt", reason="an open file cannot be renamed on Windows")
def test_nobody_opens_the_temporary_file_while_it_takes_its_name(tmp_path):
    """Who did would cut it short, under its final name."""
    opened = partial(tmp_path / "f")
    opened.open()
    bring(opened, 0, 1, 2, 3)
    intruders = []

    def intrude(event, arguments):
        if event == "os.rename" and str(tmp_path) in str(arguments[0]) and not intruders:
            intruders.append(partial(tmp_path / "f"))
            intruders[0].open()

    sys.addaudithook(intrude)  # called just before the rename; it does nothing after this test
    opened.commit()
    intruders[0].leave()

    assert (tmp_path / "f").read_bytes() == DATA
    assert names(tmp_path) == ["f"]


def test_a_commit_that_fails_leaves_the_target_and_nothing_else(tmp_path):
    """A folder appeared at the target meanwhile."""
    opened = partial(tmp_path / "f")
    opened.open()
    bring(opened, 0, 1, 2, 3)
    (tmp_path / "f").mkdir()
    (tmp_path / "f" / "inside").touch()

    with pytest.raises(OSError):  # noqa: PT011 - which one is the system's choice
        opened.commit()
    opened.leave()

    assert names(tmp_path) == ["f"]


@pytest.mark.parametrize("whole", [False, True])
def test_no_clobber_loses_no_race(tmp_path, whole):
    """A file that appears behind the look at the target stays."""
    target = tmp_path / "f"
    target.write_bytes(b"theirs")
    opened = partial(target)
    if not whole:
        opened.open()
        bring(opened, 0, 1, 2, 3)
    write = functools.partial(write_whole, target, [DATA]) if whole else opened.commit

    with pytest.raises(AlreadyExists):
        write(no_clobber=True)
    opened.leave()

    assert target.read_bytes() == b"theirs"
    assert names(tmp_path) == ["f"]


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such modes")
@pytest.mark.parametrize("whole", [False, True])
def test_the_mode_is_the_old_files_or_what_the_umask_allows(tmp_path, whole):
    """Not the temporary file's, which is for its owner alone."""
    umask = os.umask(0)
    os.umask(umask)
    (tmp_path / "old").touch()
    (tmp_path / "old").chmod(0o640)

    for name in ("old", "new"):
        if whole:
            write_whole(tmp_path / name, [DATA])
        else:
            opened = partial(tmp_path / name)
            opened.open()
            opened.commit()

    assert stat.S_IMODE((tmp_path / "old").stat().st_mode) == 0o640
    assert stat.S_IMODE((tmp_path / "new").stat().st_mode) == 0o666 & ~umask


@pytest.mark.parametrize("name", ["x" * 255, "é" * 127, "🌍" * 63, "." + "y" * 254])
def test_the_longest_names_have_a_temporary_one_too(tmp_path, name):
    """It shows only the beginning of the name."""
    write_whole(tmp_path / name, [DATA])
    opened = partial(tmp_path / name)
    opened.open()
    bring(opened, 0, 1, 2, 3)
    opened.commit()

    assert (tmp_path / name).read_bytes() == DATA


def test_an_object_larger_than_the_disk_is_refused_before_a_byte_comes(tmp_path):
    """In a sentence that tells how much is missing."""
    size = 1 << 60
    opened = Partial(tmp_path / "f", "one", size, cut(size, 1 << 57))

    with pytest.raises(DiskFull, match=r"has .* left"):
        opened.open()
    opened.leave()

    assert names(tmp_path) == []


def test_no_link_on_the_way_leads_out_of_the_folder(tmp_path):
    """A link below the folder is refused; the folder itself may be one."""
    root, outside = tmp_path / "root", tmp_path / "outside"
    root.mkdir()
    outside.mkdir()
    (root / "link").symlink_to(outside)
    (tmp_path / "alias").symlink_to(root)

    with pytest.raises(UnsafeKey, match="is a link"):
        prepare_folder(root / "link" / "deeper" / "f", root)
    prepare_folder(tmp_path / "alias" / "a" / "f", tmp_path / "alias")

    assert names(outside) == []
    assert (root / "a").is_dir()


@pytest.mark.parametrize("name", ["link", "l"])
def test_no_link_leads_out_of_the_current_folder(tmp_path, monkeypatch, name):
    """Paths in it do not begin with its name, however short theirs are."""
    (tmp_path / "here").mkdir()
    (tmp_path / "outside").mkdir()
    (tmp_path / "here" / name).symlink_to(tmp_path / "outside")
    monkeypatch.chdir(tmp_path / "here")

    for target in (f"{name}/f", f"{name}/deeper/f"):
        with pytest.raises(UnsafeKey, match="is a link"):
            prepare_folder(target, Path())

    assert names(tmp_path / "outside") == []


def test_a_file_gets_the_time_that_is_told(tmp_path):
    """To the microsecond, of a small file and of a large one."""
    moment = 1_600_000_000_123_456
    partial = Partial(tmp_path / "large", "one", len(DATA), [])
    partial.open()
    partial.write([DATA], 0)

    partial.commit(moment=moment)
    write_whole(tmp_path / "small", [DATA], moment=moment)

    for name in ("large", "small"):
        assert (tmp_path / name).stat().st_mtime_ns == moment * 1000
        assert (tmp_path / name).read_bytes() == DATA


def test_what_is_no_file_is_not_replaced(tmp_path):
    """A folder and a pipe stay what they are."""
    (tmp_path / "folder").mkdir()
    os.mkfifo(tmp_path / "pipe")

    for name in ("folder", "pipe"):
        with pytest.raises(LocalFault):
            refuse_target(tmp_path / name, no_clobber=False)
    (tmp_path / "file").touch()
    with pytest.raises(LocalFault, match="is a file"):
        prepare_folder(tmp_path / "file" / "f", tmp_path)


def test_a_link_at_the_target_is_replaced_not_followed(tmp_path):
    """A key must not write through a link that stands below the folder."""
    (tmp_path / "precious").write_bytes(b"precious")
    (tmp_path / "f").symlink_to(tmp_path / "precious")

    refuse_target(tmp_path / "f", no_clobber=False)
    write_whole(tmp_path / "f", [DATA])

    assert (tmp_path / "precious").read_bytes() == b"precious"
    assert not (tmp_path / "f").is_symlink()


@pytest.mark.asyncio(loop_scope="module")
async def test_a_killed_get_leaves_the_old_file_and_the_next_one_goes_on(liar, tmp_path):
    """Killed with no chance to clean up: only the parts that are missing are asked for again."""
    part = 65536
    data = liar.objects["k"] = random.Random(6).randbytes(20 * part)
    target = tmp_path / "f"
    target.write_bytes(b"old")
    reached, gone = asyncio.Event(), asyncio.Event()

    async def stop(_, answer):
        reached.set()
        await gone.wait()
        return answer

    liar.lie("GetObject", stop, when=lambda request: (request.start or 0) >= 10 * part)
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", KILLED, liar.uri("k"), str(target), liar.endpoint_url
    )
    await asyncio.wait_for(reached.wait(), 60)
    process.kill()
    await process.wait()
    gone.set()
    left = [path for path in tmp_path.iterdir() if path.name.endswith(SUFFIX)]
    assert target.read_bytes() == b"old"
    assert len(left) == 1
    liar._lies.clear()
    liar.requests.clear()

    await get(liar.uri("k"), target, part_size=part, progress="none")

    assert target.read_bytes() == data
    assert names(tmp_path) == ["f"]
    starts = {request.start // part for request in liar.asked("GetObject")}
    # The first part is asked for to learn the size; one or two were on their way.
    assert starts - {0} <= set(range(8, 20))
    assert starts >= set(range(10, 20))


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs Linux")
async def test_a_file_system_that_fills_up_is_told_in_a_sentence(liar, tmp_path):
    """A limit on the size of files stands for the disk; the old file stays, nothing is left."""
    import resource
    import signal

    liar.objects["k"] = bytes(300_000)
    (tmp_path / "f").write_bytes(b"old")
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, before[1]))
    try:
        report = await get(liar.uri("k"), tmp_path / "f", errors="return", progress="none")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        with contextlib.suppress(TypeError):
            signal.signal(signal.SIGXFSZ, handler)

    assert report.Status[0] == "failed"
    assert report.Error[0].startswith("Cannot get s3://lies/k: the file system")
    assert (tmp_path / "f").read_bytes() == b"old"
    assert names(tmp_path) == ["f"]

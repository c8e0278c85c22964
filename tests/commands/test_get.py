"""The verb get, on both servers."""

from __future__ import annotations

import asyncio
import contextlib
import random
import urllib.parse

import pandas as pd
import pytest

from s3magic import session
from s3magic.commands.get import get
from s3magic.commands.ls import ls
from s3magic.commands.put import put
from s3magic.commands.showing import displays
from s3magic.connection import Connection
from s3magic.errors import BadArgument, NoSuchBucket, NoSuchKey, TransferError
from s3magic.settings import change

MiB = 1024 * 1024
TREE = {
    "data/a.csv": b"1",
    "data/b c+d.csv": b"22",
    "data/deep/e.csv": b"333",
    "data2/f.csv": b"4444",
    "top": b"55555",
}


class Recording:
    """A display that keeps its summaries, and does something when it is drawn."""

    def __init__(self, on_draw=lambda meter: None):
        self.on_draw = on_draw
        self.summaries = []

    def draw(self, meter):
        self.on_draw(meter)

    def close(self, summary):
        self.summaries.append(summary)


@pytest.fixture
async def connected(s3):
    """The verbs, connected to the server that the test's bucket is on."""
    session.connect(
        endpoint_url=s3.server.endpoint_url,
        aws_access_key_id=s3.server.access_key,
        aws_secret_access_key=s3.server.secret_key,
        region="us-east-1",
    )
    recording = Recording()
    displays.use(lambda _: recording)
    yield recording
    displays.reset()
    await session.close()
    session.connect(reset=True)  # what follows reaches what its own environment says


@pytest.fixture
def tree(s3, connected):
    """A bucket with a few objects."""
    for key, data in TREE.items():
        s3.put(key, data)
    return s3


def found(folder):
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


def below(prefix):
    return {key.removeprefix(prefix): data for key, data in TREE.items() if key.startswith(prefix)}


async def test_one_object_goes_into_a_file_or_a_folder(tree, server, tmp_path):
    """A name is a file; what ends in a slash, or is a folder, takes the key's name."""
    (tmp_path / "there").mkdir()

    report = await get(tree.uri("data/a.csv"), tmp_path / "new" / "x.csv")
    await get(tree.uri("data/a.csv"), tmp_path / "there")
    await get(tree.uri("data/a.csv"), f"{tmp_path}/made/")

    assert found(tmp_path) == {"new/x.csv": b"1", "there/a.csv": b"1", "made/a.csv": b"1"}
    assert list(report.columns) == ["Source", "Target", "Size", "Status", "Error", "Seconds"]
    assert [str(kind) for kind in report.dtypes] == [
        "string", "string", "int64", "string", "string", "float64",
    ]  # fmt: skip
    assert report.iloc[0, :5].tolist() == [
        tree.uri("data/a.csv"), str(tmp_path / "new" / "x.csv"), 1, "done", "",
    ]  # fmt: skip


async def test_a_tree_keeps_its_folders_and_leaves_its_neighbour(tree, server, tmp_path):
    """`data` means `data/`, not `data2/`."""
    report = await get(tree.uri("data"), tmp_path, recursive=True)

    assert found(tmp_path) == below("data/")
    assert set(report.Status) == {"done"}


async def test_a_glob_gets_what_it_matches(tree, server, tmp_path):
    """The folders behind its literal beginning are kept."""
    await get(tree.uri("data*/*.csv"), tmp_path, glob=True)

    assert set(found(tmp_path)) == {"data/a.csv", "data/b c+d.csv", "data2/f.csv"}


async def test_a_glob_with_r_gets_what_is_below_the_folders_that_match(tree, server, tmp_path):
    """As a listing reads the same pattern; without -r a folder alone is an error that says so."""
    await get(tree.uri("data*"), tmp_path / "out", glob=True, recursive=True)

    assert found(tmp_path / "out") == {key: TREE[key] for key in TREE if key != "top"}
    with pytest.raises(NoSuchKey, match=r"only folders match it\. Add recursive=True"):
        await get(tree.uri("data*"), tmp_path / "none", glob=True)


async def test_nothing_found_is_an_error(tree, server, tmp_path):
    """Whatever it was that should have been found; but not an empty frame."""
    with pytest.raises(NoSuchKey, match="nothing matches it"):
        await get(tree.uri("*.parquet"), tmp_path, glob=True)
    with pytest.raises(NoSuchKey, match="there is nothing below it"):
        await get(tree.uri("nothing/"), tmp_path, recursive=True)
    with pytest.raises(NoSuchKey):
        await get(tree.uri("nothing"), tmp_path, recursive=True)
    report = await get(
        [tree.uri("nothing/"), tree.uri("data2/")], tmp_path, recursive=True, errors="return"
    )
    frame = await ls(tree.uri(), recursive=True)

    assert report.Status.tolist() == ["failed", "done"]
    assert found(tmp_path) == {"data2/f.csv": b"4444"}
    assert (await get(frame[frame.Size > 100], tmp_path)).empty


async def test_several_folders_keep_their_own_names(tree, server, tmp_path):
    """Else the days of two years would meet in one folder; a bucket's name is its folder's."""
    await get([tree.uri("data/deep/"), tree.uri("data2")], tmp_path / "two", recursive=True)
    await get([tree.uri(), tree.uri("data2/")], tmp_path / "all", recursive=True)

    assert found(tmp_path / "two") == {"deep/e.csv": b"333", "data2/f.csv": b"4444"}
    assert found(tmp_path / "all") == {f"{tree.bucket}/{key}": TREE[key] for key in TREE}


async def test_without_glob_its_characters_are_a_keys_own(moto, s3, connected, tmp_path):
    """Literal by default."""
    s3.put("a*[1]?.txt", b"literal")
    s3.put("ab1c.txt", b"another")

    await get(s3.uri("a*[1]?.txt"), tmp_path / "f")

    assert (tmp_path / "f").read_bytes() == b"literal"


async def test_several_sources_go_into_one_folder(tree, server, tmp_path):
    """Addresses, and frames among them."""
    frame = await ls(tree.uri("data2/"))

    await get([tree.uri("top"), tree.uri("data/a.csv"), frame], tmp_path)

    assert found(tmp_path) == {"top": b"55555", "a.csv": b"1", "data2/f.csv": b"4444"}


async def test_a_frame_is_a_source_however_it_was_treated(tree, server, tmp_path):
    """Filtered, sorted, concatenated, read back from Parquet: keys below the target."""
    frame = await ls(tree.uri(), recursive=True)
    big = frame[frame.Size > 2].sort_values("Size")
    both = pd.concat([big, frame[frame.Key == "data/a.csv"]], ignore_index=True)
    both.to_parquet(tmp_path / "listing.parquet")

    await get(pd.read_parquet(tmp_path / "listing.parquet"), tmp_path / "out")

    wanted = {"data/deep/e.csv", "data2/f.csv", "top", "data/a.csv"}
    assert found(tmp_path / "out") == {key: TREE[key] for key in wanted}


async def test_a_folders_row_means_all_below_it(tree, server, tmp_path):
    """With -r, a listing of one level is a whole source."""
    frame = await ls(tree.uri())

    await get(frame, tmp_path, recursive=True)

    assert found(tmp_path) == TREE


async def test_a_folders_row_is_refused_without_r(tree, server, tmp_path):
    """A filter by size keeps folders, whose own size is 0: nobody meant all that is in them."""
    frame = await ls(tree.uri())

    with pytest.raises(
        BadArgument, match=r"^2 of 3 rows are folders\. Add recursive=True .*df\.Type"
    ):
        await get(frame[frame.Size < 10], tmp_path)
    await get(frame[frame.Type == "object"], tmp_path)

    assert found(tmp_path) == {"top": TREE["top"]}


async def test_a_frame_of_several_buckets_keeps_them_apart(tree, server, tmp_path):
    """The bucket's name comes before the key."""
    frame = await ls(tree.uri(), recursive=True)
    other = frame.assign(Bucket="no-such-bucket-here")

    report = await get(pd.concat([frame, other]), tmp_path, errors="return")

    assert found(tmp_path) == {f"{tree.bucket}/{key}": data for key, data in TREE.items()}
    assert (report.Status == "failed").sum() == len(TREE)


async def test_an_object_that_two_rows_name_comes_once(tree, server, tmp_path):
    """Two listings that overlap, put one below the other."""
    frame = await ls(tree.uri(), recursive=True)

    report = await get(pd.concat([frame, frame]), tmp_path)

    assert found(tmp_path) == TREE
    assert len(report) == len(TREE)


async def test_a_frame_with_holes_is_refused(tree, server, tmp_path):
    """A merge that left some keys empty names no objects there."""
    frame = await ls(tree.uri(), recursive=True)
    frame["Key"] = frame["Key"].astype("object")
    frame.loc[0, "Key"] = None

    with pytest.raises(BadArgument, match="Key"):
        await get(frame, tmp_path)


async def test_bytes_come_into_memory(tree, server):
    """For a target of None, or a dash."""
    assert await get(tree.uri("top"), None) == b"55555"
    assert await get(tree.uri("top"), "-") == b"55555"
    with pytest.raises(NoSuchKey):
        await get(tree.uri("missing"), None)
    with pytest.raises(BadArgument):
        await get([tree.uri("top"), tree.uri("top")], None)


async def test_a_version_is_the_one_that_was_named(moto, s3, connected, tmp_path):
    """The older one, though there is a newer."""
    s3.client.put_bucket_versioning(Bucket=s3.bucket, VersioningConfiguration={"Status": "Enabled"})
    old = s3.put("k", b"old")["VersionId"]
    s3.put("k", b"new")

    await get(s3.uri("k"), tmp_path / "f", version_id=old)

    assert (tmp_path / "f").read_bytes() == b"old"
    assert await get(s3.uri("k"), None, version_id=old) == b"old"
    assert await get(s3.uri("k"), None) == b"new"


async def test_no_clobber_skips_what_is_there(tree, server, tmp_path):
    """And brings the rest."""
    (tmp_path / "a.csv").write_bytes(b"mine")

    report = await get(tree.uri("data/"), tmp_path, recursive=True, no_clobber=True)

    assert found(tmp_path) == below("data/") | {"a.csv": b"mine"}
    assert report.Status.value_counts().to_dict() == {"done": 2, "skipped": 1}


async def test_a_dry_run_writes_nothing(tree, server, tmp_path):
    """And says what would come, how large it is, and where it would go."""
    report = await get(tree.uri("data/"), tmp_path / "new", recursive=True, dry_run=True)
    single = await get(tree.uri("top"), tmp_path / "f", dry_run=True)

    assert list(tmp_path.iterdir()) == []
    assert report.Status.tolist() == ["planned"] * 3
    assert sorted(report.Size) == [1, 2, 3]
    assert single.Size[0] == 5


async def test_a_dry_run_says_what_the_run_would(tree, server, tmp_path):
    """The same rows with the same sentences, and the same errors where a run does not begin."""
    (tmp_path / "top").write_bytes(b"mine")
    sources = [tree.uri(key) for key in ("top", "data/a.csv", "missing", "no*")]

    planned = await get(sources, tmp_path, no_clobber=True, dry_run=True, errors="return")
    done = await get(sources, tmp_path, no_clobber=True, errors="return")
    elsewhere = await get("s3://no-such-bucket-here/k", tmp_path / "f", dry_run=True)

    assert planned.Status.tolist() == ["skipped", "planned", "failed", "failed"]
    assert planned.Error[0] == done.Error[0] != ""
    assert "Add recursive=True" in planned.Error[2]
    assert "Add glob=True" in planned.Error[3]
    assert "no such bucket" in elsewhere.Error[0]
    with pytest.raises(NoSuchBucket):
        await get("s3://no-such-bucket-here/", tmp_path, recursive=True, dry_run=True)
    for slip in ({"progress": "widgt"}, {"errors": "ignore"}):
        with pytest.raises(BadArgument, match="is not one of"):
            await get(tree.uri("top"), tmp_path / "f", dry_run=True, **slip)


async def test_a_dry_run_asks_side_by_side_and_can_be_cancelled(tree, server, tmp_path):
    """Under the progress of a run: Cancel leaves rows, and an error."""
    displays.use(lambda _: Recording(lambda meter: meter.stop()))
    change(progress_delay=0.0, refresh=0.01)
    sources = [tree.uri(f"missing{number}") for number in range(3000)]

    try:
        with pytest.raises(TransferError, match="cancelled") as failure:
            await get(sources, tmp_path, dry_run=True)
    finally:
        change(progress_delay=0.3, refresh=0.1)

    assert "cancelled" in set(failure.value.report.Status)


async def test_one_failure_is_one_row_and_the_others_arrive(tree, server, tmp_path):
    """Raised at the end, with the report; or returned."""
    frame = await ls(tree.uri(), recursive=True)
    frame.loc[2, "Key"] = "gone"

    with pytest.raises(TransferError, match=r"1 of 5 files failed; 4 arrived\.") as failure:
        await get(frame, tmp_path)
    report = await get(frame, tmp_path, errors="return")

    assert len(found(tmp_path)) == 4
    assert isinstance(failure.value.__cause__, NoSuchKey)
    assert failure.value.report.Status.tolist() == report.Status.tolist()
    assert report.Status.value_counts().to_dict() == {"done": 4, "failed": 1}


async def test_one_request_at_a_time_is_enough(tree, server, tmp_path):
    """For many objects and for one of many parts."""
    tree.put("large", bytes(300_000))

    await get(tree.uri(), tmp_path, recursive=True, concurrency=1)
    await get(tree.uri("large"), tmp_path / "again", concurrency=1, part_size=65536)

    assert found(tmp_path) == TREE | {"large": bytes(300_000), "again": bytes(300_000)}


@pytest.mark.parametrize(
    ("source", "target", "options"),
    [
        ("s3://bucket", "f", {}),
        ("s3://bucket/folder/", "f", {}),
        ("s3://bucket/k", "s3://bucket/k2", {}),
        ("no-address", "f", {}),
        (["s3://bucket/a", "s3://bucket/b"], "", {}),
        (42, "f", {}),
        (pd.DataFrame({"x": [1]}), "f", {}),
        ("s3://bucket/k", "f", {"concurrency": 0}),
        ("s3://bucket/k", "f", {"part_size": 0}),
        ("s3://bucket/k", "f", {"errors": "ignore"}),
        ([], "f/", {}),
        ("s3://bucket/k", "~no-such-user-here/", {}),
        ("s3://bucket/", "f", {"recursive": True, "version_id": "v"}),
    ],
)
async def test_what_cannot_be_meant_is_refused_in_a_sentence(
    connected, tmp_path, monkeypatch, source, target, options
):
    """Before anything is written."""
    monkeypatch.chdir(tmp_path)

    with pytest.raises(BadArgument):
        await get(source, target, **options)

    assert list(tmp_path.iterdir()) == []


async def cancelled_by(stop, s3, tmp_path, **options):
    """Get a large object; `stop` is called with the meter as soon as it moves."""
    data = random.Random(1).randbytes(64 * MiB)
    s3.put("large", data)
    (tmp_path / "f").write_bytes(b"old")
    displays.use(lambda _: Recording(stop))
    return data, get(s3.uri("large"), tmp_path / "f", part_size=MiB, concurrency=1, **options)


async def test_cancel_leaves_the_old_file_and_the_next_get_completes(s3, connected, tmp_path):
    """The Cancel button: a cancelled row; the same line run again brings the whole."""
    data, getting = await cancelled_by(lambda meter: meter.stop(), s3, tmp_path)

    with pytest.raises(TransferError, match="was cancelled") as stopped:
        await getting
    assert stopped.value.report.Status.tolist() == ["cancelled"]
    assert (tmp_path / "f").read_bytes() == b"old"
    displays.use(lambda _: connected)
    await get(s3.uri("large"), tmp_path / "f", part_size=MiB)

    assert (tmp_path / "f").read_bytes() == data
    assert [path.name for path in tmp_path.iterdir()] == ["f"]


async def test_cancel_before_the_client_is_made_is_not_lost(s3, connected, tmp_path, environment):
    """Making it takes a moment in which the button is there already."""
    s3.put("k", b"new")
    await session.close()
    opening = Connection.using

    @contextlib.asynccontextmanager
    async def late(connection):
        async with opening(connection) as client:
            await stopped.wait()
            yield client

    def stop(meter):
        if not stopped.is_set():  # one click
            meter.stop()
        stopped.set()

    stopped = asyncio.Event()
    environment.setattr(Connection, "using", late)
    displays.use(lambda _: Recording(stop))

    report = await get(s3.uri("k"), tmp_path / "f", errors="return")

    assert report.Status.tolist() == ["cancelled"]
    assert list(tmp_path.iterdir()) == []


async def test_a_cancelled_task_cleans_up_and_stays_cancelled(s3, connected, tmp_path):
    """As every coroutine does; and a timeout around it is one."""
    drawn = asyncio.Event()
    _, getting = await cancelled_by(lambda _: drawn.set(), s3, tmp_path)
    task = asyncio.create_task(getting)
    await asyncio.wait([task, asyncio.ensure_future(drawn.wait())], return_when="FIRST_COMPLETED")

    task.cancel()
    await asyncio.wait([task])

    assert task.cancelled()
    assert (tmp_path / "f").read_bytes() == b"old"
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.02):
            await get(s3.uri("large"), tmp_path / "g", part_size=MiB, concurrency=1)
    assert not (tmp_path / "g").exists()


ODD = [
    "a b", "a+b", "100%", "%41", "a#b", "a?b", "a&b=c", "it's \"quoted\"", "a*b", "a[1]b",
    "🌍 é", "tab\there", "back\\slash", "bell\x07", "esc\x1b[31m", "\x7f",
    "k" * 200 + "/" + "é" * 100 + "/" + "x" * 250, "~", "$HOME", "{x}", "-", "a;b", "a|b",
    "<b>&amp;</b>", " lead", "trail ", "dot.", "...", "a/...", ".hidden", "CON",
]  # fmt: skip
UNSAFE = [
    "folder/", "a//b", "/lead", "../up", "a/../../up", "..", ".", "a/./b", "nul\x00", "//",
    "x" * 300,
]  # fmt: skip


async def test_a_missing_key_is_told_with_what_may_have_been_meant(tree, server, tmp_path):
    """A pattern without --glob, a folder without -r; a frame without one of its columns."""
    frame = await ls(tree.uri(), recursive=True)

    with pytest.raises(NoSuchKey, match="Add glob=True to read it as a pattern"):
        await get(tree.uri("data/*.csv"), tmp_path / "f")
    with pytest.raises(NoSuchKey, match="Add glob=True to read it as a pattern"):
        await get(tree.uri("data/*.csv"), None)
    with pytest.raises(NoSuchKey, match="Add recursive=True if it is a folder"):
        await get(tree.uri("data"), tmp_path / "f")
    with pytest.raises(BadArgument, match="has no column Bucket, so"):
        await get(frame[["Key", "Size"]], tmp_path)


async def test_a_column_of_addresses_is_several_sources(tree, server, tmp_path):
    """However few of them a filter left."""
    addresses = pd.Series([tree.uri("top"), tree.uri("data/a.csv")])

    await get(addresses, tmp_path / "two")
    await get(addresses[:1], tmp_path / "one")
    nothing = await get(addresses[:0], tmp_path / "none")

    assert found(tmp_path) == {"two/top": b"55555", "two/a.csv": b"1", "one/top": b"55555"}
    assert nothing.empty


@pytest.mark.parametrize("target", ["f", None])
async def test_a_part_of_a_few_bytes_is_refused(connected, target):
    """Whoever writes 8 means 8 MiB; as bytes it would be a million requests."""
    with pytest.raises(BadArgument, match=r"^A part of 8 B.* is too small.* Write 8MiB\."):
        await get("s3://bucket/k", target, part_size=8)


@pytest.mark.parametrize("key", ODD)
async def test_a_key_of_any_characters_goes_up_and_comes_down(
    moto, s3, connected, tmp_path, request, key
):
    """Listed, brought below the folder under its own name, equal byte for byte."""
    data = key.encode() * 3

    # The rig cannot list some of these to delete them: botocore refuses moto's XML.
    request.addfinalizer(lambda: s3.client.delete_object(Bucket=s3.bucket, Key=f"t/{key}"))
    await put(data, s3.uri("t/") + key)
    listed = await ls(s3.uri("t/"), recursive=True)
    report = await get(s3.uri("t/"), tmp_path / "out", recursive=True, errors="return")

    assert s3.keys() == [f"t/{key}"]
    assert listed.Key.tolist() == [f"t/{key}"]
    assert report.Status.tolist() == ["done"], report.Error[0]
    assert found(tmp_path / "out") == {key: data}
    assert await get(s3.uri("t/") + key, None) == data


async def test_a_key_with_a_line_break_goes_up_and_comes_down(s3, connected, tmp_path):
    """On SeaweedFS, because moto finds no such address."""
    await put(b"x", s3.uri() + "line\nbreak")
    await get(s3.uri(), tmp_path, recursive=True)

    assert s3.keys() == ["line\nbreak"]
    assert found(tmp_path) == {"line\nbreak": b"x"}


@pytest.mark.parametrize("key", UNSAFE)
async def test_a_key_with_no_safe_name_is_refused_and_nothing_escapes(
    moto, s3, connected, tmp_path, request, key
):
    """One row with one sentence; its bytes can still be had."""
    request.addfinalizer(lambda: s3.client.delete_object(Bucket=s3.bucket, Key=key))
    if key.endswith("/"):
        s3.put(key, b"evil")
    else:
        await put(b"evil", s3.uri() + key)
    folder = tmp_path / "a" / "b" / "c"

    report = await get(s3.uri(), folder, recursive=True, errors="return")
    frame = await ls(s3.uri(), recursive=True)
    again = await get(frame, folder, errors="return")

    assert s3.keys() == [key]
    assert report.Status.tolist() == again.Status.tolist() == ["failed"]
    assert "no safe local name" in report.Error[0]
    assert found(tmp_path) == {}
    assert await get(s3.uri() + key, None) == b"evil"


async def test_the_longest_key_comes_down_in_folders(moto, s3, connected, tmp_path):
    """1,024 bytes of key, on a file system of 255 a name."""
    key = "/".join(["d" * 200] * 5) + "/" + "f" * 19
    assert len(key) == 1024

    await put(b"x", s3.uri() + key)
    await get(s3.uri(), tmp_path, recursive=True)

    assert found(tmp_path) == {key: b"x"}


async def test_a_folders_marker_becomes_a_folder(moto, s3, connected, tmp_path):
    """An empty object whose key ends in a slash is how consoles make folders."""
    s3.put("a/", b"")
    s3.put("a/empty/", b"")
    s3.put("a/f", b"1")

    report = await get(s3.uri("a/"), tmp_path / "out", recursive=True)

    assert (tmp_path / "out" / "empty").is_dir()
    assert found(tmp_path / "out") == {"f": b"1"}
    assert set(report.Status) == {"done"}


async def test_keys_that_need_the_same_place_do_not_overwrite_each_other(
    moto, s3, connected, tmp_path
):
    """`a` and `a/b`: a file and a folder of one name."""
    s3.put("a", b"file")
    s3.put("a/b", b"below")

    report = await get(s3.uri(), tmp_path, recursive=True, errors="return")

    assert found(tmp_path) == {"a": b"file"}
    assert sorted(report.Status) == ["done", "failed"]
    assert urllib.parse.unquote(report.Error[1]).startswith("Cannot get ")

"""The verb sync, on both servers."""

from __future__ import annotations

import os
import sys

import pandas as pd
import pytest
from kernels import Kernel, good

from s3magic.commands.running import asking
from s3magic.commands.showing import displays
from s3magic.commands.sync import sync
from s3magic.errors import BadArgument, NoSuchBucket, NoSuchFile, NoSuchKey, TransferError

MiB = 1024 * 1024
LARGE = bytes(range(256)) * (17 * MiB // 256)
FILES = {"a.csv": b"1", "b c+d.csv": b"22", "deep/e.csv": b"333", "deep/er/f": b"4444"}
PAST = 1_600_000_000
REPORT = ["Action", "Source", "Target", "Size", "Status", "Error", "Seconds"]
PLAN = [
    "Action", "Source", "Target", "Size", "Reason", "Name", "LastModified", "ETag", "StorageClass",
]  # fmt: skip


class Recording:
    """A display that keeps its summaries."""

    def __init__(self):
        self.summaries = []

    def draw(self, meter):
        pass

    def close(self, summary):
        if summary:
            self.summaries.append(summary)


@pytest.fixture
async def recorded(connected):
    """The display of what is connected."""
    recording = Recording()
    displays.use(lambda _: recording)
    return recording


@pytest.fixture
def files(tmp_path):
    """A folder with a few files, as old as can be."""
    folder = tmp_path / "files"
    write(folder, FILES)
    return folder


def write(folder, files, when=PAST):
    for name, data in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        os.utime(path, (when, when))


def found(folder):
    """What is in a folder."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


def held(s3, prefix=""):
    return {key.removeprefix(prefix): s3.get(key) for key in s3.keys(prefix)}


def fill(s3, prefix, files):
    for name, data in files.items():
        s3.put(prefix + name, data)


def actions(frame):
    """What is done, and to which name."""
    return sorted(zip(frame.Action, frame.Target.str.rsplit("/", n=1).str[1], strict=True))


def future(s3, key):
    """A time after the object's own, by a minute."""
    return s3.head(key)["LastModified"].timestamp() + 60


# what is transferred


async def test_a_folder_goes_there_and_only_what_changed_goes_again(s3, server, recorded, files):
    """New, newer, of another size; the closing line says how many are the same."""
    first = await sync(files, s3.uri("x"))
    again = await sync(files, s3.uri("x/"))
    (files / "a.csv").write_bytes(b"other size")
    os.utime(files / "a.csv", (PAST, PAST))
    write(files, {"deep/e.csv": b"new"}, future(s3, "x/deep/e.csv"))
    write(files, {"b c+d.csv": b"no"})  # the same size, and older: only its content would tell
    (files / "g").write_bytes(b"5")
    third = await sync(files, s3.uri("x/"))

    assert first.columns.tolist() == again.columns.tolist() == REPORT
    assert set(first.Status) == {"done"}
    assert set(first.Action) == {"upload"}
    assert first.Size.sum() == 10
    assert again.empty
    assert "Compared 4 files" in recorded.summaries[1]
    assert "all the same" in recorded.summaries[1]
    assert actions(third) == [("upload", "a.csv"), ("upload", "e.csv"), ("upload", "g")]
    assert ", 2 the same" in recorded.summaries[2]
    assert len(recorded.summaries) == 3
    assert held(s3, "x/") == found(files) | {"b c+d.csv": b"22"}


async def test_a_prefix_comes_here_and_only_what_changed_comes_again(
    s3, server, connected, tmp_path
):
    """An object that was replaced by one of the same size, too; and what was edited here."""
    fill(s3, "x/", FILES | {"large": LARGE})
    out = tmp_path / "out"

    first = await sync(s3.uri("x"), out)
    times = {name: (out / name).stat().st_mtime for name in [*FILES, "large"]}
    again = await sync(s3.uri("x"), out)
    s3.put("x/a.csv", b"2")
    os.utime(out / "a.csv", (PAST, PAST))  # else the two could be of one second
    write(out, {"deep/e.csv": b"new"}, times["deep/e.csv"] + 60)
    s3.put("x/deep/er/f", b"longer now")
    third = await sync(s3.uri("x"), out)

    assert set(first.Status) == {"done"}
    assert again.empty
    for name in ("b c+d.csv", "large"):
        assert int(times[name]) == s3.head(f"x/{name}")["LastModified"].timestamp()
    assert actions(third) == [("download", "a.csv"), ("download", "e.csv"), ("download", "f")]
    assert found(out) == held(s3, "x/")
    assert (await sync(s3.uri("x"), out)).empty


async def test_a_prefix_is_copied_and_only_what_changed_again(s3, server, connected):
    """On the server's side."""
    fill(s3, "x/", FILES)

    first = await sync(s3.uri("x/"), s3.uri("y"))
    again = await sync(s3.uri("x/"), s3.uri("y"))
    s3.put("x/a.csv", b"longer")
    third = await sync(s3.uri("x/"), s3.uri("y"))

    assert set(first.Action) == {"copy"}
    assert again.empty
    assert actions(third) == [("copy", "a.csv")]
    assert held(s3, "y/") == held(s3, "x/")


async def test_folders_markers_go_along_on_the_server_and_nowhere_else(
    s3, server, connected, files, tmp_path
):
    """A folder here needs none: they are neither brought, nor made, nor deleted."""
    fill(s3, "x/", FILES | {"empty/": b"", "": b""})

    copied = await sync(s3.uri("x"), s3.uri("y"))
    brought = await sync(s3.uri("x"), tmp_path / "out")
    sent = await sync(files, s3.uri("x"), delete=True)

    assert {"y/empty/"} < set(s3.keys())
    assert set(copied.Status) == {"done"}
    assert found(tmp_path / "out") == FILES
    assert len(brought) == len(FILES)
    assert sent.empty or set(sent.Action) == {"upload"}
    assert {"x/", "x/empty/"} <= set(s3.keys())
    assert (await sync(s3.uri("x"), s3.uri("y"), delete=True)).empty


async def test_there_and_back_again_moves_nothing(s3, server, connected, files):
    """What was sent from here is known by its content, and has its object's time from then on."""
    write(files, {"large": LARGE})
    await sync(files, s3.uri("x"))

    plan = await sync(s3.uri("x"), files, dry_run=True)
    before = (files / "a.csv").stat().st_mtime
    back = await sync(s3.uri("x"), files)
    there = await sync(files, s3.uri("x"))

    assert plan.empty
    assert before == PAST
    assert back.empty
    assert there.empty
    assert (files / "a.csv").stat().st_mtime >= s3.head("x/a.csv")["LastModified"].timestamp() // 1


async def test_checksum_finds_what_size_and_time_hide(s3, connected, files):
    """An older file of the same size, there and back; and sends nothing that is merely newer."""
    write(files, {"large": LARGE})
    await sync(files, s3.uri("x"))
    write(files, {"a.csv": b"2"})
    write(files, {"large": LARGE[:-1] + b"x"})
    write(files, {"b c+d.csv": b"22"}, future(s3, "x/a.csv"))

    plain = await sync(files, s3.uri("x"), dry_run=True)
    asked = await sync(files, s3.uri("x"), checksum=True, dry_run=True)
    back = await sync(s3.uri("x"), files, checksum=True, dry_run=True)

    assert plain.Name.tolist() == ["b c+d.csv"]
    assert asked.Name.tolist() == back.Name.tolist() == ["a.csv", "large"]
    assert set(asked.Reason) == {"checksum"}


async def test_checksum_between_prefixes_looks_at_what_the_server_knows(s3, connected):
    """ETags first; what cannot be known is copied."""
    s3.put("y/a", b"1")
    s3.put("y/b", b"2")
    s3.put("x/a", b"1")
    s3.put("x/b", b"3")

    plan = await sync(s3.uri("x"), s3.uri("y"), checksum=True, dry_run=True)

    assert plan.Name.tolist() == ["b"]


async def test_the_servers_checksum_tells_where_the_etag_does_not(moto, s3, connected, tmp_path):
    """An object in parts of a size that nobody guesses."""
    data = LARGE[: 12 * MiB]
    where = {"Bucket": s3.bucket, "Key": "x/f"}
    upload = s3.client.create_multipart_upload(**where)["UploadId"]
    parts = []
    for number, (start, stop) in enumerate(((0, 7 * MiB + 1), (7 * MiB + 1, 12 * MiB)), 1):
        sent = s3.client.upload_part(
            **where, UploadId=upload, PartNumber=number, Body=data[start:stop]
        )
        parts.append({"PartNumber": number, "ETag": sent["ETag"]})
    s3.client.complete_multipart_upload(**where, UploadId=upload, MultipartUpload={"Parts": parts})
    write(tmp_path / "out", {"f": data})

    unknown = await sync(s3.uri("x"), tmp_path / "out", checksum=True, dry_run=True)
    s3.put("x/f", data, ChecksumAlgorithm="SHA256")
    known = await sync(s3.uri("x"), tmp_path / "out", checksum=True, dry_run=True)

    assert unknown.Reason.tolist() == ["checksum"]
    assert known.empty


async def test_size_only_looks_at_sizes(s3, connected, files):
    """What is newer and of the same size is the same."""
    await sync(files, s3.uri("x"))
    write(files, {"a.csv": b"2"}, future(s3, "x/a.csv"))
    write(files, {"deep/e.csv": b"longer"})

    report = await sync(files, s3.uri("x"), size_only=True)

    assert actions(report) == [("upload", "e.csv")]


async def test_headers_go_with_what_is_sent(s3, connected, files):
    """And the content type is guessed for each."""
    await sync(files, s3.uri("x"), metadata={"who": "me"}, cache_control="max-age=1")
    await sync(s3.uri("x"), s3.uri("y"), metadata={"who": "you"})

    assert s3.head("x/a.csv")["ContentType"] == "text/csv"
    assert s3.head("x/a.csv")["Metadata"] == {"who": "me"}
    assert s3.head("x/deep/e.csv")["CacheControl"] == "max-age=1"
    assert s3.head("y/a.csv")["Metadata"] == {"who": "you"}


async def test_what_is_left_out_is_left_alone_on_both_sides(s3, connected, files):
    """Neither sent nor deleted."""
    fill(s3, "x/", {"z.tmp": b"keep", "z.csv": b"go"})
    (files / "b.tmp").write_bytes(b"stay here")

    await sync(files, s3.uri("x"), delete=True, exclude=["*.tmp", "deep/*"], include="deep/er/*")

    assert s3.keys("x/") == ["x/a.csv", "x/b c+d.csv", "x/deep/er/f", "x/z.tmp"]


# what is deleted


async def test_delete_takes_away_what_the_source_has_not(s3, server, recorded, files, tmp_path):
    """In S3 and here, and nowhere else; folders and markers stay."""
    fill(s3, "x/", {"old": b"1", "deep/old": b"22"})
    fill(s3, "xy/", {"old": b"3"})
    write(tmp_path / "out", {"old": b"4", "deep/older": b"5", ".half.s3part": b"6"})

    there = await sync(files, s3.uri("x"), delete=True)
    here = await sync(s3.uri("x"), tmp_path / "out", delete=True)
    copied = await sync(s3.uri("x"), s3.uri("xy"), delete=True)

    assert held(s3, "x/") == held(s3, "xy/") == FILES
    assert found(tmp_path / "out") == FILES | {".half.s3part": b"6"}
    for report in (there, here, copied):
        assert set(report.Status) == {"done"}
    gone = there[there.Action == "delete"]
    assert gone.Target.tolist() == [s3.uri("x/deep/old"), s3.uri("x/old")]
    assert gone.Size.tolist() == [2, 1]
    assert ", 2 deleted" in recorded.summaries[0]


async def test_without_delete_nothing_is_deleted(s3, connected, files):
    """However much the target has alone."""
    fill(s3, "x/", {"old": b"1"})

    report = await sync(files, s3.uri("x"))

    assert held(s3, "x/") == FILES | {"old": b"1"}
    assert set(report.Action) == {"upload"}


async def test_links_at_the_target_are_left_alone(s3, connected, tmp_path):
    """Nothing is deleted or written through them."""
    fill(s3, "x/", {"link/f": b"new", "g": b"1"})
    write(tmp_path / "elsewhere", {"f": b"theirs", "h": b"theirs"})
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "link").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "out" / "file").symlink_to(tmp_path / "elsewhere" / "h")

    report = await sync(s3.uri("x"), tmp_path / "out", delete=True, errors="return")

    assert found(tmp_path / "elsewhere") == {"f": b"theirs", "h": b"theirs"}
    assert (tmp_path / "out" / "file").is_symlink()
    assert sorted(report.Status) == ["done", "failed"]


async def test_nothing_is_deleted_where_a_transfer_failed(s3, connected, files):
    """The rows say why."""
    fill(s3, "x/", {"old": b"1"})
    (files / "broken").symlink_to(files / "nowhere")

    with pytest.raises(TransferError, match="1 of 6 files failed") as failure:
        await sync(files, s3.uri("x"), delete=True)

    report = failure.value.report
    assert held(s3, "x/") == FILES | {"old": b"1"}
    assert report[report.Action == "delete"].Status.tolist() == ["skipped"]
    assert "1 transfer did not succeed" in report.Error.tolist()[-1]


@pytest.mark.parametrize("source", ["folder", "prefix", "bucket"])
async def test_a_missing_source_empties_nothing(s3, connected, tmp_path, source):
    """Whoever mistypes a name with --delete loses nothing."""
    write(tmp_path / "out", FILES)
    fill(s3, "x/", FILES)
    where = {
        "folder": (tmp_path / "outt", s3.uri("x"), NoSuchFile),
        "prefix": (s3.uri("xx"), tmp_path / "out", NoSuchKey),
        "bucket": ("s3://no-such-bucket-here/x", tmp_path / "out", NoSuchBucket),
    }[source]

    with pytest.raises(where[2]):
        await sync(*where[:2], delete=True, yes=True)

    assert found(tmp_path / "out") == held(s3, "x/") == FILES


async def test_an_empty_source_asks_before_it_empties_its_target(s3, connected, tmp_path, asked):
    """No is no; -y is yes; where nobody can be asked, nothing is done."""
    fill(s3, "x/", FILES)
    (tmp_path / "empty").mkdir()

    asked.answer = False
    with pytest.raises(TransferError, match="4 of 4 files were cancelled; 0 are in sync"):
        await sync(tmp_path / "empty", s3.uri("x"), delete=True)
    left = held(s3, "x/")
    await sync(tmp_path / "empty", s3.uri("x"), delete=True, dry_run=True)
    asked.answer = True
    await sync(tmp_path / "empty", s3.uri("x"), delete=True)
    asking.reset()
    fill(s3, "x/", {"a": b"1"})
    with pytest.raises(BadArgument, match="Add yes=True"):
        await sync(tmp_path / "empty", s3.uri("x"), delete=True)
    kept = s3.keys("x/")
    await sync(tmp_path / "empty", s3.uri("x"), delete=True, yes=True)

    assert left == FILES
    assert kept == ["x/a"]
    assert held(s3, "x/") == {}
    assert len(asked) == 2
    assert asked[0].startswith("Delete 4 files (10 B), ")
    assert "The source has nothing" in asked[0]


async def test_a_no_transfers_nothing_either(s3, connected, files, asked, monkeypatch):
    """It was asked about all of it."""
    s3.put("x/new", b"1")
    monkeypatch.chdir(files)
    asked.answer = False

    report = await sync(s3.uri("x"), ".", delete=True, errors="return")

    assert set(report.Status) == {"cancelled"}
    assert report.Action.tolist() == ["download"] + ["delete"] * 4
    assert found(files) == FILES


async def test_the_folder_that_one_works_in_is_not_cleared_by_a_slip(
    s3, connected, files, monkeypatch
):
    """The notebook itself lies there; nor is a folder above it, however few would go."""
    s3.put("x/new", b"1")
    monkeypatch.chdir(files / "deep")

    for target in (".", files, files / "deep"):
        with pytest.raises(BadArgument, match="in which more may lie"):
            await sync(s3.uri("x"), target, delete=True)
    await sync(s3.uri("x"), "er", delete=True)

    assert found(files) == {k: v for k, v in FILES.items() if k != "deep/er/f"} | {
        "deep/er/new": b"1"
    }


async def test_a_source_inside_its_target_is_not_deleted_and_the_other_way_round(s3, connected):
    """Either would feed on itself."""
    fill(s3, "x/", FILES)

    with pytest.raises(BadArgument, match="lies in the target"):
        await sync(s3.uri("x/deep"), s3.uri("x"), delete=True)
    with pytest.raises(BadArgument, match="both"):
        await sync(s3.uri("x"), s3.uri("x/"))
    await sync(s3.uri("x"), s3.uri("x/copy"))
    again = await sync(s3.uri("x"), s3.uri("x/copy"))

    assert again.empty
    assert held(s3, "x/") == FILES | {f"copy/{name}": data for name, data in FILES.items()}


async def test_links_are_followed_unless_they_are_to_be_left_out(s3, connected, files):
    """To files and to folders, though never in a circle."""
    write(files.parent / "elsewhere", {"f": b"theirs"})
    (files / "folder").symlink_to(files.parent / "elsewhere")
    (files / "file").symlink_to(files / "a.csv")
    (files / "circle").symlink_to(files)

    await sync(files, s3.uri("x"))
    await sync(files, s3.uri("y"), no_follow_symlinks=True)

    assert held(s3, "x/") == FILES | {"folder/f": b"theirs", "file": b"1"}
    assert held(s3, "y/") == FILES


async def test_a_sync_goes_on_in_the_background(s3, connected, files):
    """And there asks nobody: what it would ask about is refused."""
    fill(s3, "x/", {"old": b"1"})
    (files.parent / "empty").mkdir()

    job = await sync(files, s3.uri("x"), bg=True)
    report = await job
    refused = await sync(files.parent / "empty", s3.uri("x"), delete=True, bg=True)
    with pytest.raises(BadArgument, match="Nobody is asked in the background"):
        await refused
    cleared = await sync(files.parent / "empty", s3.uri("x"), delete=True, yes=True, bg=True)
    kept = held(s3, "x/")
    await cleared

    assert report.columns.tolist() == REPORT
    assert kept == FILES | {"old": b"1"}
    assert s3.keys() == []


# the plan


async def test_a_dry_run_gives_the_plan_and_does_nothing(s3, server, recorded, files):
    """With the reason of each step."""
    fill(s3, "x/", {"a.csv": b"other", "old": b"1", "deep/e.csv": b"333"})

    plan = await sync(files, s3.uri("x"), delete=True, dry_run=True)

    assert plan.columns.tolist() == PLAN
    assert plan[["Action", "Target", "Reason"]].to_numpy().tolist() == [
        ["upload", s3.uri("x/a.csv"), "size"],
        ["upload", s3.uri("x/b c+d.csv"), "new"],
        ["upload", s3.uri("x/deep/er/f"), "new"],
        ["delete", s3.uri("x/old"), "extra"],
    ]
    assert plan.Size.tolist() == [1, 2, 4, 1]
    assert str(plan.LastModified.dtype) == "datetime64[us, UTC]"
    assert held(s3, "x/") == {"a.csv": b"other", "old": b"1", "deep/e.csv": b"333"}
    assert "3 to transfer (7 B), 1 to delete, 1 the same" in recorded.summaries[0]


async def test_a_plan_runs_as_it_was_edited(s3, server, connected, files, tmp_path):
    """Some rows of several, saved and read again; what was dropped is not done."""
    fill(s3, "x/", {"old": b"1", "older": b"2"})
    fill(s3, "y/", {"n": b"1", "m": b"2"})
    up = await sync(files, s3.uri("x"), delete=True, dry_run=True)
    down = await sync(s3.uri("y"), tmp_path / "out", dry_run=True)
    over = await sync(s3.uri("y"), s3.uri("z"), dry_run=True)
    plan = pd.concat([up, down, over])
    plan = plan[~plan.Name.isin(["older", "m", "a.csv"])].sort_values("Size")
    plan.to_csv(tmp_path / "plan.csv", index=False)

    same = await sync(plan=plan, dry_run=True)
    report = await sync(plan=pd.read_csv(tmp_path / "plan.csv"))

    assert same.columns.tolist() == PLAN
    assert report.Action.value_counts().to_dict() == {
        "upload": 3, "delete": 1, "download": 1, "copy": 1,
    }  # fmt: skip
    assert set(report.Status) == {"done"}
    assert held(s3, "x/") == {k: v for k, v in FILES.items() if k != "a.csv"} | {"older": b"2"}
    assert found(tmp_path / "out") == {"n": b"1"}
    assert held(s3, "z/") == {"n": b"1"}
    assert (await sync(s3.uri("y"), tmp_path / "out", dry_run=True)).Name.tolist() == ["m"]


async def test_what_is_no_more_as_planned_is_left(s3, connected, files, tmp_path):
    """A file that changed, an object that was to go; what was to go and is at the source by now."""
    fill(s3, "x/", {"old": b"1", "older": b"2", "gone": b"3"})
    write(tmp_path / "out", {"here": b"1", "there": b"2"})
    s3.put("y/f", b"1")
    up = await sync(files, s3.uri("x"), delete=True, dry_run=True)
    down = await sync(s3.uri("y"), tmp_path / "out", delete=True, dry_run=True)
    (files / "a.csv").unlink()
    s3.put("x/old", b"another one")
    s3.client.delete_object(Bucket=s3.bucket, Key="x/gone")
    write(files, {"older": b"2"})
    write(tmp_path / "out", {"here": b"22"})
    s3.put("y/there", b"2")

    without = up[up.Name != "a.csv"]
    first = await sync(plan=up, errors="return")
    second = await sync(plan=without, errors="return")
    third = await sync(plan=down, errors="return")

    assert first[first.Action == "delete"].Status.tolist() == ["skipped"] * 3
    assert "no file" in first.Error.tolist()[0]
    left = second[second.Action == "delete"]
    assert left.Status.tolist() == ["done", "failed", "failed"]
    assert "changed since" in left.Error.tolist()[1]
    assert "is there by now" in left.Error.tolist()[2]
    assert third.Status.tolist() == ["done", "failed", "failed"]
    assert held(s3, "x/") == {k: v for k, v in FILES.items() if k != "a.csv"} | {
        "old": b"another one",
        "older": b"2",
    }
    assert found(tmp_path / "out") == {"f": b"1", "here": b"22", "there": b"2"}


async def test_an_object_of_another_etag_is_not_the_one_that_was_to_go(s3, connected, files):
    """Where the time tells nothing, and the size is the same."""
    fill(s3, "x/", {"old": b"1", "older": b"2"})
    plan = await sync(files, s3.uri("x"), delete=True, dry_run=True)
    s3.put("x/old", b"9")

    report = await sync(plan=plan.drop(columns="LastModified"), errors="return")

    assert report[report.Action == "delete"].Status.tolist() == ["failed", "done"]
    assert held(s3, "x/") == FILES | {"old": b"9"}


async def test_a_name_with_no_place_here_is_refused_each_time(moto, s3, connected, tmp_path):
    """In the plan and when it is run; nothing escapes."""
    fill(s3, "x/", {"../up": b"evil", "ok": b"1"})

    plan = await sync(s3.uri("x"), tmp_path / "out", dry_run=True)
    report = await sync(plan=plan, errors="return")
    direct = await sync(s3.uri("x"), tmp_path / "out", errors="return")

    assert plan.Reason.str.startswith("refused").tolist() == [True, False]
    assert report.Status.tolist() == ["failed", "done"]
    assert direct.Status.tolist() == ["failed"]
    assert found(tmp_path) == {"out/ok": b"1"}


CHANGES = [
    lambda plan: plan.drop(columns="Name"),
    lambda plan: plan.assign(Action="move"),
    lambda plan: plan.assign(Action="download"),
    lambda plan: plan.assign(Target="elsewhere/f"),
    lambda plan: plan.assign(Target=None),
    lambda plan: plan.assign(Size=-1),
    lambda plan: plan.assign(Size="much"),
    lambda plan: plan.assign(LastModified="yesterday or so"),
    lambda plan: pd.concat([plan, plan]),
    lambda plan: "no frame",
]


async def test_a_plan_that_cannot_be_meant_is_refused_before_anything_is_done(s3, connected, files):
    """In one sentence, whatever was changed in it."""
    plan = await sync(files, s3.uri("x"), include="a.csv", exclude="*", dry_run=True)

    for change in CHANGES:
        with pytest.raises(BadArgument):
            await sync(plan=change(plan))

    assert s3.keys() == []


# what cannot be meant


@pytest.mark.parametrize(
    ("source", "target", "options"),
    [
        (None, None, {}),
        ("s3://bucket/x", None, {}),
        ("here", "there", {}),
        (b"bytes", "s3://bucket/x", {}),
        (".", "s3://bucket/x", {"size_only": True, "checksum": True}),
        (".", "s3://bucket/x", {"exclude": "/abs"}),
        (".", "s3://bucket/x", {"part_size": 1}),
        (".", "s3://bucket/x", {"acl": "publik"}),
        (pd.DataFrame({"a": [1]}), "s3://bucket/x", {}),
        (".", "s3://bucket/x", {"plan": pd.DataFrame()}),
        (None, None, {"plan": pd.DataFrame(), "delete": True}),
    ],
)
async def test_what_cannot_be_meant_is_refused_before_anything_is_asked(source, target, options):
    """In a sentence, as a ValueError: there is no server here that could answer."""
    with pytest.raises(BadArgument):
        await sync(source, target, **options)


async def test_what_is_no_folder_is_refused(s3, connected, tmp_path):
    """On either side; nothing is made or sent."""
    (tmp_path / "file").write_bytes(b"1")
    s3.put("x/k", b"1")

    with pytest.raises(BadArgument, match="is a file, and a folder is needed"):
        await sync(tmp_path / "file", s3.uri("x"))
    with pytest.raises(BadArgument, match="is a file, and a folder is needed"):
        await sync(s3.uri("x"), tmp_path / "file")
    with pytest.raises(NoSuchFile):
        await sync(tmp_path / "missing", s3.uri("x"))

    assert s3.keys() == ["x/k"]
    assert found(tmp_path) == {"file": b"1"}


async def test_what_is_no_file_is_a_row_and_the_others_are_sent(s3, connected, files):
    """A pipe, and a name that no key can have."""
    os.mkfifo(files / "pipe")
    if sys.platform == "linux":
        (files / os.fsdecode(b"\xff.csv")).write_bytes(b"1")

    report = await sync(files, s3.uri("x"), errors="return")

    assert held(s3, "x/") == FILES
    assert set(report.Status[report.Status != "done"]) == {"failed"}
    assert report[report.Status == "failed"].Error.str.len().min() > 10


# the magic


@pytest.mark.kernel
def test_the_magic_and_its_twin_do_the_same(seaweed, s3, files):
    """The same plan and the same report; a plan is edited in the line, and the order counts."""
    with Kernel("s3magic", folder=files.parent, env=seaweed.environment) as kernel:
        good(kernel.run("import s3magic as s3\nimport pandas as pd"))
        good(
            kernel.run(f"one = %s3sync ./files {s3.uri('x')} --exclude * --include *.csv --dry-run")
        )
        same = good(
            kernel.run(
                f"two = await s3.sync('./files', '{s3.uri('x')}', exclude='*', include='*.csv',"
                " dry_run=True)\npd.testing.assert_frame_equal(one, two)\none.Name.tolist()"
            )
        )
        ordered = good(
            kernel.run(
                f"plan = %s3sync ./files {s3.uri('x')} --include *.csv --exclude * --dry-run\n"
                "len(plan)"
            )
        )
        done = good(
            kernel.run("report = %s3sync --plan ${one[one.Size < 3]}\nreport.Size.tolist()")
        )
        again = good(
            kernel.run(
                f"first = %s3sync ./files {s3.uri('x')} --dry-run --progress none\n"
                f"await s3.sync('./files', '{s3.uri('x')}', progress='none')\n"
                f"last = %s3sync ./files {s3.uri('x')}\nlen(first), len(last)"
            )
        )

    assert same.python == ["a.csv", "b c+d.csv", "deep/e.csv"]
    assert ordered.python == 0
    assert done.python == [1, 2]
    assert again.python == (2, 0)
    assert "Compared 4 files" in again.stdout + str(again.displays)
    assert held(s3, "x/") == FILES


async def test_a_key_without_a_local_name_says_how_it_is_left_out(s3, moto, connected, tmp_path):
    """Nothing is deleted before; with the line's own words it goes on."""
    for key in ("t/a//b", "t/c"):
        s3.put(key, "1")
    (tmp_path / "old").write_text("1")

    report = await sync(s3.uri("t/"), tmp_path, delete=True, errors="return")
    kept = (tmp_path / "old").exists()
    await sync(s3.uri("t/"), tmp_path, delete=True, exclude="a//b")

    failed = report[report.Status == "failed"]
    assert "The key 'a//b' has no safe local name" in failed.Error.item()
    assert failed.Error.item().endswith("--exclude a//b")
    assert kept
    assert sorted(path.name for path in tmp_path.iterdir()) == ["c"]

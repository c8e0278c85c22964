"""The verb rm, and undo, on both servers."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import re

import pandas as pd
import pytest
from aiohttp import web

from cutting import Door
from s3magic import session, settings
from s3magic.commands.du import du
from s3magic.commands.get import get
from s3magic.commands.ls import ls
from s3magic.commands.put import put
from s3magic.commands.rm import rm
from s3magic.commands.running import asking, deleting
from s3magic.commands.running.undoing import undo
from s3magic.commands.showing import displays
from s3magic.errors import (
    AccessDenied,
    BadArgument,
    NoSuchBucket,
    ObjectChanged,
    TransferError,
)
from s3magic.transfer import deletion
from s3magic.uri import S3Uri

KEY = re.compile(r"<Key>(.*?)</Key>")
COLUMNS = ["Bucket", "Key", "VersionId", "Size", "ETag", "Status", "Error", "DeleteMarker"]
TREE = ("2024/a.csv", "2024/b c+d.csv", "2024/deep/e.csv", "2024-old/a.csv", "2024.csv", "x")


class Clicking:
    """A display that does something when it is drawn."""

    def __init__(self, on_draw):
        self.on_draw = on_draw

    def draw(self, meter):
        self.on_draw(meter)

    def close(self, summary):
        pass


@pytest.fixture
def tree(s3):
    for key in TREE:
        s3.put(key, "1")
    return s3


@pytest.fixture
async def door(s3, connected, environment):
    """A door before the server, through which the verbs go; none of them tries twice."""
    environment.setenv("AWS_RETRY_MODE", "standard")
    environment.setenv("AWS_MAX_ATTEMPTS", "1")
    before = settings.defaults()
    settings.change(page_size=3, fast=False)
    async with Door(s3.server) as door:
        session.connect(
            endpoint_url=door.endpoint_url,
            aws_access_key_id=door.access_key,
            aws_secret_access_key=door.secret_key,
            region="us-east-1",
        )
        yield door
        await session.close()
    settings.change(**dataclasses.asdict(before))


@pytest.fixture
def summaries():
    """The closing lines."""
    told = []

    class Display:
        def draw(self, meter):
            pass

        def close(self, summary):
            told.append(summary)

    displays.use(lambda _: Display())
    yield told
    displays.reset()


@pytest.fixture
async def answering():
    """Connect the verbs to a server that has some keys; gives what it is asked to delete."""
    async with contextlib.AsyncExitStack() as stack:

        async def start(keys, denied=()):
            asked = []

            async def handler(request):
                if request.method == "GET":
                    rows = "".join(
                        f"<Contents><Key>{key}</Key><Size>1</Size></Contents>" for key in keys
                    )
                    return web.Response(
                        text=f"<ListBucketResult><Name>bucket</Name>{rows}</ListBucketResult>"
                    )
                asked.append(KEY.findall(await request.text()))
                rows = "".join(
                    f"<Error><Key>{key}</Key><Code>AccessDenied</Code></Error>"
                    if key in denied
                    else f"<Deleted><Key>{key}</Key></Deleted>"
                    for key in asked[-1]
                )
                return web.Response(text=f"<DeleteResult>{rows}</DeleteResult>")

            app = web.Application(client_max_size=2**26)
            app.router.add_route("*", "/{tail:.*}", handler)
            runner = web.AppRunner(app)
            await runner.setup()
            stack.push_async_callback(runner.cleanup)
            await web.TCPSite(runner, "127.0.0.1", 0).start()
            session.connect(
                endpoint_url=f"http://127.0.0.1:{runner.addresses[0][1]}",
                aws_access_key_id="testing",
                aws_secret_access_key="testing",
                region="us-east-1",
            )
            stack.push_async_callback(session.close)
            return asked

        yield start


@pytest.fixture
def versioned(s3):
    """A bucket that keeps versions."""
    s3.client.put_bucket_versioning(Bucket=s3.bucket, VersioningConfiguration={"Status": "Enabled"})
    return s3


@pytest.fixture
def small(monkeypatch):
    """Requests of two names each, and questions from the fifth name on."""
    monkeypatch.setattr(deletion, "BATCH", 2)
    monkeypatch.setattr(deleting, "_UNASKED", 4)


def versions_of(s3):
    """Every version and delete marker, as the server lists them: key, id, and whether a marker."""
    answer = s3.client.list_object_versions(Bucket=s3.bucket)
    rows = [(row["Key"], row["VersionId"], False) for row in answer.get("Versions", ())]
    rows += [(row["Key"], row["VersionId"], True) for row in answer.get("DeleteMarkers", ())]
    return sorted(rows)


async def test_one_key_goes_and_no_other(s3, server, connected, tree):
    """And the report says so; how large it was nobody asked."""
    report = await rm(s3.uri("2024.csv"))

    assert s3.keys() == sorted(set(TREE) - {"2024.csv"})
    assert list(report.columns) == COLUMNS
    assert report.dtypes.astype(str).tolist() == [
        "category", "string", "string", "Int64", "string", "string", "string", "string",
    ]  # fmt: skip
    assert report.Status.tolist() == ["done"]
    assert report.Bucket.tolist() == [s3.bucket]
    assert report[["VersionId", "Size", "ETag", "DeleteMarker"]].isna().all(axis=None)


async def test_several_sources_go_at_once(s3, server, connected, tree):
    """A list, a Series, an S3Uri; what two of them name goes once."""
    report = await rm([s3.uri("x"), S3Uri(s3.bucket, "x"), s3.uri("2024.csv")])
    await rm(pd.Series([s3.uri("2024/a.csv"), s3.uri("2024/b c+d.csv")]))

    assert s3.keys() == ["2024-old/a.csv", "2024/deep/e.csv"]
    assert report.Key.tolist() == ["x", "2024.csv"]


@pytest.mark.parametrize("address", ["2024", "2024/"])
async def test_a_tree_is_what_lies_below_a_folder(s3, server, connected, tree, address):
    """With or without the slash; what only begins like it stays."""
    report = await rm(s3.uri(address), recursive=True)

    assert s3.keys() == ["2024-old/a.csv", "2024.csv", "x"]
    assert report.Size.tolist() == [1, 1, 1]


async def test_a_glob_is_read_as_one_only_when_asked(s3, moto, connected):
    """Without --glob the star is a character of the key."""
    for key in ("a*.csv", "ab.csv", "ac.csv", "deep/ad.csv"):
        s3.put(key, "1")

    await rm(s3.uri("a*.csv"))
    left = s3.keys()
    await rm(s3.uri("a*.csv"), glob=True)

    assert left == ["ab.csv", "ac.csv", "deep/ad.csv"]
    assert s3.keys() == ["deep/ad.csv"]


async def test_a_key_that_looks_like_a_pattern_is_told_to_be_taken_literally(
    s3, connected, summaries
):
    """It counts as deleted though it is not there: who meant a pattern must hear of it."""
    s3.put("k.txt", "1")

    await rm(s3.uri("*.txt"))
    await rm(s3.uri("k.csv"))
    await rm(s3.uri("*.txt"), glob=True)

    assert s3.keys() == []
    told = [line for line in summaries if line.startswith("Deleted")]
    assert ["literally: --glob reads it as a pattern" in line for line in told] == [
        True,
        False,
        False,
    ]


async def test_keys_with_any_character_go_and_no_others(s3, moto, connected):
    """As they were listed; moto keeps such keys as they are."""
    odd = [" a", "a ", "a", "b\x01", "b", "<&>\"'", "c//d/../e", "é😀", "tab\there", "a+b%20"]
    for key in odd:
        s3.put(key, "1")
    frame = await ls(s3.uri(), recursive=True)

    await rm(frame[~frame.Key.isin(["a", "b"])])

    assert s3.keys() == ["a", "b"]


async def test_a_frame_means_its_rows(s3, server, connected, tree):
    """Filtered, and with folders if asked to; the report's of other verbs too."""
    level = await ls(s3.uri())
    await rm(level[level.Key.isin(["2024/", "x"])], recursive=True)
    left = s3.keys()
    report = await put(b"new", s3.uri("put"))
    await rm(report)

    assert left == ["2024-old/a.csv", "2024.csv"]
    assert s3.keys() == left


async def test_what_a_report_did_not_make_stays(tree, s3, connected):
    """An object that was there before, and was left as it is, is not the report's to delete."""
    report = await put(b"new", s3.uri("x"), no_clobber=True)

    with pytest.raises(BadArgument, match="not done"):
        await rm(report)

    assert s3.get("x") == b"1"


async def test_what_was_downloaded_can_go(s3, server, connected, tree, tmp_path):
    """A report of get names its sources, since its targets are files."""
    report = await get(s3.uri("2024/"), tmp_path, recursive=True)

    await rm(report)

    assert s3.keys() == ["2024-old/a.csv", "2024.csv", "x"]
    assert (tmp_path / "deep" / "e.csv").read_bytes() == b"1"


async def test_a_dry_run_deletes_nothing_and_says_what_would_go(s3, server, connected, tree):
    """Sizes and all; what is not there is not in the plan."""
    plan = await rm(s3.uri("2024"), recursive=True, dry_run=True)
    one = await rm(s3.uri("x"), dry_run=True)
    none = await rm(s3.uri("typo"), dry_run=True)
    some = await rm([s3.uri(key) for key in ("x", "typo", "2024.csv")], dry_run=True)

    assert s3.keys() == sorted(TREE)
    assert set(plan.Key) == {"2024/a.csv", "2024/b c+d.csv", "2024/deep/e.csv"}
    assert set(plan.Status) == {"planned"}
    assert (one.Size.tolist(), one.Status.tolist()) == ([1], ["planned"])
    assert len(none) == 0
    assert some.Key.tolist() == ["x", "2024.csv"]
    with pytest.raises(NoSuchBucket):
        await rm("s3://no-such-bucket-here/k", dry_run=True)


async def test_a_plan_is_a_source(s3, server, connected, tree):
    """What a dry run named goes, and nothing else: not what was written there since."""
    plan = await rm(s3.uri("2024/"), recursive=True, dry_run=True)

    one = await rm(s3.uri("x"), dry_run=True)
    s3.put("x", "new")
    s3.put("2024/b c+d.csv", "new")
    ends = await rm(plan[plan.Key != "2024/a.csv"], errors="return")
    end = await rm(one, errors="return")

    assert ends.Status.tolist() == ["failed", "done"]
    assert end.Status.tolist() == ["failed"]
    assert s3.keys() == ["2024-old/a.csv", "2024.csv", "2024/a.csv", "2024/b c+d.csv", "x"]


async def test_what_is_not_there_is_no_error(s3, server, connected, tree):
    """The same cell may run twice."""
    single = await rm(s3.uri("gone"))
    folder = await rm(s3.uri("gone/"), recursive=True)
    typo = await rm(s3.uri("gone"), recursive=True)
    pattern = await rm(s3.uri("gone*"), glob=True)

    assert single.Status.tolist() == ["done"]
    assert len(folder) == len(typo) == len(pattern) == 0
    assert list(folder.columns) == COLUMNS
    assert s3.keys() == sorted(TREE)


async def test_a_missing_bucket_is_named(s3, server, connected):
    """As an error of its own class, whatever was asked for."""
    with pytest.raises(NoSuchBucket):
        await rm("s3://no-such-bucket-here/k")
    with pytest.raises(NoSuchBucket):
        await rm("s3://no-such-bucket-here/k/", recursive=True)


@pytest.mark.parametrize(
    ("source", "options", "said"),
    [
        ("s3://bucket/folder/", {}, "Add recursive=True"),
        ("s3://bucket", {}, "Add recursive=True"),
        ("no-address", {}, "no S3 address"),
        (42, {}, "is no source"),
        ([], {}, "empty"),
        ("s3://bucket/k", {"version_id": "1", "recursive": True}, "one object's"),
        ("s3://bucket/k", {"version_id": "1", "all_versions": True}, "Give one"),
        ("s3://b/k", {"concurrency": 0}, "concurrency=0"),
        ("s3://b/k", {"errors": "rais"}, "Did you mean 'raise'"),
        (pd.DataFrame({"Name": ["b"]}), {}, "no columns Bucket and Key"),
        (pd.DataFrame({"Bucket": ["b"], "Key": [None]}), {}, "have no Bucket or no Key"),
        (pd.DataFrame({"Source": ["file"], "Target": [""]}), {}, "name nothing in S3"),
        (
            pd.DataFrame({"Bucket": ["b"], "Key": ["f/"], "Type": ["prefix"]}),
            {},
            "is a folder",
        ),
    ],
)
async def test_what_cannot_be_meant_is_refused(s3, connected, source, options, said):
    """In a sentence that says what to do, before anything is asked."""
    with pytest.raises(BadArgument, match=said):
        await rm(source, **options)


async def test_a_row_without_a_key_deletes_nothing(s3, server, connected, tree):
    """Its address would be the bucket's own."""
    frame = pd.DataFrame({"Bucket": [s3.bucket], "Key": [""]})

    with pytest.raises(BadArgument):
        await rm(frame)

    assert s3.keys() == sorted(TREE)


# asking


async def test_more_than_a_thousand_objects_need_a_yes(s3, server, connected, tree, small, asked):
    """One question, which says how many and how much; a no deletes nothing."""
    asked.answer = False
    with pytest.raises(TransferError, match="5 of 5 objects were cancelled; 0 deleted"):
        await rm([s3.uri("2024/"), s3.uri("2024-old/"), s3.uri("x")], recursive=True)
    no = s3.keys()
    asked.answer = True
    await rm([s3.uri("2024/"), s3.uri("2024-old/"), s3.uri("x")], recursive=True)

    assert no == sorted(TREE)
    assert s3.keys() == ["2024.csv"]
    assert asked == ["Delete 5 objects (5 B) that 3 sources name?"] * 2


async def test_few_objects_need_no_yes(s3, server, connected, tree, small, asked):
    """Nobody wants to be asked for everything."""
    await rm(s3.uri("2024/"), recursive=True)

    assert asked == []
    assert s3.keys() == ["2024-old/a.csv", "2024.csv", "x"]


@pytest.mark.parametrize("options", [{"recursive": True}, {"glob": True, "recursive": True}])
async def test_all_of_a_bucket_needs_a_yes(s3, server, connected, tree, asked, options):
    """However little it is."""
    uri = s3.uri("**" if "glob" in options else "")

    await rm(uri, **options)

    assert asked[0].startswith("Delete 6 objects (6 B)")
    assert s3.keys() == []


async def test_a_column_of_which_a_filter_left_nothing_deletes_nothing(moto, s3, connected):
    """And is no error, as a frame of no rows is none."""
    s3.put("k", "1")

    report = await rm(pd.Series([], dtype="string"))

    assert list(report.columns) == COLUMNS
    assert len(report) == 0
    assert s3.keys() == ["k"]


async def test_a_row_that_is_all_of_a_bucket_needs_a_yes(s3, moto, connected, asked):
    """A count of it has such a row."""
    s3.put("k", "1")
    asked.answer = False
    frame = await du(s3.uri(), depth=0)

    with pytest.raises(TransferError):
        await rm(frame, recursive=True)

    assert asked == ["Delete 1 object (1 B) that the frame names?"]
    assert s3.keys() == ["k"]


async def test_where_nobody_can_be_asked_it_is_refused(s3, server, connected, tree, small):
    """The sentence says to add -y; with it, nobody is asked."""
    asking.reset()

    with pytest.raises(BadArgument, match=r"Nobody can be asked here\. Add yes=True"):
        await rm(s3.uri(), recursive=True)
    refused = s3.keys()
    await rm(s3.uri(), recursive=True, yes=True)

    assert refused == sorted(TREE)
    assert s3.keys() == []


async def test_a_large_tree_goes_a_thousand_a_request(connected, answering):
    """2,500 keys: three requests, and a row for each key, in the order of the listing."""
    keys = [f"many/{number:04}" for number in range(2500)]
    asked = await answering(keys)

    report = await rm("s3://bucket/many/", recursive=True, yes=True)

    assert sorted(map(len, asked)) == [500, 1000, 1000]
    assert sorted(key for batch in asked for key in batch) == keys
    assert report.Key.tolist() == keys
    assert set(report.Status) == {"done"}


# versions


async def test_on_a_versioned_bucket_a_marker_hides_it_and_undo_brings_it_back(
    s3, server, connected, versioned
):
    """The report names the marker; what had been deleted before stays deleted."""
    for key in ("a", "b", "old"):
        s3.put(key, "1")
    s3.client.delete_object(Bucket=s3.bucket, Key="old")
    before = versions_of(s3)

    report = await rm([s3.uri("a"), s3.uri("b"), s3.uri("old")])
    gone = s3.keys()
    back = await undo(report)

    assert gone == []
    assert set(report.Status) == {"done"}
    assert report.DeleteMarker.notna().all()
    assert back.VersionId.tolist() == report.DeleteMarker.tolist()
    assert s3.keys() == ["a", "b"]
    assert versions_of(s3) == before


async def test_what_was_deleted_for_good_cannot_come_back(s3, server, connected, tree):
    """That is said clearly, and of a mixture the rest comes back."""
    report = await rm(s3.uri("x"))

    with pytest.raises(BadArgument, match="it was deleted for good"):
        await undo(report)
    with pytest.raises(BadArgument, match="no report of a deletion"):
        await undo(await ls(s3.uri()))


async def test_of_a_mixture_what_can_comes_back(s3, server, connected, versioned):
    """What cannot is a failed row."""
    s3.put("a", "1")
    s3.put("b", "1")
    first = await rm(s3.uri("a"))
    second = await rm(s3.uri("b"), all_versions=True)

    back = await undo(pd.concat([first, second]), errors="return")

    assert s3.keys() == ["a"]
    assert back.Status.tolist() == ["done", "failed"]
    assert "deleted for good" in back.Error[1]


async def test_one_version_goes_for_good(s3, server, connected, versioned):
    """The other stays, and no marker is made."""
    first = s3.put("k", "1")["VersionId"]
    second = s3.put("k", "22")["VersionId"]

    report = await rm(s3.uri("k"), version_id=second)

    assert versions_of(s3) == [("k", first, False)]
    assert report.VersionId.tolist() == [second]
    assert report.DeleteMarker.isna().all()


async def test_all_versions_of_a_key_go_and_none_of_another(s3, server, connected, versioned):
    """Markers too; a key that only begins like it stays."""
    for key in ("k", "k", "k2", "k/below"):
        s3.put(key, "1")
    s3.client.delete_object(Bucket=s3.bucket, Key="k")

    report = await rm(s3.uri("k"), all_versions=True)

    assert {key for key, _, _ in versions_of(s3)} == {"k2", "k/below"}
    assert len(report) == 3
    assert report.VersionId.nunique() == 3


async def test_all_versions_of_a_tree_a_glob_and_a_frame(s3, server, connected, versioned):
    """Each means what it means without versions, and all of these."""
    for key in ("t/a", "t/a", "t/b", "g1", "g1", "f", "f", "stays"):
        s3.put(key, "1")
    s3.client.delete_object(Bucket=s3.bucket, Key="t/b")
    frame = await ls(s3.uri("f"), recursive=True)

    await rm(s3.uri("t"), recursive=True, all_versions=True)
    await rm(s3.uri("g*"), glob=True, all_versions=True)
    await rm(frame, all_versions=True)

    assert [key for key, _, _ in versions_of(s3)] == ["stays"]


async def test_a_frame_of_versions_means_just_these(s3, server, connected, versioned):
    """A marker among them goes too, and so its object is there again."""
    s3.put("k", "1")
    s3.client.delete_object(Bucket=s3.bucket, Key="k")
    s3.put("other", "1")
    frame = await ls(s3.uri(), recursive=True, versions=True)

    await rm(frame[frame.IsDeleteMarker])

    assert s3.keys() == ["k", "other"]
    assert not any(marker for _, _, marker in versions_of(s3))


# errors and cancellation


async def test_one_that_cannot_be_deleted_leaves_the_others_alone(connected, answering):
    """Each error is kept, in its row."""
    await answering(["a", "b", "c"], denied={"a"})

    with pytest.raises(TransferError, match=r"1 of 3 objects failed; 2 deleted\.") as failure:
        await rm([f"s3://bucket/{name}" for name in "abc"])

    report = failure.value.report
    assert isinstance(failure.value.__cause__, AccessDenied)
    assert report.Status.tolist() == ["failed", "done", "done"]
    assert "access denied" in report.Error[0]


def true(s3, keys, report):
    """Hold a report against what is there; gives what it says of each key."""
    left = set(s3.keys())
    report = report.dropna(subset=["Key"])  # the last row may be of what was never listed
    told = dict(zip(report.Key, report.Status, strict=True))
    unsure = set(report.Key[report.Error.str.contains("may be deleted")])
    done = {key for key, status in told.items() if status == "done"}
    gone = set(keys) - left
    assert done <= gone
    assert gone - done <= unsure
    assert left <= set(keys)
    return told


@pytest.mark.parametrize("fault", ["unheard", "unanswered", "error"])
async def test_cut_from_any_step_on_the_report_is_true(s3, connected, small, door, fault):
    """What it says is deleted is; what is deleted it says, or that it may be."""
    keys = [*(f"t/{number}" for number in range(6)), "t/6 "]  # the last one goes alone
    step, told, ends = 0, {}, []
    while not step or door.reached.is_set():
        step += 1
        for key in keys:
            s3.put(key, "1")
        door.cut(fault, step, lasting=True)
        try:
            report = await rm(s3.uri("t/"), recursive=True, yes=True, errors="return")
        except OSError:  # the listing failed before anything was asked for
            assert s3.keys() == keys
        else:
            told = true(s3, keys, report)
            ends.append(set(told.values()))

    assert step > 5
    assert {"done", "failed"} in ends
    assert told == dict.fromkeys(keys, "done")


@pytest.mark.parametrize("fault", ["unheard", "unanswered", "error"])
async def test_one_lost_answer_is_asked_for_again(s3, connected, small, door, monkeypatch, fault):
    """Where nothing is kept of what is deleted, to ask twice is no harm."""
    monkeypatch.setattr(deletion, "_PAUSE", 0.0)
    keys = [f"t/{number}" for number in range(3)]
    for key in keys:
        s3.put(key, "1")
    door.cut(fault, 1)

    report = await rm([s3.uri(key) for key in keys])

    assert set(report.Status) == {"done"}
    assert s3.keys() == []


@pytest.mark.parametrize("fault", ["unanswered", "error"])
@pytest.mark.parametrize("keys", [["a"], ["a", "b"]])
async def test_a_lost_answer_makes_no_second_marker(s3, connected, versioned, door, fault, keys):
    """Or an undo would take one away, and the object would stay hidden."""
    for key in keys:
        s3.put(key, "1")
    door.cut(fault, 1)

    report = await rm([s3.uri(key) for key in keys], errors="return")

    made = [key for key, _, marker in versions_of(s3) if marker]
    assert made == (keys if fault == "unanswered" else [])
    assert set(report.Status) == {"failed"}
    assert report.Error.str.contains("may be deleted").all()


@pytest.mark.parametrize("when", ["silent before", "silent after"])
async def test_cancelled_at_any_step_the_report_is_true(
    s3, connected, small, door, monkeypatch, when
):
    """The button ends it wherever it is; of what was in flight the report says so."""
    monkeypatch.setattr(deleting, "_PATIENT", 0.1)
    settings.change(progress_delay=0.0)
    keys = [f"t/{number}" for number in range(7)]

    def click(meter):
        if door.reached.is_set():
            meter.stop()

    displays.use(lambda _: Clicking(click))
    step, statuses, last = 0, set(), {}
    while not step or door.reached.is_set():
        step += 1
        for key in keys:
            s3.put(key, "1")
        door.cut(when, step)
        report = await rm(s3.uri("t/"), recursive=True, yes=True, errors="return")
        last = true(s3, keys, report)
        statuses |= set(last.values())

    assert step > 5
    assert statuses == {"done", "cancelled"}
    assert last == dict.fromkeys(keys, "done")


async def test_an_interrupt_ends_it_at_once(s3, connected, small, door):
    """As that of a cell: nothing goes on behind it."""
    keys = [f"t/{number}" for number in range(7)]
    for key in keys:
        s3.put(key, "1")
    door.cut("silent before", 3)
    task = asyncio.create_task(rm(s3.uri("t/"), recursive=True, yes=True))
    await door.reached.wait()

    task.cancel()
    await asyncio.wait([task])
    left = s3.keys()

    assert task.cancelled()
    assert left
    assert not [one for one in asyncio.all_tasks() if one.get_name().startswith("s3magic-")]


# what changed since it was listed


async def test_what_was_replaced_since_it_was_listed_stays(s3, server, connected, tree):
    """A row that says so; the rest goes, and what is gone already counts as gone."""
    frame = await ls(s3.uri(), recursive=True)
    s3.put("x", "new")
    s3.client.delete_object(Bucket=s3.bucket, Key="2024.csv")

    with pytest.raises(TransferError, match="it was replaced since it was listed") as failure:
        await rm(frame)

    report = failure.value.report.set_index("Key")
    assert isinstance(failure.value.__cause__, ObjectChanged)
    assert s3.keys() == ["x"]
    assert report.Status.drop("x").eq("done").all()
    assert report.Status["x"] == "failed"
    assert "df.drop(columns='ETag')" in failure.value.__cause__.hint


async def test_one_row_that_was_replaced_stays(s3, server, connected, tree):
    """Also where its key goes alone; without the ETags whatever is there goes."""
    s3.put("odd ", "1")
    frame = await ls(s3.uri(), recursive=True)
    rows = frame[frame.Key.isin(["x", "odd "])]
    s3.put("x", "new")
    s3.put("odd ", "new")

    reports = [await rm(rows[rows.Key == key], errors="return") for key in ("x", "odd ")]
    left = s3.keys()
    await rm(rows.drop(columns="ETag"))

    assert [report.Status.tolist() for report in reports] == [["failed"], ["failed"]]
    assert {"x", "odd "} <= set(left)
    assert s3.keys() == sorted(set(TREE) - {"x"})


async def test_a_versioned_listing_goes_on_its_condition_and_comes_back(
    s3, server, connected, versioned
):
    """The marker is told, and the one that was replaced has none."""
    s3.put("a", "1")
    s3.put("b", "1")
    frame = await ls(s3.uri(), recursive=True)
    s3.put("b", "new")

    report = await rm(frame, errors="return")
    gone = s3.keys()
    await undo(report)

    assert gone == ["b"]
    assert report.Status.tolist() == ["done", "failed"]
    assert s3.keys() == ["a", "b"]


async def test_the_rows_of_a_bucket_that_is_gone_are_no_success(s3, server, connected):
    """Nothing is there, and nobody knows that these objects were deleted."""
    frame = pd.DataFrame({"Bucket": ["no-such-bucket-here"], "Key": ["k"], "ETag": ["0" * 32]})

    with pytest.raises(NoSuchBucket):
        await rm(frame)


@pytest.mark.parametrize("fault", ["unheard", "unanswered", "error", "denied", "unknown"])
async def test_rows_cut_from_any_step_on_the_report_is_true(s3, connected, small, door, fault):
    """The look before is such a step, and what was replaced stays whatever happens."""
    keys = [f"t/{number}" for number in range(3)] + ["t/3 "]
    step, ends = 0, []
    while not step or door.reached.is_set():
        step += 1
        for key in keys:
            s3.put(key, "1")
        door.open()
        frame = await ls(s3.uri("t/"), recursive=True)
        s3.put("t/1", "new")
        door.cut(fault, step, lasting=True)
        report = await rm(frame, errors="return")
        ends.append(set(true(s3, keys, report).values()))
        assert s3.get("t/1") == b"new"

    assert step > 3
    assert ends[-1] == {"done", "failed"}

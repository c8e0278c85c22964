"""The verb du, on both servers."""

from __future__ import annotations

import asyncio
import sys

import pandas as pd
import pytest

from s3magic import session
from s3magic.commands.du import du
from s3magic.commands.get import get
from s3magic.commands.ls import ls
from s3magic.commands.rm import rm
from s3magic.commands.showing import displays
from s3magic.commands.tree import tree as tree_of
from s3magic.errors import BadArgument, BadUri, NoSuchBucket

TREE = {
    "top.txt": b"1",
    "a/one.csv": b"22",
    "a/two.csv": b"333",
    "a/deep/three.csv": b"4444",
    "b c/+four.TXT": b"55555",
}


class Recording:
    """A display that keeps what it is told."""

    def __init__(self):
        self.summaries = []

    def draw(self, meter):
        pass

    def close(self, summary):
        self.summaries.append(summary)


@pytest.fixture
async def tree(s3):
    """A bucket with a few objects; the verbs are connected to its server."""
    for key, data in TREE.items():
        s3.put(key, data)
    session.connect(
        endpoint_url=s3.server.endpoint_url,
        aws_access_key_id=s3.server.access_key,
        aws_secret_access_key=s3.server.secret_key,
        region="us-east-1",
    )
    displays.use(lambda _: Recording())
    yield s3
    displays.reset()
    await session.close()
    session.connect(reset=True)


def told(frame, *columns):
    return frame[[*columns, "Objects", "Size"]].to_numpy().tolist()


async def test_each_folder_has_a_row_the_largest_first(tree, server):
    """What lies right in the address has one too, and the sums are those of all."""
    frame = await du(tree.uri())

    assert list(frame.columns) == ["Key", "Objects", "Size", "Type", "Bucket"]
    assert told(frame, "Key", "Type") == [
        ["a/", "prefix", 3, 9], ["b c/", "prefix", 1, 5], ["", "level", 1, 1],
    ]  # fmt: skip
    assert set(frame.Bucket) == {tree.bucket}


@pytest.mark.parametrize(
    ("key", "depth", "expected"),
    [
        ("", 0, [["", 5, 15]]),
        ("", 2, [["a/", 2, 5], ["b c/", 1, 5], ["a/deep/", 1, 4], ["", 1, 1]]),
        ("a/", 1, [["a/", 2, 5], ["a/deep/", 1, 4]]),
        ("a/t", 0, [["a/t", 1, 3]]),
    ],
)
async def test_the_depth_says_which_folders_are_told_apart(tree, key, depth, expected):
    """Counted from the address, which may end within a name."""
    frame = await du(tree.uri(key), depth=depth)

    assert told(frame, "Key") == expected


async def test_several_addresses_are_a_sum_each(tree, server):
    """The largest first; one with nothing under it is a zero."""
    frame = await du([tree.uri("b c/"), tree.uri("a/"), tree.uri("nothing/")])

    assert told(frame, "Key") == [["a/", 3, 9], ["b c/", 1, 5], ["nothing/", 0, 0]]


async def test_nothing_below_an_address_is_an_empty_frame(tree):
    """Of folders; and of labels."""
    folders = await du(tree.uri("nothing/"))
    labels = await du(tree.uri("nothing/"), by="Extension")

    assert folders.empty
    assert labels.empty
    assert list(labels.columns) == ["Key", "Extension", "Objects", "Size", "Type", "Bucket"]


async def test_by_tells_apart_in_all_or_in_each_folder(tree, server):
    """By one thing or several."""
    one = await du(tree.uri(), by="extension")
    each = await du(tree.uri(), by=["Extension", "StorageClass"], depth=1)

    assert told(one, "Key", "Extension") == [["", ".csv", 3, 9], ["", ".txt", 2, 6]]
    assert told(each, "Key", "Extension", "StorageClass") == [
        ["a/", ".csv", "STANDARD", 3, 9],
        ["b c/", ".txt", "STANDARD", 1, 5],
        ["", ".txt", "STANDARD", 1, 1],
    ]


async def test_what_has_an_order_comes_in_it(tree):
    """Sizes ascend, and pandas knows their order."""
    frame = await du(tree.uri(), by="SizeRange")
    ages = await du(tree.uri(), by="age")

    assert told(frame, "SizeRange") == [["under 1 KiB", 5, 15]]
    assert ages["Age"].tolist() == ["under a day"]
    assert ages["Age"].dtype.ordered
    assert ages["Age"].max() < "under a week"


async def test_owners_are_asked_for_where_they_are_wanted(tree, moto):
    """Only then does a listing name them."""
    frame = await du(tree.uri(), by="Owner")

    assert told(frame, "Owner") == [["webfile", 5, 15]]


async def test_old_versions_have_columns_of_their_own(tree, server):
    """Bytes that nobody sees and somebody pays for; delete markers too."""
    tree.client.put_bucket_versioning(
        Bucket=tree.bucket, VersioningConfiguration={"Status": "Enabled"}
    )
    tree.put("a/one.csv", b"new, and longer")
    tree.client.delete_object(Bucket=tree.bucket, Key="top.txt")

    frame = await du(tree.uri(), depth=0, versions=True)

    assert frame.iloc[0, 1:6].to_dict() == {
        "Objects": 4, "Size": 27, "OldVersions": 2, "OldSize": 3, "DeleteMarkers": 1,
    }  # fmt: skip


async def test_a_frame_counts_like_its_address_without_a_request(tree, server):
    """All of it, and what a filter left; read back from a file too."""
    listing = await ls(tree.uri("a/"), recursive=True)
    there = await du(tree.uri("a/"))
    session.connect(endpoint_url="http://127.0.0.1:1", region="us-east-1")

    here = await du(listing)
    part = await du(listing[listing.Size > 2].sort_values("Size"), depth=0)
    by = await du(listing.astype({"Bucket": "object"}), by=["Extension", "Year"])

    pd.testing.assert_frame_equal(here.drop(columns="Type"), there.drop(columns="Type"))
    assert set(here.Type) == {"part"}
    assert told(part, "Key") == [["a/", 2, 7]]
    assert told(by, "Extension") == [[".csv", 3, 9]]


async def test_a_count_can_be_counted_on(tree):
    """The rows of a count stand for the objects that they counted."""
    fine = await du(tree.uri(), depth=2)

    coarse = await du(fine)

    pd.testing.assert_frame_equal(
        coarse.drop(columns="Type"), (await du(tree.uri())).drop(columns="Type")
    )


async def test_a_row_is_a_source_and_means_what_it_counts(tree, server, tmp_path):
    """What lies right in a folder does not bring what lies deeper."""
    frame = await du(tree.uri("a/"))

    level = await get(frame[frame.Type == "level"], tmp_path, recursive=True)
    whole = await get(frame, tmp_path, recursive=True)
    with pytest.raises(BadArgument, match="name none"):
        await get(await du(tree.uri(), by="Extension"), tmp_path, recursive=True)

    assert sorted(level.Source) == [tree.uri("a/one.csv"), tree.uri("a/two.csv")]
    assert len(whole) == 3


async def test_a_row_deletes_what_it_counts_and_no_more(tree, server):
    """A folder's loose files are not the folder; what names nothing deletes nothing."""
    frame = await du(tree.uri("a/"))
    parts = await du(tree.uri("a/"), exclude="o*")

    plan = await rm(frame[frame.Type == "level"], recursive=True, dry_run=True)
    report = await rm(frame[frame.Type == "level"], recursive=True, yes=True)
    with pytest.raises(BadArgument, match="name none"):
        await rm(parts, recursive=True, yes=True)

    assert plan.Key.tolist() == report.Key.tolist() == ["a/one.csv", "a/two.csv"]
    assert set(tree.keys()) == set(TREE) - set(report.Key)


@pytest.mark.parametrize("counting", [du, tree_of], ids=["du", "tree"])
async def test_what_counts_a_filtered_frame_deletes_nothing(tree, counting):
    """Its folders hold what the filter left out, too."""
    objects = await ls(tree.uri(), recursive=True)

    counted = await counting(objects[objects.Key == "a/one.csv"])
    with pytest.raises(BadArgument, match="name none"):
        await rm(counted, recursive=True, yes=True)

    assert set(tree.keys()) == set(TREE)


async def test_a_pattern_counts_what_it_matches(tree, server):
    """And what lies below the folders that match."""
    files = await du(tree.uri("**/*.csv"), glob=True)
    folders = await du(tree.uri("a/d*"), glob=True, depth=0)

    assert files.Size.sum() == 9
    assert told(folders, "Key") == [["a/d", 1, 4]]
    assert (await du(tree.uri("a*"), depth=0)).Size.sum() == 0  # a star is a star


async def test_names_may_be_left_out(tree, server):
    """By patterns of what follows the address; of a frame, of the whole key."""
    there = await du(tree.uri("a/"), exclude="*", include="d*")
    here = await du(await ls(tree.uri("a/"), recursive=True), exclude=["*", "a/d*"], depth=0)
    tails = await du(tree.uri("a/t"), exclude="t*", depth=0)

    assert told(there, "Key", "Type") == [["a/deep/", "part", 1, 4]]
    assert here.Objects.sum() == 0
    assert tails.Objects.sum() == 0


async def test_the_closing_line_counts_objects(tree, monkeypatch):
    """When there was time to draw."""
    display = Recording()
    displays.use(lambda _: display)
    monkeypatch.setattr("s3magic.commands.facts.counting._PART", 2)

    await du(tree.uri())

    assert display.summaries == [""]


@pytest.mark.parametrize(
    ("source", "options", "said"),
    [
        ("s3://bucket/", {"depth": -1}, "0 or more"),
        ("s3://bucket/", {"by": "extention"}, "Did you mean Extension"),
        ("s3://bucket/", {"by": ["Age", "colour"]}, "There are StorageClass"),
        ("s3://bucket/", {"plot": "pie"}, "treemap, bars"),
        ("s3://bucket/", {"progress": "widgt"}, "widget"),
        ("s3://bucket/[z-a]", {"glob": True}, "no glob pattern"),
        (42, {}, "cannot be counted"),
        ([], {}, "empty"),
        (pd.DataFrame({"a": [1]}), {}, "no columns Bucket and Key and Size"),
        (
            pd.DataFrame({"Bucket": ["b"], "Key": ["k/"], "Size": [0], "Type": ["prefix"]}),
            {},
            "1 of 1 row is a folder",
        ),
        (pd.DataFrame({"Bucket": ["b"], "Key": [None], "Size": [0]}), {}, "no Key"),
        (pd.DataFrame({"Bucket": ["b"], "Key": ["k"], "Size": ["1 kB"]}), {}, "no bytes"),
    ],
)
async def test_a_slip_is_told_before_any_request(environment, source, options, said):
    """One sentence; there is no server here."""
    session.connect(endpoint_url="http://127.0.0.1:1", anonymous=True)

    with pytest.raises(BadArgument, match=said):
        await du(source, **options)

    await session.close()
    session.connect(reset=True)


async def test_what_is_missing_is_an_error(tree, server):
    """A bucket that is not there; an address that is none."""
    with pytest.raises(NoSuchBucket):
        await du([tree.uri(), "s3://no-such-bucket-at-all/"])
    with pytest.raises(BadUri):
        await du("no-address/")


async def test_a_count_can_be_cancelled(tree):
    """Nothing of it stays behind."""
    task = asyncio.create_task(du(tree.uri()))
    await asyncio.sleep(0)
    task.cancel()

    with pytest.raises(asyncio.CancelledError):
        await task

    assert len(await du(tree.uri())) == 3


async def test_a_plot_is_a_picture_with_its_frame(tree):
    """Folders as a treemap, labels as bars; what was counted is the same."""
    picture = await du(tree.uri(), plot=True)
    bars = await du(tree.uri(), by="Extension", plot=True)

    pd.testing.assert_frame_equal(picture.frame, await du(tree.uri()))
    data, size = picture._repr_png_()
    assert data.startswith(b"\x89PNG")
    assert size == {"width": 860, "height": 480}
    assert (picture.shape, bars.shape) == ("treemap", "bars")
    assert "5 objects, 15 B" in repr(picture)
    assert picture == await du(tree.uri(), plot="treemap")


async def test_without_its_library_a_plot_says_what_to_install(environment, monkeypatch):
    """Before anything is asked."""
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)

    with pytest.raises(BadArgument, match="pip install matplotlib"):
        await du("s3://bucket/", plot=True)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda frame: pd.concat([frame, frame], axis=1), "several columns of one name"),
        (lambda frame: pd.concat([frame, frame.assign(Key=None)]), "no Bucket or no Key"),
        (lambda frame: pd.concat([frame, frame.drop(columns="Objects")]), "may count twice"),
    ],
)
async def test_a_frame_that_was_put_together_wrongly_is_refused(change, said):
    """In a sentence, and not in pandas's words."""
    frame = pd.DataFrame({"Bucket": ["b"], "Key": ["k"], "Size": [1], "Objects": [1]})

    with pytest.raises(BadArgument, match=said):
        await du(change(frame.astype({"Key": "string"})))


@pytest.mark.parametrize("kind", ["object", "string"])
async def test_sizes_that_a_file_or_a_merge_changed_count(kind):
    """They are numbers still; a missing one counts for nothing."""
    sizes = pd.Series([1, None, 2**60], dtype="Int64").astype(kind)
    frame = pd.DataFrame({"Bucket": "b", "Key": ["a", "b", "c"], "Size": sizes})

    counted = await du(frame)

    assert counted.Size.sum() == 2**60 + 1

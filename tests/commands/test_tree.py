"""The verb tree, on both servers."""

from __future__ import annotations

import pandas as pd
import pytest

from s3magic import session
from s3magic.commands import tree as verb
from s3magic.commands.get import get
from s3magic.commands.ls import ls
from s3magic.commands.showing import displays
from s3magic.commands.tree import tree
from s3magic.errors import BadArgument, NoSuchBucket
from s3magic.transfer.watching import Silent

TREE = {
    "top.txt": b"1",
    "a/one.csv": b"22",
    "a/deep/two.csv": b"333",
    "a/deep/er/three.csv": b"4444",
    "b c/four.txt": b"55555",
}


@pytest.fixture
async def bucket(s3):
    """A bucket with a few objects; the verbs are connected to its server."""
    for key, data in TREE.items():
        s3.put(key, data)
    session.connect(
        endpoint_url=s3.server.endpoint_url,
        aws_access_key_id=s3.server.access_key,
        aws_secret_access_key=s3.server.secret_key,
        region="us-east-1",
    )
    displays.use(lambda _: Silent())
    yield s3
    displays.reset()
    await session.close()
    session.connect(reset=True)


async def test_folders_are_drawn_with_all_that_is_below_them(bucket, server):
    """Names on the left, figures in columns."""
    drawing = repr(await tree(bucket.uri()))

    root = f"s3://{bucket.bucket}/"
    assert drawing.splitlines() == [
        f"{root}  5 objects  15 B",
        f"{'├── a/':<{len(root)}}  3 objects   9 B",
        f"{'│   └── deep/':<{len(root)}}  2 objects   7 B",
        f"{'│       └── er/':<{len(root)}}   1 object   4 B",
        f"{'└── b c/':<{len(root)}}   1 object   5 B",
    ]


async def test_the_frame_has_a_row_a_folder(bucket, server):
    """Each before those in it, and each counting all below it."""
    frame = (await tree(bucket.uri("a/"), depth=1)).frame

    assert frame.drop(columns="Bucket").to_numpy().tolist() == [
        ["a/", 0, 3, 9, "prefix"], ["a/deep/", 1, 2, 7, "prefix"],
    ]  # fmt: skip
    assert frame.dtypes.astype(str).to_dict() | {"Key": "", "Type": ""} == {
        "Key": "", "Depth": "int64", "Objects": "int64", "Size": "int64", "Type": "",
        "Bucket": "category",
    }  # fmt: skip


async def test_a_listing_gives_the_same_tree_without_a_request(bucket, server):
    """And a tree is the same as another with the same folders."""
    there = await tree(bucket.uri())
    listing = await ls(bucket.uri(), recursive=True)
    session.connect(endpoint_url="http://127.0.0.1:1", region="us-east-1")

    here = await tree(listing)

    assert repr(here) == repr(there)
    assert here == await tree(listing)
    assert here != await tree(listing, depth=1)
    assert len(here) == 5


async def test_a_tree_is_a_source(bucket, server, tmp_path):
    """As its frame is; each object comes once, though the folders hold each other."""
    report = await get(await tree(bucket.uri("a/")), tmp_path, recursive=True)

    assert len(report) == 3


async def test_a_tree_is_counted_like_its_address(bucket):
    """Folders that hold each other count once."""
    from s3magic.commands.du import du

    frame = await du(await tree(bucket.uri()), depth=0)

    assert frame[["Objects", "Size"]].to_numpy().tolist() == [[5, 15]]


async def test_names_may_be_left_out(bucket):
    """What is left is part of what is in its folders, and no source."""
    found = await tree(bucket.uri(), exclude="*.csv")

    assert found.frame[["Key", "Objects", "Type"]].to_numpy().tolist() == [
        ["", 2, "part"], ["b c/", 1, "part"],
    ]  # fmt: skip


async def test_several_roots_stand_below_each_other(bucket):
    """Each with its own columns."""
    drawing = repr(await tree([bucket.uri("a/"), bucket.uri("b c/"), bucket.uri("nothing/")]))

    lines = drawing.splitlines()
    assert [line.split("  ")[0] for line in lines if "s3://" in line] == [
        bucket.uri("a/"), bucket.uri("b c/"), bucket.uri("nothing/"),
    ]  # fmt: skip
    assert lines[-1].endswith("0 objects  0 B")


async def test_odd_names_keep_their_place_and_move_no_cursor(s3, moto, bucket):
    """Doubled slashes are folders without a name; a control character is its escape."""
    s3.put("odd//x", b"1")
    s3.put("odd/\u202edlo/y", b"1")

    drawing = repr(await tree(s3.uri("odd/")))

    assert [line.split("  ")[0].rstrip() for line in drawing.splitlines()] == [
        s3.uri("odd/"), "├── /", "└── \\u202edlo/",
    ]  # fmt: skip


async def test_a_long_tree_is_cut_where_it_is_shown_and_says_so(bucket, monkeypatch):
    """The frame has all of it."""
    monkeypatch.setattr(verb, "_LINES", 2)

    found = await tree(bucket.uri())

    assert repr(found).splitlines()[-1].startswith("… 3 more folders")
    assert len(repr(found).splitlines()) == 3
    assert len(found.frame) == 5


@pytest.mark.parametrize(
    ("source", "options", "said"),
    [
        ("s3://bucket/", {"depth": -1}, "0 or more"),
        (42, {}, "cannot be counted"),
        (pd.DataFrame({"a": [1]}), {}, "no columns"),
    ],
)
async def test_a_slip_is_told_before_any_request(environment, source, options, said):
    """One sentence; there is no server here."""
    with pytest.raises(BadArgument, match=said):
        await tree(source, **options)


async def test_a_missing_bucket_is_an_error(bucket, server):
    """And no empty tree."""
    with pytest.raises(NoSuchBucket):
        await tree("s3://no-such-bucket-at-all/")

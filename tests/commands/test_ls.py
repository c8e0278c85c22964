"""The verb ls, on both servers."""

from __future__ import annotations

import asyncio
import contextlib
import datetime as dt
import time

import numpy as np
import pandas as pd
import pytest

from s3magic import session
from s3magic.commands.ls import ls
from s3magic.commands.showing import displays
from s3magic.errors import BadArgument, BadQuery, BadUri, NoSuchBucket
from s3magic.uri import S3Uri

COLUMNS = ["Key", "Size", "LastModified", "ETag", "StorageClass", "Type", "Bucket"]
TREE = {
    "folder/a.csv": b"1",
    "folder/b c+d.csv": b"22",
    "folder/deep/e.csv": b"333",
    "folder2/f.csv": b"4444",
    "top": b"55555",
}


def connect_to(endpoint_url, access_key="testing", secret_key="testing"):
    session.connect(
        endpoint_url=endpoint_url,
        aws_access_key_id=access_key,
        aws_secret_access_key=secret_key,
        region="us-east-1",
    )


@pytest.fixture
async def connected():
    """Close the client behind a test that connects."""
    yield connect_to
    await session.close()


@pytest.fixture
async def tree(s3, server, connected):
    """A bucket with a few objects, on the server that the verb is connected to."""
    for key, data in TREE.items():
        s3.put(key, data)
    connected(server.endpoint_url, server.access_key, server.secret_key)
    return s3


class Recording:
    """A display that keeps what it is told, and may act on it."""

    def __init__(self, on_draw=lambda meter: None):
        self.on_draw = on_draw
        self.summaries = []

    def draw(self, meter):
        self.on_draw(meter)

    def close(self, summary):
        self.summaries.append(summary)


@contextlib.contextmanager
def showing(display):
    displays.use(lambda _: display)
    try:
        yield display
    finally:
        displays.reset()


async def test_one_level_by_default(tree):
    """Objects and folders of one level, the folders as prefixes, in the order of their names."""
    frame = await ls(tree.uri())

    assert list(frame.columns) == COLUMNS
    assert frame[["Key", "Size", "Type"]].to_numpy().tolist() == [
        ["folder/", 0, "prefix"],
        ["folder2/", 0, "prefix"],
        ["top", 5, "object"],
    ]
    assert set(frame["Bucket"]) == {tree.bucket}


async def test_recursive_lists_every_object(tree):
    """All objects below, no folders, with the bytes that were put."""
    frame = await ls(tree.uri(), recursive=True)

    assert dict(zip(frame["Key"], frame["Size"], strict=True)) == {
        key: len(data) for key, data in TREE.items()
    }
    assert set(frame["Type"]) == {"object"}
    assert str(frame["LastModified"].dt.tz) == "UTC"


@pytest.mark.parametrize("write", [lambda s3: s3.uri("folder"), lambda s3: f"{s3.bucket}/folder"])
async def test_a_prefix_is_what_keys_begin_with(tree, write):
    """Without a slash at its end a prefix finds all that begins so, with a scheme or without."""
    frame = await ls(write(tree))

    assert frame["Key"].tolist() == ["folder/", "folder2/"]


async def test_an_address_may_be_an_s3uri(tree):
    """What the library gives as an address is taken as one."""
    frame = await ls(S3Uri(tree.bucket, "folder/"))

    assert frame["Key"].tolist() == ["folder/a.csv", "folder/b c+d.csv", "folder/deep/"]


@pytest.mark.parametrize("address", [None, "s3://"])
async def test_no_address_lists_the_buckets(tree, address):
    """Names and dates of all buckets."""
    frame = await ls(address)

    assert list(frame.columns) == ["Name", "CreationDate"]
    assert tree.bucket in set(frame["Name"])
    age = dt.datetime.now(dt.UTC) - frame.set_index("Name")["CreationDate"][tree.bucket]
    assert abs(age) < dt.timedelta(hours=1)


async def test_nothing_under_a_prefix_is_an_empty_frame(tree):
    """An empty prefix is no error, and its frame has the columns of any other."""
    frame = await ls(tree.uri("nothing/here/"))

    assert frame.empty
    assert list(frame.columns) == COLUMNS


async def test_a_missing_bucket_is_an_error(tree):
    """A bucket that is not there is told from a prefix with nothing under it."""
    with pytest.raises(NoSuchBucket, match="list s3://no-such-bucket-at-all/"):
        await ls("s3://no-such-bucket-at-all/")


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("fol*", ["folder/", "folder2/"]),
        ("folder/*.csv", ["folder/a.csv", "folder/b c+d.csv"]),
        ("*/*.csv", ["folder/a.csv", "folder/b c+d.csv", "folder2/f.csv"]),
        ("**/[ae].csv", ["folder/a.csv", "folder/deep/e.csv"]),
        ("*/deep/", ["folder/deep/"]),
    ],
)
async def test_a_pattern_finds_objects_and_folders(tree, pattern, expected):
    """With glob the key part is a pattern."""
    frame = await ls(tree.uri(pattern), glob=True)

    assert frame["Key"].tolist() == expected


async def test_a_star_is_a_star_without_glob(tree):
    """Keys may hold wildcards, and are literal unless a pattern was asked for."""
    tree.put("odd*[1].csv", b"")

    assert (await ls(tree.uri("odd*")))["Key"].tolist() == ["odd*[1].csv"]
    assert (await ls(tree.uri("f*"))).empty


async def test_recursive_glob_lists_below_the_folders_that_match(tree):
    """With recursive, a folder that matches is shown by what is in it."""
    frame = await ls(tree.uri("folder/d*"), glob=True, recursive=True)

    assert frame["Key"].tolist() == ["folder/deep/e.csv"]


@pytest.mark.parametrize("page_size", [None, 1, 2])
async def test_a_limit_cuts_and_says_so(tree, page_size):
    """No more rows than asked for, with a mark in the frame and a word in the last line."""
    with showing(Recording()) as display:
        frame = await ls(tree.uri(), recursive=True, limit=2, page_size=page_size)

    assert len(frame) == 2
    assert frame.attrs == {"truncated": True}
    assert display.summaries[0].endswith("the first 2; there are more.")


@pytest.mark.parametrize("limit", [5, 6])
async def test_a_limit_that_nothing_exceeds_says_nothing(tree, limit):
    """A listing that is whole is not called cut, not even at exactly its length."""
    frame = await ls(tree.uri(), recursive=True, limit=limit)

    assert len(frame) == 5
    assert frame.attrs == {}


async def test_a_limit_is_taken_of_the_order_asked_for(tree):
    """The largest two are the largest of all, not of what S3 lists first."""
    with showing(Recording()) as display:
        largest = await ls(tree.uri(), recursive=True, sort="Size", reverse=True, limit=np.int64(2))
    last = await ls(tree.uri(), recursive=True, reverse=True, limit=1)
    found = await ls(tree.uri(), query="Contents[?Size > `1`]", sort="Size", limit=1)
    whole = await ls(tree.uri(), recursive=True, sort="Size", limit=5)

    assert largest["Size"].tolist() == [5, 4]
    assert largest.attrs == last.attrs == found.attrs == {"truncated": True}
    assert display.summaries[0].endswith("the first 2 of 5 rows are kept.")
    assert last["Key"].tolist() == ["top"]
    assert found["Size"].tolist() == [2]
    assert len(whole) == 5
    assert whole.attrs == {}


async def test_a_limit_counts_what_a_pattern_matched(tree):
    """The limit is on the rows of the frame, not on the keys looked at."""
    frame = await ls(tree.uri("**/*.csv"), glob=True, limit=3, page_size=1)

    assert len(frame) == 3
    assert frame.attrs == {"truncated": True}


async def test_a_query_sees_all_objects_below(tree):
    """A query is over everything under the prefix, and its objects make a usual listing."""
    frame = await ls(tree.uri("folder"), query="Contents[?Size > `2`][]")

    assert list(frame.columns) == COLUMNS
    assert sorted(frame["Key"]) == ["folder/deep/e.csv", "folder2/f.csv"]


async def test_a_query_compares_dates(tree):
    """The example with a date finds what is newer, and nothing older."""
    newer = await ls(tree.uri(), query="Contents[?LastModified > `2024-01-01`][]")
    older = await ls(tree.uri(), query="Contents[?LastModified < `2024-01-01`][]")

    assert len(newer) == len(TREE)
    assert older.empty
    assert isinstance(newer["LastModified"].dtype, pd.DatetimeTZDtype)


async def test_a_query_may_give_plain_values(tree):
    """What is no object becomes one column."""
    frame = await ls(tree.uri(), query="sum(Contents[].Size)")

    assert frame.to_dict("list") == {"value": [15]}


async def test_sorting_and_turning_round(tree):
    """Rows come in the order asked for."""
    frame = await ls(tree.uri(), recursive=True, sort="size", reverse=True)

    assert frame["Size"].tolist() == [5, 4, 3, 2, 1]


async def test_owner_and_versions_are_columns(tree):
    """What was asked for on top is there, and prefixes leave it empty."""
    frame = await ls(tree.uri(), owner=True, versions=True)

    assert list(frame.columns) == [*COLUMNS, "Owner", "VersionId", "IsLatest", "IsDeleteMarker"]
    assert frame.loc[frame["Type"] == "object", "Owner"].notna().all()


async def test_start_after_takes_a_key_or_an_address(tree):
    """Only keys behind it are listed."""
    by_key = await ls(tree.uri(), recursive=True, start_after="folder/deep/e.csv")
    by_uri = await ls(tree.uri(), recursive=True, start_after=tree.uri("folder/deep/e.csv"))

    assert by_key["Key"].tolist() == by_uri["Key"].tolist() == ["folder2/f.csv", "top"]


@pytest.mark.parametrize(
    ("uri", "options", "said"),
    [
        ("s3://bucket/", {"sort": "sise"}, "Did you mean Size"),
        ("s3://bucket/", {"limit": 0}, "1 or more"),
        ("s3://bucket/", {"limit": True}, "whole number"),
        ("s3://bucket/", {"page_size": 1001}, "from 1 to 1,000"),
        ("s3://bucket/", {"page_size": "many"}, "whole number"),
        ("s3://bucket/", {"start_after": "s3://other/key"}, "another bucket"),
        ("s3://bucket/", {"progress": "widgt"}, "widget"),
        (None, {"glob": True}, "list buckets with glob"),
        (None, {"query": "Contents"}, "list buckets with query"),
        (None, {"sort": "Size"}, "Name, CreationDate"),
        (5, {}, "text, not int"),
    ],
)
async def test_a_bad_argument_is_told_before_any_request(connected, uri, options, said):
    """One sentence, and nobody was asked: there is no server here."""
    connected("http://127.0.0.1:1")

    with pytest.raises(BadArgument, match=said):
        await ls(uri, **options)


async def test_a_bad_query_or_address_is_told_before_any_request(connected):
    """So are queries that JMESPath refuses, and addresses that are none."""
    connected("http://127.0.0.1:1")

    with pytest.raises(BadQuery):
        await ls("s3://bucket/", query="Contents[?")
    with pytest.raises(BadUri):
        await ls("!/x")
    with pytest.raises(BadUri):
        await ls("s3://bucket/[z-a]", glob=True)


@pytest.fixture
async def stalled():
    """A server that accepts, and then says nothing."""
    writers = []

    async def accept(_reader, writer):
        writers.append(writer)

    server = await asyncio.start_server(accept, "127.0.0.1", 0)
    async with server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        for writer in writers:
            writer.close()


async def test_a_listing_can_be_cancelled(stalled, connected):
    """The display's Cancel ends a listing whose server has gone silent, within a second."""
    connected(stalled)
    clicked = []

    def click(meter):
        clicked.append(time.monotonic())
        meter.stop()

    with showing(Recording(click)) as display, pytest.raises(asyncio.CancelledError):
        await ls("s3://bucket/")

    assert time.monotonic() - clicked[0] < 1
    assert display.summaries[-1].endswith("cancelled.")
    asyncio.current_task().uncancel()


async def test_names_are_left_out_in_the_order_of_the_patterns(tree):
    """Keys, folders of one level, before a limit and before a query; buckets have no such names."""
    flat = await ls(tree.uri(), recursive=True, exclude="*", include="*.csv")
    below = await ls(tree.uri("folder/"), recursive=True, exclude="deep/*")
    level = await ls(tree.uri(), exclude="folder2/*")
    globbed = await ls(tree.uri("folder/*.csv"), glob=True, exclude="a*")
    first = await ls(tree.uri(), recursive=True, exclude="folder/*", limit=1)
    asked = await ls(tree.uri(), query="Contents[].Size", exclude=["folder*/*"])

    assert flat.Key.tolist() == [key for key in TREE if key.endswith(".csv")]
    assert below.Key.tolist() == ["folder/a.csv", "folder/b c+d.csv"]
    assert level.Key.tolist() == ["folder/", "top"]
    assert globbed.Key.tolist() == ["folder/b c+d.csv"]
    assert first.Key.tolist() == ["folder2/f.csv"]
    assert asked.value.tolist() == [5]
    with pytest.raises(BadArgument, match="Cannot list buckets with exclude"):
        await ls(exclude="a*")

"""The columns and types of a listing's frame."""

from __future__ import annotations

import datetime as dt

import pandas as pd
import pytest

from s3magic.errors import BadArgument
from s3magic.listing.frame import Table, arrange, buckets, column_names, results
from s3magic.listing.page import Page

MOMENT = dt.datetime(2024, 1, 15, 10, 30, 0, 250000, dt.UTC)
STAMP = "2024-01-15T10:30:00.250"
DTYPES = {
    "Key": "string",
    "Size": "int64",
    "LastModified": "datetime64[us, UTC]",
    "ETag": "string",
    "StorageClass": "string",
    "Type": "string",
    "Bucket": "category",
}
ASKED = {
    "Owner": "string",
    "VersionId": "string",
    "IsLatest": "bool",
    "IsDeleteMarker": "bool",
}


def page(keys, prefixes=(), **more):
    number = len(keys)
    return Page(
        keys=list(keys),
        sizes=list(range(number)),
        stamps=[STAMP] * number,
        etags=["e"] * number,
        classes=["STANDARD"] * number,
        prefixes=list(prefixes),
        **more,
    )


async def made(*pages, bucket="b", **options):
    table = Table(bucket, **options)
    for one in pages:
        await table.add(one)
    return await table.frame()


def dtypes(frame):
    return {name: str(kind) for name, kind in frame.dtypes.items()}


async def test_columns_and_types_are_as_promised():
    """A listing has the promised columns, in their order, with their types."""
    frame = await made(page(["a", "b"]))

    assert dtypes(frame) == DTYPES
    assert list(frame.columns) == list(DTYPES)
    assert frame["LastModified"][0] == MOMENT


async def test_an_empty_listing_has_the_same_columns_and_types():
    """Nothing under a prefix is a frame with no rows, and nothing else different."""
    frame = await made(owner=True, versions=True)

    assert frame.empty
    assert dtypes(frame) == DTYPES | ASKED


async def test_folders_stand_among_the_objects():
    """A prefix is a row in its place, of size 0, with nothing else to tell."""
    frame = await made(page(["a", "c", "z"], ["b/", "y/"]))

    assert list(frame["Key"]) == ["a", "b/", "c", "y/", "z"]
    assert list(frame["Type"]) == ["object", "prefix", "object", "prefix", "object"]
    assert list(frame["Size"]) == [0, 0, 1, 0, 2]
    assert frame["LastModified"].isna().tolist() == [False, True, False, True, False]
    assert frame["ETag"].isna().tolist() == [False, True, False, True, False]
    assert dtypes(frame) == DTYPES


async def test_folders_alone_keep_the_types():
    """A level that holds nothing but folders still has typed columns."""
    assert dtypes(await made(page([], ["a/", "b/"]))) == DTYPES


async def test_what_was_asked_for_is_there():
    """Owners and versions come as columns of their own."""
    told = page(
        ["a", "b", "c"],
        owners=[{"ID": "1", "DisplayName": "n"}, {"ID": "2"}, None],
        version_ids=["v1", None, "v3"],
        latest=[True, False, True],
        deleted=[False, False, True],
    )

    frame = await made(told, owner=True, versions=True)

    assert dtypes(frame) == DTYPES | ASKED
    assert frame["Owner"].fillna("-").tolist() == ["n", "2", "-"]
    assert frame["VersionId"].fillna("-").tolist() == ["v1", "-", "v3"]
    assert frame["IsDeleteMarker"].tolist() == [False, False, True]


async def test_many_pages_make_one_frame():
    """Rows stay in order and types as they are when a listing is built in several parts."""
    pages = [page([f"{number:02}/{at:05}" for at in range(9_000)]) for number in range(6)]

    frame = await made(*pages)

    assert len(frame) == 54_000
    assert frame["Key"].is_monotonic_increasing
    assert frame.index.equals(pd.RangeIndex(54_000))
    assert dtypes(frame) == DTYPES


async def test_a_frame_survives_parquet(tmp_path):
    """Read back from Parquet, a listing is what it was."""
    frame = await made(page(["a", "c"], ["b/"]))
    frame.attrs["truncated"] = True

    frame.to_parquet(tmp_path / "listing.parquet")
    again = pd.read_parquet(tmp_path / "listing.parquet")

    pd.testing.assert_frame_equal(again, frame)


async def test_frames_of_one_bucket_concatenate_without_loss():
    """Filtered and put together again, the columns keep their types."""
    frame = await made(page(["a", "c"], ["b/"]))

    again = pd.concat([frame[frame["Type"] == "prefix"], frame[frame["Size"] > 0]])

    assert dtypes(again) == DTYPES


async def test_frames_of_two_buckets_keep_each_rows_bucket():
    """Two listings put together still say of each row where it is."""
    both = pd.concat([await made(page(["a"])), await made(page(["a"]), bucket="c")])

    assert both["Bucket"].tolist() == ["b", "c"]


ITEM = {"Key": "a", "Size": 5, "LastModified": MOMENT, "ETag": "e", "StorageClass": "STANDARD"}


async def test_objects_that_a_query_found_are_a_listing():
    """Whole objects come back in the usual columns with the usual types."""
    frame = results([ITEM, ITEM | {"Key": "b", "StorageClass": None}], "b", await made())

    assert dtypes(frame) == DTYPES
    assert list(frame.columns) == list(DTYPES)


async def test_a_projection_with_a_key_is_still_a_source():
    """Fields that a query chose keep name and type; bucket and type are added."""
    frame = results([{"Mine": 1, "Size": 5, "Key": "a"}], "b", await made())

    assert list(frame.columns) == ["Key", "Size", "Type", "Bucket", "Mine"]
    assert dtypes(frame) == {
        "Key": "string",
        "Size": "int64",
        "Type": "string",
        "Bucket": "category",
        "Mine": "int64",
    }


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        ([{"k": "a", "when": MOMENT}], {"k": "string", "when": "datetime64[us, UTC]"}),
        ([3], {"value": "int64"}),
        (["a", None], {"value": "string"}),
        ([MOMENT], {"value": "datetime64[us, UTC]"}),
        ([["a", 5]], {"0": "string", "1": "int64"}),
        ([1, {"a": 2}], {"value": "object"}),
    ],
)
async def test_other_results_are_just_their_columns(found, expected):
    """What is no object of the listing gives the columns that the query made, and no more."""
    assert dtypes(results(found, "b", await made())) == expected


async def test_nothing_found_is_an_empty_listing():
    """A query that finds nothing gives the columns of a listing."""
    assert dtypes(results([], "b", await made())) == DTYPES


async def test_sorting_keeps_equal_rows_in_their_order():
    """Rows that compare equal stay as they were listed, whatever the direction."""
    frame = await made(page(["a", "b", "c"]))
    frame["Size"] = [1, 2, 1]

    assert arrange(frame, "size", reverse=False)["Key"].tolist() == ["a", "c", "b"]
    assert arrange(frame, "Size", reverse=True)["Key"].tolist() == ["b", "a", "c"]
    assert arrange(frame, None, reverse=True)["Key"].tolist() == ["c", "b", "a"]


async def test_a_column_that_is_not_there_is_told_with_the_nearest():
    """A misspelt column is an error that names the right one."""
    with pytest.raises(BadArgument, match="Did you mean Size"):
        arrange(await made(), "sise", reverse=False)


async def test_values_without_an_order_are_told():
    """Sorting by a column of mixed values is an error in one sentence."""
    frame = results([{"x": 1}, {"x": "a"}], "b", await made())

    with pytest.raises(BadArgument, match="no order"):
        arrange(frame, "x", reverse=False)


def test_column_names_say_what_a_listing_will_have():
    """The names known before a request are those of the frame behind it."""
    assert column_names(owner=True, versions=True) == tuple(DTYPES | ASKED)


def test_buckets_have_a_name_and_a_date():
    """The list of buckets has two typed columns, empty or not."""
    some = buckets([{"Name": "b", "CreationDate": MOMENT}])

    assert dtypes(some) == dtypes(buckets([]))
    assert dtypes(some) == {"Name": "string", "CreationDate": "datetime64[us, UTC]"}
    assert some["CreationDate"][0] == MOMENT

"""What the rows of a frame mean."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from s3magic.commands.sources.row_meanings import Row, read
from s3magic.commands.sources.rows import check, check_leaving, is_source, listed
from s3magic.errors import BadArgument


def test_a_listings_rows_are_read():
    """Sizes, versions, markers and folders, as far as it has them."""
    frame = pd.DataFrame(
        {
            "Bucket": pd.Categorical(["b", "b", "b", "c"]),
            "Key": ["k", "f/", "g/", "k"],
            "Size": [3, 0, 7, 0],
            "Type": ["object", "prefix", "level", "object"],
            "VersionId": ["1", None, None, "2"],
            "IsDeleteMarker": [False, False, False, True],
        }
    )

    assert read(frame) == [
        Row("b", "k", 3, version_id="1"),
        Row("b", "f/", 0, ""),
        Row("b", "g/", 7, "/"),
        Row("c", "k", 0, version_id="2", marker=True),
    ]


def test_two_columns_are_enough():
    """A frame made by hand, or what is left of a listing."""
    assert read(pd.DataFrame({"Bucket": ["b"], "Key": ["k"]})) == [Row("b", "k")]


def test_a_size_that_is_missing_is_not_known():
    """As in a frame that was merged."""
    frame = pd.DataFrame({"Bucket": ["b"], "Key": ["k"], "Size": pd.array([None], dtype="Int64")})

    assert read(frame) == [Row("b", "k")]


@pytest.mark.parametrize(
    ("source", "target", "means"),
    [
        ("/home/a.csv", "s3://bb/a.csv", Row("bb", "a.csv")),
        ("s3://bb/a.csv", "/home/a.csv", Row("bb", "a.csv")),
        ("s3://bb/from", "s3://cc/to", Row("cc", "to")),
        ("s3://bb/gone", "", Row("bb", "gone")),
    ],
)
def test_a_reports_row_is_where_something_is_in_s3(source, target, means):
    """Its target if that is there, else its source; a size there is of what was moved."""
    frame = pd.DataFrame({"Source": [source], "Target": [target], "Size": [0]})

    check(frame, recursive=False)

    assert read(frame) == [means]


@pytest.mark.parametrize("source", ["the rest", None, np.nan])
def test_a_report_that_names_nothing_in_s3_is_refused(source):
    """What was never planned has no name."""
    with pytest.raises(BadArgument, match="1 of 2 rows of the report name nothing in S3"):
        read(pd.DataFrame({"Source": ["s3://bb/k", source], "Target": ["", ""]}))


def test_a_frame_of_something_else_is_refused():
    """And the sentence says what is missing."""
    with pytest.raises(BadArgument, match="no column Key"):
        check(pd.DataFrame({"Bucket": ["b"]}), recursive=True)


@pytest.mark.parametrize("status", ["skipped", "failed", "cancelled", "planned", None])
def test_what_was_not_done_is_not_deleted_by_its_report(status):
    """What lies at its target is somebody's own, and its source was brought nowhere."""
    report = pd.DataFrame(
        {
            "Source": ["s3://bb/a", "s3://bb/b"],
            "Target": ["s3://cc/a", "s3://cc/b"],
            "Status": pd.array(["done", status], dtype="string"),
        }
    )

    with pytest.raises(BadArgument, match="1 of 2 rows of the report was not done"):
        check_leaving(report)
    check_leaving(report[report.Status == "done"])


def test_a_plan_is_not_deleted_for_a_report():
    """Its targets are there from before; and a sync's deletions name nothing that is there."""
    plan = pd.DataFrame(
        {"Action": ["copy", "delete"], "Source": "s3://bb/a", "Target": "s3://cc/a", "Name": "a"}
    )

    with pytest.raises(BadArgument, match="nothing is done yet"):
        check_leaving(plan)
    with pytest.raises(BadArgument, match="are deletions"):
        check_leaving(plan.drop(columns="Name").assign(Status="done"))


def test_what_is_known_of_objects_deletes_none_of_their_versions():
    """A frame of stat tells the latest version; who deletes that gets the one before it."""
    facts = pd.DataFrame({"Bucket": "bb", "Key": ["k"], "VersionId": ["1"], "Versions": [2]})

    with pytest.raises(BadArgument, match="just these would go, for good"):
        check_leaving(facts)
    check_leaving(facts.drop(columns="VersionId"))
    check_leaving(facts.assign(VersionId=None))


def test_frames_that_were_put_together_are_read():
    """A listing of objects has a Type, and what two columns name has none."""
    listing = pd.DataFrame({"Bucket": ["b"], "Key": ["k"], "Type": ["object"]}, dtype="string")
    frame = pd.concat([listing, listing[["Bucket", "Key"]].assign(Key="l")])

    check(frame, recursive=False)
    with pytest.raises(BadArgument, match="1 of 3 rows is a folder"):
        check(pd.concat([frame, listing.assign(Type="prefix")]), recursive=False)

    assert read(frame) == [Row("b", "k"), Row("b", "l")]


def test_open_uploads_are_no_objects():
    """Their keys may be those of objects that are whole."""
    with pytest.raises(BadArgument, match="no objects"):
        check(pd.DataFrame({"Bucket": ["b"], "Key": ["k"], "UploadId": ["1"]}), recursive=True)


class Explorer:
    """What an explorer shows of itself to a verb."""

    def __init__(self, frame):
        self._frame = frame

    @property
    def selection(self):
        return self._frame

    @property
    def widget(self):
        return None


def test_an_explorer_means_what_is_selected_in_it():
    """As a source, and it is no target."""
    frame = pd.DataFrame({"Bucket": ["b"], "Key": ["k"]})

    sources, several = listed(Explorer(frame))

    assert sources[0] is frame
    assert not several
    assert is_source(Explorer(frame))


@pytest.mark.parametrize(
    ("library", "made", "way"),
    [
        (
            "polars",
            lambda polars: polars.DataFrame({"Bucket": ["b"], "Key": ["k"]}),
            r"to_pandas\(\)",
        ),
        ("polars", lambda polars: polars.LazyFrame({"Key": ["k"]}), r"df\.collect\(\)\.to_pandas"),
        ("pyarrow", lambda arrow: arrow.table({"Key": ["k"]}), r"to_pandas\(\)"),
        ("duckdb", lambda duckdb: duckdb.sql("select 1 as Key"), r"Give df\.df\(\)"),
    ],
)
def test_a_frame_of_another_library_is_told_how_it_becomes_one(library, made, way):
    """It is not imported for it, and a query is not run."""
    frame = made(pytest.importorskip(library))

    with pytest.raises(BadArgument, match=f"of {library} cannot be read.*{way}"):
        listed(frame)


def test_a_column_of_polars_is_a_column():
    """Of addresses; it has its values by another name."""
    polars = pytest.importorskip("polars")

    assert listed(polars.Series(["s3://b/k"])) == (["s3://b/k"], True)


def test_an_address_is_no_name_of_a_bucket():
    """The row would be looked for in a bucket that nobody can have."""
    frame = pd.DataFrame({"Bucket": ["s3://b", "b"], "Key": ["k", "k"]})

    with pytest.raises(BadArgument, match="which is an address and no name"):
        read(frame)

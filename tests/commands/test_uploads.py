"""The verb uploads, on both servers."""

from __future__ import annotations

import datetime as dt

import pandas as pd
import pytest

from s3magic.commands.running import asking
from s3magic.commands.uploads import uploads
from s3magic.errors import BadArgument, NoSuchBucket, TransferError

MiB = 1024 * 1024
COLUMNS = [
    "Bucket", "Key", "UploadId", "Initiated", "Age", "Size", "Parts", "StorageClass", "Initiator",
]  # fmt: skip


@pytest.fixture
def begun(s3):
    """Three uploads: of two parts, of one, and of none."""
    for key, sizes in (("t/two", (5 * MiB, 7)), ("t/one", (3,)), ("none", ())):
        made = s3.client.create_multipart_upload(Bucket=s3.bucket, Key=key)
        for number, size in enumerate(sizes, 1):
            s3.client.upload_part(
                Bucket=s3.bucket,
                Key=key,
                UploadId=made["UploadId"],
                PartNumber=number,
                Body=bytes(size),
            )
    return s3


async def test_open_uploads_are_a_frame_with_their_bytes(s3, server, connected, begun):
    """Parts are counted, and how old it is."""
    frame = await uploads(s3.uri())

    told = frame.set_index("Key")
    assert list(frame.columns) == COLUMNS
    assert told.Size.to_dict() == {"t/two": 5 * MiB + 7, "t/one": 3, "none": 0}
    assert told.Parts.to_dict() == {"t/two": 2, "t/one": 1, "none": 0}
    assert sorted(zip(frame.Key, frame.UploadId, strict=True)) == sorted(
        (one["Key"], one["UploadId"]) for one in s3.uploads()
    )
    since = pd.Timestamp.now("UTC") - frame.Initiated
    assert (frame.Age - since).abs().max() < pd.Timedelta("1min")
    assert str(frame.Initiated.dt.tz) == "UTC"


async def test_a_prefix_chooses(s3, server, connected, begun):
    """As in a listing; nothing is an empty frame with the same columns."""
    some = await uploads(s3.uri("t/"))
    none = await uploads(s3.uri("x/"))

    assert set(some.Key) == {"t/one", "t/two"}
    assert (len(none), list(none.columns)) == (0, COLUMNS)
    assert none.dtypes.astype(str).tolist() == some.dtypes.astype(str).tolist()


async def test_without_a_bucket_all_are_looked_through(s3, server, connected, begun):
    """Where one's money may go is seldom known before."""
    frame = await uploads()

    assert set(frame.Key[frame.Bucket == s3.bucket]) == {"t/one", "t/two", "none"}


async def test_young_ones_are_left_out(s3, connected, begun):
    """By an age in words, in seconds, or as a timedelta; at moto's all are of 2010."""
    old = [await uploads(s3.uri(), older_than=age) for age in ("1d", 3600, dt.timedelta(days=1))]
    new = await uploads(s3.uri(), older_than=dt.timedelta(minutes=-5))

    assert [len(frame) for frame in old] == [0, 0, 0]
    assert len(new) == 3


async def test_abort_asks_and_ends_them(s3, server, connected, begun, asked):
    """Each row says what became of it."""
    report = await uploads(s3.uri("t/"), abort=True)

    assert [one["Key"] for one in s3.uploads()] == ["none"]
    assert asked == ["Abort 2 uploads (5.2 MB), those under way too?"]
    assert report.Status.tolist() == ["done", "done"]
    assert list(report.columns) == [*COLUMNS, "Status", "Error"]


@pytest.mark.parametrize(
    ("address", "ended"),
    [
        ("2024", {"2024", "2024/a"}),
        ("2024/", {"2024/a"}),
        ("", {"2024", "2024/a", "2024-old/a", "2024.csv"}),
    ],
)
async def test_abort_means_a_folder_or_a_key(s3, server, connected, address, ended):
    """What only begins like it is listed, and goes on."""
    keys = {"2024", "2024/a", "2024-old/a", "2024.csv"}
    for key in keys:
        s3.client.create_multipart_upload(Bucket=s3.bucket, Key=key)
    listed = await uploads(s3.uri("2024"))

    report = await uploads(s3.uri(address), abort=True, yes=True)

    assert set(listed.Key) == keys
    assert set(report.Key) == ended
    assert {one["Key"] for one in s3.uploads()} == keys - ended


async def test_a_chosen_part_of_a_frame_is_aborted(s3, server, connected, begun):
    """And only that."""
    frame = await uploads(s3.uri())

    await uploads(frame[frame.Size > MiB], abort=True, yes=True)

    assert sorted(one["Key"] for one in s3.uploads()) == ["none", "t/one"]


async def test_a_dry_run_aborts_nothing(s3, server, connected, begun):
    """Nor does a no, nor a place where nobody can be asked."""
    plan = await uploads(s3.uri(), abort=True, dry_run=True)
    asking.reset()
    with pytest.raises(BadArgument, match="Add yes=True"):
        await uploads(s3.uri(), abort=True)

    assert set(plan.Status) == {"planned"}
    assert len(s3.uploads()) == 3


async def test_a_no_aborts_nothing(s3, server, connected, begun, asked):
    """And is told as a cancellation."""
    asked.answer = False

    with pytest.raises(TransferError, match="3 of 3 uploads were cancelled; 0 aborted"):
        await uploads(s3.uri(), abort=True)

    assert len(s3.uploads()) == 3


async def test_one_that_ended_meanwhile_is_no_error(s3, server, connected, begun):
    """It is gone, as it was to be."""
    frame = await uploads(s3.uri())
    for one in s3.uploads():
        s3.client.abort_multipart_upload(Bucket=s3.bucket, **one)

    report = await uploads(frame, abort=True, yes=True)

    assert len(report) == 0


@pytest.mark.parametrize(
    ("source", "options", "said"),
    [
        (42, {}, "names no uploads"),
        (pd.DataFrame({"Key": ["k"]}), {}, "names no uploads"),
        ("s3://bucket", {"older_than": "yesterday"}, "not a length of time"),
        ("s3://bucket", {"yes": True}, "for abort"),
        ("s3://bucket", {"dry_run": True}, "for abort"),
    ],
)
async def test_what_cannot_be_meant_is_refused(s3, connected, source, options, said):
    """Before anything is asked."""
    with pytest.raises(BadArgument, match=said):
        await uploads(source, **options)


async def test_a_missing_bucket_is_named(s3, server, connected):
    """As an error of its own class."""
    with pytest.raises(NoSuchBucket):
        await uploads("s3://no-such-bucket-here")

"""The verb rb, on both servers."""

from __future__ import annotations

import pytest

from s3magic.commands.rb import rb
from s3magic.commands.running import asking
from s3magic.errors import BadArgument, NoSuchBucket, TransferError

COLUMNS = ["Bucket", "Type", "Key", "VersionId", "UploadId", "Size", "Status", "Error"]


@pytest.fixture
def full(s3):
    """A bucket with versions, a delete marker, and an open upload."""
    s3.client.put_bucket_versioning(Bucket=s3.bucket, VersioningConfiguration={"Status": "Enabled"})
    for key in ("a", "a", "f/b", "gone"):
        s3.put(key, "12")
    s3.client.delete_object(Bucket=s3.bucket, Key="gone")
    s3.client.create_multipart_upload(Bucket=s3.bucket, Key="big")
    return s3


def there(s3):
    return s3.bucket in [one["Name"] for one in s3.client.list_buckets()["Buckets"]]


async def test_an_empty_bucket_goes(s3, server, connected):
    """One row, and nobody is asked."""
    report = await rb(s3.uri())

    assert not there(s3)
    assert list(report.columns) == COLUMNS
    assert report[["Type", "Status"]].to_numpy().tolist() == [["bucket", "done"]]


async def test_a_full_one_is_refused_and_stays_as_it_is(s3, server, connected):
    """The hint says how it would go."""
    s3.put("k", "1")

    with pytest.raises(BadArgument, match=r"not empty.*force=True"):
        await rb(s3.uri())
    look = await rb(s3.uri(), dry_run=True)

    assert s3.keys() == ["k"]
    assert look.Status.tolist() == ["failed"]


async def test_force_takes_versions_markers_and_uploads_with_it(s3, server, connected, full, asked):
    """And asks first, however little there is."""
    report = await rb(s3.uri(), force=True)

    assert not there(s3)
    assert len(asked) == 1
    assert "5 versions (8 B) and all else in s3://" in asked[0]
    assert report.Type.value_counts().to_dict() == {"object": 5, "upload": 1, "bucket": 1}
    assert set(report.Status) == {"done"}
    assert report.Type.tolist()[-1] == "bucket"


async def test_a_no_leaves_everything(s3, server, connected, full, asked):
    """Also what would have gone without a question."""
    asked.answer = False

    with pytest.raises(TransferError, match="7 of 7 things were cancelled; 0 deleted"):
        await rb(s3.uri(), force=True)

    assert s3.keys() == ["a", "f/b"]
    assert len(s3.uploads()) == 1


async def test_open_uploads_alone_are_asked_about_too(s3, server, connected, asked):
    """Their parts are data of somebody's."""
    s3.client.create_multipart_upload(Bucket=s3.bucket, Key="big")
    asked.answer = False

    with pytest.raises(TransferError):
        await rb(s3.uri(), force=True)
    left = len(s3.uploads())
    await rb(s3.uri(), force=True, yes=True)

    assert left == 1
    assert "1 open upload" in asked[0]
    assert not there(s3)


async def test_where_nobody_can_be_asked_it_is_refused(s3, server, connected, full):
    """Nothing is deleted."""
    asking.reset()

    with pytest.raises(BadArgument, match="Add yes=True"):
        await rb(s3.uri(), force=True)

    assert s3.keys() == ["a", "f/b"]


async def test_a_dry_run_names_all_that_would_go(s3, server, connected, full):
    """And deletes nothing."""
    plan = await rb(s3.uri(), force=True, dry_run=True)

    assert s3.keys() == ["a", "f/b"]
    assert len(s3.uploads()) == 1
    assert set(plan.Status) == {"planned"}
    assert plan.Type.value_counts().to_dict() == {"object": 5, "upload": 1, "bucket": 1}


async def test_a_missing_bucket_is_named(s3, server, connected):
    """With force and without."""
    for options in ({}, {"force": True}, {"dry_run": True}):
        with pytest.raises(NoSuchBucket):
            await rb("s3://no-such-bucket-here", **options)


async def test_a_key_is_no_bucket(s3, connected):
    """The hint names the verb that was meant."""
    with pytest.raises(BadArgument, match=r"%s3rm s3://bucket/k -r"):
        await rb("s3://bucket/k")


async def test_where_no_versions_are_kept_objects_are_counted(s3, server, connected, asked):
    """Nobody has heard of versions there."""
    s3.put("a", "1")
    s3.put("b", "1")

    await rb(s3.bucket, force=True)

    assert "2 objects (2 B) and all else in s3://" in asked[0]

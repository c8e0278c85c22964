"""The verb mb, on both servers."""

from __future__ import annotations

import uuid

import pytest

from s3magic.commands.mb import mb
from s3magic.errors import AlreadyExists, BadArgument, BadUri


@pytest.fixture
def name(s3):
    """A bucket's name that is free; the bucket goes at the end if there is one."""
    name = f"made-{uuid.uuid4().hex[:16]}"
    yield name
    if name in buckets(s3):
        s3.client.delete_bucket(Bucket=name)


def buckets(s3):
    return [bucket["Name"] for bucket in s3.client.list_buckets()["Buckets"]]


@pytest.mark.parametrize("form", ["s3://{}", "s3://{}/", "{}"])
async def test_a_bucket_is_made(s3, server, connected, name, form):
    """However its name is written."""
    report = await mb(form.format(name))

    assert name in buckets(s3)
    assert report.loc[0, ["Bucket", "Versioning", "Status", "Error"]].tolist() == [
        name, False, "done", "",
    ]  # fmt: skip


async def test_one_that_is_there_stays_as_it_is(s3, server, connected):
    """So the same cell can run again; versioning is not turned on behind anybody's back."""
    s3.put("k", "1")

    report = await mb(s3.uri(), versioning=True)

    told = s3.client.get_bucket_versioning(Bucket=s3.bucket)
    assert report.Status.tolist() == ["skipped"]
    assert "was there already" in report.Error[0]
    assert not report.Versioning[0]
    assert "Status" not in told
    assert s3.keys() == ["k"]


async def test_versioning_is_turned_on_when_asked_for(s3, server, connected, name):
    """A deletion in it can be taken back."""
    report = await mb(name, versioning=True)

    assert s3.client.get_bucket_versioning(Bucket=name)["Status"] == "Enabled"
    assert report.Versioning.tolist() == [True]


async def test_a_region_is_where_it_is_made(moto, s3, connected, name):
    """moto keeps it."""
    report = await mb(name, region="eu-west-1")

    told = s3.client.get_bucket_location(Bucket=name)
    assert told["LocationConstraint"] == "eu-west-1"
    assert report.Region.tolist() == ["eu-west-1"]


async def test_a_dry_run_makes_nothing(s3, server, connected, name):
    """And says whether the name is free."""
    free = await mb(name, dry_run=True)
    taken = await mb(s3.bucket, dry_run=True)

    assert name not in buckets(s3)
    assert (free.Status[0], taken.Status[0]) == ("planned", "skipped")


@pytest.mark.parametrize(
    ("uri", "kind", "said"),
    [
        ("s3://bucket/folder/", BadArgument, "more than a bucket"),
        ("s3://", BadUri, "bucket is missing"),
        ("not a name", BadUri, "no bucket name"),
        (42, BadArgument, "int is no bucket"),
    ],
)
async def test_what_can_be_no_bucket_is_refused(s3, connected, uri, kind, said):
    """Before anything is asked."""
    with pytest.raises(kind, match=said):
        await mb(uri)


async def test_somebody_elses_name_is_told(connected, refusing):
    """A server that forbids to look at a bucket has one of that name."""
    await refusing(403)

    with pytest.raises(AlreadyExists, match="not yours"):
        await mb("theirs")

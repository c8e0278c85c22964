"""The verb diff, on both servers."""

from __future__ import annotations

import io

import pandas as pd
import pytest

from s3magic import session
from s3magic.commands.diff import diff
from s3magic.commands.get import get
from s3magic.commands.ls import ls
from s3magic.commands.showing import displays
from s3magic.errors import BadArgument, BadUri, NoSuchBucket
from s3magic.transfer.watching import Silent

COLUMNS = [
    "Key", "Change", "SizeBefore", "SizeAfter", "ETagBefore", "ETagAfter", "LastModifiedBefore",
    "LastModifiedAfter", "Place", "Bucket",
]  # fmt: skip


@pytest.fixture
async def bucket(s3):
    """A bucket with a few objects; the verbs are connected to its server."""
    for key in ("p/same", "p/grown", "p/other", "p/gone", "elsewhere"):
        s3.put(key, key)
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


def change(s3):
    """Change the bucket in every way."""
    s3.put("p/grown", "p/grown by some")
    s3.put("p/other", "p/OTHER")
    s3.put("p/new", "new")
    s3.client.delete_object(Bucket=s3.bucket, Key="p/gone")
    s3.put("elsewhere", "not below p/")


def told(frame):
    return dict(zip(frame.Key, frame.Change, strict=True))


CHANGES = {"p/gone": "removed", "p/grown": "changed", "p/new": "added", "p/other": "changed"}


async def test_what_became_of_a_listing(bucket, server):
    """Each kind of change with both sides' figures; what did not change has no row."""
    before = await ls(bucket.uri("p/"), recursive=True)
    change(bucket)

    frame = await diff(before, bucket.uri("p/"))

    assert told(frame) == CHANGES
    assert list(frame.columns) == COLUMNS
    grown = frame.set_index("Key").loc["p/grown"]
    assert (grown.SizeBefore, grown.SizeAfter) == (7, 15)
    assert grown.ETagBefore != grown.ETagAfter
    assert grown.ETagAfter == bucket.head("p/grown")["ETag"].strip('"')
    assert frame.SizeBefore.isna().tolist() == [False, False, True, False]
    assert frame.SizeAfter.isna().tolist() == [True, False, False, False]
    assert frame.LastModifiedAfter.dt.tz is not None


async def test_only_what_the_address_covers_is_compared(bucket, server):
    """Of a listing of the whole bucket the rest is not called removed."""
    before = await ls(bucket.uri(), recursive=True)
    change(bucket)

    assert told(await diff(before, bucket.uri("p/"))) == CHANGES
    assert told(await diff(before, bucket.uri())) == CHANGES | {"elsewhere": "changed"}


async def test_two_listings_need_no_request(bucket, server):
    """Read back from a file, and in any order."""
    before = await ls(bucket.uri("p/"), recursive=True)
    kept = io.BytesIO()
    before.to_parquet(kept)
    change(bucket)
    after = await ls(bucket.uri("p/"), recursive=True)
    session.connect(endpoint_url="http://127.0.0.1:1", region="us-east-1")

    frame = await diff(pd.read_parquet(kept), after.sort_values("Size"))
    back = await diff(after, before)

    assert told(frame) == CHANGES
    assert told(back) == CHANGES | {"p/gone": "added", "p/new": "removed"}
    assert (await diff(before, before)).empty
    assert list((await diff(before, before)).columns) == COLUMNS


async def test_two_places_are_compared_by_what_follows_their_addresses(bucket, server):
    """Of what is only in the first, the key is the one there."""
    for key in ("same", "grown", "only"):
        bucket.put(f"copy/{key}", f"p/{key}")
    bucket.put("copy/grown", "longer than it was")

    frame = await diff(bucket.uri("p/"), bucket.uri("copy/"))

    assert frame[["Key", "Change", "Place"]].to_numpy().tolist() == [
        ["p/gone", "removed", "gone"],
        ["copy/grown", "changed", "grown"],
        ["copy/only", "added", "only"],
        ["p/other", "removed", "other"],
    ]


async def test_listings_of_two_buckets_are_compared_by_key(bucket):
    """As after a migration."""
    one = await ls(bucket.uri("p/"), recursive=True)
    two = one.assign(Bucket="elsewhere").iloc[1:]

    frame = await diff(one, two)

    assert told(frame) == {one.Key[0]: "removed"}
    assert frame.Bucket.tolist() == [bucket.bucket]


async def test_sizes_alone_may_be_compared(bucket, server):
    """For copies whose ETags are of another kind; so it is where a listing has no ETags."""
    before = await ls(bucket.uri("p/"), recursive=True)
    change(bucket)
    sizes = {key: kind for key, kind in CHANGES.items() if key != "p/other"}

    assert told(await diff(before, bucket.uri("p/"), size_only=True)) == sizes
    assert told(await diff(before.drop(columns="ETag"), bucket.uri("p/"))) == sizes


async def test_only_the_newest_versions_of_a_listing_count(bucket, server):
    """Old ones and delete markers are no objects."""
    bucket.client.put_bucket_versioning(
        Bucket=bucket.bucket, VersioningConfiguration={"Status": "Enabled"}
    )
    change(bucket)

    before = await ls(bucket.uri("p/"), recursive=True, versions=True)

    assert (await diff(before, bucket.uri("p/"))).empty


async def test_the_changes_are_a_source(bucket, server, tmp_path):
    """What is new or changed can be fetched."""
    before = await ls(bucket.uri("p/"), recursive=True)
    change(bucket)
    frame = await diff(before, bucket.uri("p/"))

    report = await get(frame[frame.Change != "removed"], tmp_path)

    assert set(report.Status) == {"done"}
    assert (tmp_path / "p" / "new").read_bytes() == b"new"


async def test_an_empty_side_is_all_added_or_removed(bucket, server):
    """A listing of nothing is one, too."""
    nothing = await ls(bucket.uri("nothing/"), recursive=True)

    added = await diff(nothing, bucket.uri("p/"))
    removed = await diff(bucket.uri("p/"), bucket.uri("nothing/"))

    assert set(added.Change) == {"added"}
    assert set(removed.Change) == {"removed"}
    assert len(added) == len(removed) == 4


LISTING = pd.DataFrame({"Bucket": ["bucket"], "Key": ["k"], "Size": [1]})


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        (LISTING.drop(columns="Size"), "s3://bucket/", "no column Size"),
        (LISTING.assign(Type="prefix"), "s3://bucket/", "1 of 1 row is a folder"),
        (LISTING, "s3://other/", "no object of the bucket other"),
        ("s3://other/", LISTING, "no object of the bucket other"),
        (42, "s3://bucket/", "cannot be compared"),
        ("s3://bucket/", "no-address", "no S3 address"),
    ],
)
async def test_a_slip_is_told_before_any_request(environment, before, after, said):
    """One sentence; there is no server here."""
    with pytest.raises((BadArgument, BadUri), match=said):
        await diff(before, after)


async def test_a_cut_listing_is_refused(bucket):
    """What it lacks may well have been there."""
    before = await ls(bucket.uri("p/"), recursive=True, limit=1)

    with pytest.raises(BadArgument, match="cut by a limit"):
        await diff(before, bucket.uri("p/"))


async def test_a_missing_bucket_is_an_error(bucket, server):
    """And not a bucket from which all was removed."""
    with pytest.raises(NoSuchBucket):
        await diff(bucket.uri("p/"), "s3://no-such-bucket-at-all/")


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda frame: pd.concat([frame, frame], axis=1), "several columns of one name"),
        (lambda frame: pd.concat([frame, frame.assign(Key=None)]), "no Bucket or no Key"),
    ],
)
async def test_a_frame_that_was_put_together_wrongly_is_refused(change, said):
    """In a sentence, and not in pandas's words."""
    frame = pd.DataFrame({"Bucket": ["b"], "Key": ["k"], "Size": [1], "Objects": [1]})

    with pytest.raises(BadArgument, match=said):
        await diff(change(frame.astype({"Key": "string"})), "s3://bucket/")

"""The verb stat, on both servers."""

from __future__ import annotations

import asyncio
import json

import pytest
from aiobotocore.awsrequest import AioAWSResponse

from s3magic import session
from s3magic.commands.du import du
from s3magic.commands.ls import ls
from s3magic.commands.showing import displays
from s3magic.commands.stat import stat
from s3magic.errors import BadArgument, BadUri, NoSuchBucket, NoSuchKey, TransferError
from s3magic.transfer.watching import Silent


@pytest.fixture
async def connected(s3):
    """The verbs, connected to the server that the test's bucket is on."""
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


def facts(frame):
    return dict(zip(frame.Name, frame.Value, strict=True))


def notes(frame):
    return dict(zip(frame.Name, frame.Note, strict=True))


async def test_an_object_is_told_line_by_line(s3, server, connected):
    """Its head, metadata and tags, as S3 calls them."""
    s3.put(
        "k.csv", b"12345", ContentType="text/csv", CacheControl="max-age=60",
        Metadata={"who": "me"}, Tagging="team=blue&b=2",
    )  # fmt: skip

    frame = await stat(s3.uri("k.csv"))

    head = s3.head("k.csv")
    told = facts(frame)
    assert list(frame.columns) == ["Name", "Value", "Note"]
    assert (
        told
        | {
            "Bucket": s3.bucket,
            "Key": "k.csv",
            "Size": 5,
            "LastModified": head["LastModified"],
            "ETag": head["ETag"].strip('"'),
            "ContentType": "text/csv",
            "CacheControl": "max-age=60",
            "Metadata.who": "me",
            "Tag.team": "blue",
            "Tag.b": "2",
            "StorageClass": "STANDARD",
            "Parts": 1,
        }
        == told
    )
    assert notes(frame)["Size"] == "5 B"


async def test_versions_are_counted_and_one_can_be_named(s3, server, connected):
    """Those of this key, not of others that begin like it."""
    s3.client.put_bucket_versioning(Bucket=s3.bucket, VersioningConfiguration={"Status": "Enabled"})
    old = s3.put("k", b"12")["VersionId"]
    s3.put("k", b"12345")
    s3.put("k2", b"1")

    newest = await stat(s3.uri("k"))
    named = await stat(s3.uri("k"), version_id=old)
    s3.client.delete_object(Bucket=s3.bucket, Key="k")
    with pytest.raises(NoSuchKey, match="It was deleted"):
        await stat(s3.uri("k"))

    assert (facts(newest)["Versions"], notes(newest)["Versions"]) == (2, "the old ones hold 2 B")
    assert (facts(named)["Size"], facts(named)["VersionId"]) == (2, old)


async def test_advice_about_a_key_moves_no_cursor(s3, connected):
    """Whoever named it may be somebody else."""
    with pytest.raises(NoSuchKey, match="If it is a folder") as caught:
        await stat(s3.uri("no\x1b[2J"))

    assert str(caught.value).isprintable()


async def test_a_large_object_has_parts(s3, server, connected):
    """With the note that its ETag is no checksum."""
    upload = s3.client.create_multipart_upload(Bucket=s3.bucket, Key="big")
    where = {"Bucket": s3.bucket, "Key": "big", "UploadId": upload["UploadId"]}
    parts = [
        {
            "PartNumber": number,
            "ETag": s3.client.upload_part(**where, PartNumber=number, Body=data)["ETag"],
        }
        for number, data in ((1, bytes(5 * 1024 * 1024)), (2, b"end"))
    ]
    s3.client.complete_multipart_upload(**where, MultipartUpload={"Parts": parts})

    frame = await stat(s3.uri("big"))

    assert facts(frame)["Parts"] == 2
    assert "no MD5" in notes(frame)["Parts"]


async def test_a_bucket_is_told_with_what_to_mind(s3, moto, connected):
    """Its rules in words, and what is public."""
    where = {"Bucket": s3.bucket}
    s3.client.put_bucket_versioning(**where, VersioningConfiguration={"Status": "Enabled"})
    s3.client.put_bucket_tagging(**where, Tagging={"TagSet": [{"Key": "team", "Value": "blue"}]})
    s3.client.put_bucket_policy(
        **where,
        Policy=json.dumps(
            {
                "Version": "2012-10-17",
                "Statement": [
                    {
                        "Effect": "Allow", "Principal": "*", "Action": "s3:GetObject",
                        "Resource": f"arn:aws:s3:::{s3.bucket}/*",
                    }
                ],
            }
        ),
    )  # fmt: skip
    s3.client.put_bucket_lifecycle_configuration(
        **where,
        LifecycleConfiguration={
            "Rules": [
                {
                    "ID": "old", "Status": "Enabled", "Filter": {"Prefix": "logs/"},
                    "Expiration": {"Days": 30},
                    "Transitions": [{"Days": 7, "StorageClass": "GLACIER"}],
                }
            ]
        },
    )  # fmt: skip
    s3.client.put_bucket_cors(
        **where,
        CORSConfiguration={
            "CORSRules": [{"AllowedMethods": ["GET", "PUT"], "AllowedOrigins": ["https://x"]}]
        },
    )
    s3.client.put_bucket_encryption(
        **where,
        ServerSideEncryptionConfiguration={
            "Rules": [{"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}}]
        },
    )

    frame = await stat(f"s3://{s3.bucket}")

    told, noted = facts(frame), notes(frame)
    assert told["Versioning"] == "Enabled"
    assert told["Region"] == "us-east-1"
    assert told["Encryption"] == "AES256"
    assert told["Tag.team"] == "blue"
    assert told["Policy"] == "1 statement"
    assert noted["Policy"] == "1 statement for everybody"
    assert told["Lifecycle.old"] == "logs/: to GLACIER after 7 days, expires after 30 days"
    assert "unfinished uploads stay" in noted["Lifecycle"]
    assert told["CORS.1"] == "GET, PUT from https://x"
    assert told["PublicAccessBlock"] == "not set"
    assert told["Grants"] == "the owner: FULL_CONTROL"


async def test_what_a_bucket_has_not_is_said_and_costs_nothing(s3, server, connected):
    """Of a fresh one, on a server that knows little too: never an error."""
    frame = await stat(s3.uri())

    told = facts(frame)
    assert told["Bucket"] == s3.bucket
    assert told["Lifecycle"] == "not set"
    assert told["CORS"] == "not set"
    assert {"Versioning", "Policy", "Logging", "Website", "ObjectLock"} <= set(told)
    unknown = frame[frame.Value.isna()]
    assert (unknown.Note.str.len() > 5).all()


async def test_what_is_not_allowed_is_a_line(s3, moto, connected):
    """And the others are told."""
    client = await session.client()

    def refuse(request, **_):
        body = b"<Error><Code>AccessDenied</Code><Message>no</Message></Error>"
        answer = AioAWSResponse(request.url, 403, {"content-type": "application/xml"}, None)
        answer._content = body
        return answer

    s3.put("k", b"1")
    client.meta.events.register("before-send.s3.GetObjectTagging", refuse)
    try:
        frame = await stat(s3.uri("k"))
    finally:
        client.meta.events.unregister("before-send.s3.GetObjectTagging", refuse)

    assert notes(frame)["Tags"] == "not allowed: it needs s3:GetObjectTagging"
    assert facts(frame)["Tags"] is None
    assert facts(frame)["Size"] == 1


async def test_several_objects_are_a_row_each_and_a_source(s3, server, connected):
    """From addresses, a tree, a pattern, a frame."""
    for key, tag in (("p/a", "x=1"), ("p/b", "y=2")):
        s3.put(key, b"123", Tagging=tag)
    listing = await ls(s3.uri("p/"), recursive=True)

    frame = await stat(listing)

    assert frame.Key.tolist() == ["p/a", "p/b"]
    assert frame["Tag.x"].tolist()[0] == "1"
    assert frame.Size.tolist() == [3, 3]
    assert frame.Error.tolist() == ["", ""]
    for source, options in (
        ([s3.uri("p/a"), s3.uri("p/b")], {}),
        (s3.uri("p/"), {"recursive": True}),
        (s3.uri("p/*"), {"glob": True}),
        (s3.uri(), {"recursive": True, "exclude": "*", "include": ["p/*"]}),
        (frame, {}),
    ):
        assert (await stat(source, **options)).Key.tolist() == ["p/a", "p/b"]
    assert (await du(frame, depth=0)).Size.tolist() == [6]


async def test_several_buckets_are_a_row_each(s3, moto, connected):
    """With the facts of buckets."""
    frame = await stat([f"s3://{s3.bucket}", s3.uri()])

    assert frame.Bucket.tolist() == [s3.bucket]
    assert frame.Versioning.tolist() == ["off"]


async def test_one_missing_of_several_is_a_row(s3, server, connected):
    """An error at the end, or the frame with its reason."""
    s3.put("there", b"1")
    sources = [s3.uri("there"), s3.uri("missing")]

    frame = await stat(sources, errors="return")
    with pytest.raises(TransferError, match="1 of 2 objects") as failure:
        await stat(sources)

    assert frame.Key.tolist() == ["there", "missing"]
    assert "no such key" in frame.Error[1]
    assert failure.value.report.Key.tolist() == ["there", "missing"]
    assert isinstance(failure.value.__cause__, NoSuchKey)


async def test_what_is_missing_is_an_error_with_advice(s3, server, connected):
    """A key, a folder that has no object of its own, a bucket."""
    s3.put("folder/k", b"1")

    with pytest.raises(NoSuchKey, match=r"%s3du s3://.*/fold/ says"):
        await stat(s3.uri("fold"))
    with pytest.raises(NoSuchBucket):
        await stat("s3://no-such-bucket-at-all/k")
    with pytest.raises(NoSuchBucket):
        await stat("s3://no-such-bucket-at-all")


@pytest.mark.parametrize(
    ("source", "options", "error"),
    [
        ("no-address", {}, BadUri),
        (42, {}, BadUri),
        ([], {}, BadArgument),
        ("s3://bucket/k", {"errors": "ignore"}, BadArgument),
        (["s3://bucket/k", "s3://bucket/l"], {"version_id": "v"}, BadArgument),
        ("s3://bucket", {"version_id": "v"}, BadArgument),
    ],
)
async def test_a_slip_is_told_before_any_request(environment, source, options, error):
    """One sentence; there is no server here."""
    session.connect(endpoint_url="http://127.0.0.1:1", anonymous=True)

    with pytest.raises(error):
        await stat(source, **options)

    await session.close()
    session.connect(reset=True)


async def test_a_stat_can_be_cancelled(s3, connected):
    """No question stays behind."""
    s3.put("k", b"1")
    await session.client()
    before = asyncio.all_tasks()
    task = asyncio.create_task(stat(s3.uri("k")))
    await asyncio.sleep(0)
    task.cancel()

    with pytest.raises(asyncio.CancelledError):
        await task

    assert asyncio.all_tasks() <= before

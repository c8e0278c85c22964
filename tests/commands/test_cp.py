"""The verb cp, on both servers."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pandas as pd
import pytest
from kernels import Kernel, good

from s3magic import session, settings
from s3magic.commands.cp import cp
from s3magic.commands.ls import ls
from s3magic.commands.showing import displays
from s3magic.errors import BadArgument, NoSuchBucket, NoSuchKey, ObjectChanged, TransferError
from s3magic.settings import MiB
from servers import Rig

LARGE = bytes(range(256)) * (11 * MiB // 256)
TREE = {"t/a.csv": b"1", "t/b c+d%2F.csv": b"22", "t/deep/e.csv": b"333"}
ODD = ["a b", "a+b", "a%20b", "a?b", "é/ü 雪", "#h&i=j", "'\"", "~tilde", "a:b@c,d;e", "(x)!*"]
FOLDED = ["/leading", "a//b", "a/../b", "back\\slash"]  # by SeaweedFS


class Recording:
    """A display that does something when it is drawn."""

    def __init__(self, on_draw=lambda meter: None):
        self.on_draw = on_draw

    def draw(self, meter):
        self.on_draw(meter)

    def close(self, summary):
        pass


@pytest.fixture
async def connected(s3):
    """The verbs, connected to the server that the test's bucket is on."""
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
    session.connect(reset=True)  # what follows reaches what its own environment says


@pytest.fixture
def other(s3):
    """A second bucket on the same server."""
    with Rig(s3.server) as rig:
        yield rig


@pytest.fixture
def in_parts():
    """Have an object of 5 MiB and more copied in parts."""
    before = settings.defaults()
    settings.change(copy_threshold=5 * MiB, copy_part_size=5 * MiB)
    yield
    settings.change(copy_threshold=before.copy_threshold, copy_part_size=before.copy_part_size)


def held(s3, prefix=""):
    return {key.removeprefix(prefix): s3.get(key) for key in s3.keys(prefix)}


def lay_out(s3, objects):
    for key, data in objects.items():
        s3.put(key, data)


async def test_one_object_goes_to_a_key_or_into_a_folder(s3, server, connected, other):
    """Behind a slash, and in a bucket, it keeps its name."""
    s3.put("x/a.csv", b"1")

    report = await cp(s3.uri("x/a.csv"), other.uri("y/b.csv"))
    await cp(s3.uri("x/a.csv"), other.uri("y/"))
    await cp(s3.uri("x/a.csv"), other.uri())

    assert held(other) == {"y/b.csv": b"1", "y/a.csv": b"1", "a.csv": b"1"}
    assert s3.keys() == ["x/a.csv"]
    assert report.iloc[0, :5].tolist() == [
        s3.uri("x/a.csv"), other.uri("y/b.csv"), 1, "done", "",
    ]  # fmt: skip


async def test_a_tree_keeps_its_folders(s3, server, connected, other):
    """Below the target."""
    lay_out(s3, TREE)

    await cp(s3.uri("t/"), other.uri("one"), recursive=True)

    assert held(other, "one/") == {key.removeprefix("t/"): TREE[key] for key in TREE}


async def test_several_trees_each_keep_their_name(s3, server, connected, other):
    """As with get."""
    lay_out(s3, TREE | {"u/f": b"4"})

    await cp([s3.uri("t/"), s3.uri("u")], other.uri("two/"), recursive=True)

    assert held(other, "two/") == TREE | {"u/f": b"4"}


async def test_a_glob_and_a_frame_are_sources(s3, server, connected, other):
    """Objects of a frame keep their whole key; a column of addresses is several."""
    lay_out(s3, TREE)
    frame = await ls(s3.uri(), recursive=True)

    await cp(s3.uri("t/*.csv"), other.uri("glob"), glob=True)
    await cp(frame[frame.Size < 3], other.uri("frame/"))
    await cp(pd.Series([s3.uri("t/a.csv")]), other.uri("column"))

    assert set(other.keys("glob/")) == {"glob/a.csv", "glob/b c+d%2F.csv"}
    assert held(other, "frame/") == {key: data for key, data in TREE.items() if len(data) < 3}
    assert other.keys("column") == ["column/a.csv"]


@pytest.mark.parametrize("data", [b"small", LARGE], ids=["small", "in parts"])
async def test_what_an_object_is_besides_its_bytes_goes_with_it(
    s3, server, moto, connected, other, in_parts, data
):
    """Type and other headers, metadata, tags, class; in one piece and in parts alike."""
    expires = dt.datetime(2031, 5, 6, 7, 8, 9, tzinfo=dt.UTC)
    told = {
        "ContentType": "text/x-own",
        "CacheControl": "max-age=60",
        "ContentDisposition": 'attachment; filename="a b.txt"',
        "ContentLanguage": "de",
        "ContentEncoding": "gzip",
        "Metadata": {"who": "me", "a-b": "c d"},
        "StorageClass": "STANDARD_IA",
    }
    s3.put("k", data, Tagging="a+b=c%2Bd%3De&x=", Expires=expires, **told)

    await cp(s3.uri("k"), other.uri("k"))

    head = other.head("k")
    tags = other.client.get_object_tagging(Bucket=other.bucket, Key="k")["TagSet"]
    before = s3.head("k")
    assert other.get("k") == data
    assert {name: head.get(name) for name in told} == {name: before.get(name) for name in told}
    assert head["ContentType"] == "text/x-own"
    assert head["Metadata"] == told["Metadata"]
    assert head.get("Expires") == before.get("Expires")
    if data is not LARGE or server is not moto:  # moto forgets the tags of a multipart upload
        assert {tag["Key"]: tag["Value"] for tag in tags} == {"a b": "c+d=e", "x": ""}
    assert ("-" in head["ETag"]) == (data is LARGE)
    assert other.uploads() == []


@pytest.mark.parametrize("data", [b"small", LARGE], ids=["small", "in parts"])
async def test_what_is_replaced_is_replaced_and_the_rest_is_kept(
    s3, server, moto, connected, other, in_parts, data
):
    """Metadata and tags are replaced as a whole, each header by itself."""
    s3.put(
        "k", data, ContentType="text/x-own", CacheControl="no-store", Metadata={"old": "1"},
        Tagging="old=1",
    )  # fmt: skip

    await cp(s3.uri("k"), other.uri("type"), content_type="text/plain")
    await cp(s3.uri("k"), other.uri("meta"), metadata={"new": "2"}, tag={"n": "3"})
    await cp(s3.uri("k"), other.uri("read"), content_disposition="inline", expires="2027-01-31")

    read = other.head("read")
    assert (read["ContentDisposition"], read["CacheControl"]) == ("inline", "no-store")
    assert read["ExpiresString"] == "Sun, 31 Jan 2027 00:00:00 GMT"
    kind, meta = other.head("type"), other.head("meta")
    tags = other.client.get_object_tagging(Bucket=other.bucket, Key="meta")["TagSet"]
    assert (kind["ContentType"], kind["CacheControl"]) == ("text/plain", "no-store")
    assert kind["Metadata"] == {"old": "1"}
    assert (meta["ContentType"], meta["Metadata"]) == ("text/x-own", {"new": "2"})
    if data is not LARGE or server is not moto:
        assert tags == [{"Key": "n", "Value": "3"}]


async def test_a_class_and_an_acl_are_sent_when_asked_for(moto, s3, connected, other):
    """moto keeps both; without being asked the class stays, and no ACL goes out."""
    s3.put("k", b"1", StorageClass="STANDARD_IA", ACL="public-read")

    await cp(s3.uri("k"), other.uri("kept"))
    await cp(s3.uri("k"), other.uri("new"), storage_class="ONEZONE_IA", acl="public-read")
    await cp(await ls(s3.uri("k")), other.uri("listed/"))

    def grants(key):
        told = other.client.get_object_acl(Bucket=other.bucket, Key=key)["Grants"]
        return {grant["Permission"] for grant in told}

    assert other.head("kept")["StorageClass"] == "STANDARD_IA"
    assert other.head("listed/k")["StorageClass"] == "STANDARD_IA"
    assert other.head("new")["StorageClass"] == "ONEZONE_IA"
    assert (grants("kept"), "READ" in grants("new")) == ({"FULL_CONTROL"}, True)


async def test_keys_are_taken_literally(s3, server, moto, connected, other, in_parts):
    """Whatever characters they are made of, in one piece and in parts."""
    keys = ODD + (FOLDED if server is moto else [])
    lay_out(s3, {key: key.encode() for key in keys} | {"large ?+%20é": LARGE})

    for key in keys:
        await cp(s3.uri(key), other.uri(key))
    await cp(s3.uri("large ?+%20é"), other.uri("large ?+%20é"))

    assert held(other) == {key: key.encode() for key in keys} | {"large ?+%20é": LARGE}


async def test_one_version_is_copied_even_onto_its_own_key(moto, s3, connected):
    """Which makes an old version the latest again."""
    s3.client.put_bucket_versioning(Bucket=s3.bucket, VersioningConfiguration={"Status": "Enabled"})
    old = s3.put("k", b"old")["VersionId"]
    s3.put("k", b"new")

    await cp(s3.uri("k"), s3.uri("copy"), version_id=old)
    await cp(s3.uri("k"), s3.uri("k"), version_id=old)

    assert held(s3) == {"copy": b"old", "k": b"old"}


async def test_an_object_is_copied_onto_itself_only_to_change_it(s3, server, connected):
    """Else it is refused, in a sentence."""
    s3.put("k", b"1", ContentType="text/x-own", Metadata={"a": "1"})

    with pytest.raises(TransferError, match="the same object, and nothing of it"):
        await cp(s3.uri("k"), s3.uri("k"))
    await cp(s3.uri("k"), s3.uri("k"), metadata={"b": "2"})
    await cp(s3.uri("k"), s3.uri("k"), tag={"c": "3"})

    head = s3.head("k")
    tags = s3.client.get_object_tagging(Bucket=s3.bucket, Key="k")["TagSet"]
    assert (head["Metadata"], head["ContentType"]) == ({"b": "2"}, "text/x-own")
    assert (s3.get("k"), tags) == (b"1", [{"Key": "c", "Value": "3"}])


@pytest.mark.parametrize("data", [b"small", LARGE], ids=["small", "in parts"])
async def test_no_clobber_leaves_what_is_there(s3, server, connected, in_parts, data):
    """And copies where there is nothing."""
    s3.put("k", data)
    s3.put("theirs", b"theirs")

    kept = await cp(s3.uri("k"), s3.uri("theirs"), no_clobber=True)
    new = await cp(s3.uri("k"), s3.uri("new"), no_clobber=True)

    assert (kept.Status[0], new.Status[0]) == ("skipped", "done")
    assert (s3.get("theirs"), s3.get("new")) == (b"theirs", data)
    assert s3.uploads() == []


async def test_an_object_that_changed_since_it_was_listed_is_an_error(
    s3, server, moto, connected, other, in_parts
):
    """Also in parts, and on a server that knows no conditions; the others are copied."""
    lay_out(s3, {"a": b"old", "b": b"1", "large": LARGE})
    frame = await ls(s3.uri())
    lay_out(s3, {"a": b"new", "large": LARGE[1:] + b"x"})

    report = await cp(frame, other.uri("to/"), errors="return")

    told = dict(zip(frame.Key, zip(report.Status, report.Error, strict=True), strict=True))
    assert {key: status for key, (status, _) in told.items()} == {
        "a": "failed", "b": "done", "large": "failed",
    }  # fmt: skip
    assert "changed" in told["a"][1]
    assert "changed" in told["large"][1]
    assert other.keys("to/large") == []
    assert other.uploads() == []
    with pytest.raises(ObjectChanged):
        await cp(frame[frame.Key == "a"], other.uri("to/"))


async def test_targets_that_clash_or_are_sources_are_refused(s3, server, connected, other):
    """Neither overwrites the other, and what was copied is not copied once more."""
    lay_out(s3, TREE | {"u/a.csv": b"other"})

    clash = await cp([s3.uri("t/a.csv"), s3.uri("u/a.csv")], other.uri("x"), errors="return")
    first = await cp(s3.uri("t/"), s3.uri("t/deep/"), recursive=True, errors="return")
    second = await cp(s3.uri("t/"), s3.uri("t/deep/"), recursive=True, errors="return")

    assert clash.Status.tolist() == ["done", "failed"]
    assert "goes there" in clash.Error[1]
    assert held(other) == {"x/a.csv": b"1"}
    assert set(first.Status) == {"done"}
    assert set(s3.keys("t/")) >= set(TREE) | {"t/deep/a.csv", "t/deep/deep/e.csv"}
    assert len(first) == 3
    assert (second.Status == "failed").sum() == 3
    assert "a source too" in second.Error[second.Status == "failed"].iloc[0]


async def test_a_dry_run_copies_nothing(s3, server, connected, other):
    """And says what would be copied, and where to."""
    lay_out(s3, TREE)
    other.put("a.csv", b"theirs")

    report = await cp(s3.uri("t/"), other.uri(), recursive=True, dry_run=True, no_clobber=True)
    missing = await cp(s3.uri("none"), other.uri("n"), dry_run=True)
    with pytest.raises(NoSuchBucket):
        await cp(s3.uri("t/a.csv"), "s3://no-such-bucket-here/", dry_run=True)

    assert held(other) == {"a.csv": b"theirs"}
    assert report.Status.value_counts().to_dict() == {"planned": 2, "skipped": 1}
    assert set(report.Target) == {other.uri(key.removeprefix("t/")) for key in TREE}
    assert report.Size.tolist() == [0, 2, 3]
    assert missing.Status.tolist() == ["failed"]


@pytest.mark.parametrize(
    ("source", "target", "options"),
    [
        ("file.csv", "s3://bucket/k", {}),
        (Path("file.csv"), "s3://bucket/k", {}),
        ("s3://bucket/k", "here/", {}),
        ("s3://bucket/k", Path("here"), {}),
        ("s3://bucket/k", None, {}),
        ("s3://bucket/k", 42, {}),
        (42, "s3://bucket/k", {}),
        ([], "s3://bucket/k", {}),
        ("s3://bucket/folder/", "s3://bucket/k", {}),
        ("s3://bucket", "s3://bucket/k", {}),
        ("s3://bucket/k/", "s3://bucket/l", {"recursive": True, "version_id": "v"}),
        ("s3://bucket/k", "s3://bucket/l", {"concurrency": 0}),
        ("s3://bucket/k", "s3://bucket/l", {"acl": "publik"}),
        ("s3://bucket/k", "s3://bucket/l", {"metadata": "a=1"}),
        ("s3://bucket/k", "s3://bucket/l", {"errors": "ignore"}),
        (pd.DataFrame({"x": [1]}), "s3://bucket/l", {}),
        ("s3://bucket/k", pd.DataFrame({"x": [1]}), {}),
    ],
)
async def test_what_cannot_be_meant_is_refused_before_anything_is_done(
    connected, source, target, options
):
    """In a sentence, as a ValueError."""
    with pytest.raises(BadArgument):
        await cp(source, target, **options)


@pytest.mark.parametrize(
    ("source", "target", "said"),
    [
        ("file.csv", "s3://bucket/k", "'file.csv' is on this machine.*%s3put sends"),
        ("s3://bucket/k", "./here", "'./here' is on this machine.*%s3get brings"),
        ("s3://bucket/k/", "s3://bucket/l", "Add recursive=True"),
    ],
)
async def test_a_slip_is_told_with_what_was_meant(connected, source, target, said):
    """Who comes from `aws s3 cp` tries a file."""
    with pytest.raises(BadArgument, match=said):
        await cp(source, target)


async def test_what_is_missing_is_named(s3, server, connected, other):
    """A key, a folder, a source's bucket, a target's."""
    s3.put("k", b"1")

    with pytest.raises(
        TransferError, match=r"no such key.*Add recursive=True if it is a folder"
    ) as key:
        await cp(s3.uri("none"), other.uri("x"))
    with pytest.raises(NoSuchKey, match=r"Cannot copy .*nothing below it"):
        await cp(s3.uri("none/"), other.uri("x"), recursive=True)
    with pytest.raises(NoSuchKey, match=r"Cannot copy .*nothing matches"):
        await cp(s3.uri("*.csv"), other.uri("x"), glob=True)
    with pytest.raises(NoSuchBucket):
        await cp("s3://no-such-bucket-here/k", other.uri("x"))
    with pytest.raises(NoSuchBucket):
        await cp(s3.uri("k"), "s3://no-such-bucket-here/x")

    assert isinstance(key.value, FileNotFoundError)
    assert other.keys() == []


@pytest.mark.kernel
def test_the_magics_give_what_their_twins_give(s3, tmp_path):
    """Of cp and of mv, from a frame: the same plan; and then it is done."""
    lay_out(s3, TREE)
    with Kernel("s3magic", folder=tmp_path, env=s3.server.environment) as kernel:
        good(kernel.run(f"import s3magic as s3\ndf = %s3ls -r {s3.uri('t/')}"))
        answers = {
            verb: good(
                kernel.run(
                    f"planned = %s3{verb} $df {s3.uri(verb)} --metadata a=1 --dry-run\n"
                    f"twin = await s3.{verb}(\n"
                    f"    df, {s3.uri(verb)!r}, metadata={{'a': '1'}}, dry_run=True\n)\n"
                    f"done = %s3{verb} $df {s3.uri(verb)} --metadata a=1\n"
                    "planned.equals(twin), list(twin.Status), list(done.Status)"
                )
            ).python
            for verb in ("cp", "mv")
        }

    assert answers == dict.fromkeys(("cp", "mv"), (True, ["planned"] * 3, ["done"] * 3))
    assert held(s3, "cp/") == held(s3, "mv/") == TREE
    assert s3.keys("t/") == []
    assert s3.head("mv/t/a.csv")["Metadata"] == {"a": "1"}

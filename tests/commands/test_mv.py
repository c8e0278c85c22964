"""The verb mv, on both servers."""

from __future__ import annotations

import pandas as pd
import pytest

from cutting import Door
from s3magic import session, settings
from s3magic.commands.ls import ls
from s3magic.commands.mv import mv
from s3magic.commands.showing import displays
from s3magic.errors import BadArgument, NoSuchKey, TransferError
from s3magic.settings import MiB
from s3magic.transfer.watching import Silent
from servers import Rig

LARGE = bytes(range(256)) * (11 * MiB // 256)
TREE = {"t/a.csv": b"1", "t/b c+d%2F.csv": b"22", "t/deep/e.csv": b"333", "t/large": LARGE}


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
    before = settings.defaults()
    settings.change(copy_threshold=5 * MiB, copy_part_size=5 * MiB)
    yield s3
    settings.change(copy_threshold=before.copy_threshold, copy_part_size=before.copy_part_size)
    displays.reset()
    await session.close()
    session.connect(reset=True)  # what follows reaches what its own environment says


@pytest.fixture
def other(s3):
    """A second bucket on the same server."""
    with Rig(s3.server) as rig:
        yield rig


def held(s3, prefix=""):
    return {key.removeprefix(prefix): s3.get(key) for key in s3.keys(prefix)}


def through(door):
    """Connect the verbs through a door."""
    session.connect(
        endpoint_url=door.endpoint_url,
        aws_access_key_id=door.access_key,
        aws_secret_access_key=door.secret_key,
        region="us-east-1",
    )


def lay_out(s3, objects):
    for key, data in objects.items():
        s3.put(key, data)


async def test_one_object_moves_within_a_bucket_and_across(s3, server, connected, other):
    """With all that it is besides its bytes."""
    s3.put("k", b"1", ContentType="text/x-own", Metadata={"a": "1"})

    report = await mv(s3.uri("k"), s3.uri("l"))
    await mv(s3.uri("l"), other.uri("l"))

    head = other.head("l")
    assert (s3.keys(), held(other)) == ([], {"l": b"1"})
    assert (head["ContentType"], head["Metadata"]) == ("text/x-own", {"a": "1"})
    assert report.iloc[0, :5].tolist() == [s3.uri("k"), s3.uri("l"), 1, "done", ""]


async def test_a_tree_a_glob_and_a_frame_move(s3, server, connected, other):
    """Small objects and such as are copied in parts; nothing else goes."""
    lay_out(s3, TREE | {"u": b"stays"})

    await mv(s3.uri("t/"), other.uri("t"), recursive=True)
    tree = held(other)
    await mv(other.uri("t/*.csv"), other.uri("x/"), glob=True)
    frame = await ls(other.uri(), recursive=True)
    await mv(frame[frame.Size == 3], s3.uri("back/"))

    assert tree == TREE
    assert s3.keys() == ["back/t/deep/e.csv", "u"]
    assert other.keys() == ["t/large", "x/a.csv", "x/b c+d%2F.csv"]


async def test_an_object_that_changed_since_it_was_listed_stays(s3, server, moto, connected, other):
    """Also on a server that knows no conditions: neither bytes are lost."""
    lay_out(s3, {"a": b"old", "b": b"1", "large": LARGE})
    frame = await ls(s3.uri())
    lay_out(s3, {"a": b"new", "large": LARGE[1:] + b"x"})

    report = await mv(frame, other.uri(), errors="return")

    assert report.Status.value_counts().to_dict() == {"failed": 2, "done": 1}
    assert held(s3) == {"a": b"new", "large": LARGE[1:] + b"x"}
    assert other.get("b") == b"1"


async def test_a_copy_that_cannot_be_deleted_says_so(moto, s3, connected, other):
    """Its row fails, and names both."""
    lay_out(s3, {"a": b"1", "b": b"2"})
    async with Door(s3.server) as door:
        through(door)
        door.cut("denied", 1, lasting=True, method="DELETE")

        report = await mv(s3.uri(), other.uri(), recursive=True, errors="return")

        await session.close()
    assert report.Status.tolist() == ["failed", "failed"]
    for target, error in zip(report.Target, report.Error, strict=True):
        assert f"was copied to {target}, but not deleted: " in error
        assert "access denied" in error
    assert held(s3) == held(other) == {"a": b"1", "b": b"2"}


async def test_a_server_that_knows_no_conditional_delete_is_asked_without(moto, s3, connected):
    """What it is known to have not changed goes all the same."""
    s3.put("a", b"1")
    async with Door(s3.server) as door:
        through(door)
        door.cut("unknown", 1, method="DELETE")

        report = await mv(s3.uri("a"), s3.uri("b"))

        await session.close()
    assert report.Status.tolist() == ["done"]
    assert held(s3) == {"b": b"1"}


async def test_an_object_does_not_move_onto_itself_under_another_name(moto, s3, connected):
    """Where a bucket has two, as an access point gives it: its one copy stays."""
    lay_out(s3, {"t/a": b"1", "t/large": LARGE})
    async with Door(s3.server) as door:
        through(door)
        door.names = {"second-name": s3.bucket}

        for options in ({}, {"metadata": {"a": "1"}}, {"storage_class": "STANDARD_IA"}):
            report = await mv(
                s3.uri("t/"), "s3://second-name/t/", recursive=True, errors="return", **options
            )
            assert report.Status.tolist() == ["failed", "failed"]
            assert "the same object" in report.Error[0]

        other_key = await mv(s3.uri("t/a"), "s3://second-name/t/b")
        await session.close()
    assert other_key.Status.tolist() == ["done"]
    assert held(s3) == {"t/b": b"1", "t/large": LARGE}


async def test_to_its_own_key_nothing_moves(s3, server, connected):
    """Neither with something to replace, nor among others."""
    lay_out(s3, {"t/a": b"1", "t/b": b"2"})

    with pytest.raises(TransferError, match="that is where it is"):
        await mv(s3.uri("t/a"), s3.uri("t/a"), metadata={"a": "1"})
    with pytest.raises(TransferError, match="that is where it is"):
        await mv(s3.uri("t/"), s3.uri("t"), recursive=True)

    assert held(s3, "t/") == {"a": b"1", "b": b"2"}


async def test_no_source_is_overwritten_before_it_is_moved(s3, server, connected):
    """A chain, and a folder into itself."""
    lay_out(s3, {"a/1": b"one", "a/a/1": b"two"})

    chain = await mv(s3.uri("a/"), s3.uri("a/a/"), recursive=True, errors="return")

    assert sorted(chain.Status) == ["done", "failed"]
    assert held(s3) == {"a/1": b"one", "a/a/a/1": b"two"}


async def test_no_clobber_leaves_both(s3, server, connected):
    """The target as it is, and its source where it is."""
    lay_out(s3, {"a": b"mine", "b": b"theirs"})

    report = await mv(s3.uri("a"), s3.uri("b"), no_clobber=True)

    assert report.Status.tolist() == ["skipped"]
    assert held(s3) == {"a": b"mine", "b": b"theirs"}


async def test_on_a_versioned_bucket_a_marker_is_left(moto, s3, connected):
    """And the old version behind it; a version that is named goes itself."""
    s3.client.put_bucket_versioning(Bucket=s3.bucket, VersioningConfiguration={"Status": "Enabled"})
    old = s3.put("k", b"old")["VersionId"]
    new = s3.put("k", b"new")["VersionId"]

    await mv(s3.uri("k"), s3.uri("latest"))
    marked = s3.client.list_object_versions(Bucket=s3.bucket, Prefix="k")
    await mv(s3.uri("k"), s3.uri("first"), version_id=old)
    left = s3.client.list_object_versions(Bucket=s3.bucket, Prefix="k")

    assert {one["VersionId"] for one in marked["Versions"]} == {old, new}
    assert len(marked["DeleteMarkers"]) == 1
    assert [one["VersionId"] for one in left["Versions"]] == [new]
    assert held(s3) == {"latest": b"new", "first": b"old"}


async def test_a_dry_run_moves_nothing(s3, server, connected, other):
    """And says what would be moved."""
    lay_out(s3, TREE)

    report = await mv(s3.uri("t/"), other.uri(), recursive=True, dry_run=True)

    assert set(report.Status) == {"planned"}
    assert report.Size.sum() == sum(map(len, TREE.values()))
    assert (held(s3), other.keys()) == (TREE, [])


@pytest.mark.parametrize(
    ("source", "target", "said"),
    [
        ("file.csv", "s3://bucket/k", "on this machine.*%s3put sends"),
        ("s3://bucket/k", "./here", "on this machine.*%s3get brings"),
        ("s3://bucket/k/", "s3://bucket/l", "Add recursive=True"),
        (pd.DataFrame({"x": [1]}), "s3://bucket/l", "no column"),
    ],
)
async def test_what_cannot_be_meant_is_refused(connected, source, target, said):
    """Before anything is done."""
    with pytest.raises(BadArgument, match=said):
        await mv(source, target)


async def test_what_is_missing_is_named(s3, server, connected):
    """A key, and a folder."""
    with pytest.raises(TransferError, match=r"Cannot copy .*no such key.*Add recursive=True"):
        await mv(s3.uri("none"), s3.uri("x"))
    with pytest.raises(NoSuchKey, match=r"Cannot move .*nothing below it"):
        await mv(s3.uri("none/"), s3.uri("x"), recursive=True)


async def test_a_folders_marker_moves_alone(s3, server, connected, other):
    """With what it is besides its no bytes; what lies in the folder stays, and goes with -r."""
    lay_out(s3, {"t/": b"", "t/x/": b"", "t/x/y": b"1", "t/z": b"2"})
    frame = await ls(s3.uri("t/"), recursive=True)

    alone = await mv(frame[frame.Key.isin(["t/", "t/x/"])], other.uri("alone/"))
    left = held(s3)
    await mv(s3.uri("t/"), other.uri("rest"), recursive=True)

    assert alone.Status.tolist() == ["done", "done"]
    assert {key: left[key] for key in ("t/x/y", "t/z")} == {"t/x/y": b"1", "t/z": b"2"}
    assert other.keys("alone/") == ["alone/t/", "alone/t/x/"]
    assert {"rest/x/y", "rest/z"} <= set(other.keys())
    assert all(key.endswith("/") for key in s3.keys("t/"))


async def test_what_a_report_did_not_make_does_not_move(moto, s3, connected, other):
    """The target of a row that was skipped was there before."""
    lay_out(s3, {"a": b"1"})
    lay_out(other, {"a": b"own"})
    report = await mv(s3.uri("a"), other.uri("a"), no_clobber=True)

    with pytest.raises(BadArgument, match="not done"):
        await mv(report, s3.uri("b/"))

    assert (held(s3), held(other)) == ({"a": b"1"}, {"a": b"own"})

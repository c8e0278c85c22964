"""The verb put, on both servers."""

from __future__ import annotations

import asyncio
import datetime as dt
import os
import sys

import pandas as pd
import pytest

from s3magic import session
from s3magic.commands.put import put
from s3magic.commands.showing import displays
from s3magic.errors import BadArgument, NoSuchBucket, NoSuchFile, TransferError

MiB = 1024 * 1024
LARGE = bytes(range(256)) * (17 * MiB // 256)
FILES = {"a.csv": b"1", "b c+d.csv": b"22", "deep/e.csv": b"333", "deep/.hidden": b"4"}


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
def files(tmp_path):
    """A folder with a few files."""
    folder = tmp_path / "files"
    for name, data in FILES.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    return folder


def held(s3, prefix=""):
    return {key.removeprefix(prefix): s3.get(key) for key in s3.keys(prefix)}


async def test_one_file_goes_to_a_key_or_into_a_folder(s3, server, connected, files):
    """Behind a slash, and in a bucket, it keeps its name."""
    report = await put(files / "a.csv", s3.uri("x/y.csv"))
    await put(str(files / "a.csv"), s3.uri("x/"))
    await put(files / "a.csv", s3.uri())

    assert held(s3) == {"x/y.csv": b"1", "x/a.csv": b"1", "a.csv": b"1"}
    assert report.iloc[0, :5].tolist() == [
        str(files / "a.csv"), s3.uri("x/y.csv"), 1, "done", "",
    ]  # fmt: skip


async def test_several_files_go_into_a_folder(s3, server, connected, files):
    """With or without the slash behind it."""
    await put([files / "a.csv", files / "b c+d.csv"], s3.uri("x"))

    assert held(s3) == {"x/a.csv": b"1", "x/b c+d.csv": b"22"}


async def test_a_tree_keeps_its_folders(s3, server, connected, files):
    """Everything below it; a download of ours that is not whole is left out."""
    (files / ".big.0123.s3part").write_bytes(b"half")

    report = await put(files, s3.uri("out"), recursive=True)

    assert held(s3, "out/") == FILES
    assert set(report.Status) == {"done"}


async def test_a_glob_puts_what_it_matches(s3, server, connected, files):
    """With the folders behind its literal beginning; without --glob it is a name."""
    await put(f"{files}/**/*.csv", s3.uri("out/"), glob=True)

    assert set(held(s3, "out/")) == {"a.csv", "b c+d.csv", "deep/e.csv"}
    with pytest.raises(NoSuchFile):
        await put(f"{files}/*.csv", s3.uri("out/"))


async def test_what_a_variable_holds_is_sent(s3, server, connected):
    """Bytes as they are, text in UTF-8."""
    await put(b"bytes\x00", s3.uri("bytes"))
    await put(s3.uri("text"), var="é no file")
    await put(bytearray(b"array"), s3.uri("array"))

    assert held(s3) == {"bytes": b"bytes\x00", "text": "é no file".encode(), "array": b"array"}


@pytest.mark.parametrize("data", [b"small", LARGE], ids=["small", "large"])
async def test_what_a_browser_is_told_is_kept_with_the_object(s3, server, connected, data):
    """A name to save it by, its language, until when it is fresh."""
    await put(
        data,
        s3.uri("k.csv"),
        content_disposition='attachment; filename="a b.csv"',
        content_language="de",
        expires="2027-01-31T12:00Z",
    )

    head = s3.head("k.csv")

    assert head["ContentDisposition"] == 'attachment; filename="a b.csv"'
    assert head["ContentLanguage"] == "de"
    assert head["ExpiresString"] == "Sun, 31 Jan 2027 12:00:00 GMT"


async def test_a_websites_reader_is_sent_elsewhere(s3, moto, connected):
    """As S3 keeps it, where the server knows websites."""
    await put(b"old", s3.uri("old.html"), website_redirect="/new.html")

    assert s3.head("old.html")["WebsiteRedirectLocation"] == "/new.html"


async def test_an_expiry_that_is_no_date_is_refused(s3, connected):
    """A day is one, a word is none."""
    with pytest.raises(BadArgument, match="'soon' is not a date such as 2027-01-31"):
        await put(b"x", s3.uri("k"), expires="soon")
    await put(b"x", s3.uri("k"), expires=dt.date(2027, 1, 31))

    assert s3.head("k")["ExpiresString"] == "Sun, 31 Jan 2027 00:00:00 GMT"


@pytest.mark.skipif(os.name == "nt", reason="links need a right there")
async def test_links_are_left_out_when_asked(s3, connected, files):
    """Links to files and to folders; one that is named is meant."""
    (files / "link.csv").symlink_to(files / "a.csv")
    (files / "again").symlink_to(files / "deep")

    await put(files, s3.uri("tree/"), recursive=True, no_follow_symlinks=True)
    await put(f"{files}/*.csv", s3.uri("glob/"), glob=True, no_follow_symlinks=True)
    await put(files / "link.csv", s3.uri("named"), no_follow_symlinks=True)

    assert held(s3, "tree/") == FILES
    assert set(held(s3, "glob/")) == {"a.csv", "b c+d.csv"}
    assert held(s3, "named") == {"": b"1"}


@pytest.mark.parametrize("data", [b"small", LARGE], ids=["small", "large"])
async def test_headers_are_kept_with_the_object(s3, server, moto, connected, data):
    """Of a small object and of a large one alike."""
    await put(
        data,
        s3.uri("k.csv"),
        content_type="text/x-own",
        content_encoding="gzip",
        cache_control="max-age=60",
        metadata={"who": "me", "why": "test"},
        tag={"a b": "c+d=e"},
        part_size=8 * MiB,
    )

    head = s3.head("k.csv")
    tags = s3.client.get_object_tagging(Bucket=s3.bucket, Key="k.csv")["TagSet"]
    assert head["ContentType"] == "text/x-own"
    assert head["ContentEncoding"] == "gzip"
    assert head["CacheControl"] == "max-age=60"
    assert head["Metadata"] == {"who": "me", "why": "test"}
    if data is not LARGE or server is not moto:  # moto forgets the tags of a multipart upload
        assert tags == [{"Key": "a b", "Value": "c+d=e"}]
    assert head["ContentLength"] == len(data)


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("a.csv", "text/csv"),
        ("a.parquet", "application/vnd.apache.parquet"),
        ("a.ipynb", "application/x-ipynb+json"),
        ("a.JSON", "application/json"),
        ("a.csv.gz", "application/gzip"),
        ("a", "binary/octet-stream"),
    ],
)
async def test_the_content_type_is_guessed_from_the_name(s3, connected, tmp_path, name, kind):
    """Of the file, or of the key where there is none."""
    (tmp_path / name).write_bytes(b"1")

    await put(tmp_path / name, s3.uri("file/x"))
    await put(b"1", s3.uri(f"bytes/{name}"))

    assert s3.head("file/x")["ContentType"] == kind
    assert s3.head(f"bytes/{name}")["ContentType"] == kind


async def test_a_storage_class_and_an_acl_are_sent_when_asked_for(moto, s3, connected):
    """moto keeps both."""
    await put(b"1", s3.uri("k"), storage_class="STANDARD_IA", acl="public-read")
    await put(b"1", s3.uri("plain"))

    grants = s3.client.get_object_acl(Bucket=s3.bucket, Key="k")["Grants"]
    plain = s3.client.get_object_acl(Bucket=s3.bucket, Key="plain")["Grants"]
    assert s3.head("k")["StorageClass"] == "STANDARD_IA"
    assert "READ" in {grant["Permission"] for grant in grants}
    assert [grant["Permission"] for grant in plain] == ["FULL_CONTROL"]


@pytest.mark.parametrize("data", [b"small", LARGE], ids=["small", "large"])
async def test_no_clobber_leaves_what_is_there(s3, server, connected, data):
    """And puts where there is nothing."""
    s3.put("k", b"theirs")

    kept = await put(data, s3.uri("k"), no_clobber=True)
    new = await put(data, s3.uri("new"), no_clobber=True)

    assert (kept.Status[0], new.Status[0]) == ("skipped", "done")
    assert s3.get("k") == b"theirs"
    assert s3.get("new") == data
    assert s3.uploads() == []


async def test_a_dry_run_sends_nothing(s3, server, connected, files):
    """And says what would be sent, and where to."""
    s3.put("a.csv", b"theirs")

    report = await put(files, s3.uri(), recursive=True, dry_run=True, no_clobber=True)

    run = await put(files / "a.csv", s3.uri(), no_clobber=True)
    with pytest.raises(NoSuchBucket):
        await put(files / "a.csv", "s3://no-such-bucket-here/", dry_run=True)

    assert held(s3) == {"a.csv": b"theirs"}
    assert report.Error[report.Status == "skipped"].tolist() == run.Error.tolist()
    assert report.Status.value_counts().to_dict() == {"planned": 3, "skipped": 1}


async def test_what_is_no_file_is_a_row_and_the_others_are_sent(s3, server, connected, files):
    """A broken link, a pipe; each with its reason."""
    (files / "broken").symlink_to(files / "nowhere")
    os.mkfifo(files / "pipe")

    with pytest.raises(TransferError, match=r"2 of 6 files failed; 4 ") as failure:
        await put(files, s3.uri(), recursive=True)

    assert held(s3) == FILES
    failed = failure.value.report.query("Status == 'failed'")
    assert sorted(os.path.basename(source) for source in failed.Source) == ["broken", "pipe"]  # noqa: PTH119
    assert failed.Error.str.len().min() > 10


@pytest.mark.skipif(sys.platform != "linux", reason="needs a file that can be opened, not read")
async def test_a_file_that_cannot_be_read_is_a_sentence(s3, connected):
    """Nothing is made of it."""
    with pytest.raises(TransferError, match="Cannot put"):
        await put("/proc/self/mem", s3.uri("k"))

    assert s3.keys() == []


async def test_two_sources_for_one_key_do_not_overwrite_each_other(s3, connected, files):
    """The second is refused, and the first one's name is told."""
    (files / "deep" / "a.csv").write_bytes(b"other")

    report = await put([files / "a.csv", files / "deep" / "a.csv"], s3.uri("x/"), errors="return")

    assert report.Status.tolist() == ["done", "failed"]
    assert "goes there" in report.Error[1]
    assert held(s3) == {"x/a.csv": b"1"}


@pytest.mark.parametrize(
    ("source", "uri", "options"),
    [
        ("missing", "s3://bucket/k", {}),
        (".", "s3://bucket/k", {}),
        (b"bytes", "s3://bucket/folder/", {}),
        (b"bytes", "s3://bucket", {}),
        (42, "s3://bucket/k", {}),
        ("file", None, {}),
        (None, "s3://bucket/k", {}),
        ("file", 42, {}),
        ("file", "no-address", {}),
        ("file", "s3://bucket/k", {"var": b"x"}),
        ("s3://bucket/k", None, {"var": 42}),
        (b"x", "s3://bucket/k", {"part_size": MiB}),
        (b"x", "s3://bucket/k", {"concurrency": 0}),
        ("nul\0", "s3://bucket/k", {}),
        ([], "s3://bucket/k", {}),
        ("~no-such-user-here/f", "s3://bucket/k", {}),
        (b"x", "s3://bucket/k", {"metadata": "a=1"}),
        (b"x", "s3://bucket/k", {"metadata": {"a": "é"}}),
        (b"x", "s3://bucket/k", {"sse": "AES"}),
    ],
)
async def test_what_cannot_be_meant_is_refused_before_anything_is_sent(
    connected, tmp_path, monkeypatch, source, uri, options
):
    """In a sentence, as a ValueError or a FileNotFoundError."""
    monkeypatch.chdir(tmp_path)

    with pytest.raises((BadArgument, NoSuchFile)):
        await put(source, uri, **options)


@pytest.mark.parametrize(
    ("source", "uri", "options", "said"),
    [
        ("s3://bucket/k", "file", {}, "is in S3.*%s3get brings it here"),
        ("s3://bucket/k", "s3://bucket/k2", {}, "is in S3.*%s3get brings it here"),
        ("missing*.csv", "s3://bucket/", {}, "Add glob=True to read it as a pattern"),
        (b"x", "s3://bucket/k", {"acl": "publik-read"}, "Did you mean 'public-read'"),
        (b"x", "s3://bucket/k", {"metadata": {"a": "é"}}, "not ASCII"),
    ],
)
async def test_a_slip_is_told_with_what_was_meant(connected, source, uri, options, said):
    """The hint is the next thing to try."""
    with pytest.raises((BadArgument, NoSuchFile), match=said):
        await put(source, uri, **options)


async def test_a_column_of_paths_is_several_sources(s3, server, connected, files):
    """However few of them a filter left; numbers in the metadata are kept as text."""
    paths = pd.Series([str(files / name) for name in FILES])

    await put(paths[:1], s3.uri("one"), metadata={"a": 1})
    await put(paths[:2], s3.uri("two/"))

    assert held(s3) == {"one/a.csv": b"1", "two/a.csv": b"1", "two/b c+d.csv": b"22"}
    assert s3.client.head_object(Bucket=s3.bucket, Key="one/a.csv")["Metadata"] == {"a": "1"}


async def test_a_missing_bucket_is_named(s3, server, connected):
    """One row, one sentence."""
    with pytest.raises(TransferError, match="no such bucket"):
        await put(b"x", "s3://no-such-bucket-here/k")


@pytest.mark.parametrize("way", ["button", "task", "timeout"])
async def test_a_cancelled_put_leaves_the_old_object_and_no_upload(s3, connected, tmp_path, way):
    """However it is cancelled."""
    s3.put("k", b"old")
    with (tmp_path / "f").open("wb") as file:
        file.truncate(400 * MiB)
    drawn = asyncio.Event()

    def draw(meter):
        drawn.set()
        if way == "button":
            meter.stop()

    displays.use(lambda _: Recording(draw))

    async def run():
        if way == "timeout":
            async with asyncio.timeout(0.3):
                await put(tmp_path / "f", s3.uri("k"), concurrency=1)
        return await put(tmp_path / "f", s3.uri("k"), concurrency=1, errors="return")

    task = asyncio.create_task(run())
    if way == "task":
        await drawn.wait()
        task.cancel()
    await asyncio.wait([task])

    if way == "button":
        assert task.result().Status.tolist() == ["cancelled"]
    elif way == "task":
        assert task.cancelled()
    else:
        assert isinstance(task.exception(), TimeoutError)
    assert s3.get("k") == b"old"
    assert s3.uploads() == []

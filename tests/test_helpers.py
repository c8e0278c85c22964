"""The five helpers, as documented, on any aiobotocore client and on two servers."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import datetime as dt
import hashlib
import io
import os
import threading
import time
import tracemalloc
from pathlib import Path

import pytest
from aiobotocore.config import AioConfig
from aiobotocore.session import get_session
from aiohttp import web

from s3magic.errors import (
    AccessDenied,
    BadArgument,
    BadQuery,
    ConnectionFailed,
    NoSuchBucket,
    NoSuchFile,
)
from s3magic.helpers import delete_file, delete_files, download_file, list_files, upload_file
from s3magic.settings import MiB, defaults

LARGE = defaults().multipart_threshold
ODD_KEYS = [
    " spaces around ",
    "a+b %20 #?&='\"",
    "<&>]]>",
    "control\x01\x1f",
    "tab\tand\rreturn",
    "émoji 😀",
    "back\\slash",
    "*[x]*",
    "a//b/../c",
    "folder/",
    "é" * 512,
]


@contextlib.asynccontextmanager
async def client_of(server, **config):
    """Open a client as the documentation does."""
    session = get_session()
    async with session.create_client(
        "s3",
        endpoint_url=server.endpoint_url,
        aws_access_key_id=server.access_key,
        aws_secret_access_key=server.secret_key,
        region_name="us-east-1",
        config=AioConfig(**config),
    ) as client:
        yield client


@pytest.fixture
async def client(s3):
    async with client_of(s3.server) as client:
        yield client


@pytest.fixture
async def lying():
    """Start servers of one handler, each with a client that does not retry for long."""
    async with contextlib.AsyncExitStack() as stack:

        async def start(handler):
            app = web.Application(client_max_size=100 * MiB)
            app.router.add_route("*", "/{tail:.*}", handler)
            runner = web.AppRunner(app, shutdown_timeout=0)
            await runner.setup()
            stack.push_async_callback(runner.cleanup)
            await web.TCPSite(runner, "127.0.0.1", 0).start()

            class Address:
                endpoint_url = f"http://127.0.0.1:{runner.addresses[0][1]}"
                access_key = secret_key = "testing"

            return await stack.enter_async_context(
                client_of(Address, retries={"max_attempts": 0}, s3={"addressing_style": "path"})
            )

        yield start


def waited():
    """Seconds that this thread has waited for a processor; 0 where nobody says."""
    try:
        text = Path(f"/proc/self/task/{threading.get_native_id()}/schedstat").read_text()
    except OSError:
        return 0.0
    return int(text.split()[1]) / 1e9


class Ticker:
    """How long the loop was held while the block ran, and not by other programs."""

    async def __aenter__(self):
        self.gaps = []
        self._task = asyncio.create_task(self._tick())
        await asyncio.sleep(0)
        return self

    async def __aexit__(self, *_exception):
        self._task.cancel()

    async def _tick(self):
        while True:
            before = time.perf_counter() - waited()
            await asyncio.sleep(0.001)
            self.gaps.append(time.perf_counter() - waited() - before)


# the documentation's examples, in its own words


async def test_quick_start(s3, server, client, tmp_path):
    """Up, down, listed."""
    local = tmp_path / "local.txt"
    local.write_text("hello")

    await upload_file(client, s3.bucket, local, "remote/path.txt")
    content = await download_file(client, s3.bucket, "remote/path.txt")
    files = await list_files(client, s3.bucket, "remote/")

    assert content.read() == b"hello"
    assert [file["Key"] for file in files] == ["remote/path.txt"]


async def test_upload_with_an_acl(s3, server, client, tmp_path):
    """The arguments by name, and S3's answer."""
    (tmp_path / "document.pdf").write_bytes(b"%PDF")

    response = await upload_file(
        client,
        bucket=s3.bucket,
        file=tmp_path / "document.pdf",
        path="uploads/document.pdf",
        acl="private",
    )

    assert response["ETag"] == s3.head("uploads/document.pdf")["ETag"]


async def test_download_with_progress(s3, server, client):
    """on_start once with the whole, on_update with every chunk."""
    data = os.urandom(2 * MiB + 512 * 1024)
    s3.put("large-file.zip", data)
    told = []

    def on_start(total_size: int):
        told.append(("start", total_size))

    def on_update(chunk_size: int):
        told.append(("update", chunk_size))

    content = await download_file(
        client,
        s3.bucket,
        "large-file.zip",
        chunk_size=1024 * 1024,  # 1MB chunks
        on_start=on_start,
        on_update=on_update,
    )

    assert content.read() == data
    assert told == [
        ("start", len(data)),
        ("update", MiB),
        ("update", MiB),
        ("update", 512 * 1024),
    ]


async def test_delete_one(s3, server, client):
    """Gone, and S3's answer; once more is no error."""
    s3.put("path/to/file.txt", "x")

    response = await delete_file(client, s3.bucket, "path/to/file.txt")
    again = await delete_file(client, s3.bucket, "path/to/file.txt")

    assert s3.keys() == []
    assert {response["ResponseMetadata"]["HTTPStatusCode"]} == {204}
    assert again["ResponseMetadata"]["HTTPStatusCode"] == 204


async def test_delete_several(s3, server, client):
    """A list of paths, quietly."""
    paths = ["file1.txt", "file2.txt", "folder/file3.txt"]
    for path in [*paths, "stays"]:
        s3.put(path, "x")

    response = await delete_files(
        client,
        s3.bucket,
        paths,
        quiet=True,  # Suppress output
    )

    assert s3.keys() == ["stays"]
    assert not response.get("Errors")
    assert not response.get("Deleted")


@pytest.fixture
def uploads(s3):
    """Three objects under uploads/, and one that is not."""
    s3.put("uploads/document.pdf", b"x" * 1024)
    s3.put("uploads/small.txt", b"x")
    s3.put("uploads/sub/large.bin", b"x" * 2_000_000)
    s3.put("elsewhere", b"x" * 1024)


async def test_list_all_files_in_a_path(s3, server, client, uploads):
    """Every object under the prefix, with all that S3 tells of it."""
    files = await list_files(client, s3.bucket, "uploads/")

    assert [file["Key"] for file in files] == [
        "uploads/document.pdf",
        "uploads/small.txt",
        "uploads/sub/large.bin",
    ]
    first, head = files[0], s3.head("uploads/document.pdf")
    assert first["Size"] == 1024
    assert first["ETag"] == head["ETag"]
    assert first["LastModified"].replace(microsecond=0) == head["LastModified"]
    assert first["LastModified"].utcoffset() == dt.timedelta(0)
    assert first["StorageClass"] == "STANDARD"
    assert first["Owner"]["ID"]


async def test_list_with_pagination(s3, server, client, uploads):
    """max_items is the most there are, whatever the page size."""
    files = await list_files(client, s3.bucket, "uploads/", max_items=2, page_size=1)

    assert len(files) == 2


@pytest.mark.parametrize(
    ("search_query", "expected"),
    [
        ("Contents[?Size > `100`][]", ["document.pdf", "sub/large.bin"]),
        ("Contents[?Size > `1048576`][]", ["sub/large.bin"]),
        (
            "Contents[?LastModified > `2024-01-01`][]",
            ["document.pdf", "small.txt", "sub/large.bin"],
        ),
        ("Contents[?LastModified < `2024-01-01`][]", []),
        ("Contents[?ends_with(Key, '.pdf')][]", ["document.pdf"]),
        (
            "Contents[?Size > `100` && starts_with(Key, 'uploads/')][]",
            ["document.pdf", "sub/large.bin"],
        ),
    ],
)
async def test_list_with_a_query(s3, server, client, uploads, search_query, expected):
    """The documented queries, the one with a date among them."""
    found = await list_files(client, s3.bucket, "uploads/", search_query=search_query)

    assert [file["Key"] for file in found] == [f"uploads/{name}" for name in expected]
    assert all(isinstance(file["LastModified"], dt.datetime) for file in found)


# uploads


@pytest.mark.parametrize(
    "size", [0, 1, LARGE - 1, LARGE, LARGE + 1, LARGE + defaults().part_size + 1]
)
async def test_files_of_any_size_arrive_whole(s3, client, tmp_path, size):
    """Around the size at which uploads go in parts, and at none at all."""
    data = os.urandom(size)
    (tmp_path / "file").write_bytes(data)

    response = await upload_file(client, s3.bucket, tmp_path / "file", "key")

    assert s3.get("key") == data
    assert response["ETag"] == s3.head("key")["ETag"]


async def test_upload_sends_no_acl_unless_asked(lying, tmp_path):
    """A bucket without ACLs refuses a request that names one."""
    headers = []

    async def handler(request):
        headers.append(request.headers)
        await request.read()
        return web.Response(headers={"ETag": '"e"'})

    client = await lying(handler)
    (tmp_path / "file").write_bytes(b"x")

    await upload_file(client, "bucket", tmp_path / "file", "key")
    await upload_file(client, "bucket", tmp_path / "file", "key", acl="public-read")

    assert [one.get("x-amz-acl") for one in headers] == [None, "public-read"]


async def test_a_large_upload_takes_little_memory(s3, client, tmp_path):
    """200 MB go up in a few parts at a time."""
    with (tmp_path / "file").open("wb") as file:
        file.truncate(200 * MiB)

    tracemalloc.start()
    try:
        await upload_file(client, s3.bucket, tmp_path / "file", "key")
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert s3.head("key")["ContentLength"] == 200 * MiB
    assert peak < 150 * MiB


async def test_a_cancelled_upload_leaves_nothing(s3, client, tmp_path):
    """No object, and no open multipart upload, when the caller gives up half-way."""
    with (tmp_path / "file").open("wb") as file:
        file.truncate(64 * MiB)
    begun = asyncio.Event()
    client.meta.events.register("before-send.s3.UploadPart", lambda **_: begun.set())

    task = asyncio.create_task(upload_file(client, s3.bucket, tmp_path / "file", "key"))
    await asyncio.wait_for(begun.wait(), 60)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task

    assert s3.keys() == []
    assert s3.uploads() == []


async def test_a_missing_file_is_told(s3, client, tmp_path):
    """The local error is ours too, and still a FileNotFoundError."""
    with pytest.raises(NoSuchFile):
        await upload_file(client, s3.bucket, tmp_path / "nothing", "key")


# downloads


async def test_a_missing_key_is_none(s3, server, client):
    """A key that is not there gives None, and calls nobody."""
    told = []

    content = await download_file(client, s3.bucket, "nothing", on_start=told.append)

    assert content is None
    assert told == []


async def test_an_empty_object_is_empty_and_not_none(s3, server, client):
    """0 bytes are something else than no object."""
    s3.put("empty", b"")
    started, updated = [], []

    content = await download_file(
        client, s3.bucket, "empty", on_start=started.append, on_update=updated.append
    )

    assert isinstance(content, io.BytesIO)
    assert (content.read(), started, updated) == (b"", [0], [])


async def test_a_missing_bucket_is_an_error_in_each(s3, server, client, tmp_path):
    """NoSuchBucket, from each of the five, botocore's error behind it."""
    (tmp_path / "file").write_bytes(b"x")
    bucket = "no-such-bucket-at-all"

    for call in (
        upload_file(client, bucket, tmp_path / "file", "key"),
        download_file(client, bucket, "key"),
        delete_file(client, bucket, "key"),
        delete_files(client, bucket, ["key"]),
        list_files(client, bucket, ""),
    ):
        with pytest.raises(NoSuchBucket) as caught:
            await call
        assert isinstance(caught.value.__cause__, client.exceptions.ClientError)
        assert isinstance(caught.value, FileNotFoundError)


async def test_a_short_body_is_an_error(lying):
    """Fewer bytes than promised are never given as the object."""

    async def handler(request):
        response = web.StreamResponse(headers={"Content-Length": "1000", "ETag": '"e"'})
        await response.prepare(request)
        await response.write(b"x" * 500)
        request.transport.close()
        return response

    client = await lying(handler)

    with pytest.raises(ConnectionFailed):
        await download_file(client, "bucket", "key")


async def test_a_callbacks_own_error_goes_through(s3, client):
    """What the caller's function raises is the caller's, untouched."""
    s3.put("key", b"x" * 100)

    def on_update(_size):
        raise KeyError("mine")

    with pytest.raises(KeyError, match="mine"):
        await download_file(client, s3.bucket, "key", on_update=on_update)
    assert (await download_file(client, s3.bucket, "key")).read() == b"x" * 100


async def test_a_chunk_size_that_cannot_be_is_told(s3, client):
    """No bytes a chunk would never end."""
    with pytest.raises(BadArgument):
        await download_file(client, s3.bucket, "key", chunk_size=0)


# deletions


async def test_any_number_of_paths(s3, server, client):
    """2,500 paths go in three requests, and the answer is one."""
    paths = [f"folder/{number:04}" for number in range(2500)]
    real = [*paths[::150], paths[999], paths[1000], paths[2499]]
    for path in [*real, "stays"]:
        s3.put(path, "x")
    sent = []
    client.meta.events.register("before-send.s3.DeleteObjects", lambda **_: sent.append(1))

    response = await delete_files(client, s3.bucket, (path for path in paths), quiet=False)

    assert s3.keys() == ["stays"]
    assert len(sent) == 3
    assert [row["Key"] for row in response["Deleted"]] == paths
    assert "Errors" not in response


async def test_keys_with_any_character_go(s3, moto, client):
    """Each key goes and no other, whatever it holds."""
    for key in [*ODD_KEYS, "spaces around", "control"]:
        s3.put(key, "x")
    assert set(s3.keys()) == {*ODD_KEYS, "spaces around", "control"}

    response = await delete_files(client, s3.bucket, ODD_KEYS, quiet=False)

    assert set(s3.keys()) == {"spaces around", "control"}
    assert {row["Key"] for row in response["Deleted"]} == set(ODD_KEYS)


async def test_keys_that_xml_may_change_go_alone(lying):
    """A server that strips the spaces around a text must not delete another key for them."""
    requests = []

    async def handler(request):
        requests.append((request.method, request.path))
        if request.method == "DELETE":
            return web.Response(status=204)
        return web.Response(text="<DeleteResult></DeleteResult>")

    client = await lying(handler)

    await delete_files(client, "bucket", ["plain", " a", "a ", "b\x01"])

    assert sorted(requests) == [
        ("DELETE", "/bucket/ a"),
        ("DELETE", "/bucket/a "),
        ("DELETE", "/bucket/b\x01"),
        ("POST", "/bucket"),
    ]


async def test_every_error_is_kept(lying):
    """Errors of all requests are in the one answer, in the shape of DeleteObjects."""

    async def handler(request):
        if request.method == "DELETE":
            return web.Response(
                status=403, text="<Error><Code>AccessDenied</Code><Message>no</Message></Error>"
            )
        body = await request.text()
        first = body.partition("<Key>")[2].partition("</Key>")[0]
        return web.Response(
            text='<DeleteResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/">'
            f"<Error><Key>{first}</Key><Code>AccessDenied</Code><Message>no</Message></Error>"
            "</DeleteResult>"
        )

    client = await lying(handler)
    paths = [f"{number:04}" for number in range(2500)]

    response = await delete_files(client, "bucket", [*paths, "odd\x01"])

    assert response["Errors"] == [
        {"Key": key, "Code": "AccessDenied", "Message": "no"}
        for key in ("0000", "1000", "2000", "odd\x01")
    ]
    assert "Deleted" not in response


async def test_a_server_that_wants_the_old_checksum_gets_it(lying):
    """Some know Content-MD5 alone: the request is sent again with it."""
    headers, sums = [], []

    async def handler(request):
        headers.append(request.headers.get("Content-MD5"))
        sums.append(base64.b64encode(hashlib.md5(await request.read()).digest()).decode())
        if headers[-1] is None:
            return web.Response(status=400, text="<Error><Code>MissingContentMD5</Code></Error>")
        return web.Response(text="<DeleteResult></DeleteResult>")

    client = await lying(handler)

    await delete_files(client, "bucket", ["a", "b"])

    assert headers == [None, sums[1]]


async def test_a_refused_request_is_an_error(lying):
    """A request that fails as a whole raises, and is no answer without errors."""

    async def handler(_request):
        return web.Response(status=403, text="<Error><Code>AccessDenied</Code></Error>")

    client = await lying(handler)

    with pytest.raises(AccessDenied, match="and 1 other key"):
        await delete_files(client, "bucket", ["a", "b"])


@pytest.mark.parametrize("paths", ["file.txt", ["a", ""], ["a", None]])
async def test_paths_that_are_none_are_told_first(lying, paths):
    """One text is not read letter by letter, and nothing goes before all is known to be a key."""
    requests = []

    async def handler(request):
        requests.append(request)
        return web.Response(text="<DeleteResult></DeleteResult>")

    client = await lying(handler)

    with pytest.raises(BadArgument):
        await delete_files(client, "bucket", paths)
    assert requests == []


async def test_no_paths_ask_nothing(s3, client):
    """Nothing to delete is no request, and no error."""
    assert await delete_files(client, s3.bucket, []) == {}


# listings


async def test_a_query_that_jmespath_refuses_is_told(s3, client):
    """Before any request, and as a ValueError too."""
    with pytest.raises(BadQuery) as caught:
        await list_files(client, s3.bucket, "", search_query="Contents[?Size >")

    assert isinstance(caught.value, ValueError)
    assert caught.value.__cause__ is not caught.value


async def test_a_query_that_does_not_fit_is_told(s3, client):
    """A comparison of a number with a text is an error, and no empty list."""
    s3.put("key", "x")

    with pytest.raises(BadQuery, match="different kinds"):
        await list_files(client, s3.bucket, "", search_query="Contents[?Size > '5']")


async def test_max_items_comes_before_the_query(s3, server, client, uploads):
    """The query searches what max_items leaves, as botocore's paginator has it."""
    found = await list_files(
        client, s3.bucket, "uploads/", search_query="Contents[?Size > `100`][].Key", max_items=2
    )

    assert found == ["uploads/document.pdf"]


async def test_a_listing_goes_on_from_a_token(s3, server, client, uploads):
    """A resume token of botocore's paginator is taken up where it points."""
    pages = client.get_paginator("list_objects").paginate(
        Bucket=s3.bucket, Prefix="uploads/", PaginationConfig={"MaxItems": 1}
    )
    await pages.build_full_result()

    rest = await list_files(client, s3.bucket, "uploads/", starting_token=pages.resume_token)

    assert [file["Key"] for file in rest] == ["uploads/small.txt", "uploads/sub/large.bin"]


async def test_a_token_that_is_none_is_told(s3, client):
    """A token that botocore did not make is a bad argument."""
    with pytest.raises(BadArgument):
        await list_files(client, s3.bucket, "", starting_token="a___b___c")


async def test_nothing_under_a_path_is_an_empty_list(s3, server, client):
    """With a query or without."""
    assert await list_files(client, s3.bucket, "nothing/") == []
    assert await list_files(client, s3.bucket, "no/", search_query="Contents[?Size > `1`]") == []


@pytest.mark.parametrize("page_size", [3, None])
async def test_odd_keys_are_listed_as_they_are(s3, moto, client, page_size):
    """Every key is listed once, as it was written, across pages too."""
    for key in ODD_KEYS:
        s3.put(key, "x")

    files = await list_files(client, s3.bucket, "", page_size=page_size)

    await delete_files(client, s3.bucket, ODD_KEYS)  # moto cannot list versions of such keys
    assert sorted(file["Key"] for file in files) == sorted(ODD_KEYS)


async def test_a_users_own_calls_are_as_they_were(s3, client):
    """What the helpers put on a client changes nothing for its owner."""
    s3.put("a b", "x")
    listed = await client.list_objects(Bucket=s3.bucket)
    wanted = {"Objects": [{"Key": "missing"}]}
    deleted = await client.delete_objects(Bucket=s3.bucket, Delete=wanted)

    await list_files(client, s3.bucket, "")
    await delete_files(client, s3.bucket, ["missing"])

    assert (await client.list_objects(Bucket=s3.bucket))["Contents"] == listed["Contents"]
    again = await client.delete_objects(Bucket=s3.bucket, Delete=wanted)
    assert again["Deleted"] == deleted["Deleted"]


# the notebook's loop


async def test_the_loop_is_free_while_helpers_work(lying):
    """A page of 1,000 objects with a query, and 1,000 deletions with an answer each."""
    rows = "".join(
        f"<Contents><Key>data/{number:08}/file.csv</Key><Size>1</Size>"
        "<LastModified>2024-01-15T10:30:00.000Z</LastModified><ETag>&quot;e&quot;</ETag>"
        "<Owner><ID>x</ID></Owner><StorageClass>STANDARD</StorageClass></Contents>"
        for number in range(1000)
    )
    listing = f"<ListBucketResult>{rows}<IsTruncated>false</IsTruncated></ListBucketResult>"
    gone = "".join(f"<Deleted><Key>{number}</Key></Deleted>" for number in range(1000))

    async def handler(request):
        if request.method == "GET":
            return web.Response(text=listing)
        await request.read()
        return web.Response(text=f"<DeleteResult>{gone}</DeleteResult>")

    client = await lying(handler)
    query = "Contents[?LastModified > `2024-01-01`][]"
    paths = [str(number) for number in range(1000)]
    for measured in (False, True):  # once to load what is loaded once
        async with Ticker() as ticker:
            for _ in range(10 if measured else 1):
                found = await list_files(client, "bucket", "", search_query=query)
                answer = await delete_files(client, "bucket", paths, quiet=False)

    assert len(found) == len(answer["Deleted"]) == 1000
    # botocore's own way holds it for 80 ms and more, each of the ten times.
    assert sum(gap > 0.06 for gap in ticker.gaps) < 5

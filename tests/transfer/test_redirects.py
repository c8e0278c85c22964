"""Nothing of ours follows a redirect to another host."""

from __future__ import annotations

import asyncio
import contextlib

import pytest
import pytest_asyncio

from liar import Answer, error
from s3magic.commands.get import get
from s3magic.commands.ls import ls
from s3magic.commands.put import put
from s3magic.errors import S3Error
from s3magic.server_probe import HOST

pytestmark = pytest.mark.asyncio(loop_scope="module")

LARGE = bytes(5 * 1024 * 1024 + 1)
PART = 5 * 1024 * 1024
RIGHT = b"the right bytes" * 5_000


@pytest_asyncio.fixture(loop_scope="module")
async def stranger():
    """Another host, which notes every connection that it is offered."""
    heard = []

    async def listen(reader, writer):
        heard.append(await reader.read(65536))
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nevil")
        with contextlib.suppress(ConnectionError):
            await writer.drain()
        writer.close()

    async with await asyncio.start_server(listen, HOST, 0) as server:
        port = server.sockets[0].getsockname()[1]
        yield f"http://{HOST}:{port}", heard


def bare(status, url):
    return Answer(status, {"location": f"{url}/lies/k"})


def as_s3_says_it(status, url):
    host = url.removeprefix("http://")
    answer = error(status, "TemporaryRedirect", Endpoint=host, Bucket="lies")
    answer.headers |= {"location": f"{url}/lies/k"}
    return answer


def with_a_region(status, url):
    host = url.removeprefix("http://")
    answer = error(status, "PermanentRedirect", Endpoint=host, Region=host, Bucket="lies")
    answer.headers |= {"location": f"{url}/lies/k", "x-amz-bucket-region": f"{host}/#"}
    return answer


def large(liar):
    return put(LARGE, liar.uri("k"), part_size=PART, progress="none")


VERBS = {
    "get": ("GetObject", lambda liar, folder: get(liar.uri("k"), folder / "f", progress="none")),
    "get into memory": ("GetObject", lambda liar, _: get(liar.uri("k"), None, progress="none")),
    "get a part": (
        "GetObject",
        lambda liar, folder: get(liar.uri("k"), folder / "f", part_size=2**16, progress="none"),
    ),
    "head": (
        "HeadObject",
        lambda liar, folder: get(
            liar.uri("k"), folder / "f", dry_run=True, errors="raise", progress="none"
        ),
    ),
    "list": ("ListObjectsV2", lambda liar, _: ls(liar.uri(), progress="none")),
    "list a tree": (
        "ListObjectsV2",
        lambda liar, folder: get(liar.uri(), folder, recursive=True, progress="none"),
    ),
    "put": ("PutObject", lambda liar, _: put(b"secret", liar.uri("k"), progress="none")),
    "put a stream": (
        "PutObject",
        lambda liar, _: put(LARGE[: 2**20], liar.uri("k"), progress="none"),
    ),
    "create": (
        "CreateMultipartUpload",
        lambda liar, _: large(liar),
    ),
    "part": (
        "UploadPart",
        lambda liar, _: large(liar),
    ),
    "complete": (
        "CompleteMultipartUpload",
        lambda liar, _: large(liar),
    ),
}


FORMS = [(bare, status) for status in (301, 302, 303, 307, 308)]
FORMS += [(as_s3_says_it, 307), (with_a_region, 301), (with_a_region, 307)]


@pytest.mark.parametrize(("form", "status"), FORMS)
@pytest.mark.parametrize("verb", VERBS)
async def test_no_redirect_takes_anything_to_another_host(
    liar, stranger, tmp_path, verb, form, status
):
    """No header, no body, no token, not even a connection; and the verb says so."""
    url, heard = stranger
    operation, run = VERBS[verb]
    liar.objects["k"] = RIGHT
    when = (lambda request: bool(request.start)) if verb == "get a part" else (lambda _: True)
    liar.lie(f"before {operation}", lambda *_: form(status, url), when=when)

    if verb == "head":
        report = await run(liar, tmp_path)
        said = report.Error[0]
    else:
        with pytest.raises(S3Error) as failure:
            await run(liar, tmp_path)
        said = str(failure.value)

    assert heard == []
    assert said.startswith("Cannot ")
    assert "redirect" in said or "region" in said or "lives in" in said, said
    assert liar.objects["k"] == RIGHT
    assert all(path.suffix == ".s3part" for path in tmp_path.iterdir())

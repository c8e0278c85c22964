"""Endpoints that answer 200 and are no S3 server, and progress that is true to the byte."""

import asyncio
import random

import pytest

from liar import Answer
from s3magic import session, settings
from s3magic.commands.get import get
from s3magic.commands.ls import ls
from s3magic.commands.put import put
from s3magic.errors import NoSuchVersion, ServerFault
from s3magic.settings import MiB
from s3magic.transfer.download import download
from s3magic.transfer.engine import Run
from s3magic.transfer.plan import Download, Upload
from s3magic.transfer.progress import Meter
from s3magic.transfer.upload import send
from s3magic.uri import S3Uri

pytestmark = pytest.mark.asyncio(loop_scope="module")

SMALL = random.Random(3).randbytes(300_000)
LARGE = random.Random(4).randbytes(12 * MiB)
PAGE = b"<!doctype html><html><body>Please log in.</body></html>"


def page(_request, _answer):
    """What a console, a login page or a proxy says to anything."""
    return Answer(200, {"content-type": "text/html"}, PAGE)


async def test_a_web_page_is_no_object(liar, tmp_path):
    """The file that was there stays, and the sentence says what answered."""
    (tmp_path / "f").write_bytes(b"old")
    liar.lie("GetObject", page)

    with pytest.raises(ServerFault, match="web page answers there"):
        await get(liar.uri("k"), tmp_path / "f", progress="none")
    with pytest.raises(ServerFault, match="web page answers there"):
        await get(liar.uri("k"), None, progress="none")

    assert (tmp_path / "f").read_bytes() == b"old"
    assert [path.name for path in tmp_path.iterdir()] == ["f"]


@pytest.mark.parametrize("body", [b"<html><body>Hello.</body></html>", PAGE, b""])
async def test_a_web_page_is_no_listing(liar, tmp_path, body):
    """Not an empty one: a tree that is fetched from there has not been fetched."""
    liar.lie("ListObjectsV2", lambda *_: Answer(200, {"content-type": "text/html"}, body))

    with pytest.raises(ServerFault):
        await ls(liar.uri(), progress="none")
    with pytest.raises(ServerFault):
        await get(liar.uri(), tmp_path, recursive=True, progress="none")


@pytest.mark.parametrize("html", [True, False])
@pytest.mark.parametrize(
    ("operation", "data"),
    [
        ("PutObject", SMALL),
        ("CreateMultipartUpload", LARGE),
        ("UploadPart", LARGE),
        ("CompleteMultipartUpload", LARGE),
    ],
)
async def test_a_put_that_nobody_confirms_is_a_failure(liar, operation, data, html):
    """A 200 without an ETag stored nothing, as far as anybody knows."""
    liar.objects["k"] = b"old"
    liar.lie(f"before {operation}", page if html else lambda *_: Answer(200, {}, b""))

    report = await put(data, liar.uri("k"), part_size=5 * MiB, errors="return", progress="none")

    (row,) = report.itertuples()
    assert row.Status == "failed"
    # botocore takes a page for an error of the server's, and says so.
    assert ("server failed" if html else "is not S3's") in row.Error
    assert liar.objects["k"] == b"old"


async def test_another_version_than_the_one_asked_for_is_refused(liar, tmp_path):
    """A server that knows no versions gives the latest, and that is not what was meant."""
    liar.objects["k"] = SMALL

    with pytest.raises(NoSuchVersion, match="sent another"):
        await get(liar.uri("k"), tmp_path / "f", version_id="v1", progress="none")

    assert list(tmp_path.iterdir()) == []


async def test_an_upload_tells_of_its_bytes_as_they_go(liar):
    """Before a part is whole some of it is told; a retry takes back what was in vain."""
    tells = []
    liar.lie("PutObject", lambda *_: Answer(503, {}, b""), times=1)
    client = await session.client()

    class Noting(Meter):
        def advance(self, number, size, *, moved=True):
            tells.append(size)
            super().advance(number, size, moved=moved)

    meter = Noting("Uploading", "Uploaded")
    shared = Run(client, meter, 4, 8 * MiB, 16 * MiB)
    job = Upload(LARGE, S3Uri.parse(liar.uri("k")), len(LARGE), "data")

    await send(shared, job, meter.begin("data", len(LARGE)))

    assert max(tells) <= MiB
    assert min(tells) == -len(LARGE)
    assert sum(tells) == meter.done_size == len(LARGE)


async def test_what_arrived_of_a_part_is_kept_and_told(liar, tmp_path):
    """Half of each part came before the cancel; the next try asks for the other halves alone."""
    size = 4 * MiB
    data = random.Random(5).randbytes(4 * size)
    liar.objects["k"] = data
    half = asyncio.Event()

    def stall(request, answer):
        """Send half of each part, and then nothing; of the other half nothing at all."""
        headers = {"content-length": str(len(answer.body)), **answer.headers}
        sent = 0 if request.start % size else size // 2
        return Answer(answer.status, headers, answer.body[:sent], then="hang")

    liar.lie("GetObject", stall)

    class Watched(Meter):
        def advance(self, number, size, *, moved=True):
            super().advance(number, size, moved=moved)
            if self.done_size == len(data) // 2:
                half.set()

    meter = Watched("Downloading", "Downloaded")
    usual = session.current()
    settings.change(read_timeout=2.0)  # only then the last of what arrived is told
    impatient = session.connect(
        endpoint_url=liar.endpoint_url,
        region="us-east-1",
        aws_access_key_id="testing",
        aws_secret_access_key="testing",
    )
    try:
        shared = Run(await session.client(), meter, 8, size, size)
        job = Download(S3Uri.parse(liar.uri("k")), tmp_path / "f")
        task = asyncio.create_task(download(shared, job, meter.begin("k")))
        await asyncio.wait_for(half.wait(), 30)
        task.cancel()
        await asyncio.wait([task])
    finally:
        await impatient.close()
        settings.change(read_timeout=10.0)
        session._current = usual
    liar.reset()
    liar.objects["k"] = data

    await get(liar.uri("k"), tmp_path / "f", part_size=size, progress="none")

    asked = [request.headers["range"] for request in liar.requests]
    assert meter.kept == 2 * size
    assert "kept" in meter.summary
    assert (tmp_path / "f").read_bytes() == data
    halves = {f"bytes={n * size + size // 2}-{(n + 1) * size - 1}" for n in range(4)}
    assert set(asked) == halves | {f"bytes=0-{size - 1}"}  # the first asks what there is


async def test_who_pays_says_so_with_every_request(liar, tmp_path):
    """Listings, small objects and large ones, parts too; and nobody else does."""
    await ls(liar.uri(), progress="none")
    before = session.current()
    assert not any("x-amz-request-payer" in one.headers for one in liar.requests)
    options = {name: getattr(before.options, name) for name in ("endpoint_url", "region", "verify")}
    keys = {"aws_access_key_id": "testing", "aws_secret_access_key": "testing"}
    liar.requests.clear()

    session.connect(request_payer=True, **options, **keys)
    await ls(liar.uri(), progress="none")
    await put(SMALL, liar.uri("small"), progress="none")
    await put(LARGE, liar.uri("large"), progress="none")
    for name in ("small", "large"):
        await get(liar.uri(name), tmp_path / name, progress="none")
    asked = list(liar.requests)
    await session.close()
    session.connect(**options, **keys, aws_session_token="a-session-token")

    assert {one.headers.get("x-amz-request-payer") for one in asked} == {"requester"}
    assert {"ListObjectsV2", "PutObject", "UploadPart", "GetObject"} <= {
        one.operation for one in asked
    }

"""Requests are money: what each verb asks for, counted at the server's door.

No test here allows for a retry: on a server that answers, each request that is
not needed is one that somebody pays for. Both ways are counted, the fast one
and the ordinary client's, and must cost the same.
"""

from __future__ import annotations

import contextlib
from collections import Counter

import pandas as pd
import pytest

from front import Front
from liar import Liar, error
from s3magic import session
from s3magic.commands.get import get
from s3magic.commands.ls import ls
from s3magic.commands.put import put
from s3magic.settings import MiB, Settings, change, defaults
from servers import Rig

SMALL = 120  # objects below many/
PARTS = 5  # parts of 8 MiB that large has: four, and a byte


@pytest.fixture(scope="module")
def bucket(seaweed):
    """Many small objects, an empty one and one of several parts."""
    with Rig(seaweed) as rig:
        for number in range(SMALL):
            rig.put(f"many/{number:04}", b"x" * number)
        rig.put("empty", b"")
        rig.put("large", bytes(4 * 8 * MiB + 1))
        yield rig


@pytest.fixture(scope="module")
def door(seaweed):
    """The door before that server."""
    with Front(seaweed) as front:
        yield front


@pytest.fixture(params=["fast", "ordinary"])
def way(request):
    """Both ways, one after the other."""
    change(fast=request.param == "fast")
    yield request.param
    change(fast=True, page_size=Settings().page_size)


@contextlib.asynccontextmanager
async def connected(server):
    """Put a new client before a server: nothing is known of any bucket."""
    session.connect(
        endpoint_url=server.endpoint_url,
        aws_access_key_id=server.access_key,
        aws_secret_access_key=server.secret_key,
        region="us-east-1",
    )
    try:
        yield
    finally:
        await session.close()
        session.connect(reset=True)  # what follows reaches what its own environment says


@pytest.fixture
async def front(door, way, environment):
    """The door, with nothing asked yet."""
    door.forget()
    async with connected(door):
        yield door


def rows(bucket, *keys):
    """Make a frame as `ls` gives it: key and size of each are known."""
    return pd.DataFrame(
        {
            "Bucket": bucket.bucket,
            "Key": keys,
            "Size": [bucket.head(key)["ContentLength"] for key in keys],
            "Type": "object",
        }
    )


async def test_a_folder_of_small_objects_costs_a_get_each_and_its_listing(bucket, front, tmp_path):
    """N listed objects are N GETs, and a page is one LIST."""
    report = await get(bucket.uri("many/"), tmp_path, recursive=True)

    assert len(report) == SMALL
    assert front.counts() == {"GetObject": SMALL, "ListObjectsV2": 1}


async def test_a_folder_of_several_pages_costs_a_few_lists_to_split_it(way, environment, tmp_path):
    """N listed objects are N GETs, a LIST a page, and at most two for two cuts."""
    change(page_size=40)
    async with Liar() as liar, connected(liar):
        liar.objects |= {f"{number:04}": b"x" for number in range(201)}
        report = await get(liar.uri(), tmp_path, recursive=True)
        asked = Counter(liar.operations())

    assert len(report) == 201
    assert asked.pop("GetObject") == 201
    assert 6 <= asked.pop("ListObjectsV2") <= 6 + 2
    assert not asked


async def test_what_is_refused_costs_one_more_get_and_a_name_that_is_taken_none(
    way, environment, tmp_path
):
    """The fast way hears the no, the ordinary client its words; of a folder nobody need ask."""
    (tmp_path / "0003").mkdir()
    async with Liar() as liar, connected(liar):
        liar.objects |= {f"{number:04}": b"x" for number in range(60)}
        liar.lie(
            "GetObject",
            lambda *_: error(403, "AccessDenied"),
            when=lambda request: request.key.endswith("7"),
        )
        report = await get(liar.uri(), tmp_path, recursive=True, errors="return")
        asked = Counter(request.key for request in liar.asked("GetObject"))

    refused = {key: asked.pop(key) for key in list(asked) if key.endswith("7")}
    assert list(report.Status).count("failed") == 7
    assert set(refused.values()) == {2 if way == "fast" else 1}
    assert set(asked.values()) == {1}


async def test_a_frame_of_small_objects_costs_a_get_each(bucket, front, tmp_path):
    """What was listed is not asked for again."""
    frame = await ls(bucket.uri("many/"), limit=100)
    front.forget()

    report = await get(frame, tmp_path)

    assert report.Status.eq("done").all()
    assert front.counts() == {"GetObject": 100}


@pytest.mark.parametrize(
    ("key", "gets"),
    [
        ("many/0100", 1),
        ("large", PARTS),
        ("empty", 2),  # it has no first byte to ask for, which a server has to say
    ],
)
async def test_an_object_costs_a_get_a_part(bucket, front, tmp_path, key, gets):
    """Nothing asks beforehand how large it is: the first answer tells."""
    await get(bucket.uri(key), tmp_path / "f")
    assert front.counts() == {"GetObject": gets}
    front.forget()

    data = await get(bucket.uri(key), None)

    assert front.counts() == {"GetObject": gets}
    assert (tmp_path / "f").read_bytes() == data


async def test_a_listed_object_costs_a_get_a_part_and_an_empty_one_a_get(bucket, front, tmp_path):
    """A frame's row tells the size."""
    await get(rows(bucket, "large", "empty", "many/0001"), tmp_path)

    assert front.counts() == {"GetObject": PARTS + 1 + 1}


async def test_small_files_cost_a_put_each(s3, front, tmp_path):
    """N files are N PUTs, whether there is something at their keys or not."""
    for number in range(60):
        (tmp_path / f"{number}").write_bytes(b"x" * number)

    for _ in range(2):
        front.forget()
        await put(tmp_path, s3.uri(), recursive=True)

        assert front.counts() == {"PutObject": 60}


@pytest.mark.parametrize("size", [0, 5, 2 * MiB, 16 * MiB - 1])
async def test_a_small_put_is_one_put(s3, front, tmp_path, size):
    """Up to where parts begin, of bytes and of a file."""
    data = bytes(size)
    (tmp_path / "f").write_bytes(data)

    await put(data, s3.uri("a"))
    await put(tmp_path / "f", s3.uri("b"))

    assert front.counts() == {"PutObject": 2}


async def test_a_large_put_is_its_parts_a_beginning_and_an_end(s3, front, tmp_path):
    """Nothing is listed, nothing is swept, nothing is verified where all went well."""
    data = bytes(4 * 8 * MiB + 1)
    (tmp_path / "f").write_bytes(data)

    for source in (data, tmp_path / "f"):
        front.forget()
        await put(source, s3.uri("large"))

        assert front.counts() == {
            "CreateMultipartUpload": 1,
            "UploadPart": PARTS,
            "CompleteMultipartUpload": 1,
        }


async def test_no_clobber_costs_a_head_and_nothing_where_a_file_is(bucket, s3, front, tmp_path):
    """A put must ask what is at the key; a get looks at the folder."""
    (tmp_path / "f").write_bytes(b"mine")

    await put(b"new", s3.uri("k"), no_clobber=True)
    await put(b"newer", s3.uri("k"), no_clobber=True)
    assert front.counts() == {"HeadObject": 2, "PutObject": 1}
    front.forget()
    await get(bucket.uri("many/0001"), tmp_path / "f", no_clobber=True)

    assert front.counts() == {}


async def test_a_dry_run_of_a_frame_is_free(bucket, front, tmp_path):
    """All that it says is in the frame."""
    await get(rows(bucket, "large", "many/0001"), tmp_path, dry_run=True)

    assert front.counts() == {}


async def test_one_page_is_one_list(bucket, front):
    """A short listing, one level of it, and a limit: each is one request."""
    for options in ({}, {"recursive": True}, {"limit": 10}, {"limit": 10, "recursive": True}):
        front.forget()
        await ls(bucket.uri("many/00"), **options)

        assert front.counts() == {"ListObjectsV2": 1}, options


@pytest.mark.parametrize("shape", ["flat", "folders"])
async def test_a_long_listing_costs_its_pages_and_a_few_to_split_it(way, environment, shape):
    """ceil(N / 1000) LISTs, two cuts, and one cut in sixteen pages."""
    total, pages = 20_500, 21
    name = "{:08}" if shape == "flat" else "{:03}/{:05}"
    async with Liar() as liar, connected(liar):
        for number in range(total):
            of = (number,) if shape == "flat" else divmod(number, 300)
            liar.objects[name.format(*of)] = b""
        frame = await ls(liar.uri(), recursive=True)
        asked = liar.operations()

    assert frame.Key.is_unique
    assert len(frame) == total
    assert set(asked) == {"ListObjectsV2"}
    assert pages <= len(asked) <= pages + 2 + (pages + 4) // 16
    assert defaults().page_size == 1000

"""Whether a file has the content that an ETag or a checksum is of."""

import base64
import hashlib
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from s3magic.transfer.contents import (
    etag_checks,
    matches,
    matches_many,
    part_sizes,
    sum_checks,
)

MiB = 1024 * 1024


def md5(data):
    return hashlib.md5(data)


def multipart(data, part_size):
    """The ETag of an object that came in parts."""
    parts = [md5(data[at : at + part_size]).digest() for at in range(0, len(data), part_size)]
    return f"{md5(b''.join(parts)).hexdigest()}-{len(parts)}"


@given(st.integers(1, 5 * 2**40), st.integers(1, 10_000))
def test_part_sizes_make_just_so_many_parts(size, parts):
    """Each of them, and there are only a few."""
    found = part_sizes(size, parts)

    least = -(-size // parts)
    possible = -(-size // least) == parts
    assert len(found) <= 6
    assert bool(found) == possible
    assert all(-(-size // one) == parts for one in found)


@pytest.mark.parametrize("part_size", [8 * MiB, 5 * MiB, 16 * MiB, 17 * MiB, 32 * MiB])
@pytest.mark.parametrize("size", [33 * MiB, 40 * MiB - 1, 64 * MiB + 7])
def test_the_part_sizes_that_tools_use_are_tried(part_size, size):
    """Those of aws, boto3, rclone, MinIO's client and others."""
    assert part_size in part_sizes(size, -(-size // part_size))


@pytest.fixture
def file(tmp_path):
    """Some megabytes, in a file."""
    path = tmp_path / "f"
    path.write_bytes(bytes(range(256)) * (17 * MiB // 256) + b"end")
    return path


@pytest.mark.parametrize("part_size", [5 * MiB, 8 * MiB, 16 * MiB, 100 * MiB])
async def test_a_content_is_known_by_its_etag(file, part_size):
    """Of a whole object, and of one in parts; of no other content."""
    data = file.read_bytes()
    other = data[:-1] + b"x"

    for mine, theirs in (
        (md5(data).hexdigest(), md5(other).hexdigest()),
        (multipart(data, part_size), multipart(other, part_size)),
    ):
        assert await matches(file, len(data), etag_checks(mine, len(data)))
        assert not await matches(file, len(data), etag_checks(theirs, len(data)))


async def test_an_empty_file_is_known_too(tmp_path):
    """Sent whole, or as one empty part."""
    (tmp_path / "f").touch()

    assert await matches(tmp_path / "f", 0, etag_checks(md5(b"").hexdigest(), 0))
    one = f"{md5(md5(b'').digest()).hexdigest()}-1"
    assert await matches(tmp_path / "f", 0, etag_checks(one, 0))


@pytest.mark.parametrize("etag", [None, "", "abc", "x" * 32, "a" * 32 + "-", "a" * 32 + "-0"])
async def test_an_etag_that_is_no_md5_matches_nothing(file, etag):
    """Who asks takes the content for another."""
    size = file.stat().st_size

    assert not await matches(file, size, etag_checks(etag, size))


async def test_a_file_that_grew_or_shrank_does_not_match(file):
    """Whatever its first bytes are."""
    data = file.read_bytes()

    for size in (len(data) - 1, len(data) + 1):
        checks = etag_checks(md5(data[:size]).hexdigest(), size)
        assert not await matches(file, size, checks)


@pytest.mark.parametrize(
    ("name", "digest"),
    [
        ("ChecksumCRC32", lambda data: zlib.crc32(data).to_bytes(4, "big")),
        ("ChecksumSHA1", lambda data: hashlib.sha1(data).digest()),
        ("ChecksumSHA256", lambda data: hashlib.sha256(data).digest()),
    ],
)
async def test_a_content_is_known_by_the_servers_checksum(file, name, digest):
    """Of the whole, and of the parts' sums."""
    data = file.read_bytes()
    parts = [digest(data[at : at + 8 * MiB]) for at in range(0, len(data), 8 * MiB)]
    whole = base64.b64encode(digest(data)).decode()
    summed = f"{base64.b64encode(digest(b''.join(parts))).decode()}-{len(parts)}"

    for value in (whole, summed):
        assert await matches(file, len(data), sum_checks({name: value}, len(data)))
    wrong = base64.b64encode(digest(b"other")).decode()
    assert not await matches(file, len(data), sum_checks({name: wrong}, len(data)))
    assert sum_checks({"ChecksumCRC64NVME": whole}, len(data)) == []


async def test_many_small_files_are_looked_at_in_one_go(tmp_path):
    """One that is gone does not match, and harms no other."""
    (tmp_path / "a").write_bytes(b"1")
    (tmp_path / "b").write_bytes(b"2")
    etag = md5(b"1").hexdigest()

    found = await matches_many(
        [(tmp_path / name, 1, etag_checks(etag, 1)) for name in ("a", "b", "gone")]
    )

    assert found == [True, False, False]

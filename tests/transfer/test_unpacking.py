"""Unpacking as the bytes come."""

from __future__ import annotations

import bz2
import gzip
import lzma
import random
import sys

import pytest

from s3magic.errors import Damaged
from s3magic.transfer.unpacking import unpacker

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

TEXT = b"".join(b"%d,%x\n" % (number, random.Random(number).getrandbits(40)) for number in range(9))
PACKERS = {"gzip": gzip.compress, "bzip2": bz2.compress, "xz": lzma.compress, "zstd": zstd.compress}
packers = pytest.mark.parametrize("pack", PACKERS.values(), ids=PACKERS)


def unpacked(packed, step):
    """Feed an object in pieces of `step` bytes; gives what came, and whether it is whole."""
    unpacking = unpacker(packed, "it")
    out = b"".join(unpacking.feed(packed[at : at + step]) for at in range(0, len(packed), step))
    return out, unpacking.whole


@packers
@pytest.mark.parametrize("step", [1, 7, 10_000])
def test_what_is_packed_comes_out_however_it_is_cut(pack, step):
    """Byte by byte, or all at once."""
    assert unpacked(pack(TEXT), step) == (TEXT, True)


@packers
@pytest.mark.parametrize("step", [1, 7, 10_000])
def test_several_streams_are_one_object(pack, step):
    """As the tools of each form have it; an empty one among them is nothing."""
    packed = pack(TEXT) + pack(b"") + pack(b"more")

    assert unpacked(packed, step) == (TEXT + b"more", True)


@pytest.mark.parametrize("step", [1, 7, 10_000])
@pytest.mark.parametrize("rest", [b"\0", b"\0" * 600, b"what is this?"], ids=["0", "0s", "words"])
def test_what_stands_behind_a_stream_and_is_none_is_left_out(rest, step):
    """As gzip leaves out the zeros that fill a tape's last block."""
    assert unpacked(gzip.compress(TEXT) + rest, step) == (TEXT, True)


@packers
def test_what_breaks_off_is_not_whole(pack):
    """What came of it is there nonetheless."""
    out, whole = unpacked(pack(TEXT * 1000)[:-20], 100)

    assert not whole
    assert (TEXT * 1000).startswith(out)


@packers
def test_no_more_is_unpacked_than_is_wanted(pack):
    """A few bytes that would become ten megabytes do not."""
    bomb = pack(bytes(10_000_000))

    assert unpacker(bomb, "it").feed(bomb, 1000) == bytes(1000)


@packers
def test_what_goes_on_as_something_else_is_told(pack):
    """By its name, with what to do."""
    packed = pack(TEXT * 100)
    broken = packed[:60] + b"\xff" * (len(packed) - 60)

    with pytest.raises(Damaged, match=r"Cannot unpack s3://b/k: .*--raw"):
        unpacker(broken, "s3://b/k").feed(broken)


@pytest.mark.parametrize("data", [b"", b"\x1f\x8b", b"BZh9 is how it begins", b"a,b\n1,2\n"])
def test_what_is_not_packed_has_nothing_that_unpacks_it(data):
    """A text that happens to begin as the name of a form is one."""
    assert unpacker(data, "it") is None


def test_a_frame_that_is_to_be_skipped_is(tmp_path):
    """RFC 8878, 3.1.2: tools put their own notes there."""
    note = b"\x50\x2a\x4d\x18" + (4).to_bytes(4, "little") + b"note"

    assert unpacked(note + zstd.compress(TEXT), 5) == (TEXT, True)

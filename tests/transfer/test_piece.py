"""A piece of a source: exactly its bytes, or an error, as often as it is read."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from s3magic.errors import LocalFault
from s3magic.transfer.piece import Piece
from s3magic.transfer.plan import Upload
from s3magic.uri import S3Uri
from s3magic.wire.http1 import FileRange

DATA = bytes(range(256)) * 20
SIZE = len(DATA)


def job(source, size=SIZE):
    return Upload(source, S3Uri("b", "k"), size, "the name", {})


def read(piece, buffer=100):
    """Read it twice, as for its sum and to be sent."""
    with piece.opened(memoryview(bytearray(buffer))) as source:
        first = b"".join(map(bytes, source.blocks()))
        again = b"".join(map(bytes, source.blocks()))
    assert first == again
    return first


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    start=st.integers(0, len(DATA)),
    size=st.integers(0, len(DATA)),
    buffer=st.integers(1, 2 * len(DATA)),
    in_memory=st.booleans(),
)
def test_a_piece_is_its_bytes(tmp_path, start, size, buffer, in_memory):
    """Anywhere, of any size, through a buffer of any size."""
    path = tmp_path / "f"
    if not path.exists():
        path.write_bytes(DATA)
    size = min(size, len(DATA) - start)

    assert (
        read(Piece(job(DATA if in_memory else path), start, size), buffer)
        == (DATA[start : start + size])
    )


@pytest.mark.parametrize("buffer", [7, len(DATA), 3 * len(DATA)])
@pytest.mark.parametrize("told", [1, len(DATA) - 1, len(DATA) + 1, 0])
def test_a_file_of_another_size_than_it_had_is_an_error(tmp_path, buffer, told):
    """Longer or shorter: half of it is no object."""
    path = tmp_path / "f"
    path.write_bytes(DATA)

    with pytest.raises(LocalFault, match="'the name' changed its size"):
        read(Piece(job(path, told), 0, told), buffer)


def test_a_part_does_not_mind_what_lies_behind_it(tmp_path):
    """Only the last one looks whether the file goes on."""
    path = tmp_path / "f"
    path.write_bytes(DATA + b"more")

    assert read(Piece(job(path), 10, 20)) == DATA[10:30]
    with pytest.raises(LocalFault):
        read(Piece(job(path), 20, len(DATA) - 20))


def test_a_file_that_fits_the_buffer_is_read_once(tmp_path):
    """For its sum and to be sent: what was summed is what is sent."""
    path = tmp_path / "f"
    path.write_bytes(DATA)
    with Piece(job(path), 0, len(DATA)).opened(memoryview(bytearray(len(DATA)))) as source:
        first = b"".join(map(bytes, source.blocks()))
        path.write_bytes(bytes(len(DATA)))

        assert b"".join(map(bytes, source.blocks())) == first == DATA


@pytest.mark.parametrize("buffer", [100, SIZE])
def test_ranges_of_a_file_are_the_same_bytes(tmp_path, buffer):
    """What the system sends by itself is what was summed."""
    path = tmp_path / "f"
    path.write_bytes(DATA)
    with Piece(job(path), 10, 3000).opened(memoryview(bytearray(buffer))) as source:
        summed = b"".join(map(bytes, source.blocks()))
        sent = b""
        for one in source.ranges():
            if isinstance(one, FileRange):
                one.file.seek(one.start)
                sent += one.file.read(one.size)
            else:
                sent += bytes(one)

    assert sent == summed == DATA[10:3010]

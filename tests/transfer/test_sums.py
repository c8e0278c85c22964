"""Checksums: what guards a body that goes, and what was promised of one that comes."""

from __future__ import annotations

import base64
import hashlib
import zlib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from s3magic.transfer.piece import Piece
from s3magic.transfer.plan import Upload
from s3magic.transfer.sums import Sum, guards
from s3magic.uri import S3Uri
from s3magic.wire.addresses import Address
from s3magic.wire.answer import Head
from s3magic.wire.signing import EMPTY, UNSIGNED, Keys, Scope
from s3magic.wire.template import Template

DATA = bytes(range(256)) * 5000


def template(*, hashed, summed):
    address = Address("h", 1, None, 1, 1)
    keys, scope = Keys("a", "b"), Scope("r", "s3")
    return Template(address, "PUT", "/", {"host": "h"}, keys, scope, hashed=hashed, summed=summed)


def head(**headers):
    told = Head()
    for name, value in headers.items():
        told.on_header(name.replace("_", "-").encode(), value.encode())
    told.read()
    return told


def text(digest):
    return base64.b64encode(digest).decode()


def crc32(data):
    return text(zlib.crc32(data).to_bytes(4, "big"))


@given(data=st.binary(max_size=100), hashed=st.booleans(), summed=st.booleans())
def test_a_body_is_guarded_as_the_template_says(data, hashed, summed):
    """By its hash, its sum, both or neither."""
    piece = Piece(Upload(data, S3Uri("b", "k"), len(data), "d", {}), 0, len(data))
    with piece.opened(memoryview(bytearray(10))) as source:
        headers, payload = guards(template(hashed=hashed, summed=summed), source)

    assert payload == (hashlib.sha256(data).hexdigest() if hashed else UNSIGNED)
    assert headers == ({"x-amz-checksum-crc32": crc32(data)} if summed else {})


def test_a_file_is_guarded_like_bytes(tmp_path):
    """Through whatever buffer it is read."""
    path = tmp_path / "f"
    path.write_bytes(DATA)
    piece = Piece(Upload(path, S3Uri("b", "k"), len(DATA), "f", {}), 300, 100_000)
    with piece.opened(memoryview(bytearray(999))) as source:
        headers, payload = guards(template(hashed=True, summed=True), source)

    assert payload == hashlib.sha256(DATA[300:100_300]).hexdigest()
    assert headers == {"x-amz-checksum-crc32": crc32(DATA[300:100_300])}


def test_nothing_has_the_hash_of_nothing():
    """As S3 knows it."""
    piece = Piece(Upload(b"", S3Uri("b", "k"), 0, "d", {}), 0, 0)
    with piece.opened(memoryview(bytearray(10))) as source:
        assert guards(template(hashed=True, summed=False), source) == ({}, EMPTY)


PROMISES = {
    "crc32": crc32(DATA),
    "sha256": text(hashlib.sha256(DATA).digest()),
    "sha1": text(hashlib.sha1(DATA, usedforsecurity=False).digest()),
}


@pytest.mark.parametrize("name", PROMISES)
def test_a_body_that_is_not_the_one_promised_is_seen(name):
    """One bit of a million is enough; the right one passes, in whatever pieces it came."""
    right = Sum(head(**{f"x_amz_checksum_{name}": PROMISES[name]}).get)
    wrong = Sum(head(**{f"X_Amz_Checksum_{name.upper()}": PROMISES[name]}).get)
    for at in range(0, len(DATA), 77_777):
        right.update(memoryview(DATA)[at : at + 77_777])
    wrong.update(memoryview(bytes([DATA[0] ^ 1]) + DATA[1:]))

    assert right.right
    assert not wrong.right


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"x_amz_checksum_crc32": PROMISES["crc32"] + "-3"},
        {"x_amz_checksum_crc64nvme": "AAAAAAAAAAA="},
        {"x_amz_checksum_crc32c": "AAAAAA=="},
        {"x_amz_checksum_type": "FULL_OBJECT"},
    ],
)
def test_what_cannot_be_checked_is_taken(headers):
    """No promise, one of the parts' sums, or one of an algorithm that Python lacks."""
    found = Sum(head(**headers).get)
    found.update(memoryview(DATA))

    assert found.right


def test_nothing_is_promised_of_a_part():
    """The sum is the whole object's."""
    found = Sum(None)
    found.update(memoryview(b"a part"))

    assert found.right


def test_the_file_is_no_folder():
    """A source that is gone is an error of the file's, for the ordinary way to tell."""
    piece = Piece(Upload(Path("/no/such"), S3Uri("b", "k"), 1, "f", {}), 0, 1)
    with pytest.raises(FileNotFoundError), piece.opened(memoryview(bytearray(1))):
        pass

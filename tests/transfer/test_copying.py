"""Copying on a server that fails, lies, or does not know it all: the new object, or the old one."""

from __future__ import annotations

import pytest

from cutting import through
from liar import BUCKET, Answer, Liar, error
from s3magic import settings
from s3magic.settings import MiB
from s3magic.transfer.copying import Copy, copy
from s3magic.transfer.engine import Run, run
from s3magic.transfer.progress import Meter
from s3magic.transfer.window import stream
from s3magic.uri import S3Uri

SMALL, LARGE = b"small", b"l" * (10 * MiB + 1)
SOURCES = {"small": SMALL, "large": LARGE}


@pytest.fixture(autouse=True)
def in_parts():
    """Have an object of more than 5 MiB copied in parts."""
    before = settings.defaults()
    settings.change(copy_threshold=5 * MiB, copy_part_size=5 * MiB)
    yield
    settings.change(copy_threshold=before.copy_threshold, copy_part_size=before.copy_part_size)


@pytest.fixture
async def liar():
    """A server of our own, honest until it is told to lie."""
    async with Liar() as liar:
        liar.objects.update(SOURCES)
        yield liar


@pytest.fixture
async def doors(liar):
    """A door before it, and a client that asks once."""
    async with through(liar) as (door, client):
        yield door, client


async def copied(liar, client, source):
    """Copy to a key that holds something; gives the row, and the meter."""
    liar.objects["target"] = b"old"
    meter = Meter("Copying", "Copied")
    shared = Run(client, meter, 4, 8 * MiB, 16 * MiB)
    job = Copy(S3Uri(BUCKET, source), S3Uri(BUCKET, "target"))
    (row,) = await run(shared, stream([job]), copy, "copy")
    assert liar.objects["target"] == (SOURCES[source] if row.status == "done" else b"old")
    assert not liar.uploads
    return row, meter


@pytest.mark.parametrize(("source", "method", "step"), [("small", "PUT", 1), ("large", "POST", 2)])
async def test_a_copy_whose_answer_is_lost_is_found_at_its_target(
    liar, doors, source, method, step
):
    """The request that makes the object was done, and nobody said so."""
    door, client = doors
    door.cut("unanswered", step, method=method, lasting=True)

    row, _ = await copied(liar, client, source)

    assert door.reached.is_set()
    assert row.status == "done", row.error


async def test_an_old_copy_is_not_taken_for_the_new_one(liar, doors):
    """The same bytes, with other metadata perhaps: what was asked for was never done."""
    door, client = doors
    door.cut("unheard", 1, method="PUT", lasting=True)
    job = Copy(S3Uri(BUCKET, "small"), S3Uri(BUCKET, "before"))
    liar.objects["before"] = SMALL
    shared = Run(client, Meter("Copying", "Copied"), 4, 8 * MiB, 16 * MiB)

    (row,) = await run(shared, stream([job]), copy, "copy")

    assert row.status == "failed"


@pytest.mark.parametrize("operation", ["CopyObject", "UploadPartCopy", "CompleteMultipartUpload"])
async def test_an_error_inside_a_success_is_an_error(liar, doors, operation):
    """S3 begins the answer to a copy before it knows its end."""
    _, client = doors
    inside = error(200, "InternalError")
    liar.lie(operation, lambda request, _: undone(liar, request) or inside)

    row, _ = await copied(liar, client, "small" if operation == "CopyObject" else "large")

    assert row.status == "failed"


def undone(liar, request):
    """Take back what the honest server did."""
    if request.operation != "UploadPartCopy":
        liar.objects["target"] = b"old"
        liar.etags.pop("target", None)


@pytest.mark.parametrize("careless", [False, True], ids=["conditions", "no conditions"])
async def test_no_copy_is_made_of_two_objects(liar, doors, careless):
    """The source is replaced between two parts, on a server that knows conditions or not."""
    _, client = doors

    def forgetful(request):
        if careless:
            request.headers.pop("x-amz-copy-source-if-match", None)
        return False

    def replaced(_request, answer):
        liar.objects["large"] = b"n" * len(LARGE)
        return answer

    liar.lie("before UploadPartCopy", None, when=forgetful)
    liar.lie("UploadPartCopy", replaced, times=1)

    row, _ = await copied(liar, client, "large")

    assert row.status == "failed"
    assert "changed" in row.error


async def test_what_a_server_does_not_know_is_done_without(liar, doors):
    """No copies in parts, and no tags: up to 5 GiB go in one piece."""
    _, client = doors
    liar.lie("UploadPartCopy", lambda *_: error(501, "NotImplemented"))
    liar.lie("GetObjectTagging", lambda *_: error(501, "NotImplemented"))

    row, meter = await copied(liar, client, "large")

    assert row.status == "done", row.error
    assert liar.operations()[-1] == "CopyObject"
    assert (meter.done_size, meter.note) == (len(LARGE), "")


async def test_tags_that_may_not_be_read_are_told_of(liar, doors):
    """The copy goes on without them."""
    _, client = doors
    liar.lie("GetObjectTagging", lambda *_: error(403, "AccessDenied"))

    row, meter = await copied(liar, client, "large")

    assert row.status == "done", row.error
    assert "tags" in meter.summary


async def test_an_answer_that_is_not_s3s_is_refused(liar, doors):
    """A greeting of some proxy is a 200 too."""
    _, client = doors
    liar.lie("CopyObject", lambda request, _: undone(liar, request) or Answer(200, {}, b"<html/>"))

    row, _ = await copied(liar, client, "small")

    assert row.status == "failed"

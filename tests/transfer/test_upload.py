"""Sending to a server that fails, lies or falls silent: the new object, or the old one."""

from __future__ import annotations

import asyncio
import random

import pytest

from liar import Answer, error
from s3magic import settings
from s3magic.commands.put import put
from s3magic.errors import LocalFault

pytestmark = pytest.mark.asyncio(loop_scope="module")

MiB = 1024 * 1024
SMALL = random.Random(1).randbytes(300_000)
LARGE = random.Random(2).randbytes(16 * MiB + 1)


async def send(liar, source, **options):
    """Put to a key that holds something, and check all that must hold whatever happened."""
    before = liar.objects.setdefault("k", b"old")

    report = await put(
        source, liar.uri("k"), part_size=5 * MiB, errors="return", progress="none", **options
    )

    assert len(report) == 1
    row = report.iloc[0]
    wanted = source if isinstance(source, bytes) else source.read_bytes()
    assert liar.objects["k"] == (wanted if row.Status == "done" else before)
    assert not liar.uploads
    return row


async def test_a_small_put_costs_one_request(liar, tmp_path):
    """No HEAD, and nothing in the headers that nobody asked for."""
    (tmp_path / "f").write_bytes(SMALL)

    row = await send(liar, tmp_path / "f")

    assert row.Status == "done"
    assert liar.operations() == ["PutObject"]
    sent = liar.requests[0].headers
    assert not [name for name in sent if name.startswith("x-amz-acl")]
    assert "if-none-match" not in sent


async def test_a_large_put_costs_its_parts_and_two_more(liar):
    """Create, four parts, complete."""
    await send(liar, LARGE)

    asked = liar.operations()
    assert (asked[0], asked[-1]) == ("CreateMultipartUpload", "CompleteMultipartUpload")
    assert asked[1:-1] == ["UploadPart"] * 4


async def test_only_much_waits_for_the_servers_go_on(liar):
    """A small body arrives sooner than the permission to send it; a part is worth asking."""
    settings.change(fast=False)  # the fast way asks for no permission at all
    await put(SMALL, liar.uri("small"), progress="none")
    await put(LARGE, liar.uri("large"), part_size=5 * MiB, progress="none")

    asking = [r.operation for r in liar.requests if r.headers.get("expect") == "100-continue"]
    sizes = [len(r.body) for r in liar.requests if r.headers.get("expect") == "100-continue"]

    assert set(asking) == {"UploadPart"}
    assert len(asking) == 4
    assert min(sizes) >= MiB


async def test_headers_go_with_the_request_that_makes_the_object(liar):
    """Of a large one that is the first; no ACL, class or key goes out unasked."""
    asked = {"tag": {"a b": "c&d"}, "acl": "private", "sse_kms_key_id": "key", "no_clobber": True}

    await put(SMALL, liar.uri("small"), progress="none", **asked)
    await put(LARGE, liar.uri("large"), part_size=5 * MiB, progress="none", **asked)
    await put(LARGE, liar.uri("plain"), part_size=5 * MiB, progress="none")

    makers = [r for r in liar.requests if r.operation in {"PutObject", "CreateMultipartUpload"}]
    told = [
        {name: value for name, value in request.headers.items() if name.startswith("x-amz-")}
        for request in makers
    ]
    for headers in told[:2]:
        assert headers["x-amz-tagging"] == "a+b=c%26d"
        assert headers["x-amz-acl"] == "private"
        assert headers["x-amz-server-side-encryption"] == "aws:kms"
        assert headers["x-amz-server-side-encryption-aws-kms-key-id"] == "key"
    assert set(told[2]) <= {"x-amz-date", "x-amz-content-sha256", "x-amz-security-token"}
    ends = [r for r in liar.requests if r.operation in {"PutObject", "CompleteMultipartUpload"}]
    assert [r.headers.get("if-none-match") for r in ends] == ["*", "*", None]


@pytest.mark.parametrize("operation", ["PutObject", "UploadPart"])
@pytest.mark.parametrize("fault", ["SlowDown", "InternalError", "hangs up", "resets half-way"])
async def test_a_body_sent_again_is_sent_from_its_beginning(liar, operation, fault):
    """Whatever broke the first try: the bytes are all there, in their order."""
    lies = {
        "SlowDown": lambda *_: error(503, "SlowDown"),
        "InternalError": lambda *_: error(500, "InternalError"),
        "hangs up": lambda *_: Answer(0),
        "resets half-way": lambda *_: Answer(0),
    }
    early = "before " if fault == "resets half-way" else ""
    await put(b"x", liar.uri("warm"), progress="none")  # a connection that is used again
    liar.lie(early + operation, lies[fault], times=1)

    row = await send(liar, SMALL if operation == "PutObject" else LARGE)

    assert row.Status == "done", row.Error


@pytest.mark.parametrize(
    "operation", ["CreateMultipartUpload", "UploadPart", "CompleteMultipartUpload"]
)
async def test_a_put_that_fails_aborts_its_upload(liar, operation):
    """At whichever request: the old object stays, and no upload is open."""
    liar.lie(f"before {operation}", lambda *_: error(403, "AccessDenied"))

    row = await send(liar, LARGE)

    assert row.Status == "failed"
    assert row.Error.startswith("Cannot put s3://lies/k: access denied.")


async def test_a_completion_that_is_an_error_inside_a_200_is_one(liar):
    """S3 may begin its answer before it knows how it ends."""
    body = b"<Error><Code>InternalError</Code><Message>We failed.</Message></Error>"

    def fail(request, _):
        # Undo what the honest answer did.
        liar.uploads[request.query["uploadId"]] = {}
        liar.objects["k"] = b"old"
        return Answer(200, {}, body)

    liar.lie("CompleteMultipartUpload", fail)

    row = await send(liar, LARGE)

    assert row.Status == "failed"
    assert "the server failed" in row.Error


async def test_a_completion_whose_answer_was_lost_is_found_out(liar):
    """It worked; the second try hears NoSuchUpload, and the object is the proof."""
    liar.lie("CompleteMultipartUpload", lambda *_: Answer(0), times=1)

    row = await send(liar, LARGE)

    assert row.Status == "done"
    assert "HeadObject" in liar.operations()


async def test_a_completion_that_is_refused_because_it_worked_is_done(liar):
    """Its answer was lost, and the second try finds the key taken: by us."""
    answers = iter([Answer(0), error(412, "PreconditionFailed")])
    liar.lie("CompleteMultipartUpload", lambda *_: next(answers), times=1)
    liar.lie("CompleteMultipartUpload", lambda *_: next(answers), times=1)

    report = await put(LARGE, liar.uri("k"), part_size=5 * MiB, no_clobber=True, progress="none")

    assert report.Status[0] == "done"
    assert liar.objects["k"] == LARGE


async def test_an_upload_that_somebody_else_aborted_is_a_failure(liar):
    """NoSuchUpload counts as done only if the object is ours."""

    def abort(request, _):
        liar.objects["k"] = b"old"
        liar.etags.clear()
        return error(404, "NoSuchUpload")

    liar.lie("CompleteMultipartUpload", abort)

    row = await send(liar, LARGE)

    assert row.Status == "failed"
    assert "gone" in row.Error


async def test_an_abort_is_tried_again_until_the_upload_is_gone(liar):
    """Parts in flight may outlive the first abort."""
    liar.lie("UploadPart", lambda *_: error(403, "AccessDenied"))

    def alive(request, answer):
        liar.uploads[request.query["uploadId"]] = {}
        return Answer(204)

    liar.lie("AbortMultipartUpload", alive, times=1)

    await send(liar, LARGE)

    assert liar.operations().count("AbortMultipartUpload") == 2


async def test_a_put_cancelled_while_its_upload_is_being_created_aborts_it(liar):
    """The name of the upload comes late, and is not forgotten."""
    asked, go = asyncio.Event(), asyncio.Event()

    async def late(_, answer):
        asked.set()
        await go.wait()
        return answer

    liar.lie("CreateMultipartUpload", late)
    task = asyncio.create_task(put(LARGE, liar.uri("k"), part_size=5 * MiB, progress="none"))
    await asked.wait()

    task.cancel()
    go.set()
    await asyncio.wait([task], timeout=10)

    assert task.cancelled()
    assert not liar.uploads
    assert "AbortMultipartUpload" in liar.operations()


async def test_a_put_cancelled_before_a_silent_create_ends_soon_and_aborts_later(liar):
    """A server that says nothing keeps no cell; it gets its abort when it speaks again."""
    asked, go = asyncio.Event(), asyncio.Event()

    async def late(_, answer):
        asked.set()
        await go.wait()
        return answer

    liar.lie("CreateMultipartUpload", late)
    task = asyncio.create_task(put(LARGE, liar.uri("k"), part_size=5 * MiB, progress="none"))
    await asked.wait()

    task.cancel()
    done, _ = await asyncio.wait([task], timeout=5)
    assert done
    looked = asyncio.Event()

    def look(_, answer):
        looked.set()
        return answer

    liar.lie("ListParts", look)
    go.set()
    await asyncio.wait_for(looked.wait(), 20)

    assert "AbortMultipartUpload" in liar.operations()


@pytest.mark.parametrize("nth", range(7))
async def test_a_put_cancelled_at_its_nth_request_leaves_nothing_open(liar, nth):
    """Create, four parts, complete: cancelled as each arrives, then with all done."""
    liar.objects["k"] = b"old"
    count = 0
    task = None

    def cancel(_, answer):
        nonlocal count
        count += 1
        if count == nth + 1:
            task.cancel()
        return answer

    for operation in ("CreateMultipartUpload", "UploadPart", "CompleteMultipartUpload"):
        liar.lie(operation, cancel)
    task = asyncio.create_task(put(LARGE, liar.uri("k"), part_size=5 * MiB, progress="none"))
    await asyncio.wait([task], timeout=20)

    assert task.cancelled() == (nth < 6)
    assert not liar.uploads
    assert liar.objects["k"] in (LARGE, b"old")
    assert nth > 4 or liar.objects["k"] == b"old"


@pytest.mark.parametrize("nth", range(6))
@pytest.mark.parametrize("fault", ["hangs up for good", "denied", "nonsense"])
async def test_a_put_that_fails_at_its_nth_request_leaves_nothing_open(liar, nth, fault):
    """Create, four parts, complete: each fails once and for all."""
    liar.objects["k"] = b"old"
    failing = []
    answers = {
        "hangs up for good": Answer(0),
        "denied": error(403, "AccessDenied"),
        "nonsense": Answer(200, {}, b"<html>"),
    }

    def fail(request, answer):
        name = (request.operation, request.query.get("partNumber"))
        if name not in failing:
            failing.append(name)
        if failing.index(name) != nth:
            return answer
        if request.operation == "CompleteMultipartUpload":  # not done after all
            liar.uploads[request.query["uploadId"]] = {}
            liar.objects["k"] = b"old"
            liar.etags.clear()
        elif request.operation == "CreateMultipartUpload":
            liar.uploads.clear()
        return answers[fault]

    for operation in ("CreateMultipartUpload", "UploadPart", "CompleteMultipartUpload"):
        liar.lie(operation, fail)

    report = await put(
        LARGE, liar.uri("k"), part_size=5 * MiB, progress="none", errors="return", concurrency=2
    )

    assert report.Status[0] == "failed", report.iloc[0]
    assert report.Error[0].startswith("Cannot put ")
    assert not liar.uploads
    assert liar.objects["k"] == b"old"


@pytest.mark.parametrize("source", [SMALL, LARGE], ids=["small", "large"])
async def test_no_clobber_on_a_server_that_knows_no_conditions_asks_first(liar, source):
    """An object that is there is not overwritten, even where If-None-Match is ignored."""
    for operation in ("PutObject", "CompleteMultipartUpload"):
        liar.lie(operation, lambda *_: pytest.fail("it was overwritten"))

    row = await send(liar, source, no_clobber=True)

    assert (row.Status, liar.operations()) == ("skipped", ["HeadObject"])


@pytest.mark.parametrize("source", [SMALL, LARGE], ids=["small", "large"])
async def test_no_clobber_loses_no_race(liar, source):
    """Somebody writes the key behind our look: theirs stays, nothing is open."""

    def appear(_, answer):
        liar.objects["k"] = b"theirs"
        return Answer(404)

    liar.lie("HeadObject", appear, times=1)

    report = await put(source, liar.uri("k"), part_size=5 * MiB, no_clobber=True, progress="none")

    assert report.Status[0] == "skipped"
    assert liar.objects["k"] == b"theirs"


async def test_a_file_that_grows_while_it_is_sent_is_an_error(liar, tmp_path):
    """A mixture of two states of a file is no file."""
    file = tmp_path / "f"
    file.write_bytes(LARGE)
    liar.objects["k"] = b"old"

    def grow(_, answer):
        with file.open("ab") as more:
            more.write(b"more")
        return answer

    liar.lie("UploadPart", grow, times=1)

    with pytest.raises(OSError, match="changed") as failure:
        await put(file, liar.uri("k"), part_size=5 * MiB, progress="none", concurrency=1)

    assert isinstance(failure.value.__cause__, LocalFault)
    assert liar.objects["k"] == b"old"


async def test_a_file_that_is_rewritten_while_it_is_sent_is_an_error(liar, tmp_path):
    """Though every part has its size."""
    file = tmp_path / "f"
    file.write_bytes(LARGE)
    liar.objects["k"] = b"old"

    def rewrite(_, answer):
        file.write_bytes(LARGE[::-1])
        return answer

    liar.lie("UploadPart", rewrite, times=1)

    with pytest.raises(OSError, match="changed"):
        await put(file, liar.uri("k"), part_size=5 * MiB, progress="none", concurrency=1)

    assert liar.objects["k"] == b"old"


@pytest.mark.parametrize("size", [0, 10 * MiB])
async def test_a_file_that_shrinks_while_it_is_sent_is_an_error(liar, tmp_path, size):
    """Parts that are not there any more are not sent as something else."""
    file = tmp_path / "f"
    file.write_bytes(LARGE)
    liar.objects["k"] = b"old"

    def shrink(_, answer):
        file.write_bytes(LARGE[:size])
        return answer

    liar.lie("CreateMultipartUpload", shrink)

    with pytest.raises(OSError, match="changed"):
        await put(file, liar.uri("k"), part_size=5 * MiB, progress="none")

    assert liar.objects["k"] == b"old"

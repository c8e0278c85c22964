"""The verbs cat and head, on both servers."""

from __future__ import annotations

import asyncio
import bz2
import contextlib
import gzip

import pytest
from kernels import Kernel, good

from liar import Answer, Liar
from s3magic import session, settings
from s3magic.commands.cat import cat
from s3magic.commands.head import head
from s3magic.commands.ls import ls
from s3magic.commands.showing import displays
from s3magic.errors import BadArgument, Damaged, NoSuchBucket, NoSuchKey, ObjectChanged
from s3magic.uri import S3Uri

MiB = 1024 * 1024
LINES = "".join(f"{number},é{number:x}\n" for number in range(60_000))
BYTES = bytes(range(256)) * 40


class Recording:
    """A display that keeps the line that stays."""

    summary = ""

    def draw(self, meter):
        pass

    def close(self, summary):
        Recording.summary = summary


@contextlib.asynccontextmanager
async def connection(server):
    """The verbs, connected to a server."""
    session.connect(
        endpoint_url=server.endpoint_url,
        aws_access_key_id=server.access_key,
        aws_secret_access_key=server.secret_key,
        region="us-east-1",
    )
    displays.use(lambda _: Recording())
    Recording.summary = ""
    try:
        yield
    finally:
        displays.reset()
        await session.close()
        session.connect(reset=True)


@pytest.fixture
async def connected(s3):
    """The verbs, connected to the server that the test's bucket is on."""
    async with connection(s3.server):
        yield s3


@pytest.fixture
async def liar():
    """A server that tells what it was asked, and the verbs connected to it."""
    async with Liar() as liar, connection(liar):
        before = settings.defaults()
        settings.change(attempts=2)
        yield liar
        settings.change(attempts=before.attempts)


async def test_a_text_comes_as_str_and_anything_else_as_bytes(s3, server, connected):
    """Of a small object, an empty one, and one of several ranges."""
    s3.put("text", "é\r\n\tb")
    s3.put("empty", b"")
    s3.put("bytes", BYTES)
    s3.put("long", LINES)

    assert await cat(s3.uri("text")) == "é\r\n\tb"
    assert await cat(S3Uri(s3.bucket, "empty")) == ""
    assert await cat(s3.uri("bytes")) == BYTES
    assert await cat(s3.uri("long")) == LINES
    assert "only" not in Recording.summary


async def test_raw_is_bytes_whatever_it_is(s3, connected):
    """Neither unpacked nor read as text."""
    packed = gzip.compress(b"text")
    s3.put("text", "text")
    s3.put("packed", packed)

    assert await cat(s3.uri("text"), raw=True) == b"text"
    assert await cat(s3.uri("packed"), raw=True) == packed
    assert await head(s3.uri("text"), raw=True, lines=1) == b"text"


@pytest.mark.parametrize("limit", [None, "all"])
async def test_what_is_packed_is_unpacked_whatever_it_is_called(s3, connected, limit):
    """And what is only called so is taken as it is."""
    s3.put("a", gzip.compress(LINES.encode()), ContentEncoding="gzip")
    s3.put("b.bz2", bz2.compress(LINES.encode()))
    s3.put("c.gz", "unpacked on the way\n")
    s3.put("d.gz", gzip.compress(BYTES))

    assert await cat(s3.uri("a"), limit=limit) == LINES
    assert await cat(s3.uri("b.bz2"), limit=limit) == LINES
    assert await cat(s3.uri("c.gz"), limit=limit) == "unpacked on the way\n"
    assert await cat(s3.uri("d.gz"), limit=limit) == BYTES


@pytest.mark.parametrize("limit", [None, "all"])
async def test_what_is_packed_and_not_whole_is_an_error(s3, connected, limit):
    """Half a table would pass for a whole one; its beginning can still be seen."""
    s3.put("half.gz", gzip.compress(LINES.encode())[:-9])
    s3.put("other.gz", gzip.compress(LINES.encode())[:5000] + bytes(5000))

    with pytest.raises(Damaged, match=f"{s3.uri('half.gz')}: its gzip stream ends too soon.*--raw"):
        await cat(s3.uri("half.gz"), limit=limit)
    with pytest.raises(Damaged, match=f"Cannot unpack {s3.uri('other.gz')}"):
        await cat(s3.uri("other.gz"), limit=limit)
    assert await head(s3.uri("half.gz"), lines=2) == "0,é0\n1,é1\n"


async def test_the_limit_cuts_and_says_so(s3, connected):
    """In the middle of a character, of one that is packed, of several; the value knows."""
    for name in ("a", "a2"):
        s3.put(name, "é" * 50)
    s3.put("b.gz", gzip.compress(b"b" * 100_000_000))
    for name in ("c", "c2"):
        s3.put(name, BYTES)

    one = await cat(s3.uri("a"), limit=99)
    said = Recording.summary
    packed = await cat(s3.uri("b.gz"), limit=1000)
    several = await cat([s3.uri("a"), s3.uri("a2")], limit=150)
    data = await cat([s3.uri("c"), s3.uri("c2")], limit=len(BYTES) + 5)
    whole = await cat(s3.uri("a"), limit=100)

    assert (one, one.cut) == ("é" * 49, True)
    assert "only the first 99 B: --limit all gives the rest" in said
    assert (packed, packed.cut) == ("b" * 1000, True)
    assert (several, several.cut) == ("é" * 75, True)
    assert (data, data.cut) == (BYTES + BYTES[:5], True)
    assert (whole, whole.cut) == ("é" * 50, False)


async def test_several_come_one_behind_the_other(s3, server, connected):
    """Addresses, a tree, a pattern, a frame: in the order of the listing."""
    for name in ("b/1.txt", "b/2.txt", "b/3.csv"):
        s3.put(name, f"{name}\n")
    frame = await ls(s3.uri("b/"), sort="Key", reverse=True)

    assert await cat([s3.uri("b/3.csv"), s3.uri("b/1.txt")]) == "b/3.csv\nb/1.txt\n"
    assert await cat(s3.uri("b"), recursive=True) == "b/1.txt\nb/2.txt\nb/3.csv\n"
    assert await cat(s3.uri("b/*.txt"), glob=True) == "b/1.txt\nb/2.txt\n"
    assert await cat(frame) == "b/3.csv\nb/2.txt\nb/1.txt\n"
    assert await cat((s3.uri() + frame.Key)[:1]) == "b/3.csv\n"


async def test_one_that_is_no_text_makes_bytes_of_all(s3, connected):
    """An empty one among them does not."""
    s3.put("a", "é")
    s3.put("b", b"\xff")
    s3.put("c", b"")

    assert await cat([s3.uri("a"), s3.uri("b")]) == "é".encode() + b"\xff"
    assert await cat([s3.uri("a"), s3.uri("c")]) == "é"


@pytest.mark.parametrize("limit", [None, "all"])
async def test_the_encoding_is_found_out_or_told(s3, connected, limit):
    """By a mark, by the content type, by the user."""
    s3.put("mark", "é\n".encode("utf-16"))
    s3.put("type", b"\xe9\n", ContentType="text/csv; charset=latin-1")
    s3.put("none", b"\xe9\n")

    assert await cat(s3.uri("mark"), limit=limit) == "é\n"
    assert await cat(s3.uri("type"), limit=limit) == "é\n"
    assert await cat(s3.uri("none"), limit=limit) == b"\xe9\n"
    assert await cat(s3.uri("none"), limit=limit, encoding="latin-1") == "é\n"
    with pytest.raises(BadArgument, match=r"is no text in utf-8.*Leave encoding out"):
        await cat(s3.uri("none"), limit=limit, encoding="utf-8")


@pytest.mark.parametrize("limit", [None, "all"])
async def test_a_range_is_of_the_bytes_as_they_are_stored(s3, server, connected, limit):
    """The first, the last, from one on; nothing is unpacked."""
    s3.put("k", "0123é6789")
    s3.put("k.gz", gzip.compress(b"text"))

    assert await cat(s3.uri("k"), range="0-3", limit=limit) == "0123"
    assert await cat(s3.uri("k"), range="2-5000", limit=limit) == "23é6789"
    assert await cat(s3.uri("k"), range="5-", limit=limit) == "6789"
    assert await cat(s3.uri("k"), range="3-4", limit=limit) == "3"
    assert await cat(s3.uri("k"), range="-4", limit=limit) == "6789"
    assert await cat(s3.uri("k"), range="-5000", limit=limit) == "0123é6789"
    assert await cat(s3.uri("k.gz"), range="0-1", limit=limit) == b"\x1f\x8b"
    with pytest.raises(BadArgument, match="has no byte 10"):
        await cat(s3.uri("k"), range="10-", limit=limit)


async def test_a_version_is_read(moto, s3, connected):
    """The one that was asked for, not the latest."""
    versioning = {"Status": "Enabled"}
    s3.client.put_bucket_versioning(Bucket=s3.bucket, VersioningConfiguration=versioning)
    old = s3.put("k", "old")["VersionId"]
    s3.put("k", "new")
    both = await ls(s3.uri("k"), versions=True)

    assert await cat(s3.uri("k"), version_id=old) == "old"
    assert await head(s3.uri("k"), version_id=old) == "old"
    assert sorted(await cat(both)) == sorted("oldnew")


async def test_head_gives_lines_or_bytes(s3, server, connected):
    """Ten lines without a word; fewer where there are no more."""
    s3.put("long", LINES)
    s3.put("packed", gzip.compress(LINES.encode()))
    s3.put("short", "a\nb")
    s3.put("wide", "é\nà\nü\n".encode("utf-16"))
    s3.put("bytes", BYTES)

    assert await head(s3.uri("long")) == "".join(LINES.splitlines(keepends=True)[:10])
    assert await head(s3.uri("packed"), lines=3) == "0,é0\n1,é1\n2,é2\n"
    assert await head(s3.uri("packed"), lines=30_000) == "".join(
        LINES.splitlines(keepends=True)[:30_000]
    )
    assert await head(s3.uri("short")) == "a\nb"
    assert await head(s3.uri("wide"), lines=2) == "é\nà\n"
    assert await head(s3.uri("packed"), bytes=4) == "0,é"
    assert await head(s3.uri("packed"), bytes=1) == "0"
    assert await head(s3.uri("bytes")) == BYTES[:512]
    assert await head(s3.uri("bytes"), bytes=3000) == BYTES[:3000]
    assert await head(s3.uri("long"), lines=2, raw=True) == b"0,\xc3\xa90\n1,\xc3\xa91\n"
    assert "only" not in Recording.summary


async def test_head_of_several_says_which(s3, server, connected):
    """Each under its address, as head has it; also where a frame has but one row."""
    s3.put("a", "1\n2\n")
    s3.put("b", "3")
    frame = await ls(s3.uri())

    said = f"==> {s3.uri('a')} <==\n1\n\n==> {s3.uri('b')} <==\n3\n"
    assert await head(frame, lines=1) == said
    assert await head(s3.uri("?"), lines=1, glob=True) == said
    assert await head(frame[:1], lines=1) == f"==> {s3.uri('a')} <==\n1\n"


async def test_no_more_is_asked_for_than_is_needed(liar):
    """A few kilobytes of an object of any size; the ranges grow."""
    liar.objects["k"] = LINES.encode()
    liar.objects["one line"] = b"x" * 20 * MiB

    await head(liar.uri("k"), lines=2)
    few = [request.headers["range"] for request in liar.requests]
    liar.requests.clear()
    await head(liar.uri("k"), lines=3000)
    more = [request.headers["range"] for request in liar.requests]
    liar.requests.clear()
    long = await head(liar.uri("one line"))
    longest = max(int(request.headers["range"].partition("-")[2]) for request in liar.requests)
    said = Recording.summary
    liar.requests.clear()
    await cat(liar.uri("one line"), limit=100_000)

    assert few == ["bytes=0-16383"]
    assert more == ["bytes=0-16383", "bytes=16384-81919"]
    assert long == "x" * MiB
    assert longest < 2 * MiB
    assert "only the first 1.0 MB: -c SIZE gives more" in said
    assert [request.headers["range"] for request in liar.requests] == ["bytes=0-100000"]


async def test_no_further_object_is_asked_for_when_there_is_enough(liar):
    """Of ten thousand, only those at the beginning."""
    for number in range(200):
        liar.objects[f"k/{number:03}"] = b"%04d" % number * 250

    found = await cat(liar.uri("k"), recursive=True, limit=2500)

    assert found == ("0000" * 250 + "0001" * 250 + "0002" * 125)
    assert found.cut
    assert "only the first 2.5 kB" in Recording.summary
    assert len(liar.asked("GetObject")) < 100


async def test_a_server_that_takes_no_ranges_is_read_no_further_than_needed(liar):
    """It sends all of it, and hears that there is enough."""
    liar.objects["k"] = LINES.encode() * 20

    def whole(request, answer):
        headers = {"etag": liar.etag("k")}
        return Answer(200, headers, liar.objects["k"])

    liar.lie("GetObject", whole)

    assert await head(liar.uri("k"), lines=1) == "0,é0\n"
    assert await cat(liar.uri("k"), limit=4) == "0,é"
    assert await cat(liar.uri("k"), range="0-2") == "0,"


async def test_an_object_that_is_replaced_meanwhile_is_an_error_not_a_mixture(liar):
    """The second range is of the same object, or of none."""
    liar.objects["k"] = LINES.encode()

    def replaced(request, answer):
        liar.objects["k"] = LINES.encode()[::-1]
        return answer

    liar.lie("GetObject", replaced, times=1)

    with pytest.raises(ObjectChanged):
        await head(liar.uri("k"), lines=3000)


async def test_what_breaks_off_is_gone_on_with(liar):
    """As any download is."""
    liar.objects["k"] = LINES.encode()

    def short(request, answer):
        answer.headers["content-length"] = str(len(answer.body))
        answer.body = answer.body[: len(answer.body) // 2]
        answer.then = "close"
        return answer

    liar.lie("GetObject", short, times=1)

    assert await cat(liar.uri("k")) == LINES


@pytest.mark.parametrize("verb", [cat, head])
async def test_what_is_not_there_is_told(s3, server, connected, verb):
    """The key, the bucket, the folder, the pattern; one of several is enough."""
    s3.put("a", "a")

    with pytest.raises(NoSuchKey, match="has no such key"):
        await verb([s3.uri("a"), s3.uri("missing")])
    with pytest.raises(NoSuchKey, match="Add glob=True"):
        await verb(s3.uri("a*"))
    with pytest.raises(NoSuchKey, match="nothing matches it"):
        await verb(s3.uri("b*"), glob=True)
    with pytest.raises(NoSuchBucket):
        await verb("s3://no-such-bucket-here/k")


MEANINGLESS = [
    (cat, "s3://bucket", {}),
    (cat, "s3://bucket/folder/", {}),
    (cat, "no address", {}),
    (cat, 42, {}),
    (cat, [], {}),
    (cat, "s3://bucket/k", {"limit": 0}),
    (cat, "s3://bucket/k", {"limit": "much"}),
    (cat, "s3://bucket/k", {"range": "9-1"}),
    (cat, "s3://bucket/k", {"range": "-0"}),
    (cat, "s3://bucket/k", {"range": "-"}),
    (cat, "s3://bucket/k", {"range": "a-b"}),
    (cat, "s3://bucket/k", {"range": "5"}),
    (cat, "s3://bucket/k", {"encoding": "utf-77"}),
    (cat, "s3://bucket/k", {"encoding": "utf-8", "raw": True}),
    (cat, "s3://bucket/k", {"progress": "loud"}),
    (head, "s3://bucket/k", {"lines": 0}),
    (head, "s3://bucket/k", {"lines": 1, "bytes": 1}),
    (head, "s3://bucket/k", {"bytes": -1}),
]


async def test_what_cannot_be_meant_is_refused(moto, s3, connected):
    """In a sentence, as a ValueError."""
    for verb, source, options in MEANINGLESS:
        with pytest.raises(BadArgument):
            await verb(source, **options)


async def test_a_click_on_cancel_ends_it(liar):
    """Whatever the server does."""
    liar.objects["k"] = b"x"
    asked = asyncio.Event()

    async def silent(request, answer):
        asked.set()
        await asyncio.Event().wait()

    liar.lie("GetObject", silent)
    task = asyncio.create_task(cat(liar.uri("k")))
    await asked.wait()
    task.cancel()

    with pytest.raises(asyncio.CancelledError):
        await task


@pytest.mark.kernel
def test_a_magic_shows_the_text_and_gives_what_its_twin_gives(seaweed, s3, tmp_path):
    """As it reads, in a real kernel; in a variable, in a def, as in Python."""
    s3.put("a.csv", "a\tb\n1\t\x1b[31m2\n3\t4\n")
    with Kernel("s3magic", folder=tmp_path, env=seaweed.environment) as kernel:
        good(kernel.run("import s3magic as s3"))

        shown = good(kernel.run(f"%s3cat {s3.uri('a.csv')}"))
        first = good(kernel.run(f"%s3head -n 1 {s3.uri('a.csv')}"))
        same = good(
            kernel.run(
                f"one = %s3cat {s3.uri('a.csv')} --limit 1k --range 0-7\n"
                f"def f():\n    two = %s3cat {s3.uri('a.csv')} --range 0-7\n    return two\n"
                f"three = await s3.cat({s3.uri('a.csv')!r}, range='0-7')\n"
                "one == f() == three, one"
            )
        )
        all_ = good(kernel.run(f"x = %s3cat {s3.uri('a.csv')} --limit all\nlen(x)"))

    assert shown.value == "a\tb\n1\t\\x1b[31m2\n3\t4"
    assert shown.html == ""
    assert first.value == "a\tb"
    assert same.python == (True, "a\tb\n1\t\x1b[")
    assert all_.value == "17"

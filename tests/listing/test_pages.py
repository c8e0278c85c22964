"""Paging through a bucket, on real servers and on one that misbehaves."""

from __future__ import annotations

import asyncio
import time

import pytest

from s3magic.errors import AccessDenied, NoSuchBucket, ServerFault
from s3magic.listing import hook
from s3magic.listing.hook import taking
from s3magic.listing.pages import Listing, pages

NAMESPACE = 'xmlns="http://s3.amazonaws.com/doc/2006-03-01/"'
TREE = ["a b", "a+b", "a%20b", "p/é", "p/q/&<>", "p/q/😀", "q", "z'\""]


def contents(*keys, tag="Contents"):
    return "".join(
        f"<{tag}><Key>{key}</Key><LastModified>2024-01-15T10:30:00.000Z</LastModified>"
        f"<ETag>&quot;e&quot;</ETag><Size>1</Size></{tag}>"
        for key in keys
    )


def result(inside, token=""):
    more = f"<NextContinuationToken>{token}</NextContinuationToken>" if token else ""
    return (
        f"<ListBucketResult {NAMESPACE}>{inside}"
        f"<IsTruncated>{str(bool(token)).lower()}</IsTruncated>{more}</ListBucketResult>"
    )


async def everything(client, listing):
    return [page async for page in pages(client, listing)]


def keys_of(found):
    return [key for page in found for key in page.keys]


def prefixes_of(found):
    return [prefix for page in found for prefix in page.prefixes]


@pytest.mark.parametrize("page_size", [1, 3, 1000])
async def test_every_key_is_listed_once(s3, server, client, page_size):
    """All keys come, each once, however small the pages are."""
    for key in TREE:
        s3.put(key, key)

    found = await everything(client, Listing(s3.bucket, page_size=page_size))

    assert sorted(keys_of(found)) == sorted(TREE)
    assert all(len(page) <= page_size for page in found)


@pytest.mark.parametrize("page_size", [1, 2, 1000])
async def test_one_level_has_its_folders(s3, server, client, page_size):
    """With a delimiter, what lies deeper is told as folders, each once."""
    for key in TREE:
        s3.put(key, key)

    listing = Listing(s3.bucket, prefix="p/", delimiter="/", page_size=page_size)
    found = await everything(client, listing)

    assert keys_of(found) == ["p/é"]
    assert prefixes_of(found) == ["p/q/"]


async def test_columns_say_what_the_server_says(s3, server, client):
    """Size, time, ETag and class are those of a HEAD of the object."""
    s3.put("key", b"12345")
    head = s3.head("key")

    (page,) = await everything(client, Listing(s3.bucket, owner=True))

    assert (page.keys, page.sizes, page.classes) == (["key"], [5], ["STANDARD"])
    assert page.modified[0].replace(microsecond=0) == head["LastModified"]
    assert page.etags == [head["ETag"].strip('"')]
    assert page.owners[0]["ID"]


async def test_start_after_leaves_out_what_comes_before(s3, server, client):
    """Only keys behind the given one are listed, in the order of code points."""
    for key in TREE:
        s3.put(key, key)

    found = await everything(client, Listing(s3.bucket, start_after="p/q/&<>"))

    assert sorted(keys_of(found)) == ["p/q/😀", "p/é", "q", "z'\""]


async def test_a_start_before_the_prefix_changes_nothing(s3, server, client):
    """A key that sorts before the prefix is no reason to list less."""
    s3.put("p/1", "")
    s3.put("p/2", "")

    found = await everything(client, Listing(s3.bucket, prefix="p/", start_after="a"))

    assert keys_of(found) == ["p/1", "p/2"]


async def test_a_start_before_the_prefix_is_not_sent(scripted):
    """Some servers list nothing for a marker that sorts before the prefix."""
    client, requests = await scripted(lambda _: result(contents("p/1")))

    await everything(client, Listing("bucket", prefix="p/", start_after="a"))
    await everything(client, Listing("bucket", prefix="p/", start_after="p/0"))

    assert [request.get("start-after") for request in requests] == [None, "p/0"]


@pytest.mark.parametrize("page_size", [1, 1000])
async def test_versions_are_listed_with_their_markers(s3, server, client, page_size):
    """Every version comes, and the delete marker that hides them."""
    s3.client.put_bucket_versioning(Bucket=s3.bucket, VersioningConfiguration={"Status": "Enabled"})
    first = s3.put("a+ b", "1")["VersionId"]
    second = s3.put("a+ b", "22")["VersionId"]
    marker = s3.client.delete_object(Bucket=s3.bucket, Key="a+ b")["VersionId"]

    listing = Listing(s3.bucket, versions=True, page_size=page_size)
    found = await everything(client, listing)

    rows = {
        page.version_ids[at]: (page.keys[at], page.sizes[at], page.latest[at], page.deleted[at])
        for page in found
        for at in range(len(page.keys))
    }
    assert rows == {
        first: ("a+ b", 1, False, False),
        second: ("a+ b", 2, False, False),
        marker: ("a+ b", 0, True, True),
    }


async def test_a_missing_bucket_is_an_error(s3, server, client):
    """The error is ours, and botocore's is its cause."""
    with pytest.raises(NoSuchBucket, match="list s3://missing-bucket-xyz/") as caught:
        await everything(client, Listing("missing-bucket-xyz"))

    assert isinstance(caught.value.__cause__, client.exceptions.ClientError)


async def test_a_users_own_listing_is_as_it_was(s3, client):
    """The hook that stays on the client acts on our calls alone."""
    s3.put("a b", "1")
    before = await client.list_objects_v2(Bucket=s3.bucket)

    await everything(client, Listing(s3.bucket))
    after = await client.list_objects_v2(Bucket=s3.bucket)

    assert after["Contents"] == before["Contents"]
    assert set(after) == set(before)


async def test_a_users_listing_between_two_pages_is_as_it_was(s3, client):
    """Between two of our pages the user's code runs, and its calls are its own."""
    s3.put("a", "1")
    s3.put("b", "1")

    async for _ in pages(client, Listing(s3.bucket, page_size=1)):
        answer = await client.list_objects_v2(Bucket=s3.bucket)
        assert [item["Key"] for item in answer["Contents"]] == ["a", "b"]


async def test_the_hook_takes_the_place_of_botocores_parsing(scripted):
    """botocore sees a page without its records, and before that nobody reads it a second time."""
    client, _ = await scripted(lambda _: result(contents("a", "b")))
    seen = []
    client.meta.events.register_first(
        "before-parse.s3.*", lambda response_dict, **_: seen.append(response_dict["body"])
    )

    found = await everything(client, Listing("bucket"))

    assert keys_of(found) == ["a", "b"]
    assert b"<Contents>" not in seen[0]


async def test_a_thousand_keys_do_not_hold_the_loop(scripted):
    """While a full page is read, a coroutine of the user's goes on ticking."""
    body = result(contents(*(f"data/{number:08}/file.csv" for number in range(1000))))
    client, _ = await scripted(lambda _: body)
    await everything(client, Listing("bucket"))  # what is done once, signing keys and the like
    gaps = []

    async def tick():
        while True:
            before = time.perf_counter()
            await asyncio.sleep(0.001)
            gaps.append(time.perf_counter() - before)

    ticker = asyncio.create_task(tick())
    for _ in range(10):
        found = await everything(client, Listing("bucket"))
    ticker.cancel()

    assert len(keys_of(found)) == 1000
    # botocore's own parsing holds it for 80 ms and more, all ten times.
    assert sum(gap > 0.06 for gap in gaps) < 5


@pytest.mark.parametrize(
    ("script", "said"),
    [
        (lambda _: result(contents("a"), "same"), "same page again"),
        (
            lambda query: result(contents(query.get("continuation-token", "a")), "same"),
            "there is more, and not where",
        ),
        (
            lambda _: result(contents("a")).replace("false", "true"),
            "there is more, and not where",
        ),
        (
            lambda query: result(
                contents(f"k{len(query)}"),
                {"": "t1", "t1": "t2", "t2": "t1"}[query.get("continuation-token", "")],
            ),
            "there is more, and not where|same page again",
        ),
    ],
)
async def test_a_server_that_goes_in_circles_is_an_error(scripted, script, said):
    """Paging ends on every server."""
    client, requests = await scripted(script)

    with pytest.raises(ServerFault, match=said):
        await asyncio.wait_for(everything(client, Listing("bucket")), 30)

    assert len(requests) <= 4


async def test_a_server_that_ignores_start_after_is_put_right(scripted):
    """Keys before the start are dropped, and a folder that may hold later ones is kept."""
    folders = "".join(
        f"<CommonPrefixes><Prefix>{name}/</Prefix></CommonPrefixes>" for name in ("a", "b", "c")
    )
    client, _ = await scripted(lambda _: result(contents("a", "b", "c") + folders))

    found = await everything(client, Listing("bucket", start_after="b/x", delimiter="/"))

    assert keys_of(found) == ["c"]
    assert prefixes_of(found) == ["b/", "c/"]


@pytest.mark.parametrize(
    ("inside", "said"),
    [
        (contents("a/b", "c/d"), "'c/d', which is not below it"),
        ("<CommonPrefixes><Prefix>c/</Prefix></CommonPrefixes>", "'c/', which is not below it"),
        (contents("a/b").replace("<Size>1<", f"<Size>{2**63}<"), "has 9223372036854775808 bytes"),
        (contents("a/b").replace("<Size>1<", "<Size>-1<"), "has -1 bytes"),
    ],
)
async def test_a_listing_that_cannot_be_is_a_servers_fault(scripted, inside, said):
    """What is not below the prefix would be cut to a wrong name; such sizes fit in no frame."""
    client, _ = await scripted(lambda _: result(inside))

    with pytest.raises(ServerFault, match=said):
        await everything(client, Listing("bucket", "a/", "/"))


async def test_a_folder_told_by_two_pages_is_listed_once(scripted):
    """Some servers tell the folder at a page's end again at the next one's beginning."""
    folder = "<CommonPrefixes><Prefix>f/</Prefix></CommonPrefixes>"
    client, _ = await scripted(
        lambda query: (
            result(folder + contents("z")) if "continuation-token" in query else result(folder, "t")
        )
    )

    found = await everything(client, Listing("bucket", delimiter="/"))

    assert prefixes_of(found) == ["f/"]
    assert keys_of(found) == ["z"]


@pytest.mark.parametrize("encoded", [True, False])
async def test_a_page_in_another_form_is_read_by_botocore(scripted, encoded):
    """A page with a namespace prefix is listed as any other, only slower."""
    key = "a%2Bb" if encoded else "a+b"
    encoding = "<EncodingType>url</EncodingType>" if encoded else ""
    plain = result(encoding + contents(key))
    prefixed = plain.replace("xmlns=", "xmlns:s3=")
    prefixed = prefixed.replace("</", "</s3:").replace("<", "<s3:").replace("<s3:/s3:", "</s3:")
    client, _ = await scripted(lambda _: prefixed)

    (page,) = await everything(client, Listing("bucket"))

    assert (page.keys, page.sizes, page.etags) == (["a+b"], [1], ["e"])


async def test_an_error_inside_a_200_is_an_error(scripted):
    """S3 may send its refusal with a 200; it is no empty listing."""
    client, requests = await scripted(
        lambda _: "<Error><Code>AccessDenied</Code><Message>no</Message></Error>"
    )

    with pytest.raises(AccessDenied):
        await everything(client, Listing("bucket"))
    assert requests


async def test_an_answer_that_is_no_listing_is_an_error(scripted):
    """A web page with a 200, as a proxy sends it, is no empty listing."""
    client, _ = await scripted(lambda _: "<html><body>Welcome</body>")

    with pytest.raises(ServerFault):
        await everything(client, Listing("bucket"))


async def test_nothing_is_left_of_an_attempt_that_was_retried(scripted):
    """What the first attempt gave is forgotten when the second is answered otherwise."""
    answers = iter([(503, "<Error><Code>SlowDown</Code></Error>"), result(contents("b"))])
    client, requests = await scripted(lambda _: next(answers))

    found = await everything(client, Listing("bucket"))

    assert keys_of(found) == ["b"]
    assert len(requests) == 2


async def test_taking_ends_with_its_block():
    """Outside the block nothing is taken."""
    with taking() as catch:
        assert hook._catch.get() is catch

    assert hook._catch.get() is None

"""The verb url, on both servers: what anybody can do with a link, and for how long."""

from __future__ import annotations

import asyncio
import datetime as dt
import urllib.error
import urllib.parse
import urllib.request

import pandas as pd
import pytest
from IPython.lib.pretty import pretty
from kernels import Kernel, good

from s3magic import session
from s3magic.commands.ls import ls
from s3magic.commands.showing import displays
from s3magic.commands.url import url
from s3magic.errors import BadArgument, NoCredentials, NoSuchKey
from s3magic.uri import S3Uri


class Recording:
    """A display that keeps the line that stays."""

    summary = ""

    def draw(self, meter):
        pass

    def close(self, summary):
        Recording.summary = summary


def connect(server, **options):
    session.connect(
        endpoint_url=server.endpoint_url,
        aws_access_key_id=server.access_key,
        aws_secret_access_key=server.secret_key,
        region="us-east-1",
        **options,
    )


@pytest.fixture
async def connected(s3):
    """The verbs, connected to the server that the test's bucket is on."""
    connect(s3.server)
    displays.use(lambda _: Recording())
    Recording.summary = ""
    yield s3
    displays.reset()
    await session.close()
    session.connect(reset=True)


async def opened(link, data=None, method=None, **headers):
    """Use a link as anybody would."""
    headers = {name.replace("_", "-"): value for name, value in headers.items()}
    request = urllib.request.Request(link, data, headers, method=method)

    def use():
        with urllib.request.urlopen(request, timeout=30) as answer:
            return answer.read(), answer.headers

    return await asyncio.to_thread(use)


def query(link):
    return dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(link).query))


@pytest.mark.parametrize("key", ["k.txt", "a b+c%20é/ü?&=#.txt"])
async def test_a_link_reads_the_object(s3, server, connected, key):
    """A str that lasts for an hour, signed as requests are, whatever the key."""
    s3.put(key, b"hello")

    link = await url(S3Uri(s3.bucket, key))

    assert isinstance(link, str)
    assert (await opened(link))[0] == b"hello"
    assert query(link)["X-Amz-Expires"] == "3600"
    assert query(link)["X-Amz-Algorithm"] == "AWS4-HMAC-SHA256"
    assert abs(link.expires - dt.datetime.now(dt.UTC) - dt.timedelta(hours=1)).seconds < 60
    assert "credentials" not in Recording.summary


async def test_a_link_is_of_one_object_and_one_method(s3, connected):
    """The server refuses any other use of it."""
    s3.put("k", b"hello")
    s3.put("l", b"other")
    link = await url(s3.uri("k"))

    with pytest.raises(urllib.error.HTTPError, match="403"):
        await opened(link.replace("/k?", "/l?"))
    with pytest.raises(urllib.error.HTTPError, match="403"):
        await opened(link, b"mine", "PUT")
    assert s3.get("k") == b"hello"


async def test_a_link_writes_looks_and_deletes(s3, server, connected):
    """One for each."""
    put = await url(s3.uri("k"), method="PUT", content_type="text/csv")
    look = await url(s3.uri("k"), method="HEAD")
    delete = await url(s3.uri("k"), method="DELETE")

    await opened(put, b"a,b", "PUT", Content_Type="text/csv")
    held = s3.get("k")
    _, headers = await opened(look, None, "HEAD")
    await opened(delete, None, "DELETE")

    assert held == b"a,b"
    assert headers["Content-Type"] == "text/csv"
    assert headers["Content-Length"] == "3"
    assert s3.keys() == []


async def test_a_browser_is_told_a_name_and_a_type(s3, server, connected):
    """Of any letters; nothing in it ends the header."""
    s3.put("k", b"hello")

    plain = await url(s3.uri("k"), filename="a.csv", content_type="text/csv")
    odd = await url(s3.uri("k"), filename='é"; x="\n%.csv')

    _, headers = await opened(plain)
    assert headers["Content-Disposition"] == 'attachment; filename="a.csv"'
    assert headers["Content-Type"] == "text/csv"
    assert query(odd)["response-content-disposition"] == (
        "attachment; filename=\"__; x=___.csv\"; filename*=UTF-8''%C3%A9%22%3B%20x%3D%22%0A%25.csv"
    )


async def test_a_version_has_its_link(moto, s3, connected):
    """And no other's bytes."""
    versioning = {"Status": "Enabled"}
    s3.client.put_bucket_versioning(Bucket=s3.bucket, VersioningConfiguration=versioning)
    old = s3.put("k", b"old")["VersionId"]
    s3.put("k", b"new")

    link = await url(s3.uri("k"), version_id=old)
    frame = await url(await ls(s3.uri(), versions=True))

    assert (await opened(link))[0] == b"old"
    assert sorted([(await opened(one))[0] for one in frame.Url]) == [b"new", b"old"]
    assert old in frame.VersionId.tolist()


async def test_several_have_a_frame(s3, server, connected):
    """Addresses, a tree, a pattern, a frame of one row; it is a source itself."""
    for name in ("a.csv", "b/c.csv", "b/d.txt"):
        s3.put(name, name)

    tree = await url(s3.uri(), recursive=True)
    found = await url(s3.uri("**/*.csv"), glob=True)
    both = await url([s3.uri("a.csv"), s3.uri("b/d.txt")], expires="1d")
    one = await url((await ls(s3.uri(), recursive=True))[:1])
    again = await url(one)

    assert tree.columns.tolist() == ["Bucket", "Key", "Url", "Expires"]
    assert tree.Key.tolist() == ["a.csv", "b/c.csv", "b/d.txt"]
    assert [(await opened(link))[0].decode() for link in tree.Url] == tree.Key.tolist()
    assert found.Key.tolist() == ["a.csv", "b/c.csv"]
    assert {query(link)["X-Amz-Expires"] for link in both.Url} == {"86400"}
    assert str(both.Expires.dtype) == "datetime64[us, UTC]"
    assert one.Key.tolist() == again.Key.tolist() == ["a.csv"]
    with pytest.raises(NoSuchKey):
        await url(s3.uri("nothing*"), glob=True)


async def test_how_long_can_be_said_in_many_ways(moto, s3, connected):
    """Text, seconds, a timedelta."""
    said = {
        "90s": 90, "15m": 900, "1h30m": 5400, "2 h": 7200, "7d": 604_800, "60": 60, 61: 61,
        dt.timedelta(minutes=2): 120, pd.Timedelta("3min"): 180,
    }  # fmt: skip

    links = [await url(s3.uri("k"), expires=expires) for expires in said]

    assert [int(query(link)["X-Amz-Expires"]) for link in links] == list(said.values())


MEANINGLESS = [
    ("s3://bucket/k", {"expires": "8d"}, "7 days at most"),
    ("s3://bucket/k", {"expires": 0}, "a second at least"),
    ("s3://bucket/k", {"expires": "soon"}, "is not a length of time"),
    ("s3://bucket/k", {"expires": ""}, "is not a length of time"),
    ("s3://bucket/k", {"expires": 1.5}, "is not a length of time"),
    ("s3://bucket/k", {"method": "PATCH"}, "is not one of GET, PUT"),
    ("s3://bucket/k", {"method": "HEAD", "content_type": "a/b"}, "no type"),
    ("s3://bucket/k", {"method": "PUT", "filename": "a"}, "saves no file"),
    ("s3://bucket/k", {"method": "PUT", "version_id": "v"}, "makes a new version"),
    (["s3://bucket/k", "s3://bucket/l"], {"filename": "a"}, "One file name"),
    ("s3://bucket/folder/", {}, "is a folder"),
    ("bucket", {}, "no S3 address"),
]


async def test_what_cannot_be_meant_is_refused(moto, s3, connected):
    """In a sentence, as a ValueError."""
    for source, options, said in MEANINGLESS:
        with pytest.raises(BadArgument, match=said):
            await url(source, **options)


async def test_who_has_no_credentials_is_told_so(moto, s3, connected, environment):
    """An anonymous connection, and one that found none."""
    session.connect(endpoint_url=moto.endpoint_url, anonymous=True, region="us-east-1")
    with pytest.raises(NoCredentials, match=r"no credentials.*plain address is a link"):
        await url(s3.uri("k"))
    session.connect(endpoint_url=moto.endpoint_url, region="us-east-1", reset=True)
    with pytest.raises(NoCredentials, match="no credentials"):
        await url(s3.uri("k"))


async def test_a_link_says_when_its_credentials_end_first(moto, s3, connected, environment):
    """By the time that they tell; else that nobody knows."""
    ends = dt.datetime.now(dt.UTC).replace(microsecond=0) + dt.timedelta(hours=2)
    environment.setenv("AWS_ACCESS_KEY_ID", "ASIAEXAMPLE")
    environment.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    environment.setenv("AWS_SESSION_TOKEN", "token")
    environment.setenv("AWS_CREDENTIAL_EXPIRATION", ends.isoformat())
    session.connect(endpoint_url=moto.endpoint_url, region="us-east-1", reset=True)

    soon = await url(s3.uri("k"), expires="1h")
    quiet = Recording.summary
    late = await url(s3.uri("k"), expires="7d")
    said = Recording.summary
    environment.delenv("AWS_CREDENTIAL_EXPIRATION")
    session.connect()
    await url(s3.uri("k"))

    assert "credentials" not in quiet
    assert soon.expires < ends
    assert late.expires == ends
    assert f"end at {ends:%Y-%m-%d %H:%M} UTC" in said
    assert "temporary credentials" in Recording.summary
    assert query(late)["X-Amz-Security-Token"] == "token"


@pytest.mark.kernel
def test_a_magic_shows_the_link_and_gives_what_its_twin_gives(seaweed, s3, tmp_path):
    """Without quotes, to be copied; with what it is good for; hidden by a semicolon."""
    s3.put("k", b"hello")
    with Kernel("s3magic", folder=tmp_path, env=seaweed.environment) as kernel:
        good(kernel.run("import s3magic as s3"))

        seen = good(kernel.run(f"%s3url {s3.uri('k')} --put --expires 1h"))
        hidden = good(kernel.run(f"%s3url {s3.uri('k')};"))
        same = good(
            kernel.run(
                f"one = %s3url {s3.uri('k')} --expires 15m --filename a.csv\n"
                f"two = await s3.url({s3.uri('k')!r}, expires='15m', filename='a.csv')\n"
                "import urllib.parse as p\n"
                "clean = lambda u: {k: v for k, v in p.parse_qsl(u.partition('?')[2])"
                " if k not in ('X-Amz-Date', 'X-Amz-Signature')}\n"
                "clean(one) == clean(two), urllib.request.urlopen(one).read()".replace(
                    "urllib.request", "__import__('urllib.request').request"
                )
            )
        )

    link, note = seen.value.splitlines()
    assert link.startswith(seaweed.endpoint_url)
    assert note.startswith("Whoever has it can replace the object until 20")
    assert hidden.value is None
    assert hidden.stdout == hidden.stderr == ""
    assert same.python == (True, b"hello")


def test_a_link_within_a_list_is_a_value():
    """And it is a plain str for whoever unpickles it."""
    import pickle

    from s3magic.commands.showing.links import Link

    link = Link("http://h/k", "GET", dt.datetime(2026, 1, 1, tzinfo=dt.UTC))

    assert pretty([link]) == "['http://h/k']"
    assert type(pickle.loads(pickle.dumps(link))) is str

"""The explorer, without a front end: what a person does, and what is then shown."""

from __future__ import annotations

import asyncio
import datetime as dt
import gzip

import ipywidgets
import pytest

from front import Front
from liar import Liar
from s3magic import session
from s3magic.commands.get import get
from s3magic.commands.jobs import jobs
from s3magic.commands.ls import ls
from s3magic.commands.running import background
from s3magic.errors import BadArgument
from s3magic.listing.page import Page
from s3magic.notebook.browser.entries import Entries, Order
from s3magic.notebook.browser.explorer import Browser
from s3magic.uri import S3Uri

KEYS = 100_000
PNG = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000001000000010806000000"
    "1f15c4890000000d49444154789c6360606060000000050001a5f64540"
    "0000000049454e44ae426082"
)


def connect(server):
    session.connect(
        endpoint_url=server.endpoint_url,
        aws_access_key_id=server.access_key,
        aws_secret_access_key=server.secret_key,
        region="us-east-1",
    )


@pytest.fixture
async def connected(s3):
    """The test's bucket, and a connection to its server."""
    connect(s3.server)
    yield s3
    await jobs(cancel=True)
    background.forget(background.known())
    await session.close()
    session.connect(reset=True)


@pytest.fixture
async def browse(connected):
    """A function that opens an explorer and waits until it shows the folder."""
    opened = []

    async def open_(place, rows=5):
        browser = Browser(S3Uri.parse(place) if place else None, rows)
        opened.append(browser)
        await settled(browser)
        return browser

    yield open_
    for browser in opened:
        browser.close()
        await settled(browser)


async def settled(browser):
    """Wait until nothing of the explorer is under way."""
    for _ in range(2):
        await asyncio.sleep(0)  # what was pressed reaches the loop
        async with asyncio.timeout(60):
            while running := [task for task in browser._tasks._running.values() if not task.done()]:
                await asyncio.wait(running)


def names(browser):
    """Give the names on the screen."""
    return [row.name.description for row in rows(browser)]


def rows(browser):
    shown = browser._view._table.children
    return [row for row in browser._view._rows if row.box in shown]


def said(browser):
    return browser._view.says.value


def count(browser):
    return browser._view._counted.value


async def do(browser, act):
    """Do something, and wait for all that follows."""
    act()
    await settled(browser)


def row(browser, name):
    return next(row for row in rows(browser) if row.name.description == name)


async def test_it_shows_folders_first_and_opens_them(s3, server, connected, browse):
    """By a click on the name; the path leads back."""
    for key in ("b.csv", "a/x.csv", "a/y/z.csv", "c/1"):
        s3.put(key, b"12345")

    browser = await browse(s3.uri())
    first = names(browser)
    await do(browser, row(browser, "a/").name.click)
    second = names(browser)
    await do(browser, browser._view.crumbs.children[0].click)

    assert first == ["a/", "c/", "b.csv"]
    assert second == ["y/", "x.csv"]
    assert browser.uri is None
    assert s3.bucket in {key for key in browser._entries.keys}  # noqa: C416 - a list


async def test_the_selection_is_what_ls_gives_of_it(s3, server, connected, browse, tmp_path):
    """The same rows and types; a verb takes it as its source."""
    for key in ("d/a", "d/b", "d/c", "d/e/f"):
        s3.put(key, key)
    browser = await browse(s3.uri("d/"))
    listed = await ls(s3.uri("d/"))

    empty = browser.selection
    for name in ("a", "c", "e/"):
        row(browser, name).check.value = True
    await settled(browser)
    selection = browser.selection
    await get(selection, tmp_path, recursive=True)

    wanted = listed[listed.Key.isin(["d/a", "d/c", "d/e/"])].reset_index(drop=True)
    assert selection.equals(wanted)
    assert selection.dtypes.equals(wanted.dtypes)
    assert len(empty) == 0
    assert empty.columns.equals(listed.columns)
    assert sorted(path.name for path in tmp_path.rglob("*") if path.is_file()) == ["a", "c", "f"]
    assert "3 selected, 6 B" in count(browser)


async def test_it_sorts_filters_and_turns_pages(s3, connected, browse):
    """What was selected stays so, on whatever page it is."""
    for number in range(7):
        s3.put(f"{number}.txt", bytes(number))
    s3.put("Other.csv", bytes(100))
    browser = await browse(s3.uri(), rows=3)
    heads = browser._view._heads

    row(browser, "1.txt").check.value = True
    await do(browser, heads["size"].click)
    largest = names(browser)
    await do(browser, heads["size"].click)
    smallest = names(browser)
    await do(browser, browser._view._on.click)
    page = names(browser), count(browser)
    browser._view.filter.value = "OTHER"
    await settled(browser)

    assert largest == ["Other.csv", "6.txt", "5.txt"]
    assert smallest == ["0.txt", "1.txt", "2.txt"]
    assert page[0] == ["3.txt", "4.txt", "5.txt"]
    assert "4–6 of 8" in page[1]
    assert names(browser) == ["Other.csv"]
    assert browser.selection.Key.tolist() == ["1.txt"]


async def test_all_that_the_filter_leaves_can_be_selected(s3, connected, browse):
    """On every page, and taken back."""
    for number in range(6):
        s3.put(f"{number}.{'csv' if number % 2 else 'txt'}", b"1")
    browser = await browse(s3.uri(), rows=2)
    browser._view.filter.value = ".csv"
    await settled(browser)

    browser._view.all.value = True
    await settled(browser)
    chosen = browser.selection.Key.tolist()
    browser._view.all.value = False
    await settled(browser)

    assert chosen == ["1.csv", "3.csv", "5.csv"]
    assert len(browser.selection) == 0


async def test_a_stale_answer_is_dropped(s3, seaweed, connected, browse):
    """Who has clicked on sees the new folder, whatever the old one's answer does."""
    s3.put("slow/a", b"1")
    s3.put("fast/b", b"1")
    with Front(seaweed) as door:
        connect(door)
        browser = await browse(s3.uri())
        door.then("silent")

        browser.opened(S3Uri(s3.bucket, "slow/"))
        assert await asyncio.to_thread(door.reached.wait, 30)
        empty = browser._view._none.value
        browser.opened(S3Uri(s3.bucket, "fast/"))
        door.forget()
        await settled(browser)

        assert "Listing" in empty
        assert names(browser) == ["b"]
        browser.close()
        await settled(browser)
        await session.close()


async def test_a_folder_of_a_hundred_thousand_keys_has_a_pages_worth_of_widgets(browse):
    """All are counted, sorted and found; only a page of them is ever a widget."""
    async with Liar() as liar:
        liar.objects = {f"big/{number:06}": b"" for number in range(KEYS)}
        session.connect(endpoint_url=liar.endpoint_url, region="us-east-1", anonymous=True)
        before = len(ipywidgets.widget._instances)
        browser = await browse(liar.uri("big/"), rows=10)
        made = len(ipywidgets.widget._instances) - before

        await do(browser, browser._view._heads["name"].click)
        last = names(browser)[0]
        browser._view.filter.value = "0999"
        await settled(browser)

        assert "of 1,1" not in count(browser)
        assert last == f"{KEYS - 1:06}"
        assert made < 150
        assert len(browser._entries) == KEYS
        browser.close()
        await settled(browser)
        await session.close()


def test_a_hundred_thousand_entries_are_arranged_in_every_way():
    """Folders come first and by their names, unless the names are turned round."""
    entries = Entries(S3Uri("b", "p/"))
    keys = [f"p/{number:06}" for number in range(KEYS)]
    stamps = [f"2024-01-01T00:00:{number % 60:02}" for number in range(KEYS)]
    none = [None] * KEYS
    entries.add(Page(["p/", *keys], [0, *range(KEYS)], ["", *stamps], ["", *none], ["", *none],
                     ["p/a/", "p/z/"]))  # fmt: skip

    by_name = entries.arranged(Order("name", reverse=True))
    by_size = entries.arranged(Order("size", reverse=True))
    by_date = entries.arranged(Order("date"))
    found = entries.arranged(Order(needle="A/"))

    assert [entries.entry(at).name for at in by_name[:3]] == ["z/", "a/", f"{KEYS - 1:06}"]
    assert [entries.entry(at).name for at in by_size[:3]] == ["a/", "z/", f"{KEYS - 1:06}"]
    assert entries.entry(by_date[2]).stamp == "2024-01-01T00:00:00"
    assert [entries.entry(at).uri for at in found] == [S3Uri("b", "p/a/")]
    assert len(by_name) == KEYS + 2  # the folder's own marker is no entry of it


@pytest.mark.parametrize(
    ("name", "data", "shown"),
    [
        ("a.txt", "grüße <b>".encode(), "grüße &lt;b&gt;"),
        ("a.txt.gz", gzip.compress(b"packed", mtime=0), "packed"),
        ("a.bin", b"\x00\x01ABC", "00 01 41 42 43"),
        ("long.log", b"line\n" * 10_000, "The first 16.4 kB of 50.0 kB"),
        ("empty", b"", "It is empty"),
        ("esc.txt", b"\x1b[2Jx", "\\x1b[2Jx"),
    ],
)
async def test_an_object_is_looked_at(s3, connected, browse, name, data, shown):
    """Text as text, packed text unpacked, anything else byte by byte; all of it escaped."""
    s3.put(name, data)
    browser = await browse(s3.uri())

    await do(browser, row(browser, name).name.click)

    head, body = browser._view.preview.children
    assert name in head.value
    assert shown in body.value
    assert "\x1b" not in body.value


async def test_a_small_image_is_an_image(s3, connected, browse):
    """And it goes when another folder is opened."""
    s3.put("dot.png", PNG)
    browser = await browse(s3.uri())

    await do(browser, row(browser, "dot.png").name.click)
    image = browser._view.preview.children[1]
    await do(browser, lambda: browser.opened(None))

    assert (image.value, image.format) == (PNG, "png")
    assert browser._view.preview.children == ()


async def test_what_is_selected_is_brought_here(s3, connected, browse, tmp_path):
    """Objects by their names, folders with all that is in them, as a job."""
    for key in ("d/a", "d/e/f", "d/e/g/h", "d/not"):
        s3.put(key, key)
    browser = await browse(s3.uri("d/"))
    row(browser, "a").check.value = True
    row(browser, "e/").check.value = True
    browser._view.target.value = str(tmp_path / "here")

    await do(browser, browser._view._tools["download"].click)

    here = {
        str(path.relative_to(tmp_path / "here")): path.read_text()
        for path in (tmp_path / "here").rglob("*")
        if path.is_file()
    }
    assert here == {"a": "d/a", "e/f": "d/e/f", "e/g/h": "d/e/g/h"}
    assert "3 files, 15 B, brought here." in said(browser)
    assert (await jobs()).Line[0].startswith("get ")


async def test_a_folder_cannot_lead_out_of_the_target(moto, s3, connected, browse, tmp_path):
    """One that is called `..` is refused, and the others come."""
    for key in ("d/../stolen", "d/in/a"):
        s3.put(key, b"1")
    browser = await browse(s3.uri("d/"))
    browser._view.all.value = True
    browser._view.target.value = str(tmp_path / "here")

    await do(browser, browser._view._tools["download"].click)

    assert "1 failed" in said(browser)
    assert [path.name for path in tmp_path.rglob("*") if path.is_file()] == ["a"]
    s3.client.delete_object(Bucket=s3.bucket, Key="d/../stolen")


async def test_files_are_sent_and_none_is_replaced_unasked(s3, connected, browse):
    """What is there already is asked about; the answer counts."""
    s3.put("d/old", b"theirs")
    browser = await browse(s3.uri("d/"))
    files = (
        {"name": "new", "content": memoryview(b"new")},
        {"name": "old", "content": memoryview(b"mine")},
    )

    browser._view.upload.value = [
        one | {"type": "", "size": 1, "last_modified": dt.datetime.now(dt.UTC)} for one in files
    ]
    await settled(browser)
    question = browser._view._question.value
    before = s3.get("d/old")
    await do(browser, browser._view._yes.click)

    assert "old is there already." in question
    assert before == b"theirs"
    assert (s3.get("d/old"), s3.get("d/new")) == (b"mine", b"new")
    assert names(browser) == ["new", "old"]


async def test_nothing_is_deleted_without_a_yes(s3, server, connected, browse):
    """Folders go with all that is in them; no leaves everything."""
    for key in ("a", "b", "e/f", "e/g"):
        s3.put(key, b"1")
    browser = await browse(s3.uri())
    row(browser, "a").check.value = True
    row(browser, "e/").check.value = True
    await settled(browser)

    browser._view._tools["delete"].click()
    await settled(browser)
    question = browser._view._question.value
    await do(browser, browser._view._no.click)
    await do(browser, browser._view._yes.click)
    left = s3.keys()
    browser._view._tools["delete"].click()
    await do(browser, browser._view._yes.click)

    assert "Delete 1 object (1 B) and 1 folder with all that is in them?" in question
    assert left == ["a", "b", "e/f", "e/g"]
    assert s3.keys() == ["b"]
    assert "a" not in names(browser)
    assert "b" in names(browser)  # SeaweedFS shows an empty folder for a moment


async def test_a_link_reads_the_object(s3, connected, browse):
    """For whoever has it."""
    import aiohttp

    s3.put("a&b.txt", b"linked")
    browser = await browse(s3.uri())
    await do(browser, row(browser, "a&b.txt").name.click)

    await do(browser, browser._view._tools["link"].click)

    url = said(browser).partition('href="')[2].partition('"')[0].replace("&amp;", "&")
    async with aiohttp.ClientSession() as plain, plain.get(url) as answer:
        assert await answer.read() == b"linked"


async def test_what_goes_wrong_is_one_line(s3, connected, browse, caplog):
    """A bucket that is not there, an object that has gone; no task complains on its own."""
    s3.put("gone", b"1")
    missing = await browse("s3://no-such-bucket-here/")
    browser = await browse(s3.uri())
    s3.client.delete_object(Bucket=s3.bucket, Key="gone")

    await do(browser, row(browser, "gone").name.click)

    assert "no such bucket" in said(missing)
    assert "no such key" in said(browser)
    assert "never retrieved" not in caplog.text


async def test_it_stays_on_the_connection_that_it_was_opened_with(s3, connected, browse):
    """What `connect` is told later is for others."""
    s3.put("a/b", b"1")
    browser = await browse(s3.uri())
    session.connect(endpoint_url="http://127.0.0.1:9", region="us-east-1", anonymous=True)

    await do(browser, row(browser, "a/").name.click)

    assert names(browser) == ["b"]
    await session.close()


async def test_a_key_is_never_markup(moto, s3, connected, browse):
    """Neither in its row, nor in the path, nor in what is said of it."""
    key = "<img src=x onerror=alert(1)>\x1b[2J\u202e"
    s3.put(f"{key}/{key}.txt", b"1")
    browser = await browse(s3.uri())
    await do(browser, lambda: browser.opened(S3Uri(s3.bucket, f"{key}/")))

    await do(browser, rows(browser)[0].name.click)
    browser._view._tools["delete"].click()
    await settled(browser)

    values = [one.value for one in ipywidgets.widget._instances.values() if hasattr(one, "value")]
    drawn = [value for value in values if isinstance(value, str)]
    assert not any("<img" in value for value in drawn)
    assert not any("\x1b" in value or "\u202e" in value for value in drawn)
    assert "\x1b" not in names(browser)[0]
    s3.client.delete_object(Bucket=s3.bucket, Key=f"{key}/{key}.txt")


async def test_closing_takes_every_widget_away(s3, connected, browse):
    """Nothing of it is left in the kernel."""
    for name in ("a", "b/c"):
        s3.put(name, b"1")
    before = set(ipywidgets.widget._instances)
    browser = await browse(s3.uri())
    await do(browser, row(browser, "a").name.click)
    await do(browser, row(browser, "b/").name.click)

    browser.close()
    await settled(browser)

    assert set(ipywidgets.widget._instances) == before


@pytest.mark.parametrize("uri", [42, "s3://", "no bucket"])
async def test_an_address_that_is_none_is_refused(uri):
    """Before anything is opened."""
    from s3magic.commands.browse import browse

    with pytest.raises(BadArgument):
        await browse(uri)

"""What a person sees and does in JupyterLab, in a real browser."""

from __future__ import annotations

import hashlib
import re
import shutil
import time

import pytest
from playwright.sync_api import expect

from browser.lab import Notebook

pytestmark = pytest.mark.browser

SIZE = 256_000_000
TRICKLE = 2_000_000  # bytes a second past the gate: a minute to look at the other half
CLICKED_AT = (
    "document.addEventListener('click', () => { window.clicked = performance.now() }, true)"
)
ENDED_AT = """index => new Promise(resolve => {
    const prompt = () => document.querySelectorAll('.jp-Notebook .jp-CodeCell')[index]
        .querySelector('.jp-InputPrompt').textContent;
    const look = setInterval(() => {
        if (prompt() === '[*]:') return;
        clearInterval(look);
        resolve(performance.now() - window.clicked);
    }, 5);
})"""


@pytest.fixture(scope="session")
def big():
    """256 MB that no two megabytes of are alike."""
    return b"".join(hashlib.sha256(b"%d" % i).digest() * 31250 for i in range(SIZE // 1_000_000))


@pytest.fixture
def here(lab):
    """A fresh folder where the kernels are, to get files into."""
    folder = lab.folder / "here"
    folder.mkdir()
    yield folder
    shutil.rmtree(folder)


def half_way(notebook, index):
    """Wait until a cell's bar has come to 40 % or more."""
    bar = notebook.cell(index).get_by_role("progressbar")
    expect(bar).to_have_attribute("aria-valuenow", re.compile(r"^[4-9]\d$"))
    return bar


def cancel(notebook, index):
    """Click Cancel; gives the seconds from the click, as the browser saw it, to the cell's end."""
    notebook.page.evaluate(CLICKED_AT)
    notebook.cell(index).get_by_role("button", name="Cancel").click()
    milliseconds = notebook.page.evaluate(ENDED_AT, index)
    return milliseconds / 1000


def files(folder):
    """Give the names of a folder's files that are not hidden."""
    return sorted(path.name for path in folder.rglob("[!.]*") if path.is_file())


def test_a_listing_is_a_table(notebook, s3):
    """A frame's rows and columns are those of the bucket."""
    for number in range(3):
        s3.put(f"stations/{number}.csv", b"x" * 1234)

    book = notebook(f"%s3ls {s3.uri('stations/')}")
    book.run(1)

    table = book.cell(1).get_by_role("table")
    header = table.locator("thead th").all_text_contents()
    rows = table.locator("tbody tr")
    assert {"Key", "Size", "LastModified"} <= set(header)
    assert rows.count() == 3
    assert "stations/0.csv" in rows.nth(0).text_content()


def test_a_key_never_becomes_markup(notebook, s3):
    """A key that is an image with a script is read in the table, and nothing runs."""
    key = "<img src=x onerror='window.stung=1'>.csv"
    s3.put(key, b"x")

    book = notebook(f"%s3ls {s3.uri()}")
    book.run(1)

    expect(book.cell(1).get_by_role("table")).to_contain_text(key)
    assert book.output(1).locator("img").count() == 0
    assert book.page.evaluate("window.stung") is None


def test_a_download_is_seen_half_way(notebook, s3, gate, big, here):
    """The bar shows name, share, bytes and rate beside a Cancel button, and becomes one line."""
    s3.put("radar.bin", big)
    book = notebook(f"%s3get {s3.uri('radar.bin')} ./here/")
    gate.narrow(SIZE // 2, TRICKLE)

    book.start(1)
    half_way(book, 1)

    cell = book.cell(1)
    expect(cell.get_by_text("Downloading")).to_be_visible()
    expect(cell.get_by_text(re.compile("radar.bin$"))).to_be_visible()
    expect(cell.get_by_text(re.compile(r"^1\d\d MB of 256 MB$"))).to_be_visible()
    expect(cell.get_by_text(re.compile(r"^[\d.]+ [kM]B/s$"))).to_be_visible()
    expect(cell.get_by_role("button", name="Cancel")).to_be_enabled()
    assert files(here) == []

    gate.open()
    book.finish(1)

    expect(book.output(1).first).to_have_text(
        re.compile(r"^\s*Downloaded 1 file, 256 MB in .+ s \(.+ MB/s\)\.\s*$")
    )
    expect(cell.get_by_role("progressbar")).to_have_count(0)
    assert (here / "radar.bin").read_bytes() == big


def test_cancel_ends_a_download_at_once_and_the_same_cell_completes_it(
    notebook, s3, gate, big, here
):
    """Within a second the cell is over and no file is there; run again, the file is whole."""
    s3.put("radar.bin", big)
    book = notebook(f"%s3get {s3.uri('radar.bin')} ./here/")
    gate.narrow(SIZE // 2, TRICKLE)
    book.start(1)
    half_way(book, 1)

    seconds = cancel(book, 1)

    assert seconds < 1
    assert files(here) == []
    expect(book.output(1).first).to_contain_text("cancelled.")

    gate.open()
    book.run(1)

    expect(book.output(1).first).to_contain_text("Downloaded 1 file, 256 MB")
    assert files(here) == ["radar.bin"]
    assert (here / "radar.bin").read_bytes() == big


def test_cancel_ends_an_upload_at_once_and_leaves_no_upload_open(notebook, s3, gate, big, here):
    """Within a second the cell is over, with no object; its abort may arrive a moment later."""
    (here / "radar.bin").write_bytes(big)
    book = notebook(f"%s3put ./here/radar.bin {s3.uri('radar.bin')}")
    gate.narrow(SIZE // 2, TRICKLE)
    book.start(1)
    half_way(book, 1)

    seconds = cancel(book, 1)

    assert seconds < 1
    assert s3.keys() == []
    deadline = time.monotonic() + 20
    while s3.uploads():
        assert time.monotonic() < deadline
        book.page.wait_for_timeout(50)  # between two looks

    gate.open()
    book.run(1)

    assert s3.get("radar.bin") == big


def test_of_many_files_the_slowest_are_named(notebook, s3, gate, here):
    """Files done are counted, and three that hang are there by name with bars of their own."""
    for number in range(40):
        s3.put(f"many/{number:02}.bin", bytes(1_000_000))
    book = notebook(f"%s3get {s3.uri('many/')} ./here/ -r")
    gate.narrow(20_500_000, 10_000)

    book.start(1)

    cell = book.cell(1)
    expect(cell.locator(".s3m .slow")).to_have_count(3)
    expect(cell.locator(".s3m .slow .name").first).to_contain_text(".bin")
    expect(cell.locator(".s3m .head")).to_contain_text(re.compile(r"\d+ of 40 files"))

    gate.open()
    book.finish(1)

    assert len(files(here)) == 40


def test_a_jobs_bar_moves_while_other_cells_run(notebook, s3, gate, big, here):
    """Also while one computes, and the notebook's own loop stands still; then it is one line."""
    s3.put("radar.bin", big)
    book = notebook(
        f"job = %s3get {s3.uri('radar.bin')} ./here/ --bg",
        "import time\nwhile job.size < 200_000_000:\n    time.sleep(0.02)",
        "(await job).Status.tolist()",
    )
    gate.narrow(SIZE // 2, TRICKLE)
    book.run(1)
    bar = half_way(book, 1)
    before = int(bar.get_attribute("aria-valuenow"))

    book.start(2)
    gate.narrow(0, 40_000_000)
    expect(bar).to_have_attribute("aria-valuenow", re.compile(r"^[67]\d$"))
    running = book.cell(2).locator(".jp-InputPrompt").text_content()
    gate.open()
    book.finish(2)
    book.run(3)

    assert before < 60
    assert running == "[*]:"
    expect(book.output(3)).to_contain_text("['done']")
    expect(book.output(1).first).to_contain_text(
        re.compile(r"^\s*Job 1: Downloaded 1 file, 256 MB in .+ s \(.+ MB/s\)\.\s*$")
    )
    expect(book.cell(1).get_by_role("progressbar")).to_have_count(0)
    assert (here / "radar.bin").read_bytes() == big


def test_the_explorer_is_clicked_through_and_hands_its_selection_over(notebook, s3, here):
    """Open, look, filter, select, download, and go back; Python has what is ticked."""
    s3.put("csv/2024/wien.csv", "date,rain\n2024-01-01,1.5\n")
    s3.put("csv/2024/<b>bergen.txt", "some <i>text</i>")
    s3.put("csv/readme.txt", "read me")
    book = notebook(f"b = %s3browse {s3.uri()}", "b.uri.key, b.selection.Key.tolist()")
    cell = book.cell(1)
    rows = cell.locator(".s3b-row")

    book.run(1)
    cell.get_by_role("button", name="csv/").click()
    expect(rows).to_have_count(2)
    cell.get_by_role("button", name="2024/").press("Enter")
    cell.get_by_role("button", name="bergen").click()
    expect(cell.locator(".s3b-preview pre")).to_have_text("some <i>text</i>")
    expect(cell.locator(".s3b-row b, .s3b-preview pre i")).to_have_count(0)
    cell.get_by_placeholder("Filter").fill("wien")
    expect(rows).to_have_count(1)
    rows.get_by_role("checkbox").check()
    expect(cell.locator(".s3b-foot")).to_contain_text("1 selected, 25 B")
    cell.locator(".s3b-tools input[type=text]").fill("./here")
    cell.get_by_role("button", name="Download to").click()
    expect(cell.locator(".s3b-says")).to_contain_text("1 file, 25 B, brought here.")
    book.run(2)
    cell.locator(".s3b-crumbs button").nth(2).click()
    expect(rows).to_have_count(2)

    expect(book.output(2)).to_contain_text("('csv/2024/', ['csv/2024/wien.csv'])")
    assert files(here) == ["wien.csv"]


def test_a_saved_notebook_reads_without_widgets(lab, page, notebook, s3, big, here):
    """From the disk comes one line of text, in a browser that never saw the kernel's widgets."""
    s3.put("radar.bin", big)
    book = notebook(
        "from s3magic import settings; settings.change(progress_delay=0)",
        f"%s3get {s3.uri('radar.bin')} ./here/",
    )
    book.run(1)
    book.run(2)
    book.save()

    saved = lab.read(book.name)
    kinds = {kind for output in saved.cells[2].outputs for kind in output.get("data", {})}
    texts = [output.data["text/plain"] for output in saved.cells[2].outputs if "data" in output]
    assert not any("widget" in kind for kind in kinds)
    assert "widgets" not in saved.metadata
    assert texts[0].startswith("Downloaded 1 file, 256 MB")

    again = Notebook(lab, page, book.name).open()

    expect(again.output(2).first).to_contain_text("Downloaded 1 file, 256 MB")
    expect(again.cell(2).get_by_text("Error displaying widget")).to_have_count(0)


def test_tab_offers_keys_and_writes_the_one_that_is_taken(notebook, s3):
    """Names in the list; in the cell the address, quoted where it must be."""
    for key in ("2024/a file.csv", "2024/b.csv", "2025/c.csv", "2025/d.csv"):
        s3.put(key, "x")
    book = notebook(f"%s3ls {s3.uri('2025/')}", f"%s3ls {s3.uri('2024/')}")

    shown = book.complete(1, "c.csv").all_text_contents()
    book.page.keyboard.press("Enter")
    expect(book.cell(1).locator(".cm-content")).to_have_text(f"%s3ls {s3.uri('2025/c.csv')}")

    book.complete(2, '"a file.csv"')
    book.page.keyboard.press("Enter")
    expect(book.cell(2).locator(".cm-content")).to_have_text(f'%s3ls {s3.uri("2024/")}"a file.csv"')
    book.run(2)

    assert shown[:2] == ["c.csv", "d.csv"]  # JupyterLab adds words of the notebook, last
    expect(book.output(2)).to_contain_text("2024/a file.csv")

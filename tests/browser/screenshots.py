"""Take the pictures of README and docs: ``python tests/browser/screenshots.py [FOLDER]``.

They show the real thing: JupyterLab in a browser, the embedded server with the
demo's data, and transfers caught half-way behind a gate that gives them the
speed of a good line. They go to ``docs/images`` unless a folder is named. All
data is made anew each time; only what depends on the moment (a rate, a
percentage) differs from picture to picture. It takes about a minute.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

import botocore.config
import botocore.session
import numpy as np
from PIL import Image
from playwright.sync_api import expect

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "tests"), str(ROOT / "tools")]

import demo_data  # noqa: E402 - found by the line above

from browser.gate import Gate  # noqa: E402
from browser.lab import Lab, Notebook, browse, find_browser  # noqa: E402
from s3magic.server import Server  # noqa: E402

SIZE = (860, 720)  # CSS pixels of the browser's window
SCALE = 2.0  # pixels of a picture for each: sharp on any screen
MARGIN = 6  # CSS pixels around the cells
LINE = 90_000_000  # bytes a second
TIDY = ".jp-cell-toolbar { display: none }"  # its icons come and go with the mouse
LISTING = """objects = %s3ls s3://weather/ -r
objects[["Key", "Size", "LastModified"]].sort_values("Size").tail(7)"""
DOWNLOAD = "%s3get s3://archive/radar/2024-composite.bin ./data/"
FOLDER = "%s3get s3://weather/csv/year=2024/"
PLOT = "%s3du s3://weather/ --depth 2 --plot"
MANY = "%s3get s3://radar/2024/ ./radar/ -r"
JOB = "job = %s3get s3://radar/2024/ ./job/ -r --bg"
JOBS = """jobs = %s3jobs
jobs[["Job", "Line", "Status", "Done", "Total", "Rate"]]"""
COMPUTING = "total = sum(n * n for n in range(300_000_000))"
EXPLORER = "b = %s3browse s3://weather/csv/"
SELECTION = """b.selection[["Key", "Size", "LastModified"]]"""


def main(folder):
    """Take every picture."""
    browser = find_browser()
    if browser is None:
        sys.exit("There is no Chromium to take pictures with.")
    folder.mkdir(parents=True, exist_ok=True)
    with (
        Server() as server,
        Gate(server.endpoint_url) as gate,
        Lab(server.environment | {"AWS_ENDPOINT_URL_S3": gate.url}) as lab,
    ):
        fill(server)
        with browse(browser, size=SIZE, scale=SCALE) as page:
            take(folder / "listing.png", begin(lab, page, "listing", LISTING, finished=True), gate)
            take(folder / "du.png", begin(lab, page, "du", PLOT, finished=True), gate)
            dark = begin(lab, page, "du-dark", PLOT, finished=True, dark=True)
            take(folder / "du-dark.png", dark, gate)
            take(folder / "download.png", begin(lab, page, "download", DOWNLOAD, gate=gate), gate)
            take(folder / "many.png", begin(lab, page, "many", MANY, gate=gate), gate)
            dark = begin(lab, page, "dark", MANY, gate=gate, dark=True)
            take(folder / "many-dark.png", dark, gate)
            tab(folder / "completion.png", lab, page)
            job(folder / "job.png", lab, page, gate)
            explorer(folder / "browse.png", lab, page)
    print(f"Pictures are in {folder}")


def fill(server):
    """Write the demo's data, and a bucket with many files of a few megabytes."""
    client = botocore.session.Session().create_client(
        "s3",
        endpoint_url=server.endpoint_url,
        aws_access_key_id=server.access_key,
        aws_secret_access_key=server.secret_key,
        region_name="us-east-1",
        config=botocore.config.Config(s3={"addressing_style": "path"}),
    )
    demo_data.fill(client)
    client.create_bucket(Bucket="radar")
    dice = np.random.default_rng(7)
    for hour, size in enumerate(dice.integers(2_000_000, 24_000_000, 48)):
        key = f"2024/06/{hour // 24 + 1:02}/composite-{hour % 24:02}00-reflectivity.nc"
        client.put_object(Bucket="radar", Key=key, Body=bytes(int(size)))
    client.close()


def begin(lab, page, name, line, *, gate=None, dark=False, finished=False):
    """Open a notebook with the line in its second cell, and run it to where it looks best."""
    book = opened(lab, page, name, line, dark=dark)
    if gate is not None:
        gate.narrow(0, LINE)
    book.start(1)
    if finished:
        book.finish(1)
    else:
        bar = book.cell(1).get_by_role("progressbar")
        expect(bar).to_have_attribute("aria-valuenow", re.compile(r"^[5-7]\d$"))
    return book


def take(path, book, gate):
    """Take a picture of both cells, then let the line end."""
    cells(path, book, 1)
    gate.open()
    book.finish(1)


def opened(lab, page, name, *lines, dark=False):
    """Open a notebook with a cell for each line, below one that loads the extension."""
    lab.write(f"{name}.ipynb", ["%load_ext s3magic", *lines])
    book = Notebook(lab, page, f"{name}.ipynb").open(dark=dark)
    page.evaluate("window.jupyterapp.commands.execute('application:toggle-left-area')")
    page.add_style_tag(content=TIDY)
    book.run(0)
    return book


def cells(path, book, last):
    """Take a picture of the cells up to this one."""
    first, last = book.cell(0).bounding_box(), book.cell(last).bounding_box()
    book.page.screenshot(
        path=path,
        clip={
            "x": first["x"] - MARGIN,
            "y": first["y"] - MARGIN,
            "width": first["width"] + 2 * MARGIN,
            "height": last["y"] + last["height"] - first["y"] + 2 * MARGIN,
        },
    )


def job(path, lab, page, gate):
    """Take a picture of a job whose bar moves while another cell computes."""
    book = opened(lab, page, "job", JOB, JOBS, COMPUTING)
    gate.narrow(0, LINE)
    book.run(1)
    bar = book.cell(1).get_by_role("progressbar")
    expect(bar).to_have_attribute("aria-valuenow", re.compile(r"^[34]\d$"))
    book.run(2)
    book.start(3)
    expect(bar).to_have_attribute("aria-valuenow", re.compile(r"^[5-7]\d$"))
    cells(path, book, 3)
    gate.open()
    book.finish(3)


def explorer(path, lab, page):
    """Take a picture of the explorer, and of what it hands to Python."""
    page.set_viewport_size({"width": SIZE[0], "height": 1200})
    book = opened(lab, page, "browse", EXPLORER, SELECTION)
    book.run(1)
    cell = book.cell(1)
    cell.get_by_role("button", name="year=2024/").click()
    cell.get_by_role("button", name="station=lisboa.csv").click()
    expect(cell.locator(".s3b-table tbody tr")).to_have_count(8)
    for station in (0, 2, 6):
        cell.locator(".s3b-row").nth(station).get_by_role("checkbox").check()
    expect(cell.locator(".s3b-foot")).to_contain_text("3 selected")
    book.run(2)
    page.mouse.move(0, 0)
    cells(path, book, 2)
    # Half as large with a palette, and nobody sees it.
    Image.open(path).quantize(256, dither=Image.Dither.NONE).save(path, optimize=True)


def tab(path, lab, page):
    """Take a picture of the keys that Tab offers."""
    book = opened(lab, page, "tab", FOLDER)
    last = book.complete(1, "station=wien.csv").last.bounding_box()
    first, line = book.cell(0).bounding_box(), book.cell(1).bounding_box()
    page.screenshot(
        path=path,
        clip={
            "x": first["x"] - MARGIN,
            "y": first["y"] - MARGIN,
            "width": line["width"] + 2 * MARGIN,
            "height": last["y"] + last["height"] - first["y"] + 4 * MARGIN,
        },
    )


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "docs" / "images")

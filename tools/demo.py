"""Run the tour in a real kernel, beside a server with data, and show what it says.

Writes the executed notebook and a page of it to ``build/``. Fails when a cell
fails.
"""

from __future__ import annotations

import re
import shutil
import sys
import time
from pathlib import Path
from typing import Any

import nbformat
from demo_server import demo_server
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError
from nbconvert import HTMLExporter

ROOT = Path(__file__).resolve().parent.parent
TOUR = ROOT / "notebooks" / "tour.ipynb"
ESCAPES = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")


def main(build: Path = ROOT / "build") -> int:
    """Run the tour; gives 0 when every cell ran."""
    began = time.monotonic()
    notebook = nbformat.read(TOUR, as_version=4)
    work = build / "tour"  # where the tour's downloads land
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir(parents=True)
    print("Starting an S3 server on this machine, and filling it with data …", flush=True)
    with demo_server() as environment:
        print(f"Ready at {environment['AWS_ENDPOINT_URL_S3']}. The tour begins.\n", flush=True)
        tour = NotebookClient(
            notebook,
            timeout=300,
            kernel_name="python3",
            extra_arguments=kernel_arguments(),
            resources={"metadata": {"path": str(work)}},
            on_cell_start=lambda cell, **_: show_text(cell),
            on_cell_executed=lambda cell, **_: show_outputs(cell),
        )
        try:
            tour.execute(env=environment)
            failed = False
        except CellExecutionError:
            failed = True
    nbformat.write(notebook, build / "tour.ipynb")
    page, _ = HTMLExporter().from_notebook_node(notebook)
    (build / "tour.html").write_text(page, encoding="utf-8")
    print(f"\nThe tour took {time.monotonic() - began:.0f} s.")
    print(f"  as it ran:     {build / 'tour.ipynb'}\n  as a page:     {build / 'tour.html'}")
    print("  to try it live: make lab")
    if failed:
        print("\nA cell failed: see the last output above.", file=sys.stderr)
    return int(failed)


def kernel_arguments() -> list[str]:
    """Have frames fill the terminal, and the kernel not warn of TCP, which is loopback here."""
    width = shutil.get_terminal_size((150, 24)).columns
    display = f"import pandas; pandas.set_option('display.width', {max(width, 100)})"
    return ["--log-level=ERROR", f"--IPKernelApp.exec_lines={display}"]


def show_text(cell: Any) -> None:
    """Print a cell of text as it is, or the source of a cell of code behind a mark."""
    if cell.cell_type == "code":
        lines = cell.source.splitlines()
        print("\n".join(f"{'>>>' if n == 0 else '...'} {line}" for n, line in enumerate(lines)))
    else:
        print(f"\n{cell.source}\n")
    sys.stdout.flush()


def show_outputs(cell: Any) -> None:
    """Print what a cell of code gave, as text."""
    texts = [output_text(output).rstrip("\n") for output in cell.get("outputs", ())]
    print("\n".join(filter(None, texts)), end="\n\n", flush=True)


def output_text(output: Any) -> str:
    """Give one output's text; pictures and widgets have none."""
    if output.output_type == "stream":
        text = output.text
    elif output.output_type == "error":
        text = "\n".join(output.traceback)
    else:
        text = output.data.get("text/plain", "")
    return ESCAPES.sub("", text)


if __name__ == "__main__":
    sys.exit(main(*map(Path, sys.argv[1:])))

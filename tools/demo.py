"""Run the tour in a real kernel, beside a server with data, and show what it says.

Names of other notebooks go to ``ARGS=``, one after the other:
``make demo ARGS="analysis clean-up migration"``. Writes each as it ran, and a
page of it, to ``build/``. Fails when a cell fails.
"""

from __future__ import annotations

import argparse
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
NOTEBOOKS = ROOT / "notebooks"
ESCAPES = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")


def main(words: list[str]) -> int:
    """Run the notebooks that are named; gives 0 when every cell of theirs ran."""
    known = sorted(path.stem for path in NOTEBOOKS.glob("*.ipynb"))
    reader = argparse.ArgumentParser(prog="make demo ARGS=…", description=__doc__)
    reader.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(known)}")
    reader.add_argument("--to", type=Path, default=ROOT / "build", help="where the results go")
    given = reader.parse_args(words)
    names = given.names or ["tour"]
    if unknown := [name for name in names if name not in known]:
        reader.error(f"there is no notebook {unknown[0]!r}: it must be one of {', '.join(known)}")
    print("Starting an S3 server on this machine, and filling it with data …", flush=True)
    with demo_server() as environment:
        print(f"Ready at {environment['AWS_ENDPOINT_URL_S3']}.\n", flush=True)
        ran = [run(name, given.to, environment) for name in names]
    return int(not all(ran))


def run(name: str, build: Path, environment: dict[str, str]) -> bool:
    """Run one notebook and keep it as it ran; tells whether every cell did."""
    began = time.monotonic()
    notebook = nbformat.read(NOTEBOOKS / f"{name}.ipynb", as_version=4)
    work = build / name  # where its downloads land
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir(parents=True)
    client = NotebookClient(
        notebook,
        timeout=300,
        kernel_name="python3",
        extra_arguments=kernel_arguments(),
        resources={"metadata": {"path": str(work)}},
        on_cell_start=lambda cell, **_: show_text(cell),
        on_cell_executed=lambda cell, **_: show_outputs(cell),
    )
    try:
        client.execute(env=environment)
        failed = False
    except CellExecutionError:
        failed = True
    nbformat.write(notebook, build / f"{name}.ipynb")
    page, _ = HTMLExporter().from_notebook_node(notebook)
    (build / f"{name}.html").write_text(page, encoding="utf-8")
    print(f"\n{name}.ipynb took {time.monotonic() - began:.0f} s.")
    print(f"  as it ran:     {build / name}.ipynb\n  as a page:     {build / name}.html")
    print("  to try it live: make lab", flush=True)
    if failed:
        print(f"\nA cell of {name} failed: see the last output above.", file=sys.stderr)
    return not failed


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
    sys.exit(main(sys.argv[1:]))

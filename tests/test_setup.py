"""What stands around the package: make, CI, Binder, and the tour that all of them run."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

import psutil
import pytest

ROOT = Path(__file__).parent.parent
LOCK_FILES = {"poetry.lock", "uv.lock", "pdm.lock", "Pipfile.lock", "pylock.toml", "pip.conf"}
# Where people go to read; anything else that serves packages is a machine's own business.
REGISTRY = re.compile(
    r"--(?:extra-)?index-url|--find-links|\bindex-url\s*=|UV_INDEX|PIP_INDEX|://[\w.-]*(?:pypi|simple)/"
)


def committed_files():
    """Every file that git tracks, or would."""
    listing = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    return [path for name in listing.stdout.splitlines() if (path := ROOT / name).is_file()]


def make(*words):
    return subprocess.run(
        ["make", *words], cwd=ROOT, capture_output=True, text=True, check=True, timeout=60
    ).stdout


NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))


def tour():
    return json.loads((ROOT / "notebooks" / "tour.ipynb").read_text("utf-8"))


@pytest.fixture
def project(tmp_path):
    """The tools and the notebooks by themselves, with little data: for who does not look at it."""
    copy = tmp_path / "project"
    for name in ("tools", "notebooks"):
        shutil.copytree(ROOT / name, copy / name)
    data = copy / "tools" / "demo_data.py"
    text = data.read_text("utf-8")
    for much, little in {
        "256_000_000": "16_000_000",
        "range(2020, 2025)": "range(2020, 2021)",
    }.items():
        assert text.count(f" = {much}\n") == 1
        text = text.replace(f" = {much}\n", f" = {little}\n")
    data.write_text(text, "utf-8")
    return copy


def test_every_verb_of_make_is_in_its_help():
    """`make help`, and `make` alone, list each verb with what it does."""
    makefile = (ROOT / "Makefile").read_text()
    verbs = re.search(r"^\.PHONY: (.*)$", makefile, re.MULTILINE)[1].split()

    listed = dict(re.findall(r"^  make (\w+) +(\S.*)$", make("help"), re.MULTILINE))

    assert list(listed) == verbs
    assert {"demo", "lab", "test", "check"} <= set(verbs)
    assert make() == make("help")


@pytest.mark.parametrize("verb", ["demo", "lab", "test", "check", "docs", "clean"])
def test_each_verb_of_make_has_a_recipe(verb):
    """Each verb can be planned, and the tools that it calls exist."""
    plan = make("--dry-run", verb)

    tools = re.findall(r"tools/\w+\.py", plan)
    assert plan.strip()
    assert all((ROOT / tool).is_file() for tool in tools)


def test_ci_runs_make_check_and_make_test_and_nothing_else():
    """What CI runs is what anybody can run here."""
    script = ROOT / ".ci" / "run"
    lines = [line for line in script.read_text().splitlines() if line]

    assert lines[:2] == ["#!/bin/bash", "set -euo pipefail"]
    assert [line for line in lines[2:] if not line.startswith("cd ")] == ["make check", "make test"]
    assert os.access(script, os.X_OK)


@pytest.mark.parametrize("there", [False, True], ids=["no-browser", "browser"])
def test_a_missing_browser_is_told_in_one_line_and_stops_nothing(there, tmp_path):
    """Without a browser, and without apt-get to fetch one, the tests still run."""
    if there:
        (tmp_path / "chromium").write_text("#!/bin/sh\n")
        (tmp_path / "chromium").chmod(0o755)

    answer = subprocess.run(
        [sys.executable, str(ROOT / "tools" / "browser.py")],
        env={"PATH": str(tmp_path)},
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )

    lines = answer.stdout.splitlines()
    assert len(lines) == (0 if there else 1)
    assert there or "will be skipped" in lines[0]


def test_no_lock_file_and_no_registry_is_committed():
    """Where packages come from is the user's choice."""
    files = committed_files()
    texts = {path: path.read_text("utf-8", "replace") for path in files if path != Path(__file__)}

    assert files
    assert not [path for path in files if path.name in LOCK_FILES]
    assert not [path for path, text in texts.items() if REGISTRY.search(text)]


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_is_committed_without_outputs(path):
    """A notebook in git is its source: no outputs, no counts, no widget state."""
    notebook = json.loads(path.read_text("utf-8"))
    code = [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]

    assert notebook["metadata"]["kernelspec"]["name"] == "python3"
    assert "widgets" not in notebook["metadata"]
    assert not [cell for cell in code if cell["outputs"] or cell["execution_count"]]


@pytest.mark.kernel
def test_the_demo_runs_every_notebook_and_shows_it(tmp_path):
    """Every cell runs; frames are shown in the terminal; the notebook and a page are written."""
    names = [path.stem for path in NOTEBOOKS]
    answer = subprocess.run(
        [sys.executable, str(ROOT / "tools" / "demo.py"), "--to", str(tmp_path), *names],
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )

    assert answer.returncode == 0, answer.stdout[-3000:] + answer.stderr[-3000:]
    for shown in (">>> %s3ls", "s3://weather/", "csv/year=2023", "2024-composite.bin", "done"):
        assert shown in answer.stdout
    for name in names:
        executed = json.loads((tmp_path / f"{name}.ipynb").read_text("utf-8"))
        code = [cell for cell in executed["cells"] if cell["cell_type"] == "code"]
        assert [cell["execution_count"] for cell in code] == list(range(1, len(code) + 1))
        assert (tmp_path / f"{name}.html").stat().st_size > 50_000
    assert (tmp_path / "tour" / "data" / "2024-composite.bin").stat().st_size == 256_000_000


@pytest.mark.kernel
def test_the_demo_fails_when_a_cell_fails(project):
    """A broken tour is told by the exit status, and where it broke is shown."""
    notebook = tour()
    notebook["cells"] = [cell for cell in notebook["cells"] if cell["cell_type"] == "code"][:1]
    notebook["cells"][0]["source"] = "1 / 0"
    (project / "notebooks" / "tour.ipynb").write_text(json.dumps(notebook), "utf-8")

    answer = subprocess.run(
        [sys.executable, str(project / "tools" / "demo.py")],
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )

    assert answer.returncode == 1
    assert "ZeroDivisionError" in answer.stdout
    assert "A cell of tour failed" in answer.stderr
    assert (project / "build" / "tour.ipynb").is_file()


@pytest.mark.kernel
@pytest.mark.skipif(sys.platform == "win32", reason="no SIGTERM there")
def test_the_lab_opens_the_tour_and_ends_with_its_server(project):
    """The address that it prints works with its token alone; nothing outlives it."""
    with subprocess.Popen(
        [sys.executable, str(project / "tools" / "lab.py"), "--no-browser"],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as lab:
        url = next(line.strip() for line in lab.stdout if "token=" in line)
        try:
            # JupyterLab says that it is running a little before it can be asked.
            assert any("is running at" in line for line in lab.stdout)
            processes = psutil.Process(lab.pid).children(recursive=True)
            assert len(processes) >= 3, "JupyterLab, the server and its guard"

            address, token = url.split("/lab/tree/tour.ipynb?token=")
            tour_file = f"{address}/api/contents/tour.ipynb?token="
            with patiently_opened(tour_file + token) as answer:
                assert json.load(answer)["content"]["cells"]
            with pytest.raises(urllib.error.HTTPError, match="403") as refused:
                urllib.request.urlopen(tour_file + "wrong", timeout=30)
            refused.value.close()
        finally:
            lab.terminate()
            lab.stdout.read()
        assert lab.wait(30) == 0

    assert not psutil.wait_procs(processes, timeout=20)[1]


def patiently_opened(url):
    """Ask until somebody listens there."""
    deadline = time.monotonic() + 60
    while True:
        try:
            return urllib.request.urlopen(url, timeout=30)
        except urllib.error.HTTPError:
            raise
        except urllib.error.URLError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.05)  # between two tries; the answer is the sign


@pytest.mark.install
@pytest.mark.skipif(sys.platform == "win32", reason="a Binder runs Linux")
def test_a_binder_builds_and_starts_with_the_tours_data(tmp_path, original_home):
    """Binder's own steps, on a copy of what is committed, in a fresh virtual environment.

    What a session starts finds s3magic, JupyterLab and the server with its data.
    """
    copy = tmp_path / "repository"
    for path in committed_files():
        target = copy / path.relative_to(ROOT)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(path, target)
    subprocess.run([sys.executable, "-m", "venv", tmp_path / "venv"], check=True, timeout=120)
    # pip's settings and its cache are the developer's own, as for `make`.
    environment = os.environ | {
        "HOME": original_home,
        "PIP_NO_COMPILE": "1",  # bytecode is of no use to one run
        "PATH": f"{tmp_path / 'venv' / 'bin'}{os.pathsep}{os.environ['PATH']}",
    }
    script = """
import botocore.session, importlib.metadata, s3magic
client = botocore.session.Session().create_client("s3")
print(importlib.metadata.version("jupyterlab").split(".")[0], s3magic.__file__)
print(*[bucket["Name"] for bucket in client.list_buckets()["Buckets"]])
print(client.head_object(Bucket="archive", Key="radar/2024-composite.bin")["ContentLength"])
raise SystemExit(3)
"""
    steps = {"cwd": copy, "env": environment, "capture_output": True, "text": True}

    built = subprocess.run(["binder/postBuild"], **steps, check=False, timeout=600)
    assert built.returncode == 0, built.stdout + built.stderr
    session = subprocess.run(
        ["binder/start", "python", "-c", script], **steps, check=False, timeout=120
    )

    versions, buckets, size = session.stdout.splitlines()
    assert session.returncode == 3, "the status of the session is the command's own"
    assert versions.startswith("4 ")
    assert str(tmp_path / "venv") in versions
    assert buckets == "archive photos weather"
    assert size == "256000000"

"""Tab in a real kernel, and in terminal IPython."""

from __future__ import annotations

import os
import shlex
import sys
import warnings

import pexpect
import pytest
from IPython.core.completer import provisionalcompleter
from IPython.core.interactiveshell import InteractiveShell
from kernels import DEADLINE, Kernel
from silent import Silent

from s3magic.notebook import asked, extension, magics

pytestmark = pytest.mark.kernel

KEYS = ("2024/a.csv", "2024/b.csv", "2025/c.csv", "two words/it's.csv", "top.txt")


def settled(kernel, code, *, until):
    """Press Tab until something is there: the first time may come too late, and is kept."""
    for _ in range(200):
        found, said = kernel.complete(code)
        assert not said
        if until(found):
            return found
    raise AssertionError(f"{code} gives {found}")


@pytest.fixture(scope="module")
def kernel(seaweed, tmp_path_factory):
    """A kernel that has listed something, so that all is imported."""
    folder = tmp_path_factory.mktemp("kernel")
    (folder / "data file.csv").write_text("x")
    (folder / "data").mkdir()
    with Kernel("s3magic", folder=folder, env=seaweed.environment) as kernel:
        kernel.run("import pandas as pd, s3magic as s3\nframe = pd.DataFrame()\nword = 's3://x'")
        yield kernel


@pytest.fixture
def filled(s3):
    """The test's bucket, with a few keys."""
    for key in KEYS:
        s3.put(key, "x")
    return s3


def test_buckets_folders_and_keys_are_completed(kernel, filled):
    """In each place where a line of ours can stand."""
    bucket = filled.bucket
    for before in (
        "%s3ls ",
        "df = %s3ls ",
        "%%time\ndf = %s3ls ",
        "%time %s3ls ",
        "%%s3put ",
        "s3ls ",
        "%s3get x \\\n ",
    ):
        found = settled(kernel, f"{before}s3://{bucket[:12]}", until=bool)
        assert f"{before}s3://{bucket}/" in found

    level = settled(kernel, f"%s3ls {filled.uri()}", until=bool)
    below = settled(kernel, f"%s3ls {filled.uri('2024/')}", until=bool)
    part = settled(kernel, f"%s3ls -r {filled.uri('20')}| --limit 3", until=bool)

    assert level == [
        f"%s3ls {filled.uri('2024/')}", f"%s3ls {filled.uri('2025/')}",
        f"%s3ls {filled.uri('top.txt')}", f'%s3ls {filled.uri()}"two words/"',
    ]  # fmt: skip
    assert below == [f"%s3ls {filled.uri('2024/a.csv')}", f"%s3ls {filled.uri('2024/b.csv')}"]
    assert part == [f"%s3ls -r {filled.uri(one)} --limit 3" for one in ("2024/", "2025/")]


def test_a_key_with_blanks_and_quotes_is_written_so_that_it_is_read(kernel, filled):
    """The completed line finds the object."""
    (line,) = settled(kernel, f'%s3get "{filled.uri("two words/")}', until=bool)
    again = settled(kernel, f"%s3get {shlex.quote(filled.uri('two words/'))[:-1]}", until=bool)

    data = kernel.run(f"data = {line} -\ndata")

    assert data.python == b"x"
    assert len(again) == 1
    assert kernel.run(f"data = {again[0]} -\ndata").python == b"x"


def test_strings_of_python_are_completed_too(kernel, filled):
    """The twins', and those of any other library."""
    for before in ('await s3.ls("', "pd.read_csv('"):
        found = settled(kernel, f"{before}{filled.uri('2024/')}", until=bool)
        assert found == [
            f"{before}{filled.uri('2024/a.csv')}",
            f"{before}{filled.uri('2024/b.csv')}",
        ]


def test_options_variables_and_files_are_completed(kernel):
    """With nobody to ask; and nothing else is mixed in."""
    for typed, found in {
        "%s3ls --rec": ["%s3ls --recursive"],
        "%s3get x --errors ": ["%s3get x --errors raise", "%s3get x --errors return"],
        "%s3get $fr": ["%s3get $frame"],
        "%s3put --var wo": ["%s3put --var word"],
        "%s3put dat": ["%s3put data/", '%s3put "data file.csv"'],
        "%s3get s3://b/k ./da": [
            "%s3get s3://b/k ./data/", '%s3get s3://b/k ./"data file.csv"',
        ],
    }.items():  # fmt: skip
        assert sorted(settled(kernel, typed, until=bool)) == sorted(found)
    assert kernel.complete("%s3 g")[0] == ["%s3 get"]


def test_other_lines_are_left_to_ipython(kernel):
    """Python, other magics, and the names of ours."""
    assert "pd.DataFrame" in kernel.complete("pd.DataFr")[0]
    assert "%s3get" in kernel.complete("%s3g")[0]
    assert kernel.complete("%cd dat")[0]


def test_a_fault_of_ours_offers_nothing_of_pythons(monkeypatch):
    """Neither the names of Python nor local files can stand in a line of ours."""
    shell = InteractiveShell()
    extension.load(shell)
    magics.describe("s3ls")  # else a slow import would be the answer
    monkeypatch.setattr(asked, "asked", lambda *_: 1 / 0)

    with provisionalcompleter():
        ours = [one.text for one in shell.Completer.completions("%s3ls s3://b/", 13)]
        pythons = [one.text for one in shell.Completer.completions("x = pri", 7)]
    extension.unload(shell)

    assert ours == []
    assert "print" in pythons


def test_nothing_and_no_word_from_a_server_that_is_silent_or_away(tmp_path):
    """Tab comes back although the server never does, and the kernel goes on; until unloaded."""
    with Silent() as silent, Kernel("s3magic", folder=tmp_path, env=silent.environment) as kernel:
        while not silent.asked.is_set():
            assert kernel.complete("%s3ls s3://b/") == ([], "")
        kernel.run("%env AWS_ENDPOINT_URL_S3=http://127.0.0.1:1")
        away = [kernel.complete(code) for code in ("%s3ls s3://b/", "%s3ls ", "x = 's3://")]
        answer = kernel.run("1 + 1")
        kernel.run("%unload_ext s3magic")
        left = kernel.run("get_ipython().Completer.custom_matchers")
        log = kernel.shutdown()

    assert away == [([], "")] * 3
    assert answer.value == "2"
    assert left.python == []
    assert not log


def test_a_terminal_completes_in_a_thread(seaweed, filled, tmp_path):
    """prompt_toolkit's real prompt: one Tab writes the one key there is."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "This process .* is multi-threaded")  # a child that execs
        terminal = pexpect.spawn(
            sys.executable,
            ["-m", "IPython", "--no-banner", "--ext=s3magic"],
            cwd=tmp_path,
            env=os.environ | seaweed.environment | {"TERM": "xterm", "PROMPT_TOOLKIT_NO_CPR": "1"},
            encoding="utf-8",
            timeout=DEADLINE,
            dimensions=(30, 200),
        )
    terminal.expect("In ")
    terminal.send(f"%s3ls {filled.uri('to')}")
    for _ in range(40):
        terminal.send("\t")
        if terminal.expect_exact(["p.txt", pexpect.TIMEOUT], timeout=1) == 0:
            break
    else:
        pytest.fail("no Tab wrote the key")
    # An Enter may but close the menu that a later Tab has opened; a narrow frame keeps its ends.
    for _ in range(12):
        terminal.send("\r")
        if terminal.expect_exact(["Bucket", pexpect.TIMEOUT], timeout=5) == 0:
            break
    else:
        pytest.fail("the completed line did not list")
    terminal.sendline("exit")
    terminal.expect(pexpect.EOF)
    terminal.close()

"""A twin that is called without ``await``."""

from __future__ import annotations

import pytest
from IPython.core.interactiveshell import InteractiveShell

from s3magic.notebook import extension

ADVICE = "s3.ls(…) was not awaited, so it has not begun: write await s3.ls(…)."
pytestmark = pytest.mark.filterwarnings("ignore:coroutine .* was never awaited:RuntimeWarning")


@pytest.fixture
def shell():
    """A shell with the extension in it, and the module by its usual name."""
    one = InteractiveShell()
    extension.load(one)
    one.run_cell("import s3magic as s3")
    yield one
    extension.unload(one)


def shown(shell, cell):
    """What a cell's last value is shown as."""
    value = shell.run_cell(cell).result
    return shell.display_formatter.format(value)[0]["text/plain"]


def test_it_is_shown_as_what_it_is(shell):
    """An address in memory would tell nothing."""
    assert shown(shell, "found = s3.ls('s3://weather/')\nfound") == ADVICE


def test_the_accessor_says_so_too(shell):
    """``df.s3.tree()`` is the same coroutine."""
    cell = "import pandas as pd\npd.DataFrame({'Bucket': [], 'Key': []}).s3.tree()"

    assert shown(shell, cell) == ADVICE.replace("s3.ls", "s3.tree")


@pytest.mark.parametrize(
    "cell",
    [
        "found = s3.ls('s3://weather/')\nfound.head()",
        "found = s3.ls('s3://weather/')\nfound['Key']",
        "len(s3.ls('s3://weather/'))",
        "for row in s3.ls('s3://weather/'): pass",
        "def count(found):\n    return len(found)\ncount(s3.ls('s3://weather/'))",
    ],
)
def test_an_error_that_met_it_is_told_what_to_write(shell, capsys, cell):
    """Below Python's own line, where that is."""
    shell.run_cell(cell)

    assert f"  → {ADVICE}" in capsys.readouterr().err.splitlines()


@pytest.mark.parametrize(
    "cell",
    [
        "async def own(): pass\nlen(own())",
        "async def own(): pass\nown().head",
        "len(5)",
        "'coroutine'.head",
    ],
)
def test_others_are_left_alone(shell, capsys, cell):
    """Only calls of ours are spoken of."""
    shell.run_cell(cell)

    assert "→" not in capsys.readouterr().err


def test_others_are_shown_as_python_shows_them(shell):
    """With their address."""
    told = shown(shell, "async def own(): pass\none = own()\none")

    assert told.startswith("<coroutine object own at ")


def test_nothing_is_left_behind(capsys):
    """Unloaded, IPython shows and says what it did before."""
    shell = InteractiveShell()
    before = dict(shell.display_formatter.formatters["text/plain"].type_printers)
    extension.load(shell)
    extension.unload(shell)

    shell.run_cell("import s3magic as s3\nlen(s3.ls('s3://weather/'))")

    assert "→" not in capsys.readouterr().err
    assert shell.display_formatter.formatters["text/plain"].type_printers == before

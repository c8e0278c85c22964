"""A magic's name with a slip in it."""

from __future__ import annotations

import pytest
from IPython.core.interactiveshell import InteractiveShell

from s3magic.notebook import extension


@pytest.fixture(scope="module")
def shell():
    """A shell with the extension in it."""
    one = InteractiveShell()
    extension.load(one)
    yield one
    extension.unload(one)


@pytest.mark.parametrize(
    ("cell", "said"),
    [
        ("%s3lss s3://weather/", "  → Did you mean %s3ls?"),
        ("df = %s3list s3://weather/", "  → Did you mean %s3ls?"),
        ("%s3synch s3://weather/ x;", "  → Did you mean %s3sync?"),
        ("%%s3putt s3://weather/k\ntext", "  → Did you mean %s3put?"),
        ("%s3frobnicate", "  → %s3 lists the magics of s3magic."),
    ],
)
def test_the_error_says_which_magic_may_be_meant(shell, capsys, cell, said):
    """Below IPython's own line, where that is."""
    shell.run_cell(cell)

    told = capsys.readouterr().err.splitlines()
    assert told[0].startswith("UsageError: ")
    assert told[1:] == [said]


@pytest.mark.parametrize(
    "cell",
    [
        "frames = [%s3ls s3://b/ for b in names]",
        "def one(b):\n    return %s3ls s3://{b}/",
        "if True: %s3ls s3://weather/",
    ],
)
def test_a_magic_in_the_midst_of_a_line_is_told_where_it_can_stand(shell, capsys, cell):
    """Python sees a % where no operator can be, and says no more than that."""
    shell.run_cell(cell)

    told = capsys.readouterr().err
    assert told.startswith("  → A magic stands at the head of a line, or behind “name =” there;")
    assert told.endswith("; elsewhere write await s3.ls(…).\n")


@pytest.mark.parametrize(
    "cell",
    [
        "%lss",
        "x = = 1",
        "x = [%time 1]",
        "%%s3ls\ntext",
        "try:\n    get_ipython().run_line_magic('s3lss', '')\nexcept Exception:\n    pass",
        "raise ValueError('magic `%s3lss` not found')",
        "1 + 1",
    ],
)
def test_nothing_is_added_where_it_does_not_belong(shell, capsys, cell):
    """Others' magics, what IPython says itself, what was caught, what is no such error."""
    shell.run_cell(cell)

    assert "→" not in capsys.readouterr().err


def test_nothing_is_added_once_it_is_unloaded(capsys):
    """The extension leaves nothing behind."""
    shell = InteractiveShell()
    extension.load(shell)
    extension.unload(shell)

    shell.run_cell("%s3lss")

    assert "→" not in capsys.readouterr().err

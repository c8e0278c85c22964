"""What a line may have meant."""

from __future__ import annotations

import pandas as pd
import pytest
from IPython.core.interactiveshell import InteractiveShell

from s3magic.notebook import extension


@pytest.fixture
def shell(tmp_path, monkeypatch):
    """A shell with the extension in it, in a folder of its own; nothing is asked of S3."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "my file.csv").write_text("a")
    one = InteractiveShell()
    extension.load(one)
    one.user_ns |= {"df": pd.DataFrame({"Key": ["k"]}), "data": 1}
    yield one
    extension.unload(one)


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("%s3get df ./x", "To give what the variable df holds, write $df."),
        ("%s3get df.head(2) ./x", "To give a value, write it in braces: ${df.head(2)}."),
        ("%s3get df.Key[0] ./x", "To give a value, write it in braces: ${df.Key[0]}."),
        ("%s3rm df", "To give what the variable df holds, write $df."),
        ("%s3put df s3://bucket/", "To give what the variable df holds, write $df."),
        ("%s3put my file.csv s3://bucket/", 'A name with blanks needs quotes: "my file.csv".'),
        (
            "%s3get s3://bucket/my file.csv ./x",
            'If it belongs to the name before it, that needs quotes: "s3://bucket/my file.csv".',
        ),
        (
            "%s3ls s3://bucket/ | head",
            "No shell reads this |: what comes back goes into a variable, x = %s3ls ….",
        ),
        (
            "%s3get s3://bucket/k ./x > log",
            "No shell reads this >: what comes back goes into a variable, x = %s3get ….",
        ),
        (
            "%s3write df.head(2) s3://bucket/k.csv",
            "To give a value, write it in braces: ${df.head(2)}.",
        ),
        (
            "%s3write $df.head(2) s3://bucket/k.csv",
            "To give a value, write it in braces: ${df.head(2)}.",
        ),
        (
            "%s3write s3://bucket/k.csv df",
            "The name of a variable comes first, and the address behind it.",
        ),
        ("%s3write dff s3://bucket/k.csv", "Did you mean df?"),
        (
            '%s3write "text" s3://bucket/k.txt',
            "Give a variable's name, or a value in braces: ${…}.",
        ),
    ],
)
def test_the_advice_is_about_the_line(shell, line, said):
    """Its words and the variables that there are, which no verb knows."""
    assert shell.run_cell(line).error_in_exec.hint == said


@pytest.mark.parametrize(
    "line",
    [
        "%s3put data.csv s3://bucket/",
        "%s3put print s3://bucket/",
        "%s3get nothing ./x",
        '%s3get "s3://bucket/k ./x',
        "%s3get $df ./x",
    ],
)
def test_else_the_error_keeps_its_own(shell, line):
    """A file's name is no attribute, and a function is no source."""
    hint = shell.run_cell(line).error_in_exec.hint

    assert "To give" not in hint
    assert "shell" not in hint

"""What follows an import: in fresh interpreters, and without importing anything itself."""

from __future__ import annotations

import subprocess
import sys

MODULE = "import sys; sys.path.insert(0, '.')\n"


def run(code, folder, *files):
    for name, text in files:
        (folder / name).write_text(text)
    done = subprocess.run(
        [sys.executable, "-c", MODULE + code],
        capture_output=True,
        text=True,
        cwd=folder,
        timeout=60,
        check=False,
    )
    assert not done.stderr, done.stderr
    return done.stdout.split()


WHEN = "from s3magic.arrival import when_imported\n"
LATER = ("later.py", "print('body')")


def test_it_is_called_once_when_the_import_is_over(tmp_path):
    """Not before, and not again; the finder is gone then."""
    said = run(
        WHEN + "when_imported('later', lambda: print('told', 'later' in sys.modules))\n"
        "print(len(sys.meta_path)); import later; import later; print(len(sys.meta_path))\n"
        "print(type(later.__loader__).__name__)",
        tmp_path,
        LATER,
    )

    assert said[1:4] == ["body", "told", "True"]
    assert int(said[0]) == int(said[4]) + 1
    assert said[5] == "SourceFileLoader"


def test_it_is_called_at_once_if_the_module_is_there(tmp_path):
    """And nothing waits."""
    said = run("import later\n" + WHEN + "when_imported('later', lambda: print('told'))",
               tmp_path, LATER)  # fmt: skip

    assert said == ["body", "told"]


def test_who_only_looks_imports_nothing_and_is_told_nothing(tmp_path):
    """`find_spec` is how packages ask what is installed."""
    said = run(
        WHEN + "import importlib.util\nwhen_imported('later', lambda: print('told'))\n"
        "print(importlib.util.find_spec('later').name); import later",
        tmp_path,
        LATER,
    )

    assert said == ["later", "body", "told"]


def test_an_import_that_fails_is_told_of_when_it_succeeds(tmp_path):
    """And fails as it would have."""
    said = run(
        WHEN + "when_imported('later', lambda: print('told'))\n"
        "try:\n    import later\nexcept ZeroDivisionError:\n    print('failed')\n"
        "open('later.py', 'w').write('print(\"body!\")')\n"
        "import importlib; importlib.invalidate_caches(); import later\n"
        "try:\n    import missing_module\nexcept ModuleNotFoundError:\n    print('missing')",
        tmp_path,
        ("later.py", "1 / 0"),
    )

    assert said == ["failed", "body!", "told", "missing"]


def test_what_fails_then_does_not_fail_the_import(tmp_path):
    """It is logged, where somebody listens."""
    said = run(
        "import logging; logging.basicConfig(stream=sys.stdout, format='%(message)s')\n"
        + WHEN
        + "when_imported('later', lambda: 1 / 0)\nimport later; print('goes on')",
        tmp_path,
        LATER,
    )

    assert said[0] == "body"
    assert "ZeroDivisionError:" in said
    assert said[-2:] == ["goes", "on"]

"""Says which magic was meant, where a cell ended because a line names one that there is not.

The error is IPython's own: ``%s3lss`` reaches none of ours. When the cell has
ended, IPython tells of it those who asked to hear, and they may add to it.
"""

from __future__ import annotations

import difflib
import re
import sys
from typing import TYPE_CHECKING

from IPython.core.error import UsageError

if TYPE_CHECKING:
    from IPython.core.interactiveshell import ExecutionResult, InteractiveShell

__all__ = ["install", "uninstall"]

_NEAR = 0.75  # of `difflib`'s ratio: a letter or two, as all of the names begin alike
_UNKNOWN = re.compile(r"magic (?:function )?`%{1,2}(s3\w*);?` not found")


def install(shell: InteractiveShell) -> None:
    """Add to IPython's error for as long as the extension is loaded."""
    shell.events.register("post_run_cell", _ended)


def uninstall(shell: InteractiveShell) -> None:
    """Add no more."""
    shell.events.unregister("post_run_cell", _ended)


def _ended(result: ExecutionResult) -> None:
    """Look at a cell's end."""
    error = result.error_in_exec
    found = _UNKNOWN.search(str(error)) if isinstance(error, UsageError) else None
    if found is None:
        return
    from s3magic.notebook.magics import names

    known = ("s3", *names())
    if found[1] in known:  # a line's magic at the head of a cell, which IPython says itself
        return
    near = difflib.get_close_matches(found[1], known, n=1, cutoff=_NEAR)
    said = f"Did you mean %{near[0]}?" if near else "%s3 lists the magics of s3magic."
    print(f"  → {said}", file=sys.stderr)  # noqa: T201 - where the error is that it belongs to

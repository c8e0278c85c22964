"""Says what was meant, where a cell ended by a slip that none of our errors can tell of.

A line names a magic that there is not, a magic stands where no line begins, or
a twin was called without ``await``. The error is IPython's own, or Python's:
``%s3lss`` reaches none of ours. When the cell has ended, IPython tells of it
those who asked to hear, and they may add to it.
"""

from __future__ import annotations

import difflib
import re
import sys
from types import CoroutineType
from typing import TYPE_CHECKING, Any

from IPython.core.error import UsageError

if TYPE_CHECKING:
    from IPython.core.interactiveshell import ExecutionResult, InteractiveShell
    from IPython.lib.pretty import RepresentationPrinter

__all__ = ["install", "uninstall"]

_NEAR = 0.75  # of `difflib`'s ratio: a letter or two, as all of the names begin alike
_UNKNOWN = re.compile(r"magic (?:function )?`%{1,2}(s3\w*);?` not found")
_WITHIN = re.compile(r"\S.*?%(s3\w+)")


def install(shell: InteractiveShell) -> None:
    """Add to IPython's error for as long as the extension is loaded."""
    shell.events.register("post_run_cell", _ended)
    if shell.display_formatter is not None:
        shell.display_formatter.formatters["text/plain"].for_type(CoroutineType, _shown)


def uninstall(shell: InteractiveShell) -> None:
    """Add no more."""
    shell.events.unregister("post_run_cell", _ended)
    if shell.display_formatter is not None:
        printers = shell.display_formatter.formatters["text/plain"].type_printers
        if printers.get(CoroutineType) is _shown:
            del printers[CoroutineType]


def _shown(value: Any, printer: RepresentationPrinter, _cycle: bool) -> None:  # noqa: FBT001 - IPython's own signature
    """Show a coroutine."""
    from s3magic.notebook.unawaited import shown

    printer.text(shown(value))  # type: ignore[no-untyped-call]


def _ended(result: ExecutionResult) -> None:
    """Look at a cell's end."""
    failed, refused = result.error_in_exec, result.error_before_exec
    if isinstance(failed, UsageError):
        said = _meant(str(failed))
    elif isinstance(refused, SyntaxError):
        said = _misplaced(refused.text or "")
    elif isinstance(failed, AttributeError | TypeError) and "coroutine" in str(failed):
        from s3magic.notebook.unawaited import advised

        said = advised(failed, str(getattr(result.info, "raw_cell", "")))
    else:
        said = ""
    if said:
        print(f"  → {said}", file=sys.stderr)  # noqa: T201 - where the error is that it belongs to


def _meant(told: str) -> str:
    """Say which magic may be meant by one that there is not."""
    from s3magic.notebook.magics import names

    found = _UNKNOWN.search(told)
    known = ("s3", *names())
    if found is None or found[1] in known:  # a line's magic at a cell's head IPython says itself
        return ""
    near = difflib.get_close_matches(found[1], known, n=1, cutoff=_NEAR)
    return f"Did you mean %{near[0]}?" if near else "%s3 lists the magics of s3magic."


def _misplaced(line: str) -> str:
    """Say where a magic can stand, if one stands in the midst of this line."""
    from s3magic.notebook.magics import names

    found = _WITHIN.search(line)
    if found is None or found[1] not in names():
        return ""
    return (
        f"A magic stands at the head of a line, or behind “name =” there; elsewhere write "
        f"await s3.{found[1].removeprefix('s3')}(…)."
    )

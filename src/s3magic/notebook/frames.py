"""Shows frames of keys as text without letting a key steer the terminal.

pandas writes control characters into its text as they are. A key may hold any,
so for the length of the extension they are shown as their escapes, whatever
frame holds them. As HTML pandas escapes what it shows by itself.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from s3magic.wording import printable

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

__all__ = ["install", "uninstall"]

# pandas 3 says "pandas" of its classes, pandas 2 where it keeps them.
_CLASSES = (
    ("pandas", "DataFrame"),
    ("pandas", "Series"),
    ("pandas.core.frame", "DataFrame"),
    ("pandas.core.series", "Series"),
)


def install(shell: InteractiveShell) -> None:
    """Show frames safely from now on; imports nothing."""
    for module, name in _CLASSES:
        _formatter(shell).for_type_by_name(module, name, _show)


def uninstall(shell: InteractiveShell) -> None:
    """Show frames as pandas does."""
    formatter = _formatter(shell)
    for module, name in _CLASSES:
        formatter.deferred_printers.pop((module, name), None)
    for kind in [kind for kind, shown in formatter.type_printers.items() if shown is _show]:
        formatter.pop(kind)


def _formatter(shell: InteractiveShell) -> Any:
    display: Any = shell.display_formatter
    return display.formatters["text/plain"]


def _show(frame: object, printer: Any, cycle: bool) -> None:  # noqa: ARG001, FBT001 - IPython's protocol
    for number, line in enumerate(repr(frame).split("\n")):
        if number:
            printer.break_()
        printer.text(printable(line))

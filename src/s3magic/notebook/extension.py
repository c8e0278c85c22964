"""Puts the extension into a shell, and takes it out again without a trace."""

from __future__ import annotations

from typing import TYPE_CHECKING

from s3magic import session
from s3magic.notebook import bars, frames
from s3magic.notebook.awaiting import CoroutineMagics
from s3magic.notebook.magics import add_all

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

__all__ = ["load", "unload"]

_loaded: dict[int, CoroutineMagics] = {}


def load(shell: InteractiveShell) -> None:
    """Add the magics to a shell; once is enough."""
    if id(shell) in _loaded:
        return
    magics = _loaded[id(shell)] = CoroutineMagics(shell)
    magics.bridge.at_close(session.close)
    add_all(magics)
    bars.install()
    frames.install(shell)


def unload(shell: InteractiveShell) -> None:
    """Take the magics out of a shell, and close every client that nobody uses."""
    magics = _loaded.pop(id(shell), None)
    if magics is None:
        return
    frames.uninstall(shell)
    bars.uninstall()
    magics.unload()
    session.retire()

"""Puts the extension into a shell, and takes it out again without a trace.

Only what must be there before the first line is imported with it.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from s3magic.notebook import ahead, completion, frames, options, slips
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
    options.install(shell)  # first, since what the user's config says may be refused
    magics = _loaded[id(shell)] = CoroutineMagics(shell)
    magics.bridge.at_close(_close_clients)
    add_all(magics)
    completion.install(shell, magics.bridge)
    frames.install(shell)
    slips.install(shell)
    ahead.install(shell)


def unload(shell: InteractiveShell) -> None:
    """Take the magics out of a shell, and close every client that nobody uses."""
    magics = _loaded.pop(id(shell), None)
    if magics is None:
        return
    from s3magic import session
    from s3magic.notebook import asking, bars

    ahead.uninstall(shell)
    slips.uninstall(shell)
    frames.uninstall(shell)
    completion.uninstall(shell)
    if (home := sys.modules.get("s3magic.notebook.home")) is not None:
        home.uninstall(shell)
    if (opening := sys.modules.get("s3magic.notebook.browser.opening")) is not None:
        opening.uninstall()
    bars.uninstall()
    asking.uninstall()
    magics.unload()
    options.uninstall(shell)
    session.retire()


async def _close_clients() -> None:
    from s3magic import session

    await session.close()

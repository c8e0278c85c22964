"""Opens explorers where there is a kernel, and shows each once in the cell that opened it."""

from __future__ import annotations

import asyncio
import importlib
from typing import TYPE_CHECKING

from s3magic.commands import browse
from s3magic.notebook.cells import cell

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from s3magic.notebook.browser.explorer import Browser
    from s3magic.uri import S3Uri

__all__ = ["install", "show", "uninstall"]


def install() -> None:
    """Let the notebook open explorers."""
    browse.use(_opening)


def uninstall() -> None:
    """Let nobody open any."""
    browse.reset()


def show(browser: Browser) -> None:
    """Show an explorer once more, unless this is the cell that has shown it already."""
    if browser.cell is None or browser.cell != cell():
        _publish(browser)


def _opening(place: S3Uri | None, rows: int) -> Awaitable[Browser] | None:
    return None if cell() is None else _open(place, rows)


async def _open(place: S3Uri | None, rows: int) -> Browser:
    # In a thread: ipywidgets takes its time to import.
    module = await asyncio.to_thread(importlib.import_module, "s3magic.notebook.browser.explorer")
    browser: Browser = module.Browser(place, rows, cell=cell())
    _publish(browser)
    return browser


def _publish(browser: Browser) -> None:
    from IPython.display import publish_display_data

    publish: Callable[..., None] = publish_display_data
    view = {"model_id": browser.widget.model_id, "version_major": 2, "version_minor": 0}
    publish({"application/vnd.jupyter.widget-view+json": view, "text/plain": repr(browser)})

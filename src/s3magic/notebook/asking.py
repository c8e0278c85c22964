"""Ask the reader: two buttons in a notebook, one line in a terminal.

The cell waits, the loop does not: in a notebook the click comes while the cell
runs, as one on a progress bar's Cancel does; in a terminal the loop watches
the keyboard. Behind the blocking bridge nobody could answer, since the thread
that would see the answer is blocked.
"""

from __future__ import annotations

import asyncio
import html
import importlib
import sys
import uuid
from typing import TYPE_CHECKING, Any

from s3magic.commands.running import asking
from s3magic.notebook.bars import publish, someone_watches
from s3magic.notebook.bridge import is_bridged
from s3magic.wording import printable

if TYPE_CHECKING:
    from collections.abc import Awaitable

__all__ = ["ask", "install", "uninstall"]

_VIEW = "application/vnd.jupyter.widget-view+json"
_DELIVERING = 7  # ipykernel's first version that passes a click on while a cell runs
_YES = {"y", "yes"}


def install() -> None:
    """Let the notebook ask."""
    asking.use(ask)


def uninstall() -> None:
    """Ask nobody again."""
    asking.reset()


def ask(question: str) -> Awaitable[bool] | None:
    """Ask in the way that suits the IPython we run in; None where nobody can answer."""
    from IPython.core.getipython import get_ipython

    shell = get_ipython()
    if shell is None or is_bridged():
        return None
    if getattr(shell, "kernel", None) is None:
        return _in_terminal(question) if _keyboard() is not None else None
    if not someone_watches(shell) or not _delivers():
        return None
    return _with_buttons(question)


async def _with_buttons(question: str) -> bool:
    """Show the question over two buttons, and then, in their place, with its answer."""
    try:
        widgets = await asyncio.to_thread(importlib.import_module, "ipywidgets")
    except ImportError:
        raise asking.nobody(question) from None
    loop = asyncio.get_running_loop()
    answer: asyncio.Future[bool] = loop.create_future()

    def settle(given: bool) -> None:  # noqa: FBT001 - the one thing that it is given
        if not answer.done():
            answer.set_result(given)

    buttons = [
        widgets.Button(description=word, button_style=style)
        for word, style in (("Yes", "danger"), ("No", ""))
    ]
    # A click may come in any thread.
    buttons[0].on_click(lambda _: loop.call_soon_threadsafe(settle, True))  # noqa: FBT003
    buttons[1].on_click(lambda _: loop.call_soon_threadsafe(settle, False))  # noqa: FBT003
    text = widgets.HTML(html.escape(printable(question)))
    row = widgets.HBox(buttons)
    box = widgets.VBox([text, row])
    name = f"s3magic-{uuid.uuid4().hex}"
    view = {"model_id": box.model_id, "version_major": 2, "version_minor": 0}
    publish({_VIEW: view, "text/plain": printable(question)}, name)
    said = "not answered"
    try:
        agreed = await answer
        said = "yes" if agreed else "no"
        return agreed
    finally:
        publish({"text/plain": f"{printable(question)} {said}"}, name, update=True)
        for widget in (box, row, text, *buttons):
            for part in (widget, getattr(widget, "style", None), widget.layout):
                if part is not None:
                    part.close()


async def _in_terminal(question: str) -> bool:
    """Write the question, and wait for a line; only a plain yes is one."""
    loop = asyncio.get_running_loop()
    keyboard = _keyboard()
    assert keyboard is not None  # noqa: S101 - looked at before
    answer: asyncio.Future[str] = loop.create_future()

    def typed() -> None:  # a terminal gives whole lines
        if not answer.done():
            answer.set_result(sys.stdin.readline())

    loop.add_reader(keyboard, typed)
    try:
        sys.stdout.write(f"{printable(question)} [y/N] ")
        sys.stdout.flush()
        return (await answer).strip().lower() in _YES
    finally:
        loop.remove_reader(keyboard)


def _keyboard() -> int | None:
    """Give the terminal's file descriptor, if the running loop can watch it."""
    try:
        if not sys.stdin.isatty():
            return None
        number = sys.stdin.fileno()
        loop = asyncio.get_running_loop()
        loop.remove_reader(number)  # nobody's; a loop that cannot watch says so
    except (AttributeError, NotImplementedError, OSError, RuntimeError, ValueError):
        return None
    return number


def _delivers() -> bool:
    """Tell whether the kernel passes a click on while a cell runs."""
    kernel: Any = importlib.import_module("ipykernel")
    return bool(kernel.version_info[0] >= _DELIVERING)

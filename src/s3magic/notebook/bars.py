"""Progress in a notebook: a small live block with a Cancel button, then one plain line.

The block is one HTML widget, which draws all, and one button. When a verb ends
they are closed, and a line of text/plain takes their place in the output, so a
saved notebook needs no widget state. ipywidgets takes some 70 ms to import;
that happens in a thread, ahead of the first drawing, so the loop never waits.
"""

from __future__ import annotations

import contextlib
import functools
import importlib
import sys
import threading
import uuid
from typing import TYPE_CHECKING, Any

from s3magic.commands.showing import displays
from s3magic.notebook.bridge import on_caller
from s3magic.notebook.card import card
from s3magic.transfer.figures import read
from s3magic.transfer.textbar import ClosingLine, TextBar
from s3magic.wording import printable

if TYPE_CHECKING:
    from collections.abc import Callable

    from s3magic.transfer.progress import Meter
    from s3magic.transfer.watching import Display

__all__ = [
    "WidgetBar",
    "choose",
    "install",
    "prepare",
    "publish",
    "someone_watches",
    "uninstall",
]

_VIEW = "application/vnd.jupyter.widget-view+json"


def install() -> None:
    """Let the notebook choose how progress is shown."""
    displays.use(choose)


def uninstall() -> None:
    """Leave the choice to the commands again."""
    displays.reset()


def prepare() -> None:
    """Import ipywidgets now, in this thread, if the IPython we run in has widgets at all."""
    from IPython.core.getipython import get_ipython

    if getattr(get_ipython(), "kernel", None) is not None:
        importlib.import_module("ipywidgets")


def choose(wanted: displays.Progress) -> Display | None:
    """Give the display that suits the IPython we run in; None outside of one."""
    from IPython.core.getipython import get_ipython

    shell = get_ipython()
    if shell is None or getattr(shell, "kernel", None) is None:
        return None  # a terminal, which the commands know how to serve
    if wanted == "text":
        return TextBar(sys.stdout)
    if wanted == "widget" or someone_watches(shell):
        return WidgetBar()
    return ClosingLine(sys.stdout)


def someone_watches(shell: Any) -> bool:
    """Tell whether the request that runs now came from a live front end.

    No message says so outright, but each request says whether its sender could
    answer a question. JupyterLab and Notebook 7 send ``allow_stdin: true`` with
    each cell, and so do front ends built on JupyterLab's client library (VS
    Code) and Colab, whose ``input()`` works. nbclient, and through it papermill,
    ``nbconvert --execute`` and Voilà, send false. A request that is no cell, a
    button's callback for example, says nothing and comes from a live one.
    """
    content = (shell.get_parent() or {}).get("content") or {}
    return bool(content.get("allow_stdin", True))


class WidgetBar:
    """The live block.

    `draw` and `close` may be called on the loop of the cell or behind a
    bridge. There the thread that owns the display is blocked: it draws for us,
    and as it could not see a click either, there is no button.
    """

    def __init__(self) -> None:
        self._html = ""
        self._rows = 0
        self._block: _Block | None = None

    @functools.cached_property
    def _id(self) -> str:
        """Name what is on the screen; most verbs end before there is anything."""
        return f"s3magic-{uuid.uuid4().hex}"

    def draw(self, meter: Meter) -> None:
        """Show the state, if it changed; nothing until ipywidgets is there."""
        if (widgets := _load().module) is None:
            return
        figures = read(meter)
        self._rows = max(self._rows, len(figures.slowest))  # never fewer: nothing jumps
        html = card(figures, self._rows)
        if html == self._html:
            return
        self._html = html
        # Each update replaces the elements, so a running animation must be told
        # how far it was.
        value = f'<div style="--s3m-phase:-{meter.elapsed:.1f}s">{html}</div>'
        stopped, here = meter.stopped, threading.get_ident()

        def act() -> None:
            if self._block is None:
                button = threading.get_ident() == here
                self._block = _Block(widgets, meter.stop if button else None)
                self._block.update(value, stopped=stopped)
                self._block.show(self._id, f"{meter.doing}…")
            else:
                self._block.update(value, stopped=stopped)

        on_caller(act)

    def close(self, summary: str) -> None:
        """Put the summary in the block's place, for good."""
        line = printable(summary)

        def act() -> None:
            if self._block is not None:
                self._block.replace(self._id, line)
            elif line:
                publish({"text/plain": line}, self._id)

        on_caller(act)


class _Block:
    """The widgets of one bar, from their first showing to their end."""

    def __init__(self, widgets: Any, stop: Callable[[], object] | None) -> None:
        self._stop = stop
        self._html = widgets.HTML(layout=widgets.Layout(flex="1 1 auto", margin="0", min_width="0"))
        self._button = None if stop is None else self._make_button(widgets)
        self._box = widgets.HBox(
            [child for child in (self._html, self._button) if child is not None],
            layout=widgets.Layout(max_width="720px", align_items="flex-start"),
        )

    def show(self, name: str, text: str) -> None:
        """Put the block on the screen; `text` is for who cannot show widgets."""
        view = {"model_id": self._box.model_id, "version_major": 2, "version_minor": 0}
        publish({_VIEW: view, "text/plain": text}, name)

    def update(self, html: str, *, stopped: bool) -> None:
        """Draw the state anew; only what changed is sent."""
        self._html.value = html
        if stopped and self._button is not None:
            self._button.disabled = True

    def replace(self, name: str, line: str) -> None:
        """Put a line of text where the block was, and take the widgets away."""
        publish({"text/plain": line}, name, update=True)
        for widget in (self._box, self._html, self._button):
            if widget is not None:
                for part in (widget, getattr(widget, "style", None), widget.layout):
                    if part is not None:
                        part.close()

    def _make_button(self, widgets: Any) -> Any:
        # Its margin puts it over the corner that the card leaves free for it.
        button = widgets.Button(
            description="Cancel",
            icon="times",
            tooltip="Stop now; no half-written file stays behind",
            layout=widgets.Layout(
                width="84px", height="24px", margin="9px 13px 0 -97px", flex="0 0 auto"
            ),
            style={"font_size": "12px"},
        )
        button.on_click(self._clicked)
        return button

    def _clicked(self, button: Any) -> None:
        """Pass the click on; it may come in any thread."""
        button.disabled = True
        if self._stop is not None:
            self._stop()


def publish(bundle: dict[str, Any], name: str, *, update: bool = False) -> None:
    """Put a bundle on the screen under a name, or in the place of what has that name."""
    from IPython.display import publish_display_data

    publish: Callable[..., None] = publish_display_data
    publish(bundle, transient={"display_id": name}, update=update)


class _Loading:
    """ipywidgets on its way."""

    module: Any = None

    def __init__(self) -> None:
        self.thread = threading.Thread(target=self._import, name="s3magic-ipywidgets", daemon=True)
        if "ipywidgets" in sys.modules:
            self._import()
        else:
            self.thread.start()

    def _import(self) -> None:
        with contextlib.suppress(ImportError):  # then there is only the closing line
            self.module = importlib.import_module("ipywidgets")


@functools.cache
def _load() -> _Loading:
    """Begin to import ipywidgets, once; its `module` is None until that is done."""
    return _Loading()

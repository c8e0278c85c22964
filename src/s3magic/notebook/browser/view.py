"""The explorer's widgets: what is shown, and which of its buttons was pressed.

The rows of a page are made once, and filled anew for each page: a folder of
any size costs as many widgets as one page has. Nothing is decided here; what a
person does goes to a `Hands`.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import ipywidgets as widgets

from s3magic.notebook.browser import look
from s3magic.notebook.browser.pieces import LONGEST, Pieces, Row, box, button, close, icon, show
from s3magic.uri import S3Uri
from s3magic.wording import printable, shorten

if TYPE_CHECKING:
    from collections.abc import Sequence

    from s3magic.notebook.browser.entries import Entry, Sort
    from s3magic.notebook.browser.pieces import Hands

__all__ = ["View"]

_DEEPEST = 5  # folders that the path shows; those between are left out
_HEADS: dict[Sort, str] = {"name": "Name", "size": "Size", "date": "Modified"}


class View:
    """All the widgets of one explorer.

    Args:
        hands: Told what is done.
        rows: Rows of a page.
    """

    def __init__(self, hands: Hands, rows: int) -> None:
        self._hands = hands
        self._pieces = Pieces()
        self.crumbs = box("s3b-crumbs")
        self.filter = widgets.Text(
            placeholder="Filter", layout=widgets.Layout(width="150px", margin="0 4px")
        )
        self.filter.observe(lambda change: self._typed(change["new"]), "value")
        self.all = self._pieces.checkbox(lambda on: hands.chosen(None, on=on), "Select all")
        self._heads = {
            sort: button(name, partial(hands.sorted_by, sort)) for sort, name in _HEADS.items()
        }
        for sort, head in self._heads.items():
            head.add_class(f"s3b-{sort}")
        self._rows: list[Row] = []
        for _ in range(rows):
            self._rows.append(Row(self._pieces, hands, self._rows[0] if self._rows else None))
        self._none = widgets.HTML()
        self._none.add_class("s3b-none")
        self._table = widgets.VBox([])
        self._counted = widgets.HTML()
        self._back = icon("Page before", lambda: hands.turned(-1), "chevron-left")
        self._on = icon("Next page", lambda: hands.turned(1), "chevron-right")
        self.preview = box("s3b-preview", column=True)
        self.target = widgets.Text(
            "./", tooltip="Folder of this machine", layout=widgets.Layout(width="150px", margin="0")
        )
        self._tools = {
            name: button(text, partial(hands.pressed, name), picture, tip)
            for name, text, picture, tip in (
                ("download", "Download to", "download", "Bring here what is selected"),
                ("link", "Link", "link", "A link to this object, for an hour"),
                ("delete", "Delete", "trash", "Delete what is selected"),
            )
        }
        self.upload = widgets.FileUpload(multiple=True, description="Upload")
        self.upload.tooltip = "Send files of this computer into this folder"
        self.upload.observe(self._handed, "value")
        self.says = widgets.HTML()
        self.says.add_class("s3b-says")
        self._question = widgets.HTML()
        self._yes = button("", lambda: hands.pressed("yes"))
        self._yes.add_class("mod-danger")
        self._no = button("Leave it", lambda: hands.pressed("no"))
        self._ask = box("s3b-ask", self._question, self._yes, self._no)
        self.progress = widgets.HTML()
        self._stop = button("Cancel", lambda: hands.pressed("stop"), "times")
        self._job = box("s3b-job", self.progress, self._stop)
        refresh = icon("List it again", lambda: hands.pressed("refresh"), "refresh")
        tools = self._tools
        self.box = widgets.VBox(
            [
                widgets.HTML(look.STYLE, layout=widgets.Layout(display="none")),
                box("s3b-top", self.crumbs, self.filter, refresh),
                box("s3b-head", self.all, *self._heads.values()),
                self._table,
                box("s3b-foot", self._counted, self._back, self._on),
                self.preview,
                box(
                    "s3b-tools", tools["download"], self.target, tools["link"], self.upload,
                    tools["delete"],
                ),
                self._ask,
                self._job,
                self.says,
            ]
        )  # fmt: skip
        self.box.add_class("s3b")
        for part in (self.preview, self._ask, self._job):
            show(part, on=False)

    # what is shown

    def at(self, place: S3Uri | None) -> None:
        """Show the path of a place."""
        steps: list[tuple[str, S3Uri | None]] = [("S3", None)]
        if place is not None:
            steps.append((place.bucket, S3Uri(place.bucket)))
            at = 0
            while (end := place.key.find("/", at)) >= 0:
                steps.append((place.key[at:end] or "/", S3Uri(place.bucket, place.key[: end + 1])))
                at = end + 1
            if rest := place.key[at:]:
                steps.append((f"{rest}…", place))
        if len(steps) > _DEEPEST + 2:
            steps[2:-_DEEPEST] = [("…", steps[-_DEEPEST - 1][1])]
        before = self.crumbs.children
        shown: list[Any] = []
        for name, where in steps:
            if shown:
                shown.append(widgets.HTML("›"))
            told = shorten(printable(name), LONGEST)
            shown.append(
                button(
                    told,
                    partial(self._hands.opened, where),
                    "" if where is not None else "cloud",
                )
            )
        self.crumbs.children = shown
        for old in before:
            close(old)

    def fill(self, entries: Sequence[Entry], selected: set[int], here: int | None) -> None:
        """Show a page of entries."""
        with self._pieces.quiet():
            for row, entry in zip(self._rows, entries, strict=False):
                row.fill(entry, on=entry.index in selected, here=entry.index == here)
        wanted = [row.box for row in self._rows[: len(entries)]] or [self._none]
        if list(self._table.children) != wanted:
            self._table.children = wanted

    def summary(self, text: str, empty: str, *, back: bool, on: bool) -> None:
        """Show how many there are, and whether there are pages before and behind this one."""
        self._counted.value = look.note(text)
        self._none.value = look.note(empty)
        self._back.disabled, self._on.disabled = not back, not on
        for turn in (self._back, self._on):
            show(turn, on=back or on)

    def order(self, sort: Sort, *, reverse: bool) -> None:
        """Show by what the entries are sorted."""
        for name, head in self._heads.items():
            head.description = _HEADS[name] + (
                f" {'▼' if reverse else '▲'}" if name == sort else ""
            )

    def can(self, can: dict[str, bool], *, everything: bool, buckets: bool) -> None:
        """Show which buttons do something, and whether all is selected."""
        for name, tool in self._tools.items():
            tool.disabled = not can[name]
        self.upload.disabled = not can["upload"]
        with self._pieces.quiet():
            self.all.value = everything
        for one in (self.all, self._rows[0].check):  # all rows share a layout
            one.layout.visibility = "hidden" if buckets else "visible"

    def ask(self, question: str = "", yes: str = "") -> None:
        """Ask before something that cannot be undone; ask nothing if there is no question."""
        self._question.value, self._yes.description = look.note(question), yes
        show(self._ask, on=bool(question))

    def clear(self) -> None:
        """Forget what was typed into the filter, and what was said."""
        with self._pieces.quiet():
            self.filter.value = ""
        self.say()

    def say(self, html: str = "") -> None:
        """Say how something ended."""
        self.says.value = html

    def working(self, html: str = "") -> None:
        """Show how far a transfer is; nothing when it is over."""
        self.progress.value = html
        show(self._job, on=bool(html))

    def look_at(self, *children: Any) -> None:
        """Show what an object looks like; nothing without any."""
        before = self.preview.children
        self.preview.children = children
        show(self.preview, on=bool(children))
        for old in before:
            if old not in children:
                close(old)

    def close(self) -> None:
        """Take all of it away."""
        for one in (*(row.box for row in self._rows), self._none, self.box):
            close(one)

    # how it is made

    def _typed(self, text: str) -> None:
        if not self._pieces.filling:
            self._hands.filtered(text)

    def _handed(self, change: dict[str, Any]) -> None:
        if files := change["new"]:
            with self._pieces.quiet():
                self.upload.value = ()
            self._hands.given(files)

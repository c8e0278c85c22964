"""What the explorer is made of: buttons, boxes to tick, and the rows of a page."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any, Protocol

import ipywidgets as widgets

from s3magic.notebook.browser import look
from s3magic.wording import printable, shorten

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from s3magic.notebook.browser.entries import Entry, Sort
    from s3magic.uri import S3Uri

__all__ = ["LONGEST", "Hands", "Pieces", "Row", "box", "button", "close", "icon", "show"]

LONGEST = 200  # characters of a name that are sent


class Hands(Protocol):
    """What a person does with the explorer. In any thread."""

    def opened(self, place: S3Uri | None) -> None:
        """Open a folder, a bucket, or the list of buckets."""

    def looked_at(self, index: int) -> None:
        """Look at an object."""

    def chosen(self, indices: Sequence[int] | None, *, on: bool) -> None:
        """Select or deselect some; None for all that the filter leaves."""

    def sorted_by(self, sort: Sort) -> None:
        """Sort, or turn the order round."""

    def filtered(self, needle: str) -> None:
        """Show only names with this in them."""

    def turned(self, pages: int) -> None:
        """Turn pages."""

    def pressed(self, what: str) -> None:
        """Press one of the other buttons, by its name."""

    def given(self, files: Sequence[Any]) -> None:
        """Hand over files to upload."""


class Pieces:
    """Makes what a person sets and so do we, and hears only of the former."""

    def __init__(self) -> None:
        self.filling = False

    def checkbox(self, act: Callable[[bool], None], tip: str, **looks: Any) -> Any:
        """Make a box to tick."""
        made = widgets.Checkbox(description=tip, indent=False, tooltip=tip, **looks)

        def heard(change: dict[str, Any]) -> None:
            if not self.filling:
                act(change["new"])

        made.observe(heard, "value")
        return made

    @contextlib.contextmanager
    def quiet(self) -> Iterator[None]:
        """Set something without hearing of it."""
        self.filling = True
        try:
            yield
        finally:
            self.filling = False


class Row:
    """One row; what it shows changes with each page.

    Args:
        pieces: Makes its box.
        hands: Told what is done.
        like: A row made before, whose layouts and styles it shares: each of
            them is a model and a message of its own.
    """

    def __init__(self, pieces: Pieces, hands: Hands, like: Row | None) -> None:
        self._entry: Entry | None = None
        self._hands = hands
        self.check: Any = pieces.checkbox(self._checked, "Select", **_look(like and like.check))
        self.name: Any = button("", self._pressed, **_look(like and like.name))
        self.facts: Any = widgets.HTML(**_look(like and like.facts))
        self.box: Any = box(
            "s3b-row", self.check, self.name, self.facts, **_look(like and like.box)
        )

    def fill(self, entry: Entry, *, on: bool, here: bool) -> None:
        """Show an entry."""
        self._entry = entry
        name = printable(entry.name)
        with self.name.hold_sync():
            self.name.description = shorten(name, LONGEST)
            self.name.tooltip = name
            self.name.icon = look.icon(entry)
        self.facts.value = look.facts(entry)
        self.check.value = on
        self.box._dom_classes = (  # noqa: SLF001 - add_class would send a message for each
            "s3b-row",
            *(("s3b-folder",) if entry.folder else ()),
            *(("s3b-here",) if here else ()),
        )

    def _pressed(self) -> None:
        if self._entry is None:
            return
        if self._entry.folder:
            self._hands.opened(self._entry.uri)
        else:
            self._hands.looked_at(self._entry.index)

    def _checked(self, on: bool) -> None:  # noqa: FBT001 - as the box says it
        if self._entry is not None:
            self._hands.chosen([self._entry.index], on=on)


def button(text: str, act: Callable[[], None], icon: str = "", tip: str = "", **looks: Any) -> Any:
    """Make a button that does something."""
    made = widgets.Button(description=text, icon=icon, tooltip=tip or text, **looks)
    made.on_click(lambda _: act())
    return made


def icon(text: str, act: Callable[[], None], picture: str) -> Any:
    """Make a button that shows a picture, and has a text for who does not see it."""
    made = button(text, act, picture)
    made.add_class("s3b-icon")
    return made


def box(name: str, *children: Any, column: bool = False, **looks: Any) -> Any:
    """Put widgets beside each other, or below; the style sheet knows the box by its name."""
    made = (widgets.VBox if column else widgets.HBox)(children, **looks)
    made.add_class(name)
    return made


def show(widget: Any, *, on: bool) -> None:
    """Show a widget, or leave no trace of it."""
    widget.layout.display = None if on else "none"


def close(widget: Any) -> None:
    """Take a widget away, with what is in it and belongs to it alone."""
    for child in getattr(widget, "children", ()):
        close(child)
    for part in (getattr(widget, "style", None), widget.layout, widget):
        if part is not None:
            part.close()


def _look(like: Any) -> dict[str, Any]:
    """Give what another widget looks like, to be shared."""
    if like is None:
        return {}
    style = getattr(like, "style", None)
    return {"layout": like.layout} | ({} if style is None else {"style": style})

"""The explorer of `%s3browse`: where it is, what is selected, and what each click means."""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING, Any

from s3magic import session
from s3magic.listing.frame import framed
from s3magic.listing.pages import Listing, pages
from s3magic.notebook.browser import opening
from s3magic.notebook.browser.entries import Entries, Order
from s3magic.notebook.browser.errands import Errands
from s3magic.notebook.browser.tasks import Tasks
from s3magic.notebook.browser.view import View
from s3magic.translation import translate
from s3magic.uri import S3Uri
from s3magic.wording import filesize

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from pandas import DataFrame

    from s3magic.notebook.browser.entries import Entry, Sort

__all__ = ["Browser"]

_MOST = 200_000  # entries of a folder that are listed here
_SOON = 0.3  # seconds between two looks at a listing that goes on
_TYPING = 0.15  # seconds after a letter until the filter acts
_FEW = 2_000  # entries that are put in order faster than a thread wakes


class Browser:
    """An explorer of buckets and folders.

    Args:
        place: Where to begin; None for the list of buckets.
        rows: Rows of a page.
        cell: Names the request that shows it.
    """

    def __init__(self, place: S3Uri | None, rows: int, *, cell: str | None = None) -> None:
        self.cell = cell
        self._tasks = Tasks(self._failed)
        self._view = View(self, rows)
        self._errands = Errands(self._tasks, self._view, lambda: self._open(self.uri))
        self._rows = rows
        self._entries = Entries(place)
        self._order = Order()
        self._shown: list[int] = []
        self._selected: set[int] = set()
        self._here: int | None = None
        self._page = 0
        self._listing = False
        self.opened(place)

    @property
    def uri(self) -> S3Uri | None:
        """Where it is: a folder, a bucket, or None for the list of buckets."""
        return self._entries.place

    @property
    def selection(self) -> DataFrame:
        """What is selected: a listing's frame, as `ls` gives it; empty without a selection.

        It is a source for every verb; one that has folders in it wants ``-r``.
        """
        bucket = self.uri.bucket if self.uri is not None else ""
        return framed(self._entries.page(sorted(self._selected)), bucket)

    @property
    def widget(self) -> Any:
        """The widget itself, to be put among others."""
        return self._view.box

    def close(self) -> None:
        """Take it off the screen. Transfers that it began go on."""
        self._tasks.call(self._end)

    def __repr__(self) -> str:
        selected = f", {len(self._selected):,} selected" if self._selected else ""
        return f"<s3browse at {self.uri or 'the buckets'}{selected}>"

    def _ipython_display_(self) -> None:
        opening.show(self)

    # what a person does; in any thread

    def opened(self, place: S3Uri | None) -> None:
        """Open a folder, a bucket, or the list of buckets."""
        self._tasks.call(lambda: self._open(place))

    def looked_at(self, index: int) -> None:
        """Look at an object."""

        def act() -> None:
            self._here = index
            self._draw()
            self._errands.look_at(self._entries.entry(index))

        self._tasks.call(act)

    def chosen(self, indices: Sequence[int] | None, *, on: bool) -> None:
        """Select or deselect some; None for all that the filter leaves."""

        def act() -> None:
            if self.uri is not None:
                change = self._selected.update if on else self._selected.difference_update
                change(self._shown if indices is None else indices)
            self._draw()

        self._tasks.call(act)

    def sorted_by(self, sort: Sort) -> None:
        """Sort, or turn the order round."""
        now = self._order
        # Of sizes and dates one wants the largest and the newest first.
        back = not now.reverse if now.sort == sort else sort != "name"
        self._tasks.call(lambda: self._reorder(Order(sort, back, now.needle)))

    def filtered(self, needle: str) -> None:
        """Show only names with this in them."""

        def act() -> None:
            now = self._order
            self._reorder(Order(now.sort, now.reverse, needle.strip()), _TYPING)

        self._tasks.call(act)

    def turned(self, pages: int) -> None:
        """Turn pages."""

        def act() -> None:
            self._page += pages
            self._draw()

        self._tasks.call(act)

    def pressed(self, what: str) -> None:
        """Press one of the buttons."""
        does: dict[str, Callable[[], None]] = {
            "refresh": lambda: self._open(self.uri),
            "download": lambda: self._with(self._errands.download),
            "link": lambda: self._with(lambda meant: self._errands.link(meant[0])),
            "delete": lambda: self._with(self._ask_to_delete),
            "yes": lambda: self._errands.answered(yes=True),
            "no": lambda: self._errands.answered(yes=False),
            "stop": self._errands.stop,
        }
        self._tasks.call(does[what])

    def given(self, files: Sequence[Any]) -> None:
        """Send files into this folder."""
        read = [(str(one["name"]), bytes(one["content"])) for one in files]
        place = self.uri
        if place is not None:
            folder = S3Uri(place.bucket, place.folder)
            self._tasks.call(lambda: self._errands.upload(read, folder))

    # what follows of it, on the loop

    def _end(self) -> None:
        self._tasks.end()
        self._view.close()

    def _open(self, place: S3Uri | None) -> None:
        self._tasks.end("preview", "order")
        if self._entries.place != place:
            self._page, self._order = 0, Order(self._order.sort, self._order.reverse)
            self._view.clear()
            self._errands.forget()
        self._entries = Entries(place)
        self._selected.clear()
        self._shown, self._here = [], None
        self._view.look_at()
        self._view.at(place)
        self._listing = True
        self._tasks.begin("list", self._list(self._entries))
        self._draw()

    async def _list(self, entries: Entries) -> None:
        try:
            await self._read(entries)
        finally:
            if entries is self._entries:
                self._listing = False
        await self._arrange()

    async def _read(self, entries: Entries) -> None:
        loop, due = asyncio.get_running_loop(), 0.0
        async with session.using() as client:
            if entries.place is None:
                try:
                    found: Any = await client.list_buckets()
                except Exception as error:
                    raise translate(error, "list the buckets") from error
                entries.add_buckets(found.get("Buckets", ()))
                return
            listing = Listing(entries.place.bucket, entries.place.key, "/")
            async with contextlib.aclosing(pages(client, listing)) as answers:
                async for page in answers:
                    entries.add(page)
                    if len(entries) >= _MOST:
                        entries.cut = True
                        return
                    if loop.time() >= due:
                        await self._arrange()
                        due = loop.time() + _SOON

    def _reorder(self, order: Order, delay: float = 0.0) -> None:
        self._order, self._page = order, 0
        self._view.order(order.sort, reverse=order.reverse)

        async def later() -> None:
            await asyncio.sleep(delay)
            await self._arrange()

        self._tasks.begin("order", later())

    async def _arrange(self) -> None:
        entries, order = self._entries, self._order
        if len(entries) <= _FEW:
            shown = entries.arranged(order)
        else:
            shown = await asyncio.to_thread(entries.arranged, order)
        if entries is self._entries and order == self._order:
            self._shown = shown
            self._draw()

    def _draw(self) -> None:
        """Bring the screen up to date with what is known."""
        last = max(0, (len(self._shown) - 1) // self._rows)
        self._page = min(max(0, self._page), last)
        start = self._page * self._rows
        seen = [self._entries.entry(at) for at in self._shown[start : start + self._rows]]
        self._view.fill(seen, self._selected, self._here)
        self._view.order(self._order.sort, reverse=self._order.reverse)
        self._view.summary(
            self._counted(start, len(seen)),
            self._empty(),
            back=self._page > 0,
            on=self._page < last,
        )
        meant, inside = self._meant(), self.uri is not None
        self._view.can(
            {
                "download": bool(meant),
                "link": len(meant) == 1 and not meant[0].folder,
                "delete": bool(meant),
                "upload": inside,
            },
            everything=bool(self._shown) and self._selected.issuperset(self._shown),
            buckets=not inside,
        )

    def _empty(self) -> str:
        if self._listing:
            return "Listing …"
        return "No name has this in it." if self._order.needle else "There is nothing here."

    def _counted(self, start: int, seen: int) -> str:
        said = f"{start + 1:,}–{start + seen:,} of {len(self._shown):,}" if seen else ""
        if self._listing and seen:
            said = f"{len(self._entries):,} so far …"
        elif self._entries.cut:
            said += f"; only the first {_MOST:,} are here, %s3ls gives all"
        if self._selected:
            said += f" · {len(self._selected):,} selected"
            size = self._entries.size(self._selected)
            said += f", {filesize(size)}" if size else ""
        return said

    def _meant(self) -> list[Entry]:
        """Give what the buttons are about: what is selected, else what is looked at."""
        if self.uri is None:
            return []
        chosen = sorted(self._selected) or ([] if self._here is None else [self._here])
        return [self._entries.entry(at) for at in chosen]

    def _with(self, act: Callable[[list[Entry]], None]) -> None:
        if meant := self._meant():
            act(meant)

    def _ask_to_delete(self, meant: list[Entry]) -> None:
        self._errands.ask_to_delete(meant, self._entries.page([one.index for one in meant]))

    def _failed(self, sentence: str) -> None:
        self._errands.failed(sentence)
        self._draw()

"""List the parts of a key space side by side, and give their pages in the server's own order.

A lane starts behind a cut and lists on, as any listing does. It ends where it
meets the first page of a lane before it, key for key, and not where some order
says that it should: servers do not agree on one. So whatever the cuts, each key
comes once, where one lane alone would have listed it. With writers at work
beside it the listing is as consistent as one lane's: a key that is there all
the while comes exactly once.

Cuts cost: a lane's last page is as a rule a part of one. So there are no more
than a few in a short listing, and one in sixteen pages in a long one.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from s3magic.errors import S3Error, ServerFault
from s3magic.listing.splitting import Ruler, before

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Iterable

    from s3magic.listing.page import Page

__all__ = ["side_by_side"]

_SPAN = 16  # pages between two cuts
_FREE = 2  # cuts that a listing may cost besides
_LEAST = 4  # pages that are worth a lane of their own
_HELD = 192  # pages that may wait for those before them: some sixty megabytes
_SAMPLE = 20  # keys of a page that are looked at to choose a cut


@dataclass(eq=False, slots=True)
class _Lane:
    """A part of the key space, and what came of it.

    Args:
        cut: It begins behind this; empty for the beginning.
        waiting: Its pages that were not given yet.
        opening: The keys of its first page.
        last: The last key so far.
        sample: Some keys of it, in order, the first one and the last one too.
        pages: How many pages came.
        over: Whether no more will come.
    """

    cut: str = ""
    waiting: deque[Page] = field(default_factory=deque)
    opening: list[str] = field(default_factory=list)
    sample: list[str] = field(default_factory=list)
    pages: int = 0
    over: bool = False
    task: asyncio.Task[None] | None = None


async def side_by_side(
    walk: Callable[[str], AsyncGenerator[Page]], prefix: str, most: int
) -> AsyncGenerator[Page]:
    """Give the pages of a flat listing, listed in lanes, in the server's order.

    The first two pages come one after the other. A lane that the server does
    not serve as it should (it refuses, or knows no start) is given up, and the
    one before it goes on alone. Everything that was started has ended when the
    generator has.

    Args:
        walk: Lists the pages behind a key; behind nothing, all of them.
        prefix: What all keys begin with.
        most: Lanes at once.

    Raises:
        S3Error: A lane failed, or the server contradicts itself.
    """
    lanes = _Lanes(walk, prefix, most)
    try:
        while (page := await lanes.next()) is not None:
            yield page
    finally:
        await lanes.close()


class _Lanes:
    def __init__(self, walk: Callable[[str], AsyncGenerator[Page]], prefix: str, most: int) -> None:
        self._walk = walk
        self._prefix = prefix
        self._most = most
        self._news = asyncio.Event()
        self._room = asyncio.Event()
        self._openings: dict[str, _Lane] = {}  # who lists a key on its first page
        self._tasks: set[asyncio.Task[None]] = set()
        self._error: BaseException | None = None
        self._received = self._cuts = self._held = self._tried = 0
        self._trusted = True
        self._end: str | None = None  # there is nothing behind this
        # The lane that has not begun yet, one at most, and the keys that others met meanwhile.
        self._newest: _Lane | None = None
        self._meanwhile: set[str] = set()
        self._lanes = [_Lane()]
        self._begin(self._lanes[0])

    async def next(self) -> Page | None:
        """Give the next page in order; None behind the last."""
        while True:
            self._news.clear()
            head = self._lanes[0]
            if head.waiting:
                self._held -= 1
                self._room.set()
                return head.waiting.popleft()
            if self._error is not None:
                raise self._error
            if not head.over:
                await self._news.wait()
            elif len(self._lanes) == 1:
                return None
            else:
                self._forget(head)
                self._room.set()

    async def close(self) -> None:
        """End every lane, however often we are cancelled meanwhile."""
        cancelled: asyncio.CancelledError | None = None
        for task in self._tasks:
            task.cancel()
        while self._tasks:
            try:
                await asyncio.wait(self._tasks)
            except asyncio.CancelledError as again:
                cancelled = again
        if cancelled is not None:
            raise cancelled

    def _begin(self, lane: _Lane) -> None:
        lane.task = asyncio.create_task(self._list(lane), name="s3magic-list")
        self._tasks.add(lane.task)
        lane.task.add_done_callback(self._tasks.discard)

    async def _list(self, lane: _Lane) -> None:
        try:
            async with contextlib.aclosing(self._walk(lane.cut)) as pages:
                async for page in pages:
                    self._take(lane, page)
                    if lane.over:
                        return
                    while self._held >= _HELD and (lane.waiting or lane is not self._lanes[0]):
                        self._room.clear()
                        await self._room.wait()
        except S3Error as error:
            if lane is self._newest:
                self._trusted = False  # the lane before it will tell what is wrong
                self._drop([lane])
            elif not lane.over:
                self._error = error
        except Exception as error:  # noqa: BLE001 - it is raised where the pages are awaited
            self._error = error
        finally:
            lane.over = True
            self._news.set()

    def _take(self, lane: _Lane, page: Page) -> None:
        """Note a page, up to where its lane meets a later one."""
        self._received += 1
        at, other = self._meeting(lane, page.keys)
        if lane is self._newest and not self._welcome(lane, page, other):
            return
        if self._newest is not None:
            self._meanwhile.update(page.keys)
        place = self._lanes.index(lane)
        if other is not None:
            page = replace(page.first(at), more=True)
            lane.over = True
            # Whoever stands between was passed: its first keys are all gone.
            self._drop(self._lanes[place + 1 : self._lanes.index(other)])
        elif not page.more:
            lane.over = True
            self._drop(self._lanes[place + 1 :])
        if page.keys:
            if not lane.sample:
                lane.opening = page.keys
                self._openings.update(dict.fromkeys(page.keys, lane))
            step = max(1, len(page.keys) // _SAMPLE)
            lane.sample = [*lane.sample[:_SAMPLE], *page.keys[::step], page.keys[-1]]
        lane.pages += 1
        lane.waiting.append(page)
        self._held += 1
        self._news.set()
        self._split()

    def _meeting(self, lane: _Lane, keys: list[str]) -> tuple[int, _Lane | None]:
        """Tell where a page meets the first page of another lane, and whose it is."""
        alone = lane is self._lanes[-1] and lane is not self._newest  # nobody is ahead of it
        if not alone and not self._openings.keys().isdisjoint(keys):
            for at, key in enumerate(keys):
                other = self._openings.get(key, lane)
                if other is lane:
                    continue
                if lane is not self._newest and not self._follows(other, lane):
                    raise ServerFault(f"The server gives {key!r} twice in one listing.")
                return at, other
        return 0, None

    def _follows(self, other: _Lane, lane: _Lane) -> bool:
        return self._lanes.index(other) > self._lanes.index(lane)

    def _welcome(self, lane: _Lane, page: Page, other: _Lane | None) -> bool:
        """Look at a lane's first page; whether it has anything that nobody else lists."""
        self._newest = None
        keys = page.keys
        if not keys:
            self._end = self._end if page.more else lane.cut
        elif keys[0] == lane.cut or before(keys[0], lane.cut):
            self._trusted = False  # the server knows no start
        elif keys[0] not in self._openings and self._meanwhile.isdisjoint(keys):
            if other is None or self._follows(other, lane):
                return True
            self._trusted = False
        self._drop([lane])
        return False

    def _drop(self, lanes: Iterable[_Lane]) -> None:
        """Take lanes out whose keys another one lists."""
        for lane in list(lanes):
            lane.over = True
            self._held -= len(lane.waiting)
            if lane is self._newest:
                self._newest = None
            self._forget(lane)
            if lane.task is not None and lane.task is not asyncio.current_task():
                lane.task.cancel()

    def _forget(self, lane: _Lane) -> None:
        self._lanes.remove(lane)
        for key in lane.opening:
            self._openings.pop(key, None)

    def _split(self) -> None:
        """Begin one more lane, if it is worth its request."""
        busy = sum(not lane.over for lane in self._lanes)
        if (
            self._received < 2
            or not busy
            or busy >= self._most
            or self._newest is not None
            or not self._trusted
            or self._cuts >= _FREE + self._received // _SPAN
            or self._received < self._tried
        ):
            return
        self._tried = self._received + len(self._lanes)  # to look for a cut costs something too
        found = self._at_the_end() or self._within()
        if found is None:
            return
        behind, cut = found
        self._cuts += 1
        self._meanwhile.clear()
        self._newest = _Lane(cut)
        self._lanes.insert(self._lanes.index(behind) + 1, self._newest)
        self._begin(self._newest)

    def _at_the_end(self) -> tuple[_Lane, str] | None:
        """Choose a cut in the last lane's part, by all that was listed before it."""
        last = self._lanes[-1]
        if last.over or not last.sample:
            return None
        keys = [key for lane in (self._lanes[0], last) for key in lane.sample]
        pages = sum(
            lane.pages if lane.over else max(lane.pages, _SPAN) for lane in self._lanes[:-1]
        )
        cut = Ruler(keys, pages + last.pages, self._prefix).ahead(keys[-1], _SPAN)
        return (last, cut) if cut and _fits(last, cut, self._end) else None

    def _within(self) -> tuple[_Lane, str] | None:
        """Choose a cut in the part that has most left."""
        found = None
        most = 2.0 * _LEAST
        for lane, following in zip(self._lanes, [*self._lanes[1:], None], strict=True):
            end = following.cut if following is not None else self._end
            if lane.over or lane.pages < 2 or end is None:
                continue
            ruler = Ruler(lane.sample, lane.pages, self._prefix)
            left = ruler.pages(lane.sample[-1], end)
            cut = ruler.ahead(lane.sample[-1], left / 2)
            if left >= most and cut and _fits(lane, cut, end):
                found, most = (lane, cut), left
        return found


def _fits(lane: _Lane, cut: str, end: str | None) -> bool:
    return before(lane.sample[-1], cut) and (end is None or before(cut, end))

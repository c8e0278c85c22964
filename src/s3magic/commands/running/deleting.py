"""The frame around every verb that deletes: listing, asking, progress, report.

What is to go is listed ahead while the first of it goes. Before more than a
thousand objects somebody is asked, and nothing goes before that.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING

from s3magic.commands.running.asking import ADD_YES, confirmed
from s3magic.commands.running.deleted import Record
from s3magic.commands.running.last_look import LastLook
from s3magic.commands.showing.displays import display
from s3magic.transfer.deletion import Deletion
from s3magic.transfer.outcomes import Outcome
from s3magic.transfer.progress import Meter
from s3magic.transfer.watching import watching
from s3magic.translation import translate
from s3magic.wording import count, filesize

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from types_aiobotocore_s3 import S3Client

    from s3magic.commands.options.shared import Deleting
    from s3magic.commands.sources.objects import Found
    from s3magic.errors import S3Error
    from s3magic.transfer.outcomes import Name

__all__ = ["Errand", "remove"]

_UNASKED = 1_000  # objects that go without a question
_COUNTED = 10_000  # objects that are counted for a question
_TURN = 256  # names that are listed before others have their turn
_PATIENT = 10.0  # seconds that a cancelled verb waits for answers, to say what is gone
_SEE_FIRST = f"{ADD_YES} To see what would go, add {{1}}."


@dataclass(frozen=True, slots=True)
class Errand:
    """What is to be done, in words.

    Args:
        where: Where the objects are: ``below s3://b/p/``.
        noun: What they are: ``object``.
        always: Ask however few they are.
        for_good: Whether no version of them stays.
        doing: The verb as it goes on.
        did: The verb when it is over.
        note: What the closing line says besides.
    """

    where: str
    noun: str = "object"
    always: bool = False
    for_good: bool = False
    doing: str = "Deleting"
    did: str = "Deleted"
    note: str = ""

    def question(self, record: Record, *, all_known: bool) -> str:
        """Ask whether it is meant."""
        number = count(len(record.names), record.noun)
        number = f"{number} ({filesize(record.size)})" if record.size else number
        number = number if all_known else f"more than {count(_COUNTED, record.noun)}"
        return f"Delete {number} {self.where}{' for good' if self.for_good else ''}?"


async def remove(
    client: S3Client, found: AsyncGenerator[Found], options: Deleting, errand: Errand
) -> Record:
    """Delete what is found; ask first, where it is much.

    Args:
        client: Any aiobotocore client.
        found: What is to go; one that is refused fails unasked. Closed at the end.
        options: How.
        errand: What to call it.

    Returns:
        What became of it. If somebody said no, or stopped it, the rest is
        cancelled; if the listing failed on its way, that is its last row.

    Raises:
        S3Error: The listing failed before anything was deleted.
        BadArgument: Nobody can be asked; nothing was deleted.
    """
    record = Record(errand.noun, errand.did.lower())
    feed = _Feed(record)
    listing = asyncio.create_task(feed.fill(found), name="s3magic-plan")
    try:
        if options.dry_run:
            await feed.seen(options.progress, None)
            record.planned()
        elif options.yes or await _agreed(feed, options, errand):
            await _delete(client, feed, options, errand)
        if feed.error is not None:
            if not record.names or options.dry_run:
                raise feed.error
            record.rest(feed.error)
        elif not feed.over:
            record.rest()
    finally:
        listing.cancel()
        await asyncio.wait([listing])
    return record


async def _agreed(feed: _Feed, options: Deleting, errand: Errand) -> bool:
    """List as much as a question needs, and ask it if it must be asked."""
    await feed.seen(options.progress, _UNASKED + 1)
    names = feed.record.names
    if names and (len(names) > _UNASKED or errand.always):
        await feed.seen(options.progress, _COUNTED + 1)
    if feed.error is not None:
        raise feed.error  # nothing is deleted yet, and nobody knows what it would have been
    if feed.stopped:
        return False
    if not names or (len(names) <= _UNASKED and not errand.always):
        return True
    all_known = feed.over and len(names) <= _COUNTED
    return await confirmed(errand.question(feed.record, all_known=all_known), hint=_SEE_FIRST)


async def _delete(client: S3Client, feed: _Feed, options: Deleting, errand: Errand) -> None:
    """Delete what the feed gives, under its progress."""
    record = feed.record
    meter = feed.meter = Meter(errand.doing, errand.did, noun=record.noun, files=len(record.names))
    meter.note = errand.note

    def told(outcomes: list[Outcome]) -> None:
        gone, failed = record.told(outcomes)
        meter.tally(gone)
        meter.failed += failed

    loop = asyncio.get_running_loop()
    deletion = Deletion(client, told, options.concurrency, LastLook(client))
    ending: list[asyncio.TimerHandle] = []
    async with watching(meter, display(options.progress)):
        working = loop.create_task(deletion.run(feed.names()), name="s3magic-rm")

        def stop() -> None:
            feed.stop()
            deletion.stop()
            ending.append(loop.call_later(_PATIENT, working.cancel))

        meter.on_stop(lambda: loop.call_soon_threadsafe(stop))
        try:
            await working
        except asyncio.CancelledError:
            task = asyncio.current_task()
            if not meter.stopped or (task is not None and task.cancelling()):
                raise
        finally:
            meter.on_stop(lambda: None)  # a late click must not end what comes next
            for timer in ending:
                timer.cancel()
        record.unanswered(deletion.unanswered)
        if not record.names and feed.error is None:
            meter.note = "there was nothing there"


class _Feed:
    """What is to go, listed as fast as it comes, and taken as there is room.

    Args:
        record: Where all that is listed is kept.
    """

    def __init__(self, record: Record) -> None:
        self.record = record
        self.error: S3Error | None = None
        self.over = False
        self.stopped = False
        self.meter: Meter | None = None
        self._waiting: deque[Name] = deque()
        self._more = asyncio.Event()

    async def fill(self, found: AsyncGenerator[Found]) -> None:
        """List to the end; an error is kept."""
        try:
            async with contextlib.aclosing(found):
                async for one in found:
                    name = self.record.add(one)
                    if one.refused is None:
                        self._waiting.append(name)
                    else:
                        self.record.told([Outcome(name, one.refused)])
                    if not len(self.record.names) % _TURN:
                        await asyncio.sleep(0)
                    if self.meter is not None:
                        self.meter.files = len(self.record.names)
                    self._more.set()
            self.over = True
        except Exception as error:  # noqa: BLE001 - what was listed before it still counts
            self.error = translate(error, "list what is to be deleted")
        finally:
            self._more.set()

    async def seen(self, progress: str | None, enough: int | None) -> None:
        """Wait until so many are listed, or all; or until it is stopped."""
        if self._ended or (enough is not None and len(self.record.names) >= enough):
            return
        loop = asyncio.get_running_loop()
        meter = Meter("Listing", "Listed", noun=self.record.noun)
        meter.tally(len(self.record.names))
        meter.on_stop(lambda: loop.call_soon_threadsafe(self.stop))
        async with watching(meter, display(progress), quiet_if_short=True):
            while not self._ended and (enough is None or len(self.record.names) < enough):
                self._more.clear()
                await self._more.wait()
                meter.done_files = len(self.record.names)

    async def names(self) -> AsyncGenerator[Name]:
        """Give what is listed, until there is no more or it is stopped."""
        while True:
            self._more.clear()
            while self._waiting and not self.stopped:
                yield self._waiting.popleft()
            if self._ended:
                return
            await self._more.wait()

    def stop(self) -> None:
        """Give no more."""
        self.stopped = True
        self._more.set()

    @property
    def _ended(self) -> bool:
        return self.over or self.stopped or self.error is not None

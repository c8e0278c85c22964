"""Finds out what a sync has to do, under a progress of its own."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING

from s3magic.commands.showing.displays import display
from s3magic.commands.showing.stopping import stoppable
from s3magic.commands.syncing.reconciling import Found, Wish, reconcile
from s3magic.session import using
from s3magic.transfer.progress import Meter
from s3magic.transfer.watching import watching
from s3magic.wording import filesize

if TYPE_CHECKING:
    from s3magic.commands.options.shared import Transferring
    from s3magic.transfer.watching import Display

__all__ = ["planned"]


async def planned(wish: Wish, options: Transferring) -> Found:
    """Find out what there is to do, under a progress of its own."""
    meter = Meter("Comparing", "Compared")
    shown = _Held(display(options.progress))
    async with watching(meter, shown):
        with stoppable(meter):
            async with using() as client:
                found = await reconcile(client, wish, meter)
        meter.note = await asyncio.to_thread(_note, found)  # of many it takes a while
        # What is done next has a line of its own, in which this one's figures stand too.
        shown.silent = bool(found.steps) and not options.dry_run
    return found


@dataclass(slots=True)
class _Held:
    """A display that may leave no line behind.

    Args:
        display: What shows.
        silent: Whether it leaves none.
    """

    display: Display
    silent: bool = False

    def draw(self, meter: Meter) -> None:
        """Draw."""
        self.display.draw(meter)

    def close(self, summary: str) -> None:
        """Take away what was drawn."""
        self.display.close("" if self.silent else summary)


def _note(found: Found) -> str:
    """Say what a comparison found."""
    if not found.steps:
        return "all the same" if found.same else "nothing to do"
    parts = []
    if found.transfers:
        size = filesize(sum(step.size for step in found.transfers))
        parts.append(f"{len(found.transfers):,} to transfer ({size})")
    if found.deletions:
        parts.append(f"{len(found.deletions):,} to delete")
    if found.same:
        parts.append(f"{found.same:,} the same")
    return ", ".join(parts)

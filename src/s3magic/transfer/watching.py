"""Shows a running verb: the small interface to a screen, and the ticker that draws.

A `Display` is handed in from outside and only draws what the meter says.
`watching` joins the two: it draws at most ten times a second, for as long as
the verb runs. The ticker has a second use: it keeps the loop awake, so that an
interrupt of the kernel acts at once even while every socket is silent.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from contextvars import ContextVar
from typing import TYPE_CHECKING, Protocol

from s3magic.settings import defaults

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from s3magic.transfer.progress import Meter

__all__ = ["Display", "Silent", "behind", "watching"]

_FASTEST = 0.1  # seconds between two drawings, at least: front ends must keep up

_log = logging.getLogger("s3magic")


class Display(Protocol):
    """Shows a meter. Called on the verb's loop, never more than ten times a second."""

    def draw(self, meter: Meter) -> None:
        """Show the state as it is; the first call puts the display on the screen."""

    def close(self, summary: str) -> None:
        """Leave one line of plain text (none if empty) in place of what was drawn."""


class Silent:
    """A display that shows nothing."""

    def draw(self, meter: Meter) -> None:
        """Draw nothing."""

    def close(self, summary: str) -> None:
        """Say nothing."""


behind: ContextVar[Callable[[Meter], Display] | None] = ContextVar("s3magic-behind", default=None)
"""In a background job: gives what shows a meter in place of the display that was chosen."""


@contextlib.asynccontextmanager
async def watching(
    meter: Meter, display: Display, *, quiet_if_short: bool = False
) -> AsyncIterator[Meter]:
    """Draw the meter while the block runs, and leave its summary at the end.

    Args:
        meter: What to draw.
        display: Where.
        quiet_if_short: Leave no summary if nothing had to be drawn meanwhile.
    """
    if instead := behind.get():
        display = instead(meter)
    drawn = failed = False
    loop = asyncio.get_running_loop()
    timer: asyncio.TimerHandle

    def show(act: Callable[[], None]) -> None:
        # Bytes matter more than their bar: a terminal that hung up or a front
        # end that failed must not end a transfer, nor hide how one ended.
        try:
            act()
        except Exception:  # noqa: BLE001 - whatever a front end may throw
            _log.warning("The progress display failed; the work goes on.", exc_info=True)

    def tick() -> None:
        nonlocal drawn, timer
        timer = loop.call_later(max(_FASTEST, defaults().refresh), tick)
        meter.sample()
        if meter.elapsed >= defaults().progress_delay:
            drawn = True
            show(lambda: display.draw(meter))

    # A timer and no task: a listing of ten keys should not wait for one to end.
    timer = loop.call_later(max(_FASTEST, defaults().refresh), tick)
    try:
        yield meter
    except asyncio.CancelledError:
        meter.stopped = True
        raise
    except BaseException:
        failed = True
        raise
    finally:
        meter.ended = meter.clock()
        timer.cancel()
        short = quiet_if_short and not drawn and not meter.note
        # An error says it all where nothing had been done yet.
        summary = "" if short or (failed and not meter.done_files) else meter.summary
        show(lambda: display.close(summary))

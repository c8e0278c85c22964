"""What a meter says, as the short texts that every display shows.

A bar in a terminal and one in a notebook differ in looks alone: which figures
there are, and in which words, is decided here.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from s3magic.wording import count, duration, filesize

if TYPE_CHECKING:
    from s3magic.transfer.progress import Active, Meter

__all__ = ["Figures", "read", "share"]

_SLOW = 1.0  # seconds; below that a name would be gone before it is read


@dataclass(frozen=True, slots=True)
class Figures:
    """One look at a meter. A text is empty where there is nothing to say.

    Args:
        doing: ``Downloading``, or ``Cancelling…`` once that was asked for.
        fraction: How much is done, 0 to 1; None while the whole is not known.
        percent: The same in words, never 100 % before the end: ``51%``.
        counted: ``3 of 40 files``, ``12,000 objects``; empty for a single file.
        size: ``131 MB of 256 MB``.
        rate: ``98 MB/s``, ``9,800/s``.
        left: ``2 s left``.
        skipped: ``1 skipped``.
        failed: ``2 failed``.
        name: What is being moved, if that is one thing alone; unescaped.
        slowest: The few under way longest, where there are many.
    """

    doing: str
    fraction: float | None
    percent: str
    counted: str
    size: str
    rate: str
    left: str
    skipped: str
    failed: str
    name: str
    slowest: tuple[Active, ...]


def read(meter: Meter, slowest: int = 3) -> Figures:
    """Put what the meter knows now into words.

    Args:
        meter: What to read.
        slowest: How many of the slowest to name, at most.
    """
    single = meter.files == 1
    under_way = meter.slowest(1 if single else slowest)
    now = meter.clock()
    return Figures(
        doing="Cancelling…" if meter.stopped else meter.doing,
        fraction=meter.fraction,
        percent="" if meter.fraction is None else f"{math.floor(meter.fraction * 100)}%",
        counted="" if single else _count(meter),
        size=_size(meter),
        rate=_rate(meter),
        left="" if meter.stopped else _left(meter.remaining),
        skipped=f"{meter.skipped:,} skipped" if meter.skipped else "",
        failed=f"{meter.failed:,} failed" if meter.failed else "",
        name=under_way[0].name if single and under_way else "",
        slowest=()
        if single
        else tuple(active for active in under_way if now - active.started >= _SLOW),
    )


def share(active: Active) -> float:
    """Give how much of one transfer is done, 0 to 1."""
    return min(1.0, max(0.0, active.done / active.size)) if active.size else 0.0


def _count(meter: Meter) -> str:
    over = meter.done_files + meter.skipped + meter.failed
    return count(over, meter.noun) if meter.files is None else _of(over, meter.files, meter.noun)


def _of(number: int, whole: int, noun: str) -> str:
    return f"{number:,} of {count(whole, noun)}"


def _size(meter: Meter) -> str:
    if meter.size:
        return f"{filesize(meter.done_size)} of {filesize(meter.size)}"
    return filesize(meter.done_size) if meter.done_size else ""


def _rate(meter: Meter) -> str:
    if meter.size or meter.moved:
        return f"{filesize(meter.rate)}/s"
    return f"{meter.rate:,.0f}/s" if meter.done_files else ""


def _left(seconds: float | None) -> str:
    if seconds is None:
        return ""
    whole = math.ceil(seconds)  # tenths would only flicker
    return f"{whole} s left" if whole < 60 else f"{duration(whole)} left"

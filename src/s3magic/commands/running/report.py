"""Turns the rows of a transfer into the frame that a verb returns, or into its error."""

from __future__ import annotations

import asyncio
import importlib
import sys
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING

from s3magic.commands.sources.longframes import in_parts
from s3magic.errors import TransferError
from s3magic.single_error import single_error
from s3magic.transfer.sparing import let_go
from s3magic.wording import count

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pandas import DataFrame

    from s3magic.errors import S3Error
    from s3magic.model import Transfer

__all__ = ["Ending", "conclude", "frame", "judged", "prepare", "used_up"]

_SHOWN = 3  # reasons that an error tells; the report has them all


@dataclass(frozen=True, slots=True)
class Ending:
    """How the rows of a report ended, in figures.

    Args:
        noun: What a row is of: ``file``.
        total: Rows.
        done: Those that went well.
        cancelled: Those cancelled.
        failures: The errors of those that failed.
        did: What became of those that went well.
    """

    noun: str
    total: int
    done: int
    cancelled: int
    failures: Sequence[S3Error]
    did: str = "arrived"


def prepare() -> None:
    """Begin to import pandas beside the loop, so that a verb's end need not wait for it.

    It takes most of a second, and a click on Cancel must act within one.
    """
    if "pandas" not in sys.modules:
        threading.Thread(
            target=importlib.import_module, args=("pandas",), name="s3magic-pandas", daemon=True
        ).start()


async def conclude(rows: list[Transfer], noun: str, errors: str) -> DataFrame:
    """Give the report, or raise if anything in it is amiss.

    Args:
        rows: One a transfer; they are used up.
        noun: What was transferred: ``file``.
        errors: ``raise`` or ``return``.

    Returns:
        The frame that `frame` describes.

    Raises:
        TransferError: Something failed or was cancelled, and `errors` is
            ``raise``. The first failure is its ``__cause__``; of a single
            transfer it is of the failure's own class too.
    """

    def ended() -> tuple[DataFrame, Ending]:
        causes = [row.cause for row in rows if row.status == "failed"]
        ending = Ending(
            noun,
            total=len(rows),
            done=sum(row.status == "done" for row in rows),
            cancelled=sum(row.status == "cancelled" for row in rows),
            failures=[cause for cause in causes if cause is not None],
        )
        return used_up(rows), ending

    report, ending = await asyncio.to_thread(ended)
    return judged(report, ending, errors)


def judged(report: DataFrame, ending: Ending, errors: str) -> DataFrame:
    """Give a verb's report, or raise if anything in it is amiss.

    Args:
        report: The frame.
        ending: What it says, in figures.
        errors: ``raise`` or ``return``.

    Raises:
        TransferError: As `conclude` says.
    """
    if errors == "return" or not (ending.failures or ending.cancelled):
        return report
    cause = ending.failures[0] if ending.failures else None
    if ending.total == 1 and cause is not None:
        raise single_error(cause, report=report) from cause
    raise TransferError(
        "{1}",
        report=report,
        hint="All rows are in the error's .report; to have them in place of the error, run it "
        "again with {0}.",
        options=[("errors", "return"), _told(ending)],
    ) from cause


def used_up(rows: list[Transfer], *, planned: bool = False) -> DataFrame:
    """Make the report's frame of rows that nobody needs any more; the list is then empty."""
    report = frame(rows, planned=planned)
    let_go(rows)
    return report


def frame(rows: Sequence[Transfer], *, planned: bool = False) -> DataFrame:
    """Make the report's frame; blocks while pandas is imported.

    Args:
        rows: One a transfer.
        planned: What was done was only looked at.

    Returns:
        ``Source`` and ``Target`` (string), ``Size`` (int64, bytes), ``Status``
        (string: done, skipped, failed, cancelled or planned), ``Error``
        (string, empty where there was none), ``Seconds`` (float64).
    """
    import pandas as pd

    def part(rows: Sequence[Transfer]) -> DataFrame:
        statuses = [row.status for row in rows]
        seconds = [row.seconds for row in rows]
        if planned:
            seconds = [0.0 if row.status == "done" else row.seconds for row in rows]
            statuses = ["planned" if status == "done" else status for status in statuses]
        return pd.DataFrame(
            {
                "Source": pd.array([row.source for row in rows], dtype="string"),
                "Target": pd.array([row.target for row in rows], dtype="string"),
                "Size": pd.array([row.size for row in rows], dtype="int64"),
                "Status": pd.array(statuses, dtype="string"),
                "Error": pd.array([row.error for row in rows], dtype="string"),
                "Seconds": pd.array(seconds, dtype="float64"),
            }
        )

    return in_parts(rows, part)


def _told(ending: Ending) -> str:
    """Say in a few sentences what went wrong."""
    failed, cancelled = len(ending.failures), ending.cancelled
    parts = []
    if failed:
        parts.append(f"{failed:,} of {count(ending.total, ending.noun)} failed")
    if cancelled:
        of = "" if failed else f" of {count(ending.total, ending.noun)}"
        parts.append(f"{cancelled:,}{of} {'was' if cancelled == 1 else 'were'} cancelled")
    sentence = ", ".join(parts) + f"; {ending.done:,} {ending.did}."
    reasons = list(dict.fromkeys(map(str, ending.failures)))
    for reason in reasons[:_SHOWN]:
        sentence += f" {reason}"
    if len(reasons) > _SHOWN:
        sentence += f" (And {len(reasons) - _SHOWN:,} more reasons.)"
    return sentence

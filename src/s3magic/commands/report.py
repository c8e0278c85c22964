"""Turns the rows of a transfer into the frame that a verb returns, or into its error."""

from __future__ import annotations

import asyncio
import importlib
import sys
import threading
from typing import TYPE_CHECKING

from s3magic.errors import TransferError
from s3magic.wording import count

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pandas import DataFrame

    from s3magic.model import Transfer

__all__ = ["conclude", "frame", "prepare"]

_SHOWN = 3  # reasons that an error tells; the report has them all


def prepare() -> None:
    """Begin to import pandas beside the loop, so that a verb's end need not wait for it.

    It takes most of a second, and a click on Cancel must act within one.
    """
    if "pandas" not in sys.modules:
        threading.Thread(
            target=importlib.import_module, args=("pandas",), name="s3magic-pandas", daemon=True
        ).start()


async def conclude(rows: Sequence[Transfer], noun: str, errors: str) -> DataFrame:
    """Give the report, or raise if anything in it is amiss.

    Args:
        rows: One a transfer.
        noun: What was transferred: ``file``.
        errors: ``raise`` or ``return``.

    Returns:
        The frame that `frame` describes.

    Raises:
        TransferError: Something failed or was cancelled, and `errors` is
            ``raise``. The first failure is its ``__cause__``; of a single
            transfer it is of the failure's own class too.
    """
    report = await asyncio.to_thread(frame, rows)
    failed = [row for row in rows if row.status == "failed"]
    cancelled = sum(row.status == "cancelled" for row in rows)
    if errors == "return" or not (failed or cancelled):
        return report
    cause = failed[0].cause if failed else None
    if len(rows) == 1 and cause is not None:
        raise TransferError.of(cause, report=report) from cause
    raise TransferError(
        _told(rows, failed, cancelled, noun),
        report=report,
        hint="All rows are in the error's .report; to have them in place of the error, run it "
        'again with --errors return (in Python errors="return").',
    ) from cause


def frame(rows: Sequence[Transfer]) -> DataFrame:
    """Make the report's frame; blocks while pandas is imported.

    Returns:
        ``Source`` and ``Target`` (string), ``Size`` (int64, bytes), ``Status``
        (string: done, skipped, failed, cancelled or planned), ``Error``
        (string, empty where there was none), ``Seconds`` (float64).
    """
    import pandas as pd

    return pd.DataFrame(
        {
            "Source": pd.array([row.source for row in rows], dtype="string"),
            "Target": pd.array([row.target for row in rows], dtype="string"),
            "Size": pd.array([row.size for row in rows], dtype="int64"),
            "Status": pd.array([row.status for row in rows], dtype="string"),
            "Error": pd.array([row.error for row in rows], dtype="string"),
            "Seconds": pd.array([row.seconds for row in rows], dtype="float64"),
        }
    )


def _told(rows: Sequence[Transfer], failed: Sequence[Transfer], cancelled: int, noun: str) -> str:
    """Say in a few sentences what went wrong."""
    done = sum(row.status == "done" for row in rows)
    parts = []
    if failed:
        parts.append(f"{len(failed):,} of {count(len(rows), noun)} failed")
    if cancelled:
        of = "" if failed else f" of {count(len(rows), noun)}"
        parts.append(f"{cancelled:,}{of} {'was' if cancelled == 1 else 'were'} cancelled")
    sentence = ", ".join(parts) + f"; {done:,} arrived."
    reasons = list(dict.fromkeys(row.error for row in failed))
    for reason in reasons[:_SHOWN]:
        sentence += f" {reason}"
    if len(reasons) > _SHOWN:
        sentence += f" (And {len(reasons) - _SHOWN:,} more reasons.)"
    return sentence

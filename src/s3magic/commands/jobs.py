"""`jobs`: what goes on in the background, and what has."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from s3magic.commands.options.description import Option, Positional, Verb
from s3magic.commands.options.kinds import INTEGER
from s3magic.commands.options.shared import whole
from s3magic.commands.running import background
from s3magic.errors import S3Error

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pandas import DataFrame

    from s3magic.commands.running.job import Job

__all__ = ["VERB", "jobs"]

VERB = Verb(
    name="s3jobs",
    summary="Show what goes on in the background, cancel it, or wait for it.",
    positionals=(
        Positional(
            "NUMBER", "these jobs alone; all if left out", required=False, many=True, kind=INTEGER
        ),
    ),
    options=(
        Option(("--cancel",), "stop them, and wait until they have"),
        Option(("--wait",), "wait until they are over"),
        Option(("--clear",), "show them for the last time, as far as they are over"),
    ),
    examples=(
        ("%s3jobs", "every job of this session"),
        ("%s3jobs --wait", "wait for all that run"),
        ("%s3jobs --cancel", "stop all that run; %s3jobs 2 --cancel stops one"),
        ("%s3jobs --clear", "forget those that are over, and what they hold"),
    ),
    twin="s3.jobs",
    details=(
        "A job begins where a verb is given --bg. Columns: Job, Line, Status, Done, Total (bytes), "
        "Rate (bytes a second), Started (UTC), Seconds, Error. The job itself is what the verb "
        "gave, or s3.job(2): await it for the verb's own result; it has .cancel(), .report, "
        ".status and .done."
    ),
)


async def jobs(
    number: int | Sequence[int] | None = None,
    *,
    cancel: bool = False,
    wait: bool = False,
    clear: bool = False,
) -> DataFrame:
    """Show the jobs of this session, cancel them, or wait for them.

    Waiting says nothing of how they end but for the frame: it raises no error
    of theirs. An interrupt ends the waiting, and leaves the jobs alone.

    Args:
        number: The numbers of those that are meant; all by default.
        cancel: Stop them, as their Cancel buttons do, and wait until they have.
        wait: Wait until they are over.
        clear: Forget those that are over, with their reports, once they are shown.

    Returns:
        One row a job, the oldest first: ``Job`` int64; ``Line`` string;
        ``Status`` string: running, done, failed, cancelled; ``Done`` int64 and
        ``Total`` Int64 (missing while that is not known), bytes; ``Rate``
        float64, bytes a second; ``Started`` in UTC; ``Seconds`` float64;
        ``Error`` string, empty where there is none.

    Raises:
        BadArgument: There is no job of this number.

    Example:
        >>> await s3.jobs(wait=True)
    """
    meant = _meant(number)
    if cancel:
        for one in meant:
            one.cancel()
    if cancel or wait:
        for one in meant:
            await one.wait()
    shown = await asyncio.to_thread(_frame, meant)
    if clear:
        background.forget(meant)
    return shown


def _meant(number: int | Sequence[int] | None) -> list[Job]:
    if number is None:
        return background.known()
    numbers = number if isinstance(number, list | tuple) else [number]
    return [background.job(whole("number", one)) for one in dict.fromkeys(numbers)]


def _frame(found: Sequence[Job]) -> DataFrame:
    import pandas as pd

    return pd.DataFrame(
        {
            "Job": pd.array([one.number for one in found], dtype="int64"),
            "Line": pd.array([one.line for one in found], dtype="string"),
            "Status": pd.array([one.status for one in found], dtype="string"),
            "Done": pd.array([one.size for one in found], dtype="int64"),
            "Total": pd.array([one.total for one in found], dtype="Int64"),
            "Rate": pd.array([round(one.rate) for one in found], dtype="float64"),
            "Started": pd.DatetimeIndex(
                [one.started for one in found], dtype="datetime64[us, UTC]"
            ),
            "Seconds": pd.array([round(one.seconds, 3) for one in found], dtype="float64"),
            "Error": pd.array([_error(one) for one in found], dtype="string"),
        }
    )


def _error(one: Job) -> str:
    if one.error is None or one.status == "cancelled":
        return ""
    return one.error.message if isinstance(one.error, S3Error) else repr(one.error)

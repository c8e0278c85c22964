"""Does the steps of a sync: first all transfers, then the deletions; and reports them.

Before many deletions, or such as nobody can have meant, it asks.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from s3magic.commands.running.asking import confirmed, nobody
from s3magic.commands.running.report import Ending, frame, judged
from s3magic.commands.running.transferring import Wording, under_way
from s3magic.commands.syncing.clearing import clear
from s3magic.commands.syncing.stepping import do, jobs, quick
from s3magic.model import Transfer
from s3magic.transfer.disk import in_thread
from s3magic.transfer.engine import run
from s3magic.transfer.placing import date
from s3magic.transfer.sparing import sparing
from s3magic.transfer.watching import behind
from s3magic.transfer.window import stream
from s3magic.uri import is_uri
from s3magic.wording import count, filesize

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pandas import DataFrame

    from s3magic.commands.options.shared import Transferring
    from s3magic.commands.syncing.reconciling import Found
    from s3magic.commands.syncing.steps import Step
    from s3magic.transfer.engine import Run

__all__ = ["agreed", "enact"]

_WORDING = Wording("sync", "Syncing", "Synced")
_MANY = 1000  # deletions that nobody is asked about


async def agreed(found: Found) -> bool:
    """Ask before deletions that may be a slip; without any there is nothing to ask.

    Raises:
        BadArgument: Nobody can be asked; nothing was done.
    """
    number = len(found.deletions)
    if not number:
        return True
    if not found.sources:
        why = " The source has nothing, so the target would have nothing."
    elif place := await in_thread(_at_home, found.deletions):
        why = f" They are in {place!r}, in which more may lie than was synced."
    elif number > _MANY:
        why = ""
    else:
        return True
    size = filesize(sum(step.size for step in found.deletions))
    first = found.deletions[0].target
    question = f"Delete {count(number, 'file')} ({size}), {first} among them?{why}"
    if behind.get() is not None:
        raise nobody(question, why="Nobody is asked in the background.")
    return await confirmed(question)


async def enact(
    found: Found,
    options: Transferring,
    headers: Mapping[str, Any],
    *,
    again: bool,
    meant: bool,
) -> DataFrame:
    """Do what was found to be done.

    Nothing is deleted unless every transfer has succeeded.

    Args:
        found: What is to be done.
        options: How to transfer.
        headers: What S3 is to keep of what is written.
        again: Whether it was planned by an earlier sync.
        meant: Whether to do it; else all of it is cancelled.

    Returns:
        ``Action``, and the columns that `s3magic.commands.running.report.frame` describes.

    Raises:
        TransferError: Something failed or was cancelled.
    """
    rows: list[Transfer] = []
    deleted: list[Transfer] = []
    with sparing():
        if not meant:
            rows, deleted = _cancelled(found.transfers), _cancelled(found.deletions)
        elif found.steps:
            made = await asyncio.to_thread(jobs, found.transfers, headers, again=again)
            async with under_way(_WORDING, options) as shared:
                rows = await run(shared, stream(made), do, _WORDING.action, quick)
                deleted = await _deleted(shared, rows, found.deletions)
                shared.meter.note = _note(found, deleted)
        if meant:
            await in_thread(_date, found.dated)
        report, ending = await asyncio.to_thread(_reported, found, rows, deleted)
        return judged(report, ending, options.errors)


async def _deleted(shared: Run, rows: Sequence[Transfer], steps: Sequence[Step]) -> list[Transfer]:
    """Delete what is to be deleted, if all before it went well."""
    if not steps:
        return []
    if shared.meter.stopped:
        return _cancelled(steps)
    wrong = sum(row.status != "done" for row in rows)
    if wrong:
        why = f"Not deleted, because {count(wrong, 'transfer')} did not succeed."
        return [Transfer(step.source, step.target, 0, "skipped", why) for step in steps]
    shared.meter.doing = "Deleting"
    return await clear(shared, steps)


def _cancelled(steps: Sequence[Step]) -> list[Transfer]:
    return [Transfer(step.source, step.target, 0, "cancelled") for step in steps]


def _note(found: Found, deleted: Sequence[Transfer]) -> str:
    """Say what the closing line has to say besides the transfers."""
    number = sum(row.status == "done" for row in deleted)
    parts = [f"{number:,} deleted"] if deleted else []
    if found.same:
        parts.append(f"{found.same:,} the same")
    return ", ".join(parts)


def _date(files: Sequence[tuple[str, int | None, int]]) -> None:
    """Give files that have their object's content its time too, so that it is not read again."""
    for path, seen, moment in files:
        with contextlib.suppress(OSError):
            if os.lstat(path).st_mtime_ns // 1000 == seen:  # else somebody wrote it just now
                date(path, moment)


def _reported(
    found: Found, rows: Sequence[Transfer], deleted: Sequence[Transfer]
) -> tuple[DataFrame, Ending]:
    """Make the report, and say in figures how it ended."""
    import pandas as pd

    every = [*rows, *deleted]
    report = frame(every)
    # Behind the rows of the transfers may be one for all that were not planned.
    known = zip(rows, itertools.chain(found.transfers, itertools.repeat(None)), strict=False)
    actions = [step.action if step is not None else "" for _, step in known]
    actions += ["delete"] * len(deleted)
    report.insert(0, "Action", pd.Series(actions, dtype="string"))
    ending = Ending(
        "file",
        total=len(every),
        done=sum(row.status == "done" for row in every),
        cancelled=sum(row.status == "cancelled" for row in every),
        failures=[row.cause for row in every if row.status == "failed" and row.cause is not None],
        did="are in sync",
    )
    return report, ending


def _at_home(deletions: Sequence[Step]) -> str:
    """Give a folder of which deletions would clear the user's working or home folder, if any."""
    for root in {step.root for step in deletions if not is_uri(step.target)}:
        whole = Path(root).resolve()
        if any(place.is_relative_to(whole) for place in (Path.cwd(), Path.home().resolve())):
            return str(whole)
    return ""

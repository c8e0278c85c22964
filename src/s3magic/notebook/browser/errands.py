"""What the explorer is told to do: it asks first, follows a transfer, tells how it ended."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import ipywidgets as widgets

from s3magic import session
from s3magic.listing.frame import framed
from s3magic.notebook.browser import actions, look
from s3magic.notebook.browser.preview import preview
from s3magic.notebook.card import card
from s3magic.transfer.figures import read
from s3magic.uri import S3Uri
from s3magic.wording import count, filesize, shorten

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from pandas import DataFrame

    from s3magic.commands.running.job import Job
    from s3magic.listing.page import Page
    from s3magic.notebook.browser.entries import Entry
    from s3magic.notebook.browser.tasks import Tasks
    from s3magic.notebook.browser.view import View

__all__ = ["Errands"]

_SOON = 0.15  # seconds between two looks at a transfer
_FEW = 3  # names that a question tells


class Errands:
    """What is done with the entries of an explorer. On its loop only.

    Args:
        tasks: Where it is done.
        view: Where it is told.
        changed: Called when the folder has changed.
    """

    def __init__(self, tasks: Tasks, view: View, changed: Callable[[], None]) -> None:
        self._tasks = tasks
        self._view = view
        self._changed = changed
        self._job: Job | None = None
        self._answer: Callable[[], None] | None = None

    def look_at(self, entry: Entry) -> None:
        """Show what an object looks like."""
        self._tasks.begin("preview", self._preview(entry))

    def link(self, entry: Entry) -> None:
        """Show a link to an object."""
        self._tasks.begin("act", self._link(entry))

    def download(self, entries: Sequence[Entry]) -> None:
        """Bring entries here."""
        job = actions.download(entries, self._view.target.value.strip())
        self._follow(job, self._following(job, "brought here"))

    def upload(
        self, files: Sequence[tuple[str, bytes]], place: S3Uri, *, replace: bool = False
    ) -> None:
        """Send files into a folder; of those that are there already, ask."""
        job = actions.upload(files, place, replace=replace)
        self._follow(job, self._sending(job, files, place))

    def stop(self) -> None:
        """Cancel the transfer."""
        if self._job is not None:
            self._job.cancel()

    def ask_to_delete(self, entries: Sequence[Entry], page: Page) -> None:
        """Ask whether entries are to be deleted, and do so if they are."""
        bucket = entries[0].uri.bucket
        self._ask(
            f"Delete {_told(entries)}?",
            "Delete",
            lambda: self._tasks.begin("act", self._delete(page, bucket)),
        )

    def answered(self, *, yes: bool) -> None:
        """Hear the answer to what was asked last."""
        then, self._answer = self._answer, None
        self._view.ask()
        if yes and then is not None:
            then()

    def forget(self) -> None:
        """Take back what was asked: it was about another folder."""
        self._answer = None
        self._view.ask()

    def failed(self, sentence: str) -> None:
        """Tell what went wrong."""
        if not self._tasks.runs("transfer"):
            self._view.working()
        self._view.say(look.wrong(sentence))

    async def _preview(self, entry: Entry) -> None:
        head = widgets.HTML(look.about(entry))
        self._view.look_at(head)
        async with session.using() as client:
            shown = await preview(client, entry)
        head.value = look.about(entry, shown.kind)
        body: Any = (
            widgets.Image(value=shown.image, format=shown.form)
            if shown.image
            else widgets.HTML(shown.html)
        )
        self._view.look_at(head, body)

    async def _link(self, entry: Entry) -> None:
        async with session.using() as client:
            self._view.say(look.link(await actions.linked(client, entry), entry.name))

    def _follow(self, job: Job, following: Any) -> None:
        self._job = job
        self._view.say()
        self._tasks.begin("transfer", following)

    async def _following(self, job: Job, done: str) -> DataFrame:
        """Show how far a job is, and how it ended; gives its report."""
        rows = 0
        while not job.done:
            if job.meter is not None:
                figures = read(job.meter)
                rows = max(rows, len(figures.slowest))
                self._view.working(card(figures, rows))
            await asyncio.sleep(_SOON)
        self._view.working()
        report: DataFrame = await job
        arrived = report[report.Status == "done"]
        size = filesize(int(arrived.Size.sum()))
        said = f"{count(len(arrived), 'file')}, {size}, {done}."
        if job.status == "cancelled":
            said = f"Cancelled. {said}"
        failed = report.Error[report.Status == "failed"].tolist()
        if failed:
            self._view.say(look.wrong(f"{said} {len(failed):,} failed. {failed[0]}"))
        else:
            self._view.say(look.note(said))
        return report

    async def _sending(self, job: Job, files: Sequence[tuple[str, bytes]], place: S3Uri) -> None:
        report = await self._following(job, "sent")
        self._changed()
        taken = set(report.Target[report.Status == "skipped"])
        again = [one for one in files if str(S3Uri(place.bucket, place.folder + one[0])) in taken]
        if again:
            names = ", ".join(shorten(name, 60) for name, _ in again[:_FEW])
            more = f" and {len(again) - _FEW:,} more" if again[_FEW:] else ""
            self._ask(
                f"{names}{more} {'is' if len(again) == 1 else 'are'} there already.",
                "Replace",
                lambda: self.upload(again, place, replace=True),
            )

    async def _delete(self, page: Page, bucket: str) -> None:
        self._view.say(look.note("Deleting …"))
        report = await actions.delete(await asyncio.to_thread(framed, page, bucket))
        failed = report.Error[report.Status == "failed"].tolist()
        if failed:
            self._view.say(look.wrong(f"{count(len(failed), 'object')} not deleted. {failed[0]}"))
        else:
            self._view.say(look.note(f"{count(len(report), 'object')} deleted."))
        self._changed()

    def _ask(self, question: str, yes: str, then: Callable[[], None]) -> None:
        self._answer = then
        self._view.ask(question, yes)


def _told(entries: Sequence[Entry]) -> str:
    """Name what a question is about."""
    folders = sum(entry.folder for entry in entries)
    if len(entries) == 1:
        return shorten(entries[0].name, 80) + (" with all that is in it" if folders else "")
    parts = []
    if objects := len(entries) - folders:
        size = filesize(sum(entry.size or 0 for entry in entries))
        parts.append(f"{count(objects, 'object')} ({size})")
    if folders:
        parts.append(f"{count(folders, 'folder')} with all that is in them")
    return " and ".join(parts)

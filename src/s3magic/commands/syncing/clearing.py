"""Deletes what a sync found at its target alone, each only if that is still so."""

from __future__ import annotations

import asyncio
import contextlib
import os
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from s3magic.commands.running.last_look import LastLook
from s3magic.commands.syncing.sides import moment_of
from s3magic.errors import AlreadyExists, ObjectChanged, S3Error
from s3magic.listing.pages import Listing, pages
from s3magic.listing.splitting import shared
from s3magic.model import Transfer
from s3magic.transfer.deletion import Deletion
from s3magic.transfer.disk import in_thread
from s3magic.transfer.outcomes import Name
from s3magic.transfer.removal import remove
from s3magic.transfer.window import stream
from s3magic.translation import translate
from s3magic.uri import S3Uri, is_uri

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from collections.abc import Set as AbstractSet

    from types_aiobotocore_s3 import S3Client

    from s3magic.commands.syncing.steps import Step
    from s3magic.transfer.engine import Run
    from s3magic.transfer.outcomes import Outcome

__all__ = ["clear"]

_PORTION = 200  # files that a thread removes in one go


async def clear(shared: Run, steps: Sequence[Step]) -> list[Transfer]:
    """Delete what some steps name; one that fails leaves the others alone.

    Both sides are looked at once more before. What the source has by now stays,
    and so does what changed at the target.

    Args:
        shared: What the jobs of the verb share.
        steps: Deletions.

    Returns:
        One row a step, in their order. When the meter was asked to stop, what
        was not deleted is ``cancelled``.
    """
    clearing = _Clearing(shared, steps)
    loop = asyncio.get_running_loop()
    working = loop.create_task(clearing.run(), name="s3magic-sync-delete")
    shared.meter.on_stop(lambda: loop.call_soon_threadsafe(working.cancel))
    try:
        await working
    except asyncio.CancelledError:
        task = asyncio.current_task()
        if not shared.meter.stopped or (task is not None and task.cancelling()):
            raise
        clearing.give_up()
    return [clearing.rows[at] for at in range(len(steps))]


@dataclass(slots=True)
class _Clearing:
    """The deletions of one sync, and what became of them.

    Args:
        shared: What the jobs of the verb share.
        steps: Deletions.
    """

    shared: Run
    steps: Sequence[Step]
    rows: dict[int, Transfer] = field(default_factory=dict)
    unanswered: list[Name] = field(default_factory=list)

    async def run(self) -> None:
        """Look again, and delete."""
        try:
            await self._look_again()
        except S3Error as error:  # who cannot look must not delete
            await in_thread(self._end_all, error)
        objects, files = await in_thread(self._left)
        await self._objects(objects)
        await self._files(files)

    def give_up(self) -> None:
        """Make a row of each that was not deleted."""
        unsure = {name.number for name in self.unanswered}
        for at, step in enumerate(self.steps):
            if at not in self.rows:
                told = "It was asked for, and no answer came." if at in unsure else ""
                self.rows[at] = Transfer(step.source, step.target, 0, "cancelled", told)

    async def _objects(self, numbers: Sequence[int]) -> None:
        client = self.shared.client
        deletion = Deletion(client, self._told, look=LastLook(client))
        self.unanswered = deletion.unanswered
        await deletion.run(stream(_name(at, self.steps[at]) for at in numbers))

    def _told(self, outcomes: list[Outcome]) -> None:
        for outcome in outcomes:
            at, error = outcome.name.number, outcome.error
            self._end(at, _changed(self.steps[at]) if isinstance(error, ObjectChanged) else error)

    async def _files(self, numbers: Sequence[int]) -> None:
        for begin in range(0, len(numbers), _PORTION):
            portion = numbers[begin : begin + _PORTION]
            ended = await in_thread(_removed, [self.steps[at] for at in portion])
            for at, error in zip(portion, ended, strict=True):
                self._end(at, error)

    def _end(self, at: int, error: S3Error | None) -> None:
        """Keep the row of one that is over."""
        step, meter = self.steps[at], self.shared.meter
        if error is None:
            self.rows[at] = Transfer(step.source, step.target, step.size, "done")
        else:
            meter.failed += 1
            self.rows[at] = Transfer(step.source, step.target, 0, "failed", str(error), cause=error)

    def _end_all(self, error: S3Error) -> None:
        for at in range(len(self.steps)):
            self._end(at, error)

    def _left(self) -> tuple[list[int], list[int]]:
        """Give the numbers of those that are not over: of objects, and of files."""
        left = [at for at in range(len(self.steps)) if at not in self.rows]
        objects = [at for at in left if is_uri(self.steps[at].target)]
        return objects, sorted(set(left).difference(objects))

    async def _look_again(self) -> None:
        """End those that are not what they were: gone, changed, or at the source by now.

        Raises:
            S3Error: A side cannot be looked at.
        """
        wanted, paths = await in_thread(_places, self.steps)
        there = await _there(self.shared.client, wanted)
        await in_thread(self._compare, there, set(await in_thread(_present, paths)))

    def _compare(
        self, there: Mapping[str, tuple[int, int | None, str | None]], present: AbstractSet[str]
    ) -> None:
        for at, step in enumerate(self.steps):
            found = there.get(step.target)
            if step.source in there or step.source in present:
                exists = f"{step.target} was not deleted: {step.source} is there by now."
                self._end(at, AlreadyExists(exists, hint="Sync again."))
            elif not is_uri(step.target):
                continue  # who removes it looks at it
            elif found is None:
                self._end(at, None)  # gone already; a delete would leave a marker
            elif not _same(step, *found):
                self._end(at, _changed(step))


def _name(at: int, step: Step) -> Name:
    """Name what a step deletes: with its ETag, for what is written in the moment before."""
    uri = S3Uri.parse(step.target)
    return Name(uri.bucket, uri.key, number=at, etag=step.etag or "")


def _places(steps: Sequence[Step]) -> tuple[dict[str, set[str]], list[str]]:
    """Give all that some steps name: the keys of each bucket, and the sources here."""
    keys: dict[str, set[str]] = {}
    paths = []
    for step in steps:
        for address in (step.target, step.source):
            if is_uri(address):
                uri = S3Uri.parse(address)
                keys.setdefault(uri.bucket, set()).add(uri.key)
            elif address is step.source:
                paths.append(address)
    return keys, paths


async def _there(
    client: S3Client, wanted: Mapping[str, AbstractSet[str]]
) -> dict[str, tuple[int, int | None, str | None]]:
    """Tell which keys of some buckets are there, by address: bytes, time and ETag of each."""
    found: dict[str, tuple[int, int | None, str | None]] = {}
    for bucket, keys in wanted.items():
        # One page may do where they are neighbours, and no more than the plan took at worst.
        listing = Listing(bucket, shared(min(keys), max(keys)))
        async with contextlib.aclosing(pages(client, listing)) as listed:
            async for page in listed:
                columns = (page.keys, page.sizes, page.stamps, page.etags)
                for key, size, stamp, etag in zip(*columns, strict=True):
                    if key in keys:
                        found[f"s3://{bucket}/{key}"] = (size, moment_of(stamp), etag)
    return found


def _same(step: Step, size: int, moment: int | None, etag: str | None) -> bool:
    """Tell whether it is what was looked at, as far as both looks told."""
    known = ((moment, step.moment), (etag, step.etag))
    return size == step.size and all(None in pair or len({*pair}) == 1 for pair in known)


def _changed(step: Step) -> ObjectChanged:
    changed = f"{step.target} was not deleted: it changed since it was looked at."
    return ObjectChanged(changed, hint="Sync again.")


def _present(paths: list[str]) -> list[str]:
    """Give the paths at which there is something, but for a folder: no key is one."""
    return [path for path in paths if os.path.lexists(path) and not os.path.isdir(path)]  # noqa: PTH112


def _removed(steps: list[Step]) -> list[S3Error | None]:
    """Remove some files; gives what was wrong with each."""
    ended: list[S3Error | None] = []
    for step in steps:
        try:
            remove(step.root, step.name, size=step.size, moment=step.moment)
        except Exception as error:  # noqa: BLE001 - each becomes its row
            ended.append(translate(error, f"delete {step.target!r}"))
        else:
            ended.append(None)
    return ended

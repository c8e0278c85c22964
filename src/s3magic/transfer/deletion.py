"""Deletes any number of keys or versions, a thousand a request, and keeps every error.

Keys that XML cannot carry, or that servers are known to read otherwise than
they were written, go alone, in the address of a request of their own.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import Counter
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from s3magic.connecting import is_foreign
from s3magic.errors import BadArgument, Denied, NotFound, NotSupported, Throttled
from s3magic.settings import defaults
from s3magic.transfer.delete_requests import BATCH, ODD, alone, install, together
from s3magic.transfer.outcomes import Outcome, outcomes
from s3magic.transfer.window import each, stream
from s3magic.translation import translate
from s3magic.uri import S3Uri
from s3magic.wording import count

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence

    from types_aiobotocore_s3 import S3Client

    from s3magic.errors import S3Error
    from s3magic.transfer.outcomes import Name

__all__ = ["Deletion", "action_on"]

_TOGETHER = 16  # of a batch whose names go alone after all
_IN_A_ROW = 3  # failed requests after which a bucket is given up
# After any other error of a request it may have been carried out.
_REFUSALS = (BadArgument, Denied, NotFound, NotSupported, Throttled)
_PAUSE = 0.2  # seconds before what the server was too busy for is asked again; then twice that
# What servers say of a condition that they do not know; who may not read may give none on S3.
_NO_CONDITIONS = (Denied, NotSupported)
_NO_XML = "MalformedXML"


@dataclass(slots=True)
class Deletion:
    """One run of deletions: names in, and what became of each out.

    A name that fails leaves the others alone. A bucket whose requests fail as
    a whole is given up: what follows of it fails for the same reason, unasked.

    Args:
        client: Any aiobotocore client.
        told: Given the outcomes of a request in the moment in which it is
            answered, so that none is lost, whatever ends the run.
        concurrency: Requests at once.
        look: Looks at names of one bucket that are to go only with their
            ETags, and gives the outcomes of those that must not be asked for:
            gone already, replaced, or out of sight. It is asked just before,
            where the server may not hold to the condition by itself. Without
            it only the server can refuse.
        unanswered: What was asked for and not answered when this was
            cancelled: it may be deleted, or not.
    """

    client: S3Client
    told: Callable[[list[Outcome]], object]
    concurrency: int = field(default_factory=lambda: defaults().delete_concurrency)
    look: Callable[[Sequence[Name]], Awaitable[list[Outcome]]] | None = None
    unanswered: list[Name] = field(default_factory=list)
    _stopped: bool = False
    _given_up: dict[str, S3Error] = field(default_factory=dict)
    _failures: Counter[str] = field(default_factory=Counter)
    _one_by_one: set[str] = field(default_factory=set)
    _keeps: dict[str, bool] = field(default_factory=dict)
    _open: set[Name] = field(default_factory=set)  # asked for, and the answer got lost

    def stop(self) -> None:
        """Send no further request; those in flight are still waited for."""
        self._stopped = True

    async def run(self, names: AsyncGenerator[Name]) -> None:
        """Delete.

        Args:
            names: What to delete, of any bucket; asked for as there is room.
                Closed at the end.

        Raises:
            Exception: What `names` raises; a request's failure is an outcome.
        """
        install(self.client)
        await each(_batches(names), self._batch, self.concurrency)

    async def _batch(self, batch: list[Name]) -> None:
        """Delete the names of one request; again those that the server was too busy for."""
        try:
            for attempt in range(1, defaults().attempts + 1):
                last = attempt == defaults().attempts
                batch = await self._once(batch, last=last)
                if not batch or self._stopped:
                    return
                await asyncio.sleep(_PAUSE * 2 ** (attempt - 1))
        finally:
            self.unanswered += self._open.intersection(batch)
            self._open.difference_update(batch)

    async def _once(self, batch: list[Name], *, last: bool, bare: bool = False) -> list[Name]:
        """Ask once, and tell; gives the names that are worth asking for again.

        Args:
            batch: The names of one request.
            last: It is the last time that they are asked for.
            bare: Send no conditions: the server takes none, or not from us.
        """
        bucket = batch[0].bucket
        batch = await self._due(batch, bare=bare)
        if not batch:
            return []
        if len(batch) > 1 and bucket in self._one_by_one:
            return await self._each_alone(batch)
        bound = not bare and self.look is not None and any(name.etag for name in batch)
        try:
            answer = await self._asked(batch, bare=bare)
        except asyncio.CancelledError:
            self._open.update(batch)
            raise
        except Exception as error:  # noqa: BLE001 - each of them becomes an outcome
            ours = translate(error, action_on([(name.bucket, name.key) for name in batch]))
            if bound and (isinstance(ours, _NO_CONDITIONS) or ours.code == _NO_XML):
                return await self._once(batch, last=last, bare=True)
            if isinstance(ours, NotSupported) and bucket not in self._one_by_one:
                self._one_by_one.add(bucket)
                return await self._each_alone(batch)
            return await self._failed(batch, ours, last=last)
        self._failures[bucket] = 0
        found = outcomes(batch, answer)
        refused = [
            one.name
            for one in found
            if bound and one.name.etag and isinstance(one.error, _NO_CONDITIONS)
        ]
        busy = [] if last else [one.name for one in found if one.busy]
        later = {*refused, *busy}
        self._tell([one for one in found if one.name not in later])
        return busy + (await self._once(refused, last=last, bare=True) if refused else [])

    async def _due(self, batch: list[Name], *, bare: bool) -> list[Name]:
        """Give those that are to be asked for.

        What is to go only unchanged is looked at before, where the server may
        not do so; those that are to go one by one, one by one.
        """
        if self._stopped or self._refused(batch):
            return []
        bound = [name for name in batch if name.etag]
        each_alone = len(batch) > 1 and batch[0].bucket in self._one_by_one
        trusted = not bare and not is_foreign(self.client.meta.endpoint_url)
        if not bound or each_alone or trusted or self.look is None:
            return batch
        ended = await self.look(bound)
        self._tell(ended)
        over = {one.name for one in ended}
        return [] if self._stopped else [name for name in batch if name not in over]

    def _tell(self, found: list[Outcome]) -> None:
        """Pass outcomes on; an earlier try that got no answer may have done it all the same."""
        self.told(
            [
                replace(one, unsure=True) if one.error and one.name in self._open else one
                for one in found
            ]
        )
        self._open.difference_update(one.name for one in found)

    def _refused(self, batch: list[Name]) -> bool:
        """Tell of names that need not be asked for."""
        if (given_up := self._given_up.get(batch[0].bucket)) is not None:
            self._tell([Outcome(name, given_up) for name in batch])
            return True
        if not batch[0].key:  # the address would be the bucket's own
            self._tell([Outcome(batch[0], BadArgument("Cannot delete '': it is no key."))])
            return True
        return False

    async def _failed(self, batch: list[Name], error: S3Error, *, last: bool) -> list[Name]:
        """Tell of a request that failed as a whole; gives its names if they may be asked again."""
        bucket = batch[0].bucket
        if isinstance(error, Throttled) and not last:
            return batch
        if error.transient and _once(batch) and not last and not await self._versioned(bucket):
            self._open.update(batch)
            return batch
        self._failures[bucket] += 1
        if not error.transient or self._failures[bucket] >= _IN_A_ROW:
            self._given_up[bucket] = error
        unsure = not isinstance(error, _REFUSALS)
        self._tell([Outcome(name, error, unsure=unsure) for name in batch])
        return []

    async def _versioned(self, bucket: str) -> bool:
        """Tell whether to delete twice could make two delete markers; if in doubt, it could."""
        if bucket not in self._keeps:
            try:
                told = await self.client.get_bucket_versioning(Bucket=bucket)
                self._keeps[bucket] = bool(told.get("Status"))
            except Exception as error:  # noqa: BLE001 - it may well be out of reach
                missing = isinstance(translate(error, "look"), NotSupported)
                if not missing:
                    return True
                self._keeps[bucket] = False
        return self._keeps[bucket]

    async def _asked(self, batch: list[Name], *, bare: bool) -> dict[str, Any]:
        objects = [name.named if bare else name.bound for name in batch]
        bucket, once = batch[0].bucket, _once(batch)
        # aiohttp sends any DELETE again whose connection breaks, a POST never.
        single = ODD.search(batch[0].key) or bucket in self._one_by_one or not once
        if len(batch) == 1 and single:
            return await alone(self.client, bucket, objects[0], once=once)
        return await together(self.client, bucket, objects, quiet=False, once=once)

    async def _each_alone(self, batch: list[Name]) -> list[Name]:
        """Delete one by one, on a server that knows no other way."""
        await each(stream([[name] for name in batch]), self._batch, _TOGETHER)
        return []


def _once(batch: list[Name]) -> bool:
    """Tell whether a request is another one when it is sent again: it names no version."""
    return any(name.version_id is None for name in batch)


async def _batches(names: AsyncGenerator[Name]) -> AsyncGenerator[list[Name]]:
    """Gather names into requests: a thousand of one bucket, or an odd one."""
    waiting: dict[str, list[Name]] = {}
    async with contextlib.aclosing(names):
        async for name in names:
            if not name.key or ODD.search(name.key):
                yield [name]
                continue
            batch = waiting.setdefault(name.bucket, [])
            batch.append(name)
            if len(batch) == BATCH:
                yield waiting.pop(name.bucket)
    for batch in waiting.values():
        yield batch


def action_on(places: Sequence[tuple[str, str]]) -> str:
    """Say what was to be deleted, for an error."""
    action = f"delete {S3Uri(*places[0])}"
    if len(places) > 1:
        action += f" and {count(len(places) - 1, 'other key')}"
    return action

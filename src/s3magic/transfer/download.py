"""Brings one object here: whole at its landing, or not at all."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import TYPE_CHECKING

from s3magic.errors import NotFound, ObjectChanged
from s3magic.settings import MiB
from s3magic.transfer.direct import HELD
from s3magic.transfer.disk import in_thread
from s3magic.transfer.landing import SMALL, InFile, InMemory
from s3magic.transfer.placing import prepare_folder, refuse_target, write_whole
from s3magic.transfer.plan import cut
from s3magic.transfer.ranges import Source, open_source
from s3magic.transfer.reading import read_on
from s3magic.transfer.swift import QUICK, Quick
from s3magic.transfer.taking import Wanted, quoted, told_all
from s3magic.transfer.window import each, stream

if TYPE_CHECKING:
    from s3magic.transfer.engine import Run
    from s3magic.transfer.landing import Landing
    from s3magic.transfer.plan import Download, Part
    from s3magic.transfer.ranges import Answer
    from s3magic.wire.answer import Head

__all__ = ["download", "download_bytes", "quick"]

_STREAM = 2 * MiB  # bytes that one stream of the ordinary client holds at once


async def download(shared: Run, job: Download, number: int) -> int:
    """Bring one object to its file; the engine's work for `get`.

    An object of unknown size, or of `shared.threshold` and more, is asked for
    by its first part; the answer says how large it is, and the other parts
    follow side by side. A smaller one is one request.

    Args:
        shared: What the jobs share.
        job: The object and its file.
        number: The job's number at the meter.

    Returns:
        Bytes of the object.

    Raises:
        S3Error: The old file, or none, is under the final name.
    """
    if job.folder or shared.no_clobber:
        await in_thread(_prepare, job, no_clobber=shared.no_clobber)
    if job.folder:
        return 0
    endpoint = shared.client.meta.endpoint_url
    landing = InFile(job, endpoint, shared.part_size, shared.folders, no_clobber=shared.no_clobber)
    try:
        whole = job.size is not None and job.size < shared.threshold
        answer = await _bring(shared, job, number, landing, None if whole else shared.part_size)
        if not landing.committed:
            await in_thread(landing.commit)
    except (ObjectChanged, NotFound):
        landing.forget()  # there will be no more of it
        raise
    finally:
        if landing.file is not None:
            shared.meter.kept += await in_thread(landing.leave)
    return answer.total


async def quick(shared: Run, job: Download) -> Quick | None:
    """Give the way to do a small job wholly in a helper thread; None if there is none.

    Args:
        shared: What the jobs share.
        job: The object and its file.
    """
    direct = shared.direct
    if direct is None or job.size is None or job.size > QUICK or job.folder or shared.no_clobber:
        return None
    template = await direct.wire.template("get_object", job.uri.bucket)
    if template is None:
        return None
    return _Small(direct.wire.pool, template, shared, job)


@dataclass(slots=True)
class _Small(Quick):
    """A small object to be brought to its file.

    Args:
        shared: What the jobs share.
        job: The object and its file.
    """

    shared: Run
    job: Download

    def request(self) -> bytes:
        """Give the request."""
        job = self.job
        query = "" if job.version_id is None else f"versionId={quoted(job.version_id)}"
        return self.template.render(job.uri.key, query=query)

    def finish(self, head: Head, body: memoryview) -> int:
        """Write the file; gives its bytes.

        Raises:
            Exception: Anything: the ordinary way shall try.
        """
        job, shared = self.job, self.shared
        told_all(head, body, Wanted(Source(shared.client, job.uri, job.version_id)))
        free = shared.folders.prepare(job.path, job.root)
        write_whole(job.path, [body], free=free, moment=job.moment)
        return len(body)


async def download_bytes(shared: Run, job: Download, number: int) -> bytes:
    """Bring one object into memory, its parts side by side.

    Args:
        shared: What the jobs share.
        job: The object; its target is not used.
        number: The job's number at the meter.

    Raises:
        S3Error: Nothing comes back.
    """
    landing = InMemory()
    await _bring(shared, job, number, landing, shared.part_size)
    return landing.value()


async def _bring(
    shared: Run, job: Download, number: int, landing: Landing, stop: int | None
) -> Answer:
    """Bring an object to its landing: its beginning first, then all the rest.

    Args:
        shared: What the jobs share.
        job: The object.
        number: The job's number at the meter.
        landing: Where the bytes go.
        stop: How much to ask for at first; None for all of it.
    """
    source = Source(shared.client, job.uri, job.version_id)
    bringing = _Bringing(shared, number, source, landing)
    answer, at = await bringing.begin(stop, job.size)
    try:
        if answer.stop == answer.total:
            await bringing.piece(answer, at, answer.total)
        else:
            await bringing.parts(answer, at)
    finally:
        answer.close()
    return answer


class _Bringing:
    """One object under way.

    Args:
        shared: What the jobs share.
        number: The job's number at the meter.
        source: The object.
        landing: Where its bytes go.
    """

    def __init__(self, shared: Run, number: int, source: Source, landing: Landing) -> None:
        self._shared = shared
        self._source = source
        self._landing = landing
        self._advance = functools.partial(shared.meter.advance, number)
        self._learn = functools.partial(shared.meter.learn, number)

    async def begin(self, stop: int | None, size: int | None) -> tuple[Answer, int]:
        """Ask for the beginning; gives the answer, and behind what has landed of it.

        Args:
            stop: How much to ask for; None for all.
            size: Bytes of the object, where they are known.
        """
        shared, source, landing = self._shared, self._source, self._landing
        if shared.direct is not None:
            expected = min(size or SMALL, SMALL)
            async with shared.slots.take(HELD + expected, expected, ahead=True):
                got = await shared.direct.get(
                    Wanted(source, 0, stop), landing, self._advance, self._learn
                )
            if got is not None:
                self._resume()
                return got.answer, got.at
        async with shared.slots.take(_STREAM):
            answer = await open_source(source, 0, stop)
            try:
                if not answer.etag and answer.stop < answer.total:
                    answer.close()  # nothing would hold the parts together
                    answer = await open_source(source)
                self._learn(answer.total)
                await in_thread(landing.begin, answer)
                self._resume()
                if answer.stop == answer.total:
                    await read_on(source, answer, self._take, self._untake)
                    return answer, answer.total
            except BaseException:
                answer.close()
                raise
        return answer, 0

    async def parts(self, answer: Answer, at: int) -> None:
        """Bring the parts that are not there, side by side.

        Args:
            answer: The first part, its body to be read, or read up to `at`.
            at: Behind what has landed of the first part.
        """
        shared, held = self._shared, self._landing.held

        async def bring(part: Part) -> None:
            there = held[part.index] if held else 0
            await self.piece(
                answer, max(at, there) if not part.index else part.start + there, part.stop
            )

        parts = stream(cut(answer.total, shared.part_size))
        await each(parts, bring, shared.lanes, shared.slots.room)

    async def piece(self, answer: Answer, start: int, stop: int) -> None:
        """Bring the bytes from `start` up to `stop`."""
        if start == stop:
            return
        shared, source = self._shared, self._source
        open_already = answer.body is not None and start == answer.start
        if shared.direct is not None and not open_already:
            async with shared.slots.take(HELD, stop - start, ahead=True):
                got = await shared.direct.get(
                    Wanted(source, start, stop, answer), self._landing, self._advance
                )
            start = got.at if got is not None else start
        if start == stop:
            return
        async with shared.slots.take(_STREAM, stop - start):
            piece = answer
            if not open_already:
                piece = await open_source(source, start, stop, after=answer)
            await read_on(source, piece, self._take, self._untake)

    async def _take(self, blocks: list[bytes], at: int) -> None:
        await in_thread(self._landing.write, blocks, at)
        self._advance(sum(map(len, blocks)))

    def _untake(self, size: int) -> None:
        self._advance(-size)

    def _resume(self) -> None:
        """Count what an earlier run has brought."""
        self._advance(sum(self._landing.held), moved=False)


def _prepare(job: Download, *, no_clobber: bool) -> None:
    if job.folder:
        prepare_folder(job.target / "name", job.root)
    else:
        refuse_target(job.target, no_clobber=no_clobber)

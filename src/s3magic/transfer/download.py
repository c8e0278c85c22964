"""Brings one object here: whole under its final name, or not at all."""

from __future__ import annotations

from typing import TYPE_CHECKING

from s3magic.errors import NotFound, ObjectChanged
from s3magic.settings import MiB
from s3magic.transfer.disk import in_thread
from s3magic.transfer.partial import Partial
from s3magic.transfer.placing import prepare_folder, refuse_target, write_whole
from s3magic.transfer.plan import cut
from s3magic.transfer.ranges import Source, open_source, read_on
from s3magic.transfer.window import each, stream

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from s3magic.transfer.engine import Run
    from s3magic.transfer.plan import Download, Part
    from s3magic.transfer.ranges import Answer

    Take = Callable[[list[bytes], int], Awaitable[None]]

__all__ = ["download", "download_bytes"]

_SMALL = 1 * MiB  # up to here an object is held in memory and written in one go
_HELD = 2 * MiB  # bytes that one stream holds at once


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
    source = Source(shared.client, job.uri, job.version_id)
    async with shared.slots.take(_HELD):
        answer = await open_source(source, 0, _first_stop(shared, job.size))
        shared.meter.learn(number, answer.total)
        if answer.stop == answer.total <= _SMALL:
            data = await _gather(shared, number, source, answer)
            await in_thread(_write_small, job, data, no_clobber=shared.no_clobber)
            return answer.total
    await _download_large(shared, job, number, source, answer)
    return answer.total


async def download_bytes(shared: Run, job: Download, number: int) -> bytes:
    """Bring one object into memory, its parts side by side.

    Args:
        shared: What the jobs share.
        job: The object; its target is not used.
        number: The job's number at the meter.

    Raises:
        S3Error: Nothing comes back.
    """
    source = Source(shared.client, job.uri, job.version_id)
    async with shared.slots.take(_HELD):
        answer = await open_source(source, 0, shared.part_size)
    answer = await _whole_unless_tagged(source, answer)
    shared.meter.learn(number, answer.total)
    held: dict[int, list[bytes]] = {}

    async def take(blocks: list[bytes], at: int) -> None:
        held[at] = blocks
        shared.meter.advance(number, sum(map(len, blocks)))

    try:
        await _fetch(shared, source, answer, [], take)
    finally:
        answer.close()
    # A join of bytes lets go of Python's lock, which a copy of a bytearray does not.
    return await in_thread(b"".join, [block for at in sorted(held) for block in held[at]])


def _first_stop(shared: Run, size: int | None) -> int | None:
    """Choose how much to ask for at first: one part, or all of what is known to be small."""
    return shared.part_size if size is None or size >= shared.threshold else None


async def _gather(shared: Run, number: int, source: Source, answer: Answer) -> list[bytes]:
    data: list[bytes] = []

    async def take(blocks: list[bytes], _: int) -> None:
        data.extend(blocks)
        shared.meter.advance(number, sum(map(len, blocks)))

    await read_on(source, answer, take)
    return data


async def _whole_unless_tagged(source: Source, answer: Answer) -> Answer:
    """Ask for all in one stream where no ETag holds the parts together."""
    if answer.etag or answer.stop == answer.total:
        return answer
    answer.close()
    return await open_source(source)


async def _download_large(
    shared: Run, job: Download, number: int, source: Source, answer: Answer
) -> None:
    answer = await _whole_unless_tagged(source, answer)
    parts = [] if answer.stop == answer.total else cut(answer.total, shared.part_size)
    identity = f"{source.client.meta.endpoint_url}|{job.uri}|{job.version_id}|{answer.etag}"
    partial = Partial(job.target, identity, answer.total, parts)

    async def take(blocks: list[bytes], at: int) -> None:
        await in_thread(partial.write, blocks, at)
        shared.meter.advance(number, sum(map(len, blocks)))

    try:
        held = await in_thread(_open, job, partial, no_clobber=shared.no_clobber)
        shared.meter.advance(number, sum(held), moved=False)
        await _fetch(shared, source, answer, held, take)
        await in_thread(partial.commit, no_clobber=shared.no_clobber)
    except (ObjectChanged, NotFound):
        partial.forget()  # there will be no more of it
        raise
    finally:
        answer.close()
        shared.meter.kept += await in_thread(partial.leave)


async def _fetch(
    shared: Run, source: Source, answer: Answer, held: Sequence[int], take: Take
) -> None:
    """Read the rest of the object, beginning with an answer that is there already.

    Args:
        shared: What the jobs share.
        source: The object.
        answer: The first part, or the whole object.
        held: How many bytes of each part need not be read; empty for none.
        take: Awaited with blocks and their offset.
    """
    if answer.stop == answer.total:
        async with shared.slots.take(_HELD):
            await read_on(source, answer, take)
        return

    async def fetch(part: Part) -> None:
        start = part.start + (held[part.index] if held else 0)
        if start == part.stop:
            return
        async with shared.slots.take(_HELD):
            piece = answer
            if start:
                piece = await open_source(source, start, part.stop, after=answer)
            await read_on(source, piece, take)

    if held and held[0]:
        answer.close()
    await each(stream(cut(answer.total, shared.part_size)), fetch, shared.concurrency)


def _prepare(job: Download, *, no_clobber: bool) -> None:
    if job.folder:
        prepare_folder(job.target / "name", job.root)
    else:
        refuse_target(job.target, no_clobber=no_clobber)


def _open(job: Download, partial: Partial, *, no_clobber: bool) -> list[int]:
    prepare_folder(job.target, job.root)
    refuse_target(job.target, no_clobber=no_clobber)
    return partial.open()


def _write_small(job: Download, data: list[bytes], *, no_clobber: bool) -> None:
    prepare_folder(job.target, job.root)
    refuse_target(job.target, no_clobber=no_clobber)
    write_whole(job.target, data, no_clobber=no_clobber)

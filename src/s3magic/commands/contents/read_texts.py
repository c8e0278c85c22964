"""Reads what some objects hold, or begin with, into one value: the work of cat and head."""

from __future__ import annotations

import asyncio
import contextlib
import functools
from email.message import Message
from pathlib import Path
from typing import TYPE_CHECKING

from s3magic.commands.contents.pieces import Piece
from s3magic.commands.options.shared import Transferring
from s3magic.commands.running.report import frame
from s3magic.commands.running.transferring import Wording, run_jobs
from s3magic.commands.showing.texts import Data, Text
from s3magic.commands.sources.advising import advising
from s3magic.commands.sources.objects import find, is_frame, listed
from s3magic.errors import TransferError
from s3magic.settings import KiB, MiB
from s3magic.transfer.beginning import FIRST, read_until
from s3magic.transfer.disk import in_thread
from s3magic.transfer.download import download_bytes
from s3magic.transfer.plan import Download
from s3magic.transfer.ranges import Source, open_source
from s3magic.translation import translate
from s3magic.wording import filesize

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable

    from types_aiobotocore_s3 import S3Client

    from s3magic.commands.contents.pieces import Asked, Span
    from s3magic.transfer.engine import Run
    from s3magic.transfer.ranges import Answer

    Advised = Callable[[], contextlib.AbstractContextManager[None]]

__all__ = ["contents"]

_WORDING = Wording("get", "Reading", "Read", "object")
_AT_ONCE = 8  # objects: each may hold as much as is asked for of all
_LARGEST = 8 * MiB  # bytes asked for at once
_LEAST = 1 * KiB  # the same; a few could not even tell how they are packed


async def contents(
    source: object,
    asked: Asked,
    *,
    recursive: bool,
    glob: bool,
    version_id: str | None,
    progress: str | None,
) -> Text | Data:
    """Read some objects, one behind the other.

    Args:
        source: What `find` takes, or a list or Series of it.
        asked: What is wanted of them.
        recursive: As `find` takes it.
        glob: As `find` takes it.
        version_id: As `find` takes it.
        progress: As `s3magic.commands.showing.displays.display` takes it.

    Returns:
        A `Text`, if each of them is one; else `Data`.

    Raises:
        S3Error: One of them cannot be read.
    """
    sources, several = listed(source)
    reading = _Reading(asked, functools.partial(advising, recursive=recursive, glob=glob))
    options = Transferring.checked(
        no_clobber=False,
        concurrency=_AT_ONCE if asked.limit is not None and not asked.each else None,
        part_size=None,
        dry_run=False,
        errors=None,
        progress=progress,
    )

    async def plan(client: S3Client) -> AsyncGenerator[Download]:
        found = find(
            client, sources, recursive=recursive, glob=glob, version_id=version_id, several=several
        )
        async with contextlib.aclosing(found):
            async for one in found:
                if reading.enough:
                    return
                job = Download(one.uri, Path(), version_id=one.version_id, refused=one.refused)
                yield reading.expected(job)

    rows = await run_jobs(_WORDING, options, plan, reading.one, quiet_if_short=True)
    for row in rows:
        if row.cause is not None:
            raise row.cause
    if any(row.status == "cancelled" for row in rows):
        report = await asyncio.to_thread(frame, rows)
        raise TransferError("The reading was cancelled.", report=report)
    headed = asked.each and (several or recursive or glob or is_frame(sources[0]))
    return await in_thread(reading.value, headed=headed)


class _Reading:
    """The objects of one line.

    Args:
        asked: What is wanted of them.
        advised: Says to whom a key is missing what else may have been meant.
    """

    def __init__(self, asked: Asked, advised: Advised) -> None:
        self._asked = asked
        self._advising = advised
        self._pieces: dict[Download, Piece] = {}  # in the order in which they were found
        self._size = 0

    @property
    def enough(self) -> bool:
        """Whether no further object is wanted: those begun before hold what is."""
        limit = self._asked.limit
        return limit is not None and not self._asked.each and self._size > limit

    def expected(self, job: Download) -> Download:
        """Note an object that was found; gives it back."""
        self._pieces[job] = Piece(str(job.uri), self._asked)
        return job

    async def one(self, shared: Run, job: Download, number: int) -> int:
        """Read one object; the engine's work."""
        asked, piece = self._asked, self._pieces[job]
        if self.enough:
            return 0
        with self._advising():
            if asked.limit is None and asked.span is None:
                await self._all(shared, job, number)
            else:
                await self._some(shared, job, number)
        self._size += len(piece.data)
        if piece.cut or self.enough:
            shared.meter.note = _note(asked)
        return len(piece.data)

    async def _all(self, shared: Run, job: Download, number: int) -> None:
        """Read all of an object, its parts side by side."""
        piece = self._pieces[job]
        data = await download_bytes(shared, job, number)
        await in_thread(piece.take, data)
        del data
        await in_thread(piece.end, whole=True)
        if piece.text is None and not self._asked.raw:  # its content type may know better
            piece.charset = await _told(shared.client, job)
            if piece.charset:
                await in_thread(piece.decode, cut=False)

    async def _some(self, shared: Run, job: Download, number: int) -> None:
        """Read as much of an object as is wanted."""
        asked, piece = self._asked, self._pieces[job]
        source = Source(shared.client, job.uri, job.version_id)
        start, stop = await _bounds(source, asked.span)
        most = None if stop is None else stop - start
        read, enough = 0, False

        async def take(block: bytes, answer: Answer) -> bool:
            nonlocal read, enough
            piece.charset = _charset(answer.headers.get("content-type", ""))
            if most is not None:  # a server that takes no ranges sends more
                block = block[: most - read]
            read += len(block)
            shared.meter.advance(number, len(block))
            enough = await in_thread(piece.take, block)
            return enough or read == most

        first = FIRST
        if asked.lines is None:
            first = min(size for size in (most, asked.limit, _LARGEST) if size is not None) + 1
            first = max(first, _LEAST)
        async with shared.slots.take(first):
            await read_until(source, take, start=start, stop=stop, first=first)
        await in_thread(piece.end, whole=not enough and asked.span is None)

    def value(self, *, headed: bool) -> Text | Data:
        """Put all together, in the order in which the objects were found.

        Args:
            headed: Write each one's address over it.
        """
        left = None if self._asked.each else self._asked.limit
        found: list[tuple[Download, Piece]] = []
        cut = False
        for job, piece in self._pieces.items():
            if left is not None:
                if len(piece.data) > left:
                    piece.data = piece.data[:left]
                    piece.decode(cut=True)
                    cut = True
                left -= len(piece.data)
            cut = cut or piece.cut
            found.append((job, piece))
        if any(piece.text is None for _, piece in found if piece.data):
            return Data(b"".join(piece.data for _, piece in found), cut=cut)
        texts = [piece.text or "" for _, piece in found]
        if headed:
            texts = [
                f"==> {job.uri} <==\n{text}" + ("" if text.endswith("\n") else "\n")
                for (job, _), text in zip(found, texts, strict=True)
            ]
        return Text(("\n" if headed else "").join(texts), cut=cut)


async def _bounds(source: Source, span: Span | None) -> tuple[int, int | None]:
    """Give where a range begins, and behind where it ends."""
    if span is None:
        return 0, None
    if span.start is not None:
        return span.start, span.stop
    answer = await open_source(source, 0, 1)
    answer.close()
    return max(0, answer.total - (span.stop or 0)), None


async def _told(client: S3Client, job: Download) -> str:
    """Ask for the encoding that an object's content type tells."""
    version = {} if job.version_id is None else {"VersionId": job.version_id}
    try:
        head = await client.head_object(Bucket=job.uri.bucket, Key=job.uri.key, **version)  # type: ignore[arg-type]  # its own key
    except Exception as error:
        raise translate(error, f"get {job.uri}") from error
    return _charset(head.get("ContentType", ""))


def _charset(content_type: str) -> str:
    """Read the encoding in ``text/csv; charset=latin-1``; empty without one."""
    message = Message()
    message["Content-Type"] = content_type
    return message.get_content_charset("")


def _note(asked: Asked) -> str:
    """Say that there is more, and how to have it."""
    if asked.limit is None or (asked.each and asked.lines is None):
        return ""  # as many bytes as were asked for
    first = f"only the first {filesize(asked.limit)}"
    return f"{first}: -c SIZE gives more" if asked.each else f"{first}: --limit all gives the rest"

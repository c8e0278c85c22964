"""An object as a seekable file, of which only what is read moves.

Many readers (pyarrow, pandas, zipfile) call a file and wait for its bytes. So
they run in helper threads, and their file asks the loop, where the client
lives, for each range that is not here yet. All ranges are of one object: every
request names the ETag of the first answer, and one that is replaced meanwhile
is an error, not a mixture.
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
import re
from concurrent.futures import CancelledError, ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, TypeVar

from s3magic.errors import Damaged, NotSupported, S3Error
from s3magic.settings import MiB
from s3magic.transfer.direct import HELD
from s3magic.transfer.held import Held, Stretch
from s3magic.transfer.plan import cut
from s3magic.transfer.rangefile import RangeFile
from s3magic.transfer.ranges import checked, open_source
from s3magic.transfer.reading import read_on
from s3magic.transfer.taking import Wanted
from s3magic.transfer.window import each, stream
from s3magic.translation import translate

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from s3magic.transfer.engine import Run
    from s3magic.transfer.ranges import Answer, Source

__all__ = ["Ranged", "TooMuch"]

T = TypeVar("T")

_THREADS = 8  # readers at once: each may wait for the network
_WHOLE = 1 * MiB  # a server that sends all of it in place of its end may do so up to here
_START = re.compile(r"^bytes (\d+)-")


class TooMuch(Exception):
    """A reader wants more bytes than may move."""


@functools.cache
def _pool() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(_THREADS, thread_name_prefix="s3magic-reading")


class Ranged:
    """One object, and what is here of it. Used on the loop.

    Args:
        shared: What the jobs of the verb share.
        number: The job's number at the meter.
        source: The object.
        most: Bytes that may move at most; None for as many as are read.
    """

    def __init__(
        self, shared: Run, number: int, source: Source, *, most: int | None = None
    ) -> None:
        self._shared = shared
        self._number = number
        self._source = source
        self._most = most
        self._opened: Answer | None = None
        self.held = Held()
        """What is here."""
        self._running: set[asyncio.Task[Any]] = set()
        self._stopped = False
        self.moved = 0
        """Bytes that were asked for."""

    @property
    def size(self) -> int:
        """Bytes of the whole object."""
        return self._opened.total if self._opened else 0

    async def open(self, *, head: int = 0, tail: int = 0) -> None:
        """Ask for the object's beginning or its end, and learn what it is.

        Args:
            head: Bytes of its beginning.
            tail: Bytes of its end, in place of its beginning.

        Raises:
            NotSupported: The server gives no ETag, and this is not all of it.
            S3Error: It cannot be read.
        """
        slots = self._shared.slots
        async with slots.take(max(head, tail), max(head, tail)):
            asking = self._open_end(tail) if tail else open_source(self._source, 0, head)
            answer = self._opened = await asking
            if tail and answer.stop - answer.start > max(tail, _WHOLE):
                answer.close()  # it knows no such range, and sends all
            else:
                landing = Stretch(answer.start, answer.stop)
                self._count(answer.stop - answer.start)
                await read_on(self._source, answer, landing.take, self._untake)
                self._advance(landing.stop - landing.start)
                self.held.add(landing)
        if not answer.etag and not self.held.has(0, answer.total):
            raise NotSupported(
                f"Cannot {self._source.action} piece by piece: the server gives no ETag, and "
                "nothing would hold its pieces together.",
                hint="Bring it whole with %s3get.",
            )
        if tail and not self.held:
            await self.fetch([(max(0, self.size - tail), self.size)])

    async def fetch(self, spans: Iterable[tuple[int, int]]) -> None:
        """Bring some ranges here, side by side; what is here is not asked for again.

        Args:
            spans: Of each its first byte, and behind its last.

        Raises:
            TooMuch: It is more than may move; nothing was asked for.
            ObjectChanged: The object was replaced.
            S3Error: A range cannot be read.
        """
        wanted = self.held.lacking(spans, self.size)
        size = sum(stop - start for start, stop in wanted)
        if self._most is not None and self.moved + size > self._most:
            raise TooMuch(f"{self.moved + size:,} bytes would move, {self._most:,} may")
        self._count(size)
        stretches = [Stretch(*span) for span in wanted]
        pieces = [
            (stretch, stretch.start + part.start, stretch.start + part.stop)
            for stretch in stretches
            for part in cut(stretch.stop - stretch.start, self._shared.part_size)
        ]
        if len(pieces) == 1:
            await self._bring(pieces[0])
        elif pieces:
            await each(stream(pieces), self._bring, self._shared.lanes, self._shared.slots.room)
        for stretch in stretches:
            self.held.add(stretch)

    async def read(self, work: Callable[[RangeFile], T]) -> T:
        """Run a reader in a thread, with the object as its file, and wait until it has ended.

        When this is cancelled, what the reader waits for fails, and so it ends.

        Args:
            work: Given the file, it blocks, and gives a value.

        Raises:
            S3Error: What kept the file from being read, whatever the reader made of it.
        """
        loop = asyncio.get_running_loop()
        file = RangeFile(self, loop)
        running = loop.run_in_executor(_pool(), work, file)
        try:
            return await asyncio.shield(running)
        except asyncio.CancelledError:
            self._stopped = True
            for task in self._running:
                task.cancel()
            while not running.done():
                with contextlib.suppress(asyncio.CancelledError):
                    await asyncio.wait([running])
            if not running.cancelled():
                running.exception()  # seen: the cancellation is what counts
            raise
        except Exception:
            if isinstance(file.failure, S3Error):
                raise file.failure from None
            raise

    async def asked(self, spans: Sequence[tuple[int, int]]) -> None:
        """Do what `fetch` does, for a reader's thread that waits.

        Raises:
            CancelledError: The reader is to end.
        """
        task = asyncio.current_task()
        if self._stopped or task is None:
            raise CancelledError
        self._running.add(task)
        try:
            await self.fetch(spans)
        finally:
            self._running.discard(task)

    async def _open_end(self, tail: int) -> Answer:
        """Ask for the end: RFC 9110, 14.1.2, a suffix range."""
        source = self._source
        asked: dict[str, Any] = {"Bucket": source.uri.bucket, "Key": source.uri.key}
        if source.version_id is not None:
            asked["VersionId"] = source.version_id
        try:
            head: Any = await source.client.get_object(**asked, Range=f"bytes=-{tail}")
        except Exception as error:
            ours = translate(error, source.action)
            if ours.code == "InvalidRange":  # it has no end: it is empty
                return await open_source(source)
            raise ours from error
        match = _START.match(head.get("ContentRange", ""))
        start = int(match[1]) if match else 0
        try:
            answer = checked(source, head, start, None, None)
            if start != max(0, answer.total - tail) and match:
                raise Damaged(f"Cannot {source.action}: the server sent another range than asked.")
        except S3Error:
            head["Body"].close()
            raise
        return answer

    async def _bring(self, piece: tuple[Stretch, int, int]) -> None:
        """Bring a piece of a range, over the fast way as far as it goes."""
        landing, start, stop = piece
        shared, source, opened = self._shared, self._source, self._opened
        at = start
        if shared.direct is not None:
            async with shared.slots.take(HELD, stop - start, ahead=True):
                got = await shared.direct.get(
                    Wanted(source, start, stop, opened), landing, self._advance
                )
            at = got.at if got is not None else start
        if at < stop:
            async with shared.slots.take(stop - at, stop - at):
                answer = await open_source(source, at, stop, after=opened)
                await read_on(source, answer, landing.take, self._untake)
            self._advance(stop - at)

    def _count(self, size: int) -> None:
        self.moved += size
        self._shared.meter.learn(self._number, self.moved)

    def _advance(self, size: int) -> None:
        self._shared.meter.advance(self._number, size)

    def _untake(self, size: int) -> None:
        """Take nothing back: it is counted when all of a range is here."""

"""Where the bytes of one object land: a file, or memory. Blocks: call it in a thread.

A landing begins when the first answer has told what the object is; it is then
given the bytes, in any order of its parts, and made whole at the end.
"""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Protocol

from s3magic.settings import MiB
from s3magic.transfer.partial import Partial
from s3magic.transfer.placing import refuse_target, write_whole
from s3magic.transfer.plan import cut

if TYPE_CHECKING:
    from collections.abc import Sequence

    from s3magic.transfer.placing import Folders
    from s3magic.transfer.plan import Download, Part
    from s3magic.transfer.ranges import Answer

__all__ = ["InFile", "InMemory", "Landing"]

SMALL = 1 * MiB
"""Up to here an object is held in memory and written in one go."""


class Landing(Protocol):
    """What a download wants of the place where the bytes go."""

    held: list[int]
    """Bytes of each part that are there already; empty for an object in one stream."""

    def begin(self, answer: Answer) -> None:
        """Learn from the first answer what is coming; forgets what came before it."""

    def room(self, at: int, size: int) -> memoryview | None:
        """Give memory to receive `size` bytes into, which then need no `write`; or None."""

    def write(self, blocks: Sequence[bytes | memoryview], at: int) -> None:
        """Take some bytes, one block behind the other, from the offset `at` on."""

    @property
    def file(self) -> Partial | None:
        """The file that they are written to; None where they are held in memory."""

    def commit(self) -> None:
        """Make it whole: everything has been written."""


class InFile:
    """A landing in a file, which appears whole under its name, or not at all.

    Args:
        job: The object and its file.
        endpoint: Where the object is: a part of its identity.
        part_size: Bytes of a part of a large one.
        folders: Those that are ready.
        no_clobber: Whether a file that is there must stay.
    """

    def __init__(
        self,
        job: Download,
        endpoint: str,
        part_size: int,
        folders: Folders,
        *,
        no_clobber: bool = False,
    ) -> None:
        self._job = job
        self._endpoint = endpoint
        self._part_size = part_size
        self._folders = folders
        self._no_clobber = no_clobber
        self._partial: Partial | None = None
        self._whole: bytearray | None = None
        self.committed = False
        self.held: list[int] = []

    @property
    def file(self) -> Partial | None:
        """The temporary file, if there is one; then there is something to `leave`."""
        return self._partial

    def begin(self, answer: Answer) -> None:
        """Hold a small object in memory; open a temporary file for a large one."""
        if answer.stop == answer.total <= SMALL:
            self.forget()  # an earlier answer was of another object
            self.leave()
            self.held = []
            self._whole = bytearray(answer.total)
            return
        self._whole = None
        job = self._job
        parts: list[Part] = (
            [] if answer.stop == answer.total else cut(answer.total, self._part_size)
        )
        identity = f"{self._endpoint}|{job.uri}|{job.version_id}|{answer.etag}"
        self._folders.prepare(job.target, job.root)
        refuse_target(job.target, no_clobber=self._no_clobber)
        self.leave()
        self._partial = Partial(job.target, identity, answer.total, parts)
        self.held = self._partial.open()

    def room(self, at: int, size: int) -> memoryview | None:
        """Give the memory of a small object."""
        return None if self._whole is None else memoryview(self._whole)[at : at + size]

    def write(self, blocks: Sequence[bytes | memoryview], at: int) -> None:
        """Keep or write some blocks."""
        if self._partial is not None:
            self._partial.write(blocks, at)
        elif self._whole is not None:
            _copy(blocks, memoryview(self._whole), at)

    def commit(self) -> None:
        """Give the file its name."""
        job = self._job
        if self._partial is not None:
            self._partial.commit(no_clobber=self._no_clobber, moment=job.moment)
        else:
            whole = memoryview(self._whole or b"")
            self._folders.prepare(job.target, job.root)
            write_whole(job.target, [whole], no_clobber=self._no_clobber, moment=job.moment)
        self.committed = True

    def forget(self) -> None:
        """Have `leave` remove what is there: there is nothing to go on with."""
        if self._partial is not None:
            self._partial.forget()

    def leave(self) -> int:
        """Let go of the file; gives how many bytes of an unfinished one were kept."""
        partial, self._partial = self._partial, None
        return partial.leave() if partial is not None else 0


class InMemory:
    """A landing in memory: the bytes are received where they will stay."""

    file = None

    def __init__(self) -> None:
        self._content = io.BytesIO()
        self.held: list[int] = []

    def begin(self, answer: Answer) -> None:
        """Make room for all of it."""
        # Zeros that nobody has touched cost no memory, and the only owner is the stream.
        self._content = io.BytesIO(bytes(answer.total))

    def room(self, at: int, size: int) -> memoryview | None:
        """Give the very memory."""
        return self._content.getbuffer()[at : at + size]

    def write(self, blocks: Sequence[bytes | memoryview], at: int) -> None:
        """Copy some blocks to their place."""
        with self._content.getbuffer() as whole:
            _copy(blocks, whole, at)

    def commit(self) -> None:
        """Do nothing: it is there."""

    def value(self) -> bytes:
        """Give the bytes, which are not copied."""
        return self._content.getvalue()


def _copy(blocks: Sequence[bytes | memoryview], whole: memoryview, at: int) -> None:
    for block in blocks:
        whole[at : at + len(block)] = block
        at += len(block)

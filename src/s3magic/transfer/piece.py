"""A piece of an upload's source, read as often as it is needed. Blocks: use it in a thread."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from s3magic.errors import LocalFault
from s3magic.settings import MiB
from s3magic.wire.http1 import FileRange

if TYPE_CHECKING:
    import io
    from collections.abc import Iterator

    from s3magic.transfer.plan import Upload

__all__ = ["Opened", "Piece"]


@dataclass(frozen=True, slots=True)
class Piece:
    """Some bytes of a source.

    Args:
        job: Whose source.
        start: Offset of the first.
        size: How many.
    """

    job: Upload
    start: int
    size: int

    @contextlib.contextmanager
    def opened(self, buffer: memoryview) -> Iterator[Opened]:
        """Open the source for the block.

        Args:
            buffer: Memory to read a file through.
        """
        source = self.job.source
        if not isinstance(source, Path):
            yield Opened(self, None, buffer)
            return
        with source.open("rb", buffering=0) as file:
            yield Opened(self, file, buffer)


class Opened:
    """A piece whose source is open.

    Args:
        piece: The piece.
        file: Its file; None for bytes.
        buffer: Memory to read the file through.
    """

    def __init__(self, piece: Piece, file: io.FileIO | None, buffer: memoryview) -> None:
        self._piece = piece
        self._file = file
        self._buffer = buffer
        self._held: memoryview | None = None

    def blocks(self) -> Iterator[memoryview]:
        """Give all of it, block by block: each is valid until the next.

        Raises:
            LocalFault: The file is longer or shorter than it was.
        """
        piece, file = self._piece, self._file
        if file is None:
            source = memoryview(piece.job.source)  # type: ignore[arg-type]  # no Path: no file
            stop = piece.start + piece.size
            for at in range(piece.start, stop, MiB):
                yield source[at : min(at + MiB, stop)]
            return
        if self._held is not None:  # it fits: read once, for its sums and to be sent
            yield self._held
            return
        file.seek(piece.start)
        left = piece.size
        if not left:
            self._check_end(file)
        while left:
            view = self._buffer[:left]
            size = _read(file, view)
            left -= size
            if size < len(view):
                raise self._changed()
            if not left:
                self._check_end(file)
                self._held = view if piece.size == len(view) else None
            yield view

    def ranges(self) -> Iterator[memoryview | FileRange]:
        """Give all of it once more, to be sent: what a file's range holds need not come here.

        Only for a piece whose sums were taken from `blocks`: what has changed
        since then is refused by the server.
        """
        if self._file is None or self._held is not None:
            yield from self.blocks()
            return
        start, stop = self._piece.start, self._piece.start + self._piece.size
        for at in range(start, stop, MiB):
            yield FileRange(self._file, at, min(MiB, stop - at))

    def _check_end(self, file: io.FileIO) -> None:
        """Refuse a file that goes on where it is to end."""
        piece = self._piece
        if piece.start + piece.size == piece.job.size and file.read(1):
            raise self._changed()

    def _changed(self) -> LocalFault:
        job = self._piece.job
        return LocalFault(
            f"Cannot put {job.uri}: {job.name!r} changed its size while it was read.",
            hint="Try again.",
        )


def _read(file: io.FileIO, view: memoryview) -> int:
    """Fill the view, less only where the file ends: one read may give less."""
    at = 0
    while at < len(view) and (size := file.readinto(view[at:])):
        at += size
    return at

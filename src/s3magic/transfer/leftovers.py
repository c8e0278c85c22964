"""Remembers multipart uploads that are open, for the case that this process is killed.

An upload that ends, well or not, is finished or aborted by the code that began
it. A killed process can do neither, and S3 goes on keeping the parts, and
charging for them. So each open upload is noted in a file that its process holds
locked; the next upload to the same endpoint finds the notes that nobody holds
any more, and aborts what they name.

The notes hold no secret: endpoint, bucket, key and the upload's id. Where they
cannot be written, everything else works without them. Everything here blocks.
"""

from __future__ import annotations

import contextlib
import json
import os
import platform
from dataclasses import asdict, dataclass, field
from pathlib import Path

from s3magic.transfer.locking import lock

__all__ = ["Leftover", "Note", "abandoned"]

_TRIES = 5  # a file system without locks refuses each


@dataclass(frozen=True, slots=True)
class Leftover:
    """An upload that was begun.

    Args:
        endpoint: The server.
        bucket: The bucket.
        key: The key.
        upload_id: What CreateMultipartUpload gave.
        host: The machine: a home folder may be shared, and locks be each machine's own.
    """

    endpoint: str
    bucket: str
    key: str
    upload_id: str
    host: str = field(default_factory=platform.node)


class Note:
    """The note of one open upload; `remove` it when the upload is open no more."""

    def __init__(self, leftover: Leftover) -> None:
        self._fd = -1
        with contextlib.suppress(OSError, RuntimeError):  # no home at all is the latter
            _folder().mkdir(parents=True, exist_ok=True, mode=0o700)
            for _ in range(_TRIES):
                self._path = _folder() / f"{os.getpid()}-{os.urandom(8).hex()}.json"
                self._fd = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
                if lock(self._fd):
                    os.write(self._fd, json.dumps(asdict(leftover)).encode())
                    return
                # Who looks for notes holds it just now. Written in a file that is not ours
                # alone, it would be taken for abandoned, and the upload be aborted.
                self.remove()

    def remove(self) -> None:
        """Take the note away."""
        if self._fd < 0:
            return
        fd, self._fd = self._fd, -1
        os.close(fd)
        with contextlib.suppress(OSError):
            self._path.unlink()

    def leave(self) -> None:
        """Leave the note for the next upload to act on: this one could not be aborted."""
        if self._fd >= 0:
            fd, self._fd = self._fd, -1
            os.close(fd)


def abandoned(endpoint: str) -> list[tuple[Leftover, Note]]:
    """Give the uploads to an endpoint whose process is gone, and their notes, now ours."""
    with contextlib.suppress(OSError, RuntimeError):
        taken = [_take(path, endpoint) for path in sorted(_folder().glob("*.json"))]
        return [one for one in taken if one is not None]
    return []


def _take(path: Path, endpoint: str) -> tuple[Leftover, Note] | None:
    """Take over a note, unless its process lives or it is of another endpoint."""
    fd = -1
    with contextlib.suppress(OSError, ValueError, TypeError):
        fd = os.open(path, os.O_RDWR)
        # A note without text is one that is being written, before its lock.
        if lock(fd) and (text := os.read(fd, 1 << 16)):
            leftover = Leftover(**json.loads(text))
            here = leftover.endpoint == endpoint and leftover.host == platform.node()
            if here and path.exists():
                note = Note.__new__(Note)
                note._path, note._fd = path, fd  # noqa: SLF001 - made from its file
                return leftover, note
    if fd >= 0:
        os.close(fd)
    return None


def _folder() -> Path:
    """Give the user's folder for what may be lost without harm (XDG Base Directory)."""
    base = os.environ.get("XDG_CACHE_HOME") or os.environ.get("LOCALAPPDATA")
    return (Path(base) if base else Path.home() / ".cache") / "s3magic" / "uploads"

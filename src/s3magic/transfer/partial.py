"""The file that a download grows in, and the moment it takes its final name.

Bytes go to a temporary name in the target's own folder. Behind the object's
bytes the temporary file keeps a map: how many bytes of each part are there. So
a download that was cancelled, failed or killed goes on where it was, when the
same object is fetched to the same place again. Nothing else is written down,
and the map is changed only after the bytes that it speaks of.

Everything here blocks: call it in a thread.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import struct
import tempfile
import threading
from pathlib import Path
from typing import TYPE_CHECKING

from s3magic.errors import DiskFull
from s3magic.settings import MiB
from s3magic.transfer.locking import lock
from s3magic.transfer.placing import SUFFIX, date, rename, shown, take_mode
from s3magic.wording import filesize

if TYPE_CHECKING:
    from collections.abc import Sequence

    from s3magic.transfer.plan import Part
    from s3magic.wire.pipe import Pipe

__all__ = ["Partial"]

_BINARY = getattr(os, "O_BINARY", 0)
_ENTRY = struct.Struct("<Q")  # of the map: bytes of one part that are there


class Partial:
    """A download's temporary file.

    Args:
        target: The final name.
        identity: What the bytes are of: endpoint, bucket, key, version, ETag.
            A file left by another identity is not gone on with, but removed.
        size: Bytes of the object.
        parts: How it is cut; empty if it comes in one stream, which is not
            resumed.
    """

    def __init__(self, target: Path, identity: str, size: int, parts: Sequence[Part]) -> None:
        self._target = target
        self._size = size
        self._parts = parts
        self._lock = threading.Lock()  # for the seek and write of systems without pwrite
        # The cut belongs to the identity: the map means nothing for another one.
        self._cut = parts[0].size if parts else 0
        self._path = _temporary_name(target, f"{identity}|{size}|{self._cut}")
        self._fd = -1
        self._resumable = bool(parts)
        self._there: dict[int, int] = {}  # bytes that were written of each part
        self._noted: dict[int, int] = {}  # those of them that the map tells

    def open(self) -> list[int]:
        """Open it, and give how many bytes of each part it holds already.

        Raises:
            DiskFull: There is no room for the rest of the object.
        """
        whole = self._size + _ENTRY.size * len(self._parts)
        if self._resumable and (fd := _open_owned(self._path)) is not None:
            self._fd = fd
            _remove_stale(self._path, self._target)
        else:  # nothing to go on with, or another process is at it
            self._resumable = False
            fd, name = tempfile.mkstemp(SUFFIX, shown(self._target), self._target.parent)
            self._fd, self._path = fd, Path(name)
        held = [0] * len(self._parts)
        if os.fstat(fd).st_size == whole:
            held = self._read_map()
        else:
            os.ftruncate(fd, 0)
        _check_room(self._target.parent, self._size - sum(held))
        os.ftruncate(fd, whole)
        return held

    def write(self, blocks: Sequence[bytes | memoryview], offset: int) -> None:
        """Write some blocks, one behind the other, from `offset` on.

        The blocks of one part come in their order.
        """
        start = offset
        for block in blocks:
            offset = self._write_all(memoryview(block), offset)
        self._count(start, offset)

    def drain(self, pipe: Pipe, size: int, offset: int) -> None:
        """Do the same with bytes that are in a pipe."""
        pipe.give(self._fd, offset, size)
        self._count(offset, offset + size)

    def commit(self, *, no_clobber: bool = False, moment: int | None = None) -> None:
        """Give the file its final name, all at once.

        Args:
            no_clobber: Fail if there is a file of that name by now.
            moment: The time that it is to have: microseconds since 1970; None for now.

        Raises:
            AlreadyExists: There is.
        """
        os.ftruncate(self._fd, self._size)
        take_mode(self._fd, self._target)
        if os.name == "nt":  # Windows renames no open file
            self._close()
        date(self._path, moment)
        try:
            # While it is locked: who comes now must not take it for the partial it was.
            rename(self._path, self._target, no_clobber=no_clobber)
        except BaseException:
            with contextlib.suppress(OSError):
                self._path.unlink()
            raise
        finally:
            self._close()

    def forget(self) -> None:
        """Have `leave` remove it: there is nothing to go on with."""
        self._resumable = False

    def leave(self) -> int:
        """Close it, if it got no final name: kept if it can be gone on with.

        Returns:
            Bytes that were kept.
        """
        if self._fd < 0:
            return 0
        keep = 0
        with contextlib.suppress(OSError):
            for index in self._there:
                self._note(index)
            keep = sum(self._read_map()) if self._resumable else 0
        if os.name == "nt":  # Windows removes no open file
            self._close()
        with contextlib.suppress(OSError):
            if not keep:  # while it is locked: nobody else goes on with it
                self._path.unlink()
        self._close()
        return keep

    def _close(self) -> None:
        fd, self._fd = self._fd, -1
        if fd >= 0:
            os.close(fd)

    def _count(self, start: int, stop: int) -> None:
        """Count bytes that were written; the map tells of each megabyte, and of the last."""
        if not self._parts:
            return
        part = self._parts[start // self._cut]
        there = self._there[part.index] = stop - part.start
        if stop == part.stop or there - self._noted.get(part.index, 0) >= MiB:
            self._note(part.index)

    def _note(self, index: int) -> None:
        there = self._there[index]
        if there != self._noted.get(index):
            self._write_all(memoryview(_ENTRY.pack(there)), self._size + _ENTRY.size * index)
            self._noted[index] = there

    def _read_map(self) -> list[int]:
        """Give how many bytes of each part are there."""
        os.lseek(self._fd, self._size, os.SEEK_SET)
        size = _ENTRY.size * len(self._parts)
        read = os.read(self._fd, size).ljust(size, b"\0")  # short where open did not get so far
        held = [entry for (entry,) in _ENTRY.iter_unpack(read)]
        return [
            entry if entry <= part.size else 0
            for entry, part in zip(held, self._parts, strict=True)
        ]

    def _write_all(self, view: memoryview, offset: int) -> int:
        """Write all of it; gives the offset behind it."""
        while view:
            done = self._pwrite(view, offset)
            offset += done
            view = view[done:]
        return offset

    def _pwrite(self, view: memoryview, offset: int) -> int:
        if hasattr(os, "pwrite"):
            return os.pwrite(self._fd, view, offset)
        with self._lock:
            os.lseek(self._fd, offset, os.SEEK_SET)
            return os.write(self._fd, view)


def _temporary_name(target: Path, identity: str) -> Path:
    """Name the temporary file: from the target's name, and from what it holds."""
    named = hashlib.sha256(os.fsencode(target.name)).hexdigest()[:8]
    held = hashlib.sha256(identity.encode("utf-8", "surrogatepass")).hexdigest()[:16]
    return target.with_name(f"{shown(target)}{named}-{held}{SUFFIX}")


def _open_owned(path: Path) -> int | None:
    """Open the file for this process alone; None if another has it."""
    while True:
        fd = os.open(path, os.O_RDWR | os.O_CREAT | _BINARY | getattr(os, "O_NOFOLLOW", 0), 0o600)
        if not lock(fd):
            os.close(fd)
            return None
        # Its owner may have renamed it between our opening and our locking.
        with contextlib.suppress(FileNotFoundError):
            found = os.fstat(fd)
            if os.path.samestat(found, path.lstat()):
                # More than one name: it is a final file, killed between its two names.
                if found.st_nlink == 1 and _mine(found):
                    return fd
                path.unlink()
        os.close(fd)


def _mine(found: os.stat_result) -> bool:
    """Tell whether a file is this user's: another's bytes and map could say anything."""
    return os.name == "nt" or found.st_uid == os.geteuid()


def _remove_stale(path: Path, target: Path) -> None:
    """Remove what earlier versions of the object left for the same target."""
    begin = path.name.rpartition("-")[0] + "-"
    for other in target.parent.glob(f"*{SUFFIX}"):
        if other.name.startswith(begin) and other.name != path.name:
            with contextlib.suppress(OSError):
                fd = os.open(other, os.O_RDWR | _BINARY)
                try:
                    if lock(fd):
                        other.unlink()
                finally:
                    os.close(fd)


def _check_room(folder: Path, missing: int) -> None:
    import shutil

    free = shutil.disk_usage(folder).free
    if missing > free:
        raise DiskFull(
            f"The object needs {filesize(missing)} more, and {str(folder)!r} has "
            f"{filesize(free)} left.",
            hint="Free some room, or choose another folder.",
        )

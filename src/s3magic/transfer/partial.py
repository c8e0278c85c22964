"""The file that a download grows in, and the moment it takes its final name.

Bytes go to a temporary name in the target's own folder. Behind the object's
bytes the temporary file keeps a map, one byte a part, of which parts are whole;
so a download that was cancelled, failed or killed goes on where it was, when
the same object is fetched to the same place again. Nothing else is written
down, and a map byte is set only after its part's bytes.

Everything here blocks: call it in a thread.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import tempfile
import threading
from pathlib import Path
from typing import TYPE_CHECKING

from s3magic.errors import DiskFull
from s3magic.transfer.locking import lock
from s3magic.transfer.placing import SUFFIX, rename, shown, take_mode
from s3magic.wording import filesize

if TYPE_CHECKING:
    from collections.abc import Sequence

    from s3magic.transfer.plan import Part

__all__ = ["Partial"]

_BINARY = getattr(os, "O_BINARY", 0)


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
        self._path = _temporary_name(target, f"{identity}|{size}|{len(parts)}")
        self._fd = -1
        self._resumable = bool(parts)

    def open(self) -> frozenset[int]:
        """Open it, and give the numbers of the parts that it holds already.

        Raises:
            DiskFull: There is no room for the rest of the object.
        """
        whole = self._size + len(self._parts)
        if self._resumable and (fd := _open_owned(self._path)) is not None:
            self._fd = fd
            _remove_stale(self._path, self._target)
        else:  # nothing to go on with, or another process is at it
            self._resumable = False
            fd, name = tempfile.mkstemp(SUFFIX, shown(self._target), self._target.parent)
            self._fd, self._path = fd, Path(name)
        kept: frozenset[int] = frozenset()
        if os.fstat(fd).st_size == whole:
            kept = self._read_map()
        else:
            os.ftruncate(fd, 0)
        missing = self._size - sum(self._parts[index].size for index in kept)
        _check_room(self._target.parent, missing)
        os.ftruncate(fd, whole)
        return kept

    def write(self, blocks: Sequence[bytes], offset: int) -> None:
        """Write some blocks, one behind the other, from `offset` on."""
        for block in blocks:
            view = memoryview(block)
            while view:
                done = self._pwrite(view, offset)
                offset += done
                view = view[done:]

    def mark(self, part: Part) -> None:
        """Note that a part is whole. Call it after the part's last `write`."""
        self._pwrite(memoryview(b"\1"), self._size + part.index)

    def commit(self, *, no_clobber: bool = False) -> None:
        """Give the file its final name, all at once.

        Args:
            no_clobber: Fail if there is a file of that name by now.

        Raises:
            AlreadyExists: There is.
        """
        os.ftruncate(self._fd, self._size)
        take_mode(self._fd, self._target)
        if os.name == "nt":  # Windows renames no open file
            self._close()
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

    def leave(self) -> None:
        """Close it, if it got no final name: kept if it can be gone on with."""
        if self._fd < 0:
            return
        keep = False
        with contextlib.suppress(OSError):
            keep = self._resumable and bool(self._read_map())
        if os.name == "nt":  # Windows removes no open file
            self._close()
        with contextlib.suppress(OSError):
            if not keep:  # while it is locked: nobody else goes on with it
                self._path.unlink()
        self._close()

    def _close(self) -> None:
        fd, self._fd = self._fd, -1
        if fd >= 0:
            os.close(fd)

    def _read_map(self) -> frozenset[int]:
        """Give the numbers of the parts that are whole."""
        os.lseek(self._fd, self._size, os.SEEK_SET)
        flags = os.read(self._fd, len(self._parts))
        return frozenset(index for index, flag in enumerate(flags) if flag == 1)

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
            if os.path.samestat(os.fstat(fd), path.lstat()):
                return fd
        os.close(fd)


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

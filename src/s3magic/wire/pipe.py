"""A pipe through which the system moves bytes from a connection into a file: splice(2), Linux.

The bytes are copied once, into the file, and not into our memory before that.
Nothing can look at them on the way: what is encrypted or summed goes another.
"""

from __future__ import annotations

import errno
import os
from typing import Self

from s3magic.settings import KiB, MiB

__all__ = ["Pipe", "open_pipe"]

_ROOM = 1 * MiB  # what the system grants to any user (proc(5), pipe-max-size)
_READ = 256 * KiB
_UNABLE = {errno.EINVAL, errno.ENOSYS, errno.EPERM}  # say systems that cannot

_works = hasattr(os, "splice")


def open_pipe() -> Pipe | None:
    """Open a pipe; None where the system has no such, or no room for it."""
    if not _works:
        return None
    from fcntl import F_SETPIPE_SZ, fcntl

    try:
        pipe = Pipe(*os.pipe())
    except OSError:
        return None
    try:
        fcntl(pipe.inlet, F_SETPIPE_SZ, _ROOM)
    except OSError:  # the user has too many; through a small one it is faster to copy
        pipe.close()
        return None
    return pipe


class Pipe:
    """A pipe. Blocks only where the file's disk does.

    Args:
        outlet: Its end to read from.
        inlet: Its end to write to.
    """

    def __init__(self, outlet: int, inlet: int) -> None:
        self.outlet = outlet
        self.inlet = inlet

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exception: object) -> None:
        self.close()

    def close(self) -> None:
        """Close it; what is in it is lost."""
        os.close(self.inlet)
        os.close(self.outlet)

    def take(self, source: int, size: int) -> int:
        """Move up to `size` bytes that are there from a socket; 0 where they end.

        Raises:
            BlockingIOError: None is there.
            OSError: The connection broke off.
        """
        global _works  # noqa: PLW0603 - one process, one system
        try:
            return os.splice(source, self.inlet, min(size, _ROOM))
        except OSError as error:
            _works = _works and error.errno not in _UNABLE
            raise

    def give(self, file: int, at: int, size: int) -> None:
        """Move `size` bytes, which must have been taken, to a place in a file."""
        while size:
            try:
                moved = os.splice(self.outlet, file, size, offset_dst=at)
            except OSError as error:
                if error.errno != errno.EINVAL:  # else a file system that cannot
                    raise
                moved = self._copy(file, at, size)
            at += moved
            size -= moved

    def _copy(self, file: int, at: int, size: int) -> int:
        data = memoryview(os.read(self.outlet, min(size, _READ)))
        size = len(data)
        while data:
            done = os.pwrite(file, data, at)
            at, data = at + done, data[done:]
        return size

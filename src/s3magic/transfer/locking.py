"""Locks a file for one process, until it is closed or the process is gone. Blocks never."""

from __future__ import annotations

import errno
import os

__all__ = ["lock"]


def lock(fd: int) -> bool:
    """Lock an open file until it is closed; False if somebody else has it."""
    try:
        if os.name == "nt":
            import msvcrt

            # Far behind the end, so that no byte of the file is locked itself.
            os.lseek(fd, 0x7FFF_0000, os.SEEK_SET)
            msvcrt.locking(fd, msvcrt.LK_NBLCK, 1)  # type: ignore[attr-defined,unused-ignore]
        else:
            import fcntl

            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        # A file system without locks must not keep anybody from downloading.
        return error.errno not in {errno.EWOULDBLOCK, errno.EAGAIN, errno.EACCES, errno.EDEADLK}
    return True

"""Locks a file for one process, until it is closed or the process is gone. Never waits."""

from __future__ import annotations

import os

__all__ = ["lock"]


def lock(fd: int) -> bool:
    """Lock an open file until it is closed.

    Returns:
        Whether it is ours alone now. False if somebody else has it, and on a
        file system without locks: who cannot know must not assume.
    """
    try:
        if os.name == "nt":
            import msvcrt

            # Far behind the end, so that no byte of the file is locked itself.
            os.lseek(fd, 0x7FFF_0000, os.SEEK_SET)
            msvcrt.locking(fd, msvcrt.LK_NBLCK, 1)  # type: ignore[attr-defined,unused-ignore]
        else:
            import fcntl

            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True

"""Puts a file where it belongs: its folder, what may stand there, its mode, its name.

Everything here blocks: call it in a thread.
"""

from __future__ import annotations

import contextlib
import functools
import os
import stat
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from s3magic.errors import AlreadyExists, LocalFault, UnsafeKey

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = [
    "SUFFIX",
    "prepare_folder",
    "refuse_target",
    "rename",
    "shown",
    "take_mode",
    "write_whole",
]

SUFFIX = ".s3part"
"""How every temporary name ends."""

_SHOWN = 20  # characters of the target's name that its temporary name shows


def write_whole(target: Path, data: Sequence[bytes], *, no_clobber: bool = False) -> None:
    """Write a small file whole: a temporary name, then its own."""
    fd, name = tempfile.mkstemp(SUFFIX, shown(target), target.parent)
    try:
        try:
            for block in data:
                view = memoryview(block)
                while view:
                    view = view[os.write(fd, view) :]
            take_mode(fd, target)
        finally:
            os.close(fd)
        rename(Path(name), target, no_clobber=no_clobber)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(name)  # noqa: PTH108 - one call fewer on a path taken per small file
        raise


def prepare_folder(target: Path, root: Path | None) -> None:
    """Make the target's folder; within `root` no link may stand on the way.

    Args:
        target: A file, or a folder's own path with a name put behind it.
        root: The folder that the user named; links above it are the user's own.

    Raises:
        UnsafeKey: A link would lead elsewhere.
    """
    folder = target.parent
    if root is not None:
        for parent in [folder, *folder.parents]:
            if parent in {root, *root.parents}:
                break
            if parent.is_symlink():
                raise UnsafeKey(
                    f"Cannot write {str(target)!r}: {str(parent)!r} is a link, and a key must "
                    "not lead out of the target folder.",
                    hint="Remove the link, or choose another folder.",
                )
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except FileExistsError as error:
        raise LocalFault(
            f"Cannot write {str(target)!r}: {str(folder)!r} is a file.",
            hint="Remove it, or choose another folder.",
        ) from error


def refuse_target(target: Path, *, no_clobber: bool) -> None:
    """Raise if there is something at the target that must stay.

    Raises:
        AlreadyExists: There is a file, and `no_clobber` is set.
        LocalFault: It is a folder, a device, a pipe.
    """
    try:
        found = target.lstat()
    except (FileNotFoundError, NotADirectoryError):
        return
    if stat.S_ISDIR(found.st_mode):
        raise LocalFault(f"Cannot write {str(target)!r}: there is a folder of that name.")
    if not (stat.S_ISREG(found.st_mode) or stat.S_ISLNK(found.st_mode)):
        raise LocalFault(f"Cannot write {str(target)!r}: it is no ordinary file.")
    if no_clobber:
        raise AlreadyExists(f"{str(target)!r} is there already, and was left as it is.")


def shown(target: Path) -> str:
    """Give the beginning of a temporary name: hidden, and telling whose it is."""
    return f".{target.name[:_SHOWN]}."


def take_mode(fd: int, target: Path) -> None:
    """Give the file the mode of the one that it replaces, or what the umask allows."""
    if not hasattr(os, "fchmod"):
        return
    try:
        mode = stat.S_IMODE(target.stat().st_mode)
    except OSError:
        mode = 0o666 & ~_umask()
    with contextlib.suppress(OSError):
        os.fchmod(fd, mode)


@functools.cache
def _umask() -> int:
    """Give the process's umask, without changing it where the system says it."""
    with contextlib.suppress(OSError, ValueError, IndexError):
        text = Path("/proc/self/status").read_text(encoding="ascii", errors="replace")
        return int(text.split("Umask:")[1].split()[0], 8)
    mask = os.umask(0o077)
    os.umask(mask)
    return mask


def rename(path: Path, target: Path, *, no_clobber: bool) -> None:
    """Give a whole file its final name; with `no_clobber` only if that is free."""
    try:
        if not no_clobber:
            path.replace(target)
            return
        try:
            os.link(path, target, follow_symlinks=False)  # fails where there is one: no race
        except FileExistsError:
            raise
        except OSError:  # a file system without hard links
            if target.exists():
                raise FileExistsError from None
            path.rename(target)
            return
        path.unlink()
    except FileExistsError as error:
        path.unlink(missing_ok=True)
        raise AlreadyExists(f"{str(target)!r} is there already, and was left as it is.") from error

"""Puts a file where it belongs: its folder, what may stand there, its mode, its name.

Everything here blocks: call it in a thread.
"""

from __future__ import annotations

import contextlib
import functools
import itertools
import os
import secrets
import stat
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from s3magic.errors import AlreadyExists, LocalFault, UnsafeKey

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = [
    "SUFFIX",
    "Folders",
    "date",
    "prepare_folder",
    "refuse_target",
    "rename",
    "shown",
    "take_mode",
    "write_whole",
]

SUFFIX = ".s3part"
"""How every temporary name ends."""

AnyPath: TypeAlias = "str | os.PathLike[str]"

_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
# Numbers for temporary names: no two alike here, and none that another process would guess.
_numbers = itertools.count(secrets.randbits(48) << 16)
_SHOWN = 20  # characters of the target's name that its temporary name shows


def write_whole(
    target: AnyPath,
    data: Sequence[bytes | memoryview],
    *,
    no_clobber: bool = False,
    free: bool = False,
    moment: int | None = None,
) -> None:
    """Write a small file whole: a temporary name, then its own.

    Args:
        target: The file.
        data: Its bytes.
        no_clobber: Leave a file that is there as it is.
        free: Whether nothing stands there, as far as can be known.
        moment: The time that it is to have: microseconds since 1970; None for now.

    Raises:
        AlreadyExists: There is a file, and `no_clobber` is set.
        LocalFault: A folder, a device or a pipe is in the way.
    """
    # Strings and plain calls, not Path: it runs once a small file.
    found = None if free else refuse_target(target, no_clobber=no_clobber)
    folder, separator, name = os.fspath(target).rpartition(os.sep)
    path = f"{folder}{separator}.{name[:_SHOWN]}.{next(_numbers):x}{SUFFIX}"
    fd = os.open(path, _NEW, 0o666 if found is None else 0o600)
    try:
        try:
            if found is not None:
                _change_mode(fd, stat.S_IMODE(found.st_mode))
            for block in data:
                view = memoryview(block)
                while view:
                    view = view[os.write(fd, view) :]
        finally:
            os.close(fd)
        date(path, moment)
        rename(path, target, no_clobber=no_clobber)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(path)  # noqa: PTH108 - once a small file
        raise


class Folders:
    """The folders that one verb has made ready, each once. From any thread."""

    def __init__(self) -> None:
        self._ready: dict[str, bool] = {}  # and whether it was made here

    def prepare(self, target: AnyPath, root: Path | None) -> bool:
        """Do what `prepare_folder` does, unless it was done; gives what that gave."""
        folder = os.fspath(target).rpartition(os.sep)[0]
        made = self._ready.get(folder)
        if made is None:
            made = self._ready[folder] = prepare_folder(target, root)
        return made


def prepare_folder(target: AnyPath, root: Path | None) -> bool:
    """Make the target's folder; within `root` no link may stand on the way.

    Args:
        target: A file, or a folder's own path with a name put behind it.
        root: The folder that the user named; links above it are the user's own.

    Returns:
        Whether it was made now, and so holds nothing of anybody's.

    Raises:
        UnsafeKey: A link would lead elsewhere.
    """
    folder = os.path.dirname(target)  # noqa: PTH120 - it runs once a small file
    if root is not None:
        top, parent = os.fspath(root), folder
        top = "" if top == os.curdir else top  # of what lies in it, paths do not begin with it
        while parent != top and len(parent) > len(top):
            if os.path.islink(parent):  # noqa: PTH114 - the same
                raise UnsafeKey(
                    f"Cannot write {os.fspath(target)!r}: {parent!r} is a link, and a key must "
                    "not lead out of the target folder.",
                    hint="Remove the link, or choose another folder.",
                )
            parent = os.path.dirname(parent)  # noqa: PTH120 - the same
    if not folder or os.path.isdir(folder):  # noqa: PTH112 - the same
        return False
    try:
        Path(folder).mkdir(parents=True)
    except FileExistsError as error:
        if os.path.isdir(folder):  # noqa: PTH112 - another was faster
            return False
        raise LocalFault(
            f"Cannot write {os.fspath(target)!r}: {folder!r} is a file.",
            hint="Remove it, or choose another folder.",
        ) from error
    return True


def refuse_target(target: AnyPath, *, no_clobber: bool) -> os.stat_result | None:
    """Raise if there is something at the target that must stay.

    Returns:
        What is there and may be replaced; None for nothing.

    Raises:
        AlreadyExists: There is a file, and `no_clobber` is set.
        LocalFault: It is a folder, a device, a pipe.
    """
    try:
        found = os.lstat(target)
    except (FileNotFoundError, NotADirectoryError):
        return None
    if stat.S_ISDIR(found.st_mode):
        raise LocalFault(f"Cannot write {os.fspath(target)!r}: there is a folder of that name.")
    if not (stat.S_ISREG(found.st_mode) or stat.S_ISLNK(found.st_mode)):
        raise LocalFault(f"Cannot write {os.fspath(target)!r}: it is no ordinary file.")
    if no_clobber:
        raise AlreadyExists(f"{os.fspath(target)!r} is there already, and was left as it is.")
    if stat.S_ISLNK(found.st_mode):
        with contextlib.suppress(OSError):
            return Path(target).stat()  # its mode is that of the file it leads to
        return None
    return found


def date(path: AnyPath, moment: int | None) -> None:
    """Give a file its time, where the file system takes it; nothing for None.

    Args:
        path: The file.
        moment: Microseconds since 1970, in UTC.
    """
    if moment is not None:
        with contextlib.suppress(OSError, OverflowError):
            os.utime(path, ns=(moment * 1000, moment * 1000))


def shown(target: Path) -> str:
    """Give the beginning of a temporary name: hidden, and telling whose it is."""
    return f".{target.name[:_SHOWN]}."


def take_mode(fd: int, target: Path) -> None:
    """Give the file the mode of the one that it replaces, or what the umask allows."""
    try:
        mode = stat.S_IMODE(target.stat().st_mode)
    except OSError:
        mode = 0o666 & ~_umask()
    _change_mode(fd, mode)


def _change_mode(fd: int, mode: int) -> None:
    if hasattr(os, "fchmod"):
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


def rename(path: AnyPath, target: AnyPath, *, no_clobber: bool) -> None:
    """Give a whole file its final name; with `no_clobber` only if that is free."""
    try:
        if not no_clobber:
            os.replace(path, target)  # noqa: PTH105 - once a small file
            return
        try:
            os.link(path, target, follow_symlinks=False)  # fails where there is one: no race
        except FileExistsError:
            raise
        except OSError:  # a file system without hard links
            if Path(target).exists():
                raise FileExistsError from None
            Path(path).rename(target)
            return
        Path(path).unlink()
    except FileExistsError as error:
        Path(path).unlink(missing_ok=True)
        raise AlreadyExists(
            f"{os.fspath(target)!r} is there already, and was left as it is."
        ) from error

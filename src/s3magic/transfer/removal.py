"""Removes files of this machine, each only where it was seen and as it was seen. Blocks."""

from __future__ import annotations

import os
import stat
from typing import TYPE_CHECKING

from s3magic.errors import LocalFault, UnsafeKey

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["remove"]

# Where a folder can be held open while a name in it is removed, nobody can put a link in between.
_HELD = os.open in os.supports_dir_fd and os.unlink in os.supports_dir_fd
_FOLDER = os.O_RDONLY | getattr(os, "O_DIRECTORY", 0) | getattr(os, "O_CLOEXEC", 0)
_NO_LINK = getattr(os, "O_NOFOLLOW", 0)


def remove(root: str, name: str, *, size: int, moment: int | None) -> None:
    """Remove one file below a folder; one that is gone already counts as removed.

    Links above the folder are the user's own. Below it none is followed, and
    none removed.

    Args:
        root: The folder.
        name: The file's path below it, with ``/`` between its names.
        size: Its bytes when it was looked at.
        moment: When it had been changed then: microseconds since 1970; None
            where that is not known.

    Raises:
        UnsafeKey: A link stands on the way, or the name leads elsewhere.
        LocalFault: It is no file, or not the one that was looked at.
        OSError: The system refuses.
    """
    parts = name.split("/")
    foreign = os.sep != "/" and os.sep in name
    if foreign or not {"", ".", ".."}.isdisjoint(parts):
        raise UnsafeKey(f"Cannot delete {name!r}: it is no path below {root!r}.")
    path = os.path.join(root, *parts)  # noqa: PTH118 - there may be many
    try:
        if _HELD:
            _remove_held(root, parts, path, size, moment)
        else:
            _remove_named(root, parts, path, size, moment)
    except FileNotFoundError:
        return


def _remove_held(root: str, parts: list[str], path: str, size: int, moment: int | None) -> None:
    folder = os.open(root, _FOLDER)
    try:
        for part in parts[:-1]:
            try:
                inner = os.open(part, _FOLDER | _NO_LINK, dir_fd=folder)
            except FileNotFoundError:
                raise
            except OSError as error:  # ELOOP or ENOTDIR, as systems have it
                raise _link(path) from error
            os.close(folder)
            folder = inner
        found = os.stat(parts[-1], dir_fd=folder, follow_symlinks=False)
        _check(found, path, size, moment)
        os.unlink(parts[-1], dir_fd=folder)
    finally:
        os.close(folder)


def _remove_named(root: str, parts: list[str], path: str, size: int, moment: int | None) -> None:
    for folder in _folders(root, parts):
        if os.path.islink(folder):  # noqa: PTH114 - there may be many
            raise _link(path)
    _check(os.lstat(path), path, size, moment)
    os.unlink(path)  # noqa: PTH108 - the same


def _folders(root: str, parts: list[str]) -> Iterator[str]:
    folder = root
    for part in parts[:-1]:
        folder = os.path.join(folder, part)  # noqa: PTH118 - the same
        yield folder


def _check(found: os.stat_result, path: str, size: int, moment: int | None) -> None:
    if not stat.S_ISREG(found.st_mode):
        raise LocalFault(f"{path!r} is no ordinary file, and stays.")
    changed = moment is not None and found.st_mtime_ns // 1000 != moment
    if found.st_size != size or changed:
        raise LocalFault(f"{path!r} changed since it was looked at, and stays.", hint="Sync again.")


def _link(path: str) -> UnsafeKey:
    return UnsafeKey(
        f"Cannot delete {path!r}: a link stands on the way, and it would lead out of the folder."
    )

"""Walks a folder of this machine, in the order in which S3 lists keys. Blocks."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from s3magic.transfer.placing import SUFFIX
from s3magic.translation import translate

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["walk"]


def walk(
    folder: str | os.PathLike[str], *, links: bool = True
) -> Iterator[tuple[str, os.DirEntry[str]]]:
    """Give what is below a folder, but for the folders themselves.

    Downloads of ours that are not whole yet are left out.

    Args:
        folder: Where to begin.
        links: Follow links to folders, though never in a circle. Else such a
            link is given as it is.

    Yields:
        The path below the folder, with ``/`` between its names, and the entry.
        In the order of code points, as S3 lists the keys that they would be.

    Raises:
        S3Error: A folder cannot be read.
    """
    return _below(os.fspath(folder), "", frozenset(), links=links)


def _below(
    folder: str, above: str, ancestors: frozenset[tuple[int, int]], *, links: bool
) -> Iterator[tuple[str, os.DirEntry[str]]]:
    """Do the same for one folder.

    Args:
        folder: The folder.
        above: What stands before its names; empty, or ending in ``/``.
        ancestors: Device and number of each folder on the way here.
        links: As `walk` takes it.
    """
    try:
        if links:
            found = os.stat(folder)  # noqa: PTH116 - once a folder, of which there may be many
            here = ancestors | {(found.st_dev, found.st_ino)}
            if here == ancestors:
                return  # a link that leads up again: all of it is on the way already
            ancestors = here
        with os.scandir(folder) as listed:
            entries = [(entry.name, entry) for entry in listed]
        named = sorted(
            (f"{name}/" if entry.is_dir(follow_symlinks=links) else name, entry)
            for name, entry in entries
        )
    except OSError as error:
        raise translate(error, f"read {folder!r}") from error
    for name, entry in named:
        if name.endswith("/"):
            yield from _below(entry.path, above + name, ancestors, links=links)
        elif not name.endswith(SUFFIX):
            yield above + name, entry

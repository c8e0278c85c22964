"""Choose what a glob pattern means of a listing: how deep to list, which rows to keep. Pure."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from s3magic.uri import glob_base, glob_pattern

if TYPE_CHECKING:
    from s3magic.listing.page import Page

__all__ = ["Matching"]


class Matching:
    """A glob pattern over the keys of one listing.

    A pattern shows the objects that match it, and the folders: ``year=*`` and
    ``year=*/`` both find the folder ``year=2024/``. With `recursive` it shows
    the objects that match and those below a folder that does, as ``ls -R`` would.

    Args:
        pattern: The key part of the address.
        recursive: Show objects alone, at any depth.

    Raises:
        BadUri: The pattern is none.
    """

    def __init__(self, pattern: str, *, recursive: bool = False) -> None:
        self.prefix = glob_base(pattern)
        wild = pattern[len(self.prefix) :]
        one_level = "/" not in wild.removesuffix("/") and "**" not in wild
        self.delimiter = "/" if one_level and not recursive else ""
        self._match = glob_pattern(pattern).match
        self._below = glob_pattern(pattern.removesuffix("/") + "/**").match
        self._recursive = recursive
        # How many slashes come before the level that the pattern names; "**" names none.
        self._slashes = None if "**" in wild else pattern.removesuffix("/").count("/")
        self._seen: set[str] = set()

    def of(self, page: Page) -> Page:
        """Keep what matches of a page; feed the pages of one listing in their order."""
        if self._recursive:
            chosen = [bool(self._match(key) or self._below(key)) for key in page.keys]
            return page.kept(chosen, [False] * len(page.prefixes))
        if self.delimiter or self._slashes is None:
            chosen = [bool(self._match(key)) for key in page.keys]
            return page.kept(chosen, [self._is_folder(prefix) for prefix in page.prefixes])
        return self._by_level(page, self._slashes)

    def _is_folder(self, prefix: str) -> bool:
        return bool(self._match(prefix) or self._match(prefix.removesuffix("/")))

    def _by_level(self, page: Page, slashes: int) -> Page:
        """See the folders in the keys below them, since the listing was flat."""
        chosen: list[bool] = []
        folders: list[str] = []
        for key in page.keys:
            parts = key.split("/", slashes + 1)
            deeper = len(parts) > slashes + 1
            chosen.append(not deeper and bool(self._match(key)))
            if deeper:
                folder = key[: len(key) - len(parts[-1])]
                if folder not in self._seen:
                    self._seen.add(folder)
                    if self._is_folder(folder):
                        folders.append(folder)
        return replace(page.kept(chosen, ()), prefixes=folders)

"""The two sides of a sync: a folder of this machine, a prefix in S3. Tells what each holds.

It comes in portions, which are read in threads.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import functools
import itertools
import os
import stat
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeAlias

from s3magic.commands.sources.files import local
from s3magic.commands.sources.walking import walk
from s3magic.errors import BadArgument, NoSuchFile, S3Error
from s3magic.listing.pages import Listing, pages
from s3magic.transfer.comparing import Entry
from s3magic.transfer.disk import in_thread
from s3magic.translation import translate
from s3magic.uri import S3Uri, is_uri

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Iterator

    from types_aiobotocore_s3 import S3Client

    from s3magic.commands.options.filters import Filters
    from s3magic.listing.page import Page

__all__ = ["Folder", "Prefix", "Reading", "Side", "moment_of", "side_of"]

_PORTION = 2000  # files that a thread looks at in one go: some ten milliseconds
_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
_MICROSECOND = dt.timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class Folder:
    """A folder of this machine.

    Args:
        root: Its path.
    """

    root: str

    def __str__(self) -> str:
        return self.root

    def address(self, name: str) -> str:
        """Give the path of a name below it."""
        root = "" if self.root == os.curdir else self.root
        return os.path.join(root, name.replace("/", os.sep))  # noqa: PTH118 - once a file


@dataclass(frozen=True, slots=True)
class Prefix:
    """All keys of a bucket, or those that begin with a folder's name.

    Args:
        bucket: The bucket.
        prefix: Empty, or ending in ``/``.
    """

    bucket: str
    prefix: str

    def __str__(self) -> str:
        return f"s3://{self.bucket}/{self.prefix}"

    def address(self, name: str) -> str:
        """Give the address of a name below it."""
        return f"s3://{self.bucket}/{self.prefix}{name}"

    def holds(self, other: Side) -> bool:
        """Tell whether the other side lies in it, or is it."""
        return (
            isinstance(other, Prefix)
            and other.bucket == self.bucket
            and other.prefix.startswith(self.prefix)
        )


Side: TypeAlias = "Folder | Prefix"


def side_of(given: object, what: str) -> Side:
    """Read one of a sync's two addresses.

    Args:
        given: ``s3://bucket/folder/``, an `S3Uri`, or a path.
        what: What it is called in an error: ``source``.

    Raises:
        BadArgument: It is neither.
    """
    if isinstance(given, S3Uri) or is_uri(given):
        uri = given if isinstance(given, S3Uri) else S3Uri.parse(str(given))
        return Prefix(uri.bucket, uri.join("").key)
    if not isinstance(given, str | os.PathLike) or not os.fspath(given):
        said = "missing" if given is None or given == "" else f"a {type(given).__name__}"
        raise BadArgument(
            f"The {what} is {said}: it must be a folder or an address.",
            hint="Write %s3sync ./folder s3://bucket/folder/, or the other way round.",
        )
    return Folder(str(local(os.fspath(given))))


@dataclass(slots=True)
class Reading:
    """One side, while it is read.

    Args:
        side: Where it is.
        wanted: Chooses among the names.
        target: Whether it is the target: then what cannot be deleted is told.
        links: Whether links to other folders are followed, and files that are links are told.
        markers: Whether folders' markers, empty objects whose names end in
            ``/``, count as objects.
        beside: Where this side holds the other one: its own objects are none of this side's.
    """

    side: Side
    wanted: Filters
    target: bool = False
    links: bool = True
    markers: bool = False
    beside: Prefix | None = None
    seen: int = 0
    """How many there are, wanted or not."""
    last: str = field(default="", init=False)
    """The last name so far: who is behind is read first."""

    async def portions(self, client: S3Client) -> AsyncGenerator[list[Entry]]:
        """Give what is there, in portions.

        Raises:
            NoSuchFile: There is no such folder, and it is the source.
            S3Error: The side cannot be read, or not to its end.
        """
        if isinstance(self.side, Prefix):
            listing = Listing(self.side.bucket, self.side.prefix)
            async with contextlib.aclosing(pages(client, listing)) as listed:
                async for page in listed:
                    yield await in_thread(self._of_page, page, self.side)
        elif await in_thread(self._is_there, self.side.root):
            below = walk(self.side.root, links=self.links)
            while (portion := await in_thread(self._of_files, below)) is not None:
                yield portion

    def _is_there(self, root: str) -> bool:
        """Tell whether the folder is there; a missing source is an error."""
        try:
            mode = os.stat(root).st_mode  # noqa: PTH116 - text, as everywhere here
        except (FileNotFoundError, NotADirectoryError) as error:
            if self.target:
                return False
            raise NoSuchFile(
                f"There is no folder {root!r} here, so there is nothing to sync.",
                hint="See where you are with %pwd.",
            ) from error
        except (OSError, ValueError) as error:
            raise translate(error, f"read {root!r}") from error
        if not stat.S_ISDIR(mode):
            raise BadArgument(
                f"{root!r} is a file, and a folder is needed.",
                hint="Use %s3get or %s3put for one file.",
            )
        return True

    def _of_page(self, page: Page, side: Prefix) -> list[Entry]:
        cut = len(side.prefix)
        beside = self.beside.prefix if self.beside is not None else None
        entries = []
        columns = (page.keys, page.sizes, page.stamps, page.etags, page.classes)
        for key, size, stamp, etag, kind in zip(*columns, strict=True):
            self.seen += 1
            name = key[cut:]
            if not name or (not size and not self.markers and name.endswith("/")):
                continue
            if (beside is not None and key.startswith(beside)) or not self.wanted.wants(name):
                continue
            entries.append(Entry(name, size, moment_of(stamp), etag, kind or ""))
        if page.keys:
            self.last = page.keys[-1][cut:]
        return entries

    def _of_files(self, below: Iterator[tuple[str, os.DirEntry[str]]]) -> list[Entry] | None:
        """Look at some files; None behind the last."""
        portion = list(itertools.islice(below, _PORTION))
        if not portion:
            return None
        self.seen += len(portion)
        self.last = portion[-1][0]
        read = _at_target if self.target else _at_source
        seen = (pair for pair in portion if self.wanted.wants(pair[0]))
        if not (self.links or self.target):
            seen = (pair for pair in seen if not pair[1].is_symlink())
        found = (read(name, entry) for name, entry in seen)
        return [entry for entry in found if entry is not None]


@functools.lru_cache(1024)  # what was written together has few times, and to read one costs
def moment_of(stamp: str | None) -> int | None:
    """Give the microseconds since 1970 of a listing's time; None for none."""
    if stamp is None:
        return None
    return (dt.datetime.fromisoformat(stamp).replace(tzinfo=dt.UTC) - _EPOCH) // _MICROSECOND


def _at_source(name: str, entry: os.DirEntry[str]) -> Entry | None:
    """Look at a file that may be sent; what is wrong with it becomes its row."""
    refused: S3Error
    try:
        found = entry.stat()
    except OSError as error:
        if isinstance(error, FileNotFoundError) and not entry.is_symlink():
            return None  # removed a moment ago
        refused = translate(error, f"read {entry.path!r}")
        return Entry(_encodable(name), 0, refused=refused)
    if not stat.S_ISREG(found.st_mode):
        refused = BadArgument(f"{entry.path!r} is no ordinary file, and was left out.")
    elif _encodable(name) != name:
        refused = BadArgument(f"The name of {entry.path!r} is not UTF-8, and a key must be.")
    else:
        return Entry(name, found.st_size, found.st_mtime_ns // 1000)
    return Entry(_encodable(name), 0, refused=refused)


def _at_target(name: str, entry: os.DirEntry[str]) -> Entry | None:
    """Look at a file that may be replaced or deleted; None for what is no file of any key's."""
    try:
        link = entry.is_symlink()
        found = entry.stat()
    except OSError:
        return None
    if not stat.S_ISREG(found.st_mode) or _encodable(name) != name:
        return None
    return Entry(name, found.st_size, found.st_mtime_ns // 1000, stays=link)


def _encodable(name: str) -> str:
    """Give a name as UTF-8 can hold it: bytes that are none become escapes."""
    return name if name.isascii() else name.encode("utf-8", "backslashreplace").decode()

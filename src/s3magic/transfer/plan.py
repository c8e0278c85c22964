"""What a transfer is to do: jobs and parts. Pure."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from s3magic.errors import BadArgument
from s3magic.settings import MiB
from s3magic.transfer.sparing import let_go
from s3magic.wording import filesize

if TYPE_CHECKING:
    from collections.abc import Mapping

    from s3magic.errors import S3Error
    from s3magic.uri import S3Uri

__all__ = ["Copy", "Download", "Part", "Targets", "Upload", "cut", "upload_part_size"]

# S3 User Guide, "Amazon S3 multipart upload limits".
_MOST_PARTS = 10_000
_SMALLEST_PART = 5 * MiB
_LARGEST_PART = 5 * 1024 * MiB
_LARGEST_OBJECT = 5 * 1024 * 1024 * MiB


@dataclass(frozen=True, slots=True)
class Download:
    """One object to bring here.

    Args:
        uri: Where it is.
        path: The file to make; text where there are many, of which a `Path`
            each would cost as much as all the rest of a plan.
        size: Its bytes as listed; None where no listing told.
        version_id: The version wanted; None for the latest.
        root: The folder that the target must stay in; None where the user
            named the file.
        folder: Whether the key is a folder's marker: only the folder is made.
        refused: Why it cannot be brought, where the plan knows already.
        moment: The time that the file is to have: microseconds since 1970, in
            UTC. None for that of its writing.
    """

    uri: S3Uri
    path: str | os.PathLike[str]
    size: int | None = None
    version_id: str | None = None
    root: Path | None = None
    folder: bool = False
    refused: S3Error | None = None
    moment: int | None = None

    @property
    def target(self) -> Path:
        """The file to make."""
        return Path(self.path)

    @property
    def source_name(self) -> str:
        """The source, for the report."""
        return str(self.uri)

    @property
    def target_name(self) -> str:
        """The target, for the report."""
        return os.fspath(self.path)


@dataclass(frozen=True, slots=True)
class Upload:
    """One file, or some bytes, to send.

    Args:
        source: The file, or the bytes themselves.
        uri: Where to.
        size: Bytes.
        name: What the source is called in the report.
        headers: Arguments of PutObject that are not its body: ContentType, ….
        refused: Why it cannot be sent, where the plan knows already.
    """

    source: Path | bytes
    uri: S3Uri
    size: int
    name: str
    headers: Mapping[str, Any] = field(default_factory=dict)
    refused: S3Error | None = None

    @property
    def source_name(self) -> str:
        """The source, for the report."""
        return self.name

    @property
    def target_name(self) -> str:
        """The target, for the report."""
        return str(self.uri)


@dataclass(frozen=True, slots=True)
class Copy:
    """One object to copy.

    Args:
        uri: The source.
        target: Where to.
        size: Bytes as listed; None where no listing told.
        version_id: The version wanted; None for the latest.
        etag: As listed, without quotes: an object that has another one by then
            is not copied. Empty where no listing told.
        storage_class: As listed, empty for the usual one; None where no listing told.
        replaced: Arguments of PutObject that are not its body (ContentType,
            Metadata, Tagging, ACL, …), in place of what the source has.
        refused: Why it cannot be copied, where the plan knows already.
    """

    uri: S3Uri
    target: S3Uri
    size: int | None = None
    version_id: str | None = None
    etag: str = ""
    storage_class: str | None = None
    replaced: Mapping[str, Any] = field(default_factory=dict)
    refused: S3Error | None = None

    @property
    def source_name(self) -> str:
        """The source, for the report."""
        return str(self.uri)

    @property
    def target_name(self) -> str:
        """The target, for the report."""
        return str(self.target)

    @property
    def action(self) -> str:
        """What is done, for an error."""
        return f"copy {self.uri} to {self.target}"

    @property
    def copy_source(self) -> Any:
        """The source, as CopyObject and UploadPartCopy take it."""
        named: dict[str, str] = {"Bucket": self.uri.bucket, "Key": self.uri.key}
        return named if self.version_id is None else named | {"VersionId": self.version_id}


@dataclass(frozen=True, slots=True)
class Part:
    """A piece of an object: the bytes from `start` up to but without `stop`."""

    index: int
    start: int
    stop: int

    @property
    def size(self) -> int:
        """Its bytes."""
        return self.stop - self.start


def cut(size: int, part_size: int) -> list[Part]:
    """Cut `size` bytes into parts; the last one may be smaller. None for no bytes.

    Example:
        >>> cut(10, 4)[-1]
        Part(index=2, start=8, stop=10)
    """
    return [
        Part(index, start, min(start + part_size, size))
        for index, start in enumerate(range(0, size, part_size))
    ]


def upload_part_size(size: int, wanted: int) -> int:
    """Give the part size for an upload: as wanted, or grown so that 10,000 parts do.

    Args:
        size: Bytes of the whole.
        wanted: Bytes of a part.

    Raises:
        BadArgument: No part size makes it fit, or S3 takes no such parts.
    """
    if size > _LARGEST_OBJECT:
        raise BadArgument(f"{filesize(size)} is more than S3 keeps in one object (5 TiB).")
    if not _SMALLEST_PART <= wanted <= _LARGEST_PART:
        raise BadArgument(
            f"A part of {filesize(wanted)} is not possible: S3 takes 5 MiB to 5 GiB.",
            hint="Leave {0} out for a good one.",
            options=["part_size"],
        )
    least = -(-size // _MOST_PARTS)
    if least <= wanted:
        return wanted
    return -(-least // MiB) * MiB


class Targets:
    """The files that a plan has promised already, to find those that clash.

    Args:
        fold_case: Whether ``A`` and ``a`` are one name here.
    """

    def __init__(self, *, fold_case: bool = sys.platform in {"win32", "darwin"}) -> None:
        self._fold = fold_case
        self._files: dict[str, str] = {}
        self._folders: set[str] = set()

    def clash(self, target: str | os.PathLike[str], source: str, *, folder: bool = False) -> str:
        """Note a target; returns why it cannot be made too, or nothing.

        Args:
            target: The file, or the folder.
            source: What is to become it.
            folder: Whether it is a folder.
        """
        name = self._key(target)
        above = [name] if folder else []
        parent = os.path.dirname(name)  # noqa: PTH120 - it runs once an object
        # Above a known folder everything is known: no file was promised there.
        while parent not in self._folders and parent != (above and above[-1]):
            above.append(parent)
            parent = os.path.dirname(parent)  # noqa: PTH120 - the same
        if not folder and name in self._files:
            return f"{self._files[name]} goes to the same file"
        if not folder and name in self._folders:
            return "other keys need a folder of that name"
        for one in above:
            if one in self._files:
                return f"{self._files[one]} is a file where a folder is needed"
        self._folders.update(above)
        if not folder:
            self._files[name] = source
        return ""

    def __len__(self) -> int:
        return len(self._files)

    def forget(self) -> None:
        """Forget them one by one: many that are dropped at once hold the interpreter."""
        let_go(self._files)

    def _key(self, path: str | os.PathLike[str]) -> str:
        return os.fspath(path).casefold() if self._fold else os.fspath(path)

"""Tells whether a file has the very content that an object's ETag or checksum is of.

The ETag of an object that came in one piece is as a rule its MD5; of one that
came in parts, the MD5 of the parts' MD5s, a dash, and how many there were (S3
API, "Object"). How large the parts were nobody says, so the sizes that tools
use are tried, all in one reading. Some encryptions make other ETags: then
nothing matches, and who asks takes the content for another.
"""

from __future__ import annotations

import base64
import hashlib
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from s3magic.settings import KiB, MiB
from s3magic.transfer.disk import in_thread
from s3magic.transfer.sums import ALGORITHMS

if TYPE_CHECKING:
    import io
    import os
    from collections.abc import Iterable, Mapping, Sequence

__all__ = ["Check", "etag_checks", "matches", "matches_many", "part_sizes", "sum_checks"]

_PLAIN = re.compile(r"[0-9a-f]{32}")
_PARTS = re.compile(r"([0-9a-f]{32})-([0-9]{1,5})")
_STEP = 32 * MiB  # bytes read in one go: a twentieth of a second, and a cancellation waits for it
_BLOCK = 256 * KiB
# What tools cut by, as they come: s3magic, aws, boto3, s5cmd, rclone, MinIO's mc, obstore, the
# console. Where few parts leave many sizes possible, it is one of these.
_USUAL = tuple(
    size * MiB for size in (8, 5, 16, 10, 32, 50, 64, 100, 128, 15, 20, 25, 17, 256, 512, 1024)
)
_MOST = 6  # sizes that are tried


def part_sizes(size: int, parts: int) -> list[int]:
    """Give the part sizes by which so many bytes become so many parts, the likely ones.

    Args:
        size: Bytes of the whole.
        parts: How many there were.
    """
    if parts < 2 or size < 1:
        return [max(size, 1)] if parts == 1 else []
    least, most = -(-size // parts), -(-size // (parts - 1)) - 1
    likely = [one for one in _USUAL if least <= one <= most]
    whole = range(-(-least // MiB) * MiB, most + 1, MiB)
    likely += [one for one in whole[:_MOST] if one not in likely]
    return likely[:_MOST] or ([least] if least <= most else [])


class Check:
    """One way that a content can be the one wanted: it is fed, and tells at the end.

    Args:
        wanted: What must come out.
        algorithm: Makes a hash.
        part_size: Bytes of a part, for a sum of parts' sums; 0 for a sum of the whole.
        parts: How many parts there were.
    """

    def __init__(self, wanted: bytes, algorithm: Any, part_size: int = 0, parts: int = 0) -> None:
        self._wanted = wanted
        self._algorithm = algorithm
        self._part_size = part_size
        self._parts = parts
        self._sums: list[bytes] = []
        self._sum = algorithm()
        self._left = part_size

    def update(self, block: memoryview) -> None:
        """Take some more bytes."""
        while self._part_size and len(block) >= self._left:
            self._sum.update(block[: self._left])
            block = block[self._left :]
            self._sums.append(self._sum.digest())
            self._sum, self._left = self._algorithm(), self._part_size
        self._sum.update(block)
        self._left -= len(block)

    @property
    def right(self) -> bool:
        """Whether what came is the content wanted."""
        if not self._part_size:
            return bool(self._sum.digest() == self._wanted)
        sums = list(self._sums)
        if self._left < self._part_size or not sums:
            sums.append(self._sum.digest())
        whole = self._algorithm()
        whole.update(memoryview(b"".join(sums)))
        return len(sums) == self._parts and bool(whole.digest() == self._wanted)


def etag_checks(etag: str | None, size: int) -> list[Check]:
    """Give the checks for an ETag; none where it cannot be of the content.

    Args:
        etag: Without quotes.
        size: Bytes of the object.
    """
    if etag is None:
        return []
    if _PLAIN.fullmatch(etag):
        return [Check(bytes.fromhex(etag), _md5)]
    if match := _PARTS.fullmatch(etag):
        parts = int(match[2])
        return [
            Check(bytes.fromhex(match[1]), _md5, part_size, parts)
            for part_size in part_sizes(size, parts)
        ]
    return []


def sum_checks(head: Mapping[str, Any], size: int) -> list[Check]:
    """Give the checks for the checksums that a server keeps, those that Python computes fast.

    Args:
        head: The answer to a HeadObject that asked for checksums.
        size: Bytes of the object.
    """
    for name, algorithm in ALGORITHMS.items():
        text = str(head.get(name) or "")
        value, dash, number = text.partition("-")
        if not value:
            continue
        wanted = base64.b64decode(value)
        if not dash:
            return [Check(wanted, algorithm)]
        parts = int(number) if number.isdigit() else 0
        return [Check(wanted, algorithm, one, parts) for one in part_sizes(size, parts)]
    return []


async def matches(path: str | os.PathLike[str], size: int, checks: Sequence[Check]) -> bool:
    """Tell whether a file's content passes one of the checks; it is read once, in threads.

    Args:
        path: The file.
        size: Its bytes; with another size it does not match.
        checks: New ones.

    Raises:
        OSError: It cannot be read.
    """
    if not checks:
        return False
    reading = await in_thread(_Reading, path, size, checks)
    try:
        while await in_thread(reading.step):
            pass
    finally:
        await in_thread(reading.close)
    return reading.right


async def matches_many(
    files: Iterable[tuple[str | os.PathLike[str], int, Sequence[Check]]],
) -> list[bool]:
    """Tell the same of several small files, in one go: one that cannot be read does not match."""
    return await in_thread(_matching, list(files))


def _matching(files: list[tuple[str | os.PathLike[str], int, Sequence[Check]]]) -> list[bool]:
    found = []
    for path, size, checks in files:
        try:
            reading = _Reading(path, size, checks)
        except OSError:
            found.append(False)
            continue
        try:
            while reading.step():
                pass
        except OSError:
            found.append(False)
        else:
            found.append(reading.right)
        finally:
            reading.close()
    return found


@dataclass(slots=True)
class _Reading:
    """A file that is read for its checks. Blocks.

    Args:
        path: The file.
        size: Bytes that it must have.
        checks: What is fed.
    """

    path: str | os.PathLike[str]
    size: int
    checks: Sequence[Check]
    read: int = 0
    _file: io.FileIO = field(init=False)
    _buffer: bytearray = field(init=False)

    def __post_init__(self) -> None:
        self._buffer = bytearray(min(_BLOCK, self.size + 1))
        self._file = open(self.path, "rb", buffering=0)  # noqa: PTH123, SIM115 - closed by `close`

    def step(self) -> bool:
        """Read some of it; whether there is more."""
        view = memoryview(self._buffer)
        left = _STEP
        while left > 0:
            got = self._file.readinto(view)
            if not got:
                return False
            for check in self.checks:
                check.update(view[:got])
            self.read += got
            left -= got
        return self.read <= self.size

    @property
    def right(self) -> bool:
        """Whether what was read is what was wanted."""
        return self.read == self.size and any(check.right for check in self.checks)

    def close(self) -> None:
        """Let go of the file."""
        self._file.close()


def _md5() -> Any:
    return hashlib.md5(usedforsecurity=False)

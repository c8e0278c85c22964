"""Checksums: of a body before it is sent, and of a body that came against what was said of it."""

from __future__ import annotations

import base64
import functools
import hashlib
import zlib
from typing import TYPE_CHECKING, Any

from s3magic.wire.signing import UNSIGNED

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from s3magic.transfer.piece import Opened
    from s3magic.wire.template import Template

__all__ = ["ALGORITHMS", "Sum", "guards"]


class Crc32:
    """CRC-32, with the interface of a hash."""

    def __init__(self) -> None:
        self._sum = 0

    def update(self, data: memoryview) -> None:
        """Take some more bytes."""
        self._sum = zlib.crc32(data, self._sum)

    def digest(self) -> bytes:
        """Give the sum, its highest byte first."""
        return self._sum.to_bytes(4, "big")


ALGORITHMS: dict[str, Callable[[], Any]] = {
    "ChecksumCRC32": Crc32,
    "ChecksumSHA256": hashlib.sha256,
    "ChecksumSHA1": functools.partial(hashlib.sha1, usedforsecurity=False),
}
"""Of S3's checksums those that Python itself computes fast, by their names in its answers; botocore
checks no others either, where AWS's own library is not installed."""

_KNOWN = {
    f"x-amz-checksum-{name.removeprefix('Checksum').lower()}".encode(): algorithm
    for name, algorithm in ALGORITHMS.items()
}


def guards(template: Template, source: Opened) -> tuple[dict[str, str], str]:
    """Compute what guards a body: its checksum header, and the hash that is signed.

    Args:
        template: It says which of them the client would send.
        source: The body.
    """
    hashed, summed = hashlib.sha256(), Crc32()
    if template.hashed or template.summed:
        for block in source.blocks():
            if template.hashed:
                hashed.update(block)
            if template.summed:
                summed.update(block)
    headers = {}
    if template.summed:
        headers["x-amz-checksum-crc32"] = base64.b64encode(summed.digest()).decode()
    return headers, hashed.hexdigest() if template.hashed else UNSIGNED


class Sum:
    """The checksum that an answer's headers promise of its whole body.

    Args:
        header: Gives a header of the answer by its name in lower case; None for
            a part, of which nothing is promised.
    """

    def __init__(self, header: Callable[[bytes], str | None] | None) -> None:
        self._promised = ""
        self._made: Any = None
        if header is None:
            return
        for name, algorithm in _KNOWN.items():
            promised = header(name)
            # With a dash it is one of the parts' sums: S3 User Guide, "Checking object integrity".
            if promised and "-" not in promised:
                self._promised, self._made = promised, algorithm()
                return

    @property
    def promised(self) -> bool:
        """Whether there is one, for which every byte must be seen."""
        return self._made is not None

    def update(self, data: bytes | memoryview) -> None:
        """Take some more of the body."""
        if self._made is not None:
            self._made.update(data)

    def take(self, blocks: Iterable[bytes]) -> None:
        """Take some blocks more of it."""
        for block in blocks:
            self.update(block)

    @property
    def right(self) -> bool:
        """Whether the body was the one promised, as far as that can be said."""
        if self._made is None:
            return True
        return base64.b64encode(self._made.digest()).decode() == self._promised

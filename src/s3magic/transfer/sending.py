"""Sends the body of a PUT on the wire, in its thread, and checks the answer to it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from s3magic.settings import KiB
from s3magic.transfer.progress import TOLD
from s3magic.wire.answer import Unplain
from s3magic.wire.http1 import FileRange

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from s3magic.transfer.piece import Opened
    from s3magic.wire.answer import Head
    from s3magic.wire.http1 import Line
    from s3magic.wire.order import Order
    from s3magic.wire.template import Template

__all__ = ["Sent", "answered", "sent_all"]

_ANSWER = 64 * KiB  # bytes of an answer that are read


class Sent:
    """Tells of the bytes of a body as they are sent, and takes them back where that was in vain."""

    def __init__(self, order: Order[Any], advance: Callable[[int], object]) -> None:
        self._order = order
        self._advance = advance
        self._told = 0

    def of(self, source: Opened, template: Template) -> Iterator[memoryview | FileRange]:
        """Give the body's blocks, from the beginning."""
        self.take_back()
        untold = 0
        # Over TLS every byte must come here anyway, and unguarded ones are looked at.
        itself = template.address.tls is None and (template.hashed or template.summed)
        for block in source.ranges() if itself else source.blocks():
            yield block  # it is sent when the next is asked for
            untold += block.size if isinstance(block, FileRange) else len(block)
            if untold >= TOLD:
                self._tell(untold)
                untold = 0
        self._tell(untold)

    def take_back(self) -> None:
        """Unsay what was said."""
        self._tell(-self._told)

    def _tell(self, size: int) -> None:
        if size:
            self._told += size
            self._order.tell(self._advance, size)


def answered(line: Line, head: Head) -> dict[str, Any]:
    """Read the answer to a PUT; gives it as botocore would.

    Raises:
        Unplain: It names no ETag, as S3's every answer to a write does.
    """
    try:
        line.fill(memoryview(bytearray(min(head.length, _ANSWER))))
    except OSError as error:
        raise Unplain(0, "the answer broke off") from error
    return sent_all(head)


def sent_all(head: Head) -> dict[str, Any]:
    """Check the answer to a PUT; gives it as botocore would.

    Raises:
        Unplain: It is no success, or names no ETag, as S3's every answer to a write does.
    """
    etag = head.get(b"etag")
    if head.status != 200 or not etag:
        raise Unplain(head.status, "no ETag")
    answer: dict[str, Any] = {
        "ETag": etag,
        "ResponseMetadata": {"HTTPStatusCode": head.status, "HTTPHeaders": head.headers},
    }
    if crc32 := head.get(b"x-amz-checksum-crc32"):
        answer["ChecksumCRC32"] = crc32
    if version := head.get(b"x-amz-version-id"):
        answer["VersionId"] = version
    return answer

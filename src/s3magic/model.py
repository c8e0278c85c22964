"""The plain data that the rooms hand to each other."""

from __future__ import annotations

import datetime as dt  # noqa: TC003 - get_type_hints(S3Item) must find it
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, TypedDict

if TYPE_CHECKING:
    from s3magic.errors import S3Error

__all__ = ["S3Item", "S3Owner", "Status", "Transfer"]

Status = Literal["done", "skipped", "failed", "cancelled", "planned"]
"""How a transfer ended; ``planned`` for one that a dry run only named."""


class S3Owner(TypedDict, total=False):
    """Who owns an object, as S3 says it."""

    DisplayName: str
    ID: str


class S3Item(TypedDict, total=False):
    """One object of a listing, as S3's ListObjects gives it.

    ``ETag`` is in double quotes, ``LastModified`` in UTC, ``Size`` in bytes.
    A server may leave out ``Owner``, ``StorageClass`` or ``ETag``.
    """

    Key: str
    LastModified: dt.datetime
    ETag: str
    Size: int
    StorageClass: str
    Owner: S3Owner


@dataclass(frozen=True, slots=True)
class Transfer:
    """What became of one transfer: one row of the frame that get and put return.

    Args:
        source: Where the bytes came from: an S3 URI, a path, a variable's name.
        target: Where they went.
        size: Bytes moved or, for a planned one, to be moved.
        status: How it ended.
        error: Why it failed or was skipped; empty where it did not.
        seconds: How long it took.
        cause: The error itself, where there was one.
    """

    source: str
    target: str
    size: int
    status: Status
    error: str = ""
    seconds: float = 0.0
    cause: S3Error | None = field(default=None, repr=False, compare=False)

"""Finds out what became of a copy: whether the server did what it said, or what it did not say."""

from __future__ import annotations

import contextlib
import datetime as dt
import email.utils
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from s3magic.errors import ObjectChanged, ServerFault
from s3magic.transfer.attributes import look
from s3magic.translation import error_code, translate

if TYPE_CHECKING:
    from collections.abc import Mapping

    from types_aiobotocore_s3 import S3Client

    from s3magic.transfer.attributes import Source
    from s3magic.transfer.plan import Copy

__all__ = ["Wanted", "changed", "differs", "named", "refuse_changed", "verify"]


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a request was to make.

    Args:
        size: Bytes.
        etag: Without quotes, if it can be known.
        begun: When it was asked for.
    """

    size: int
    etag: str
    begun: float = field(default_factory=time.monotonic)


def named(answer: Mapping[str, Any], job: Copy) -> str:
    """Give the ETag that an answer names, as S3's every answer to a copy does, without quotes."""
    etag = str(answer.get("ETag") or "").strip('"')
    if not etag:
        raise ServerFault(
            f"Cannot {job.action}: the endpoint's answer is not S3's: it names no ETag.",
            hint="Check the endpoint with %s3connect.",
        )
    return etag


async def verify(client: S3Client, job: Copy, wanted: Wanted, error: Exception) -> None:
    """Find out whether a copy that seems to have failed did work.

    It did if the target is what was wanted, and was written since then, by the
    server's own clock.

    Args:
        client: Any aiobotocore client.
        job: What was to be done.
        wanted: What was asked for, and when.
        error: What it seems to have failed with.

    Raises:
        Exception: It did not, or nobody can tell: `error`.
    """
    if translate(error, job.action).transient or error_code(error) == "NoSuchUpload":
        with contextlib.suppress(Exception):
            found = await client.head_object(Bucket=job.target.bucket, Key=job.target.key)
            told = found["ResponseMetadata"]["HTTPHeaders"]["date"]
            since = time.monotonic() - wanted.begun + 1  # both times are of whole seconds
            earliest = email.utils.parsedate_to_datetime(told) - dt.timedelta(seconds=since)
            same = found["ContentLength"], found["ETag"].strip('"')
            if same == (wanted.size, wanted.etag) and found["LastModified"] >= earliest:
                return
    raise error


async def refuse_changed(client: S3Client, job: Copy, source: Source) -> None:
    """Raise if the source is no more what it was."""
    found = await look(client, job.uri, job.version_id, job.action)
    if found.etag != source.etag:
        raise changed(job, "while it was copied")


def changed(job: Copy, when: str) -> ObjectChanged:
    """Give the error of a source that is another object by now."""
    return ObjectChanged(f"Cannot {job.action}: the object changed {when}.", hint="Try again.")


def differs(etag: str, other: str) -> bool:
    """Tell whether two ETags, without quotes, may be MD5s of two different objects."""
    return all(len(one) == 32 and "-" not in one for one in (etag, other)) and etag != other

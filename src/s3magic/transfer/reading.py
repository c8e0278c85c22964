"""Reads an answer's body to its end, asking again for what did not come, or came damaged.

A body that breaks off is gone on with where it did. A checksum that the server
gave with a whole object is held against all that came of it; where it does not
fit, nobody knows which bytes are wrong, and the body is asked for anew.
"""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING

from s3magic.errors import Damaged, S3Error, TimedOut
from s3magic.settings import KiB, MiB, defaults
from s3magic.transfer.backoff import backoff
from s3magic.transfer.disk import in_thread
from s3magic.transfer.pressure import felt
from s3magic.transfer.ranges import open_source
from s3magic.transfer.sums import Sum
from s3magic.translation import translate

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Awaitable, Callable

    from s3magic.transfer.ranges import Answer, Source

__all__ = ["read_on"]

_READ = 256 * KiB  # asked of the socket at once
_BLOCK = 1 * MiB  # handed on at once: few enough hops to a thread, little memory
_LONGEST_WAIT = 20.0  # seconds before it is asked again


async def read_on(
    source: Source,
    answer: Answer,
    take: Callable[[list[bytes], int], Awaitable[None]],
    untake: Callable[[int], object],
) -> None:
    """Read an answer's body to its end, asking again from where it broke off.

    A body that is not the one that its checksum promised is asked for again
    from its beginning.

    Args:
        source: The object.
        answer: What `open_source` gave.
        take: Awaited with some blocks and the offset in the object of the first.
        untake: Told of how many bytes that were taken are worth nothing.

    Raises:
        S3Error: It broke off too often, or turned out to be something else.
    """
    start, stop, at = answer.start, answer.stop, answer.start
    promised = answer.promised
    summed = Sum(promised)
    tries = wrong = 0
    while True:
        try:
            async with contextlib.aclosing(_blocks(source, answer)) as blocks:
                async for some, size in blocks:
                    if summed.promised:
                        await in_thread(summed.take, some)
                    await take(some, at)
                    at += size
                    if size >= _READ:  # it moves, and more than a trickle
                        tries = 0
            if summed.right:
                return
            raise _refuted(source)
        except S3Error as error:
            if isinstance(error, TimedOut):
                felt()
            tries += 1
            again = _is_refuted(error)
            wrong += again
            worst = max(tries, wrong)
            if not error.transient or worst >= defaults().attempts or not answer.etag:
                raise
        await asyncio.sleep(backoff(worst, _LONGEST_WAIT))
        # Not tried again here: the client has done so until it gave up.
        if again:
            untake(at - start)
            whole = stop - start == answer.total  # asked for as one, or no sum comes with it
            at, ranged = start, () if whole else (start, stop)
            answer = await open_source(source, *ranged, after=answer)
            summed = Sum(promised)  # it is the same object still
        else:
            answer = await open_source(source, at, stop, after=answer)


def _refuted(source: Source) -> S3Error:
    """Give the error of a body that is not the one promised, as the client's own check does."""
    from botocore.exceptions import FlexibleChecksumError

    return translate(FlexibleChecksumError(error_msg="not the one promised"), source.action)


def _is_refuted(error: S3Error) -> bool:
    """Tell whether a body came whole, and was not the one promised."""
    return type(error.__cause__).__name__ == "FlexibleChecksumError"


async def _blocks(source: Source, answer: Answer) -> AsyncGenerator[tuple[list[bytes], int]]:
    """Give the body in blocks of about 1 MiB, the last one only if the body ends with it."""
    left = answer.stop - answer.start
    some: list[bytes] = []
    size = 0
    try:
        while True:
            try:
                data = await answer.body.read(_READ)
            except Exception as error:
                if size and left:  # what did come counts, or a bad line never got further
                    yield some, size
                raise translate(error, source.action) from error
            if not data:
                break
            left -= len(data)
            if left < 0:
                raise Damaged(f"Cannot {source.action}: the server sent more than it announced.")
            some.append(data)
            size += len(data)
            if size >= _BLOCK and left:
                yield some, size
                some, size = [], 0
        if size:
            yield some, size
        if left:  # told behind what did come, which can be gone on from
            raise Damaged(
                f"Cannot {source.action}: the answer ended {left:,} bytes too soon.",
                hint="Try again.",
            )
    finally:
        answer.close()  # gives a body that was read to its end back to the pool

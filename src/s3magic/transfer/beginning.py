"""Reads an object from a place on, in ranges that grow, until there is enough of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from s3magic.settings import KiB, MiB
from s3magic.transfer.ranges import open_source
from s3magic.transfer.reading import read_on

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from s3magic.transfer.ranges import Answer, Source

__all__ = ["FIRST", "read_until"]

FIRST = 16 * KiB
"""Bytes asked for at first, where nobody knows how many it takes: a few dozen lines."""

_LARGEST = 8 * MiB  # bytes of one range
_GROWTH = 4


class _EnoughError(Exception):
    """There is enough: what is under way need not go on."""


async def read_until(
    source: Source,
    take: Callable[[bytes, Answer], Awaitable[bool]],
    *,
    start: int = 0,
    stop: int | None = None,
    first: int = FIRST,
) -> Answer:
    """Read an object from `start` on until `take` has enough, or to its end.

    Each range is asked for only when the ones before it were not enough, and
    must be of the same object. A server that takes no ranges sends all of it:
    that is read as it comes, and dropped when there is enough.

    Args:
        source: The object.
        take: Awaited with each piece, and the answer that it came with; tells
            whether that is enough.
        start: First byte wanted.
        stop: Behind the last byte wanted; None for the object's end.
        first: Bytes of the first range; each is four times the one before, 8 MiB at most.

    Returns:
        The first answer, its body read: it tells the object's size.

    Raises:
        S3Error: It cannot be read, or is not what it was any more.
    """
    at, size = start, first
    opening: Answer | None = None
    while True:
        until = at + size if stop is None else min(at + size, stop)
        answer = await open_source(source, at, until, after=opening)
        opening = opening or answer
        end = answer.total if stop is None else min(stop, answer.total)
        if answer.stop > until or (not answer.etag and answer.stop < end):
            if answer.stop <= until:  # nothing would hold the ranges together
                answer.close()
                answer = await open_source(source, at, stop)
            await _stream(source, answer, take)
            return answer
        if await take(await _whole(source, answer), answer):
            return opening
        at = answer.stop
        if at >= end:
            return opening
        size = min(size * _GROWTH, _LARGEST)


async def _whole(source: Source, answer: Answer) -> bytes:
    """Read all of an answer."""
    held: list[bytes] = []

    async def keep(blocks: list[bytes], _at: int) -> None:
        held.extend(blocks)

    await read_on(source, answer, keep, lambda _size: held.clear())
    return b"".join(held)


async def _stream(
    source: Source, answer: Answer, take: Callable[[bytes, Answer], Awaitable[bool]]
) -> None:
    """Read an answer as it comes until there is enough."""
    answer.promised = None  # what was handed on cannot be taken back if its sum is wrong

    async def hand_on(blocks: list[bytes], _at: int) -> None:
        if await take(b"".join(blocks), answer):
            raise _EnoughError

    try:
        await read_on(source, answer, hand_on, lambda _size: None)
    except _EnoughError:
        answer.close()

"""Read the pages of our own LIST calls faster, on whatever client they are made.

Two of botocore's own doors are used: ``before-parse``, which hands over the raw
answer, and the ``customized_response_dict`` beside it. The hook stays on the
client and acts only inside `taking`, so that a user's own calls on the same
client are as they ever were.
"""

from __future__ import annotations

import asyncio
import contextlib
from contextvars import ContextVar
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from s3magic.listing.columns import Columns, items
from s3magic.listing.parsing import split
from s3magic.settings import KiB

if TYPE_CHECKING:
    from collections.abc import Iterator

    from types_aiobotocore_s3 import S3Client

__all__ = ["Catch", "install", "taking"]

_OPERATIONS = ("ListObjects", "ListObjectsV2", "ListObjectVersions")
# Bytes of XML that are read at once: two milliseconds. A thread would hold the
# interpreter as long, and cost more to wake than it spares.
_AT_ONCE = 512 * KiB


@dataclass(slots=True)
class Catch:
    """What the hook took out of the last answer.

    Args:
        as_items: Put the objects back into the answer as botocore would have,
            and leave `columns` empty.
        columns: The records; None where botocore parsed the page itself.
    """

    as_items: bool = False
    columns: Columns | None = None


_catch: ContextVar[Catch | None] = ContextVar("s3magic-listing", default=None)


def install(client: S3Client) -> None:
    """Put the hook on a client, once; again is no harm."""
    for operation in _OPERATIONS:
        # With the wildcard in the middle it runs before botocore's own handlers of
        # `before-parse.s3.*`, of which one reads the whole page a second time to
        # see whether it is an error. It then reads what we leave, an error whole.
        client.meta.events.register_first(
            f"before-parse.*.{operation}", _take, unique_id=f"s3magic-{operation}"
        )


@contextlib.contextmanager
def taking(*, as_items: bool = False) -> Iterator[Catch]:
    """Take the records out of the LIST answers that arrive within the block.

    Never hold it across a ``yield`` of an asynchronous generator: it would then
    act in the caller's own code.
    """
    catch = Catch(as_items)
    token = _catch.set(catch)
    try:
        yield catch
    finally:
        _catch.reset(token)


async def _take(
    response_dict: dict[str, Any], customized_response_dict: dict[str, Any], **_: Any
) -> None:
    catch = _catch.get()
    if catch is None:
        return
    catch.columns = None  # what an earlier attempt of the same call left
    if response_dict["status_code"] != 200:
        return
    body = response_dict["body"]
    if len(body) <= _AT_ONCE:
        found = _read(body, as_items=catch.as_items)
    else:
        found = await asyncio.to_thread(_read, body, as_items=catch.as_items)
    if found is None:
        return
    response_dict["body"], columns, replaced = found
    customized_response_dict.update(replaced)
    catch.columns = None if catch.as_items else columns


def _read(body: bytes, *, as_items: bool) -> tuple[bytes, Columns, dict[str, Any]] | None:
    parts = split(body)
    if parts is None:
        return None
    rest, columns = parts
    replaced: dict[str, Any] = dict(columns.markers)
    if as_items:
        if columns.keys:
            replaced["Contents"] = items(columns)
        if columns.prefixes:
            replaced["CommonPrefixes"] = [{"Prefix": prefix} for prefix in columns.prefixes]
    return rest, columns, replaced

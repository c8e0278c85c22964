"""Asks for pages over the wire, in helper threads, where the client has one.

A thread signs, asks and reads the page; the loop takes the columns from it.
That costs a third of what the client costs. An answer that is not plainly a page
is not judged here: the client asks again, and says what is wrong.
"""

from __future__ import annotations

import contextlib
import time
from functools import partial
from typing import TYPE_CHECKING, Any
from urllib.parse import quote
from weakref import WeakKeyDictionary

from s3magic.listing.parsing import split, told
from s3magic.settings import MiB, defaults
from s3magic.wire.answer import Unplain
from s3magic.wire.lanes import Lanes
from s3magic.wire.wire import wire_of

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Mapping

    from types_aiobotocore_s3 import S3Client

    from s3magic.listing.columns import Columns
    from s3magic.wire.answer import Head
    from s3magic.wire.http1 import Line
    from s3magic.wire.order import Order
    from s3magic.wire.template import Template
    from s3magic.wire.wire import Wire

__all__ = ["Plain", "plain_of"]

_LARGEST = 32 * MiB  # bytes of a page: a thousand of the longest keys, escaped, are ten
_PATIENCE = 3  # answers in a row that are no pages, after which only the client is asked,
_REST = 30.0  # for so many seconds: then one more may show that it was a passing fault
# Of the parameters of ListObjectsV2, what each is called in a query.
_NAMES = {
    "ContinuationToken": "continuation-token",
    "Delimiter": "delimiter",
    "FetchOwner": "fetch-owner",
    "MaxKeys": "max-keys",
    "Prefix": "prefix",
    "StartAfter": "start-after",
}
# By the wire, for the server's way to write pages is that of all its buckets: how many answers
# in a row were no pages, and when the last of them came.
_doubts: WeakKeyDictionary[Wire, tuple[int, float]] = WeakKeyDictionary()


@contextlib.asynccontextmanager
async def plain_of(client: S3Client, bucket: str, most: int) -> AsyncGenerator[Plain | None]:
    """Lend the plain way to a bucket's pages; None where the client has none, or it is off.

    Args:
        client: Any aiobotocore client.
        bucket: The bucket.
        most: Pages at once.
    """
    wire = wire_of(client) if defaults().fast else None
    if wire is None:
        yield None
        return
    threads = Lanes(lambda: most)
    try:
        yield Plain(wire, bucket, threads)
    finally:
        threads.close()
        wire.pool.sweep_later()


class Plain:
    """The plain way to a bucket's pages, for the length of one listing."""

    def __init__(self, wire: Wire, bucket: str, threads: Lanes) -> None:
        self._wire = wire
        self._bucket = bucket
        self._threads = threads

    async def ask(self, request: Mapping[str, Any]) -> tuple[Columns, dict[str, Any]] | None:
        """Ask for a page.

        Args:
            request: The parameters of ListObjectsV2.

        Returns:
            The page's records, and what stands beside them by S3's names; None
            where the client must ask.
        """
        doubts, since = _doubts.get(self._wire, (0, 0.0))
        if doubts >= _PATIENCE and time.monotonic() - since < _REST:
            return None
        template = await self._wire.template("get_object", self._bucket)
        if template is None:
            return None
        work = partial(self._page, template, _query(request))
        try:
            found: tuple[Columns, dict[str, Any]] = await self._threads.do(work)
        except (Unplain, UnicodeError) as unplain:
            status = getattr(unplain, "status", 0)
            if 300 <= status <= 403:  # the bucket may be elsewhere: the client finds out
                template.doubt(status)
            _doubts[self._wire] = doubts + 1, time.monotonic()
            return None
        else:
            _doubts.pop(self._wire, None)
            return found

    def _page(
        self, template: Template, query: str, order: Order[tuple[Columns, dict[str, Any]]]
    ) -> tuple[Columns, dict[str, Any]]:
        """Ask and read, in a thread."""
        request = template.render("", query=query)
        pool = self._wire.pool
        try:
            line, head = pool.ask(
                template.address, request, lambda: iter(()), order.use, chunks=True
            )
            try:
                if head.status != 200 or head.length > _LARGEST:
                    raise Unplain(head.status, "no page")
                body = _read(line, head, order.buffer)
            finally:
                pool.give_back(line)
        except OSError as error:
            raise Unplain(0, "no answer") from error
        parts = split(body)
        beside = parts and told(parts[0])
        if not parts or not beside:
            raise Unplain(200, "no page that is read here")
        return parts[1], beside | {"IsTruncated": beside.get("IsTruncated") == "true"}


def _read(line: Line, head: Head, buffer: memoryview) -> bytes | memoryview:
    """Read an answer's body; AWS sends its pages in chunks, others tell their length."""
    if head.chunked:
        return line.collect(buffer, _LARGEST)
    small = head.length <= len(buffer)  # as pages of a thousand keys are
    body = buffer[: head.length] if small else memoryview(bytearray(head.length))
    line.fill(body)
    return body


def _query(request: Mapping[str, Any]) -> str:
    """Write the parameters of a request as signatures want them: encoded, and sorted."""
    texts = {"list-type": "2", "encoding-type": "url"}
    for name, asked in _NAMES.items():
        if name in request:
            value = request[name]
            texts[asked] = str(value).lower() if isinstance(value, bool) else str(value)
    return "&".join(f"{name}={quote(text, safe='-_.~')}" for name, text in sorted(texts.items()))

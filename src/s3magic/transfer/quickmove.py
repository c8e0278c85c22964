"""Moves a smaller object by four requests on the wire, one behind the other in a helper thread.

They are those of `s3magic.transfer.moving`, with its rules: copy, look at the
target, look at the source, delete on the condition that it is the same. As soon
as one of them is not a plain success, the ordinary way goes on from there.
"""

from __future__ import annotations

import email.utils
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from s3magic.settings import KiB
from s3magic.transfer.attributes import Source
from s3magic.transfer.copying import Copied
from s3magic.transfer.direct import HELD
from s3magic.transfer.quickcopy import answered, copying_template, request
from s3magic.transfer.taking import quoted
from s3magic.wire.answer import Unplain, unanswered

if TYPE_CHECKING:
    import datetime as dt

    from s3magic.transfer.engine import Run
    from s3magic.transfer.plan import Copy
    from s3magic.wire.answer import Head
    from s3magic.wire.order import Order
    from s3magic.wire.pool import Pool
    from s3magic.wire.template import Template

__all__ = ["Moved", "quickly"]

_ANSWER = 64 * KiB  # bytes of an answer that are read


@dataclass(frozen=True, slots=True)
class Moved:
    """How far a move has come.

    Args:
        copied: What was copied.
        deleted: Whether the source was deleted, too.
    """

    copied: Copied
    deleted: bool


async def quickly(shared: Run, job: Copy) -> Moved | None:
    """Move an object as far as that goes plainly; None where nothing is known to be done.

    Args:
        shared: What the jobs share.
        job: Source and target; they must be known to be two objects.
    """
    direct = shared.direct
    copying = await copying_template(shared, job)
    if direct is None or copying is None:
        return None
    wire, condition = direct.wire, {"IfMatch": "any"} if job.version_id is None else {}
    there = await wire.template("head_object", job.target.bucket)
    here = await wire.template("head_object", job.uri.bucket)
    deleting = await wire.template("delete_object", job.uri.bucket, condition)
    if there is None or here is None or deleting is None:
        return None
    work = _Work(wire.pool, job, copying, there, here, deleting)
    size = job.size or 0
    async with shared.slots.take(HELD, size, ahead=True):
        return await direct.do(copying, work, size)


@dataclass(frozen=True, slots=True)
class _Work:
    """The blocking work.

    Args:
        pool: The idle connections.
        job: Source and target.
        copying: The kind of request that copies.
        there: That looks at the target.
        here: That looks at the source.
        deleting: That deletes the source.
    """

    pool: Pool
    job: Copy
    copying: Template
    there: Template
    here: Template
    deleting: Template

    def __call__(self, order: Order[Any]) -> Moved:
        """Copy, and go on as far as that goes plainly.

        Raises:
            Unplain: Nobody knows of a copy.
        """
        job = self.job
        head, body = self._ask(order, self.copying, request(self.copying, job))
        etag = answered(head, body, job)
        copied = Copied(Source(job.size or 0, job.etag, job.storage_class or ""), etag)
        try:
            written = self._look(order, self.there, job.target.key, "", etag)
            version = "" if job.version_id is None else f"versionId={quoted(job.version_id)}"
            if self._look(order, self.here, job.uri.key, version, job.etag) > written:
                return Moved(copied, deleted=False)
            named = {} if version else {"if-match": f'"{job.etag}"'}
            asked = self.deleting.render(job.uri.key, named, query=version)
            head, body = self._ask(order, self.deleting, asked)
        except Unplain:
            return Moved(copied, deleted=False)
        # A 200 may have an error inside; of a 204 nothing more is to be said.
        return Moved(copied, deleted=head.status == 204 or (head.status == 200 and not body))

    def _look(
        self, order: Order[Any], template: Template, key: str, query: str, etag: str
    ) -> dt.datetime:
        """Look at an object; gives when it was written.

        Raises:
            Unplain: It is not there, or not what is wanted.
        """
        asked = template.render(key, query=query)
        head, _ = self._ask(order, template, asked, empty=True)
        same = (head.get(b"etag") or "").strip('"') == etag and head.length == self.job.size
        if head.status != 200 or not same:
            raise Unplain(head.status, "another object")
        try:
            return email.utils.parsedate_to_datetime(head.get(b"last-modified") or "")
        except ValueError as error:
            raise Unplain(200, "no time") from error

    def _ask(
        self, order: Order[Any], template: Template, asked: bytes, *, empty: bool = False
    ) -> tuple[Head, bytes]:
        """Ask, and read the answer to its end."""
        try:
            line, head = self.pool.ask(
                template.address, asked, tuple, order.use, chunks=True, empty=empty
            )
            try:
                if head.chunked:
                    return head, line.collect(order.buffer, _ANSWER)
                body = bytearray(0 if empty else min(head.length, _ANSWER))
                line.fill(memoryview(body))
                return head, bytes(body)
            finally:
                self.pool.give_back(line)
        except OSError as error:
            raise unanswered(error) from error

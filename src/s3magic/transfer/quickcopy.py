"""Copies a smaller object by one request on the wire, with no task of its own.

Only where a listing has told all that is to be known. Whatever is not a plain
success is left to `s3magic.transfer.copying`; to copy twice is no harm.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import quote

from s3magic.settings import MiB
from s3magic.transfer.attributes import Source
from s3magic.transfer.copying import arguments, rewritten, threshold
from s3magic.transfer.proving import differs
from s3magic.transfer.swift import Quick
from s3magic.wire.answer import Unplain

if TYPE_CHECKING:
    from s3magic.transfer.engine import Run
    from s3magic.transfer.plan import Copy
    from s3magic.wire.answer import Head
    from s3magic.wire.template import Template

__all__ = ["answered", "copying_template", "quick", "request"]

_QUICK = 8 * MiB  # above it the server takes its time, which says nothing of how busy it is
_RESULT = re.compile(rb"<CopyObjectResult\b.*?<ETag>(?:&quot;|&#34;|\")?([^<&\"]+)", re.DOTALL)


async def quick(shared: Run, job: Copy) -> Quick | None:
    """Give the way to copy an object wholly in a helper thread; None if there is none.

    Args:
        shared: What the jobs share.
        job: Source, target, and what is replaced.
    """
    template = await copying_template(shared, job)
    if shared.direct is None or template is None:
        return None
    return _Small(shared.direct.wire.pool, template, job)


async def copying_template(shared: Run, job: Copy) -> Template | None:
    """Give the kind of request that copies an object; None where the client must do it.

    Args:
        shared: What the jobs share.
        job: Source, target, and what is replaced.
    """
    listed = job.size is not None and job.etag and job.storage_class is not None
    if shared.direct is None or shared.no_clobber or not listed:
        return None
    if (job.size or 0) >= min(_QUICK, threshold()):
        return None
    if rewritten(job) or job.uri.bucket.startswith("arn:"):  # it is written otherwise
        return None
    source = Source(job.size or 0, job.etag, job.storage_class or "")
    # Of these two each request has its own; what is named here is any one's.
    named = {"CopySource": "any/any", "CopySourceIfMatch": "any", **arguments(job, source)}
    return await shared.direct.wire.template("copy_object", job.target.bucket, named)


def request(template: Template, job: Copy) -> bytes:
    """Give the request that copies an object, signed now."""
    named = quote(f"{job.uri.bucket}/{job.uri.key}", safe="/~")
    if job.version_id is not None:
        named += f"?versionId={job.version_id}"
    own = {
        "content-length": "0",
        "x-amz-copy-source": named,
        "x-amz-copy-source-if-match": f'"{job.etag}"',
    }
    return template.render(job.target.key, own)


def answered(head: Head, body: bytes | memoryview, job: Copy) -> str:
    """Check the answer, which may be an error inside a 200; gives the target's ETag.

    Raises:
        Unplain: The ordinary way shall find out.
    """
    told = _RESULT.search(body)
    sealed = (head.get(b"x-amz-server-side-encryption") or "").startswith("aws:kms")
    if head.status != 200 or told is None:
        raise Unplain(head.status, "no copy")
    etag = told[1].decode("latin-1")
    if differs(etag, job.etag) and not sealed:
        raise Unplain(0, "of another object, perhaps")
    return etag


@dataclass(slots=True)
class _Small(Quick):
    """An object to be copied.

    Args:
        job: Source and target.
    """

    job: Copy

    @property
    def chunks(self) -> bool:
        """Whether the answer may come in chunks: AWS begins it before it knows its end."""
        return True

    def request(self) -> bytes:
        """Give the request."""
        return request(self.template, self.job)

    def finish(self, head: Head, body: memoryview) -> int:
        """Check the answer; gives the bytes of the object."""
        answered(head, body, self.job)
        return self.job.size or 0

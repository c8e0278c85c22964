"""Copies one object in parts, side by side, on the server's side.

All parts are of one object: each request names the ETag that was read first,
and at the end the source is looked at once more, for servers that do not care.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from s3magic.settings import defaults
from s3magic.transfer.attributes import kept, tagging
from s3magic.transfer.multipart import combined, multipart
from s3magic.transfer.plan import cut, upload_part_size
from s3magic.transfer.proving import Wanted, named, refuse_changed, verify
from s3magic.transfer.window import each, stream

if TYPE_CHECKING:
    from collections.abc import Mapping

    from s3magic.transfer.attributes import Source
    from s3magic.transfer.engine import Run
    from s3magic.transfer.plan import Copy, Part

__all__ = ["in_parts"]


async def in_parts(shared: Run, job: Copy, number: int, source: Source) -> str:
    """Copy an object part by part; gives the target's ETag, without quotes.

    Args:
        shared: What the jobs share.
        job: Source, target, and what is replaced.
        number: The job's number at the meter.
        source: The object, as it was looked at just now.

    Raises:
        Exception: There is no more at the target than there was, and no part of it.
    """
    client = shared.client
    headers = {**kept(source.head), **source.placed(job.target), **job.replaced}
    if "Tagging" not in headers:
        tags = await tagging(client, job.uri, job.version_id)
        if tags is None:
            shared.meter.note = "without tags that could not be read"
        elif tags:
            headers["Tagging"] = tags
    parts = cut(source.size, upload_part_size(source.size, defaults().copy_part_size))
    etags: dict[int, str] = {}
    try:
        async with multipart(client, job.target, headers) as where:

            async def one(part: Part) -> None:
                async with shared.slots.take(0, part.size):
                    answer = await client.upload_part_copy(
                        **where,
                        PartNumber=part.index + 1,
                        CopySource=job.copy_source,
                        CopySourceRange=f"bytes={part.start}-{part.stop - 1}",
                        CopySourceIfMatch=f'"{source.etag}"',
                    )
                etags[part.index] = named(answer.get("CopyPartResult") or {}, job)
                shared.meter.advance(number, part.size)

            await each(stream(parts), one, shared.lanes, shared.slots.room)
            # Once more, for a server that knows no conditions: its parts may be of two objects.
            await refuse_changed(client, job, source)
            return await _complete(shared, job, source, where, etags)
    except Exception:
        shared.meter.advance(number, -sum(parts[index].size for index in etags))
        raise


async def _complete(
    shared: Run, job: Copy, source: Source, where: dict[str, Any], etags: Mapping[int, str]
) -> str:
    """Make one object of the parts; gives its ETag."""
    ordered: Any = [{"PartNumber": at + 1, "ETag": f'"{etags[at]}"'} for at in sorted(etags)]
    condition: Any = {"IfNoneMatch": "*"} if shared.no_clobber else {}
    wanted = Wanted(source.size, combined(ordered).strip('"'))
    try:
        answer = await shared.client.complete_multipart_upload(
            **where, MultipartUpload={"Parts": ordered}, **condition
        )
        return named(answer, job)
    except Exception as error:  # noqa: BLE001 - raised again unless it did work
        await verify(shared.client, job, wanted, error)
        return wanted.etag

"""Aborts several open uploads under a progress, and keeps what became of each."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING

from s3magic.commands.showing.displays import display
from s3magic.commands.sources.open_uploads import OpenUpload, abort
from s3magic.transfer.progress import Meter
from s3magic.transfer.watching import watching
from s3magic.transfer.window import each, stream
from s3magic.translation import translate

if TYPE_CHECKING:
    from collections.abc import Sequence

    from types_aiobotocore_s3 import S3Client

    from s3magic.errors import S3Error
    from s3magic.model import Status

__all__ = ["Ended", "aborted"]

_LANES = 16  # requests at once


@dataclass(frozen=True, slots=True)
class Ended:
    """What became of one upload that was to be aborted."""

    status: Status
    error: S3Error | None = None


async def aborted(
    client: S3Client, uploads: Sequence[OpenUpload], progress: str | None
) -> dict[OpenUpload, Ended]:
    """Abort uploads; one that fails leaves the others alone, and so does a stop.

    Args:
        client: Any aiobotocore client.
        uploads: What to abort.
        progress: As a verb takes it.
    """
    ended = {upload: Ended("cancelled") for upload in uploads}
    meter = Meter("Aborting", "Aborted", noun="upload", files=len(uploads))

    async def one(upload: OpenUpload) -> None:
        try:
            await abort(client, upload)
        except Exception as error:  # noqa: BLE001 - each becomes its row
            ended[upload] = Ended("failed", translate(error, f"abort {upload}"))
            meter.failed += 1
        else:
            ended[upload] = Ended("done")
            meter.tally()

    loop = asyncio.get_running_loop()
    async with watching(meter, display(progress)):
        working = loop.create_task(each(stream(uploads), one, _LANES), name="s3magic-abort-all")
        meter.on_stop(lambda: loop.call_soon_threadsafe(working.cancel))
        try:
            await working
        except asyncio.CancelledError:
            task = asyncio.current_task()
            if not meter.stopped or (task is not None and task.cancelling()):
                raise
        finally:
            meter.on_stop(lambda: None)
    return ended

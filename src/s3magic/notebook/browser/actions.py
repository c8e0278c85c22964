"""What the explorer does with what is selected: bring it here, send, link, delete.

Transfers are background jobs: they go on while cells run, and whoever leaves
the explorer finds them in ``%s3jobs``.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from s3magic.commands.get import get
from s3magic.commands.put import put
from s3magic.commands.rm import rm
from s3magic.commands.running.background import begin, told
from s3magic.translation import translate
from s3magic.uri import S3Uri

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pandas import DataFrame
    from types_aiobotocore_s3 import S3Client

    from s3magic.commands.running.job import Job
    from s3magic.notebook.browser.entries import Entry

__all__ = ["delete", "download", "linked", "upload"]

_HOUR = 3600  # seconds that a link is good for


def download(entries: Sequence[Entry], target: str) -> Job:
    """Begin to bring objects, and folders with all that is in them, into a folder."""
    folder = f"{(target or '.').rstrip('/')}/"
    objects = [entry.uri for entry in entries if not entry.folder]
    folders = [entry.uri for entry in entries if entry.folder]

    async def bring() -> DataFrame:
        reports: list[Any] = []
        if objects:
            reports.append(await get(objects, folder, errors="return"))
        if folders:
            # Of a column each keeps its own name, also if it is the only one.
            several = await asyncio.to_thread(_column, folders)
            reports.append(await get(several, folder, recursive=True, errors="return"))
        return await asyncio.to_thread(_joined, reports)

    named = [entry.uri for entry in entries]
    return begin(told("get", named, folder), bring(), progress="none")


def upload(files: Sequence[tuple[str, bytes]], place: S3Uri, *, replace: bool) -> Job:
    """Begin to send files into a folder.

    Args:
        files: The name and the content of each.
        place: The folder, or the bucket.
        replace: Whether an object of the same name is overwritten.
    """

    async def send() -> DataFrame:
        reports: list[Any] = []
        for name, content in files:
            uri = S3Uri(place.bucket, place.folder + name)
            reports.append(await put(content, uri, no_clobber=not replace, errors="return"))
        return await asyncio.to_thread(_joined, reports)

    return begin(told("put", [name for name, _ in files], place), send(), progress="none")


async def linked(client: S3Client, entry: Entry) -> str:
    """Give a link that reads an object, for an hour."""
    try:
        link: str = await client.generate_presigned_url(
            "get_object",
            Params={"Bucket": entry.uri.bucket, "Key": entry.uri.key},
            ExpiresIn=_HOUR,
        )
    except Exception as error:
        raise translate(error, f"link to {entry.uri}") from error
    return link


async def delete(frame: DataFrame) -> DataFrame:
    """Delete objects, and folders with all that is in them; the person has been asked."""
    return await rm(frame, recursive=True, yes=True, errors="return", progress="none")


def _column(uris: Sequence[S3Uri]) -> Any:
    import pandas as pd

    return pd.Series([str(uri) for uri in uris], dtype="string")


def _joined(reports: list[Any]) -> Any:
    import pandas as pd

    return pd.concat(reports, ignore_index=True)

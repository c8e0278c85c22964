"""Five awaitables for an S3 client: upload, download, delete one, delete many, list.

Each takes any aiobotocore client first. Where S3 refuses, they raise an error
of s3magic's tree, which is also the matching builtin; botocore's own
``ClientError`` is its ``__cause__``.
"""

from __future__ import annotations

import asyncio
import contextlib
import io
from pathlib import Path
from typing import TYPE_CHECKING, Any

from s3magic.errors import BadArgument, Damaged, NoSuchKey, S3Error
from s3magic.listing.hook import install, taking
from s3magic.listing.query import Query
from s3magic.settings import MiB, defaults
from s3magic.transfer.delete_keys import delete
from s3magic.transfer.engine import Run
from s3magic.transfer.plan import Upload
from s3magic.transfer.pressure import feeling
from s3magic.transfer.progress import Meter
from s3magic.transfer.upload import send
from s3magic.translation import translate
from s3magic.uri import S3Uri

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from types_aiobotocore_s3 import S3Client

    from s3magic.model import S3Item

__all__ = ["delete_file", "delete_files", "download_file", "list_files", "upload_file"]


async def upload_file(
    client: S3Client, bucket: str, file: Path, path: str, *, acl: str | None = None
) -> dict[str, Any]:
    """Upload a file of any size, in constant memory.

    A large one goes in parts. The object is there whole or as it was before: an
    upload that fails or is cancelled leaves no part behind.

    Args:
        client: Any aiobotocore S3 client.
        bucket: The bucket.
        file: The file.
        path: The key.
        acl: A canned ACL, such as ``public-read``. None sends none: ``private``
            is what S3 does anyway, and a bucket whose ACLs are disabled, as new
            ones are, refuses a request that names one.

    Returns:
        S3's answer to PutObject, or to CompleteMultipartUpload.

    Raises:
        NoSuchFile: There is no such file.
        NoSuchBucket: There is no such bucket.
        AccessDenied: Writing there is not allowed.

    Example:
        >>> await upload_file(client, "my-bucket", Path("local.txt"), "remote/path.txt")
    """
    source, uri = Path(file), S3Uri(bucket, path)
    try:
        found = await asyncio.to_thread(source.stat)
    except OSError as error:
        raise translate(error, f"read {source}") from error
    headers = {} if acl is None else {"ACL": acl}
    job = Upload(source, uri, found.st_size, str(source), headers)
    usual = defaults()
    meter = Meter(doing="Uploading", did="Uploaded")
    shared = Run(client, meter, usual.concurrency, usual.part_size, usual.multipart_threshold)
    with feeling(client, shared.level):
        return await send(shared, job, meter.begin(job.name, job.size))


async def download_file(
    client: S3Client,
    bucket: str,
    path: str,
    *,
    chunk_size: int = MiB,
    on_start: Callable[[int], object] | None = None,
    on_update: Callable[[int], object] | None = None,
) -> io.BytesIO | None:
    """Download an object into memory; for a large one to disk use ``s3.get``.

    Args:
        client: Any aiobotocore S3 client.
        bucket: The bucket.
        path: The key.
        chunk_size: Bytes of a chunk; only the last may be smaller.
        on_start: Called once with the object's size in bytes.
        on_update: Called after each chunk with the chunk's size in bytes.

    Returns:
        The bytes, at their beginning; none for an object of 0 bytes; None where
        there is no such key.

    Raises:
        NoSuchBucket: There is no such bucket.
        AccessDenied: Reading is not allowed, or the key is missing and listing
            is not allowed.
        Damaged: Fewer bytes came than S3 had promised.

    Example:
        >>> content = await download_file(client, "my-bucket", "remote/path.txt")
        >>> data = content.read()
    """
    if chunk_size < 1:
        raise BadArgument(f"chunk_size={chunk_size} cannot be: it must be 1 or more bytes.")
    action = f"get {S3Uri(bucket, path)}"
    try:
        answer = await client.get_object(Bucket=bucket, Key=path)
    except Exception as error:
        ours = translate(error, action)
        if isinstance(ours, NoSuchKey):
            return None
        raise ours from error
    total = answer.get("ContentLength")
    content = io.BytesIO()
    body = answer["Body"]
    async with body:
        if on_start is not None:
            on_start(total or 0)
        while chunk := await _read_into(content, body, chunk_size, action):
            if on_update is not None:
                on_update(chunk)
    if total is not None and content.tell() != total:
        raise Damaged(f"Cannot {action}: {content.tell():,} bytes came, and {total:,} were to.")
    content.seek(0)
    return content


async def delete_file(client: S3Client, bucket: str, path: str) -> dict[str, Any]:
    """Delete an object; one that is not there is no error, as S3 has it.

    Args:
        client: Any aiobotocore S3 client.
        bucket: The bucket.
        path: The key.

    Returns:
        S3's answer to DeleteObject.

    Raises:
        NoSuchBucket: There is no such bucket.
        AccessDenied: Deleting is not allowed.

    Example:
        >>> response = await delete_file(client, "my-bucket", "path/to/file.txt")
    """
    try:
        return dict(await client.delete_object(Bucket=bucket, Key=path))
    except Exception as error:
        raise translate(error, f"delete {S3Uri(bucket, path)}") from error


async def delete_files(
    client: S3Client,
    bucket: str,
    paths: Iterable[str],
    quiet: bool = True,  # noqa: FBT001, FBT002 - a documented signature
) -> dict[str, Any]:
    """Delete any number of objects, a thousand a request.

    One that cannot be deleted does not keep the others: look at ``Errors``.

    Args:
        client: Any aiobotocore S3 client.
        bucket: The bucket.
        paths: The keys.
        quiet: Leave ``Deleted`` out of the answer.

    Returns:
        One answer in the shape of DeleteObjects for all requests: ``Errors``
        (``Key``, ``Code``, ``Message``) and, unless quiet, ``Deleted``. A list
        with nothing in it is left out.

    Raises:
        BadArgument: `paths` is one text, or holds what is no key; nothing was
            deleted.
        S3Error: A whole request failed; the keys may be deleted in part. To
            run it again is no harm.

    Example:
        >>> response = await delete_files(client, "my-bucket", ["file1.txt", "file2.txt"])
    """
    if isinstance(paths, str):
        raise BadArgument(
            f"Cannot delete {paths!r}: it is one text, and would be read letter by letter.",
            hint="Write [path], or use delete_file.",
        )
    return await delete(client, bucket, list(paths), quiet=quiet)


async def list_files(
    client: S3Client,
    bucket: str,
    path: str,
    *,
    search_query: str | None = None,
    max_items: int | None = None,
    page_size: int | None = None,
    starting_token: str | None = None,
) -> list[S3Item]:
    """List the objects whose keys begin with a prefix, as S3's ListObjects tells of them.

    Args:
        client: Any aiobotocore S3 client.
        bucket: The bucket.
        path: The prefix.
        search_query: JMESPath such as ``Contents[?Size > `100`][]``, searched in
            each page, as botocore's paginator does. Dates compare:
            ``Contents[?LastModified > `2024-01-31`][]``.
        max_items: Objects at most, before the query.
        page_size: Objects asked for in one request.
        starting_token: A ``resume_token`` of botocore's paginator, to go on with.

    Returns:
        The objects; with a query, what it finds.

    Raises:
        NoSuchBucket: There is no such bucket.
        AccessDenied: Listing is not allowed.
        BadQuery: JMESPath refuses the query; nothing was asked.

    Example:
        >>> files = await list_files(client, "my-bucket", "uploads/", max_items=100)
    """
    query = None if search_query is None else Query(search_query)
    config: dict[str, Any] = {
        "MaxItems": max_items,
        "PageSize": page_size,
        "StartingToken": starting_token,
    }
    install(client)
    found: list[Any] = []
    try:
        asked: Any = client.get_paginator("list_objects").paginate(
            Bucket=bucket,
            Prefix=path,
            PaginationConfig={name: given for name, given in config.items() if given is not None},  # type: ignore[arg-type]
        )
        with taking(as_items=True):
            async with contextlib.aclosing(aiter(asked)) as pages:
                async for page in pages:
                    items = page.get("Contents", [])
                    found += await asyncio.to_thread(query.search, items) if query else items
    except S3Error:
        raise
    except Exception as error:
        raise translate(error, f"list {S3Uri(bucket, path)}") from error
    return found


async def _read_into(content: io.BytesIO, body: Any, size: int, action: str) -> int:
    """Append the next `size` bytes, fewer only at the end; gives how many they were."""
    wanted = size
    try:
        # One read gives what has arrived, which is less than was asked for.
        while wanted and (piece := await body.read(wanted)):
            content.write(piece)
            wanted -= len(piece)
    except Exception as error:
        raise translate(error, action) from error
    return size - wanted

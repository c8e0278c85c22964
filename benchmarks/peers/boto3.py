"""boto3, as its guide "File transfer configuration" and its notes on threads have it.

One client for all threads, which the guide calls safe, with as many pooled
connections as threads. Large objects go through the transfer manager with its
own ten threads: more of them only wait for each other on two cores. Small ones
go by GetObject and PutObject from 32 threads; the transfer manager would ask
for each one's size first.
"""

from __future__ import annotations

import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

import boto3
import pandas as pd
from boto3.s3.transfer import TransferConfig
from botocore.config import Config

from benchmarks.sizes import MiB

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from benchmarks.place import Place

__all__ = ["Peer"]

_THREADS = 32
_LARGE = 8 * MiB
_TRANSFER = TransferConfig(
    max_concurrency=10, multipart_threshold=_LARGE, multipart_chunksize=_LARGE
)
# Within a folder the files are the parallelism.
_ALONE = TransferConfig(use_threads=False, multipart_threshold=_LARGE, multipart_chunksize=_LARGE)


class Peer:
    """boto3 in a warm process."""

    def __init__(self, place: Place) -> None:
        self._client = boto3.client(
            "s3",
            endpoint_url=place.endpoint_url,
            config=Config(
                max_pool_connections=_THREADS,
                s3={"addressing_style": "path"},
                request_checksum_calculation="when_required",
                response_checksum_validation="when_required",
            ),
        )

    def get_file(self, bucket: str, key: str, path: str) -> None:
        """Get one object into a file, in parallel ranges."""
        self._client.download_file(bucket, key, path, Config=_TRANSFER)

    def put_file(self, path: str, bucket: str, key: str) -> None:
        """Put one file, in parallel parts."""
        self._client.upload_file(path, bucket, key, Config=_TRANSFER)

    def get_folder(self, bucket: str, prefix: str, path: str) -> None:
        """Get everything below a prefix, 32 objects at once."""

        def get(key: str) -> None:
            target = Path(path, key.removeprefix(prefix))
            target.parent.mkdir(parents=True, exist_ok=True)
            body = self._client.get_object(Bucket=bucket, Key=key)["Body"]
            with target.open("wb") as file:
                shutil.copyfileobj(body, file, MiB)

        _spread(get, (found["Key"] for found in self._pages(bucket, prefix)))

    def put_folder(self, path: str, bucket: str, prefix: str) -> None:
        """Put everything below a folder, 32 files at once."""

        def put(source: Path) -> None:
            key = prefix + source.relative_to(path).as_posix()
            if source.stat().st_size >= _LARGE:
                self._client.upload_file(str(source), bucket, key, Config=_ALONE)
                return
            with source.open("rb") as file:
                self._client.put_object(Bucket=bucket, Key=key, Body=file)

        _spread(put, (found for found in Path(path).rglob("*") if found.is_file()))

    def list_keys(self, bucket: str, prefix: str) -> pd.DataFrame:
        """List all keys of a folder, into a DataFrame."""
        return pd.DataFrame(self._pages(bucket, prefix))

    def get_bytes(self, bucket: str, key: str) -> bytes:
        """Get one object into memory."""
        body: bytes = self._client.get_object(Bucket=bucket, Key=key)["Body"].read()
        return body

    def _pages(self, bucket: str, prefix: str) -> Iterator[dict[str, Any]]:
        pages = self._client.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)
        for page in pages:
            yield from page.get("Contents", ())


def _spread(do: Callable[[Any], None], over: Iterable[Any]) -> None:
    with ThreadPoolExecutor(_THREADS) as pool:
        for _ in pool.map(do, over):
            pass

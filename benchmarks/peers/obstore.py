"""obstore, by its asynchronous functions, which its documentation has for many things at once.

Many small objects go in 64 lanes, side by side. A large one comes in ranges,
written where they belong: one stream is bound to one connection. Parts of an
upload are its own affair (``put`` sends twelve at once). Listings come as
Arrow batches, which it calls the fastest form, and are left in Arrow: that is
what s3magic's DataFrame is held against.
"""

from __future__ import annotations

import asyncio
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import obstore
import pyarrow as pa
from obstore.store import S3Store

from benchmarks.place import REGION
from benchmarks.sizes import MiB

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable

    from benchmarks.place import Place

__all__ = ["Peer"]

_RANGE = 8 * MiB
_RANGES = 12  # at once, as many as its put sends
_FILES = 64
_PAGE = 1000


class Peer:
    """obstore on the worker's running loop."""

    def __init__(self, place: Place) -> None:
        self._place = place
        self._stores: dict[str, S3Store] = {}

    async def get_file(self, bucket: str, key: str, path: str) -> None:
        """Get one object into a file, in ranges side by side."""
        store = self._store(bucket)
        size = (await obstore.head_async(store, key))["size"]
        with Path(path).open("wb") as file:
            os.truncate(file.fileno(), size)

            async def fetch(start: int) -> None:
                end = min(start + _RANGE, size)
                piece = await obstore.get_range_async(store, key, start=start, end=end)
                os.pwrite(file.fileno(), piece, start)

            await _lanes(fetch, range(0, size, _RANGE), _RANGES)

    async def put_file(self, path: str, bucket: str, key: str) -> None:
        """Put one file, in its own parallel parts."""
        await obstore.put_async(self._store(bucket), key, Path(path))

    async def get_folder(self, bucket: str, prefix: str, path: str) -> None:
        """Get everything below a prefix, 64 objects at once.

        The listing told the sizes: one ranged call a small object costs less
        than an answer and then its bytes.
        """
        store = self._store(bucket)
        made: set[str] = set()

        async def get(found: tuple[str, int]) -> None:
            key, size = found
            target = f"{path}/{key.removeprefix(prefix)}"
            if (folder := target.rpartition("/")[0]) not in made:
                Path(folder).mkdir(parents=True, exist_ok=True)
                made.add(folder)
            with open(target, "wb") as file:  # noqa: PTH123 - a Path a file is a tenth of the time
                if 0 < size <= _RANGE:
                    file.write(await obstore.get_range_async(store, key, start=0, length=size))
                elif size:
                    async for chunk in (await obstore.get_async(store, key)).stream():
                        file.write(chunk)

        listed: list[tuple[str, int]] = []
        batches = obstore.list(store, prefix, chunk_size=_PAGE, return_arrow=True)
        async for batch in batches:
            columns = pa.record_batch(batch)
            listed += zip(columns["path"].to_pylist(), columns["size"].to_pylist(), strict=True)
        await _lanes(get, listed, _FILES)

    async def put_folder(self, path: str, bucket: str, prefix: str) -> None:
        """Put everything below a folder, 64 files at once."""
        store = self._store(bucket)

        async def put(source: Path) -> None:
            await obstore.put_async(store, prefix + source.relative_to(path).as_posix(), source)

        await _lanes(put, (found for found in Path(path).rglob("*") if found.is_file()), _FILES)

    def list_keys(self, bucket: str, prefix: str) -> pa.Table:
        """List all keys of a folder, into an Arrow table."""
        batches = obstore.list(
            self._store(bucket), prefix or None, chunk_size=_PAGE, return_arrow=True
        )
        return pa.Table.from_batches([pa.record_batch(batch) for batch in batches])

    async def get_bytes(self, bucket: str, key: str) -> Any:
        """Get one object into memory."""
        answer = await obstore.get_async(self._store(bucket), key)
        return await answer.bytes_async()

    def _store(self, bucket: str) -> S3Store:
        if bucket not in self._stores:
            place = self._place
            self._stores[bucket] = S3Store(
                bucket,
                endpoint=place.endpoint_url,
                access_key_id=place.access_key,
                secret_access_key=place.secret_key,
                region=REGION,
                client_options={
                    "allow_http": True,
                    "allow_invalid_certificates": bool(place.ca_file),
                },
            )
        return self._stores[bucket]


async def _lanes(do: Callable[[Any], Awaitable[None]], over: Iterable[Any], lanes: int) -> None:
    """Do something for each, so many at once: lanes cost less than a task for each."""
    waiting = iter(over)

    async def lane() -> None:
        for one in waiting:
            await do(one)

    await asyncio.gather(*(lane() for _ in range(lanes)))

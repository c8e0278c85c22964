"""s3magic, by its public awaitables and with every default, as a cell has it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import s3magic as s3

if TYPE_CHECKING:
    import pandas as pd

    from benchmarks.place import Place

__all__ = ["Peer"]


class Peer:
    """s3magic on the worker's running loop; it finds the server by the environment."""

    def __init__(self, place: Place) -> None:
        self._place = place

    async def get_file(self, bucket: str, key: str, path: str) -> None:
        """Get one object into a file."""
        await s3.get(f"s3://{bucket}/{key}", path, progress="none")

    async def put_file(self, path: str, bucket: str, key: str) -> None:
        """Put one file."""
        await s3.put(path, f"s3://{bucket}/{key}", progress="none")

    async def get_folder(self, bucket: str, prefix: str, path: str) -> None:
        """Get everything below a prefix."""
        await s3.get(f"s3://{bucket}/{prefix}", path, recursive=True, progress="none")

    async def put_folder(self, path: str, bucket: str, prefix: str) -> None:
        """Put everything below a folder."""
        await s3.put(path, f"s3://{bucket}/{prefix}", recursive=True, progress="none")

    async def list_keys(self, bucket: str, prefix: str) -> pd.DataFrame:
        """List all keys of a folder, into a DataFrame."""
        return await s3.ls(f"s3://{bucket}/{prefix}", recursive=True, progress="none")

    async def get_bytes(self, bucket: str, key: str) -> bytes:
        """Get one object into memory."""
        return await s3.get(f"s3://{bucket}/{key}", None, progress="none")

    def frame_bytes(self, answer: Any) -> int:
        """Say how much memory a listing holds."""
        return int(answer.memory_usage(index=True, deep=True).sum())

"""s3fs, by its bulk operations, which its documentation says run concurrently inside.

Its own batch sizes (128 files, ten parts a file) are kept: they multiply, as
`S3FileSystem` warns. Its cache of listings is off, or the second round would
ask nothing of the server.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd
from s3fs import S3FileSystem

if TYPE_CHECKING:
    from benchmarks.place import Place

__all__ = ["Peer"]


class Peer:
    """s3fs in a warm process, with its loop in a thread of its own."""

    def __init__(self, place: Place) -> None:
        self._files = S3FileSystem(
            endpoint_url=place.endpoint_url,
            use_listings_cache=False,
            config_kwargs={
                "s3": {"addressing_style": "path"},
                "request_checksum_calculation": "when_required",
                "response_checksum_validation": "when_required",
                "max_pool_connections": 128,
            },
        )

    def get_file(self, bucket: str, key: str, path: str) -> None:
        """Get one object into a file."""
        self._files.get_file(f"{bucket}/{key}", path)

    def put_file(self, path: str, bucket: str, key: str) -> None:
        """Put one file."""
        self._files.put_file(path, f"{bucket}/{key}")

    def get_folder(self, bucket: str, prefix: str, path: str) -> None:
        """Get everything below a prefix, in one bulk operation."""
        self._files.get(f"{bucket}/{prefix}", f"{path}/", recursive=True)

    def put_folder(self, path: str, bucket: str, prefix: str) -> None:
        """Put everything below a folder, in one bulk operation."""
        self._files.put(f"{path}/", f"{bucket}/{prefix}", recursive=True)

    def list_keys(self, bucket: str, prefix: str) -> pd.DataFrame:
        """List all keys of a folder, into a DataFrame."""
        found = self._files.find(f"{bucket}/{prefix}", detail=True)
        return pd.DataFrame(list(found.values()))

    def get_bytes(self, bucket: str, key: str) -> bytes:
        """Get one object into memory."""
        data: bytes = self._files.cat_file(f"{bucket}/{key}")
        return data

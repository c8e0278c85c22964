"""What every task stands on: the server, a memory-backed folder, a look at both from outside."""

from __future__ import annotations

import contextlib
import itertools
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import boto3
import psutil
from botocore.config import Config

from benchmarks import proxy
from benchmarks.place import LATENCY, REGION
from benchmarks.server import Server

if TYPE_CHECKING:
    from benchmarks.place import Place
    from benchmarks.sizes import Sizes

__all__ = ["Bed"]

_MEMORY = Path("/dev/shm")  # noqa: S108 - a memory file system is the point


class Bed:
    """A server with nothing in it, for as long as the ``with`` block lasts.

    All that it makes lies below one folder, which is removed at the end, by
    the server's guard too if this process dies.

    Args:
        sizes: How much the tasks move.
    """

    def __init__(self, sizes: Sizes) -> None:
        self.sizes = sizes
        self.folder = Path(tempfile.mkdtemp(prefix="s3magic-bench-", dir=_MEMORY))
        self.server = Server(self.folder)
        self._line: subprocess.Popen[str] | None = None
        self._line_port = 0
        self._numbers = itertools.count()

    def __enter__(self) -> Self:
        try:
            self.server.__enter__()
            self.client = self._make_client()
        except BaseException:
            shutil.rmtree(self.folder, ignore_errors=True)
            raise
        return self

    def __exit__(self, *_exception: object) -> None:
        if self._line is not None:
            self._line.communicate()  # its input closes, and so it ends
        with contextlib.suppress(Exception):
            self.client.close()
        self.server.__exit__()
        shutil.rmtree(self.folder, ignore_errors=True)

    def place(self, variant: str) -> Place:
        """Give the way to the server that a variant takes."""
        match variant:
            case "plain":
                return self.server.plain
            case "tls":
                return self.server.tls
            case _:
                return self.server.through(self._slow_port())

    def fresh(self, name: str) -> Path:
        """Name a file or folder below the bed's own that is not there yet."""
        return self.folder / f"{name}-{next(self._numbers)}"

    def make_bucket(self, name: str) -> str:
        """Make a bucket, its volumes too; gives the name that it got."""
        bucket = f"{name}-{next(self._numbers)}"
        self.client.create_bucket(Bucket=bucket)
        self.server.make_room(bucket)
        return bucket

    def drop_bucket(self, bucket: str) -> None:
        """Delete a bucket with all that is in it; its memory is free then."""
        self.client.delete_bucket(Bucket=bucket)

    def free(self) -> int:
        """Give the bytes of memory that nobody uses, here and on the memory file system."""
        return min(psutil.virtual_memory().available, shutil.disk_usage(self.folder).free)

    def _make_client(self) -> Any:
        place = self.server.plain
        return boto3.client(
            "s3",
            endpoint_url=place.endpoint_url,
            aws_access_key_id=place.access_key,
            aws_secret_access_key=place.secret_key,
            region_name=REGION,
            config=Config(s3={"addressing_style": "path"}, read_timeout=300),
        )

    def _slow_port(self) -> int:
        """Start the slow line, once; gives the port at its near end."""
        if self._line is None:
            self._line = subprocess.Popen(
                [sys.executable, "-I", "-S", proxy.__file__, str(self.server.port), str(LATENCY)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
                start_new_session=True,
            )
            assert self._line.stdout is not None
            self._line_port = int(self._line.stdout.readline())
        return self._line_port

"""One thing to be done by any peer: plain data that crosses process borders as JSON."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field
from typing import Any

__all__ = ["OPERATIONS", "Job"]

# What a peer can be asked for; a peer that has no method of the name is left out.
OPERATIONS = ("get_file", "put_file", "get_folder", "put_folder", "list_keys", "get_bytes")


@dataclass(frozen=True, slots=True)
class Job:
    """What to move or list, from where to where.

    Args:
        operation: One of `OPERATIONS`.
        bucket: The bucket.
        key: The object, or the prefix: empty, or what keys begin with.
        path: The local file or folder; empty where there is none.
        files: Of a folder, the bytes of each file by its name below it; of one
            object, its bytes under the name ``""``.
        count: How many keys a listing has.
        ticks: Whether a coroutine ticks beside the work, of s3magic's.
    """

    operation: str
    bucket: str
    key: str = ""
    path: str = ""
    files: dict[str, int] = field(default_factory=dict)
    count: int = 0
    ticks: bool = False

    @property
    def writes(self) -> bool:
        """Whether it needs a bucket of its own."""
        return self.operation.startswith("put")

    def as_json(self) -> dict[str, Any]:
        """Give it as `Job` takes it back."""
        return dataclasses.asdict(self)

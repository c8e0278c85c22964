"""Look whether a peer did what it was asked to: every count and every size, some of the bytes."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks.measure import Failed

if TYPE_CHECKING:
    from benchmarks.jobs import Job
    from benchmarks.measure import Sample

__all__ = ["verify"]

_LOOKS = 16
_LOOK = 4096


def verify(job: Job, sample: Sample, client: Any, original: Path | None = None) -> None:
    """Raise unless the job is done.

    Args:
        job: What was asked for.
        sample: What the peer told.
        client: A boto3 client, to look at what was put.
        original: The local file that one object was made of, to compare bytes with.

    Raises:
        Failed: Something is missing, or of the wrong size.
    """
    match job.operation:
        case "list_keys":
            _same("keys", job.count, sample.count)
        case "get_bytes":
            _same("bytes", sum(job.files.values()), sample.count)
        case "get_file" | "get_folder":
            _same("files", job.files, _local(Path(job.path)))
            if original is not None and job.operation == "get_file":
                _compare(original, Path(job.path))
        case _:
            _same("objects", job.files, _remote(client, job))


def _same(what: str, wanted: Any, got: Any) -> None:
    if wanted == got:
        return
    if isinstance(wanted, dict):
        missing = [name for name in wanted if name not in got]
        wrong = [name for name in wanted if name in got and got[name] != wanted[name]]
        extra = [name for name in got if name not in wanted]
        raise Failed(
            f"of {len(wanted)} {what}, {len(missing)} are missing {missing[:2]}, "
            f"{len(wrong)} have another size {wrong[:2]}, {len(extra)} are too many {extra[:2]}"
        )
    raise Failed(f"{wanted} {what} were wanted, and {got} came")


def _local(path: Path) -> dict[str, int]:
    if path.is_file():
        return {"": path.stat().st_size}
    found = (Path(folder, name) for folder, _, names in os.walk(path) for name in names)
    return {file.relative_to(path).as_posix(): file.stat().st_size for file in found}


def _remote(client: Any, job: Job) -> dict[str, int]:
    pages = client.get_paginator("list_objects_v2").paginate(Bucket=job.bucket, Prefix=job.key)
    return {
        item["Key"].removeprefix(job.key): item["Size"]
        for page in pages
        for item in page.get("Contents", ())
    }


def _compare(original: Path, copy: Path) -> None:
    size = original.stat().st_size
    with original.open("rb") as one, copy.open("rb") as other:
        for look in range(_LOOKS):
            at = size * look // _LOOKS
            one.seek(at)
            other.seek(at)
            if one.read(_LOOK) != other.read(_LOOK):
                raise Failed(f"the bytes at {at} are others than the object's")

"""Makes the engine's jobs of a sync's transfers, and does each as its own verb would."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

from s3magic.commands.sources.files import content_type
from s3magic.errors import BadUri, LocalFault, NoSuchFile, S3Error, UnsafeKey
from s3magic.transfer import download, upload
from s3magic.transfer.copying import Copy, copy
from s3magic.transfer.plan import Download, Upload
from s3magic.translation import translate
from s3magic.uri import S3Uri, local_path

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from s3magic.commands.syncing.steps import Step
    from s3magic.transfer.engine import Run
    from s3magic.transfer.swift import Quick

__all__ = ["AnyJob", "do", "jobs", "quick"]

AnyJob: TypeAlias = "Upload | Download | Copy"

_NOWHERE = S3Uri("", "")
_FOLDER = "application/x-directory"  # as the AWS console types the folders that it makes


def jobs(steps: Sequence[Step], headers: Mapping[str, Any], *, again: bool) -> list[AnyJob]:
    """Make a job of each step. Blocks.

    Args:
        steps: Transfers.
        headers: What S3 is to keep of what is written: arguments of PutObject.
        again: Whether the steps were planned by an earlier sync: then what can
            be looked at cheaply must be as it was.
    """
    make: dict[str, Callable[[Step, Mapping[str, Any], S3Error | None], AnyJob]] = {
        "upload": _upload,
        "download": _download,
        "copy": _copy,
    }
    made = []
    for step in steps:
        refused = step.refused
        if refused is None and again and step.action != "copy":
            refused = _changed(step) if step.action == "upload" else _unsafe(step)
        made.append(make[step.action](step, headers, refused))
    return made


async def do(shared: Run, job: AnyJob, number: int) -> int:
    """Do one; the engine's work for `sync`."""
    if isinstance(job, Upload):
        return await upload.upload(shared, job, number)
    if isinstance(job, Download):
        return await download.download(shared, job, number)
    return await copy(shared, job, number)


async def quick(shared: Run, job: AnyJob) -> Quick | None:
    """Give the way to do a small one wholly in a helper thread; None if there is none."""
    if isinstance(job, Upload):
        return await upload.quick(shared, job)
    if isinstance(job, Download):
        return await download.quick(shared, job)
    return None


def _upload(step: Step, headers: Mapping[str, Any], refused: S3Error | None) -> Upload:
    uri, bad = _parsed(step.target)
    typed = {"ContentType": content_type(step.name), **headers}
    return Upload(Path(step.source), uri, step.size, step.source, typed, refused or bad)


def _download(step: Step, _: Mapping[str, Any], refused: S3Error | None) -> Download:
    uri, bad = _parsed(step.source)
    return Download(
        uri,
        step.target,
        step.size,
        root=Path(step.root),
        refused=refused or bad,
        moment=step.moment,
    )


def _copy(step: Step, headers: Mapping[str, Any], refused: S3Error | None) -> Copy | Upload:
    uri, bad = _parsed(step.source)
    target, worse = _parsed(step.target)
    if step.name.endswith("/") and not step.size:
        # A folder's marker is made anew: SeaweedFS lists it, and has nothing to copy.
        marker = {"ContentType": _FOLDER, **headers}
        return Upload(b"", target, 0, step.source, marker, refused or bad or worse)
    return Copy(
        uri,
        target,
        step.size,
        etag=step.etag or "",
        storage_class=step.storage_class,
        replaced=headers,
        refused=refused or bad or worse,
    )


def _parsed(address: str) -> tuple[S3Uri, S3Error | None]:
    try:
        return S3Uri.parse(address), None
    except BadUri as error:
        return _NOWHERE, error


def _unsafe(step: Step) -> S3Error | None:
    """Refuse a name that has no place here, whoever wrote it into the plan."""
    try:
        local_path(step.name)
    except UnsafeKey as error:
        return error
    return None


def _changed(step: Step) -> S3Error | None:
    """Refuse a file that is no more what was planned."""
    try:
        found = os.stat(step.source)  # noqa: PTH116 - there may be many
    except FileNotFoundError:
        return NoSuchFile(f"There is no file {step.source!r} any more.", hint="Sync again.")
    except (OSError, ValueError) as error:
        return translate(error, f"read {step.source!r}")
    moved = step.moment is not None and found.st_mtime_ns // 1000 != step.moment
    if moved or found.st_size != step.size or not stat.S_ISREG(found.st_mode):
        return LocalFault(
            f"{step.source!r} changed since the plan was made, and was left out.",
            hint="Sync again, or make the plan anew.",
        )
    return None

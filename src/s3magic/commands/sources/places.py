"""Gives each object that is brought here its place on this file system."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

from s3magic.commands.sources.files import local
from s3magic.errors import BadArgument, S3Error, UnsafeKey
from s3magic.transfer.plan import Download, Targets
from s3magic.uri import local_path

if TYPE_CHECKING:
    from pathlib import Path

    from s3magic.commands.sources.objects import Found

__all__ = ["Place", "job_of", "place_of"]


@dataclass(frozen=True, slots=True)
class Place:
    """Where the objects go: into a folder, or one to a file."""

    path: Path
    folder: bool


def place_of(target: str | os.PathLike[str], *, folder: bool) -> Place:
    """Find out what a target means, on this file system."""
    text = os.fspath(target)
    path = local(text or ".")
    ends = text.endswith(("/", os.sep)) or text in {"", ".", ".."}
    if folder or ends or path.is_dir():
        if path.exists() and not path.is_dir():
            raise BadArgument(
                f"{text!r} is a file, and a folder is needed.", hint="Name another folder."
            )
        return Place(path, folder=True)
    # A link that the user names is the file that it leads to.
    return Place(path.resolve() if path.is_symlink() else path, folder=False)


def job_of(found: Found, place: Place, targets: Targets) -> Download:
    """Give an object its file; pure, but for the targets that it notes."""
    uri, version = found.uri, found.version_id
    if found.refused is not None:
        return Download(uri, place.path, refused=found.refused)
    if not place.folder:
        return Download(uri, place.path, found.size, version)
    inside = found.place
    marker = (inside.endswith("/") or not inside) and found.size == 0
    refused: S3Error | None = None
    root = target = os.fspath(place.path)
    try:
        if inside.strip("/") or not marker:
            name = local_path(inside.removesuffix("/") if marker else inside)
            # As a Path would say it, which costs much where there are many.
            target = os.path.join("" if root == "." else root, name.replace("/", os.sep))  # noqa: PTH118
    except UnsafeKey as error:
        refused = error
    else:
        if clash := targets.clash(target, str(uri), folder=marker):
            refused = UnsafeKey(f"Cannot get {uri} to {target!r}: {clash}.")
    return Download(uri, target, found.size, version, place.path, marker, refused)

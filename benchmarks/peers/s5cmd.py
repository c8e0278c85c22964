"""s5cmd, with its defaults: its documentation's benchmarks use no flag, and 256 workers.

``--log error`` keeps it from printing a line for each object; a wildcard, not a
list of commands, is what "Beast mode" advises for objects under one prefix.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from benchmarks.programs import program

if TYPE_CHECKING:
    from pathlib import Path

    from benchmarks.jobs import Job
    from benchmarks.place import Place

__all__ = ["command"]


def command(job: Job, _place: Place, _scratch: Path) -> list[str] | None:
    """Give the words to run; the server is found by the environment."""
    remote = f"s3://{job.bucket}/{job.key}"
    words = {
        "get_file": ["cp", remote, job.path],
        "put_file": ["cp", job.path, remote],
        "get_folder": ["cp", f"{remote}*", f"{job.path}/"],
        "put_folder": ["cp", f"{job.path}/", remote],
        "list_keys": ["ls", f"{remote}*"],
        "get_bytes": ["cat", remote],
    }
    # At that level its listing would print nothing either.
    quiet = [] if job.operation == "list_keys" else ["--log", "error"]
    return [program("s5cmd"), *quiet, *words[job.operation]]

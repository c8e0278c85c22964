"""What is measured: one file a peer, each saying how its own documentation has it used for speed.

A library's file has a class ``Peer`` with a method for each operation that it
knows (`benchmarks.jobs.OPERATIONS`), plain or a coroutine; it runs in a process
of its own, `benchmarks.worker`. A program's file has a function ``command``
that gives the words to run, or None where the program cannot do it.
"""

from __future__ import annotations

import shutil
from dataclasses import dataclass

__all__ = ["PEERS", "Entry", "absent"]


@dataclass(frozen=True, slots=True)
class Entry:
    """One peer.

    Args:
        name: Its module in this folder.
        library: Whether it runs in a warm Python process, or as a program.
        floor: Whether it only shows what the least is, and is no rival.
    """

    name: str
    library: bool
    floor: bool = False


PEERS = {
    entry.name: entry
    for entry in (
        Entry("s3magic", library=True),
        Entry("obstore", library=True),
        Entry("s5cmd", library=False),
        Entry("rclone", library=False),
        Entry("boto3", library=True),
        Entry("s3fs", library=True),
        Entry("curl", library=False, floor=True),
    )
}


def absent() -> dict[str, str]:
    """Say which peers are not here, and why."""
    return {} if shutil.which("curl") else {"curl": "there is no curl on PATH"}

"""Every default, once.

Sizes are in bytes, times in seconds. A verb's option that is not given takes
its value from `defaults`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

__all__ = ["KiB", "MiB", "Settings", "change", "defaults"]

KiB = 1024
MiB = 1024 * KiB


@dataclass(frozen=True, slots=True)
class Settings:
    """The defaults of every verb.

    Args:
        part_size: Bytes of one ranged GET or one uploaded part.
        multipart_threshold: Objects of this size and more move in parts.
        concurrency: Requests in flight at once, at most, for one verb, and
            fewer where the limit on open files is low; how many are best is
            found while they run.
        page_size: Keys asked for in one LIST request (S3 gives 1,000 at most).
        attempts: How often a piece of a download is asked for again when it
            breaks off; one request is tried as often as AWS's tools try it.
        connect_timeout: Seconds until a connection attempt is given up.
        read_timeout: Seconds of silence until a request is given up.
        refresh: Seconds between two drawings of the progress.
        progress_delay: Seconds that pass before a progress bar appears.
        fast: Whether plain requests go over connections of our own, in helper
            threads; False leaves every request to aiobotocore.
        progress: ``auto``, ``widget``, ``text`` or ``none``.
        errors: ``raise`` at the end of a verb, or ``return`` the report.
    """

    part_size: int = 8 * MiB
    multipart_threshold: int = 16 * MiB
    concurrency: int = 256
    page_size: int = 1000
    attempts: int = 5
    connect_timeout: float = 10.0
    read_timeout: float = 60.0
    refresh: float = 0.1
    progress_delay: float = 0.3
    fast: bool = True
    progress: str = "auto"
    errors: str = "raise"


_current = Settings()


def defaults() -> Settings:
    """Give the defaults in force now."""
    return _current


def change(**values: Any) -> Settings:
    """Change some defaults for the rest of the process; returns all of them.

    Example:
        >>> change(concurrency=4).concurrency
        4
    """
    global _current  # noqa: PLW0603 - one process, one set of defaults, written here alone
    _current = replace(_current, **values)
    return _current

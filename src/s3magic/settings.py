"""Every default, once.

Sizes are in bytes, times in seconds. A verb's option that is not given takes
its value from `defaults`. In a notebook, ``%config S3Magic`` shows and changes
them, with the words that stand here.
"""

from __future__ import annotations

import difflib
from dataclasses import dataclass, fields, replace
from typing import Any, Literal, get_args

from s3magic.errors import BadArgument

__all__ = ["CHOICES", "Errors", "KiB", "MiB", "Progress", "Settings", "change", "defaults"]

KiB = 1024
MiB = 1024 * KiB

Progress = Literal["auto", "widget", "text", "none"]
Errors = Literal["raise", "return"]
CHOICES: dict[str, tuple[str, ...]] = {"progress": get_args(Progress), "errors": get_args(Errors)}

_ABOVE_NOTHING = frozenset({"connect_timeout", "read_timeout", "refresh"})
_MOST = {"page_size": 1000}  # S3 API, ListObjectsV2: "returns up to 1,000 key names"


@dataclass(frozen=True, slots=True)
class Settings:
    """The defaults of every verb.

    Args:
        part_size: Bytes of one ranged GET or one uploaded part.
        multipart_threshold: Objects of this size and more move in parts.
        copy_threshold: Objects of this size and more are copied by the server in
            parts, side by side; above 5 GiB S3 has no other way.
        copy_part_size: Bytes of one such part, which nobody here holds.
        concurrency: Requests in flight at once, at most, for one verb, and
            fewer where the limit on open files is low; how many are best is
            found while they run.
        delete_concurrency: Requests in flight at once that delete a thousand
            objects each: S3 takes 3,500 deletions a second from one prefix.
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
    copy_threshold: int = 128 * MiB
    copy_part_size: int = 64 * MiB
    concurrency: int = 256
    delete_concurrency: int = 4
    page_size: int = 1000
    attempts: int = 5
    connect_timeout: float = 10.0
    read_timeout: float = 60.0
    refresh: float = 0.1
    progress_delay: float = 0.3
    fast: bool = True
    progress: str = "auto"
    errors: str = "raise"

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            if wanted := _wanted(field.name, field.default, value):
                raise BadArgument(f"The default {field.name} cannot be {value!r}: it is {wanted}.")


def _wanted(name: str, usual: object, value: Any) -> str:
    """Say what a default must be; nothing if the value is that."""
    if name in CHOICES:
        return "" if value in CHOICES[name] else f"one of {', '.join(CHOICES[name])}"
    if isinstance(usual, bool):
        return "" if isinstance(value, bool) else "True or False"
    if isinstance(usual, int):
        most = _MOST.get(name)
        if isinstance(value, int) and not isinstance(value, bool) and 1 <= value <= (most or value):
            return ""
        return "a whole number, " + (f"from 1 to {most:,}" if most else "1 or more")
    above = name in _ABOVE_NOTHING
    if (
        isinstance(value, int | float)
        and not isinstance(value, bool)
        and (0 < value < float("inf") or (value == 0 and not above))
    ):
        return ""
    return f"a number of seconds, {'more than 0' if above else '0 or more'}"


_current = Settings()


def defaults() -> Settings:
    """Give the defaults in force now."""
    return _current


def change(**values: Any) -> Settings:
    """Change some defaults for the rest of the process; returns all of them.

    Raises:
        BadArgument: There is no such default, or it cannot be that; nothing is changed.

    Example:
        >>> change(concurrency=4).concurrency
        4
    """
    global _current  # noqa: PLW0603 - one process, one set of defaults, written here alone
    names = [field.name for field in fields(Settings)]
    for name in values:
        if name not in names:
            near = difflib.get_close_matches(name, names, n=1)
            raise BadArgument(
                f"There is no default {name}.",
                hint=f"Did you mean {near[0]}?" if near else f"There are {', '.join(names)}.",
            )
    _current = replace(_current, **values)
    return _current

"""The options that several verbs share: described once, checked once."""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Self, cast

from s3magic.commands.kinds import INTEGER, SIZE
from s3magic.commands.shown import PROGRESS
from s3magic.commands.verbs import Option
from s3magic.errors import BadArgument
from s3magic.settings import defaults

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["GLOB", "PROGRESS_OPTION", "RECURSIVE", "TRANSFERRING", "Transferring", "choice"]

Errors = Literal["raise", "return"]

RECURSIVE = Option(("-r", "--recursive"), "everything below, folders and all")
GLOB = Option(
    ("--glob",),
    "read *, ?, [abc] and ** as a pattern; * stays within a folder, ** does not. "
    "Without it they are characters like any other",
)
PROGRESS_OPTION = Option(
    ("--progress",), "how to show progress", choices=PROGRESS, default=defaults().progress
)
TRANSFERRING = (
    Option(("--no-clobber",), "leave what is there as it is"),
    Option(("--concurrency",), "requests at once", kind=INTEGER, default=defaults().concurrency),
    Option(("--part-size",), "bytes of one part", kind=SIZE, default="8MiB"),
    Option(("--dry-run",), "only say what would be done"),
    Option(
        ("--errors",),
        "raise an error at the end if anything failed, or return the report as it is",
        choices=("raise", "return"),
        default=defaults().errors,
    ),
    PROGRESS_OPTION,
)


@dataclass(frozen=True, slots=True)
class Transferring:
    """How to transfer, whatever it is that is transferred.

    Args:
        no_clobber: Leave targets that exist as they are.
        concurrency: Requests in flight at once.
        part_size: Bytes of a part.
        dry_run: Plan only.
        errors: ``raise`` at the end, or ``return`` the report.
        progress: As `s3magic.commands.shown.display` takes it.
    """

    no_clobber: bool
    concurrency: int
    part_size: int
    dry_run: bool
    errors: Errors
    progress: str | None

    @classmethod
    def checked(
        cls,
        *,
        no_clobber: bool,
        concurrency: int | None,
        part_size: int | None,
        dry_run: bool,
        errors: str | None,
        progress: str | None,
    ) -> Self:
        """Fill in the defaults, and refuse what cannot be meant.

        Raises:
            BadArgument: A number is too small, or a word is none of its choices.
        """
        settings = defaults()
        return cls(
            no_clobber=no_clobber,
            concurrency=at_least(1, "concurrency", concurrency, settings.concurrency),
            part_size=at_least(1, "part_size", part_size, settings.part_size),
            dry_run=dry_run,
            errors=cast("Errors", choice("errors", errors or settings.errors, _ERRORS)),
            progress=progress,
        )


_ERRORS = ("raise", "return")


def at_least(least: int, name: str, value: int | None, default: int) -> int:
    """Give a whole number that is not too small, or the default for None.

    Raises:
        BadArgument: It is too small, or no whole number.
    """
    if value is None:
        return default
    if not isinstance(value, int) or isinstance(value, bool) or value < least:
        raise BadArgument(f"{name}={value!r}: it must be a whole number, {least} or more.")
    return value


def choice(name: str, value: str, choices: Sequence[str]) -> str:
    """Give a word that is one of the choices.

    Raises:
        BadArgument: It is none; the sentence names the nearest.
    """
    if value in choices:
        return value
    near = difflib.get_close_matches(str(value), choices, n=1)
    raise BadArgument(
        f"{name}={value!r} is not one of {', '.join(choices)}.",
        hint=f"Did you mean {near[0]!r}?" if near else "",
    )

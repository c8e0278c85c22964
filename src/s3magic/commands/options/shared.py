"""The options that several verbs share: described once, checked once."""

from __future__ import annotations

import difflib
import operator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self, SupportsIndex, cast

from s3magic.commands.options.description import Option
from s3magic.commands.options.kinds import INTEGER, SIZE
from s3magic.commands.showing.displays import PROGRESS
from s3magic.errors import BadArgument
from s3magic.settings import CHOICES, Errors, MiB, defaults

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = [
    "BG",
    "DELETING",
    "DRY_RUN",
    "ERRORS",
    "GLOB",
    "PROGRESS_OPTION",
    "RECURSIVE",
    "TRANSFERRING",
    "YES",
    "Deleting",
    "Transferring",
    "choice",
    "whole",
]

_ERRORS = CHOICES["errors"]

RECURSIVE = Option(("-r", "--recursive"), "everything below, folders and all")
GLOB = Option(
    ("--glob",),
    "read *, ?, [abc] and ** as a pattern; * stays within a folder, ** does not. "
    "Without it they are characters like any other",
)
PROGRESS_OPTION = Option(
    ("--progress",), "how to show progress", choices=PROGRESS, default=defaults().progress
)
BG = Option(("--bg",), "go on in the background: the cell ends at once, and gives a Job")
DRY_RUN = Option(("--dry-run",), "only say what would be done")
ERRORS = Option(
    ("--errors",),
    "raise an error at the end if anything failed, or return the report as it is",
    choices=_ERRORS,
    default=defaults().errors,
)
YES = Option(("-y", "--yes"), "do it without asking")
DELETING = (
    DRY_RUN,
    YES,
    Option(
        ("--concurrency",),
        "requests at once, of 1,000 objects each",
        kind=INTEGER,
        default=defaults().delete_concurrency,
    ),
    ERRORS,
    PROGRESS_OPTION,
)
TRANSFERRING = (
    Option(("--no-clobber",), "leave what is there as it is"),
    Option(
        ("--concurrency",),
        "requests at once, at most; how many are best is found meanwhile",
        kind=INTEGER,
        default=defaults().concurrency,
    ),
    Option(
        ("--part-size",),
        "bytes of one part",
        kind=SIZE,
        default=f"{defaults().part_size // MiB}MiB",
    ),
    DRY_RUN,
    ERRORS,
    PROGRESS_OPTION,
)


@dataclass(frozen=True, slots=True)
class Transferring:
    """How to transfer, whatever it is that is transferred.

    Args:
        no_clobber: Leave targets that exist as they are.
        concurrency: Requests in flight at once, at most.
        part_size: Bytes of a part.
        dry_run: Plan only.
        errors: ``raise`` at the end, or ``return`` the report.
        progress: As `s3magic.commands.showing.displays.display` takes it.
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
            concurrency=whole(
                "concurrency", settings.concurrency if concurrency is None else concurrency
            ),
            part_size=whole("part_size", settings.part_size if part_size is None else part_size),
            dry_run=dry_run,
            errors=cast("Errors", choice("errors", errors or settings.errors, _ERRORS)),
            progress=progress,
        )


@dataclass(frozen=True, slots=True)
class Deleting:
    """How to delete, whatever it is that is deleted.

    Args:
        dry_run: Plan only.
        yes: Do not ask.
        concurrency: Requests in flight at once, at most.
        errors: ``raise`` at the end, or ``return`` the report.
        progress: As `s3magic.commands.showing.displays.display` takes it.
    """

    dry_run: bool
    yes: bool
    concurrency: int
    errors: Errors
    progress: str | None

    @classmethod
    def checked(
        cls,
        *,
        dry_run: bool,
        yes: bool,
        concurrency: int | None,
        errors: str | None,
        progress: str | None,
    ) -> Self:
        """Fill in the defaults, and refuse what cannot be meant.

        Raises:
            BadArgument: A number is too small, or a word is none of its choices.
        """
        settings = defaults()
        return cls(
            dry_run=dry_run,
            yes=yes,
            concurrency=whole(
                "concurrency",
                settings.delete_concurrency if concurrency is None else concurrency,
            ),
            errors=cast("Errors", choice("errors", errors or settings.errors, _ERRORS)),
            progress=progress,
        )


def whole(name: str, value: object, *, least: int = 1, most: int | None = None) -> int:
    """Give a whole number in its bounds, as Python's own; numpy's are taken too.

    Raises:
        BadArgument: It is too small or too large, or no whole number.
    """
    bounds = f"{least:,} or more" if most is None else f"from {least:,} to {most:,}"
    wanted = f"it must be a whole number, {bounds}"
    if not isinstance(value, SupportsIndex) or isinstance(value, bool):
        raise BadArgument(f"{{0}} cannot be: {wanted}.", options=[(name, value)])
    number = operator.index(value)
    if number < least or (most is not None and number > most):
        raise BadArgument(f"{{0}} cannot be: {wanted}.", options=[(name, number)])
    return number


def choice(name: str, value: str, choices: Sequence[str]) -> str:
    """Give a word that is one of the choices.

    Raises:
        BadArgument: It is none; the sentence names the nearest.
    """
    if value in choices:
        return value
    near = difflib.get_close_matches(str(value), choices, n=1)
    raise BadArgument(
        f"{{0}} is not one of {', '.join(choices)}.",
        hint=f"Did you mean {near[0]!r}?" if near else "",
        options=[(name, value)],
    )

"""Chooses names by patterns that exclude and include, as ``aws s3`` does. Pure.

All names are wanted at first. The patterns are gone through in the order of the
line, and the last one that matches a name decides.
"""

from __future__ import annotations

import fnmatch
import re
import shlex
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, TypeAlias

from s3magic.commands.options.description import Option, Placed
from s3magic.commands.options.kinds import TEXT
from s3magic.errors import BadArgument
from s3magic.uri import is_uri

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["ALL", "FILTERS", "NO_LINKS", "Filters", "Patterns", "excluding"]

_WILD = re.compile(r"[*?\[]")
_UNMATCHED = re.compile(r"\.{0,2}/")  # how no name below a folder begins, but for odd keys

Patterns: TypeAlias = "str | Iterable[str] | None"
"""One pattern, several, or none."""

_PATTERN = replace(TEXT, metavar="PATTERN")
FILTERS = (
    Option(
        ("--exclude",),
        "leave out the names that match; * crosses folders. Of several patterns, these and "
        "--include's, the last that matches a name decides",
        kind=_PATTERN,
        repeatable=True,
        placed=True,
    ),
    Option(
        ("--include",),
        "take the names that match after all, if an --exclude before it left them out",
        kind=_PATTERN,
        repeatable=True,
        placed=True,
    ),
)
"""The two options of a verb that goes through many names."""

NO_LINKS = Option(("--no-follow-symlinks",), "leave symbolic links below a folder out")
"""The option of a verb that goes through folders of this machine."""


@dataclass(frozen=True, slots=True)
class Filters:
    """Says which names are wanted.

    Args:
        rules: In their order: whether it includes, and the compiled pattern.
    """

    rules: tuple[tuple[bool, re.Pattern[str]], ...] = ()

    @classmethod
    def of(cls, *, exclude: Patterns = None, include: Patterns = None) -> Filters:
        """Read the patterns of a verb's two options.

        ``*`` and ``?`` match any character, ``/`` too; ``[abc]`` and ``[!abc]``
        one of some, or of all others. A pattern must match the whole name below
        the folder that the verb was given.

        Args:
            exclude: Patterns of what is left out.
            include: Patterns of what is taken after all. Those of a line know
                their places; of others all that exclude come first.

        Raises:
            BadArgument: One is no pattern, or could match no name.

        Example:
            >>> Filters.of(exclude="*", include="*.csv").wants("year/a.csv")
            True
        """
        given = [(False, one) for one in _listed("exclude", exclude)]
        given += [(True, one) for one in _listed("include", include)]
        given.sort(key=lambda rule: rule[1].place if isinstance(rule[1], Placed) else 0)
        return cls(tuple((takes, _compiled(pattern)) for takes, pattern in given))

    def __bool__(self) -> bool:
        return bool(self.rules)

    def wants(self, name: str) -> bool:
        """Tell whether a name is wanted.

        Args:
            name: The path below the folder that the verb was given, with ``/``.
        """
        for takes, pattern in reversed(self.rules):
            if pattern.match(name):
                return takes
        return True


ALL = Filters()
"""Wants every name."""


def excluding(name: str) -> str:
    """Write the pattern that matches one name and no other, as it stands on a line."""
    pattern = _WILD.sub(r"[\g<0>]", name)
    if is_uri(pattern) or _UNMATCHED.match(pattern):  # so written it would be refused as a slip
        pattern = f"[{pattern[0]}]{pattern[1:]}"
    if pattern.endswith("/"):
        pattern = f"{pattern[:-1]}[/]"
    return shlex.quote(pattern)


def _listed(option: str, patterns: Patterns) -> list[str]:
    if patterns is None:
        return []
    several = [patterns] if isinstance(patterns, str) else patterns
    try:
        listed = list(several)
    except TypeError:
        listed = [patterns]  # type: ignore[list-item]  # and refused for it
    for one in listed:
        if not isinstance(one, str) or not one:
            raise BadArgument(
                "{0} is no pattern.",
                hint="Write a text: {1}.",
                options=[(option, one), (option, "*.tmp")],
            )
    return listed


def _compiled(pattern: str) -> re.Pattern[str]:
    """Compile a pattern; raises BadArgument for one that no name below a folder can match."""
    if is_uri(pattern) or _UNMATCHED.match(pattern):
        raise BadArgument(
            f"The pattern {pattern!r} can match nothing: a name begins below the folder that is "
            "gone through.",
            hint="Write it from there: year=2024/*, or *.csv for all of them.",
        )
    if pattern.endswith("/"):
        raise BadArgument(
            f"The pattern {pattern!r} is a folder's name, and patterns match files'.",
            hint=f"Write {pattern}* for all that is in it.",
        )
    return re.compile(fnmatch.translate(pattern))

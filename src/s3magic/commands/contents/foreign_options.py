"""Says which option a library's reader or writer does not take, and which may be meant. Pure.

What ``--option`` gives goes through as it is, and so does any keyword that a
twin does not know: a slip in one of the twin's own ends up there, too.
"""

from __future__ import annotations

import difflib
import inspect
import re
import sys
from typing import TYPE_CHECKING

from s3magic.errors import BadArgument

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from s3magic.errors import S3Error

__all__ = ["refused"]

_REFUSED = re.compile(r"([\w.]+)\(\) got an unexpected keyword argument '(\w+)'")
_NEAR = 0.75  # of `difflib`'s ratio: a letter or two
_HOMES = ("pandas", "pandas.DataFrame", "polars", "polars.DataFrame", "pyarrow.Table")


def refused(
    error: S3Error, tried: str, options: Mapping[str, object], own: Iterable[str]
) -> S3Error:
    """Give a better error, if this one comes of an option that the library does not take.

    Args:
        error: What was made of what the library raised.
        tried: What was tried, on what.
        options: What the library was told.
        own: The options of the verb itself.
    """
    cause = error.__cause__
    found = _REFUSED.search(str(cause)) if isinstance(cause, TypeError) else None
    if found is None or found[2] not in options:
        return error
    function, name = found[1].rpartition(".")[2], found[2]
    if function.startswith("__"):  # as of code that is compiled
        function = "pyarrow"
    mine = difflib.get_close_matches(name, [*own], n=1, cutoff=_NEAR)
    theirs = difflib.get_close_matches(name, [*_parameters(function)], n=1, cutoff=_NEAR)
    if mine:
        hint, near = "Did you mean {2}?", mine[0]
    elif theirs:
        hint, near = "Did you mean its {2}?", theirs[0]
    else:
        hint, near = "It takes what the documentation of {2} lists.", function
    better = BadArgument(
        "{0}: {1} takes no option {3}.", hint=hint, options=[tried, function, near, name]
    )
    better.__cause__ = cause
    return better


def _parameters(function: str) -> Iterator[str]:
    """Give what a function of that name takes, in the libraries that are imported."""
    for home in _HOMES:
        module, _, kind = home.partition(".")
        holder = sys.modules.get(module)
        holder = getattr(holder, kind, None) if kind else holder
        try:
            yield from inspect.signature(getattr(holder, function)).parameters
        except (AttributeError, TypeError, ValueError):  # it is another's, or tells nothing
            continue

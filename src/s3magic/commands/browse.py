"""`browse`: opens an explorer of buckets and folders.

Only the notebook knows widgets, and it lies above this room: it puts its
explorer in with `use`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

from s3magic.commands.options.description import Option, Positional, Verb
from s3magic.commands.options.kinds import INTEGER
from s3magic.commands.options.shared import whole
from s3magic.errors import BadArgument, S3Error
from s3magic.uri import S3Uri
from s3magic.wording import called

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from pandas import DataFrame

__all__ = ["VERB", "Explorer", "browse", "reset", "use"]

_ROWS = 12  # of a page, where nothing else is asked for
_MOST = 100  # each row is a few widgets

VERB = Verb(
    name="s3browse",
    summary="Open an explorer of buckets and folders, and hand what is selected to Python.",
    positionals=(
        Positional(
            "URI", "where to begin: s3://bucket/folder/; the buckets if left out", required=False
        ),
    ),
    options=(Option(("--rows",), f"rows of a page, at most {_MOST}", kind=INTEGER, default=_ROWS),),
    examples=(
        ("%s3browse", "your buckets"),
        ("b = %s3browse s3://weather/csv/", "one folder; b.selection is then a frame"),
    ),
    twin="s3.browse",
    details=(
        "Click a folder to open it and an object to look at it; tick what you want to select. "
        "b.selection is a listing's frame of what is selected, and a source for every verb: "
        "%s3get ${b.selection} ./here -r. b.uri is the folder that is shown. It needs a notebook "
        "with widgets; elsewhere there is %s3ls."
    ),
)


class Explorer(Protocol):
    """What `browse` gives."""

    @property
    def uri(self) -> S3Uri | None:
        """Where it is: a folder, a bucket, or None for the list of buckets."""

    @property
    def selection(self) -> DataFrame:
        """What is selected: a listing's frame."""

    @property
    def widget(self) -> Any:
        """The widget itself, to be put among others."""

    def close(self) -> None:
        """Take it off the screen."""


_opener: Callable[[S3Uri | None, int], Awaitable[Explorer] | None] | None = None


async def browse(uri: str | S3Uri | None = None, *, rows: int | None = None) -> Explorer:
    """Open an explorer of buckets and folders.

    It is shown at once, and lists in the background; what goes wrong is told in it.

    Args:
        uri: Where to begin: ``s3://bucket/folder/``, or the beginning of the
            keys that are wanted; None for the buckets.
        rows: Rows of a page, at most 100.

    Returns:
        The explorer: ``selection`` is the frame of what is selected, ``uri``
        the folder that is shown, ``widget`` the widget itself.

    Raises:
        BadArgument: The address is none, or there can be no such number of rows.
        S3Error: There are no widgets here.

    Example:
        >>> b = await s3.browse("s3://weather/csv/")
        >>> await s3.get(b.selection, "here/", recursive=True)
    """
    if uri is not None and not isinstance(uri, str | S3Uri):
        raise BadArgument(f"{called(uri)} is no address: write s3://bucket/folder/.")
    place = S3Uri.parse(uri, scheme_optional=True) if isinstance(uri, str) else uri
    number = _ROWS if rows is None else whole("rows", rows, most=_MOST)
    opening = _opener(place, number) if _opener is not None else None
    if opening is None:
        raise S3Error(
            "There can be no explorer here: it needs a notebook with widgets.",
            hint=f"See what there is with %s3ls{f' {place}' if place else ''}.",
        )
    return await opening


def use(opener: Callable[[S3Uri | None, int], Awaitable[Explorer] | None]) -> None:
    """Let `opener` open explorers from now on; where it gives None, there can be none."""
    global _opener  # noqa: PLW0603 - one process, one notebook above it
    _opener = opener


def reset() -> None:
    """Open none again."""
    global _opener  # noqa: PLW0603 - one process, one notebook above it
    _opener = None

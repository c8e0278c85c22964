"""The verb tree: the folders below an address, with what is in each."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from s3magic.commands.facts.counting import Counting, counted
from s3magic.commands.options.description import Option, Positional, Verb
from s3magic.commands.options.filters import FILTERS, Filters
from s3magic.commands.options.kinds import INTEGER
from s3magic.commands.options.shared import PROGRESS_OPTION, whole
from s3magic.commands.showing.framed import Framed
from s3magic.listing.totals import rolled_up
from s3magic.uri import S3Uri
from s3magic.wording import count, filesize, printable, shorten

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import pandas as pd

    from s3magic.commands.options.filters import Patterns
    from s3magic.listing.totals import Sums, Totals

__all__ = ["VERB", "Tree", "tree"]

_DEPTH = 3  # levels by default: what a screen holds, as a rule
_LINES = 200  # lines shown; the frame has all
_NAME = 60  # characters of a line's name

VERB = Verb(
    name="s3tree",
    summary="Show the folders below an address, with the objects and bytes in each.",
    positionals=(
        Positional("URI", "s3://bucket/folder/, several of them, or $frame from %s3ls", many=True),
    ),
    options=(
        Option(("--depth",), "levels of folders to show", kind=INTEGER, default=_DEPTH),
        *FILTERS,
        PROGRESS_OPTION,
    ),
    examples=(
        ("%s3tree s3://weather/", "the folders of a bucket"),
        ("%s3tree s3://weather/csv/ --depth 1", "one level of a folder"),
        ("%s3tree $df", "of a listing that is here already: no request"),
        ("folders = %s3tree s3://weather/", "kept: folders.frame is a DataFrame"),
    ),
    twin="s3.tree",
    details=(
        "Each line counts all below its folder, however deep. What comes back is shown as text, "
        "and has a frame with the columns Key, Depth, Objects, Size (bytes), Type and Bucket. "
        "It is a source: %s3get $tree ./here -r."
    ),
)


class Tree(Framed):
    """Folders, as a tree of text and as a frame.

    Args:
        frame: The folders, each before those in it.
        text: The drawing.
    """

    def __init__(self, frame: pd.DataFrame, text: str) -> None:
        super().__init__(frame)
        self.text = text

    @property
    def source(self) -> pd.DataFrame:
        """The outermost folders: they hold the others."""
        return self.frame[self.frame["Depth"] == 0]

    def __repr__(self) -> str:
        return self.text


async def tree(
    source: object,
    *,
    depth: int = _DEPTH,
    exclude: Patterns = None,
    include: Patterns = None,
    progress: str | None = None,
) -> Tree:
    """Show the folders below an address, with the objects and bytes in each.

    Args:
        source: ``s3://bucket/folder/``, a frame of a listing, or a list or
            Series of these. As for `ls`, a prefix is what keys begin with.
        depth: Levels of folders to show. What lies deeper counts for the
            folder that is shown.
        exclude: Names below the folder that do not count: a pattern, or several.
        include: Names that count after all.
        progress: ``auto``, ``widget``, ``text`` or ``none``.

    Returns:
        What shows itself as a tree. Its ``frame`` has a row a folder: ``Key``
        string; ``Depth`` int64, 0 for the address; ``Objects`` and ``Size``
        (bytes) int64, all below it; ``Type`` string, ``prefix``, or ``part`` with
        filters, and of a frame; ``Bucket`` category.

    Raises:
        NoSuchBucket: There is no such bucket.
        BadArgument: An argument cannot be meant; nothing was asked.

    Example:
        >>> folders = await s3.tree("s3://weather/", depth=2)
    """
    options = Counting(
        depth=whole("depth", depth, least=0),
        wanted=Filters.of(exclude=exclude, include=include),
        progress=progress,
    )
    found = await counted(source, options)
    return await asyncio.to_thread(_tree, found)


def _tree(found: Sequence[Totals]) -> Tree:
    import pandas as pd

    rows: list[tuple[Any, ...]] = []
    lines: list[str] = []
    for totals in found:
        folders = rolled_up(totals)
        root = totals.prefix
        base = root.count("/")
        kind = "part" if totals.partly else "prefix"
        for key, sums in folders.items():
            depth = 0 if key == root else key.count("/") - base
            rows.append((key, depth, sums.objects, sums.size, kind, totals.bucket))
        lines += _drawn(totals, folders)
    frame = pd.DataFrame(rows, columns=["Key", "Depth", "Objects", "Size", "Type", "Bucket"])
    frame = frame.astype(
        {"Key": "string", "Type": "string", "Bucket": "string"}
        | dict.fromkeys(("Depth", "Objects", "Size"), "int64")
    ).astype({"Bucket": "category"})
    return Tree(frame, "\n".join(lines))


def _drawn(totals: Totals, folders: dict[str, Sums]) -> list[str]:
    """Draw the folders of one root, the figures in columns of their own."""
    names = [printable(str(S3Uri(totals.bucket, totals.prefix)))]
    names += _leads(list(folders)[1:], totals.prefix.count("/"))
    shown = [
        (shorten(name, _NAME), count(sums.objects, "object"), filesize(sums.size))
        for name, sums in zip(names[:_LINES], folders.values(), strict=False)
    ]
    widths = [max(len(row[column]) for row in shown) for column in range(3)]
    lines = [
        f"{name:<{widths[0]}}  {objects:>{widths[1]}}  {size:>{widths[2]}}"
        for name, objects, size in shown
    ]
    if len(names) > _LINES:
        more = count(len(names) - _LINES, "more folder")
        lines.append(f"… {more}: the whole is in .frame; --depth shows less.")
    return lines


def _leads(keys: Sequence[str], base: int) -> Iterator[str]:
    """Give each folder's name with what is drawn before it; each comes before those in it.

    Args:
        keys: The folders, each ending in a slash.
        base: Slashes in what they all lie below.
    """
    paths = [tuple(key.split("/")[base:-1]) for key in keys]
    last = {path[:-1]: at for at, path in enumerate(paths)}  # the last of each folder's own
    goes_on: list[bool] = []
    for at, path in enumerate(paths):
        del goes_on[len(path) - 1 :]
        ends = last[path[:-1]] == at
        bars = "".join("│   " if more else "    " for more in goes_on)
        yield f"{bars}{'└── ' if ends else '├── '}{printable(path[-1])}/"
        goes_on.append(not ends)

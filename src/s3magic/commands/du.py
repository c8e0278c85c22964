"""The verb du: how many objects and bytes there are, folder by folder, or by class and age."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, Literal, overload

from s3magic.commands.facts.counting import Counting, counted
from s3magic.commands.options.description import Option, Positional, Verb
from s3magic.commands.options.filters import FILTERS, Filters
from s3magic.commands.options.kinds import INTEGER, Kind
from s3magic.commands.options.shared import GLOB, PROGRESS_OPTION, choice, whole
from s3magic.commands.showing.picture import SHAPES, picture_of, refuse_without_library
from s3magic.commands.sources.objects import listed
from s3magic.listing.labels import BY, ORDERED, canonical, named

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd

    from s3magic.commands.options.filters import Patterns
    from s3magic.commands.showing.picture import Picture
    from s3magic.listing.totals import Totals

__all__ = ["VERB", "du"]

_BY = Kind("NAME", canonical, "a name")

VERB = Verb(
    name="s3du",
    summary="Count objects and bytes, folder by folder, or by storage class, age and the like.",
    positionals=(
        Positional("URI", "s3://bucket/prefix, several of them, or $frame from %s3ls", many=True),
    ),
    options=(
        Option(
            ("--depth",),
            "levels of folders to tell apart; 0 for one sum (default: 1; "
            "with --by or several addresses 0)",
            kind=INTEGER,
        ),
        Option(("--by",), "tell apart by this too", kind=_BY, choices=BY, repeatable=True),
        Option(("--versions",), "with old versions and delete markers, in columns of their own"),
        GLOB,
        *FILTERS,
        Option(
            ("--plot",),
            "a picture: treemap for folders, bars for what --by tells apart, "
            "unless --plot=bars or --plot=treemap says which",
            choices=SHAPES,
            bare="auto",
        ),
        PROGRESS_OPTION,
    ),
    examples=(
        ("%s3du s3://weather/", "each folder of the first level, the largest first"),
        ("%s3du s3://weather/ --depth 0", "one sum"),
        ("%s3du s3://weather/ s3://photos/", "one sum for each"),
        ("%s3du s3://weather/ --by StorageClass --by Extension", "by class, and by extension"),
        ("%s3du s3://weather/csv/ --by Age --depth 1", "how old it is, in each folder"),
        ("%s3du $df", "of a listing that is here already: no request"),
        ("%s3du s3://weather/ --depth 2 --plot", "the same as a picture"),
    ),
    twin="s3.du",
    details=(
        "Each object is counted in one row, so that sums are right: what lies in no deeper "
        "folder has the row of the folder that it lies right in, with the Type level. The "
        "columns are Key, Objects, Size (bytes), Type and Bucket. A row is a source and means "
        "what it counts: %s3get $rows ./here -r."
    ),
)

_SUMS = ("Objects", "Size")
_OLD = ("OldVersions", "OldSize", "DeleteMarkers")


@overload
async def du(
    source: object,
    *,
    depth: int | None = None,
    by: str | Iterable[str] | None = None,
    versions: bool = False,
    glob: bool = False,
    exclude: Patterns = None,
    include: Patterns = None,
    plot: Literal[False] | None = None,
    progress: str | None = None,
) -> pd.DataFrame: ...


@overload
async def du(
    source: object,
    *,
    depth: int | None = None,
    by: str | Iterable[str] | None = None,
    versions: bool = False,
    glob: bool = False,
    exclude: Patterns = None,
    include: Patterns = None,
    plot: Literal[True] | str,
    progress: str | None = None,
) -> Picture: ...


async def du(
    source: object,
    *,
    depth: int | None = None,
    by: str | Iterable[str] | None = None,
    versions: bool = False,
    glob: bool = False,
    exclude: Patterns = None,
    include: Patterns = None,
    plot: bool | str | None = None,
    progress: str | None = None,
) -> pd.DataFrame | Picture:
    """Count objects and bytes, folder by folder.

    Only sums are kept, whatever the number of objects. Each object is counted
    in one row.

    Args:
        source: ``s3://bucket/prefix``, a frame of a listing, or a list or
            Series of these. As for `ls`, a prefix is what keys begin with.
        depth: Levels of folders below the address to tell apart; 0 for one
            sum. By default 1, and 0 with `by` or several sources. Of a frame
            the levels count from the folder that all its keys share.
        by: What else to tell apart: ``StorageClass``, ``Extension``, ``Age``,
            ``Year``, ``Month``, ``SizeRange``, ``Owner``; or several.
        versions: Count old versions and delete markers too.
        glob: The key is a pattern; what lies below the folders that match counts.
        exclude: Names below the folder that do not count: a pattern, or several.
        include: Names that count after all.
        plot: True for a picture that suits, ``treemap`` or ``bars`` for this one.
        progress: ``auto``, ``widget``, ``text`` or ``none``.

    Returns:
        ``Key`` string, the folder; a column for each of `by`; ``Objects`` and
        ``Size`` (bytes) int64; with `versions` ``OldVersions``, ``OldSize`` and
        ``DeleteMarkers`` int64; ``Type`` string: ``prefix`` where all below the
        key is meant, ``level`` where only what lies right in it is, ``part``
        with `by`, `glob` or filters, and of a frame; ``Bucket`` category. The
        largest first, or in the
        order of ages, years, months and sizes. With `plot` a picture, which has
        this as its ``frame``.

    Raises:
        NoSuchBucket: There is no such bucket.
        BadArgument: An argument cannot be meant; nothing was asked.

    Example:
        >>> df = await s3.du("s3://weather/", depth=2)
    """
    names = _names(by)
    shape = _shape(plot, names)
    sources, several = listed(source)
    if depth is None:
        depth = 0 if names or several else 1
    options = Counting(
        depth=whole("depth", depth, least=0),
        by=names,
        versions=versions,
        glob=glob,
        wanted=Filters.of(exclude=exclude, include=include),
        progress=progress,
    )
    found = await counted(sources, options)
    frame = await asyncio.to_thread(_frame, found, options)
    if not shape:
        return frame
    return await asyncio.to_thread(picture_of, frame, shape)


def _names(by: object) -> tuple[str, ...]:
    given = (
        [] if by is None else [by] if isinstance(by, str) or not isinstance(by, Iterable) else by
    )
    return tuple(dict.fromkeys(map(named, given)))


def _shape(plot: object, names: Sequence[str]) -> str:
    """Choose the picture; nothing for none."""
    if plot is None or plot is False:
        return ""
    refuse_without_library()
    if plot is True or plot == "auto":
        return "bars" if names else "treemap"
    return choice("plot", str(plot), SHAPES)


def _frame(found: Sequence[Totals], options: Counting) -> pd.DataFrame:
    import pandas as pd

    rows: list[tuple[Any, ...]] = []
    for totals in found:
        for group, sums in totals.sums.items():
            kind = "prefix" if group.folder.whole else "level"
            kind = "part" if options.by or totals.partly else kind
            rows.append(
                (
                    group.folder.key,
                    *group.labels,
                    *(sums.objects, sums.size, sums.old, sums.old_size, sums.markers),
                    kind,
                    totals.bucket,
                )
            )
        if not totals.sums and not options.depth and not options.by:
            kind = "part" if totals.partly else "prefix"
            rows.append((totals.prefix, 0, 0, 0, 0, 0, kind, totals.bucket))
    numbers = (*_SUMS, *_OLD)
    names = ["Key", *options.by, *numbers, "Type", "Bucket"]
    frame = pd.DataFrame(rows, columns=names)
    frame = frame.astype(
        dict.fromkeys(("Key", *options.by, "Type"), "string") | dict.fromkeys(numbers, "int64")
    )
    for name in options.by:
        if labels := ORDERED.get(name):
            frame[name] = pd.Categorical(frame[name], categories=list(labels), ordered=True)
    frame["Bucket"] = frame["Bucket"].astype("string").astype("category")
    ordered = [name for name in options.by if name in ORDERED]
    frame["_weight"] = -(frame["Size"] + frame["OldSize"])
    order = [*ordered, "_weight", "Bucket", "Key", *options.by]
    if options.depth and ordered:
        order = ["Bucket", "Key", *options.by]
    frame = frame.sort_values(list(dict.fromkeys(order)), ignore_index=True)
    return frame.drop(columns=["_weight", *(() if options.versions else _OLD)])

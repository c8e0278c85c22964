"""Counts what lies under addresses, or in frames of a listing, without keeping a row of it."""

from __future__ import annotations

import asyncio
import contextlib
import datetime as dt
import os
from dataclasses import dataclass
from itertools import repeat
from typing import TYPE_CHECKING, Any

from s3magic.commands.options.filters import ALL
from s3magic.commands.showing.displays import display
from s3magic.commands.showing.stopping import stoppable
from s3magic.commands.sources.longframes import beside, parts
from s3magic.commands.sources.objects import listed
from s3magic.commands.sources.row_meanings import read
from s3magic.commands.sources.rows import check_columns, is_frame, is_report
from s3magic.errors import BadArgument
from s3magic.listing.matching import Matching
from s3magic.listing.page import Page
from s3magic.listing.pages import Listing, pages
from s3magic.listing.totals import Totals
from s3magic.session import using
from s3magic.transfer.progress import Meter
from s3magic.transfer.watching import watching
from s3magic.uri import S3Uri, shared_folder
from s3magic.wording import called, count

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    import pandas as pd
    from types_aiobotocore_s3 import S3Client

    from s3magic.commands.options.filters import Filters
    from s3magic.model import S3Owner

__all__ = ["Counting", "counted", "outermost"]

# Rows that are counted at once, in a thread: it holds the interpreter for milliseconds.
_PART = 16_000
_TIMES = frozenset({"Age", "Year", "Month"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Counting:
    """How to count.

    Args:
        depth: Levels of folders to tell apart.
        by: What else to tell apart: of `s3magic.listing.labels.BY`.
        versions: Ask for old versions and delete markers too.
        glob: Read the addresses' keys as patterns.
        wanted: Which names below the address, or in the frame, count.
        progress: As `s3magic.commands.showing.displays.display` takes it.
    """

    depth: int
    by: tuple[str, ...] = ()
    versions: bool = False
    glob: bool = False
    wanted: Filters = ALL
    progress: str | None = None

    @property
    def partly(self) -> bool:
        """Whether a folder may count less than all that is in it."""
        return self.glob or bool(self.wanted)


async def counted(source: object, options: Counting) -> list[Totals]:
    """Count the objects of some sources; a frame costs no request.

    Args:
        source: ``s3://bucket/prefix``, a frame, or a list or Series of these.
        options: How to count.

    Returns:
        One of each address, and one of each bucket of a frame.

    Raises:
        BadArgument: A source is none; nothing was asked.
        S3Error: A bucket cannot be listed.
    """
    given, _ = listed(source)
    # In a thread: to look through a long frame takes a while.
    sources = [await asyncio.to_thread(_checked, one, options) for one in given]
    now = dt.datetime.now(dt.UTC)
    found: list[Totals] = []
    meter = Meter(doing="Counting", did="Counted", noun="object")
    async with watching(meter, display(options.progress), quiet_if_short=True):
        with stoppable(meter):
            for one in sources:
                if isinstance(one, S3Uri):
                    async with using() as client:
                        found.append(await _of_address(client, one, options, now, meter))
                else:
                    found += await _of_frame(one, options, now, meter)
    return found


def outermost(frame: pd.DataFrame) -> pd.DataFrame:
    """Leave out the folders that another row's folder holds, as a tree's rows do."""
    kept: list[int] = []
    last: tuple[str, str] | None = None
    names = list(zip(frame["Bucket"].astype(str), frame["Key"].astype(str), strict=True))
    for at in sorted(range(len(names)), key=names.__getitem__):
        bucket, key = names[at]
        if last is None or bucket != last[0] or not key.startswith(last[1]):
            kept.append(at)
            last = bucket, key
    return frame.iloc[kept]


def _checked(source: object, options: Counting) -> Any:
    if is_frame(source):
        return _checked_frame(source)
    if isinstance(source, S3Uri):
        return source
    if isinstance(source, os.PathLike):
        source = os.fspath(source)
    if not isinstance(source, str):
        raise BadArgument(f"{called(source)} cannot be counted.", hint="Write s3://bucket/prefix.")
    uri = S3Uri.parse(source)
    if options.glob:
        Matching(uri.key)  # it says what is wrong with a pattern before anything is asked
    return uri


def _checked_frame(frame: Any) -> Any:
    check_columns(frame)
    if is_report(frame):
        frame = _listing_of(frame)
    missing = [name for name in ("Bucket", "Key", "Size") if name not in frame.columns]
    if missing:
        raise BadArgument(
            f"The frame has no column{'s' * (len(missing) > 1)} {' and '.join(missing)}, "
            "so there is nothing to count.",
            hint="Take one that %s3ls -r gave; filtered and sorted is fine.",
        )
    if "Objects" in frame.columns and bool(frame["Objects"].isna().any()):
        raise BadArgument(
            "Some rows of the frame are counts and some are objects, which may count twice.",
            hint="Take a listing (%s3ls -r), or counts alone.",
        )
    if "Type" in frame.columns and "Objects" not in frame.columns:
        folders = int((frame["Type"] == "prefix").sum())
        if folders:
            raise BadArgument(
                f"{folders:,} of {count(len(frame), 'row')} "
                f"{'is a folder' if folders == 1 else 'are folders'}, "
                "and a listing of one level does not say what is in it.",
                hint="List it with -r, or count the address.",
            )
    return frame


def _listing_of(report: pd.DataFrame) -> pd.DataFrame:
    """Give what a report's rows name in S3, with the bytes that went."""
    import pandas as pd

    rows = read(report)
    columns = {
        "Bucket": [row.bucket for row in rows],
        "Key": pd.array([row.key for row in rows], dtype="string"),
    }
    sizes = {"Size": report["Size"].to_numpy()} if "Size" in report.columns else {}
    return pd.DataFrame(columns | sizes)


async def _of_address(
    client: S3Client, uri: S3Uri, options: Counting, now: dt.datetime, meter: Meter
) -> Totals:
    prefix = Matching(uri.key).prefix if options.glob else uri.key
    totals = Totals(uri.bucket, prefix, options.depth, options.by, now, options.partly)
    asked = Listing(uri.bucket, prefix, owner="Owner" in options.by, versions=options.versions)
    matching = Matching(uri.key, recursive=True) if options.glob else None
    base = uri.key.rfind("/") + 1 if matching is None else prefix.rfind("/") + 1
    waiting: list[Page] = []
    rows = 0
    async with contextlib.aclosing(pages(client, asked)) as answers:
        async for answer in answers:
            page = answer if matching is None else matching.of(answer)
            if options.wanted:
                page = _wanted(page, options.wanted, base)
            meter.tally(len(page.keys))
            waiting.append(page)
            rows += len(page.keys)
            if rows >= _PART:
                await asyncio.to_thread(_add, totals, waiting)
                waiting, rows = [], 0
    await asyncio.to_thread(_add, totals, waiting)
    return totals


def _wanted(page: Page, wanted: Filters, base: int) -> Page:
    """Keep what the filters want of a page, by the names behind so many characters."""
    return page.kept([wanted.wants(key[base:]) for key in page.keys], [False] * len(page.prefixes))


def _add(totals: Totals, waiting: Iterable[Page]) -> None:
    for page in waiting:
        totals.add(page)


async def _of_frame(
    frame: pd.DataFrame, options: Counting, now: dt.datetime, meter: Meter
) -> list[Totals]:
    found: list[Totals] = []
    for bucket, part in await asyncio.to_thread(_parts, frame):
        totals = await asyncio.to_thread(_empty_of, part, bucket, options, now)
        for piece in parts(part):
            await beside(len(piece), _add_piece, totals, piece, options)
            meter.tally(len(piece))
        found.append(totals)
    return found


def _parts(frame: pd.DataFrame) -> list[tuple[str, pd.DataFrame]]:
    """Give the rows of each bucket."""
    import pandas as pd

    rows = outermost(frame) if "Depth" in frame.columns else frame
    if bool(rows[["Bucket", "Key"]].isna().to_numpy().any()):
        raise BadArgument(
            "Some rows of the frame have no Bucket or no Key.",
            hint='Leave them out: df.dropna(subset=["Bucket", "Key"]).',
        )
    if not pd.api.types.is_numeric_dtype(rows["Size"]):
        try:  # numbers that a merge or a file made objects, or text
            rows = rows.assign(Size=pd.to_numeric(rows["Size"]).astype("Int64"))
        except (ValueError, TypeError):
            raise BadArgument(
                "The frame's Size holds no bytes.", hint="Take it before .s3.human()."
            ) from None
    names = rows["Bucket"].unique()
    if len(names) == 1:
        return [(str(names[0]), rows)]
    return [(str(name), part) for name, part in rows.groupby("Bucket", observed=True)]


def _empty_of(part: pd.DataFrame, bucket: str, options: Counting, now: dt.datetime) -> Totals:
    """Begin to count below the folder that all of a frame's keys share."""
    shared = shared_folder(map(str, (part["Key"].min(), part["Key"].max())))
    # The frame may be filtered: a folder's row is not all that lies below it.
    return Totals(bucket, shared, options.depth, options.by, now, partly=True)


def _add_piece(totals: Totals, piece: pd.DataFrame, options: Counting) -> None:
    if options.wanted:
        piece = piece[[options.wanted.wants(str(key)) for key in piece["Key"]]]
    totals.add(_page(piece, options.by), _column(piece, "Objects") or repeat(1))


def _page(piece: pd.DataFrame, by: tuple[str, ...]) -> Page:
    """Give rows of a frame as the page that they may have come in, as far as it is looked at."""
    missing: list[Any] = [None] * len(piece)
    timed = "LastModified" in piece.columns and not _TIMES.isdisjoint(by)
    owners = _column(piece, "Owner") if "Owner" in by else None
    return Page(
        keys=[str(key) for key in piece["Key"].tolist()],
        sizes=piece["Size"].fillna(0).astype("int64").tolist(),
        stamps=_stamps(piece) if timed else missing,
        etags=missing,
        classes=(_column(piece, "StorageClass") if "StorageClass" in by else None) or missing,
        prefixes=[],
        owners=None if owners is None else [_owner(one) for one in owners],
        latest=_column(piece, "IsLatest"),
        deleted=_column(piece, "IsDeleteMarker"),
    )


def _owner(name: str | None) -> S3Owner | None:
    return {"DisplayName": name} if name else None


def _column(piece: pd.DataFrame, name: str) -> list[Any] | None:
    """Give a column's values, None where one is missing; None if there is no such column."""
    if name not in piece.columns:
        return None
    column = piece[name]
    return column.astype("object").where(column.notna(), None).tolist()


def _stamps(piece: pd.DataFrame) -> list[str | None]:
    """Give times as a page has them: ISO 8601, in UTC, without a zone."""
    import numpy as np
    import pandas as pd

    times = pd.to_datetime(piece["LastModified"], utc=True).to_numpy("datetime64[s]")
    texts: Iterator[str] = iter(np.datetime_as_string(times).tolist())
    return [None if text == "NaT" else text for text in texts]

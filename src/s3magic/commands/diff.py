"""The verb diff: what was added, changed or removed between two listings."""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING, Any

from s3magic.commands.facts.comparing import Side, compared
from s3magic.commands.options.description import Option, Positional, Verb
from s3magic.commands.options.shared import PROGRESS_OPTION
from s3magic.commands.showing.displays import display
from s3magic.commands.showing.framed import Framed
from s3magic.commands.showing.stopping import stoppable
from s3magic.commands.sources.objects import is_frame
from s3magic.commands.sources.rows import check_columns, refuse_other_frames
from s3magic.errors import BadArgument
from s3magic.listing.frame import Table
from s3magic.listing.pages import Listing, pages
from s3magic.session import using
from s3magic.transfer.progress import Meter
from s3magic.transfer.watching import watching
from s3magic.uri import S3Uri
from s3magic.wording import called, count

if TYPE_CHECKING:
    import pandas as pd
    from types_aiobotocore_s3 import S3Client

__all__ = ["VERB", "diff"]

VERB = Verb(
    name="s3diff",
    summary="Say what was added, changed or removed: since a listing was taken, or between two.",
    positionals=(
        Positional("BEFORE", "$frame from %s3ls -r, or s3://bucket/prefix"),
        Positional("AFTER", "s3://bucket/prefix as it is now, or another $frame"),
    ),
    options=(
        Option(("--size-only",), "take objects of the same size for the same, whatever their ETag"),
        PROGRESS_OPTION,
    ),
    examples=(
        ("%s3diff $df s3://weather/csv/", "what became of a listing taken before"),
        ("%s3diff s3://weather/csv/year=2020/ s3://weather/csv/year=2021/", "two folders"),
        ("%s3diff $df $df", "two listings: no request"),
    ),
    twin="s3.diff",
    details=(
        "One row for each object that is not the same in both: Key, Change (added, changed or "
        "removed), SizeBefore, SizeAfter, ETagBefore, ETagAfter, LastModifiedBefore, "
        "LastModifiedAfter, Place and Bucket. Two addresses are compared by what follows them "
        "in the keys. The result is a source: %s3get $changes ./new."
    ),
)


async def diff(
    before: object, after: object, *, size_only: bool = False, progress: str | None = None
) -> pd.DataFrame:
    """Say what was added, changed or removed between two listings.

    Two objects are the same if their sizes and ETags are. An ETag depends on
    the parts that a large object was sent in, and on its encryption: a copy may
    have another than its source, which `size_only` leaves out of account.

    Args:
        before: A frame of a listing (``await s3.ls(uri, recursive=True)``), or
            ``s3://bucket/prefix``, which is listed now.
        after: The same.
        size_only: Compare sizes alone.
        progress: ``auto``, ``widget``, ``text`` or ``none``.

    Returns:
        One row for each object that is not the same in both, by key: ``Key``
        string; ``Change`` category, ``added``, ``changed`` or ``removed``;
        ``SizeBefore`` and ``SizeAfter`` Int64, bytes; ``ETagBefore`` and
        ``ETagAfter`` string; ``LastModifiedBefore`` and ``LastModifiedAfter`` in
        UTC; ``Place`` string, the key's part behind the address; ``Bucket``
        category. Of what was removed, key and bucket are those before.

    Raises:
        NoSuchBucket: There is no such bucket.
        BadArgument: One of the two is no listing; nothing was asked.

    Example:
        >>> before = await s3.ls("s3://weather/csv/", recursive=True)
        >>> await s3.diff(before, "s3://weather/csv/")
    """
    sides = await asyncio.to_thread(_sides, before, after)
    meter = Meter(doing="Comparing", did="Compared", noun="object")
    async with watching(meter, display(progress), quiet_if_short=True):
        with stoppable(meter):
            frames = [await _listed(side, meter) for side in sides]
            return await asyncio.to_thread(compared, sides, frames, size_only=size_only)


def _sides(before: object, after: object) -> tuple[Side, Side]:
    """Look at what was given; takes a while for long frames."""
    sides = _side(before), _side(after)
    _refuse_strangers(*sides)
    return sides


def _side(source: object) -> Side:
    given = source.source if isinstance(source, Framed) else source
    if is_frame(given):
        _check(given)
        return Side(frame=given)
    if isinstance(given, S3Uri):
        return Side(uri=given)
    if isinstance(given, str):
        return Side(uri=S3Uri.parse(given))
    refuse_other_frames(given)
    raise BadArgument(
        f"{called(given)} cannot be compared.",
        hint="Give two of these: a frame from %s3ls -r, or s3://bucket/prefix.",
    )


def _check(frame: Any) -> None:
    """Refuse what does not name every object that there was."""
    check_columns(frame)
    missing = [name for name in ("Bucket", "Key", "Size") if name not in frame.columns]
    if missing:
        raise BadArgument(
            f"The frame has no column{'s' * (len(missing) > 1)} {' and '.join(missing)}, "
            "so there is nothing to compare.",
            hint="Take one that %s3ls -r gave.",
        )
    if bool(frame[["Bucket", "Key"]].isna().any(axis=None)):
        raise BadArgument(
            "Some rows of the frame have no Bucket or no Key.",
            hint='Leave them out: df.dropna(subset=["Bucket", "Key"]).',
        )
    if "Type" in frame.columns and (frame["Type"] != "object").any():
        folders = int((frame["Type"] != "object").sum())
        raise BadArgument(
            f"{folders:,} of {count(len(frame), 'row')} "
            f"{'is a folder' if folders == 1 else 'are folders'}, and what is in it cannot be "
            "compared.",
            hint="Take a listing with -r.",
        )
    if frame.attrs.get("truncated"):
        raise BadArgument(
            "The frame was cut by a limit, so what it lacks may well have been there.",
            hint="Take a listing without --limit.",
        )


def _refuse_strangers(before: Side, after: Side) -> None:
    """Refuse a frame of one bucket beside an address in another."""
    for side, other in ((before, after), (after, before)):
        if side.frame is None or other.uri is None or not len(side.frame):
            continue
        buckets = set(map(str, side.frame["Bucket"].unique()))
        if other.uri.bucket not in buckets:
            raise BadArgument(
                f"The frame has no object of the bucket {other.uri.bucket}, so it cannot be what "
                f"{other.uri} was.",
                hint="To compare two places, give the addresses of both, or the frames of both.",
            )


async def _listed(side: Side, meter: Meter) -> pd.DataFrame:
    if side.uri is None:
        return side.frame  # type: ignore[no-any-return]  # it was checked
    async with using() as client:
        return await _now(client, side.uri, meter)


async def _now(client: S3Client, uri: S3Uri, meter: Meter) -> pd.DataFrame:
    table = Table(uri.bucket)
    async with contextlib.aclosing(pages(client, Listing(uri.bucket, uri.key))) as answers:
        async for page in answers:
            await table.add(page)
            meter.tally(len(page))
    return await table.frame()

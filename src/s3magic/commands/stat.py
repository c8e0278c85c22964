"""The verb stat: everything that S3 knows of an object, or of a bucket."""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING

from s3magic.commands.facts.answers import Fact, frame_of, table_of
from s3magic.commands.facts.of_bucket import facts_of_bucket
from s3magic.commands.facts.of_object import facts_of_object
from s3magic.commands.options.description import Option, Positional, Verb
from s3magic.commands.options.filters import FILTERS, Filters
from s3magic.commands.options.kinds import TEXT
from s3magic.commands.options.shared import ERRORS, GLOB, PROGRESS_OPTION, RECURSIVE, choice
from s3magic.commands.showing.displays import display
from s3magic.commands.showing.stopping import stoppable
from s3magic.commands.sources.objects import Found, find, is_frame, listed
from s3magic.errors import BadArgument, NoSuchKey, S3Error, TransferError
from s3magic.session import using
from s3magic.settings import defaults
from s3magic.transfer.progress import Meter
from s3magic.transfer.watching import watching
from s3magic.transfer.window import each, stream
from s3magic.uri import S3Uri
from s3magic.wording import count, printable

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Sequence

    import pandas as pd
    from types_aiobotocore_s3 import S3Client

    from s3magic.commands.options.filters import Patterns

__all__ = ["VERB", "stat"]

_LANES = 16  # objects at once; each is some requests side by side

VERB = Verb(
    name="s3stat",
    summary="Tell everything that S3 knows of an object, or of a bucket.",
    positionals=(
        Positional("URI", "s3://bucket/key, s3://bucket, several of them, or $frame", many=True),
    ),
    options=(
        RECURSIVE,
        GLOB,
        *FILTERS,
        Option(("--version-id",), "this version of the object", kind=TEXT),
        ERRORS,
        PROGRESS_OPTION,
    ),
    examples=(
        ("%s3stat s3://weather/README.txt", "one object: a line for each thing known"),
        ("%s3stat s3://weather", "a bucket: versions, encryption, who may see it, rules"),
        ('%s3stat "s3://weather/csv/year=2020/*.csv" --glob', "several: a row for each object"),
        ("%s3stat $df", "all objects of a listing"),
    ),
    twin="s3.stat",
    details=(
        "One address gives a frame with the columns Name, Value and Note: a note says what is "
        "not allowed, what the server does not know, and what to mind. Several objects give one "
        "row each, with their facts as columns; it is a source for the other verbs."
    ),
)


async def stat(
    source: object,
    *,
    recursive: bool = False,
    glob: bool = False,
    exclude: Patterns = None,
    include: Patterns = None,
    version_id: str | None = None,
    errors: str | None = None,
    progress: str | None = None,
) -> pd.DataFrame:
    """Tell everything that S3 knows of an object, or of a bucket.

    All is asked for side by side. What may not be asked, or what the server
    does not know, is a line with a note and no error.

    Args:
        source: ``s3://bucket/key``, ``s3://bucket``, a frame of a listing, or a
            list or Series of these.
        recursive: Every object below the address, or below a frame's folders.
        glob: The key is a pattern.
        exclude: Names below the folder that are left out: a pattern, or several.
        include: Names that are taken after all.
        version_id: One version of one object.
        errors: ``raise`` a `TransferError` at the end if an object of several
            failed, or ``return`` the frame as it is.
        progress: ``auto``, ``widget``, ``text`` or ``none``.

    Returns:
        For one address: ``Name`` string, ``Value`` (whatever it is: a number,
        a text, a time in UTC; None where it is not known) and ``Note`` string.
        For several objects one row each: ``Bucket``, ``Key`` and their facts,
        and ``Error`` string.

    Raises:
        NoSuchKey: There is no such object.
        NoSuchBucket: There is no such bucket.
        AccessDenied: Not even the object's head may be asked for.
        BadArgument: An argument cannot be meant; nothing was asked.
        TransferError: Some of several objects failed; see its ``report``.

    Example:
        >>> facts = await s3.stat("s3://weather/README.txt")
        >>> facts.set_index("Name").Value["ContentType"]
    """
    sources, several = listed(source)
    wanted = choice("errors", errors or defaults().errors, ("raise", "return"))
    filters = Filters.of(exclude=exclude, include=include)
    one = sources[0]
    alone = not (several or recursive or glob or filters or is_frame(one))
    meter = Meter(doing="Asking about", did="Asked about", noun=_noun(sources))
    async with watching(meter, display(progress), quiet_if_short=True):
        with stoppable(meter):
            async with using() as client:
                if alone:
                    facts = await _of_one(client, _address(one), version_id)
                    meter.tally()
                    return await asyncio.to_thread(table_of, facts)
                found = _found(
                    client,
                    sources,
                    recursive=recursive,
                    glob=glob,
                    version_id=version_id,
                    several=several,
                    wanted=filters,
                )
                rows: list[tuple[Found, list[Fact] | S3Error]] = []

                async def ask(one: Found) -> None:
                    place = len(rows)
                    rows.append((one, []))
                    rows[place] = one, await _asked(client, one)
                    meter.tally()

                async with contextlib.aclosing(found) as objects:
                    await each(objects, ask, _LANES)
    frame = await asyncio.to_thread(frame_of, rows)
    failed = [told for _, told in rows if isinstance(told, S3Error)]
    if failed and wanted == "raise":
        raise TransferError(
            f"{len(failed):,} of {count(len(rows), 'object')} could not be asked for. {{1}}",
            report=frame,
            hint="All rows are in the error's .report; to have them in place of the error, run "
            "it again with {0}.",
            options=[("errors", "return"), failed[0].message],
        ) from failed[0]
    return frame


def _found(
    client: S3Client,
    sources: Sequence[object],
    *,
    recursive: bool,
    glob: bool,
    version_id: str | None,
    several: bool,
    wanted: Filters,
) -> AsyncGenerator[Found]:
    """Give what is asked for of several: objects, or buckets."""
    if not recursive and not glob and not any(map(is_frame, sources)):
        addresses = [_address(one) for one in sources]
        if not any(one.key for one in addresses):
            return stream([Found(one, "") for one in dict.fromkeys(addresses)])
    return find(
        client,
        sources,
        recursive=recursive,
        glob=glob,
        version_id=version_id,
        several=several,
        wanted=wanted,
    )


def _noun(sources: Sequence[object]) -> str:
    """Say what is asked about, before anything is."""
    addresses = [one for one in sources if isinstance(one, str | S3Uri)]
    buckets = [one for one in addresses if "/" not in str(one).partition("://")[2].rstrip("/")]
    return "bucket" if buckets and len(buckets) == len(sources) else "object"


def _address(source: object) -> S3Uri:
    return source if isinstance(source, S3Uri) else S3Uri.parse(str(source))


async def _of_one(client: S3Client, uri: S3Uri, version_id: str | None) -> list[Fact]:
    if not uri.key:
        if version_id is not None:
            raise BadArgument(f"{uri} is a bucket, and has no versions.", hint="Give a key.")
        return await facts_of_bucket(client, uri.bucket)
    try:
        return await facts_of_object(client, uri, version_id)
    except NoSuchKey as error:
        folder = printable(str(uri.join("")))
        error.hint = f"If it is a folder, %s3du {folder} says what is in it. {error.hint}"
        raise


async def _asked(client: S3Client, one: Found) -> list[Fact] | S3Error:
    try:
        if one.refused is not None:
            return one.refused
        if not one.uri.key:
            return await facts_of_bucket(client, one.uri.bucket)
        return await facts_of_object(client, one.uri, one.version_id)
    except S3Error as error:
        return error

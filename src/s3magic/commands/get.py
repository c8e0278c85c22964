"""`get`: brings objects here, into files, folders or memory."""

from __future__ import annotations

import asyncio
import contextlib
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, overload

from s3magic.commands.options.description import Option, Positional, Verb
from s3magic.commands.options.filters import FILTERS, Filters
from s3magic.commands.options.kinds import TEXT
from s3magic.commands.options.shared import BG, GLOB, RECURSIVE, TRANSFERRING, Transferring
from s3magic.commands.running.background import run, told
from s3magic.commands.running.preview import GLANCE, preview
from s3magic.commands.running.transferring import Ways, Wording, run_jobs, transfer
from s3magic.commands.sources.advising import advising
from s3magic.commands.sources.longframes import beside
from s3magic.commands.sources.objects import find, is_frame, is_source, listed
from s3magic.commands.sources.places import job_of, place_of
from s3magic.errors import BadArgument, TransferError
from s3magic.settings import KiB
from s3magic.transfer.disk import in_thread
from s3magic.transfer.download import download, download_bytes, quick
from s3magic.transfer.plan import Download, Targets
from s3magic.uri import S3Uri
from s3magic.wording import filesize

if TYPE_CHECKING:
    import os
    from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence

    from pandas import DataFrame
    from types_aiobotocore_s3 import S3Client

    from s3magic.commands.options.filters import Patterns
    from s3magic.transfer.engine import Run

    Work = Callable[[Run, Download, int], Awaitable[int]]

__all__ = ["VERB", "get"]

VERB = Verb(
    name="s3get",
    summary="Bring objects here: into a file, a folder, or a variable.",
    positionals=(
        Positional("SOURCE", "s3://bucket/key, several of them, or $frame from %s3ls", many=True),
        Positional(
            "TARGET",
            "a file, a folder (ending in /, or there already), or - for the bytes themselves; "
            "this folder if left out",
            required=False,
            accepts=lambda value: not is_source(value),
            where="local",
        ),
    ),
    options=(
        RECURSIVE,
        GLOB,
        *FILTERS,
        Option(("--version-id",), "this version of the object", kind=TEXT),
        *TRANSFERRING,
        BG,
    ),
    examples=(
        ("%s3get s3://weather/csv/year=2024/station=wien.csv", "one object, into this folder"),
        ("%s3get s3://weather/csv/ ./csv -r", "everything below a folder"),
        ("data = %s3get s3://weather/README.txt -", "the bytes of one object"),
        ('%s3get "s3://weather/csv/*/station=wien.csv" ./wien --glob', "what a pattern finds"),
        ("%s3get ${df[(df.Type == 'object') & (df.Size < 10_000)]} ./small", "part of a listing"),
        ("job = %s3get s3://weather/csv/ ./csv -r --bg", "go on while other cells run"),
        ("%s3get $df ./all --dry-run", "only say what would come, and where it would go"),
    ),
    twin="s3.get",
    details=(
        "A file appears whole under its name, or not at all; what had arrived of a large object "
        "is gone on with when the same line runs again. Returns one row a transfer: Source, "
        "Target, Size, Status, Error, Seconds.\n\n"
        "With -r and --glob the folders below the address are kept, and with several sources "
        "each folder's own name too; objects of a frame keep their whole key below the target."
    ),
)

# Each part is a request, with a task of its own: of a few bytes each they would be millions.
_SMALLEST_PART = 64 * KiB

_WORDING = Wording("get", "Downloading", "Downloaded")


@overload
async def get(
    source: object,
    target: Literal["-"] | None,
    *,
    version_id: str | None = None,
    concurrency: int | None = None,
    part_size: int | None = None,
    progress: str | None = None,
    bg: Literal[False] = ...,
) -> bytes: ...


@overload
async def get(
    source: object,
    target: str | os.PathLike[str] | None = ...,
    *,
    recursive: bool = False,
    glob: bool = False,
    exclude: Patterns = None,
    include: Patterns = None,
    version_id: str | None = None,
    no_clobber: bool = False,
    concurrency: int | None = None,
    part_size: int | None = None,
    dry_run: bool = False,
    errors: str | None = None,
    progress: str | None = None,
    bg: bool = ...,
) -> DataFrame | Any: ...


async def get(
    source: object,
    target: str | os.PathLike[str] | None = "",
    *,
    recursive: bool = False,
    glob: bool = False,
    exclude: Patterns = None,
    include: Patterns = None,
    version_id: str | None = None,
    no_clobber: bool = False,
    concurrency: int | None = None,
    part_size: int | None = None,
    dry_run: bool = False,
    errors: str | None = None,
    progress: str | None = None,
    bg: bool = False,
) -> DataFrame | bytes | Any:
    """Bring objects here: into a file, a folder, or memory.

    A file appears whole under its name, or not at all. Large objects come in
    parallel ranges, small ones side by side, in constant memory. What arrived
    of a large object before a failure is gone on with at the next try.

    Args:
        source: ``s3://bucket/key``, an `S3Uri`, a frame from `ls`, or a list
            or Series of these.
        target: A file; a folder, if it ends in ``/`` or is one; None (or
            ``"-"``) for the bytes themselves. By default the current folder.
        recursive: Everything below the address, its folders kept, and of several
            addresses each one's own last name too; of a frame, all
            below the folders among its rows, which are refused without it.
        glob: The key is a pattern: ``*``, ``?``, ``[abc]``, ``**``. With
            `recursive`, what lies below the folders that match comes too.
        exclude: Names below the folder that are left out: a pattern, or several.
            ``*`` crosses folders here, as in ``aws s3``.
        include: Those of them that are brought after all. In a line the order of
            both counts: the last pattern that matches decides.
        version_id: One version of one object.
        no_clobber: Leave files that exist as they are: ``skipped``.
        concurrency: Requests at once, at most; how many are best is found
            meanwhile.
        part_size: Bytes of one range of a large object.
        dry_run: Only say what would be done.
        errors: ``raise`` a `TransferError` at the end if anything failed, or
            ``return`` the report as it is.
        progress: ``auto``, ``widget``, ``text`` or ``none``.
        bg: Go on in the background, and give a `Job`, which can be awaited.

    Returns:
        One row a transfer: ``Source``, ``Target`` (string), ``Size`` (int64,
        bytes), ``Status`` (string: done, skipped, failed, cancelled, planned),
        ``Error`` (string), ``Seconds`` (float64). For a target of None the
        object's bytes. With `bg` the `Job`.

    Raises:
        NoSuchKey: There is nothing below the address, or nothing that matches.
        BadArgument: The arguments cannot be meant; nothing was done.
        TransferError: Something failed or was cancelled; the rest arrived.
        S3Error: With a target of None, what went wrong.

    Example:
        >>> await s3.get("s3://weather/csv/", "csv/", recursive=True)
    """
    sources, several = listed(source)
    options = Transferring.checked(
        no_clobber=no_clobber,
        concurrency=concurrency,
        part_size=part_size,
        dry_run=dry_run,
        errors=errors,
        progress=progress,
    )
    if options.part_size < _SMALLEST_PART:
        raise BadArgument(
            f"A part of {filesize(options.part_size)} is too small: "
            f"get asks for {filesize(_SMALLEST_PART)} or more at a time.",
            hint="Write 8MiB." if isinstance(part_size, int) else "",
        )
    wanted = Filters.of(exclude=exclude, include=include)
    if target is None or target == "-":
        plain = not (recursive or glob or dry_run or wanted)
        work = _bytes(_single(sources, plain=plain), version_id, options)
        return await run(told("get", source, "-"), work, bg=bg, progress=progress)
    if is_source(target):
        raise BadArgument(
            f"The target {target} is in S3, and %s3get brings objects here.",
            hint="Give a file or a folder of this machine.",
        )
    if not target and several:
        raise BadArgument("Several sources need a target folder.", hint="Put ./ behind them.")
    into = recursive or glob or several or is_frame(sources[0])
    place = await in_thread(place_of, target, folder=into)

    async def plan(client: S3Client) -> AsyncGenerator[Download]:
        targets = Targets()
        found = find(
            client,
            sources,
            recursive=recursive,
            glob=glob,
            version_id=version_id,
            several=several,
            wanted=wanted,
        )
        async with contextlib.aclosing(found):
            async for one in found:
                yield job_of(one, place, targets)
        await beside(len(targets), targets.forget)

    def advised(do: Work) -> Work:
        async def work(shared: Run, job: Download, number: int) -> int:
            if job.size is not None:  # it was listed: nothing else can be meant
                return await do(shared, job, number)
            with advising(recursive=recursive, glob=glob):
                return await do(shared, job, number)

        return work

    ways = Ways(advised(download), advised(preview), quick, GLANCE)
    coming = transfer(_WORDING, options, plan, ways)
    return await run(told("get", source, target), coming, bg=bg, progress=progress)


def _single(sources: Sequence[object], *, plain: bool) -> S3Uri:
    """Give the one object that is to become bytes."""
    if len(sources) != 1 or is_frame(sources[0]) or not plain:
        raise BadArgument(
            "Only one object at a time becomes bytes.", hint="Name a folder for several."
        )
    source = sources[0]
    # A folder's marker is an object too: it has bytes, and nothing else can be meant.
    uri = source if isinstance(source, S3Uri) else S3Uri.parse(str(source))
    if not uri.key:
        raise BadArgument(f"{uri} is a bucket.", hint="Name one object: s3://bucket/key.")
    return uri


async def _bytes(uri: S3Uri, version_id: str | None, options: Transferring) -> bytes:
    """Bring one object into memory."""
    held = b""

    async def plan(client: S3Client) -> AsyncGenerator[Download]:  # noqa: ARG001 - as the engine asks
        yield Download(uri, Path(), version_id=version_id)

    async def work(shared: Run, job: Download, number: int) -> int:
        nonlocal held
        with advising(recursive=True):  # a folder has no bytes that could be meant
            held = await download_bytes(shared, job, number)
        return len(held)

    rows = await run_jobs(_WORDING, options, plan, work)
    if rows and rows[0].status == "done":
        return held
    if rows and rows[0].cause is not None:
        raise rows[0].cause
    from s3magic.commands.running.report import frame

    raise TransferError(f"{uri} was cancelled.", report=await asyncio.to_thread(frame, rows))

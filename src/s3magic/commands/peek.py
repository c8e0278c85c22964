"""The verb peek: what is in an object, by a few kilobytes of it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from s3magic.commands.contents.formats import FORMATS, form_of, refuse_pickle, sniffed
from s3magic.commands.options.description import Option, Positional, Verb
from s3magic.commands.options.kinds import INTEGER
from s3magic.commands.options.reading import VERSION
from s3magic.commands.options.shared import PROGRESS_OPTION, Transferring, choice, whole
from s3magic.commands.peeking.look import BUDGET, FIRST, Look
from s3magic.commands.peeking.shown import Peek
from s3magic.commands.running.transferring import Wording, run_jobs
from s3magic.commands.sources.objects import find
from s3magic.errors import BadArgument, Damaged, S3Error, TransferError
from s3magic.settings import KiB
from s3magic.transfer.plan import Download
from s3magic.transfer.ranged import Ranged, TooMuch
from s3magic.transfer.ranges import Source

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from types_aiobotocore_s3 import S3Client

    from s3magic.transfer.engine import Run
    from s3magic.transfer.rangefile import RangeFile
    from s3magic.uri import S3Uri

__all__ = ["VERB", "peek"]

_ROWS = 5

VERB = Verb(
    name="s3peek",
    summary="See what is in an object: its columns and first rows, or its shape.",
    positionals=(Positional("URI", "s3://bucket/key, or a $frame of one row"),),
    options=(
        Option(("-n", "--rows"), "how many of its first rows", kind=INTEGER, default=_ROWS),
        Option(("--format",), "what it is, where its name does not tell", choices=FORMATS),
        VERSION,
        PROGRESS_OPTION,
    ),
    examples=(
        ("%s3peek s3://weather/parquet/year=2024/hourly.parquet", "columns, types, first rows"),
        ("%s3peek s3://weather/stations.csv -n 2", "two rows of a CSV"),
        ("%s3peek s3://photos/clouds/wien.jpg", "the size of an image"),
        ("seen = %s3peek s3://weather/stations.csv", "then seen.schema, seen.head, seen.rows"),
    ),
    twin="s3.peek",
    details=(
        "Only a few ranges are read, never the whole object: at most 0.8 MB. It knows "
        "Parquet, Arrow and Feather, ORC, Avro, CSV, TSV, JSON lines, JSON, text, these packed "
        "with gzip, bzip2, xz or Zstandard, numpy's .npy and .npz, zip, and PNG, JPEG, GIF and "
        "WebP images."
    ),
)

_WORDING = Wording("get", "Peeking", "Peeked at", "object")
_AT_THE_END = {"parquet", "orc", "zip", "npz", "excel"}  # formats whose index stands there


async def peek(
    uri: object,
    *,
    rows: int = _ROWS,
    format: str | None = None,  # noqa: A002 - the option's name
    version_id: str | None = None,
    progress: str | None = None,
) -> Peek:
    """See what is in an object, by a few ranged reads.

    At most 0.8 MB moves, however large the object is. What does not fit into
    that is left out, and `note` says so.

    Args:
        uri: ``s3://bucket/key``, an `S3Uri`, or a frame of one row.
        rows: How many of its first rows.
        format: What it is, where its name does not tell.
        version_id: One version of it.
        progress: ``auto``, ``widget``, ``text`` or ``none``.

    Returns:
        A `Peek`: ``format``; ``schema``, a frame of ``Column`` and ``Type``;
        ``head``, the first rows as a frame; ``rows``, where the format says how
        many there are; ``facts``; ``note``; ``size`` and ``bytes_read``, bytes.

    Raises:
        NoSuchKey: There is no such object.
        BadArgument: It is none, or a pickle; nothing was read.
        NotSupported: A package is missing, which the error names.
        Damaged: It is not what its name says.

    Example:
        >>> (await s3.peek("s3://weather/stations.csv")).schema
    """
    shown = whole("rows", rows, least=0, most=10_000)
    named = None if format is None else choice("format", format, FORMATS)
    options = Transferring.checked(
        no_clobber=False,
        concurrency=None,
        part_size=None,
        dry_run=False,
        errors=None,
        progress=progress,
    )
    seen: list[Peek] = []

    async def plan(client: S3Client) -> AsyncGenerator[Download]:
        found = [one async for one in find(client, [uri], version_id=version_id)]
        if len(found) != 1:
            raise BadArgument(
                f"The frame has {len(found):,} rows, and one object is looked into at a time.",
                hint="Take one of them: df[:1].",
            )
        one = found[0]
        if form_of(one.uri.key, named).format == "pickle":
            raise refuse_pickle(one.uri)
        yield Download(one.uri, Path(), version_id=one.version_id)

    async def work(shared: Run, job: Download, number: int) -> int:
        source = Source(shared.client, job.uri, job.version_id)
        ranged = Ranged(shared, number, source, most=BUDGET)
        form = form_of(job.uri.key, named)
        at_the_end = form.format in _AT_THE_END and not form.packed
        await ranged.open(**{"tail" if at_the_end else "head": FIRST})
        look = await ranged.read(lambda file: _look(file, shown, job.uri, named))
        seen.append(Peek(str(job.uri), ranged.size, ranged.moved, look))
        return ranged.moved

    ended = await run_jobs(_WORDING, options, plan, work, quiet_if_short=True)
    if seen:
        return seen[0]
    if ended[0].cause is not None:
        raise ended[0].cause
    raise TransferError("The look was cancelled.", report=None)


def _look(file: RangeFile, rows: int, uri: S3Uri, named: str | None) -> Look:
    """Look into an object as what it is. Blocks."""
    from s3magic.commands.peeking import arrays, images, parquet, tables, texts

    form = form_of(uri.key, named)
    if not file.size:
        return Look(form.format or "empty", note="It is empty.")
    file.exact = True
    beginning = file.read(FIRST if file.size <= FIRST else 16)
    file.exact = False
    kind = form.format
    if named is None and not form.packed:
        kind = sniffed(beginning, kind)
    if kind == "excel" and not beginning.startswith(b"PK"):
        return Look(kind, note="It is of the old kind of Excel: %s3read reads it.")
    looks = {
        "parquet": parquet.parquet,
        "arrow": tables.arrow,
        "orc": tables.orc,
        "avro": tables.avro,
        "npy": arrays.npy,
        "npz": arrays.npz,
        "zip": arrays.archive,
        "excel": arrays.excel,
        "image": images.image,
    }
    try:
        if kind in looks and not texts.packed(file, str(uri)):
            return looks[kind](file, rows)
        return texts.lines(file, rows, kind, str(uri))
    except S3Error:
        raise
    except Exception as error:
        if isinstance(file.failure, TooMuch):  # some readers wrap what their file raises
            return Look(kind, note=f"More than {BUDGET // KiB} KiB would have to be read to tell.")
        raise Damaged(
            "Cannot look into {1} as {2}: {3}.",
            hint="If it is something else, say what with {0}.",
            options=["format", str(uri), kind, f"{type(error).__name__}: {error}"],
        ) from error

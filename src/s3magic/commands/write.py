"""The verb write: a variable into an object, in the format that the key names."""

from __future__ import annotations

import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from s3magic.commands.contents.foreign_options import refused
from s3magic.commands.contents.formats import Form, form_of, refuse_pickle
from s3magic.commands.contents.write_forms import WRITABLE, file_of, told
from s3magic.commands.contents.write_frames import ENDINGS, partition_files
from s3magic.commands.options.description import Option, Positional, Verb
from s3magic.commands.options.headers import HEADERS, headers_of
from s3magic.commands.options.kinds import NAMES, SETTING
from s3magic.commands.options.shared import BG, TRANSFERRING, Transferring, choice
from s3magic.commands.running.background import run
from s3magic.commands.running.background import told as line_of
from s3magic.commands.running.preview import GLANCE_THERE, preview_upload
from s3magic.commands.running.transferring import Ways, Wording, refuse_missing_bucket, transfer
from s3magic.commands.sources.files import content_type as type_of
from s3magic.errors import BadArgument
from s3magic.transfer.disk import in_thread
from s3magic.transfer.plan import Upload, upload_part_size
from s3magic.transfer.upload import quick, upload
from s3magic.transfer.window import stream
from s3magic.uri import S3Uri
from s3magic.wording import called

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Mapping, Sequence

    from pandas import DataFrame
    from types_aiobotocore_s3 import S3Client

__all__ = ["VERB", "write"]

VERB = Verb(
    name="s3write",
    summary="Write what a variable holds, a DataFrame for example, as an object.",
    positionals=(
        Positional("DATA", "a variable's name, or $data", where="variable"),
        Positional("URI", "s3://bucket/key: its ending says the format; a folder to partition"),
    ),
    options=(
        Option(("--format",), "what to make of it, where the key does not tell", choices=WRITABLE),
        Option(("--partition-by",), "a tree of folders by these columns: year=2024/", kind=NAMES),
        Option(("--option",), "what else the writer is told", kind=SETTING, repeatable=True),
        *HEADERS,
        *TRANSFERRING,
        BG,
    ),
    examples=(
        ("%s3write df s3://weather/results/days.parquet", "a DataFrame, as Parquet"),
        ("%s3write df s3://weather/results/days.csv.gz", "as CSV, packed"),
        ("%s3write ${df.head(3)} s3://weather/results/first.jsonl", "a part of it"),
        ("%s3write df s3://weather/results/by/ --partition-by Type --format parquet", "a tree"),
        ("%s3write df s3://weather/results/days.parquet --option compression=zstd", "smaller"),
    ),
    twin="s3.write",
    details=(
        "Frames of pandas, Polars and Dask, pyarrow Tables and DuckDB relations become Parquet, "
        "CSV, TSV, JSON lines, JSON, Arrow (.feather), ORC or Excel; dicts and lists JSON, arrays "
        ".npy and .npz; text and bytes stay what they are. A second ending .gz, .bz2, .xz or .zst "
        "packs. The object appears whole, or not at all. Returns one row an object: Source, "
        "Target, Size, Status, Error, Seconds."
    ),
)

_WORDING = Wording("put", "Uploading", "Uploaded")


@dataclass(frozen=True, slots=True)
class _Asked:
    """What is to be written.

    Args:
        data: The variable's value.
        uri: Where to.
        form: As what.
        by: The columns that become folders; none for one object.
        options: What else the writer is told.
        headers: What S3 is to keep.
    """

    data: object
    uri: S3Uri
    form: Form
    by: tuple[str, ...]
    options: Mapping[str, Any]
    headers: Mapping[str, Any]


async def write(
    data: object,
    uri: str | S3Uri,
    *,
    format: str | None = None,  # noqa: A002 - the option's name
    partition_by: Sequence[str] | str | None = None,
    option: Mapping[str, Any] | None = None,
    content_type: str | None = None,
    content_encoding: str | None = None,
    cache_control: str | None = None,
    metadata: Mapping[str, str] | None = None,
    tag: Mapping[str, str] | None = None,
    acl: str | None = None,
    storage_class: str | None = None,
    sse: str | None = None,
    sse_kms_key_id: str | None = None,
    no_clobber: bool = False,
    concurrency: int | None = None,
    part_size: int | None = None,
    dry_run: bool = False,
    errors: str | None = None,
    progress: str | None = None,
    bg: bool = False,
    **options: Any,
) -> DataFrame | Any:
    """Write a value as an object, in the format that its key names.

    It is written to a file of this machine first, and sent from there: the
    object appears whole, or stays what it was.

    Args:
        data: A frame of pandas, Polars or Dask, a pyarrow Table, a DuckDB
            relation; a dict or a list; an array of numpy; text or bytes.
        uri: The key, whose ending says the format: ``.parquet``, ``.csv.gz``;
            with `partition_by` the folder.
        format: What to make of it, where the key does not tell.
        partition_by: A tree of folders by these columns, an object in each.
        option: What else the writer is told, as a dict.
        content_type: Guessed from the name by default.
        content_encoding: How the bytes are packed.
        cache_control: How long the object may be cached.
        metadata: Kept with the object.
        tag: The object's tags.
        acl: A canned ACL. None is sent by default.
        storage_class: Where S3 keeps it.
        sse: Server-side encryption.
        sse_kms_key_id: The KMS key to encrypt with.
        no_clobber: Leave objects that exist as they are: ``skipped``.
        concurrency: Requests at once, at most.
        part_size: Bytes of one part, 5 MiB to 5 GiB.
        dry_run: Only say what would be done.
        errors: ``raise`` at the end if anything failed, or ``return`` the report.
        progress: ``auto``, ``widget``, ``text`` or ``none``.
        bg: Go on in the background, and give a `Job`, which can be awaited.
        **options: The same as `option`: ``compression="zstd"``.

    Returns:
        One row an object: ``Source``, ``Target`` (string), ``Size`` (int64,
        bytes), ``Status``, ``Error`` (string), ``Seconds`` (float64). With `bg`
        the `Job`.

    Raises:
        BadArgument: The value cannot be written as that; nothing was sent.
        NotSupported: A package is missing, which the error names.
        TransferError: It was not sent, or was cancelled.

    Example:
        >>> await s3.write(df, "s3://weather/results/days.parquet")
    """
    if not isinstance(uri, str | S3Uri):
        raise BadArgument(
            f"{called(uri)} is no address: write s3://bucket/key.", hint="The value comes first."
        )
    target = uri if isinstance(uri, S3Uri) else S3Uri.parse(uri)
    transferring = Transferring.checked(
        no_clobber=no_clobber,
        concurrency=concurrency,
        part_size=part_size,
        dry_run=dry_run,
        errors=errors,
        progress=progress,
    )
    upload_part_size(0, transferring.part_size)  # refused now, not when it is written
    headers = headers_of(
        content_type=content_type,
        content_encoding=content_encoding,
        cache_control=cache_control,
        metadata=metadata,
        tag=tag,
        acl=acl,
        storage_class=storage_class,
        sse=sse,
        sse_kms_key_id=sse_kms_key_id,
    )
    by = (partition_by,) if isinstance(partition_by, str) else tuple(partition_by or ())
    form = _form(target, None if format is None else choice("format", format, WRITABLE), by)
    asked = _Asked(data, target, form, by, {**(option or {}), **options}, headers)
    going = _sent(asked, transferring)
    return await run(line_of("write", told(data), target), going, bg=bg, progress=progress)


def _form(uri: S3Uri, named: str | None, by: Sequence[str]) -> Form:
    """Say as what to write; raises BadArgument for what cannot be meant."""
    form = form_of(uri.key, named)
    if form.format == "pickle":
        raise BadArgument(
            f"{refuse_pickle(uri).message} So none is written here.",
            hint="Write Parquet, JSON or .npy; or %s3put the bytes that pickle.dumps gives.",
        )
    if by:
        form = Form(form.format or "parquet")
        if form.format not in ENDINGS:
            raise BadArgument(
                f"{form.format} is not written in partitions.",
                hint=f"Give {{0}}: {', '.join(ENDINGS)}.",
                options=["format"],
            )
    elif not uri.key or uri.key.endswith("/"):
        raise BadArgument(
            "{1} is a folder, and an object needs a name.",
            hint="Such as {2}; or cut it up with {0}.",
            options=["partition_by", str(uri), str(uri.join("data.parquet"))],
        )
    return form


async def _sent(asked: _Asked, options: Transferring) -> DataFrame:
    """Write the files, and send them; none of them stays here."""
    folder = Path(await in_thread(tempfile.mkdtemp, prefix="s3magic-write-"))
    try:
        try:
            jobs = await in_thread(_written, asked, folder)
        except BadArgument as error:
            own = [option.name for option in VERB.options]
            raise refused(
                error, f"Cannot write {asked.uri}", asked.options, own
            ) from error.__cause__

        async def plan(client: S3Client) -> AsyncGenerator[Upload]:
            if options.dry_run:  # else the first upload says so
                await refuse_missing_bucket(client, asked.uri, f"put {asked.uri}")
            async for job in stream(jobs):
                yield job

        return await transfer(
            _WORDING, options, plan, Ways(upload, preview_upload, quick, GLANCE_THERE)
        )
    finally:
        await in_thread(shutil.rmtree, folder, ignore_errors=True)


def _written(asked: _Asked, folder: Path) -> list[Upload]:
    """Write the files, and plan their uploads. Blocks."""
    root = folder / "data"
    if asked.by:
        partition_files(asked.data, asked.form.format, root, asked.by, asked.options)
        paths = sorted(path for path in root.rglob("*") if path.is_file())
        below = S3Uri(asked.uri.bucket, f"{asked.uri.key.rstrip('/')}/".lstrip("/"))
        targets = [(path, below.join(path.relative_to(root).as_posix())) for path in paths]
    else:
        # The name's ending tells some writers what to make.
        path = folder / f"data{Path(asked.uri.key).suffix}"
        file_of(asked.data, asked.form, path, asked.options)
        targets = [(path, asked.uri)]
    name = told(asked.data)
    return [
        Upload(
            path,
            target,
            path.stat().st_size,
            name,
            {"ContentType": type_of(target.key), **asked.headers},
        )
        for path, target in targets
    ]

"""`mb`: makes a bucket."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from s3magic.commands.options.description import Option, Positional, Verb
from s3magic.commands.options.kinds import TEXT
from s3magic.commands.options.shared import DRY_RUN
from s3magic.commands.running.report import prepare
from s3magic.commands.sources.bucket import bucket_of
from s3magic.connecting import is_foreign
from s3magic.connection import Connection
from s3magic.errors import AlreadyExists, Denied, NotFound
from s3magic.session import current
from s3magic.translation import translate

if TYPE_CHECKING:
    from pandas import DataFrame
    from types_aiobotocore_s3 import S3Client

    from s3magic.model import Status
    from s3magic.uri import S3Uri

__all__ = ["VERB", "mb"]

VERB = Verb(
    name="s3mb",
    summary="Make a bucket.",
    positionals=(Positional("BUCKET", "s3://bucket, or bucket"),),
    options=(
        Option(("--region",), "where it is to be; the connection's region if left out", kind=TEXT),
        Option(("--versioning",), "keep the versions of what is overwritten or deleted"),
        DRY_RUN,
    ),
    examples=(
        ("%s3mb s3://my-results", "in the region of the connection"),
        ("%s3mb s3://my-archive --versioning", "one in which a deletion can be taken back"),
        ("%s3mb s3://my-drafts --dry-run", "only look whether the name is free"),
    ),
    twin="s3.mb",
    details=(
        "A bucket of yours that is there already is left as it is: skipped. Returns one row: "
        "Bucket, Region, Versioning, Status, Error."
    ),
)

_FIRST = "us-east-1"  # S3 API, CreateBucket: the one region that is not to be named
_ENABLED: Any = {"Status": "Enabled"}


@dataclass(frozen=True, slots=True)
class _Row:
    """What became of it."""

    bucket: str
    region: str | None
    versioning: bool
    status: Status
    error: str = ""


async def mb(
    uri: str | S3Uri,
    *,
    region: str | None = None,
    versioning: bool = False,
    dry_run: bool = False,
) -> DataFrame:
    """Make a bucket.

    One of yours that is there already stays as it is, so that the same cell can
    run again.

    Args:
        uri: ``s3://bucket``, or ``bucket``.
        region: Where it is to be; by default the connection's region.
        versioning: Keep the versions of what is overwritten or deleted.
        dry_run: Only look whether the name is free.

    Returns:
        One row: ``Bucket``, ``Region`` (string; missing where the server told
        none), ``Versioning`` (bool: whether it was turned on), ``Status``
        (string: done, skipped or planned), ``Error`` (string: why it was skipped).

    Raises:
        BadArgument: The name cannot be a bucket's.
        AlreadyExists: Somebody else has a bucket of that name.
        AccessDenied: Making buckets is not allowed.

    Example:
        >>> await s3.mb("s3://my-archive", versioning=True)
    """
    place = bucket_of(
        uri, "Write s3://{bucket}: S3 has no folders to make, an object's key is enough."
    )
    prepare()
    options = current().options
    elsewhere = region is not None and region != options.region
    # A region is asked at its own endpoint. A server of one's own has but one.
    connection = Connection(replace(options, region=region)) if elsewhere else current()
    try:
        async with connection.using() as client:
            row = await _made(
                client, place.bucket, region=region, versioning=versioning, dry_run=dry_run
            )
    finally:
        if elsewhere:
            await connection.close()
    return await asyncio.to_thread(_frame, row)


async def _made(
    client: S3Client, bucket: str, *, region: str | None, versioning: bool, dry_run: bool
) -> _Row:
    """Make it, if it is not there."""
    wanted = region or (None if is_foreign(client.meta.endpoint_url) else client.meta.region_name)
    there, where = await _present(client, bucket)
    if there:
        told = "The bucket was there already, and was left as it is."
        return _Row(bucket, where, versioning=False, status="skipped", error=told)
    if dry_run:
        return _Row(bucket, wanted, versioning=versioning, status="planned")
    placed: Any = {}
    if wanted not in {None, _FIRST, "aws-global"}:
        placed = {"CreateBucketConfiguration": {"LocationConstraint": wanted}}
    action = f"make the bucket {bucket}"
    try:
        await client.create_bucket(Bucket=bucket, **placed)
    except Exception as error:
        raise translate(error, action) from error
    if versioning:
        try:
            await client.put_bucket_versioning(Bucket=bucket, VersioningConfiguration=_ENABLED)
        except Exception as error:
            ours = translate(error, f"turn versioning on for {bucket}, which was made")
            raise ours from error
    return _Row(bucket, wanted, versioning=versioning, status="done")


async def _present(client: S3Client, bucket: str) -> tuple[bool, str | None]:
    """Tell whether a bucket is there and ours, and where.

    Raises:
        AlreadyExists: It is there, and not ours to look at.
    """
    try:
        head = await client.head_bucket(Bucket=bucket)
    except Exception as error:
        ours = translate(error, f"make the bucket {bucket}")
        if isinstance(ours, Denied) and ours.code in {"403", "AccessDenied"}:
            raise AlreadyExists(
                f"Cannot make the bucket {bucket}: there is one of that name, which is not "
                "yours, or which you may not look at.",
                hint="Choose another name.",
            ) from error
        if isinstance(ours, NotFound):
            return False, None
        raise ours from error
    return True, head.get("BucketRegion")


def _frame(row: _Row) -> DataFrame:
    import pandas as pd

    return pd.DataFrame(
        {
            "Bucket": pd.array([row.bucket], dtype="string"),
            "Region": pd.array([row.region], dtype="string"),
            "Versioning": [row.versioning],
            "Status": pd.array([row.status], dtype="string"),
            "Error": pd.array([row.error], dtype="string"),
        }
    )

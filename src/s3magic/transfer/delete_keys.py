"""Deletes the keys that a helper is given, and answers for all of them in one, as S3 would."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from s3magic.errors import BadArgument
from s3magic.settings import defaults
from s3magic.transfer.delete_requests import BATCH, ODD, alone, install, together
from s3magic.transfer.deletion import action_on
from s3magic.transfer.window import each, stream
from s3magic.translation import translate

if TYPE_CHECKING:
    from collections.abc import Sequence

    from types_aiobotocore_s3 import S3Client

__all__ = ["delete"]


async def delete(
    client: S3Client, bucket: str, keys: Sequence[str], *, quiet: bool = True
) -> dict[str, Any]:
    """Delete keys; one that is not there counts as deleted, as S3 has it.

    Args:
        client: Any aiobotocore client.
        bucket: The bucket.
        keys: Any number of keys.
        quiet: Leave out what was deleted.

    Returns:
        One answer in the shape of DeleteObjects: ``Deleted``, ``Errors`` and
        the ``ResponseMetadata`` of the last request; a list with nothing in it
        is left out.

    Raises:
        BadArgument: One of them can be no key; nothing was deleted.
        S3Error: A request failed as a whole; those before it were done.
    """
    for key in keys:
        if not isinstance(key, str) or not key:
            raise BadArgument(f"Cannot delete {key!r}: it is no key.")
    install(client)
    plain = [{"Key": key} for key in keys if not ODD.search(key)]
    batches = [plain[at : at + BATCH] for at in range(0, len(plain), BATCH)]
    batches += [[{"Key": key}] for key in keys if ODD.search(key)]
    answers: dict[int, dict[str, Any]] = {}
    failed: list[tuple[str, str]] = []

    async def one(numbered: tuple[int, list[dict[str, str]]]) -> None:
        number, batch = numbered
        try:
            if ODD.search(batch[0]["Key"]):
                answers[number] = await alone(client, bucket, batch[0])
            else:
                answers[number] = await together(client, bucket, batch, quiet=quiet)
        except Exception:
            failed.extend((bucket, item["Key"]) for item in batch)
            raise

    try:
        await each(stream(enumerate(batches)), one, defaults().delete_concurrency)
    except Exception as error:
        raise translate(error, action_on(failed)) from error
    merged = _merged([answers[number] for number in sorted(answers)])
    if quiet:
        merged.pop("Deleted", None)  # some servers tell it all the same
    return merged


def _merged(answers: list[dict[str, Any]]) -> dict[str, Any]:
    merged: dict[str, Any] = dict(answers[-1]) if answers else {}
    for name in ("Deleted", "Errors"):
        merged.pop(name, None)
        if rows := [row for answer in answers for row in answer.get(name, ())]:
            merged[name] = rows
    return merged

"""List the buckets."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from s3magic.translation import LISTING_BUCKETS, translate

if TYPE_CHECKING:
    from types_aiobotocore_s3 import S3Client

__all__ = ["list_buckets"]


async def list_buckets(client: S3Client) -> list[Any]:
    """Give what the server tells of each bucket: ``Name``, ``CreationDate``.

    Raises:
        S3Error: They cannot be listed.
    """
    rows: list[Any] = []
    token: dict[str, Any] = {}
    while True:
        try:
            answer = await client.list_buckets(**token)
        except Exception as error:
            raise translate(error, LISTING_BUCKETS) from error
        rows += answer.get("Buckets", [])
        following = answer.get("ContinuationToken")
        if not following or following == token.get("ContinuationToken"):
            return rows
        token = {"ContinuationToken": following}

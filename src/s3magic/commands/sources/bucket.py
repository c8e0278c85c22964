"""Reads the address of a bucket, where nothing but one can be meant."""

from __future__ import annotations

from s3magic.errors import BadArgument
from s3magic.uri import S3Uri
from s3magic.wording import called

__all__ = ["bucket_of"]


def bucket_of(uri: object, hint: str) -> S3Uri:
    """Read ``s3://bucket`` or ``bucket``.

    Args:
        uri: What was given.
        hint: What to do who wrote more than a bucket; ``{uri}`` and ``{bucket}``
            stand for what was written.

    Raises:
        BadArgument: It is no bucket.
    """
    if not isinstance(uri, str | S3Uri):
        raise BadArgument(f"{called(uri)} is no bucket: write s3://bucket.")
    place = uri if isinstance(uri, S3Uri) else S3Uri.parse(uri, scheme_optional=True)
    if place.key:
        said = hint.replace("{uri}", str(place)).replace("{bucket}", place.bucket)
        raise BadArgument(f"{place} is more than a bucket.", hint=said)
    return place

"""What a client signs with, as far as people may know it: never a secret."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from types_aiobotocore_s3 import S3Client

__all__ = ["Signing", "presign_with_v4", "signing_of"]

_SEEN = 4  # characters of an access key: AKIA is a user's, ASIA a temporary one


@dataclass(frozen=True, slots=True)
class Signing:
    """What a client signs with now.

    Args:
        key: The access key's first letters.
        temporary: Whether it works only together with a session token, which ends.
        expires: When it ends, where that is known.
    """

    key: str
    temporary: bool
    expires: dt.datetime | None


async def signing_of(client: S3Client) -> Signing | None:
    """Give what a client signs with, renewed if it was about to end; None if it signs nothing.

    Raises:
        Exception: botocore's, where its credentials cannot be renewed.
    """
    from botocore import UNSIGNED

    if client.meta.config.signature_version is UNSIGNED:
        return None
    credentials = client._request_signer._credentials  # noqa: SLF001 - no public way leads there
    if credentials is None:
        return None
    frozen = await credentials.get_frozen_credentials()
    if not frozen.access_key:
        return None
    expires = getattr(credentials, "_expiry_time", None)
    if expires is not None:
        expires = expires.astimezone(dt.UTC)
    # A key of a few letters, as a server of one's own may have it, is no secret less its half.
    seen = frozen.access_key[: min(_SEEN, len(frozen.access_key) // 2)]
    return Signing(f"{seen}…", bool(frozen.token), expires)


def presign_with_v4(signature_version: Any, **_: Any) -> str | None:
    """Sign links as requests are signed.

    botocore takes the old signature for them where a region once knew it,
    which newer servers, and objects encrypted with a key of KMS, refuse.
    """
    return "s3v4-query" if signature_version in {"s3v4-query", "v4-query"} else None

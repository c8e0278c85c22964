"""Signs requests with AWS Signature Version 4, as S3 wants it. Pure.

The source of every rule is the S3 API reference, "Authenticating Requests:
Using the Authorization Header (AWS Signature Version 4)". Nothing is signed
with this that was not found to sign as the client itself does: see
`s3magic.wire.template`.
"""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["EMPTY", "UNSIGNED", "Keys", "Scope", "authorization", "lined", "trimmed"]

EMPTY = hashlib.sha256(b"").hexdigest()
"""The hash of a request without a body."""

UNSIGNED = "UNSIGNED-PAYLOAD"
"""What stands in place of the hash where TLS and a checksum guard the body."""

_SCHEME = "AWS4-HMAC-SHA256"


@dataclass(frozen=True, slots=True)
class Keys:
    """Credentials, as they are at one moment."""

    access_key: str = field(repr=False)
    secret_key: str = field(repr=False)
    token: str | None = field(default=None, repr=False)


@dataclass(slots=True)
class Scope:
    """What signatures are valid for: one region's service; remembers each day's key."""

    region: str
    service: str
    _derived: dict[tuple[str, str], bytes] = field(default_factory=dict, repr=False)

    def of(self, day: str) -> str:
        """Name the scope of a day, ``20240131``."""
        return f"{day}/{self.region}/{self.service}/aws4_request"

    def key(self, secret_key: str, day: str) -> bytes:
        """Derive the day's signing key."""
        derived = self._derived.get((secret_key, day))
        if derived is None:
            derived = b"AWS4" + secret_key.encode()
            for text in (day, self.region, self.service, "aws4_request"):
                derived = hmac.digest(derived, text.encode(), "sha256")
            self._derived = {(secret_key, day): derived}
        return derived


def trimmed(value: str) -> str:
    """Give a header's value as it is signed: its runs of blanks are one blank each."""
    return " ".join(value.split())


def lined(headers: Sequence[tuple[str, str]]) -> tuple[str, str]:
    """Put headers as they are signed: their lines, and their names.

    Args:
        headers: Names and values, sorted: names in lower case, values as
            `trimmed` gives them.
    """
    lines = "".join([f"{name}:{value}\n" for name, value in headers])
    return lines, ";".join([name for name, _ in headers])


def authorization(
    keys: Keys, scope: Scope, stamp: str, canonical: tuple[str, str, str, str, str, str]
) -> str:
    """Give the value of the ``Authorization`` header.

    Args:
        keys: Whose signature it is.
        scope: What it is valid for.
        stamp: The request's ``x-amz-date``.
        canonical: Method, path, query, the two that `lined` gives, and the
            body's hash. The path is as it is sent, percent-encoded: S3 signs it
            as it stands; the query's names are in order.
    """
    signed = canonical[4]
    day = stamp[:8]
    name = scope.of(day)
    digest = hashlib.sha256("\n".join(canonical).encode()).hexdigest()
    text = f"{_SCHEME}\n{stamp}\n{name}\n{digest}"
    signature = hmac.digest(scope.key(keys.secret_key, day), text.encode(), "sha256").hex()
    credential = f"{keys.access_key}/{name}"
    return f"{_SCHEME} Credential={credential}, SignedHeaders={signed}, Signature={signature}"

"""The options that say what S3 keeps of an object besides its bytes; read once for every verb."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from s3magic.commands.options.description import Option
from s3magic.commands.options.kinds import PAIR, TEXT, Kind
from s3magic.commands.options.shared import choice
from s3magic.errors import BadArgument

__all__ = ["HEADERS", "SERVING", "headers_of"]

# S3 User Guide, "Canned ACL".
_ACLS = (
    "private",
    "public-read",
    "public-read-write",
    "authenticated-read",
    "aws-exec-read",
    "bucket-owner-read",
    "bucket-owner-full-control",
)
_SSE = ("AES256", "aws:kms", "aws:kms:dsse")


def _date(value: object) -> str:
    """Read a date, or a date and a time, as ISO 8601 has it; UTC if it says nothing else."""
    found = value if isinstance(value, dt.date) else dt.datetime.fromisoformat(str(value))
    if not isinstance(found, dt.datetime):
        found = dt.datetime(found.year, found.month, found.day, tzinfo=dt.UTC)
    return (found if found.tzinfo else found.replace(tzinfo=dt.UTC)).isoformat()


_DATE = Kind("DATE", _date, "a date such as 2027-01-31 or 2027-01-31T12:00Z")

HEADERS = (
    Option(("--content-type",), "what it is; guessed from the name if left out", kind=TEXT),
    Option(("--content-encoding",), "how it is packed: gzip", kind=TEXT),
    Option(("--cache-control",), "how long it may be cached: max-age=3600", kind=TEXT),
    Option(("--metadata",), "kept with the object", kind=PAIR, repeatable=True),
    Option(("--tag",), "a tag of the object", kind=PAIR, repeatable=True),
    Option(("--acl",), "a canned ACL; none is sent by default", choices=_ACLS),
    Option(("--storage-class",), "STANDARD_IA, GLACIER_IR, …", kind=TEXT),
    Option(("--sse",), "server-side encryption", choices=_SSE),
    Option(("--sse-kms-key-id",), "the KMS key to encrypt with", kind=TEXT),
)
"""The options of a verb that writes objects."""

SERVING = (
    Option(("--content-disposition",), "how a browser is to save it: attachment", kind=TEXT),
    Option(("--content-language",), "the language that it is in: de", kind=TEXT),
    Option(("--expires",), "when it is stale: a date, 2027-01-31T12:00Z", kind=_DATE),
    Option(("--website-redirect",), "where a website's reader is sent instead", kind=TEXT),
)
"""What matters for an object that browsers fetch."""


def headers_of(
    *,
    content_type: str | None = None,
    content_encoding: str | None = None,
    cache_control: str | None = None,
    metadata: Mapping[str, str] | None = None,
    tag: Mapping[str, str] | None = None,
    acl: str | None = None,
    storage_class: str | None = None,
    sse: str | None = None,
    sse_kms_key_id: str | None = None,
    content_disposition: str | None = None,
    content_language: str | None = None,
    expires: str | dt.date | None = None,
    website_redirect: str | None = None,
) -> dict[str, Any]:
    """Give the arguments of PutObject that some options mean; nothing for those not given.

    Raises:
        BadArgument: One is none of its choices, or no header can hold it.
    """
    given = {
        "ContentType": content_type,
        "ContentEncoding": content_encoding,
        "CacheControl": cache_control,
        "Metadata": _pairs("metadata", metadata, ascii_only=True) if metadata else None,
        "Tagging": urlencode(_pairs("tag", tag)) if tag else None,
        "ACL": acl and choice("acl", acl, _ACLS),
        "StorageClass": storage_class,
        "ServerSideEncryption": (sse and choice("sse", sse, _SSE))
        or ("aws:kms" if sse_kms_key_id else None),
        "SSEKMSKeyId": sse_kms_key_id,
        "ContentDisposition": content_disposition,
        "ContentLanguage": content_language,
        "Expires": None if expires is None else _expiry(expires),
        "WebsiteRedirectLocation": website_redirect,
    }
    return {name: value for name, value in given.items() if value is not None}


def _expiry(expires: object) -> str:
    try:
        return _date(expires)
    except ValueError:
        raise BadArgument(f"{{0}} is not {_DATE.wanted}.", options=[("expires", expires)]) from None


def _pairs(name: str, given: object, *, ascii_only: bool = False) -> dict[str, str]:
    """Check what goes into headers: names and values as text.

    Raises:
        BadArgument: It is no dict, or no header can hold it.
    """
    if not isinstance(given, Mapping):
        raise BadArgument(
            f"{name} is a {type(given).__name__}: it must be a dict of names and values.",
            hint=f'Write {name}={{"name": "value"}}.',
        )
    pairs = {str(key): str(value) for key, value in given.items()}
    for key, value in pairs.items():
        if ascii_only and not (key + value).isascii():
            raise BadArgument(
                f"{name} {key!r}: {value!r} has characters that are not ASCII, "
                "and S3 keeps it in headers, which hold no others.",
                hint="Encode it: urllib.parse.quote(text), for example.",
            )
    return pairs

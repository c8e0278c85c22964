"""Which answer of a server's becomes which error of ours, with its words: tables.

The codes are those of the S3 API reference, "Error responses", and those that
S3-compatible servers are known to send.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from s3magic.errors import (
    AccessDenied,
    AlreadyExists,
    Archived,
    BadArgument,
    BadSignature,
    BadUri,
    ClockSkew,
    Damaged,
    ExpiredCredentials,
    NoSuchBucket,
    NoSuchKey,
    NoSuchVersion,
    NotFound,
    NotSupported,
    ObjectChanged,
    RedirectRefused,
    S3Error,
    ServerFault,
    Throttled,
    TimedOut,
    WrongRegion,
)

if TYPE_CHECKING:
    from s3magic.spelling import Option

__all__ = [
    "CODES",
    "DENIED",
    "DENIED_READ",
    "EXPIRED",
    "MISSING_KEY",
    "NO_S3_THERE",
    "REDIRECT",
    "REGION",
    "SILENT",
    "STATUSES",
    "Rule",
]


class Rule(NamedTuple):
    """How one foreign error is told: our class, why it failed, what to do; options it names."""

    kind: type[S3Error]
    reason: str
    hint: str = ""
    options: tuple[Option, ...] = ()


MISSING_KEY = Rule(
    NoSuchKey,
    "the bucket has no such key.",
    "List what is there with %s3ls; keys are case-sensitive.",
)
MISSING_BUCKET = Rule(
    NoSuchBucket,
    "there is no such bucket at this endpoint.",
    "See your buckets with %s3ls, and the endpoint with %s3connect.",
)
DENIED = Rule(
    AccessDenied,
    "access denied.",
    "Ask for the permission, or connect as somebody else: %s3connect --profile NAME.",
)
DENIED_READ = Rule(
    AccessDenied,
    "access denied: the key may be missing (S3 says 403 for that to whoever "
    "lacks s3:ListBucket), or s3:GetObject is not allowed.",
    "Check the key's spelling, ask for the permission, or %s3connect --profile NAME.",
)
UNSIGNED = Rule(
    BadSignature,
    "the server does not accept these credentials: an unknown access key or a wrong secret.",
    "Check which ones are used, and for which endpoint, with %s3connect.",
)
SKEWED = Rule(
    ClockSkew,
    "this machine's clock differs too much from the server's.",
    "Set the clock (a virtual machine or WSL often drifts after sleep), then try again.",
)
EXPIRED = Rule(
    ExpiredCredentials,
    "the credentials have expired.",
    "Renew them (for SSO: run `aws sso login` in a terminal), then %s3connect.",
)
REGION = Rule(
    WrongRegion,
    "the bucket lives in another region.",
    "Connect to it: %s3connect --region NAME.",
)
REDIRECT = Rule(
    RedirectRefused,
    "the endpoint redirects to another host, and credentials and data stay here.",
    "If the bucket lives elsewhere, connect to it: %s3connect --endpoint-url URL or --region NAME.",
)
NO_S3_THERE = Rule(
    NotFound,
    "no S3 server answers there (status 404).",
    "Check the endpoint with %s3connect: its host, its port, and a path behind them.",
)
SILENT = Rule(
    TimedOut,
    "the server did not answer in time.",
    "Try again; check the endpoint with %s3connect if it stays silent.",
)
SLOW_DOWN = Rule(
    Throttled,
    "the server asks to slow down.",
    "Try again with fewer requests at once: {0}.",
    (("concurrency", 4),),
)
FAULT = Rule(ServerFault, "the server failed.", "Try again.")
UNKNOWN_OPERATION = Rule(NotSupported, "this server does not support it.")

CODES = {
    "NoSuchKey": MISSING_KEY,
    "NoSuchVersion": Rule(NoSuchVersion, "there is no such version.", "See %s3ls --versions."),
    "NoSuchBucket": MISSING_BUCKET,
    "NoSuchUpload": Rule(
        NotFound, "the multipart upload is gone: finished or aborted elsewhere.", "Try again."
    ),
    "AccessDenied": DENIED,
    "AllAccessDisabled": DENIED,
    "AccountProblem": DENIED,
    "Forbidden": DENIED,
    "InvalidAccessKeyId": UNSIGNED,
    "SignatureDoesNotMatch": UNSIGNED,
    "InvalidToken": UNSIGNED,
    "RequestTimeTooSkewed": SKEWED,
    "RequestExpired": SKEWED,
    "ExpiredToken": EXPIRED,
    "ExpiredTokenException": EXPIRED,
    "TokenRefreshRequired": EXPIRED,
    "PermanentRedirect": REDIRECT,
    "TemporaryRedirect": REDIRECT,
    "AuthorizationHeaderMalformed": REGION,
    "IllegalLocationConstraintException": REGION,
    "RequestTimeout": SILENT,
    "SlowDown": SLOW_DOWN,
    "Throttling": SLOW_DOWN,
    "ThrottlingException": SLOW_DOWN,
    "TooManyRequests": SLOW_DOWN,
    "RequestLimitExceeded": SLOW_DOWN,
    "BandwidthLimitExceeded": SLOW_DOWN,
    "InternalError": FAULT,
    "ServiceUnavailable": FAULT,
    "PreconditionFailed": Rule(ObjectChanged, "the object changed meanwhile.", "Try again."),
    "ConditionalRequestConflict": Rule(
        AlreadyExists, "somebody else is writing the same key.", "Look what is there with %s3ls."
    ),
    "InvalidObjectState": Rule(
        Archived,
        "the object is in an archive class (Glacier or Deep Archive).",
        "Restore it first, with S3's RestoreObject.",
    ),
    "AccessControlListNotSupported": Rule(
        BadArgument,
        "the bucket has ACLs turned off.",
        "Leave {0} out; nothing is lost by it.",
        ("acl",),
    ),
    "BucketAlreadyExists": Rule(
        AlreadyExists,
        "somebody has a bucket of that name, and names are unique in all of S3.",
        "Choose another name.",
    ),
    "BucketAlreadyOwnedByYou": Rule(AlreadyExists, "you have a bucket of that name already."),
    "BucketNotEmpty": Rule(
        BadArgument,
        "the bucket is not empty.",
        "Add {0} to delete everything in it first; see what that is with {1}.",
        (("force", True), ("dry_run", True)),
    ),
    "InvalidBucketName": Rule(BadUri, "S3 does not accept this bucket name."),
    "KeyTooLongError": Rule(BadArgument, "the key is longer than 1,024 bytes."),
    "EntityTooLarge": Rule(BadArgument, "the object is larger than this server allows."),
    "BadDigest": Rule(Damaged, "the bytes were damaged on the way.", "Try again."),
    "XAmzContentSHA256Mismatch": Rule(Damaged, "the bytes were damaged on the way.", "Try again."),
    "XAmzContentChecksumMismatch": Rule(
        Damaged, "the bytes were damaged on the way.", "Try again."
    ),
    "NotImplemented": UNKNOWN_OPERATION,
    "MethodNotAllowed": UNKNOWN_OPERATION,
}

STATUSES = {
    301: REDIRECT,
    302: REDIRECT,
    303: REDIRECT,
    307: REDIRECT,
    308: REDIRECT,
    400: Rule(BadArgument, "the server refused the request."),
    403: DENIED,
    404: MISSING_KEY,
    405: UNKNOWN_OPERATION,
    412: CODES["PreconditionFailed"],
    429: SLOW_DOWN,
    500: FAULT,
    501: UNKNOWN_OPERATION,
    502: FAULT,
    503: SLOW_DOWN,
    504: SILENT,
}

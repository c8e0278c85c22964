"""The one place where foreign errors become ours: botocore's, aiohttp's, the file system's.

The codes are those of the S3 API reference, "Error responses", and those that
S3-compatible servers are known to send.
"""

from __future__ import annotations

import asyncio
import errno
from typing import Any, NamedTuple

from s3magic.errors import (
    AccessDenied,
    AlreadyExists,
    Archived,
    BadArgument,
    BadSignature,
    BadUri,
    ClockSkew,
    ConnectionFailed,
    Damaged,
    DiskFull,
    ExpiredCredentials,
    LocalDenied,
    LocalFault,
    NoCredentials,
    NoSuchBucket,
    NoSuchFile,
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
    TLSFailed,
    UnsafeKey,
    WrongRegion,
)

__all__ = ["LISTING_BUCKETS", "error_code", "translate"]


LISTING_BUCKETS = "list the buckets"


class _Rule(NamedTuple):
    """How one foreign error is told: our class, why it failed, what to do."""

    kind: type[S3Error]
    reason: str
    hint: str = ""


_MISSING_KEY = _Rule(
    NoSuchKey,
    "the bucket has no such key.",
    "List what is there with %s3ls; keys are case-sensitive.",
)
_MISSING_BUCKET = _Rule(
    NoSuchBucket,
    "there is no such bucket at this endpoint.",
    "See your buckets with %s3ls, and the endpoint with %s3connect.",
)
_DENIED = _Rule(
    AccessDenied,
    "access denied.",
    "Ask for the permission, or connect as somebody else: %s3connect --profile NAME.",
)
_DENIED_READ = _Rule(
    AccessDenied,
    "access denied: the key may be missing (S3 says 403 for that to whoever "
    "lacks s3:ListBucket), or s3:GetObject is not allowed.",
    "Check the key's spelling, ask for the permission, or %s3connect --profile NAME.",
)
_UNSIGNED = _Rule(
    BadSignature,
    "the server does not accept these credentials: an unknown access key or a wrong secret.",
    "Check which ones are used, and for which endpoint, with %s3connect.",
)
_SKEWED = _Rule(
    ClockSkew,
    "this machine's clock differs too much from the server's.",
    "Set the clock (a virtual machine or WSL often drifts after sleep), then try again.",
)
_EXPIRED = _Rule(
    ExpiredCredentials,
    "the credentials have expired.",
    "Renew them (for SSO: run `aws sso login` in a terminal), then %s3connect.",
)
_NO_CREDENTIALS = _Rule(
    NoCredentials,
    "no credentials were found.",
    "Set AWS_PROFILE or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or run `aws configure`, "
    "then %s3connect; or read public data with %s3connect --anonymous.",
)
_REGION = _Rule(
    WrongRegion,
    "the bucket lives in another region.",
    "Connect to it: %s3connect --region NAME.",
)
_REDIRECT = _Rule(
    RedirectRefused,
    "the endpoint redirects to another host, and credentials and data stay here.",
    "If the bucket lives elsewhere, connect to it: %s3connect --endpoint-url URL or --region NAME.",
)
_UNREACHABLE = _Rule(
    ConnectionFailed,
    "cannot connect to the endpoint.",
    "Check the endpoint with %s3connect, and the network or proxy.",
)
_DROPPED = _Rule(
    ConnectionFailed,
    "the server closed the connection before the answer was whole.",
    "Try again.",
)
_TLS = _Rule(
    TLSFailed,
    "the endpoint's TLS certificate cannot be verified.",
    "Give the certificate authority: %s3connect --verify /path/to/ca.pem.",
)
_PLAIN = _Rule(
    TLSFailed,
    "the endpoint speaks plain http.",
    "Write http:// in place of https://: %s3connect --endpoint-url http://HOST:PORT.",
)
_NO_S3_THERE = _Rule(
    NotFound,
    "no S3 server answers there (status 404).",
    "Check the endpoint with %s3connect: its host, its port, and a path behind them.",
)
_NOT_S3 = _Rule(
    ServerFault, "the endpoint's answer is not S3's.", "Check the endpoint with %s3connect."
)
_SILENT = _Rule(
    TimedOut,
    "the server did not answer in time.",
    "Try again; check the endpoint with %s3connect if it stays silent.",
)
_SLOW_DOWN = _Rule(
    Throttled,
    "the server asks to slow down.",
    "Try again with fewer requests at once: --concurrency 4.",
)
_FAULT = _Rule(ServerFault, "the server failed.", "Try again.")
_UNKNOWN_OPERATION = _Rule(NotSupported, "this server does not support it.")

_CODES = {
    "NoSuchKey": _MISSING_KEY,
    "NoSuchVersion": _Rule(NoSuchVersion, "there is no such version.", "See %s3ls --versions."),
    "NoSuchBucket": _MISSING_BUCKET,
    "NoSuchUpload": _Rule(
        NotFound, "the multipart upload is gone: finished or aborted elsewhere.", "Try again."
    ),
    "AccessDenied": _DENIED,
    "AllAccessDisabled": _DENIED,
    "AccountProblem": _DENIED,
    "Forbidden": _DENIED,
    "InvalidAccessKeyId": _UNSIGNED,
    "SignatureDoesNotMatch": _UNSIGNED,
    "InvalidToken": _UNSIGNED,
    "RequestTimeTooSkewed": _SKEWED,
    "RequestExpired": _SKEWED,
    "ExpiredToken": _EXPIRED,
    "ExpiredTokenException": _EXPIRED,
    "TokenRefreshRequired": _EXPIRED,
    "PermanentRedirect": _REDIRECT,
    "TemporaryRedirect": _REDIRECT,
    "AuthorizationHeaderMalformed": _REGION,
    "IllegalLocationConstraintException": _REGION,
    "RequestTimeout": _SILENT,
    "SlowDown": _SLOW_DOWN,
    "Throttling": _SLOW_DOWN,
    "ThrottlingException": _SLOW_DOWN,
    "TooManyRequests": _SLOW_DOWN,
    "RequestLimitExceeded": _SLOW_DOWN,
    "BandwidthLimitExceeded": _SLOW_DOWN,
    "InternalError": _FAULT,
    "ServiceUnavailable": _FAULT,
    "PreconditionFailed": _Rule(ObjectChanged, "the object changed meanwhile.", "Try again."),
    "ConditionalRequestConflict": _Rule(
        AlreadyExists, "somebody else is writing the same key.", "Look what is there with %s3ls."
    ),
    "InvalidObjectState": _Rule(
        Archived,
        "the object is in an archive class (Glacier or Deep Archive).",
        "Restore it first, with S3's RestoreObject.",
    ),
    "AccessControlListNotSupported": _Rule(
        BadArgument, "the bucket has ACLs turned off.", "Leave --acl out; nothing is lost by it."
    ),
    "InvalidBucketName": _Rule(BadUri, "S3 does not accept this bucket name."),
    "KeyTooLongError": _Rule(BadArgument, "the key is longer than 1,024 bytes."),
    "EntityTooLarge": _Rule(BadArgument, "the object is larger than this server allows."),
    "BadDigest": _Rule(Damaged, "the bytes were damaged on the way.", "Try again."),
    "XAmzContentSHA256Mismatch": _Rule(Damaged, "the bytes were damaged on the way.", "Try again."),
    "XAmzContentChecksumMismatch": _Rule(
        Damaged, "the bytes were damaged on the way.", "Try again."
    ),
    "NotImplemented": _UNKNOWN_OPERATION,
    "MethodNotAllowed": _UNKNOWN_OPERATION,
}

_STATUSES = {
    301: _REDIRECT,
    302: _REDIRECT,
    303: _REDIRECT,
    307: _REDIRECT,
    308: _REDIRECT,
    400: _Rule(BadArgument, "the server refused the request."),
    403: _DENIED,
    404: _MISSING_KEY,
    405: _UNKNOWN_OPERATION,
    412: _CODES["PreconditionFailed"],
    429: _SLOW_DOWN,
    500: _FAULT,
    501: _UNKNOWN_OPERATION,
    502: _FAULT,
    503: _SLOW_DOWN,
    504: _SILENT,
}

# By name, not by class: importing botocore and aiohttp costs a third of a second.
_NAMES = {
    "NoCredentialsError": _NO_CREDENTIALS,
    "PartialCredentialsError": _NO_CREDENTIALS,
    "CredentialRetrievalError": _NO_CREDENTIALS,
    "NoAuthTokenError": _NO_CREDENTIALS,
    "UnauthorizedSSOTokenError": _EXPIRED,
    "SSOTokenLoadError": _EXPIRED,
    "TokenRetrievalError": _EXPIRED,
    "LoginRefreshRequired": _EXPIRED,
    "LoginTokenLoadError": _EXPIRED,
    "ProfileNotFound": _Rule(
        BadArgument,
        "there is no such profile in the AWS config files.",
        "See which there are: run `aws configure list-profiles` in a terminal.",
    ),
    "SSLError": _TLS,
    "ClientSSLError": _TLS,
    "SSLCertVerificationError": _TLS,
    "ConnectTimeoutError": _SILENT,
    "ReadTimeoutError": _SILENT,
    "ServerTimeoutError": _SILENT,
    "ProxyConnectionError": _Rule(
        ConnectionFailed, "cannot connect to the proxy.", "Check HTTPS_PROXY and NO_PROXY."
    ),
    "EndpointConnectionError": _UNREACHABLE,
    "ConnectionClosedError": _DROPPED,
    "ClientPayloadError": _DROPPED,
    "IncompleteReadError": _DROPPED,
    "ResponseStreamingError": _DROPPED,
    "ClientConnectionError": _DROPPED,
    "HTTPClientError": _UNREACHABLE,
    "FlexibleChecksumError": _Rule(Damaged, "the bytes were damaged on the way.", "Try again."),
    "ResponseParserError": _NOT_S3,
}

# Of these botocore's own words say more than ours: which host, which profile.
_TELLING = {"EndpointConnectionError", "ProfileNotFound", "ProxyConnectionError", "SSLError"}

_PARSERS = {"botocore.parsers", "aiobotocore.parsers"}

_ERRNOS = {
    errno.ENOENT: _Rule(NoSuchFile, "there is no such file or folder here."),
    errno.ENOSPC: _Rule(DiskFull, "the disk is full.", "Free some room, then run it again."),
    errno.EDQUOT: _Rule(DiskFull, "the disk quota is used up.", "Free some room, then run again."),
    errno.EFBIG: _Rule(DiskFull, "the file system does not hold files of this size."),
    errno.EACCES: _Rule(LocalDenied, "no permission here.", "Choose another folder."),
    errno.EPERM: _Rule(LocalDenied, "no permission here.", "Choose another folder."),
    errno.EROFS: _Rule(LocalDenied, "the file system is read-only.", "Choose another folder."),
    errno.EISDIR: _Rule(LocalFault, "there is a folder of that name."),
    errno.ENOTDIR: _Rule(LocalFault, "a file stands where a folder is needed."),
    errno.ENAMETOOLONG: _Rule(UnsafeKey, "the name is too long for this file system."),
}


def translate(error: BaseException, action: str) -> S3Error:
    """Turn any error into one of the tree; one of the tree comes back as it is.

    Args:
        error: What was raised: botocore's, aiohttp's, the file system's, ours.
        action: What was tried, on what: ``"get s3://b/k"``.

    Returns:
        The error to raise, `error` its ``__cause__``.
    """
    if isinstance(error, S3Error):
        return error
    code = ""
    rule = _by_name(error)
    response = getattr(error, "response", None)
    detail = ""
    if isinstance(response, dict):
        code, rule, detail = _by_answer(response, action)
    elif isinstance(error, OSError) and error.errno in _ERRNOS and rule is None:
        rule = _ERRNOS[error.errno]
    elif isinstance(error, (TimeoutError, asyncio.TimeoutError)) and rule is None:
        rule = _SILENT
    elif rule is _TLS and "WRONG_VERSION_NUMBER" in str(error):
        rule = _PLAIN
    elif _is_of_an_answer(error):
        rule = _NOT_S3
    if rule is None:
        rule = _Rule(_builtin_kind(error), f"{type(error).__name__}: {error}".rstrip(": "))
    elif type(error).__name__ in _TELLING and rule is not _PLAIN:
        detail = str(error)
    reason = f"{rule.reason[:-1]} ({detail.rstrip('.')})." if detail else rule.reason
    ours = rule.kind(f"Cannot {action}: {reason}", hint=rule.hint, code=code)
    ours.__cause__ = error
    return ours


def error_code(error: BaseException) -> str:
    """Give the server's own code of an error, botocore's or ours; empty without one."""
    response = getattr(error, "response", None)
    if isinstance(response, dict):
        return str(response.get("Error", {}).get("Code", ""))
    return str(getattr(error, "code", ""))


def _by_name(error: BaseException) -> _Rule | None:
    for kind in type(error).__mro__:
        if kind.__name__ in _NAMES:
            return _NAMES[kind.__name__]
    return None


def _by_answer(response: dict[str, Any], action: str) -> tuple[str, _Rule, str]:
    """Choose the rule for a botocore ClientError's parsed answer."""
    told = response.get("Error", {})
    status = response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    code = str(told.get("Code", ""))
    message = str(told.get("Message", ""))
    rule = _CODES.get(code)
    if rule is None and code.isdigit():
        rule = _STATUSES.get(int(code))
    elif rule is None:
        rule = _STATUSES.get(status)
        message = ": ".join(part for part in (code, message) if part)
    else:
        message = ""
    if rule is None:
        rule = _Rule(ServerFault, f"the server answered {status}.")
    # S3 names what is missing, and the list of buckets never is.
    if rule is _MISSING_KEY and (not code or action == LISTING_BUCKETS):
        return code, _NO_S3_THERE, ""
    if rule is _DENIED and action.startswith("get "):
        rule = _DENIED_READ
    headers = response.get("ResponseMetadata", {}).get("HTTPHeaders", {})
    region = told.get("Region") or headers.get("x-amz-bucket-region")
    if rule in {_REGION, _REDIRECT} and region:
        rule = _Rule(WrongRegion, f"the bucket lives in {region}.", _REGION.hint)
    return code, rule, message


def _is_of_an_answer(error: BaseException) -> bool:
    """Tell an error of reading an answer: a field of S3's that is not there, or not of its kind."""
    if isinstance(error, KeyError):
        field = error.args[0] if error.args else ""
        return isinstance(field, str) and field[:1].isupper() and field.isalpha()
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    return trace is not None and trace.tb_frame.f_globals.get("__name__") in _PARSERS


def _builtin_kind(error: BaseException) -> type[S3Error]:
    if isinstance(error, OSError):
        return LocalFault
    # botocore refuses bad parameters with these, before anything is sent.
    if isinstance(error, ValueError) or type(error).__name__ == "ParamValidationError":
        return BadArgument
    return S3Error

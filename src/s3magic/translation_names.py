"""Which error of botocore's, aiohttp's and the system's becomes which of ours: tables.

What never reached a server, or came back with no answer that says an error's code.
"""

from __future__ import annotations

import errno

from s3magic.errors import (
    BadArgument,
    ConnectionFailed,
    Damaged,
    DiskFull,
    LocalDenied,
    LocalFault,
    NoCredentials,
    NoSuchFile,
    ServerFault,
    TLSFailed,
    UnsafeKey,
)
from s3magic.translation_rules import EXPIRED, SILENT, Rule

__all__ = ["ERRNOS", "NAMES", "NOT_S3", "PARSERS", "PLAIN", "TELLING", "TLS"]

NO_CREDENTIALS = Rule(
    NoCredentials,
    "no credentials were found.",
    "Set AWS_PROFILE or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or run `aws configure`, "
    "then %s3connect; or read public data with %s3connect --anonymous.",
)
UNREACHABLE = Rule(
    ConnectionFailed,
    "cannot connect to the endpoint.",
    "Check the endpoint with %s3connect, and the network or proxy.",
)
DROPPED = Rule(
    ConnectionFailed,
    "the server closed the connection before the answer was whole.",
    "Try again.",
)
TLS = Rule(
    TLSFailed,
    "the endpoint's TLS certificate cannot be verified.",
    "Give the certificate authority: %s3connect --verify /path/to/ca.pem.",
)
PLAIN = Rule(
    TLSFailed,
    "the endpoint speaks plain http.",
    "Write http:// in place of https://: %s3connect --endpoint-url http://HOST:PORT.",
)
NOT_S3 = Rule(
    ServerFault, "the endpoint's answer is not S3's.", "Check the endpoint with %s3connect."
)

# By name, not by class: importing botocore and aiohttp costs a third of a second.
NAMES = {
    "NoCredentialsError": NO_CREDENTIALS,
    "PartialCredentialsError": NO_CREDENTIALS,
    "CredentialRetrievalError": NO_CREDENTIALS,
    "NoAuthTokenError": NO_CREDENTIALS,
    "UnauthorizedSSOTokenError": EXPIRED,
    "SSOTokenLoadError": EXPIRED,
    "TokenRetrievalError": EXPIRED,
    "LoginRefreshRequired": EXPIRED,
    "LoginTokenLoadError": EXPIRED,
    "ProfileNotFound": Rule(
        BadArgument,
        "there is no such profile in the AWS config files.",
        "See which there are: run `aws configure list-profiles` in a terminal.",
    ),
    "SSLError": TLS,
    "ClientSSLError": TLS,
    "SSLCertVerificationError": TLS,
    "ConnectTimeoutError": SILENT,
    "ReadTimeoutError": SILENT,
    "ServerTimeoutError": SILENT,
    "ProxyConnectionError": Rule(
        ConnectionFailed, "cannot connect to the proxy.", "Check HTTPS_PROXY and NO_PROXY."
    ),
    "EndpointConnectionError": UNREACHABLE,
    "ConnectionClosedError": DROPPED,
    "ClientPayloadError": DROPPED,
    "IncompleteReadError": DROPPED,
    "ResponseStreamingError": DROPPED,
    "ClientConnectionError": DROPPED,
    "HTTPClientError": UNREACHABLE,
    "FlexibleChecksumError": Rule(
        Damaged,
        "what came does not match its checksum.",
        "Try again; if it stays so, the object is damaged at the server.",
    ),
    "ResponseParserError": NOT_S3,
}

# Of these botocore's own words say more than ours: which host, which profile.
TELLING = {"EndpointConnectionError", "ProfileNotFound", "ProxyConnectionError", "SSLError"}

PARSERS = {"botocore.parsers", "aiobotocore.parsers"}

ERRNOS = {
    errno.ENOENT: Rule(NoSuchFile, "there is no such file or folder here."),
    errno.ENOSPC: Rule(DiskFull, "the disk is full.", "Free some room, then run it again."),
    errno.EDQUOT: Rule(DiskFull, "the disk quota is used up.", "Free some room, then run again."),
    errno.EFBIG: Rule(DiskFull, "the file system does not hold files of this size."),
    errno.EACCES: Rule(LocalDenied, "no permission here.", "Choose another folder."),
    errno.EPERM: Rule(LocalDenied, "no permission here.", "Choose another folder."),
    errno.EROFS: Rule(LocalDenied, "the file system is read-only.", "Choose another folder."),
    errno.EISDIR: Rule(LocalFault, "there is a folder of that name."),
    errno.ENOTDIR: Rule(LocalFault, "a file stands where a folder is needed."),
    errno.ENAMETOOLONG: Rule(UnsafeKey, "the name is too long for this file system."),
}

"""Every error of s3magic: a tree, each class also the matching builtin.

::

    S3Error
    ├── BadArgument (ValueError)         an argument that cannot be meant
    │   ├── BadUri                       not an S3 address
    │   ├── BadQuery                     JMESPath refuses it
    │   └── UnsafeKey                    no safe local name for this key
    ├── NotFound (FileNotFoundError)
    │   ├── NoSuchKey
    │   ├── NoSuchVersion
    │   ├── NoSuchBucket
    │   └── NoSuchFile                   a local one
    ├── AlreadyExists (FileExistsError)
    ├── Denied (PermissionError)
    │   ├── AccessDenied                 the server's policy says no
    │   ├── NoCredentials
    │   ├── ExpiredCredentials
    │   ├── BadSignature                 unknown access key, or wrong secret
    │   ├── ClockSkew
    │   └── LocalDenied                  the file system says no
    ├── ConnectionFailed (ConnectionError)
    │   ├── TLSFailed
    │   ├── RedirectRefused              a redirect is never followed
    │   └── WrongRegion
    ├── TimedOut (TimeoutError)
    ├── ServerFault (OSError)            the server failed
    │   ├── Throttled                    and asked us to slow down
    │   └── NotSupported (NotImplementedError)
    ├── Archived (OSError)               the object must be restored first
    ├── Damaged (OSError)                the answer is not the object
    │   └── ObjectChanged                it was replaced meanwhile
    ├── LocalFault (OSError)
    │   └── DiskFull
    └── TransferError (OSError)          some of many failed; see `.report`

Each reads as a sentence: what was tried, on what, why it failed, what to do.
The error that it came from is its ``__cause__``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from s3magic.spelling import Sentences
from s3magic.wording import printable

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from s3magic.spelling import Option

__all__ = [
    "AccessDenied",
    "AlreadyExists",
    "Archived",
    "BadArgument",
    "BadQuery",
    "BadSignature",
    "BadUri",
    "ClockSkew",
    "ConnectionFailed",
    "Damaged",
    "Denied",
    "DiskFull",
    "ExpiredCredentials",
    "LocalDenied",
    "LocalFault",
    "NoCredentials",
    "NoSuchBucket",
    "NoSuchFile",
    "NoSuchKey",
    "NoSuchVersion",
    "NotFound",
    "NotSupported",
    "ObjectChanged",
    "RedirectRefused",
    "S3Error",
    "ServerFault",
    "TLSFailed",
    "Throttled",
    "TimedOut",
    "TransferError",
    "UnsafeKey",
    "WrongRegion",
]


class S3Error(Exception):
    """The root of the tree.

    Args:
        message: What was tried, on what, and why it failed: one sentence.
        hint: What to do now: one sentence, or nothing.
        code: The server's own error code (``NoSuchKey``), where it gave one.
        options: The options at ``{0}``, ``{1}`` of message and hint, where they name
            any; then other names (of keys, of files) have such places too.
    """

    transient = False
    """Whether the same request may work when it is sent again."""

    def __init__(
        self, message: str, *, hint: str = "", code: str = "", options: Sequence[Option] = ()
    ) -> None:
        self._sentences = Sentences.of(message, hint, options) if options else None
        if self._sentences:
            message, hint = self._sentences.spelled()
        super().__init__(message)
        self._say(message, hint)
        self.code = code

    def spell(self, flags: Mapping[str, str]) -> None:
        """Name options as a magic's line writes them, ``{"page_size": "--page-size"}``."""
        if self._sentences:
            self._say(*self._sentences.on_line(flags))

    def advise(self, hint: str, *, options: Sequence[Option] = ()) -> None:
        """Say something else to do; the options are at ``{0}``, ``{1}`` of it."""
        self._sentences = Sentences.of(f"{{{len(options)}}}", hint, [*options, self.args[0]])
        self._say(*self._sentences.spelled())

    def _say(self, message: str, hint: str) -> None:
        self.args = (message,)
        self.message, self.hint = printable(message), printable(hint)

    def __str__(self) -> str:
        return f"{self.message} {self.hint}".rstrip()

    def __reduce__(self) -> tuple[Any, ...]:
        # An exception's own way calls the class with the message alone, and an OSError's
        # calls it with errno: neither makes one of ours. The cause stays behind.
        return _revived, (type(self), self.args, self.__dict__)

    def _render_traceback_(self) -> list[str]:
        """Give IPython the lines to show in place of sixty of traceback."""
        advice = [f"  → {self.hint}"] if self.hint else []
        return [f"{type(self).__name__}: {self.message}", *advice]


class BadArgument(S3Error, ValueError):
    """An argument that cannot be meant; nothing was done."""


class BadUri(BadArgument):
    """Not an S3 address."""


class BadQuery(BadArgument):
    """A query that JMESPath refuses, or that fails on this listing."""


class UnsafeKey(BadArgument):
    """A key that names no safe place below the target folder."""


class NotFound(S3Error, FileNotFoundError):
    """What was asked for is not there."""


class NoSuchKey(NotFound):
    """The bucket has no such key."""


class NoSuchVersion(NotFound):
    """The object has no such version."""


class NoSuchBucket(NotFound):
    """There is no such bucket at this endpoint."""


class NoSuchFile(NotFound):
    """There is no such local file."""


class AlreadyExists(S3Error, FileExistsError):
    """The target is there already, and was not to be overwritten."""


class Denied(S3Error, PermissionError):
    """Somebody said no."""


class AccessDenied(Denied):
    """The server's policy says no."""


class NoCredentials(Denied):
    """No credentials were found in any of the places that AWS tools read."""


class ExpiredCredentials(Denied):
    """The credentials were good once."""


class BadSignature(Denied):
    """The server knows no such access key, or the secret is not its own."""


class ClockSkew(Denied):
    """This machine's clock and the server's are too far apart to sign."""


class LocalDenied(Denied):
    """The file system says no."""


class ConnectionFailed(S3Error, ConnectionError):
    """The endpoint cannot be reached, or hung up."""

    transient = True


class TLSFailed(ConnectionFailed):
    """The endpoint's certificate cannot be trusted."""

    transient = False


class RedirectRefused(ConnectionFailed):
    """The endpoint sent us elsewhere; credentials and data stay here."""

    transient = False


class WrongRegion(ConnectionFailed):
    """The bucket lives in another region, and S3 did not say which."""

    transient = False


class TimedOut(S3Error, TimeoutError):
    """The server fell silent."""

    transient = True


class ServerFault(S3Error, OSError):
    """The server answered, and its answer was that it failed."""

    transient = True


class Throttled(ServerFault):
    """The server asked us to slow down."""


class NotSupported(ServerFault, NotImplementedError):
    """This S3 server does not know the operation, or not for this bucket."""

    transient = False


class Archived(S3Error, OSError):
    """The object is in an archive class and must be restored before it is read."""


class Damaged(S3Error, OSError):
    """What arrived is not the object: too short, too long, or from elsewhere in it."""

    transient = True


class ObjectChanged(Damaged):
    """The object was replaced while it was read, or since it was listed."""

    transient = False


class LocalFault(S3Error, OSError):
    """The file system failed."""


class DiskFull(LocalFault):
    """There is no room for the file."""


class TransferError(S3Error, OSError):
    """Some of many transfers failed, or were cancelled.

    Args:
        report: One row a transfer, the failed ones with their errors: the
            frame that ``errors="return"`` would have given.
    """

    def __init__(
        self, message: str, *, report: Any, hint: str = "", options: Sequence[Option] = ()
    ) -> None:
        super().__init__(message, hint=hint, options=options)
        self.report = report


def _revived(kind: type[S3Error], args: tuple[Any, ...], state: dict[str, Any]) -> S3Error:
    """Make an error anew, in another process perhaps."""
    error = kind.__new__(kind)
    error.args = args
    error.__dict__.update(state)
    return error

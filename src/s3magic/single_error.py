"""The error of a single transfer: a `TransferError` that is of its cause's class too.

So ``except FileNotFoundError`` finds the one key that is missing.
"""

from __future__ import annotations

from typing import Any

from s3magic.errors import S3Error, TransferError

__all__ = ["single_error"]

_classes: dict[type[S3Error], type[TransferError]] = {}


def single_error(cause: S3Error, *, report: Any) -> TransferError:
    """Give the error of a single transfer.

    Args:
        cause: Why it failed.
        report: The one row.
    """
    error = _class_of(type(cause))(cause.message, report=report, hint=cause.hint)
    error.code = cause.code
    return error


def _class_of(cause: type[S3Error]) -> type[TransferError]:
    """Give the class for a cause's class, the same one each time."""
    if cause in _classes:
        return _classes[cause]

    def reduce(error: TransferError) -> tuple[Any, ...]:
        return _revived, (cause, error.args), error.__dict__

    # Nobody can import such a class, so what is pickled names the cause's.
    members = {
        "__module__": TransferError.__module__,
        "__doc__": TransferError.__doc__,
        "__reduce__": reduce,
    }
    return _classes.setdefault(cause, type(TransferError.__name__, (TransferError, cause), members))


def _revived(cause: type[S3Error], args: tuple[Any, ...]) -> TransferError:
    """Make an error anew, in another process perhaps; what it held is given to it after that."""
    return _class_of(cause)(*args, report=None)

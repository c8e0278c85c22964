"""The one place where foreign errors become ours: botocore's, aiohttp's, the file system's."""

from __future__ import annotations

import asyncio
from typing import Any

from s3magic.errors import BadArgument, LocalFault, S3Error, ServerFault, WrongRegion
from s3magic.translation_names import ERRNOS, NAMES, NOT_S3, PARSERS, PLAIN, TELLING, TLS
from s3magic.translation_rules import (
    CODES,
    DENIED,
    DENIED_READ,
    MISSING_KEY,
    NO_S3_THERE,
    REDIRECT,
    REGION,
    SILENT,
    STATUSES,
    Rule,
)

__all__ = ["LISTING_BUCKETS", "error_code", "translate"]


LISTING_BUCKETS = "list the buckets"


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
    elif isinstance(error, OSError) and error.errno in ERRNOS and rule is None:
        rule = ERRNOS[error.errno]
    elif isinstance(error, (TimeoutError, asyncio.TimeoutError)) and rule is None:
        rule = SILENT
    elif rule is TLS and "WRONG_VERSION_NUMBER" in str(error):
        rule = PLAIN
    elif _is_of_an_answer(error):
        rule = NOT_S3
    if rule is None:
        rule = Rule(_builtin_kind(error), f"{type(error).__name__}: {error}".rstrip(": "))
    elif type(error).__name__ in TELLING and rule is not PLAIN:
        detail = str(error)
    reason = f"{rule.reason[:-1]} ({detail.rstrip('.')})." if detail else rule.reason
    told = f"Cannot {action}: {reason}"
    ours = rule.kind(told, hint=rule.hint, code=code)
    if rule.options:
        ours.advise(rule.hint, options=rule.options)
    ours.__cause__ = error
    return ours


def error_code(error: BaseException) -> str:
    """Give the server's own code of an error, botocore's or ours; empty without one."""
    response = getattr(error, "response", None)
    if isinstance(response, dict):
        return str(response.get("Error", {}).get("Code", ""))
    return str(getattr(error, "code", ""))


def _by_name(error: BaseException) -> Rule | None:
    for kind in type(error).__mro__:
        if kind.__name__ in NAMES:
            return NAMES[kind.__name__]
    return None


def _by_answer(response: dict[str, Any], action: str) -> tuple[str, Rule, str]:
    """Choose the rule for a botocore ClientError's parsed answer."""
    told = response.get("Error", {})
    status = response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    code = str(told.get("Code", ""))
    message = str(told.get("Message", ""))
    rule = CODES.get(code)
    if rule is None and code.isdigit():
        rule = STATUSES.get(int(code))
    elif rule is None:
        rule = STATUSES.get(status)
        message = ": ".join(part for part in (code, message) if part)
    else:
        message = ""
    if rule is None:
        rule = Rule(ServerFault, f"the server answered {status}.")
    # S3 names what is missing, and the list of buckets never is.
    if rule is MISSING_KEY and (not code or action == LISTING_BUCKETS):
        return code, NO_S3_THERE, ""
    if rule is DENIED and action.startswith("get "):
        rule = DENIED_READ
    headers = response.get("ResponseMetadata", {}).get("HTTPHeaders", {})
    region = told.get("Region") or headers.get("x-amz-bucket-region")
    if rule in {REGION, REDIRECT} and region:
        rule = Rule(WrongRegion, f"the bucket lives in {region}.", REGION.hint)
    return code, rule, message


def _is_of_an_answer(error: BaseException) -> bool:
    """Tell an error of reading an answer: a field of S3's that is not there, or not of its kind."""
    if isinstance(error, KeyError):
        field = error.args[0] if error.args else ""
        return isinstance(field, str) and field[:1].isupper() and field.isalpha()
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    return trace is not None and trace.tb_frame.f_globals.get("__name__") in PARSERS


def _builtin_kind(error: BaseException) -> type[S3Error]:
    if isinstance(error, OSError):
        return LocalFault
    # botocore refuses bad parameters with these, before anything is sent.
    if isinstance(error, ValueError) or type(error).__name__ == "ParamValidationError":
        return BadArgument
    return S3Error

"""`doctor`: looks at everything between this notebook and a bucket, and says what to do."""

from __future__ import annotations

import asyncio
import functools
from typing import TYPE_CHECKING

from s3magic.commands.facts import examining, probing
from s3magic.commands.facts.diagnosis import Finding, diagnosis
from s3magic.commands.facts.examining import Patient, bounded
from s3magic.commands.options.description import Option, Positional, Verb
from s3magic.commands.options.kinds import DURATION
from s3magic.commands.options.shared import PROGRESS_OPTION
from s3magic.commands.running.report import prepare
from s3magic.commands.showing.displays import display
from s3magic.errors import BadArgument
from s3magic.session import current
from s3magic.transfer.progress import Meter
from s3magic.transfer.watching import watching
from s3magic.uri import S3Uri
from s3magic.wording import called

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Awaitable

    from pandas import DataFrame

__all__ = ["VERB", "doctor"]

_TIMEOUT = 10
_LONGEST = 600

VERB = Verb(
    name="s3doctor",
    summary="Find out what works between here and S3, and what to do about the rest.",
    positionals=(
        Positional(
            "URI", "s3://bucket, or a folder or key in it; without one, no bucket", required=False
        ),
    ),
    options=(
        Option(("--write",), "write a tiny object under a new key, too, and delete it again"),
        Option(
            ("--timeout",),
            "how long each check may take",
            kind=DURATION,
            default=f"{_TIMEOUT}s",
        ),
        PROGRESS_OPTION,
    ),
    examples=(
        ("%s3doctor", "who I am, until when, and whether the server can be reached"),
        ("%s3doctor s3://weather/", "and whether this bucket can be listed and read"),
        ("%s3doctor s3://weather/results/ --write", "and written to, and what the server knows"),
    ),
    twin="s3.doctor",
    details=(
        "Returns a frame with one row a check: Check, Status (ok, warn, fail, skipped), Found, "
        "Advice. Each check is by itself: one that fails, or that no server answers, stops no "
        "other. Nothing is written without --write, and nothing is ever overwritten. No secret "
        "is in it: it can be shown to whoever is to help."
    ),
)

_WITHOUT_BUCKET = Finding(
    "Bucket", "skipped", "none was named", "Name one: %s3doctor s3://bucket/."
)


_CHECKS = (
    ("Settings", examining.settings),
    ("Credentials", examining.credentials),
    ("Identity", examining.identity),
    ("Network", examining.network),
    ("Clock", examining.clock),
    ("Buckets", examining.buckets),
)
_CLOCK = 4


async def doctor(
    uri: str | S3Uri | None = None,
    *,
    write: bool = False,
    timeout: str | int | dt.timedelta | None = None,  # noqa: ASYNC109 - of each check by itself
    progress: str | None = None,
) -> DataFrame:
    """Find out what works between here and S3, and what to do about the rest.

    It looks at the settings, the credentials and whose they are, the network,
    TLS, the clock and the latency; with a bucket, at listing, reading and
    versions; with `write`, at writing, deleting, and what the server knows of
    conditional writes, checksums and multipart uploads. All at once, each by itself.

    Args:
        uri: ``s3://bucket``, or a folder or key in it. None to look at no bucket.
        write: Write a tiny object under a key that nobody has, and delete it
            again, every version of it.
        timeout: How long each check may take: seconds, a timedelta, or a text
            such as ``"30s"``. Ten seconds by default.
        progress: ``auto``, ``widget``, ``text`` or ``none``.

    Returns:
        One row a check: ``Check``, ``Status`` (ok, warn, fail or skipped),
        ``Found`` and ``Advice``, all string. No secret is in it.

    Raises:
        BadArgument: The arguments cannot be meant.

    Example:
        >>> await s3.doctor("s3://weather/", write=True)
    """
    target = _target(uri)
    if write and target is None:
        raise BadArgument(
            "Write where?", hint="Name a bucket beside {0}.", options=[("write", True)]
        )
    seconds = _seconds(timeout)
    prepare()
    meter = Meter("Examining", "Examined", "thing")
    async with watching(meter, display(progress), quiet_if_short=True):
        findings = await _examined(target, seconds, write=write, meter=meter)
        meter.tally(len(findings) - meter.done_files)  # those that were no task of their own
        return await asyncio.to_thread(diagnosis, findings)


def _target(uri: object) -> S3Uri | None:
    if uri is None or isinstance(uri, S3Uri):
        return uri
    if not isinstance(uri, str):
        raise BadArgument(f"{called(uri)} is no address: write s3://bucket/.")
    return S3Uri.parse(uri, scheme_optional=True)


def _seconds(timeout: object) -> float:
    """Give the seconds of a check; raises BadArgument for what is no length of time."""
    try:
        seconds = _TIMEOUT if timeout is None else int(str(DURATION.convert(timeout)))
    except (ValueError, TypeError, OverflowError):
        raise BadArgument(
            f"{{0}} is not {DURATION.wanted}.", options=[("timeout", timeout)]
        ) from None
    if not 1 <= seconds <= _LONGEST:
        raise BadArgument(
            f"{{0}} cannot be: it must be a second at least, {_LONGEST} at most.",
            options=[("timeout", seconds)],
        )
    return float(seconds)


async def _examined(
    target: S3Uri | None,
    seconds: float,
    *,
    write: bool,
    meter: Meter,
) -> list[Finding]:
    """Make every check; gives the findings in the order in which they are to be read."""
    connection = current()

    async def connect() -> list[Finding]:
        await connection.client()  # awaiting the connection itself might choose another
        return []

    failed = await bounded("Settings", seconds, connect)
    software = await bounded("Software", seconds, examining.software)
    if failed:
        return software + failed
    async with connection.using() as client:
        patient = Patient(connection, client, target, seconds)
        checks = [
            bounded(name, seconds, functools.partial(check, patient)) for name, check in _CHECKS
        ]
        if target is not None:
            there = functools.partial(probing.bucket, patient, target)
            kept = functools.partial(probing.versioning, patient, target)
            checks += [
                bounded("Bucket", seconds, there),
                probing.reading(patient, target),
                bounded("Versioning", seconds, kept),
            ]
            if write:
                checks.append(probing.writing(patient, target))
        # A group waits for all of them to end, also when it is cancelled: what was
        # written is to be deleted.
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(_told(check, meter)) for check in checks]
        groups = [task.result() for task in tasks]
        if all(one.status != "fail" for one in groups[_CLOCK]):  # else there is nothing to measure
            took = functools.partial(
                examining.latency, patient
            )  # alone, or it would wait for others
            groups.insert(_CLOCK + 1, await bounded("Latency", seconds, took))
    findings = software + [finding for found in groups for finding in found]
    if target is None:
        findings.append(_WITHOUT_BUCKET)
    elif not write:
        advice = f"Look at it, too: %s3doctor {target} --write."
        findings.append(Finding("Write", "skipped", "nothing was written", advice))
    return findings


async def _told(check: Awaitable[list[Finding]], meter: Meter) -> list[Finding]:
    findings = await check
    meter.tally(len(findings))
    return findings

"""What a doctor looks at before any bucket: the connection, who one is, the way there, the clock.

Each check gives its findings, or raises; `bounded` makes a finding of whatever
it raises, and of its silence.
"""

from __future__ import annotations

import asyncio
import contextlib
import datetime as dt
import ipaddress
import platform
import ssl
import time
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from importlib.metadata import version
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from s3magic.caller import caller
from s3magic.commands.facts.diagnosis import Finding
from s3magic.connecting import is_foreign
from s3magic.credentials import signing_of
from s3magic.errors import ConnectionFailed, TimedOut
from s3magic.httpsession import route_of
from s3magic.translation import LISTING_BUCKETS, translate
from s3magic.wire.wire import tls_context
from s3magic.wording import count, duration

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from types_aiobotocore_s3 import S3Client

    from s3magic.connection import Connection
    from s3magic.uri import S3Uri

__all__ = [
    "Patient",
    "bounded",
    "buckets",
    "clock",
    "credentials",
    "identity",
    "latency",
    "network",
    "settings",
    "software",
]

_SOON = dt.timedelta(minutes=15)  # until credentials end: no time for a long transfer
_SKEWED = 15 * 60  # seconds; S3 API, RequestTimeTooSkewed
_DRIFTING = 60.0  # seconds
_SLOW = 0.5  # seconds an answer takes
_ROUNDS = 3
_EXPIRING = 14  # days until a certificate ends


@dataclass(frozen=True, slots=True)
class Patient:
    """What is examined.

    Args:
        connection: The connection in force.
        client: Its client.
        uri: The bucket, and the folder or key in it; None without one.
        timeout: Seconds until a check is given up.
    """

    connection: Connection
    client: S3Client
    uri: S3Uri | None
    timeout: float

    async def ask(self) -> tuple[dict[str, str], float]:
        """Ask the cheapest thing there is; gives the answer's headers, and the seconds it took.

        An answer that says no tells as much of the way there and of the clock.
        """
        begun = time.monotonic()
        try:
            answer: Any
            if self.uri is not None:
                answer = await self.client.head_bucket(Bucket=self.uri.bucket)
            else:
                answer = await self.client.list_buckets()
        except Exception as error:
            answer = getattr(error, "response", None)
            if not isinstance(answer, dict):
                raise translate(error, "ask the server") from error
        told = answer.get("ResponseMetadata", {}).get("HTTPHeaders", {})
        return told, time.monotonic() - begun


async def bounded(
    name: str,
    seconds: float,
    check: Callable[[], Awaitable[list[Finding]]],
) -> list[Finding]:
    """Await a check's findings; its error, or its silence, is one.

    Args:
        name: What is looked at.
        seconds: Time until it is given up.
        check: Gives the findings.
    """
    try:
        async with asyncio.timeout(seconds):
            return await check()
    except TimeoutError:
        silent = f"no answer within {duration(seconds)}"
        advice = "Check the endpoint and the network; --timeout gives it longer."
        return [Finding(name, "fail", silent, advice)]
    except Exception as error:  # noqa: BLE001 - whatever it is, the others go on
        ours = translate(error, f"check: {name.lower()}")
        return [Finding(name, "fail", ours.message, ours.hint)]


async def software() -> list[Finding]:
    """Tell the versions, which every report of a fault should."""
    names = ("s3magic", "aiobotocore", "botocore", "aiohttp", "pandas", "ipython")
    told = await asyncio.to_thread(lambda: [f"{name} {version(name)}" for name in names])
    return [Finding("Software", "ok", ", ".join([f"Python {platform.python_version()}", *told]))]


async def settings(patient: Patient) -> list[Finding]:
    """Tell which endpoint is asked, and for which region requests are signed."""
    config: Any = patient.client.meta.config
    style = (config.s3 or {}).get("addressing_style") or "auto"
    region = patient.client.meta.region_name
    where = f"{patient.client.meta.endpoint_url}, region {region}, {style} addresses"
    return [Finding("Settings", "ok", where)]


async def credentials(patient: Patient) -> list[Finding]:
    """Tell what requests are signed with, and until when."""
    facts = patient.connection.facts
    source = facts.credentials if facts else ""
    if patient.connection.options.anonymous:
        return [Finding("Credentials", "ok", "none: what is not public cannot be reached")]
    signing = await signing_of(patient.client)
    if signing is None:
        advice = (
            "Set AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, then %s3connect; "
            "for public data %s3connect --anonymous."
        )
        return [Finding("Credentials", "fail", "none were found", advice)]
    found = f"access key {signing.key}, {source}"
    if signing.expires is not None:
        left = signing.expires - dt.datetime.now(dt.UTC)
        found += f", until {signing.expires:%Y-%m-%d %H:%M} UTC"
        if left < _SOON:
            advice = "Renew them (for SSO: run `aws sso login` in a terminal), then %s3connect."
            gone = left.total_seconds() <= 0
            return [Finding("Credentials", "fail" if gone else "warn", found, advice)]
    elif signing.temporary:
        found += ", temporary, until nobody knows when"
        advice = "They cannot be renewed by themselves; a long transfer may outlive them."
        return [Finding("Credentials", "warn", found, advice)]
    return [Finding("Credentials", "ok", found)]


async def identity(patient: Patient) -> list[Finding]:
    """Tell whom the credentials belong to, where there is a token service to ask."""
    if await signing_of(patient.client) is None:
        return [Finding("Identity", "skipped", "nobody: nothing is signed")]
    try:
        # Its own patience is the longer one: silence is told as what it is.
        arn = await caller(patient.client, patient.connection.options, 2 * patient.timeout)
    except Exception as error:
        ours = translate(error, "ask STS who this is")
        away = isinstance(ours, ConnectionFailed | TimedOut)
        if away or not is_foreign(patient.client.meta.endpoint_url):
            raise ours from error
        return [Finding("Identity", "skipped", "this server has no token service (STS) that tells")]
    return [Finding("Identity", "ok", arn)]


async def network(patient: Patient) -> list[Finding]:
    """Connect to the endpoint, and look at its certificate."""
    parts = urlsplit(patient.client.meta.endpoint_url)
    host, secure = parts.hostname or "", parts.scheme == "https"
    port = parts.port or (443 if secure else 80)
    route = route_of(patient.client)
    if not route.direct:
        return [Finding("Network", "skipped", "the way leads through a proxy")]
    context = await asyncio.to_thread(tls_context, route.verify) if secure else None
    begun = time.monotonic()
    try:
        _, writer = await asyncio.open_connection(
            host, port, ssl=context, server_hostname=host if secure else None
        )
    except ssl.SSLError as error:
        ours = translate(error, f"speak TLS with {host}")
        return [Finding("TLS", "fail", ours.message, ours.hint)]
    except OSError as error:
        advice = "Check the endpoint with %s3connect, the network, and whether a proxy is needed."
        found = f"no connection to {host}, port {port}: {error.strerror or error}"
        return [Finding("Network", "fail", found, advice)]
    took = time.monotonic() - begun
    try:
        reached: Any = writer.get_extra_info("peername") or ("",)
        session = writer.get_extra_info("ssl_object")
        return [
            Finding("Network", "ok", f"{host}, port {port}, at {reached[0]}, in {duration(took)}"),
            _plain(host) if session is None else _secure(session, verified=bool(route.verify)),
        ]
    finally:
        writer.transport.abort()  # a server that is silent would not say goodbye either


def _plain(host: str) -> Finding:
    """Judge a connection without TLS by how far it goes."""
    with contextlib.suppress(ValueError):
        if ipaddress.ip_address(host).is_loopback:
            return Finding("TLS", "ok", "none, and none is needed: it is this machine")
    if host == "localhost":
        return Finding("TLS", "ok", "none, and none is needed: it is this machine")
    advice = "Whoever is on the way reads along, and can change things: use https:// if you can."
    return Finding("TLS", "warn", "none: plain http", advice)


def _secure(session: Any, *, verified: bool) -> Finding:
    found = session.version() or "TLS"
    if not verified:
        advice = (
            "Anybody could pretend to be this server. Give the authority that signed its "
            "certificate: %s3connect --verify /path/to/ca.pem."
        )
        return Finding("TLS", "warn", f"{found}, and any certificate is trusted", advice)
    ends = dict(session.getpeercert() or {}).get("notAfter")
    if isinstance(ends, str):
        left = int((ssl.cert_time_to_seconds(ends) - time.time()) // 86_400)
        found += f", its certificate good for {count(left, 'day')}"
        if left < _EXPIRING:
            return Finding("TLS", "warn", found, "Whoever runs the server should renew it.")
    return Finding("TLS", "ok", found)


async def clock(patient: Patient) -> list[Finding]:
    """Hold this machine's clock against the server's."""
    told, took = await patient.ask()
    try:
        theirs = parsedate_to_datetime(told.get("date", ""))
    except (ValueError, TypeError):
        return [Finding("Clock", "skipped", "the server does not tell the time")]
    # It tells whole seconds, of some moment between question and answer.
    middle = dt.datetime.now(dt.UTC) - dt.timedelta(seconds=took / 2 + 0.5)
    apart = abs((middle - theirs).total_seconds())
    if apart <= max(2.0, took):
        return [Finding("Clock", "ok", "the server's and this machine's agree")]
    found = f"this machine's and the server's are {duration(apart)} apart"
    if apart < _DRIFTING:
        return [Finding("Clock", "ok", found)]
    advice = (
        "Set the clock (a virtual machine or WSL often drifts after sleep): from 15 minutes on, "
        "S3 refuses every request."
    )
    return [Finding("Clock", "fail" if apart >= _SKEWED else "warn", found, advice)]


async def latency(patient: Patient) -> list[Finding]:
    """Measure how long a small answer takes, on a connection that is open already."""
    await patient.ask()
    times = sorted([(await patient.ask())[1] for _ in range(_ROUNDS)])
    found = f"{duration(times[_ROUNDS // 2])} for a small answer"
    if times[_ROUNDS // 2] < _SLOW:
        return [Finding("Latency", "ok", found)]
    advice = (
        "It is far away, or busy: small objects will be slow one by one, and are fine many at "
        "a time. A bucket in a region near by answers in a few hundredths."
    )
    return [Finding("Latency", "warn", found, advice)]


async def buckets(patient: Patient) -> list[Finding]:
    """Find out whether the buckets can be listed."""
    try:
        answer = await patient.client.list_buckets()
    except Exception as error:  # noqa: BLE001 - a finding, whatever it is
        ours = translate(error, LISTING_BUCKETS)
        if patient.uri is None:
            return [Finding("Buckets", "fail", ours.message, ours.hint)]
        advice = "No harm where you know your bucket's name."
        return [Finding("Buckets", "warn", ours.message, advice)]
    found = f"{count(len(answer.get('Buckets', [])), 'bucket')} can be seen"
    return [Finding("Buckets", "ok", found)]

"""`url`: presigned links, with which anybody can read, or write, an object for a while."""

from __future__ import annotations

import asyncio
import contextlib
import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from s3magic.commands.options.description import Option, Verb
from s3magic.commands.options.kinds import DURATION, TEXT
from s3magic.commands.options.reading import SOURCES, VERSION
from s3magic.commands.options.shared import GLOB, PROGRESS_OPTION, RECURSIVE, choice
from s3magic.commands.showing.displays import display
from s3magic.commands.showing.links import Link
from s3magic.commands.sources.objects import find, is_frame, listed
from s3magic.credentials import signing_of
from s3magic.errors import BadArgument, NoCredentials
from s3magic.session import using
from s3magic.transfer.progress import Meter
from s3magic.transfer.watching import watching
from s3magic.translation import translate

if TYPE_CHECKING:
    from pandas import DataFrame
    from types_aiobotocore_s3 import S3Client

    from s3magic.commands.sources.objects import Found
    from s3magic.credentials import Signing

__all__ = ["VERB", "url"]

_METHODS = {
    "GET": "get_object",
    "PUT": "put_object",
    "HEAD": "head_object",
    "DELETE": "delete_object",
}
_EXPIRES = 60 * 60
_LONGEST = 7 * 24 * 60 * 60  # S3 API, "Authenticating Requests: Using Query Parameters"
_TURN = 8  # links: two or three milliseconds

VERB = Verb(
    name="s3url",
    summary="Make presigned links to objects.",
    positionals=(SOURCES,),
    options=(
        Option(
            ("--expires",),
            "how long it works: 90s, 15m, 12h, 7d at most",
            kind=DURATION,
            default="1h",
        ),
        Option(("--method",), "what it is for", choices=tuple(_METHODS), default="GET"),
        Option(("--put",), "the same as --method PUT: to upload to", keyword="method", value="PUT"),
        Option(
            ("--content-type",),
            "the type that a browser is told; with --put, the one that must be sent",
            kind=TEXT,
        ),
        Option(("--filename",), "have a browser save it under this name", kind=TEXT),
        RECURSIVE,
        GLOB,
        VERSION,
        PROGRESS_OPTION,
    ),
    examples=(
        ("%s3url s3://weather/stations.csv", "a link to read it, for an hour"),
        ("url = %s3url s3://weather/stations.csv --expires 7d", "in a variable, for a week"),
        ("%s3url s3://photos/clouds/wien.jpg --filename cloud.jpg", "to be saved, by that name"),
        ("%s3url s3://weather/results/new.csv --put", "to upload to: curl -T file URL"),
        ('links = %s3url "s3://photos/clouds/*.jpg" --glob', "a frame with a link for each"),
    ),
    twin="s3.url",
    details=(
        "Whoever has a link needs nothing else: treat it as the password that it is. It is made "
        "here, and the server is not asked, so a key that is not there has a link too. A link "
        "ends with the credentials that signed it, if they end sooner."
    ),
)


@dataclass(frozen=True, slots=True)
class _Wanted:
    """What kind of links.

    Args:
        method: What they are for.
        seconds: How long they work.
        parameters: Of the client's method, beside bucket, key and version.
    """

    method: str
    seconds: int
    parameters: dict[str, str]


async def url(
    source: object,
    *,
    expires: str | int | dt.timedelta | None = None,
    method: str | None = None,
    content_type: str | None = None,
    filename: str | None = None,
    recursive: bool = False,
    glob: bool = False,
    version_id: str | None = None,
    progress: str | None = None,
) -> Link | DataFrame:
    """Make presigned links to objects.

    They are made here; the server is asked only for a listing, where `source`
    means one. A link ends with the credentials that signed it: if they end
    before it would, or nobody knows when they do, a line says so.

    Args:
        source: ``s3://bucket/key``, an `S3Uri`, a frame from `ls`, or a list
            or Series of these.
        expires: How long a link works: seconds, a timedelta, or a text such as
            ``"90s"``, ``"15m"``, ``"7d"``. An hour by default, 7 days at most.
        method: ``GET``, ``PUT``, ``HEAD`` or ``DELETE``.
        content_type: The type that a browser is told; for a PUT the one that
            the upload must send as its ``Content-Type``.
        filename: Have a browser save the object under this name.
        recursive: Everything below the address.
        glob: The key is a pattern: ``*``, ``?``, ``[abc]``, ``**``.
        version_id: One version of one object.
        progress: ``auto``, ``widget``, ``text`` or ``none``.

    Returns:
        For one address a str, whose ``expires`` is when it ends, in UTC. For
        several, or a frame: ``Bucket`` and ``Key`` (string), ``Url`` (string),
        ``Expires`` (datetime64 in UTC), and ``VersionId`` where one was named.

    Raises:
        NoCredentials: There is nothing to sign with, as for an anonymous connection.
        NoSuchKey: There is nothing below the address, or nothing that matches.
        BadArgument: The arguments cannot be meant.

    Example:
        >>> await s3.url("s3://weather/stations.csv", expires="7d")
    """
    sources, several = listed(source)
    wanted = _wanted(expires, method or "GET", content_type, filename)
    several = several or recursive or glob or is_frame(sources[0])
    if filename is not None and several:
        raise BadArgument(
            "One file name for several objects.", hint="Leave {0} out.", options=["filename"]
        )
    if version_id is not None and wanted.method == "PUT":
        raise BadArgument(
            "A PUT makes a new version.", hint="Leave {0} out.", options=["version_id"]
        )
    meter = Meter("Signing", "Signed", "link")
    shown = display(progress)
    rows: list[tuple[Found, str]] = []
    async with watching(meter, shown, quiet_if_short=True), using() as client:
        signing = await _signing(client)
        ends, meter.note = _end(wanted.seconds, signing)
        found = find(
            client, sources, recursive=recursive, glob=glob, version_id=version_id, several=several
        )
        async with contextlib.aclosing(found):
            async for one in found:
                if one.refused is not None:
                    raise one.refused
                rows.append((one, await _signed(client, one, wanted)))
                meter.tally()
                if not len(rows) % _TURN:
                    await asyncio.sleep(0)
        if not several:
            return Link(rows[0][1], wanted.method, ends)
        return await asyncio.to_thread(_frame, rows, ends)


def _wanted(
    expires: object, method: str, content_type: str | None, filename: str | None
) -> _Wanted:
    """Check what kind of links; raises BadArgument for what cannot be."""
    method = choice("method", str(method).upper(), tuple(_METHODS))
    try:
        seconds = _EXPIRES if expires is None else int(str(DURATION.convert(expires)))
    except (ValueError, TypeError, OverflowError):
        raise BadArgument(
            f"{{0}} is not {DURATION.wanted}.", options=[("expires", expires)]
        ) from None
    if not 1 <= seconds <= _LONGEST:
        raise BadArgument(
            f"A link cannot work for {seconds:,} seconds: S3 signs them for a second at least, "
            "and 7 days at most.",
            hint="Write {0}, and make a new one then.",
            options=[("expires", "7d")],
        )
    parameters: dict[str, str] = {}
    if content_type is not None:
        if method not in {"GET", "PUT"}:
            raise BadArgument(f"A {method} has no content, and so no type.")
        parameters["ContentType" if method == "PUT" else "ResponseContentType"] = content_type
    if filename is not None:
        if method != "GET":
            raise BadArgument(
                f"A {method} saves no file.", hint="Leave {0} out.", options=["filename"]
            )
        parameters["ResponseContentDisposition"] = _disposition(filename)
    return _Wanted(method, seconds, parameters)


def _disposition(filename: str) -> str:
    """Write the header that has a browser save a file: RFC 6266, 4.3, and its appendix D."""
    plain = "".join(
        char if char.isascii() and char.isprintable() and char not in '"\\%' else "_"
        for char in filename
    )
    told = f'attachment; filename="{plain}"'
    if plain != filename:
        told += f"; filename*=UTF-8''{quote(filename, safe='')}"
    return told


async def _signing(client: S3Client) -> Signing:
    """Give what the links are signed with."""
    try:
        signing = await signing_of(client)
    except Exception as error:
        raise translate(error, "sign a link") from error
    if signing is None:
        raise NoCredentials(
            "Cannot sign a link: this connection has no credentials.",
            hint="Connect as somebody: %s3connect --profile NAME. What is public needs no "
            "signature: its plain address is a link.",
        )
    return signing


def _end(seconds: int, signing: Signing) -> tuple[dt.datetime, str]:
    """Give when links end, and what there is to say of it."""
    ends = dt.datetime.now(dt.UTC).replace(microsecond=0) + dt.timedelta(seconds=seconds)
    if signing.expires is not None and signing.expires < ends:
        until = f"{signing.expires:%Y-%m-%d %H:%M} UTC"
        return signing.expires, f"but the credentials, and with them the link, end at {until}"
    if signing.temporary and signing.expires is None:
        return ends, (
            "with temporary credentials: when they end, which is not known, the link ends too"
        )
    return ends, ""


async def _signed(client: S3Client, one: Found, wanted: _Wanted) -> str:
    parameters: dict[str, Any] = {"Bucket": one.uri.bucket, "Key": one.uri.key}
    parameters |= wanted.parameters
    if one.version_id is not None and wanted.method != "PUT":
        parameters["VersionId"] = one.version_id
    try:
        return await client.generate_presigned_url(
            _METHODS[wanted.method], Params=parameters, ExpiresIn=wanted.seconds
        )
    except Exception as error:
        raise translate(error, f"sign a link to {one.uri}") from error


def _frame(rows: list[tuple[Found, str]], ends: dt.datetime) -> DataFrame:
    """Make the frame of several links; blocks while pandas is imported."""
    import pandas as pd

    columns = {
        "Bucket": pd.array([one.uri.bucket for one, _ in rows], dtype="string"),
        "Key": pd.array([one.uri.key for one, _ in rows], dtype="string"),
        "Url": pd.array([link for _, link in rows], dtype="string"),
        "Expires": pd.DatetimeIndex([ends] * len(rows), dtype="datetime64[us, UTC]"),
    }
    if any(one.version_id is not None for one, _ in rows):
        versions = [one.version_id for one, _ in rows]
        columns["VersionId"] = pd.array(versions, dtype="string")
    return pd.DataFrame(columns)

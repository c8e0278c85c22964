"""`head`: the beginning of objects."""

from __future__ import annotations

from typing import TYPE_CHECKING

from s3magic.commands.contents.pieces import HEADED, LINE, Asked
from s3magic.commands.contents.read_texts import contents
from s3magic.commands.options.description import Option, Verb
from s3magic.commands.options.kinds import INTEGER, SIZE
from s3magic.commands.options.reading import ENCODING, RAW, SOURCES, VERSION
from s3magic.commands.options.shared import GLOB, PROGRESS_OPTION, RECURSIVE, whole
from s3magic.commands.showing.texts import codec
from s3magic.errors import BadArgument

if TYPE_CHECKING:
    from s3magic.commands.showing.texts import Data, Text

__all__ = ["VERB", "head"]

_LINES = 10

VERB = Verb(
    name="s3head",
    summary="Show the first lines, or the first bytes, of objects.",
    positionals=(SOURCES,),
    options=(
        Option(("-n", "--lines"), "so many lines of each", kind=INTEGER, default=_LINES),
        Option(("-c", "--bytes"), "so many bytes of each, unpacked", kind=SIZE),
        RECURSIVE,
        GLOB,
        VERSION,
        RAW,
        ENCODING,
        PROGRESS_OPTION,
    ),
    examples=(
        ("%s3head s3://weather/stations.csv", "its first ten lines"),
        ("%s3head -n 3 s3://weather/stations.csv", "its first three"),
        ("%s3head -c 64 s3://photos/clouds/wien.jpg", "its first bytes"),
        ('%s3head -n 2 "s3://weather/csv/year=2024/*" --glob', "the beginning of each of several"),
    ),
    twin="s3.head",
    details=(
        "No more is asked for than these lines take: a few kilobytes of an object of any size, "
        "packed or not. Of several objects each one's beginning comes under its address. What is "
        "no text comes as bytes."
    ),
)


async def head(
    source: object,
    *,
    lines: int | None = None,
    bytes: int | None = None,  # noqa: A002 - as head itself calls it
    recursive: bool = False,
    glob: bool = False,
    version_id: str | None = None,
    raw: bool = False,
    encoding: str | None = None,
    progress: str | None = None,
) -> Text | Data:
    """Give the first lines, or the first bytes, of objects.

    Ranges that grow are asked for until there are lines enough, but for no more
    than a KiB a line, and a MiB at least: of an object with no end of a line in
    it, that is what comes.

    Args:
        source: ``s3://bucket/key``, an `S3Uri`, a frame from `ls`, or a list
            or Series of these.
        lines: Lines of each object: 10 by default.
        bytes: Bytes of each object, unpacked, in place of lines.
        recursive: Everything below the address.
        glob: The key is a pattern: ``*``, ``?``, ``[abc]``, ``**``.
        version_id: One version of one object.
        raw: The bytes as they are stored: neither unpacked nor read as text.
        encoding: The text's encoding; found out by default.
        progress: ``auto``, ``widget``, ``text`` or ``none``.

    Returns:
        A str, or bytes if one of them is no text, as `cat` gives them. With
        several objects, each one's text stands under a line with its address.

    Raises:
        NoSuchKey: There is no such object, or nothing that matches.
        BadArgument: The arguments cannot be meant, or `encoding` is wrong.

    Example:
        >>> await s3.head("s3://weather/stations.csv", lines=3)
    """
    if lines is not None and bytes is not None:
        raise BadArgument(
            "Lines and bytes at once: which of them?",
            hint="Give {0} or {1}.",
            options=["lines", "bytes"],
        )
    if encoding is not None and raw:
        raise BadArgument(
            "Raw bytes have no encoding.", hint="Give {0} or {1}.", options=["raw", "encoding"]
        )
    counted = None if bytes is not None else whole("lines", _LINES if lines is None else lines)
    asked = Asked(
        limit=max(HEADED, (counted or 0) * LINE) if bytes is None else whole("bytes", bytes),
        lines=counted,
        each=True,
        raw=raw,
        encoding="" if encoding is None else codec(encoding),
    )
    return await contents(
        source,
        asked,
        recursive=recursive,
        glob=glob,
        version_id=version_id,
        progress=progress,
    )

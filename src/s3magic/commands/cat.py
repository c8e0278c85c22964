"""`cat`: the text, or the bytes, of objects."""

from __future__ import annotations

from typing import TYPE_CHECKING

from s3magic.commands.contents.pieces import Asked, Span
from s3magic.commands.contents.read_texts import contents
from s3magic.commands.options.description import Option, Verb
from s3magic.commands.options.kinds import SIZE, TEXT, Kind
from s3magic.commands.options.reading import ENCODING, RAW, SOURCES, VERSION
from s3magic.commands.options.shared import GLOB, PROGRESS_OPTION, RECURSIVE, whole
from s3magic.commands.showing.texts import codec
from s3magic.errors import BadArgument
from s3magic.settings import MiB

if TYPE_CHECKING:
    from typing import Literal

    from s3magic.commands.showing.texts import Data, Text

__all__ = ["VERB", "cat"]

_LIMIT = 8 * MiB


def _limit(value: object) -> object:
    """Read ``all``, or a size."""
    if isinstance(value, str) and value.strip().lower() == "all":
        return "all"
    return SIZE.convert(value)


VERB = Verb(
    name="s3cat",
    summary="Show the text, or the bytes, of objects.",
    positionals=(SOURCES,),
    options=(
        RECURSIVE,
        GLOB,
        VERSION,
        Option(
            ("--limit",),
            "at most so many bytes, unpacked, of all together; all for everything",
            kind=Kind("SIZE|all", _limit, "a size in bytes, such as 8MiB, or all"),
            default=f"{_LIMIT // MiB}MiB",
        ),
        Option(
            ("--range",),
            "only these bytes of each, as stored: 0-99, 100-, or -500 for the last 500",
            kind=TEXT,
        ),
        RAW,
        ENCODING,
        PROGRESS_OPTION,
    ),
    examples=(
        ("%s3cat s3://weather/README.txt", "what it says"),
        ("text = %s3cat s3://weather/stations.csv", "the text in a variable"),
        ('%s3cat "s3://weather/csv/*/station=wien.csv" --glob', "several, one behind the other"),
        ("%s3cat s3://weather/stations.csv --range -100", "its last hundred bytes"),
    ),
    twin="s3.cat",
    details=(
        "A text comes as a str, and is shown as it reads; what is no text comes as bytes, and is "
        "shown as a table of them. What is packed with gzip, bzip2, xz or Zstandard is unpacked, "
        "whatever it is called. Several objects come one behind the other: as text, if each of "
        "them is one."
    ),
)


async def cat(
    source: object,
    *,
    recursive: bool = False,
    glob: bool = False,
    version_id: str | None = None,
    limit: int | Literal["all"] | None = None,
    range: str | None = None,  # noqa: A002 - HTTP's name of it, and the option's
    raw: bool = False,
    encoding: str | None = None,
    progress: str | None = None,
) -> Text | Data:
    """Give the text, or the bytes, of objects.

    No more is asked for than `limit` needs. What is packed is known by its
    first bytes, and unpacked as it comes.

    Args:
        source: ``s3://bucket/key``, an `S3Uri`, a frame from `ls`, or a list
            or Series of these; several come one behind the other.
        recursive: Everything below the address.
        glob: The key is a pattern: ``*``, ``?``, ``[abc]``, ``**``.
        version_id: One version of one object.
        limit: Bytes at most, unpacked, of all together: 8 MiB by default;
            ``"all"`` for everything.
        range: The bytes of each object that are wanted, as they are stored:
            ``0-99``, ``100-``, or ``-500`` for the last 500. Nothing is unpacked.
        raw: The bytes as they are stored: neither unpacked nor read as text.
        encoding: The text's encoding. Found out by default: a byte order mark
            tells it, else it is UTF-8, else what the content type says.
        progress: ``auto``, ``widget``, ``text`` or ``none``.

    Returns:
        A str, if each of them is text, else bytes. Its ``cut`` tells whether
        the limit kept some of it away; a notebook shows it as it reads.

    Raises:
        NoSuchKey: There is no such object, or nothing that matches.
        Damaged: What is packed in one of them is not whole.
        BadArgument: The arguments cannot be meant, or `encoding` is wrong.

    Example:
        >>> await s3.cat("s3://weather/README.txt")
    """
    if encoding is not None and raw:
        raise BadArgument(
            "Raw bytes have no encoding.", hint="Give {0} or {1}.", options=["raw", "encoding"]
        )
    if limit is None:
        limit = _LIMIT
    asked = Asked(
        limit=None if limit == "all" else whole("limit", limit),
        raw=raw,
        encoding="" if encoding is None else codec(encoding),
        span=None if range is None else Span.parse(range),
    )
    return await contents(
        source,
        asked,
        recursive=recursive,
        glob=glob,
        version_id=version_id,
        progress=progress,
    )

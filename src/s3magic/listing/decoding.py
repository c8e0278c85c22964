"""Turns the texts of a listing's XML into values, a column at a time. Pure.

What all texts of a column have in common is looked at once, for all of them.
"""

from __future__ import annotations

import datetime as dt
import re
import sys
from typing import TYPE_CHECKING
from urllib.parse import unquote_plus

if TYPE_CHECKING:
    from collections.abc import Iterable

    from s3magic.model import S3Owner

__all__ = ["Unexpected", "decoded", "owners", "repeated", "sizes", "stamps"]

_ENTITY = re.compile(
    r"&(?:(amp|lt|gt|quot|apos);|\#([0-9]{1,20});|\#x([0-9A-Fa-f]{1,20});)?", re.VERBOSE
)
_ENTITIES = {"amp": "&", "lt": "<", "gt": ">", "quot": '"', "apos": "'"}
_OWNER = {"Owner.DisplayName": "DisplayName", "Owner.ID": "ID"}


class Unexpected(Exception):
    """The page holds what S3 does not document; botocore shall judge it."""


def decoded(texts: list[str], *, encoded: bool) -> list[str]:
    """Decode names: from XML's entities and then, if `encoded`, from a URL's escapes."""

    def decode(text: str) -> str:
        text = _ENTITY.sub(_character, text) if "&" in text else text
        return unquote_plus(text) if encoded else text

    # All in one go costs a fifth, unless a name has a line's end in it.
    together = "\n".join(texts)
    plain = decode(together)
    if plain == together:
        return texts
    made = plain.split("\n")
    return made if len(made) == len(texts) else [decode(text) for text in texts]


def sizes(texts: list[str]) -> list[int]:
    """Read bytes, in digits alone."""
    together = "".join(texts)
    if not (together.isascii() and together.isdigit()):
        raise Unexpected
    return list(map(int, texts))


def stamps(texts: list[str]) -> list[str]:
    """Read ISO 8601 times; S3 writes them all with a ``Z``."""
    together = "\n".join(texts)
    if together.count("T") != len(texts) or "W" in together:  # no time, or a week's
        raise Unexpected
    # S3 tells the second: what was written together has few of them.
    moments = {text: dt.datetime.fromisoformat(text) for text in set(texts)}
    if together.count("Z") == len(texts):
        return together.replace("Z", "").split("\n")
    return [
        (moment.astimezone(dt.UTC) if moment.tzinfo else moment).replace(tzinfo=None).isoformat()
        for moment in map(moments.__getitem__, texts)
    ]


def repeated(texts: list[str]) -> list[str]:
    """Decode texts of which most are the same, and keep each once."""
    if texts.count(texts[0]) == len(texts):
        return [sys.intern(decoded(texts[:1], encoded=False)[0])] * len(texts)
    return list(map(sys.intern, decoded(texts, encoded=False)))


def owners(texts: dict[str, list[str]], length: int) -> list[S3Owner | None]:
    """Read who the objects belong to; None for each where that is not told.

    Args:
        texts: The texts of all fields.
        length: How many objects there are.
    """
    told = {name: texts[place] for place, name in _OWNER.items() if place in texts}
    if not told:
        return [None] * length
    # A page has few owners: each is made once.
    rows = list(zip(*told.values(), strict=True))
    owners = {row: _owner(told, row) for row in dict.fromkeys(rows)}
    return [owners[row] for row in rows]


def _character(entity: re.Match[str]) -> str:
    name, decimal, hexadecimal = entity.groups()
    if name:
        return _ENTITIES[name]
    code = int(decimal) if decimal else int(hexadecimal or "0", 16)
    # XML 1.0, 2.2. As a pattern these ranges would take 8 ms to be compiled, in each kernel.
    if not (
        code in {0x9, 0xA, 0xD}
        or 0x20 <= code < 0xD800
        or 0xE000 <= code <= 0xFFFD
        or 0x10000 <= code <= sys.maxunicode
    ):
        raise Unexpected
    return chr(code)


def _owner(names: Iterable[str], row: tuple[str, ...]) -> S3Owner:
    values = decoded(list(row), encoded=False)
    return dict(zip(names, values, strict=True))  # type: ignore[return-value]

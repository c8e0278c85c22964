"""Put values in the place of ``$name`` and ``{expression}``, word by word.

A word that is nothing else gives the value itself, a frame or bytes as they
are; within a longer word stands the text of a value that has one: a text, a
number, a date. A name that nobody defined is an error, and so is a frame or None
within a word: half an address is worse than none.
"""

from __future__ import annotations

import datetime as dt
import difflib
import re
from decimal import Decimal
from pathlib import PurePath
from typing import TYPE_CHECKING
from uuid import UUID

from s3magic.errors import BadArgument
from s3magic.notebook.meant import of_value
from s3magic.uri import S3Uri, is_uri

if TYPE_CHECKING:
    from collections.abc import Mapping

    from s3magic.notebook.words import Piece, Word

__all__ = ["expanded", "is_expression", "named", "unexpanded"]

# What reads in an address as it reads in Python; None, a list or a frame does not.
_TEXTS = (str, int, float, Decimal, UUID, dt.date, dt.time, PurePath, S3Uri)
_WHOSE_TEXTS = {("numpy", "generic"), ("pandas._libs.tslibs.period", "_Period")}
_PART = re.compile(r"\.[^\W\d]\w*|\[[^\[\]]*\]")
_NEAR = 0.8  # of `difflib`'s ratio: a letter or two
_LITERALLY = "For the plain characters write $$, {{ and }}, or put the word in single quotes."


def expanded(word: Word, namespace: Mapping[str, object]) -> object:
    """Give a word's value.

    Raises:
        BadArgument: A name is not defined, or an expression fails.
    """
    if len(word) == 1 and word[0].kind != "text":
        return _value(word[0], namespace)
    return "".join(
        piece.text if piece.kind == "text" else _text(word, at, _value(piece, namespace))
        for at, piece in enumerate(word)
    )


def is_expression(piece: Piece) -> bool:
    """Tell whether a piece that is no text can be looked up: ``{k: Key}``, of a query, cannot."""
    if piece.kind == "name":
        return True
    try:
        compile(piece.text.strip(), piece.source, "eval")
    except (SyntaxError, ValueError):
        return piece.source.startswith("$")
    return True


def named(name: str, namespace: Mapping[str, object]) -> object:
    """Give what a variable holds, for a value that is a variable's name.

    Raises:
        BadArgument: There is no such variable.
    """
    if name not in namespace:
        raise BadArgument(f"There is no variable {name!r}.", hint=_instead(name, namespace))
    return namespace[name]


def _instead(name: str, namespace: Mapping[str, object]) -> str:
    """Say what to write where a variable's name is wanted, and this is none."""
    if is_uri(name):
        return "The name of a variable comes first, and the address behind it."
    near = difflib.get_close_matches(name, [*namespace], n=1, cutoff=_NEAR)
    if name.isidentifier() and near:
        return f"Did you mean {near[0]}?"
    return of_value(name, namespace) or "Give a variable's name, or a value in braces: ${…}."


def unexpanded(word: Word) -> str:
    """Give a word as it was written, for a value in which ``$`` and braces are its own."""
    return "".join(piece.source for piece in word)


def _text(word: Word, at: int, value: object) -> str:
    """Give the text of a value that stands within a longer word."""
    if isinstance(value, _TEXTS) or _WHOSE_TEXTS & {
        (kind.__module__, kind.__name__) for kind in type(value).__mro__
    }:
        if value == value:  # noqa: PLR0124 - what is missing (NaN, NaT) does not equal itself
            return str(value)
        what = f"{value}, a missing value"
    else:
        what = "None" if value is None else f"of type {type(value).__name__}"
    piece, behind = word[at], unexpanded(word[at + 1 : at + 2])
    hint = "A text, a number, a date or a path can stand there."
    if piece.kind == "name" and behind[:1] in {".", "["} and value is not None:
        part = _PART.match(behind)
        hint = f"Write ${{{piece.text}{part[0] if part else behind + '…'}}}, in braces."
        if at == 0 and type(value).__name__ == "DataFrame":
            hint = f"For some of its rows or columns write all in braces: ${{{piece.text}[:2]}}."
    raise BadArgument(
        f"{piece.source} is {what}, which has no place within {unexpanded(word)}.", hint=hint
    )


def _value(piece: Piece, namespace: Mapping[str, object]) -> object:
    """Look up a name, or evaluate an expression."""
    source = piece.text.strip()
    if piece.kind == "name" or source.isidentifier():
        if source not in namespace:
            raise BadArgument(
                f"There is no variable {source}, which {piece.source} asks for.", hint=_LITERALLY
            )
        return namespace[source]
    try:
        code = compile(source, piece.source, "eval")
    except (SyntaxError, ValueError) as error:
        raise BadArgument(f"{piece.source} is not a Python expression.", hint=_LITERALLY) from error
    try:
        # One dictionary, since a comprehension in it sees only the globals.
        return eval(code, dict(namespace))  # noqa: S307 - the user's own line in the user's own session
    except Exception as error:
        raise BadArgument(
            f"{piece.source} gives no value: {type(error).__name__}: {error}.", hint=_LITERALLY
        ) from error

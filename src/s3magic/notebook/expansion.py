"""Put values in the place of ``$name`` and ``{expression}``, word by word.

A word that is nothing else gives the value itself, a frame or bytes as they
are; within a longer word the value's text stands. A name that nobody defined
is an error: half an address is worse than none.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from s3magic.errors import BadArgument

if TYPE_CHECKING:
    from collections.abc import Mapping

    from s3magic.notebook.words import Piece, Word

__all__ = ["expanded", "named", "unexpanded"]

_LITERALLY = "For the plain characters write $$, {{ and }}, or put the word in single quotes."


def expanded(word: Word, namespace: Mapping[str, object]) -> object:
    """Give a word's value.

    Raises:
        BadArgument: A name is not defined, or an expression fails.
    """
    if len(word) == 1 and word[0].kind != "text":
        return _value(word[0], namespace)
    return "".join(
        piece.text if piece.kind == "text" else str(_value(piece, namespace)) for piece in word
    )


def named(name: str, namespace: Mapping[str, object]) -> object:
    """Give what a variable holds, for a value that is a variable's name.

    Raises:
        BadArgument: There is no such variable.
    """
    if name not in namespace:
        raise BadArgument(f"There is no variable {name!r}.", hint="Give its name alone.")
    return namespace[name]


def unexpanded(word: Word) -> str:
    """Give a word as it was written, for a value in which ``$`` and braces are its own."""
    return "".join(piece.source for piece in word)


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

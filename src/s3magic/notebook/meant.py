"""Says what a line may have meant, where its error alone cannot know.

A verb is given values, and knows neither the words that they were written as
nor the caller's variables: ``%s3get df ./x`` without the ``$``, a name with
blanks but no quotes, the ``>`` of a shell.
"""

from __future__ import annotations

import os
import re
from types import ModuleType
from typing import TYPE_CHECKING

from s3magic.errors import BadArgument, BadUri, NoSuchBucket, NoSuchFile
from s3magic.notebook.words import split, written
from s3magic.uri import is_uri

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from s3magic.errors import S3Error
    from s3magic.notebook.words import Word

__all__ = ["meant", "of_value"]

_SHELL = frozenset({"|", "||", ">", ">>", "<", "&", "&&", "2>", "2>&1"})
_ROOT = re.compile(r"([^\W\d]\w*)(?:\.([^\W\d]\w*)|\[|\()")


def meant(error: S3Error, magic: str, line: str, namespace: Mapping[str, object]) -> str:
    """Give the advice that is better than the error's own; empty for none.

    Args:
        error: What ended the line.
        magic: The magic's name, with its ``%``.
        line: What stands behind it.
        namespace: The caller's variables.
    """
    try:
        words = [_plain(word) for word in split(line)]
    except BadArgument:  # its own advice is about the quote
        return ""
    shell = next((word for word in words if word in _SHELL), "")
    if shell and isinstance(error, BadArgument | NoSuchFile):
        return f"No shell reads this {shell}: what comes back goes into a variable, x = {magic} …."
    if not isinstance(error, BadUri | NoSuchFile | NoSuchBucket):
        return ""
    named = {*re.findall(r"'([^']*)'", error.message), *re.findall(r"s3://(\S+)/:", error.message)}
    asked = [at for at, word in enumerate(words) if word in named]
    advice = (of_value(words[at], namespace) or _quoted(error, words, at) for at in asked)
    return next(filter(None, advice), "")


def _plain(word: Word) -> str:
    """Give a word's text, with a NUL, which no name has, for each value in it."""
    return "".join(piece.text if piece.kind == "text" else "\0" for piece in word)


def _quoted(error: S3Error, words: Sequence[str], at: int) -> str:
    """Say which words need quotes around them, if this one is half of a name."""
    if isinstance(error, NoSuchFile):
        wholes = (" ".join(words[at:end]) for end in range(at + 2, len(words) + 1))
        there = next((name for name in wholes if "\0" not in name and os.path.lexists(name)), "")
        return f"A name with blanks needs quotes: {written(there)}." if there else ""
    if at and is_uri(words[at - 1]):
        whole = written(f"{words[at - 1]} {words[at]}")
        return f"If it belongs to the name before it, that needs quotes: {whole}."
    return ""


def of_value(word: str, namespace: Mapping[str, object]) -> str:
    """Say how a variable's value is written, if this word may mean one; else nothing."""
    bare = word.removeprefix("$")
    if bare.isidentifier():
        if (
            bare not in namespace
            or isinstance(namespace[bare], ModuleType)
            or callable(namespace[bare])
        ):
            return ""
        return f"To give what the variable {bare} holds, write ${bare}."
    root = _ROOT.match(bare)
    if root is None or root[1] not in namespace:
        return ""
    if root[2] and not hasattr(namespace[root[1]], root[2]):  # data.csv is a file
        return ""
    return f"To give a value, write it in braces: ${{{bare}}}."

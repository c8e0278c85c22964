"""Write a magic's help: what ``-h`` and ``%magic?`` show."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from s3magic.commands.options.description import Option, Verb

__all__ = ["help_text"]

_WIDTH = 88
_QUOTING = (
    "Names with blanks go in quotes. $name and {expression} stand for Python values, "
    "and a word that is nothing else is the value itself. Within 'single quotes' every "
    "character is itself; elsewhere $$, {{ and }} are the plain characters."
)
_RAW = (
    "{flag} has $ and braces of its own, so nothing is looked up inside its value. To put a "
    'Python value there, make the whole in Python, q = f"…", and write {flag} $q.'
)


def help_text(verb: Verb) -> str:
    """Give a verb's help: usage, arguments, options, numbered examples.

    Args:
        verb: The magic's description.

    Returns:
        Plain text, at most 88 characters wide where words allow.
    """
    places = [
        (item.name + ("…" if item.many else ""), item.help)
        for item in verb.positionals
        if item.help
    ]
    options = [(_written(option), _told(option)) for option in verb.options]
    options.append(("-h, --help", "show this and do nothing"))
    column = min(28, max(len(left) for left, _ in places + options) + 4)
    parts = [verb.usage, verb.summary]
    if places:
        parts.append("\n".join(_rows(places, column)))
    parts.append("\n".join(["Options", *_rows(options, column)]))
    paragraphs = [*verb.details.split("\n\n"), _QUOTING]
    paragraphs += [_RAW.format(flag=option.flags[-1]) for option in verb.options if option.raw]
    if verb.twin:
        paragraphs.append(
            f"In a cell, await {verb.twin}(...) takes the same options by the same names"
            f"{_same_names(verb.options)}."
        )
    parts += [textwrap.fill(" ".join(text.split()), _WIDTH) for text in paragraphs if text.strip()]
    if verb.examples:
        parts.append("\n".join(["Examples", *_examples(verb.examples)]))
    return "\n\n".join(parts)


def _written(option: Option) -> str:
    """Give an option as it is typed: ``-n, --limit N``."""
    flags = ", ".join(option.flags)
    kind = option.takes
    if kind is None:
        return flags
    value = "|".join(option.choices) or kind.metavar
    return f"{flags} {value}" if option.bare is None else f"{flags}[={value}]"


def _same_names(options: Iterable[Option]) -> str:
    """Show on the first option with a value how its name is written in a call."""
    for option in options:
        if option.takes is not None and not option.choices:
            value = option.takes.metavar
            return f": {option.flags[-1]} {value} is {option.name}={value}"
    return ""


def _told(option: Option) -> str:
    """Give what an option is for, and what holds without it."""
    told = option.help
    if option.repeatable:
        told += " (may be repeated)"
    if option.default is not None:
        told += f" (default: {option.default})"
    return told


def _rows(pairs: Iterable[tuple[str, str]], column: int) -> Iterable[str]:
    """Lay pairs out in two columns."""
    for left, right in pairs:
        lines = textwrap.wrap(right, _WIDTH - column) or [""]
        start = f"  {left}"
        if len(start) + 2 > column:
            yield start
            start = ""
        yield f"{start:<{column}}{lines[0]}".rstrip()
        yield from (" " * column + line for line in lines[1:])


def _examples(examples: Iterable[tuple[str, str]]) -> Iterable[str]:
    """Number the examples."""
    for number, (line, says) in enumerate(examples, 1):
        yield f"  {number}. {line}"
        if says:
            yield f"     {says}"

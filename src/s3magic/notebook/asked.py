"""Find out what the word under the cursor may become. Pure: asks neither server nor disk."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import PurePath
from typing import TYPE_CHECKING

from s3magic.notebook.arguments import behind, flag_of
from s3magic.notebook.words import unfinished

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from s3magic.commands.options.description import Option, Verb
    from s3magic.notebook.words import Piece, Word

__all__ = ["Asked", "Candidate", "asked", "asked_in_python"]

_SCHEME = "s3://"
_TEXTS = (str, bytes, PurePath, list)
# A string that begins as an address does, and has not ended yet.
_STRING = re.compile(
    r"""(?P<prefix>\b[A-Za-z]{1,2})?(?P<quote>["'])(?P<text>s3[an]?://[^"'\\]*)\Z"""
)


@dataclass(frozen=True, slots=True)
class Candidate:
    """What a word may become.

    Args:
        text: The whole word: an address, a path, an option.
        kind: What it is, as the front end says it.
        literal: Whether each character of it is meant; else it stands as it is.
    """

    text: str
    kind: str
    literal: bool = True


@dataclass(frozen=True, slots=True)
class Asked:
    """What may stand at the cursor.

    Args:
        fragment: What there is of the word, as it was typed.
        text: What that means; the candidates are to begin so.
        quote: The quote that is open.
        ready: The candidates that are known at once.
        address: The beginning of an address, if one may stand here.
        path: The beginning of a local path, if one may.
        python: Whether this is a string of Python, and no magic's line.
    """

    fragment: str
    text: str = ""
    quote: str = ""
    ready: tuple[Candidate, ...] = ()
    address: str | None = None
    path: str | None = None
    python: bool = False


@dataclass(slots=True)
class _Before:
    """What the words before the cursor leave to be said."""

    pending: Option | None = None  # the option that waits for its value
    places: int = 0
    only_places: bool = False  # behind --


def asked(verb: Verb, line: str, namespace: Mapping[str, object]) -> Asked | None:
    """Find out what may stand at the end of a magic's line.

    Args:
        verb: The magic's description.
        line: What stands between the magic's name and the cursor.
        namespace: The notebook's variables.

    Returns:
        What may; None if nothing can.
    """
    under_way = unfinished(line)
    if under_way is None:
        return None
    known = {flag: option for option in verb.options for flag in option.flags}
    before = _before(under_way.words, known)
    word, fragment = under_way.word or (), line[under_way.start :]
    option = before.pending
    if option is None and not before.only_places and fragment.startswith("-") and word:
        name, equals, _ = word[0].text.partition("=")
        if not equals:
            return Asked(fragment, ready=tuple(_options(verb, fragment)))
        option, word, fragment = known.get(name), behind(word, name), fragment[len(name) + 1 :]
        if option is None or option.takes is None:
            return None
    if fragment.startswith("$") and fragment[1:].isidentifier() | (fragment == "$"):
        return Asked(fragment, ready=tuple(_variables(namespace, fragment)))
    text = _meant(word, namespace)
    if text is None:
        return None
    begun = Asked(fragment, text, under_way.quote)
    value = None if option is None else _value(option, begun, namespace)
    return _place(verb, before, begun, namespace) if option is None else value


def asked_in_python(line: str) -> Asked | None:
    """Find out whether a line of Python ends within a string that begins as an address does."""
    found = _STRING.search(line)
    if found is None or line.count(found["quote"] * 3):
        return None
    if "f" in (found["prefix"] or "").lower() and "{" in found["text"]:
        return None
    return Asked(found["text"], found["text"], found["quote"], address=found["text"], python=True)


def _before(words: Iterable[Word], known: Mapping[str, Option]) -> _Before:
    """Read the words that are whole."""
    state = _Before()
    for word in words:
        flag = flag_of(word)
        if state.pending is not None and flag not in known:
            state.pending = None
        elif state.only_places or not flag:
            state.places += 1
        elif flag == "--":
            state.only_places = True
        else:
            last = flag if flag in known or flag.startswith("--") else f"-{flag[-1]}"
            option = known.get(last)
            takes = option is not None and option.alone is None and "=" not in word[0].text
            state.pending = option if takes else None
    return state


def _options(verb: Verb, typed: str) -> Iterator[Candidate]:
    """Give the options that begin so, the long names first."""
    flags = [flag for option in verb.options for flag in option.flags] + ["--help", "-h"]
    for flag in sorted(flags, key=lambda flag: not flag.startswith("--")):
        if flag.startswith(typed):
            yield Candidate(flag, "option", literal=False)


def _variables(
    namespace: Mapping[str, object], typed: str, kinds: tuple[type, ...] = _TEXTS
) -> Iterator[Candidate]:
    """Give the variables that a line can take, frames first."""
    mark = "$" if typed.startswith("$") or not typed else ""
    found = []
    for name, value in list(namespace.items()):
        frame = kinds is _TEXTS and _is_frame(value)
        if name.startswith("_") or not (frame or isinstance(value, kinds)):
            continue
        if name not in {"In", "Out"} and (mark + name).startswith(typed):
            found.append((not frame, mark + name, type(value).__name__))
    for _, name, kind in sorted(found):
        yield Candidate(name, kind, literal=False)


def _value(option: Option, asked: Asked, namespace: Mapping[str, object]) -> Asked | None:
    """Say what may be an option's value."""
    fragment, text, quote = asked.fragment, asked.text, asked.quote
    if option.secret:
        return Asked(fragment, ready=tuple(_variables(namespace, "$", (str,))))
    if option.variable:
        return _named(fragment, namespace)
    if option.choices:
        fitting = (one for one in option.choices if one.startswith(text))
        return Asked(fragment, text, quote, tuple(Candidate(one, "choice") for one in fitting))
    if option.takes is not None and "FILE" in option.takes.metavar:
        return Asked(fragment, text, quote, path=text)
    return None


def _named(fragment: str, namespace: Mapping[str, object]) -> Asked:
    """Give the variables whose plain names may stand there."""
    names = _variables(namespace, fragment or "\0")
    if not fragment:
        names = (
            Candidate(one.text[1:], one.kind, literal=False) for one in _variables(namespace, "")
        )
    return Asked(fragment, ready=tuple(names))


def _place(
    verb: Verb, before: _Before, asked: Asked, namespace: Mapping[str, object]
) -> Asked | None:
    """Say what may be a positional, by what may stand at its place."""
    fragment, text, quote = asked.fragment, asked.text, asked.quote
    wheres = set(_wheres(verb, before.places))
    if not wheres:
        options = () if fragment or before.only_places else _options(verb, "")
        return Asked(fragment, ready=tuple(options))
    if "variable" in wheres:
        return _named(fragment, namespace)
    ready = tuple(_variables(namespace, "")) if not fragment else ()
    s3, local = bool(wheres & {"s3", "both"}), bool(wheres & {"local", "both"})
    address = None
    if s3 and (
        text.lower().startswith(("s3://", "s3a://", "s3n://")) or _SCHEME.startswith(text.lower())
    ):
        address = text if "://" in text else _SCHEME
    elif s3 and not local:
        address = _SCHEME + text
    path = text if local and not (address and "://" in text) else None
    return Asked(fragment, text, quote, ready, address, path)


def _wheres(verb: Verb, places: int) -> Iterator[str]:
    """Give what the positionals name that may stand behind so many others."""
    many = next((at for at, item in enumerate(verb.positionals) if item.many), None)
    for at, item in enumerate(verb.positionals):
        if (at == places and (many is None or at <= many)) or (
            many is not None
            and at >= many
            and (
                at == many <= places
                or places > many
                or (places == many and not verb.positionals[many].required)
            )
        ):
            yield item.where


def _meant(word: Iterable[Piece], namespace: Mapping[str, object]) -> str | None:
    """Give what a word means so far; None if only running it could tell."""
    parts = []
    for piece in word:
        if piece.kind == "text":
            parts.append(piece.text)
        elif piece.kind == "name" and isinstance(namespace.get(piece.text), str | int):
            parts.append(str(namespace[piece.text]))
        else:
            return None
    return "".join(parts)


def _is_frame(value: object) -> bool:
    kind = type(value)
    return kind.__module__.partition(".")[0] == "pandas" and kind.__name__ in {
        "DataFrame",
        "Series",
    }

"""Write candidates so that the line, once completed, is read as what was found. Pure."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

from s3magic.notebook.asked import Asked, Candidate
from s3magic.notebook.words import written

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["fitted"]


def fitted(
    asked: Asked, candidates: Iterable[Candidate], after: str
) -> tuple[str, list[Candidate]]:
    """Write candidates so that they fit in where the cursor is.

    Args:
        asked: What was asked for.
        candidates: What was found.
        after: What stands behind the cursor.

    Returns:
        How much of the line's end they take the place of, and what is put there.
    """
    found = [one for one in candidates if not one.literal or one.text.isprintable()]
    fragment, text, quote = asked.fragment, asked.text, asked.quote
    if asked.python:
        found = [one for one in found if not set(one.text) & {"\\", quote, "{", "}", "$"}]
        return _tails(text, found) or (fragment, found)
    closed = bool(quote) and after.startswith(quote)
    if fragment != quote + text:  # a variable, an escape, or a quote that is closed again
        if not fragment.startswith(("'", '"')) and "$" in fragment:
            return fragment, [_continued(asked, one, closed=closed) for one in found]
        return fragment, [_written(one, "", closed=False) for one in found]
    # What stands before the last slash is left out: a list of names reads better.
    tails = _tails(text, found)
    if tails and not quote:
        return tails[0], [_written(one, "", closed=False) for one in tails[1]]
    if tails and all(_fits(one, quote) for one in found):
        end = "" if closed else quote
        return tails[0], [Candidate(one.text + end, one.kind) for one in tails[1]]
    return fragment, [_written(one, quote, closed=closed) for one in found]


def _tails(typed: str, found: list[Candidate]) -> tuple[str, list[Candidate]] | None:
    """Cut off what stands before the last ``/`` that was typed, if all begin with it."""
    cut = typed.rfind("/") + 1
    if not cut or not all(one.literal and one.text.startswith(typed[:cut]) for one in found):
        return None
    return typed[cut:], [Candidate(one.text[cut:], one.kind) for one in found]


def _fits(one: Candidate, quote: str) -> bool:
    """Tell whether each character of a candidate is itself within a quote."""
    return not set(one.text) & (set("'") if quote == "'" else set('"\\$`{}'))


def _written(one: Candidate, quote: str, *, closed: bool) -> Candidate:
    """Write a candidate as a word, in the quote that is open, which may be closed already."""
    if not one.literal:
        return one
    if not quote:
        return Candidate(written(one.text), one.kind)
    if _fits(one, quote):
        return Candidate(quote + one.text + ("" if closed else quote), one.kind)
    whole = shlex.quote(one.text)
    return Candidate(quote * 2 + whole + quote if closed else whole, one.kind)


def _continued(asked: Asked, one: Candidate, *, closed: bool) -> Candidate:
    """Write what is to come behind a word with a variable in it."""
    more = one.text[len(asked.text) :]
    if not one.literal or not one.text.startswith(asked.text):
        return one
    if not asked.quote:
        more = written(more) if more else ""
    else:
        more = asked.quote + shlex.quote(more) + (asked.quote if closed else "")
    return Candidate(asked.fragment + more, one.kind)

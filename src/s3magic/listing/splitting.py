"""Choose where to cut a listing, so that its parts can be asked for side by side. Pure.

Keys that are listed one after another are read as numbers: the columns in which
they differ are digits, of an alphabet that the keys show. So many numbers went
by in so many pages, and a cut a few pages further on is a number again. That
meets counters, dates, hashes and numbered folders alike. A bad cut costs a
request and never a key, since a lane ends where it meets the next, wherever
that may be.
"""

from __future__ import annotations

import string
from bisect import bisect_left
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["Ruler", "before", "shared"]

_DIGITS = 6  # columns in which keys differ; the others behind them are too fine to matter
_ALPHABETS = (string.digits, string.digits + "abcdef", string.digits + "ABCDEF")
_NAMES_OF_FOLDERS = {"", ".", ".."}  # servers fold them, and then start somewhere else


class Ruler:
    """Measures distances between keys in pages.

    Args:
        keys: Some keys, in the server's order, the first and the last of a stretch.
        pages: How many pages the stretch is.
        prefix: What all keys of the listing begin with.
    """

    def __init__(self, keys: Sequence[str], pages: float, prefix: str = "") -> None:
        self._prefix = prefix
        first, last = keys[0], keys[-1]
        begin = next((at for at, (a, b) in enumerate(zip(first, last, strict=False)) if a != b), 0)
        columns: list[set[str]] = []
        differing: set[str] = set()
        left = _DIGITS
        for characters in zip(*[key[begin:] for key in keys], strict=False):
            columns.append(column := set(characters))
            if len(column) > 1:
                differing |= column
                left -= 1
                if not left:
                    break
        alphabet = _alphabet(differing - {"/"})
        self._digits = [
            alphabet if len(column) > 1 else "".join(column) for column in columns if alphabet
        ]
        # A counter's leading digits are the same in all keys so far, and will change.
        while begin > len(prefix) and first[begin - 1] in alphabet:
            begin -= 1
            self._digits.insert(0, alphabet)
        self._lead = first[:begin]
        self._step = (self._number(last) - self._number(first)) / pages

    def ahead(self, key: str, pages: float) -> str | None:
        """Give a cut so many pages behind a key; None where there can be none."""
        if self._step <= 0:
            return None
        return self._key(self._number(key) + round(self._step * pages))

    def pages(self, key: str, other: str) -> float:
        """Tell how many pages lie between two keys, about."""
        return (self._number(other) - self._number(key)) / self._step if self._step > 0 else 0.0

    def _number(self, key: str) -> int:
        above = key > self._lead and not key.startswith(self._lead)
        number = 0
        for at, alphabet in enumerate(self._digits, len(self._lead)):
            digit = bisect_left(alphabet, key[at : at + 1])
            number = number * len(alphabet) + min(digit, len(alphabet) - 1)
            if above:
                number = number // len(alphabet) * len(alphabet) + len(alphabet) - 1
        return number

    def _key(self, number: int) -> str | None:
        written = ""
        for alphabet in reversed(self._digits):
            number, digit = divmod(number, len(alphabet))
            written = alphabet[digit] + written
        key = self._lead + written
        if number or len(key) <= len(self._prefix):
            return None  # behind the last key that is written like these
        names = key[len(self._prefix) :].split("/")[:-1]
        return None if _NAMES_OF_FOLDERS.intersection(names) else key


def before(key: str, other: str) -> bool:
    """Tell whether a key comes before another in either order that servers list in.

    S3 lists by code points; SeaweedFS folder by folder, as if ``/`` were the
    lowest of them.
    """
    return key < other and key.replace("/", "\0") < other.replace("/", "\0")


def shared(first: str, last: str) -> str:
    """Give what two keys begin with, and so do all between them."""
    at = next(
        (at for at, pair in enumerate(zip(first, last, strict=False)) if len({*pair}) > 1), None
    )
    return first if at is None else first[:at]


def _alphabet(characters: set[str]) -> str:
    """Give the alphabet of some characters: all digits, for some of them."""
    for alphabet in _ALPHABETS:
        if characters and characters.issubset(alphabet):
            return alphabet
    return "".join(sorted(characters))

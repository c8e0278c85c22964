"""The kinds of value that an option can have.

A value comes as text from the line, or as any object from ``$name``; both are
taken if they can be meant.
"""

from __future__ import annotations

import ast
import datetime as dt
import operator
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, SupportsFloat, SupportsIndex

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = [
    "DURATION",
    "INTEGER",
    "NAMES",
    "NUMBER",
    "OBJECT",
    "PAIR",
    "SETTING",
    "SIZE",
    "TEXT",
    "Kind",
]

_SIZE = re.compile(r"(\d+(?:\.\d*)?|\.\d+)\s*([kmgt]?)(i?)b?", re.IGNORECASE)
_DURATION = re.compile(
    r"(?:(\d+)\s*d(?:ays?)?)?\s*(?:(\d+)\s*h(?:ours?)?)?\s*"
    r"(?:(\d+)\s*m(?:in(?:utes?)?)?)?\s*(?:(\d+)\s*(?:s(?:ec(?:onds?)?)?)?)?",
    re.IGNORECASE,
)
_POWERS = {"": 0, "k": 1, "m": 2, "g": 3, "t": 4}


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of value.

    Args:
        metavar: What help calls such a value.
        convert: Gives the value; raises ValueError or TypeError for what cannot be one.
        wanted: How an error calls it: ``a whole number``.
    """

    metavar: str
    convert: Callable[[object], object]
    wanted: str


def _integer(value: object) -> int:
    if isinstance(value, str):
        return int(value)
    if isinstance(value, SupportsIndex) and not isinstance(value, bool):
        return operator.index(value)
    raise TypeError


def _number(value: object) -> float:
    if isinstance(value, str | SupportsFloat) and not isinstance(value, bool):
        return float(value)
    raise TypeError


def _text(value: object) -> str:
    if isinstance(value, os.PathLike):
        return str(os.fspath(value))
    if isinstance(value, bytes | bytearray | Mapping | list | tuple | set) or value is None:
        raise TypeError
    return str(value)


def _size(value: object) -> int:
    """Read ``8MiB`` and ``8m`` in powers of 1,024, ``8MB`` in powers of 1,000."""
    if not isinstance(value, str):
        return _integer(value)
    match = _SIZE.fullmatch(value.strip())
    if match is None:
        raise ValueError
    number, prefix, binary = match.groups()
    decimal = prefix and not binary and value.strip()[-1] in "bB"
    size = float(number) * (1000 if decimal else 1024) ** _POWERS[prefix.lower()]
    if size != int(size):
        raise ValueError
    return int(size)


def _duration(value: object) -> int:
    """Read ``90s``, ``15m``, ``1h30m`` and ``7d`` as seconds; a bare number is seconds."""
    if isinstance(value, dt.timedelta):
        return int(value.total_seconds())
    if not isinstance(value, str):
        return _integer(value)
    match = _DURATION.fullmatch(value.strip())
    if match is None or not any(match.groups()):
        raise ValueError
    days, hours, minutes, seconds = (int(number or 0) for number in match.groups())
    return ((days * 24 + hours) * 60 + minutes) * 60 + seconds


def _pair(value: object) -> dict[str, str]:
    if isinstance(value, Mapping):
        return {str(key): str(item) for key, item in value.items()}
    name, equals, text = str(value).partition("=")
    if not name or not equals:
        raise ValueError
    return {name: text}


def _names(value: object) -> list[str]:
    if isinstance(value, str):
        names = [name.strip() for name in value.split(",")]
        if not all(names):
            raise ValueError
        return names
    if isinstance(value, list | tuple) and all(isinstance(name, str) for name in value):
        return [str(name) for name in value]
    raise TypeError


def _setting(value: object) -> dict[str, object]:
    """Read ``skiprows=2`` and ``sep=;``: a value that Python can read is what it says."""
    if isinstance(value, Mapping):
        return {str(key): item for key, item in value.items()}
    ((name, text),) = _pair(value).items()
    try:
        return {name: ast.literal_eval(text)}
    except (ValueError, SyntaxError):
        return {name: text}


INTEGER = Kind("N", _integer, "a whole number")
NUMBER = Kind("NUMBER", _number, "a number")
TEXT = Kind("TEXT", _text, "text")
SIZE = Kind("SIZE", _size, "a size in bytes, such as 8MiB, 64k or 5000000")
DURATION = Kind("TIME", _duration, "a length of time, such as 90s, 15m, 1h30m or 7d")
PAIR = Kind("NAME=VALUE", _pair, "of the form name=value")
NAMES = Kind("A,B,…", _names, "names with commas between them, or a $list of them")
SETTING = Kind("NAME=VALUE", _setting, "of the form name=value")
OBJECT = Kind("VALUE", lambda value: value, "anything")

"""What a doctor finds: one line a check, in a frame that shows every word of it."""

from __future__ import annotations

import functools
import textwrap
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from s3magic.wording import markup, printable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pandas import DataFrame

__all__ = ["Finding", "Status", "diagnosis"]

Status = Literal["ok", "warn", "fail", "skipped"]

_WIDTH = 100  # characters of a line of text
_COLUMNS = ("Check", "Status", "Found", "Advice")
_COLOURS = {"ok": "#2a7d46", "warn": "#b26a00", "fail": "#c0392b", "skipped": "#888888"}


@dataclass(frozen=True, slots=True)
class Finding:
    """What one check found.

    Args:
        check: What was looked at.
        status: ``ok``; ``warn``, for what works and could be better; ``fail``;
            ``skipped``, for what could not be looked at.
        found: What there is: one phrase.
        advice: What to do: one sentence, or nothing.
    """

    check: str
    status: Status
    found: str
    advice: str = ""


def diagnosis(findings: Sequence[Finding]) -> DataFrame:
    """Make the frame of some findings; blocks while pandas is imported.

    Returns:
        ``Check``, ``Status``, ``Found`` and ``Advice``, all string. It is shown
        whole, whatever pandas is told of widths; what is made of it is a plain frame.
    """
    import pandas as pd

    rows = [
        (one.check, one.status, printable(one.found), printable(one.advice)) for one in findings
    ]
    columns = {
        name: pd.array([row[at] for row in rows], dtype="string")
        for at, name in enumerate(_COLUMNS)
    }
    made: DataFrame = _class()(columns)
    return made


@functools.cache
def _class() -> type[Any]:
    """Make the frame's class, once pandas is there."""
    import pandas as pd

    class Diagnosis(pd.DataFrame):
        """A frame that shows all of its text."""

        @property
        def _constructor(self) -> Any:
            return pd.DataFrame

        def __repr__(self) -> str:
            return "\n".join(_lines(self))

        def _repr_pretty_(self, printer: Any, cycle: bool) -> None:  # noqa: ARG002, FBT001 - IPython's protocol
            for number, line in enumerate(_lines(self)):
                if number:
                    printer.break_()
                printer.text(line)

        def _repr_html_(self) -> str:
            return _html(self)

    return Diagnosis


def _rows(frame: DataFrame) -> list[tuple[str, ...]]:
    columns = [[str(text) for text in frame[name].tolist()] for name in _COLUMNS]
    return list(zip(*columns, strict=True))


def _lines(frame: DataFrame) -> list[str]:
    """Lay the rows out as text, what to do below what was found."""
    rows = _rows(frame)
    width = max((len(row[0]) for row in rows), default=0)
    margin = " " * (width + 11)
    lines: list[str] = []
    for check, status, found, advice in rows:
        start = f"{status:<7}  {check:<{width}}  "
        wrapped = textwrap.wrap(found, _WIDTH - len(margin)) or [""]
        lines.append(start + wrapped[0])
        lines += [margin + line for line in wrapped[1:]]
        told = textwrap.wrap(advice, _WIDTH - len(margin) - 2)
        lines += [margin + ("→ " if not at else "  ") + line for at, line in enumerate(told)]
    return lines


def _html(frame: DataFrame) -> str:
    left = ' style="text-align: left"'
    head = "".join(f"<th{left}>{name}</th>" for name in _COLUMNS)
    body = "".join(
        f"<tr><td{left}>{markup(check)}</td>"
        f'<td style="text-align: left; color: {_COLOURS.get(status, "inherit")}">'
        f"<b>{markup(status)}</b></td>"
        f"<td{left}>{markup(found)}</td><td{left}>{markup(advice)}</td></tr>"
        for check, status, found, advice in _rows(frame)
    )
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"

"""What was tried for the targets that are hard to reach: read from attempts.md."""

from __future__ import annotations

import re
from pathlib import Path

__all__ = ["attempts"]

_PAGE = Path(__file__).with_name("attempts.md")
_HEADING = re.compile(r"^## (\S+) (\S+)$", re.MULTILINE)


def attempts(page: str | None = None) -> dict[tuple[str, str], str]:
    """Give what was tried, by a target's task and measure.

    Args:
        page: The page's text; None for the one beside this file. Its headings
            are ``## task measure``, as in `benchmarks.targets`.
    """
    text = _PAGE.read_text("utf-8") if page is None else page
    parts = _HEADING.split(text)[1:]
    triples = zip(parts[::3], parts[1::3], parts[2::3], strict=True)
    return {(task, measure): said.strip() for task, measure, said in triples}

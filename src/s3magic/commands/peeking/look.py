"""What a look into an object's bytes gives, whatever its format."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from s3magic.settings import KiB

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    import pandas as pd

__all__ = ["BUDGET", "FIRST", "Look", "listing", "types_of"]

BUDGET = 768 * KiB
"""Bytes that a look may move at most."""

FIRST = 32 * KiB
"""Bytes of the first request: of the beginning, or of the end where a format's index is there."""


@dataclass(frozen=True, slots=True)
class Look:
    """What was found.

    Args:
        format: What it is: ``parquet``.
        schema: ``Column``, ``Type`` and, where the format says it, ``Bytes``;
            None of what has no columns.
        head: The first rows, or lines, or entries; None of what has none.
        rows: How many rows there are, where the format says it.
        facts: What else there is to say: ``width``, ``shape``, ``separator``.
        note: Why there is no more to see; one sentence.
    """

    format: str
    schema: pd.DataFrame | None = None
    head: pd.DataFrame | None = None
    rows: int | None = None
    facts: Mapping[str, Any] = field(default_factory=dict)
    note: str = ""


def listing(columns: Iterable[tuple[str, str]]) -> pd.DataFrame:
    """Make a schema's frame of names and types."""
    import pandas as pd

    pairs = list(columns)
    return pd.DataFrame(
        {
            "Column": pd.array([name for name, _ in pairs], dtype="string"),
            "Type": pd.array([kind for _, kind in pairs], dtype="string"),
        }
    )


def types_of(frame: pd.DataFrame) -> pd.DataFrame:
    """Give a frame's own schema, as far as its values tell it."""
    return listing((str(name), str(kind)) for name, kind in frame.dtypes.items())

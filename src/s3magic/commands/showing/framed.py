"""A result that is shown as more than its frame: a tree, a picture. It is a source as its frame."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Framed"]


class Framed:
    """What a verb returns where a frame alone would not show it.

    Two are equal if their frames are.

    Args:
        frame: The figures, for whatever comes next.
    """

    def __init__(self, frame: pd.DataFrame) -> None:
        self.frame = frame

    @property
    def source(self) -> pd.DataFrame:
        """The rows that a verb takes for it."""
        return self.frame

    def __eq__(self, other: object) -> bool:
        return type(other) is type(self) and self.frame.equals(other.frame)

    __hash__ = None  # type: ignore[assignment]  # as a frame's

    def __len__(self) -> int:
        return len(self.frame)

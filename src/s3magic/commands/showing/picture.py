"""The picture of a count: what ``du --plot`` gives, shown by the notebook, with its frame."""

from __future__ import annotations

import importlib.util
from typing import TYPE_CHECKING

from s3magic.commands.showing.framed import Framed
from s3magic.errors import BadArgument
from s3magic.uri import shared_folder
from s3magic.wording import count, filesize, printable

if TYPE_CHECKING:
    import os

    import pandas as pd
    from matplotlib.figure import Figure

    from s3magic.commands.showing.drawing import Item

__all__ = ["SHAPES", "Picture", "picture_of", "refuse_without_library"]

SHAPES = ("treemap", "bars")
_FIGURES = ("Objects", "Size", "OldVersions", "OldSize", "DeleteMarkers")


class Picture(Framed):
    """A count as a picture.

    The notebook shows it as the value of a cell; it was drawn beside the loop.

    Args:
        frame: What `du` counted.
        shape: ``treemap`` or ``bars``.
        png: It, drawn.
        size: How wide and high it is shown, in pixels.
    """

    def __init__(self, frame: pd.DataFrame, shape: str, png: bytes, size: tuple[int, int]) -> None:
        super().__init__(frame)
        self.shape = shape
        self._png = png
        self._size = size

    def __repr__(self) -> str:
        told = f"{self.shape.capitalize()} of {_place(self.frame)}: {_amount(self.frame)}."
        return f"{printable(told)} Its figures are in .frame; .save('name.png') keeps it."

    def _repr_png_(self) -> tuple[bytes, dict[str, int]]:
        width, height = self._size
        return self._png, {"width": width, "height": height}

    def figure(self) -> Figure:
        """Draw it anew on white, as a figure of matplotlib that you may change."""
        from s3magic.commands.showing.drawing import drawn

        return drawn(self.shape, _place(self.frame), _amount(self.frame), _items(self.frame))

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write it to a file of any kind that matplotlib knows: PNG, SVG, PDF."""
        self.figure().savefig(path, dpi=200)


def refuse_without_library() -> None:
    """Say so if nothing can be drawn here.

    Raises:
        BadArgument: matplotlib is missing.
    """
    if importlib.util.find_spec("matplotlib") is None:
        raise BadArgument(
            "A picture is drawn with matplotlib, which is not installed here.",
            hint="%pip install matplotlib, then run it again.",
        )


def picture_of(frame: pd.DataFrame, shape: str) -> Picture:
    """Draw a count; blocks for some tenths of a second."""
    from s3magic.commands.showing.drawing import SCREEN, drawn, png_of

    figure = drawn(shape, _place(frame), _amount(frame), _items(frame), SCREEN)
    return Picture(frame, shape, *png_of(figure))


def _place(frame: pd.DataFrame) -> str:
    """Name what was counted."""
    buckets = frame["Bucket"].astype(str).unique().tolist()
    if len(buckets) != 1:
        return count(len(buckets), "bucket")
    return f"s3://{buckets[0]}/{_base(frame)}"


def _base(frame: pd.DataFrame) -> str:
    """Give the folder that all rows share."""
    keys = frame["Key"].tolist()
    if len(keys) == 1:
        return str(keys[0])
    return shared_folder(keys)


def _amount(frame: pd.DataFrame) -> str:
    told = f"{count(int(frame['Objects'].sum()), 'object')}, {filesize(int(frame['Size'].sum()))}"
    if "OldSize" in frame.columns:
        told += f", and {filesize(int(frame['OldSize'].sum()))} of old versions"
    return told


def _items(frame: pd.DataFrame) -> list[Item]:
    """Give what is drawn: each row, its group, and how large it is."""
    from s3magic.commands.showing.drawing import Item

    by = [name for name in frame.columns if name not in {"Key", "Type", "Bucket", *_FIGURES}]
    several = len(frame["Bucket"].unique()) > 1
    base = "" if several else _base(frame)
    found = []
    for row in frame.to_dict("records"):
        path = row["Key"][len(base) :]
        if several:
            path = f"{row['Bucket']}/{row['Key']}"
        if row["Type"] == "level":
            path += "*"  # what lies right in it
        labels = [str(row[name]) or "none" for name in by]
        if path or not by:
            labels.insert(0, path or base or str(row["Bucket"]))
        size = int(row["Size"]) + int(row.get("OldSize", 0))
        found.append(Item(" · ".join(labels), path.partition("/")[0], size, int(row["Objects"])))
    return found

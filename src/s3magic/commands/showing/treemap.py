"""Lays out a treemap: rectangles whose areas are in proportion, as square as they can be. Pure.

The rule is that of Bruls, Huizing and van Wijk, "Squarified Treemaps" (2000).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["Box", "squarified"]


class Box(NamedTuple):
    """A rectangle: its left upper corner, and how wide and high it is."""

    x: float
    y: float
    width: float
    height: float

    def inner(self, edge: float, top: float = 0.0) -> Box:
        """Give what is left of it within an edge, and below a heading."""
        return Box(
            self.x + edge,
            self.y + edge + top,
            max(0.0, self.width - 2 * edge),
            max(0.0, self.height - 2 * edge - top),
        )


def squarified(sizes: Sequence[float], box: Box) -> list[Box]:
    """Divide a rectangle in the proportion of some sizes.

    Args:
        sizes: The largest first; none of them negative.
        box: What to divide.

    Returns:
        A rectangle for each size, in the same order; empty ones for zeros.
    """
    left = sum(sizes)
    if left <= 0 or box.width <= 0 or box.height <= 0:
        return [Box(box.x, box.y, 0.0, 0.0) for _ in sizes]
    placed: list[Box] = []
    at = 0
    while at < len(sizes):
        # Of what is left, not of the whole: what was rounded away is shared by the rest.
        scale = box.width * box.height / left if left else 0.0
        short = min(box.width, box.height)
        row = [sizes[at] * scale]
        while at + len(row) < len(sizes):
            longer = [*row, sizes[at + len(row)] * scale]
            if _worst(longer, short) > _worst(row, short):
                break
            row = longer
        left -= sum(sizes[at : at + len(row)])
        at += len(row)
        boxes, box = _row(row, box)
        placed += boxes
    return placed


def _worst(row: Sequence[float], side: float) -> float:
    """Give the proportions of the least square rectangle of a row along a side."""
    total, least = sum(row), min(row)
    if least <= 0 or side <= 0:
        return float("inf") if total > 0 else 0.0
    return max(side**2 * max(row) / total**2, total**2 / (side**2 * least))


def _row(row: Sequence[float], box: Box) -> tuple[list[Box], Box]:
    """Lay a row along the shorter side; gives its rectangles, and what is left."""
    total = sum(row)
    placed: list[Box] = []
    if box.width >= box.height:
        width = total / box.height if box.height else 0.0
        y = box.y
        for area in row:
            height = box.height * area / total if total else 0.0
            placed.append(Box(box.x, y, width, height))
            y += height
        return placed, Box(box.x + width, box.y, max(0.0, box.width - width), box.height)
    height = total / box.width if box.width else 0.0
    x = box.x
    for area in row:
        width = box.width * area / total if total else 0.0
        placed.append(Box(x, box.y, width, height))
        x += width
    return placed, Box(box.x, box.y + height, box.width, max(0.0, box.height - height))

"""The layout of a treemap: pure."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from s3magic.commands.showing.treemap import Box, squarified

WHOLE = Box(10, 20, 600, 400)


@given(st.lists(st.integers(1, 10**12), min_size=1, max_size=40))
def test_areas_are_in_proportion_and_fill_the_whole(sizes):
    """Whatever the sizes are."""
    sizes.sort(reverse=True)

    boxes = squarified(sizes, WHOLE)

    area = WHOLE.width * WHOLE.height
    for size, box in zip(sizes, boxes, strict=True):
        assert box.width * box.height == pytest.approx(area * size / sum(sizes), rel=1e-6, abs=1e-3)
        assert box.x >= WHOLE.x - 1e-6
        assert box.y >= WHOLE.y - 1e-6
        assert box.x + box.width <= WHOLE.x + WHOLE.width + 1e-6
        assert box.y + box.height <= WHOLE.y + WHOLE.height + 1e-6


def test_no_two_boxes_overlap():
    """Each has a place of its own."""
    boxes = squarified([6, 6, 4, 3, 2, 2, 1], WHOLE)

    for number, one in enumerate(boxes):
        for other in boxes[number + 1 :]:
            apart = (
                one.x + one.width <= other.x + 1e-9
                or other.x + other.width <= one.x + 1e-9
                or one.y + one.height <= other.y + 1e-9
                or other.y + other.height <= one.y + 1e-9
            )
            assert apart


def test_boxes_are_nearly_square():
    """As the paper's example is: no sliver where it can be helped."""
    boxes = squarified([6, 6, 4, 3, 2, 2, 1], Box(0, 0, 6, 4))

    assert max(max(b.width / b.height, b.height / b.width) for b in boxes) < 3.1


def test_nothing_needs_no_room():
    """Zeros get none, and no room gives none."""
    assert squarified([0, 0], WHOLE) == [Box(10, 20, 0, 0)] * 2
    assert squarified([5], Box(0, 0, 0, 10)) == [Box(0, 0, 0, 0)]
    assert squarified([], WHOLE) == []
    assert [box.width * box.height for box in squarified([4, 0], Box(0, 0, 2, 2))] == [4, 0]

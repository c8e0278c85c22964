"""The ranges of an object that are in memory."""

from __future__ import annotations

import pytest

from s3magic.transfer.held import Held, Stretch


@pytest.fixture
def held():
    """Two ranges that touch, and one far away, of bytes that count from 0 in each."""
    found = Held()
    for start, stop in ((20, 30), (10, 20), (200_000, 200_010)):
        stretch = Stretch(start, stop)
        stretch.write([bytes(range(4)), bytes(range(4, stop - start))], start)
        found.add(stretch)
    return found


def test_what_is_held_is_given_and_nothing_else(held):
    """Across two ranges too."""
    assert bytes(held.view(15, 25)) == bytes([5, 6, 7, 8, 9, 0, 1, 2, 3, 4])
    assert held.view(5, 12) is None
    assert held.view(29, 31) is None
    assert held.missing(12, 40) == 30
    assert held.has(10, 30)


def test_what_is_lacking_is_found_to_the_byte(held):
    """Gaps that are near each other are one, unless something between them is here."""
    lacking = held.lacking([(100, 300_000), (0, 40)], 250_000)

    assert lacking == [(0, 10), (30, 200_000), (200_010, 250_000)]
    assert held.lacking([(12, 18)], 250_000) == []


def test_what_is_forgotten_is_gone(held):
    """Up to a place; what lies behind it stays."""
    held.forget(200_000)

    assert held.view(15, 25) is None
    assert held.has(200_000, 200_010)

"""The collector of garbage, and the rows of a large transfer."""

from __future__ import annotations

import gc

import pytest

from s3magic.transfer import sparing
from s3magic.transfer.sparing import grown, let_go
from s3magic.transfer.sparing import sparing as spared


@pytest.fixture(autouse=True)
def _thawed():
    """Leave nothing frozen behind."""
    assert gc.get_freeze_count() == 0
    yield
    gc.unfreeze()


def test_many_rows_are_out_of_the_collectors_sight_until_the_end():
    """They are there again when the last verb that may hold some is over."""
    with spared():
        with spared():
            grown(sparing._STEP)

            assert gc.get_freeze_count() > 0

        assert gc.get_freeze_count() > 0
    assert gc.get_freeze_count() == 0


def test_few_rows_change_nothing():
    """A small transfer leaves the collector alone."""
    with spared():
        for number in range(1, sparing._STEP):
            grown(number)

        assert gc.get_freeze_count() == 0


def test_nobody_freezes_without_an_end():
    """Where no verb says when its rows are used up, they stay in sight."""
    grown(sparing._STEP)

    assert gc.get_freeze_count() == 0


def test_what_somebody_else_froze_stays_so():
    """A program that froze its objects, to fork for example, finds them frozen."""
    gc.freeze()
    before = gc.get_freeze_count()

    with spared():
        grown(sparing._STEP)

    assert gc.get_freeze_count() == pytest.approx(before, rel=0.5)
    assert gc.get_freeze_count() > 0


def test_what_is_let_go_is_empty():
    """Lists and sets, one by one."""
    rows, names = [1, 2, 3], {"a", "b"}

    let_go(rows)
    let_go(names)

    assert (rows, names) == ([], set())

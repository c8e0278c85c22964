"""Counting by folder: pure."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from s3magic.listing.page import Page
from s3magic.listing.totals import Totals, rolled_up

KEYS = {"top": 1, "a/x": 2, "a/y": 4, "a/deep/z": 8, "b/1/2/3": 16}


def page(keys, sizes=None, **columns):
    nothing = [None] * len(keys)
    return Page(
        list(keys), list(sizes or [1] * len(keys)), nothing, nothing, nothing, [], **columns
    )


def counted(keys, **options):
    totals = Totals("bucket", **options)
    totals.add(page(keys, keys.values()))
    return {
        (group.folder.key, group.folder.whole, *group.labels): (sums.objects, sums.size)
        for group, sums in totals.sums.items()
    }


@pytest.mark.parametrize(
    ("depth", "expected"),
    [
        (0, {("", True): (5, 31)}),
        (1, {("", False): (1, 1), ("a/", True): (3, 14), ("b/", True): (1, 16)}),
        (
            2,
            {
                ("", False): (1, 1),
                ("a/", False): (2, 6),
                ("a/deep/", True): (1, 8),
                ("b/1/", True): (1, 16),
            },
        ),
    ],
)
def test_each_object_counts_once_for_its_folder(depth, expected):
    """What lies deeper counts for the folder at the depth, what lies higher for its own."""
    assert counted(KEYS, depth=depth) == expected


def test_a_prefix_may_end_within_a_name():
    """Folders are told apart below its last slash; loose objects count for the prefix itself."""
    keys = {"2024.csv": 1, "2024/a": 2, "2024-old/b": 4}

    assert counted(keys, prefix="2024", depth=1) == {
        ("2024", False): (1, 1),
        ("2024/", True): (1, 2),
        ("2024-old/", True): (1, 4),
    }


def test_labels_tell_apart_within_a_folder():
    """A row for each folder and label."""
    keys = {"a/1.csv": 1, "a/2.csv": 2, "a/3.txt": 4}

    assert counted(keys, depth=1, by=("Extension",)) == {
        ("a/", True, ".csv"): (2, 3),
        ("a/", True, ".txt"): (1, 4),
    }


def test_old_versions_and_markers_are_counted_apart():
    """The latest versions are the objects."""
    totals = Totals("bucket", depth=0)

    totals.add(page("aab", [5, 7, 0], latest=[True, False, True], deleted=[False, False, True]))

    (sums,) = totals.sums.values()
    assert (sums.objects, sums.size, sums.old, sums.old_size, sums.markers) == (1, 5, 1, 7, 1)


def test_a_row_may_stand_for_many():
    """As those of a count do."""
    totals = Totals("bucket", depth=0)

    totals.add(page("ab", [10, 20]), [3, 4])

    (sums,) = totals.sums.values()
    assert (sums.objects, sums.size) == (7, 30)


@given(
    st.dictionaries(st.text("ab/", min_size=1, max_size=7), st.integers(0, 9), min_size=1),
    st.integers(0, 4),
    st.integers(1, 3),
)
def test_nothing_is_lost_or_counted_twice(keys, depth, pieces):
    """Whatever slashes there are, and however the pages come."""
    totals = Totals("bucket", depth=depth)
    names = sorted(keys)

    for begin in range(pieces):
        part = names[begin::pieces]
        totals.add(page(part, [keys[name] for name in part]))

    sums = totals.sums.values()
    assert sum(one.objects for one in sums) == len(keys)
    assert sum(one.size for one in sums) == sum(keys.values())
    for folder, one in rolled_up(totals).items():
        if folder.count("/") <= depth:
            below = [size for name, size in keys.items() if name.startswith(folder)]
            assert (one.objects, one.size) == (len(below), sum(below))


def test_rolled_up_folders_come_before_those_in_them():
    """With all below each, as a tree is drawn; ``a b/`` is no part of ``a/``."""
    totals = Totals("bucket", depth=3)
    totals.add(page(["a b/x", "a/deep/y", "a/z", "top"]))

    found = {key: sums.objects for key, sums in rolled_up(totals).items()}

    assert list(found.items()) == [("", 4), ("a/", 2), ("a/deep/", 1), ("a b/", 1)]

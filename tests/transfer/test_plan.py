"""Plans: parts that fit together, and targets that do not clash."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from s3magic.errors import BadArgument
from s3magic.transfer.plan import Targets, cut, upload_part_size

MiB = 1024**2
TiB = 1024**4


@given(st.integers(0, 5000), st.integers(1, 700))
def test_parts_lie_end_to_end_and_cover_the_whole(size, part_size):
    """None is empty, none but the last is smaller, and nothing is missing or twice."""
    parts = cut(size, part_size)

    assert [part.index for part in parts] == list(range(len(parts)))
    assert [part.start for part in parts] == [0, *(part.stop for part in parts)][: len(parts)]
    assert sum(part.size for part in parts) == size
    assert {part.size for part in parts[:-1]} <= {part_size}
    assert all(0 < part.size <= part_size for part in parts)


@given(st.integers(0, 5 * TiB), st.integers(5 * MiB, 5 * 1024 * MiB))
def test_a_part_size_is_as_wanted_or_large_enough_for_ten_thousand_parts(size, wanted):
    """S3's three limits hold for every size up to its largest."""
    part_size = upload_part_size(size, wanted)

    assert wanted <= part_size <= 5 * 1024 * MiB
    assert -(-size // part_size) <= 10_000
    assert part_size == wanted or -(-size // wanted) > 10_000


def test_the_largest_object_fits_with_the_default_part_size():
    """5 TiB, in 10,000 parts or fewer."""
    part_size = upload_part_size(5 * TiB, 8 * MiB)

    assert part_size == 525 * MiB
    assert len(cut(5 * TiB, part_size)) == 9987


@pytest.mark.parametrize(
    ("size", "wanted"),
    [(5 * TiB + 1, 8 * MiB), (1, 5 * MiB - 1), (1, 5 * 1024 * MiB + 1), (0, 1)],
)
def test_what_s3_does_not_take_is_refused(size, wanted):
    """Before anything is sent."""
    with pytest.raises(BadArgument):
        upload_part_size(size, wanted)


@pytest.mark.parametrize(
    ("before", "after", "reason"),
    [
        ("a", "a", "the same file"),
        ("a", "a/b", "a file where a folder is needed"),
        ("a/b", "a", "need a folder of that name"),
        ("a", "a/b/c/d", "a file where a folder is needed"),
        ("a", "a/", "a file where a folder is needed"),
        ("a/", "a", "need a folder of that name"),
    ],
)
def test_targets_that_cannot_both_be_made_clash(before, after, reason):
    """The second one is told why."""
    targets = Targets(fold_case=False)

    first = targets.clash(Path(before), "s3://b/1", folder=before.endswith("/"))
    second = targets.clash(Path(after), "s3://b/2", folder=after.endswith("/"))

    assert first == ""
    assert reason in second


@pytest.mark.parametrize(
    ("one", "other"), [("a", "b"), ("a/b", "a/c"), ("a/", "a/"), ("a/", "a/b")]
)
def test_targets_beside_each_other_do_not_clash(one, other):
    """Nor does a folder with itself."""
    targets = Targets(fold_case=False)

    assert targets.clash(Path(one), "1", folder=one.endswith("/")) == ""
    assert targets.clash(Path(other), "2", folder=other.endswith("/")) == ""


def test_names_that_differ_in_case_alone_clash_where_the_file_system_folds_them():
    """`A` and `a` are one file there, and two elsewhere."""
    folding, exact = Targets(fold_case=True), Targets(fold_case=False)

    assert folding.clash(Path("A"), "1") == exact.clash(Path("A"), "1") == ""
    assert "the same file" in folding.clash(Path("a"), "2")
    assert exact.clash(Path("a"), "2") == ""

"""The verbs that look and change nothing, in a real kernel: magics beside their twins."""

from __future__ import annotations

import pytest
from kernels import Kernel, good

pytestmark = pytest.mark.kernel


@pytest.fixture(scope="module")
def kernel(seaweed, tmp_path_factory):
    """A kernel with the magics, for all tests here."""
    folder = tmp_path_factory.mktemp("kernel")
    with Kernel("s3magic", folder=folder, env=seaweed.environment) as kernel:
        good(kernel.run("import s3magic as s3; from pandas.testing import assert_frame_equal"))
        yield kernel


@pytest.fixture
def bucket(s3):
    """A bucket with two folders."""
    for number in range(3):
        s3.put(f"p/{number}.csv", "x" * number)
        s3.put(f"q/{number}.csv", "y" * number)
    return s3


def test_du_and_its_twin_give_equal_values(kernel, bucket):
    """With repeated options, and of a variable."""
    good(kernel.run(f"df = %s3ls -r {bucket.uri()}"))

    good(kernel.run(f"one = %s3du {bucket.uri()} --by Extension --by StorageClass --depth 1"))
    good(
        kernel.run(
            f"two = await s3.du('{bucket.uri()}', by=['Extension', 'StorageClass'], depth=1)"
        )
    )
    same = good(kernel.run("assert_frame_equal(one, two); one.Size.tolist()"))
    frame = good(kernel.run("three = %s3du $df\nassert_frame_equal(three, await df.s3.du())\n3"))

    assert same.python == [3, 3]
    assert frame.python == 3


def test_a_plot_is_shown_as_the_value_of_its_cell(kernel, bucket):
    """With no import of the reader's, and equal to its twin's."""
    shown = good(kernel.run(f"%s3du {bucket.uri()} --plot"))
    good(kernel.run(f"one = %s3du {bucket.uri()} --plot=bars"))
    same = good(kernel.run(f"one == await s3.du('{bucket.uri()}', plot='bars'), one.shape"))

    assert shown.value.startswith("Treemap of s3://")
    assert same.python == (True, "bars")


def test_tree_and_its_twin_give_equal_values(kernel, bucket):
    """And the value is shown as text."""
    shown = good(kernel.run(f"%s3tree {bucket.uri()} --depth 1"))
    same = good(kernel.run(f"one = %s3tree {bucket.uri()}\none == await s3.tree('{bucket.uri()}')"))

    assert "├── p/" in shown.value
    assert same.value == "True"


def test_stat_and_its_twin_give_equal_values(kernel, bucket):
    """Of one object and of several."""
    good(kernel.run(f"one = %s3stat {bucket.uri('p/1.csv')}"))
    good(kernel.run(f"two = await s3.stat('{bucket.uri('p/1.csv')}')"))
    good(kernel.run(f"many = %s3stat {bucket.uri('p/')} -r"))
    same = good(
        kernel.run(
            "assert_frame_equal(one, two)\n"
            f"assert_frame_equal(many, await s3.stat('{bucket.uri('p/')}', recursive=True))\n"
            "len(many)"
        )
    )

    assert same.python == 3


def test_diff_and_its_twin_give_equal_values(kernel, bucket):
    """Of a variable and an address."""
    good(kernel.run(f"before = %s3ls -r {bucket.uri('p/')}"))
    bucket.put("p/new.csv", "new")

    good(kernel.run(f"one = %s3diff $before {bucket.uri('p/')} --size-only"))
    good(kernel.run(f"two = await s3.diff(before, '{bucket.uri('p/')}', size_only=True)"))
    same = good(kernel.run("assert_frame_equal(one, two); one.Key.tolist()"))

    assert same.python == ["p/new.csv"]

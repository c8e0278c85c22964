"""Where a listing is cut: plain functions over keys."""

from __future__ import annotations

import hashlib
from bisect import bisect_right

import pytest
from hypothesis import given
from hypothesis import strategies as st

from s3magic.listing.splitting import Ruler, before

KEYS = {
    "counter": [f"part-{number:08}.csv" for number in range(50_000)],
    "hashed": sorted(hashlib.sha256(b"%d" % number).hexdigest() for number in range(50_000)),
    "folders": [f"data/day={n // 500:03}/part-{n % 500:05}.parquet" for n in range(50_000)],
    "sparse": sorted(f"u/{hashlib.md5(b'%d' % n).hexdigest()}/x.json" for n in range(50_000)),
    "deep": sorted(
        "/".join(hashlib.md5(b"%d" % number).hexdigest()[:8]) + "/x" for number in range(50_000)
    ),
}


def sample(keys, pages):
    return [*keys[: pages * 1000 : 50], keys[pages * 1000 - 1]]


@pytest.mark.parametrize("kind", KEYS)
def test_a_cut_is_about_as_far_as_was_asked_for(kind):
    """After ten pages of a kind of keys, eight pages further on is four to sixteen."""
    keys = KEYS[kind]
    seen = sample(keys, 10)

    cut = Ruler(seen, 10).ahead(seen[-1], 8)

    assert 14 <= bisect_right(keys, cut) / 1000 <= 26


@pytest.mark.parametrize("kind", KEYS)
def test_a_distance_is_told_in_pages(kind):
    """Between two keys lie about as many pages as there are."""
    keys = KEYS[kind]

    told = Ruler(sample(keys, 10), 10).pages(keys[9_999], keys[29_999])

    assert 10 <= told <= 40


def test_behind_the_last_key_of_a_kind_there_is_no_cut():
    """Hashes have a last one; far behind it there is nothing to ask for."""
    keys = KEYS["hashed"]
    seen = sample(keys, 40)

    assert Ruler(seen, 40).ahead(seen[-1], 20) is None


@pytest.mark.parametrize("keys", [["a", "a"], ["a"], ["a/1", "a/1"], ["a", "ab"]])
def test_keys_that_do_not_differ_give_no_cut(keys):
    """Nothing is known of what comes behind them."""
    assert Ruler(keys, 1).ahead(keys[-1], 5) is None


@given(
    keys=st.lists(st.text("ab01/. é", min_size=1, max_size=8), min_size=2, max_size=9, unique=True),
    pages=st.integers(1, 100),
)
def test_a_cut_stays_below_the_prefix_and_in_folders_with_names(keys, pages):
    """No server is asked to begin before the prefix, or in a folder that it folds."""
    keys = sorted(f"p/{key}" for key in keys)

    cut = Ruler(keys, 1, "p/").ahead(keys[-1], pages)

    if cut is not None:
        assert cut.startswith("p/")
        assert cut > "p/"
        assert {"", ".", ".."}.isdisjoint(cut.split("/")[1:-1])


def test_before_is_before_in_both_orders():
    """`a b` comes before `a/b` on S3, and behind it on SeaweedFS."""
    assert before("a/a", "a/b")
    assert not before("a b", "a/b")
    assert not before("a/b", "a b")
    assert not before("a", "a")

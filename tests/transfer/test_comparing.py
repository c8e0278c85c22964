"""What differs, and why: pure, with no server."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from s3magic.errors import BadArgument
from s3magic.transfer.comparing import Comparison, Entry, Way, differs

SECOND = 1_000_000
NOON = 1_700_000_000 * SECOND
UP, DOWN, COPY = Way.UPLOAD, Way.DOWNLOAD, Way.COPY


def entry(size=1, moment=NOON, etag=None, **more):
    return Entry("name", size, moment, etag, **more)


@pytest.mark.parametrize("way", Way)
@pytest.mark.parametrize("option", [{}, {"size_only": True}, {"checksum": True}])
def test_another_size_is_always_different(way, option):
    """Whatever the times, and whatever is asked for."""
    assert differs(way, entry(1), entry(2), **option) == ("size", True)


@pytest.mark.parametrize(
    ("way", "source", "target", "found"),
    [
        (UP, NOON, NOON + 5 * SECOND, ("", True)),
        (UP, NOON + 5 * SECOND, NOON, ("newer", True)),
        (UP, NOON, NOON, ("", True)),
        (UP, NOON + 7, NOON, ("newer", False)),
        (UP, NOON + 7, NOON + 3, ("newer", True)),
        (UP, NOON, None, ("newer", False)),
        (COPY, NOON, NOON + 5 * SECOND, ("", True)),
        (COPY, NOON + 5 * SECOND, NOON, ("newer", True)),
        (COPY, NOON, NOON, ("", True)),
        (DOWN, NOON, NOON, ("", True)),
        (DOWN, NOON + SECOND, NOON, ("newer", False)),
        (DOWN, NOON, NOON + 1, ("older", False)),
        (DOWN, None, NOON, ("newer", False)),
    ],
)
def test_of_the_same_size_the_times_decide(way, source, target, found):
    """For a download only the same time is the same; S3's own time has whole seconds."""
    assert differs(way, entry(1, source), entry(1, target)) == found


def test_objects_written_within_one_second_are_told_apart_by_their_etags():
    """The later one may be either."""
    assert differs(COPY, entry(etag="a"), entry(etag="a")) == ("", True)
    assert differs(COPY, entry(etag="a"), entry(etag="b")) == ("newer", True)


def test_size_only_looks_at_nothing_else():
    """Neither times nor ETags."""
    assert differs(UP, entry(1, NOON + SECOND), entry(1, NOON), size_only=True) == ("", True)


def test_checksum_asks_the_content_whatever_the_times():
    """Only objects whose ETags are one are known to be the same."""
    old, new = entry(1, NOON), entry(1, NOON + SECOND, "a")

    assert differs(UP, old, new, checksum=True) == ("checksum", False)
    assert differs(DOWN, new, old, checksum=True) == ("checksum", False)
    assert differs(COPY, new, entry(1, NOON, "a"), checksum=True) == ("", True)
    assert differs(COPY, new, entry(1, NOON, "b"), checksum=True) == ("checksum", False)


def test_what_is_refused_is_told_each_time():
    """Though a target of the same size may be there."""
    assert differs(UP, entry(1, refused=BadArgument("no")), entry(1)) == ("new", True)


names = st.text("ab/ \u00e9\U0001f30d", min_size=1, max_size=4)
sides = st.dictionaries(names, st.integers(0, 2))


@given(sides, sides, st.randoms(use_true_random=False))
def test_any_order_and_any_portions_find_the_same(source, target, dice):
    """New, changed and extra are those of the two sets, in whatever order they came."""
    comparison = Comparison(COPY)
    feeds = [
        (take, Entry(name, size, NOON, "a"))
        for take, side in (
            (comparison.take_sources, source),
            (comparison.take_targets, target),
        )
        for name, size in side.items()
    ]
    dice.shuffle(feeds)

    for take, one in feeds:
        take([one])

    both = source.keys() & target.keys()
    changed = {name for name in both if source[name] != target[name]}
    assert {pair.source.name for pair in comparison.new()} == source.keys() - target.keys()
    assert {pair.source.name for pair in comparison.changed} == changed
    assert {one.name for one in comparison.extra()} == target.keys() - source.keys()
    assert comparison.same == len(both - changed)
    assert comparison.sources == len(source)


def test_what_stays_is_never_extra():
    """A link, for example."""
    comparison = Comparison(DOWN)

    comparison.take_targets([entry(stays=True)])

    assert comparison.extra() == []

"""Labels of objects: pure."""

from __future__ import annotations

import datetime as dt

import pytest

from s3magic.errors import BadArgument
from s3magic.listing.labels import BY, ORDERED, labels_of, named
from s3magic.listing.page import Page

NOW = dt.datetime(2026, 3, 1, 12, tzinfo=dt.UTC)


def page(keys=("k",), sizes=None, stamps=None, classes=None, owners=None):
    nothing = [None] * len(keys)
    return Page(
        list(keys), sizes or [0] * len(keys), stamps or nothing, nothing, classes or nothing, [],
        owners=owners,
    )  # fmt: skip


def test_an_extension_is_the_end_of_the_name_in_small_letters():
    """A folder's dot is none, and a hidden file has none."""
    keys = ["a/b.CSV", "v1.0/plain", ".hidden", "x.tar.gz", "ends.", "folder/"]

    labels = labels_of("Extension", NOW)(page(keys))

    assert labels == [".csv", "", "", ".gz", "", ""]


def test_ages_count_back_from_now():
    """The border belongs to the older side of none: an hour is under a day, a day is not."""
    stamps = [
        "2026-03-01T11:00:00", "2026-02-28T11:00:00", "2026-02-20T12:00:00",
        "2025-01-01T00:00:00", "2001-01-01T00:00:00", None, "2026-03-05T00:00:00",
    ]  # fmt: skip

    labels = labels_of("Age", NOW)(page("abcdefg", stamps=stamps))

    assert labels == [
        "under a day", "under a week", "under 30 days", "under 3 years", "3 years and more",
        "unknown", "under a day",
    ]  # fmt: skip
    assert set(labels) <= set(ORDERED["Age"])


def test_years_and_months_are_those_of_utc():
    """As the listing tells them."""
    stamps = ["2024-02-29T23:59:59", None]

    assert labels_of("Year", NOW)(page("ab", stamps=stamps)) == ["2024", "unknown"]
    assert labels_of("Month", NOW)(page("ab", stamps=stamps)) == ["2024-02", "unknown"]


def test_sizes_fall_into_ranges():
    """Each range begins where the one before ends."""
    sizes = [0, 1, 1023, 1024, 131_072, 50 * 1024**3]

    labels = labels_of("SizeRange", NOW)(page("abcdef", sizes=sizes))

    assert labels == [
        "empty", "under 1 KiB", "under 1 KiB", "under 128 KiB", "under 1 MiB", "10 GiB and more",
    ]  # fmt: skip
    assert set(labels) <= set(ORDERED["SizeRange"])


def test_classes_and_owners_are_as_the_server_says():
    """A server that says no class means the usual one; S3 names owners by an ID alone."""
    rows = page("ab", classes=[None, "GLACIER"], owners=[{"ID": "77"}, {"DisplayName": "ann"}])

    assert labels_of("StorageClass", NOW)(rows) == ["STANDARD", "GLACIER"]
    assert labels_of("Owner", NOW)(rows) == ["77", "ann"]
    assert labels_of("Owner", NOW)(page("ab")) == ["unknown", "unknown"]


@pytest.mark.parametrize(
    ("written", "meant"),
    [("storageclass", "StorageClass"), ("extension", "Extension"), ("size-range", "SizeRange")],
)
def test_a_name_may_be_written_in_any_way(written, meant):
    """Capitals and dashes do not matter."""
    assert named(written) == meant


@pytest.mark.parametrize("wrong", ["extention", 5, ""])
def test_a_wrong_name_is_told_with_what_there_is(wrong):
    """And with the nearest, where one is near."""
    with pytest.raises(BadArgument, match=BY[-1]):
        named(wrong)

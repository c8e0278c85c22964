"""What a glob pattern means of a listing."""

from __future__ import annotations

import pytest

from s3magic.errors import BadUri
from s3magic.listing.matching import Matching
from s3magic.listing.page import Page

TREE = [
    "readme.md",
    "top/",
    "top/x.csv",
    "year=2023/s=1/a.csv",
    "year=2023/s=2/b.csv",
    "year=2024/s=1/deep/c.csv",
    "year=2024/notes.csv",
]


def page(keys, prefixes=()):
    columns = {name: [None] * len(keys) for name in ("stamps", "etags", "classes")}
    return Page(keys=list(keys), sizes=[1] * len(keys), prefixes=list(prefixes), **columns)


def listed(pattern, *, recursive=False):
    """List TREE as S3 would for the pattern, and match it."""
    matching = Matching(pattern, recursive=recursive)
    below = [key for key in TREE if key.startswith(matching.prefix)]
    keys, prefixes = below, []
    if matching.delimiter:
        ends = {key: key.find("/", len(matching.prefix)) for key in below}
        keys = [key for key in below if ends[key] < 0]
        prefixes = sorted({key[: end + 1] for key, end in ends.items() if end >= 0})
    kept = matching.of(page(keys, prefixes))
    return sorted(kept.keys), sorted(kept.prefixes)


@pytest.mark.parametrize(
    ("pattern", "objects", "folders"),
    [
        ("*", ["readme.md"], ["top/", "year=2023/", "year=2024/"]),
        ("year=*/", [], ["year=2023/", "year=2024/"]),
        ("year=*", [], ["year=2023/", "year=2024/"]),
        ("year=202[4]/*", ["year=2024/notes.csv"], ["year=2024/s=1/"]),
        (
            "year=*/*",
            ["year=2024/notes.csv"],
            ["year=2023/s=1/", "year=2023/s=2/", "year=2024/s=1/"],
        ),
        ("year=*/s=1/", [], ["year=2023/s=1/", "year=2024/s=1/"]),
        ("*/x.csv", ["top/x.csv"], []),
        ("**/*.csv", [key for key in TREE if key.endswith(".csv")], []),
        ("readme.md", ["readme.md"], []),
        ("top", [], ["top/"]),
    ],
)
def test_one_level_shows_objects_and_folders(pattern, objects, folders):
    """A pattern finds the objects and the folders of its level, with or without a slash."""
    assert listed(pattern) == (sorted(objects), sorted(folders))


@pytest.mark.parametrize(
    ("pattern", "objects"),
    [
        ("year=*/", [key for key in TREE if key.startswith("year=")]),
        ("year=*/s=1", ["year=2023/s=1/a.csv", "year=2024/s=1/deep/c.csv"]),
        ("*.md", ["readme.md"]),
    ],
)
def test_recursive_shows_what_lies_below_a_match(pattern, objects):
    """With recursive, a folder that matches is shown by all that is in it."""
    assert listed(pattern, recursive=True) == (sorted(objects), [])


@pytest.mark.parametrize(
    ("pattern", "prefix", "delimiter"),
    [
        ("logs/2024-*.gz", "logs/2024-", "/"),
        ("year=*/", "year=", "/"),
        ("year=*/x", "year=", ""),
        ("a/**", "a/", ""),
        ("plain/key", "plain/key", "/"),
    ],
)
def test_a_pattern_lists_no_deeper_than_it_must(pattern, prefix, delimiter):
    """What comes before the first wildcard is the prefix; one level asks for one level."""
    matching = Matching(pattern)

    assert (matching.prefix, matching.delimiter) == (prefix, delimiter)


def test_a_folder_on_two_pages_is_shown_once():
    """Folders seen in the keys of a flat listing are not told again on the next page."""
    matching = Matching("*/*")

    first = matching.of(page(["a/b/1", "a/b/2"]))
    second = matching.of(page(["a/b/3", "a/c/1"]))

    assert (first.prefixes, second.prefixes) == (["a/b/"], ["a/c/"])


def test_a_pattern_that_is_none_is_refused():
    """A range that runs backwards is an error of the address."""
    with pytest.raises(BadUri):
        Matching("a[z-a]")

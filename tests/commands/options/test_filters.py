"""The choice by --exclude and --include: the patterns, and the verbs that take them."""

from __future__ import annotations

import shlex

import pytest

from s3magic.commands.get import get
from s3magic.commands.options.description import Verb
from s3magic.commands.options.filters import FILTERS, Filters, excluding
from s3magic.commands.put import put
from s3magic.errors import BadArgument
from s3magic.notebook.arguments import parse

NAMES = ["a.csv", "b.txt", "tmp/c.csv", "tmp/deep/d.txt", "tmp.csv"]
LINE = Verb(name="line", summary="Takes filters.", options=FILTERS)


def chosen(line):
    """What a line's options choose."""
    filters = Filters.of(**parse(LINE, line, {}).kwargs)
    return [name for name in NAMES if filters.wants(name)]


@pytest.mark.parametrize(
    ("line", "names"),
    [
        ("", NAMES),
        ("--include *.csv", NAMES),
        ("--exclude *", []),
        ("--exclude *.csv", ["b.txt", "tmp/deep/d.txt"]),
        ("--exclude * --include *.csv", ["a.csv", "tmp/c.csv", "tmp.csv"]),
        ("--include *.csv --exclude *", []),
        ("--exclude * --include *.csv --exclude tmp/*", ["a.csv", "tmp.csv"]),
        ("--exclude tmp/* --include tmp/deep/*", ["a.csv", "b.txt", "tmp/deep/d.txt", "tmp.csv"]),
        ("--exclude [ab].*", ["tmp/c.csv", "tmp/deep/d.txt", "tmp.csv"]),
        ("--exclude [!ab]*", ["a.csv", "b.txt"]),
        ("--exclude ?.csv", ["b.txt", "tmp/c.csv", "tmp/deep/d.txt", "tmp.csv"]),
        ("--exclude tmp", NAMES),
        ("--exclude A.csv", NAMES),
        ("--exclude tmp?*/d.txt", ["a.csv", "b.txt", "tmp/c.csv", "tmp.csv"]),
    ],
)
def test_the_last_pattern_of_a_line_that_matches_a_name_decides(line, names):
    """In the order of the line; * crosses folders, and a pattern means the whole name."""
    assert chosen(line) == names


def test_from_python_what_is_excluded_comes_first():
    """Keywords have no order; one pattern is a text, several are a list."""
    one = Filters.of(include="*.csv", exclude="*")
    several = Filters.of(exclude=["*.txt", "tmp/*"], include=("tmp/c.csv",))

    assert [name for name in NAMES if one.wants(name)] == ["a.csv", "tmp/c.csv", "tmp.csv"]
    assert [name for name in NAMES if several.wants(name)] == ["a.csv", "tmp/c.csv", "tmp.csv"]
    assert not Filters.of()


@pytest.mark.parametrize("name", ["a[1].csv", "line\nbreak.csv", "é 🌍.csv"])
def test_a_name_of_any_characters_is_matched_as_a_whole(name):
    """A line break in it is a character like any other."""
    assert not Filters.of(exclude="*.csv").wants(name)


@pytest.mark.parametrize(
    ("pattern", "said"),
    [
        ("/abs/*", "begins below the folder"),
        ("./a", "begins below the folder"),
        ("s3://b/a/*", "begins below the folder"),
        ("tmp/", r"Write tmp/\* for all that is in it"),
        ("", "no pattern"),
        (42, "no pattern"),
        ([b"*"], "no pattern"),
    ],
)
def test_a_pattern_that_can_match_nothing_is_refused(pattern, said):
    """Else it would be taken in silence, and leave nothing out."""
    with pytest.raises(BadArgument, match=said):
        Filters.of(exclude=pattern)


# the verbs


@pytest.fixture
def files(tmp_path):
    """A folder with the names."""
    for name in NAMES:
        path = tmp_path / "files" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"1")
    return tmp_path / "files"


async def test_put_sends_and_get_brings_only_what_is_wanted(s3, server, connected, files, tmp_path):
    """By the names below the folder that each was given."""
    sent = await put(files, s3.uri("x"), recursive=True, exclude="tmp/*", include="*/d.txt")
    await put(files, s3.uri("y/"), recursive=True)
    brought = await get(s3.uri("y/"), tmp_path / "out", recursive=True, exclude=["*.csv", "b*"])

    assert s3.keys("x") == ["x/a.csv", "x/b.txt", "x/tmp.csv", "x/tmp/deep/d.txt"]
    assert sorted(sent.Status) == ["done"] * 4
    assert brought.Source.tolist() == [s3.uri("y/tmp/deep/d.txt")]


async def test_a_glob_and_several_sources_are_chosen_among_too(s3, connected, files):
    """By the name that each would have below the target."""
    await put(f"{files}/**/*", s3.uri("glob/"), glob=True, exclude="*.csv")
    await put([files / "a.csv", files / "b.txt"], s3.uri("two/"), exclude="a.*")
    nothing = await put(files / "a.csv", s3.uri("one"), exclude="*.csv")

    assert s3.keys() == ["glob/b.txt", "glob/tmp/deep/d.txt", "two/b.txt"]
    assert nothing.empty


async def test_bytes_are_of_one_object_and_not_chosen_among(connected):
    """A choice among one cannot be meant."""
    with pytest.raises(BadArgument, match="Only one object"):
        await get("s3://bucket/key", None, exclude="*")


@pytest.mark.parametrize(
    "name", ["a//b", "..", "../a", "/a", "./a", "a/../b", "a [1]*?.csv", "it's", "a/", "s3://b/k"]
)
def test_a_name_alone_can_be_excluded(name):
    """Whatever it holds; the pattern stands on a line as it is told."""
    (pattern,) = shlex.split(excluding(name))

    left = Filters.of(exclude=pattern)

    assert not left.wants(name)
    assert left.wants(f"{name}x")
    assert left.wants(f"x{name}")

"""Addresses, globs and local names: pure functions."""

import os
from pathlib import PurePosixPath

import pytest
from hypothesis import given
from hypothesis import strategies as st

from s3magic.errors import BadUri, UnsafeKey
from s3magic.uri import S3Uri, glob_base, glob_pattern, is_uri, local_path


@pytest.mark.parametrize(
    ("text", "bucket", "key"),
    [
        ("s3://b1/k", "b1", "k"),
        ("s3://b1", "b1", ""),
        ("s3://b1/", "b1", ""),
        ("S3://b1/k", "b1", "k"),
        ("s3a://b1/k", "b1", "k"),
        ("s3n://b1/k", "b1", "k"),
        ("s3://b1//k", "b1", "/k"),
        ("s3://b1/a/../b//c/", "b1", "a/../b//c/"),
        ("s3://b1/100%25 + ?x=1#y", "b1", "100%25 + ?x=1#y"),
        ("s3://Old_Bucket.name/k", "Old_Bucket.name", "k"),
        (
            "s3://arn:aws:s3:eu-west-1:123456789012:accesspoint/data/a/b",
            "arn:aws:s3:eu-west-1:123456789012:accesspoint/data",
            "a/b",
        ),
    ],
)
def test_every_character_of_an_address_is_itself(text, bucket, key):
    """No decoding, no folding: the key is what stands behind the bucket."""
    assert S3Uri.parse(text) == S3Uri(bucket, key)


@pytest.mark.parametrize(
    "text", ["", "b/k", "http://b/k", "s3:/b/k", "s3://", "s3:///k", "s3://-b/k"]
)
def test_what_is_no_address_is_refused_in_one_sentence(text):
    """The sentence shows what was given, and how to write one."""
    with pytest.raises(BadUri, match="is no S3 address") as refused:
        S3Uri.parse(text)

    assert "s3://bucket/key" in refused.value.hint


def test_a_key_of_1024_bytes_is_the_longest():
    """Bytes count, not characters."""
    assert S3Uri.parse("s3://b1/" + "é" * 512).key == "é" * 512

    with pytest.raises(BadUri, match="1,024 bytes"):
        S3Uri.parse("s3://b1/" + "é" * 512 + "x")


def test_the_scheme_may_be_left_out_where_nothing_else_can_be_meant():
    """`%s3ls bucket/prefix`."""
    assert S3Uri.parse("b1/k", scheme_optional=True) == S3Uri("b1", "k")


@pytest.mark.parametrize(
    ("pattern", "matches", "misses"),
    [
        ("a/*.csv", ["a/x.csv", "a/.csv"], ["a/b/x.csv", "a/x.csvx", "b/x.csv"]),
        ("a/**/x", ["a/x", "a/b/x", "a/b/c/x"], ["ax", "a/bx"]),
        ("a/**", ["a/", "a/b", "a/b/c"], ["a", "b/a/"]),
        ("?.txt", ["a.txt", "é.txt"], ["/.txt", "ab.txt", ".txt"]),
        ("[ab].txt", ["a.txt", "b.txt"], ["c.txt"]),
        ("[!ab].txt", ["c.txt"], ["a.txt", "/.txt"]),
        ("[a-c]", ["b"], ["d", "-"]),
        ("a[", ["a["], ["a"]),
        ("[]]", ["]"], ["x"]),
        ("a+b(1).{x}", ["a+b(1).{x}"], ["aab1.x"]),
        ("line\nbreak*", ["line\nbreak\nmore"], ["line break"]),
    ],
)
def test_glob(pattern, matches, misses):
    """A star stays within a level, two do not, and all else is literal."""
    compiled = glob_pattern(pattern)

    assert [key for key in matches if not compiled.match(key)] == []
    assert [key for key in misses if compiled.match(key)] == []


def test_a_backward_range_in_a_glob_is_refused():
    """It is the user's pattern that is wrong, and the error says so."""
    with pytest.raises(BadUri, match="no glob pattern"):
        glob_pattern("[z-a]")


@given(st.text(max_size=40))
def test_glob_base_is_a_prefix_of_all_that_a_pattern_matches(pattern):
    """Listing below it finds everything."""
    base = glob_base(pattern)

    assert pattern.startswith(base)
    assert not set(base) & set("*?[")


@pytest.mark.parametrize(
    ("key", "reason"),
    [
        ("/a", "begins with '/'"),
        ("a/", "ends in '/'"),
        ("", "ends in '/'"),
        ("a//b", "holds '//'"),
        ("../a", "'.' or '..'"),
        ("a/../b", "'.' or '..'"),
        ("a/./b", "'.' or '..'"),
        ("..", "'.' or '..'"),
        ("a\0b", "NUL"),
        ("x" * 256, "longer than 255 bytes"),
        ("a/" + "é" * 128, "longer than 255 bytes"),
    ],
)
def test_a_key_without_a_safe_name_is_refused(key, reason):
    """One sentence says why; nothing is guessed."""
    with pytest.raises(UnsafeKey, match="no safe local name") as refused:
        local_path(key, windows=False)

    assert reason in refused.value.message


@pytest.mark.parametrize("key", ["C:/x", "a\\b", "aux.csv", "dir/COM1", "a.", "a ", "a:b", "a?b"])
def test_what_windows_reads_as_something_else_is_refused_there_alone(key):
    """On Linux these are names like any other."""
    with pytest.raises(UnsafeKey):
        local_path(key, windows=True)

    assert local_path(key, windows=False) == key


@given(st.text(max_size=30))
def test_a_local_path_never_leaves_its_folder(key):
    """Whatever the key, the path is relative and leads down, or it is refused."""
    try:
        path = PurePosixPath(local_path(key, windows=False))
    except UnsafeKey:
        return

    assert not path.is_absolute()
    assert ".." not in path.parts
    assert os.path.normpath(path) == str(path)
    assert str(PurePosixPath(key)) == key


def test_join_puts_one_slash_between():
    """A prefix with and without its slash means the same folder."""
    assert S3Uri("b1", "a").join("x") == S3Uri("b1", "a/").join("x") == S3Uri("b1", "a/x")
    assert S3Uri("b1").join("x") == S3Uri("b1", "x")


def test_is_uri_tells_addresses_from_paths():
    """Only the scheme decides; a bucket's name alone could be a file."""
    assert is_uri("s3://b")
    assert not is_uri("./s3")
    assert not is_uri(7)


@pytest.mark.parametrize("path", ["./here", "../here", "/tmp/here", "~/here", ".", "C:\\here"])
@pytest.mark.parametrize("optional", [True, False])
def test_a_path_of_this_machine_is_told_as_one(path, optional):
    """And what does look at such."""
    with pytest.raises(BadUri, match="%s3sync --dry-run compares it"):
        S3Uri.parse(path, scheme_optional=optional)

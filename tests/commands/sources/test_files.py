"""What a put means by its sources. Pure, but for the files themselves."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from s3magic.commands.sources.files import content_type, uploads
from s3magic.errors import BadArgument, NoSuchFile
from s3magic.uri import S3Uri


def keys(sources, key="", *, recursive=False, glob=False):
    jobs = uploads(sources, S3Uri("bucket", key), {}, recursive=recursive, glob=glob)
    return {job.uri.key: job.refused for job in jobs}


@pytest.fixture
def here(tmp_path, monkeypatch):
    """Work in a folder with a few files."""
    for name in ("a.txt", "x*[1].txt", "x1.txt", "sub/b.txt", "sub/deep/c.txt"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(name)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize(
    ("sources", "key", "options", "wanted"),
    [
        (["a.txt"], "k", {}, {"k"}),
        (["a.txt"], "f/", {}, {"f/a.txt"}),
        (["a.txt"], "", {}, {"a.txt"}),
        (["sub/b.txt"], "f/", {}, {"f/b.txt"}),
        (["a.txt", "x1.txt"], "f", {}, {"f/a.txt", "f/x1.txt"}),
        (["x*[1].txt"], "f/", {}, {"f/x*[1].txt"}),
        (["x*.txt"], "f", {"glob": True}, {"f/x*[1].txt", "f/x1.txt"}),
        (["sub"], "f", {"recursive": True}, {"f/b.txt", "f/deep/c.txt"}),
        (["sub/"], "f/", {"recursive": True}, {"f/b.txt", "f/deep/c.txt"}),
        (["sub", "a.txt"], "f/", {"recursive": True}, {
            "f/sub/b.txt", "f/sub/deep/c.txt", "f/a.txt",
        }),
        (["sub/*"], "f", {"glob": True}, {"f/b.txt"}),
        (["sub/*"], "f", {"glob": True, "recursive": True}, {"f/b.txt", "f/deep/c.txt"}),
    ],
)  # fmt: skip
def test_sources_have_the_keys_that_one_expects(here, sources, key, options, wanted):
    """Names below the target; the literal part of a pattern left out."""
    assert set(keys(sources, key, **options)) == wanted


def test_a_pattern_that_finds_nothing_is_an_error(here):
    """A slip in it must not look like success; an empty folder is one."""
    (here / "hollow").mkdir()

    with pytest.raises(NoSuchFile, match=r"^Nothing matches 'nothing\*' here"):
        keys(["a.txt", "nothing*"], glob=True)
    with pytest.raises(NoSuchFile, match=r"^Only folders match 'su\*' here\. Add recursive=True"):
        keys(["su*"], glob=True)
    assert keys(["hollow"], recursive=True) == {}


def test_a_folder_needs_r(here):
    """So that nobody sends a home folder by a slip."""
    with pytest.raises(BadArgument, match="is a folder"):
        keys(["sub"])
    with pytest.raises(NoSuchFile):
        keys(["missing"])


def test_a_name_that_is_not_utf_8_is_refused_alone(here):
    """A key must be; the other files are sent."""
    try:
        (here / os.fsdecode(b"sub/\xff.txt")).touch()
    except OSError:
        pytest.skip("this file system takes no such names")

    found = keys(["sub"], "f", recursive=True)

    assert [str(why) for why in found.values() if why] == [
        f"The name of {str(here / 'sub')!r}".replace(str(here) + "/", "")[:-1]
        + "/\\udcff.txt' is not UTF-8, and a key must be."
    ]
    assert len(found) == 3


def test_links_to_folders_are_followed_but_not_in_a_circle(here):
    """What a tree shows is sent, and it has an end."""
    (here / "elsewhere").mkdir()
    (here / "elsewhere" / "far.txt").touch()
    (here / "sub" / "door").symlink_to(here / "elsewhere")
    (here / "sub" / "ring").symlink_to(here / "sub")
    (here / "sub" / "deep" / "up").symlink_to(here / "sub")
    (here / "sub" / "link.txt").symlink_to(here / "a.txt")

    found = keys(["sub"], "f", recursive=True)

    assert found == dict.fromkeys(["f/b.txt", "f/deep/c.txt", "f/door/far.txt", "f/link.txt"])


def test_a_text_of_several_lines_is_content_unless_it_names_a_file(here):
    """No path has a line break in it, but for one that has."""
    (here / "two\nlines").write_text("the file")

    (text,) = uploads(["a\nb"], S3Uri("bucket", "f"), {}, recursive=False, glob=False)
    (file,) = uploads(["two\nlines"], S3Uri("bucket", "f"), {}, recursive=False, glob=False)

    assert text.source == b"a\nb"
    assert file.source == Path("two\nlines")


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("a.html", "text/html"),
        ("a.PNG", "image/png"),
        ("a.tar.gz", "application/gzip"),
        ("a.zst", "application/zstd"),
        ("folder.csv/noending", "binary/octet-stream"),
        ("", "binary/octet-stream"),
        (".csv", "binary/octet-stream"),
    ],
)
def test_content_types_are_guessed_from_the_ending(name, kind):
    """A packed file stays what it is, without a Content-Encoding."""
    assert content_type(name) == kind

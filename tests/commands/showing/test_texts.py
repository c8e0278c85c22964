"""Text and data, and how a notebook shows them."""

from __future__ import annotations

import codecs
import pickle

import pytest
from IPython.lib.pretty import pretty

from s3magic.commands.showing.texts import Data, Text, codec, decoded
from s3magic.errors import BadArgument


def test_a_text_is_a_str_that_is_shown_as_it_reads():
    """Tabs are tabs, lines are lines, and a Windows line ends as any other."""
    text = Text("a\tb\r\n1\t2\r\n")

    assert text == "a\tb\r\n1\t2\r\n"
    assert repr(text) == repr(str(text))
    assert pretty(text) == "a\tb\n1\t2"
    assert pretty(Text("")) == ""
    assert pretty(Text("\n\na")) == "\n\na"


def test_a_text_within_something_is_a_value():
    """A list of texts does not fall apart."""
    assert pretty([Text("a\nb")]) == "['a\\nb']"
    assert pretty([Data(b"\x00")]) == "[b'\\x00']"


def test_a_text_steers_no_terminal():
    """What would clear the screen is shown as what it is."""
    assert pretty(Text("a\x1b[2J\u202eb\rc")) == "a\\x1b[2J\\u202eb\\rc"


def test_a_long_text_is_cut_where_it_is_shown():
    """By lines or by characters; the note says how much more there is, to the character."""
    lines, line = Text("line\n" * 600), Text("x" * 60_000)

    assert pretty(lines).splitlines()[-1].startswith("… and 500 characters more")
    assert len(pretty(lines).splitlines()) == 501
    assert pretty(line).splitlines()[0] == "x" * 50_000
    assert pretty(line).splitlines()[-1].startswith("… and 10,000 characters more")
    assert "more" not in pretty(Text("line\n" * 500))


def test_data_are_shown_as_a_table():
    """The first few, and how many there are."""
    shown = pretty(Data(b"PNG\x00\xff" * 100)).splitlines()

    assert shown[0].startswith("00000000  50 4e 47 00 ff 50")
    assert shown[0].endswith("  PNG..PNG..PNG..P")
    assert len(shown) == 17
    assert shown[-1].startswith("… 500 B that are no text, of which these are the first 256.")


def test_they_are_plain_elsewhere():
    """Who reads the pickle needs not have us."""
    assert type(pickle.loads(pickle.dumps(Text("a")))) is str
    assert type(pickle.loads(pickle.dumps(Data(b"a")))) is bytes


@pytest.mark.parametrize(
    ("data", "text"),
    [
        ("é🦄\n".encode(), "é🦄\n"),
        (codecs.BOM_UTF8 + b"a", "a"),
        (codecs.BOM_UTF16_LE + "é".encode("utf-16-le"), "é"),
        (codecs.BOM_UTF16_BE + "é".encode("utf-16-be"), "é"),
        (codecs.BOM_UTF32_LE + "é".encode("utf-32-le"), "é"),
        (codecs.BOM_UTF32_BE + "é".encode("utf-32-be"), "é"),
        (b"", ""),
        (b"\xe9", None),
        (b"a\0b", None),
        (codecs.BOM_UTF16_LE + b"a", None),
    ],
)
def test_a_text_is_told_from_what_is_none(data, text):
    """By a mark, by a NUL, and by what UTF-8 allows."""
    assert decoded(data) == text


def test_what_is_told_counts():
    """The user's word first; the content type's where it is no UTF-8, and a real encoding."""
    assert decoded(b"\xe9", encoding="latin-1") == "é"
    assert decoded("\ufeffé".encode(), encoding="utf-8") == "é"
    assert decoded(b"\xe9", charset="iso-8859-1") == "é"
    assert decoded("é".encode(), charset="iso-8859-1") == "é"
    assert decoded(b"\xe9", charset="no-such-thing") is None
    with pytest.raises(BadArgument, match="Cannot read s3://b/k: it is no text in ascii"):
        decoded(b"\xe9", encoding="ascii", name="s3://b/k")


def test_a_character_that_is_cut_in_two_is_left_out():
    """At the end, and, of a range, at the beginning."""
    data = "é🦄é".encode()

    assert decoded(data[:-1], cut=True) == "é🦄"
    assert decoded(data[:-1]) is None
    assert decoded(data[4:], inside=True) == "é"
    assert decoded(data[4:]) is None


@pytest.mark.parametrize("name", ["utf-77", "base64", "x\0"])
def test_what_is_no_encoding_is_refused(name):
    """Nothing is asked for then."""
    with pytest.raises(BadArgument):
        codec(name)

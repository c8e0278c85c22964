"""Words for people."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from s3magic.wording import called, count, duration, filesize, markup, printable, shorten


@pytest.mark.parametrize(
    ("size", "said"),
    [
        (0, "0 B"),
        (999, "999 B"),
        (1000, "1.0 kB"),
        (1234, "1.2 kB"),
        (99_400, "99.4 kB"),
        (99_960, "100 kB"),
        (999_600, "1.0 MB"),
        (256_000_000, "256 MB"),
        (5 * 10**12, "5.0 TB"),
        (10**21, "1000 EB"),
    ],
)
def test_filesize(size, said):
    """Decimal units, never four digits before the unit, but for the last."""
    assert filesize(size) == said


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (0.004, "4 ms"),
        (0.4, "0.4 s"),
        (12.4, "12 s"),
        (59.6, "1:00"),
        (185, "3:05"),
        (3729, "1:02:09"),
    ],
)
def test_duration(seconds, said):
    """As short as it can be read."""
    assert duration(seconds) == said


def test_count():
    """One is singular."""
    assert count(1, "file") == "1 file"
    assert count(2000, "file") == "2,000 files"


@given(st.text())
def test_printable_moves_no_cursor(text):
    """No control, direction or line-breaking character gets through."""
    shown = printable(text)

    assert all(
        unicodedata.category(char) not in {"Cc", "Cs", "Zl", "Zp"}
        and (unicodedata.category(char) != "Cf" or char in "\u200c\u200d")
        for char in shown
    )


def test_printable_leaves_ordinary_text_alone():
    """Accents, scripts and emoji are no danger."""
    assert printable("déjà vu 日本 👩‍🔬") == "déjà vu 日本 👩‍🔬"
    assert printable("a\x1b[2J\u202eb") == "a\\x1b[2J\\u202eb"


def test_markup_is_text():
    """A key with markup in it is shown, not obeyed."""
    assert markup("<img src=x onerror='alert(1)'>") == (
        "&lt;img src=x onerror=&#x27;alert(1)&#x27;&gt;"
    )


@given(st.text(max_size=50), st.integers(min_value=4, max_value=40))
def test_shorten_keeps_both_ends(text, width):
    """It fits, and what is cut is the middle."""
    short = shorten(text, width)

    assert len(short) <= max(width, 0) or short == text
    assert short == text or (short[0] == text[0] and short.endswith(text[-1]))


@pytest.mark.parametrize(("value", "said"), [(None, "None"), (5, "An int"), ({}, "A dict")])
def test_called(value, said):
    """With the article that belongs to it."""
    assert called(value) == said

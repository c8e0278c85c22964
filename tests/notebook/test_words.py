"""Cutting a line into words, and putting values in: pure, and the same as a POSIX shell's."""

import shlex
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from s3magic.errors import BadArgument
from s3magic.notebook.expansion import expanded, unexpanded
from s3magic.notebook.words import split, without_semicolon

TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=30)


def values(line, windows=False, /, **names):
    return [expanded(word, names) for word in split(line, windows=windows)]


@given(st.lists(TEXTS))
def test_whatever_shlex_quotes_comes_through_literally(texts):
    """Every key, with whatever characters, has a spelling: `shlex.quote`'s."""
    line = " ".join(shlex.quote(text) for text in texts)

    assert values(line) == texts
    assert values(line, True) == texts
    assert [unexpanded(word) for word in split(line)] == texts


@given(st.text(alphabet="ab \t'\"\\/:#;.-=é", max_size=20))
def test_words_are_those_of_shlex(text):
    """On lines without `$`, braces, comments and `;` it agrees with the standard library."""
    text = text.replace("#", "").replace(";", "")
    try:
        expected = shlex.split(text)
    except ValueError:
        return

    assert values(text) == expected


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("", []),
        ("   ", []),
        ("a  b\tc", ["a", "b", "c"]),
        ("''", [""]),
        ("a''b", ["ab"]),
        ("'a b'\"c d\"", ["a bc d"]),
        (r"a\ b", ["a b"]),
        (r'"a\"b\\c\d"', [r'a"b\c\d']),
        (r"'a\'", ["a\\"]),
        (r"a\$b \{c\}", ["a$b", "{c}"]),
        ("ends\\", ["ends\\"]),
        ("s3://b/a#b", ["s3://b/a#b"]),
        ("a # comment 'open", ["a"]),
        ("# all", []),
        ("'#' \\#", ["#", "#"]),
        ("a;", ["a"]),
        ("a ;", ["a"]),
        ("a ; # why", ["a"]),
        ("a;#b", ["a;#b"]),
        ("a;b", ["a;b"]),
        ("'a;'", ["a;"]),
        ("a\\;", ["a;"]),
        ("a;;", ["a;"]),
        (";", []),
    ],
)
def test_line_is_cut_as_a_shell_cuts_it(line, words):
    """Quotes, backslashes, comments and a closing semicolon."""
    assert values(line) == words


@pytest.mark.parametrize(
    ("line", "words"),
    [
        (r"C:\data\new s3://b/", [r"C:\data\new", "s3://b/"]),
        (r"\\server\share\f 'C:\a b\'", [r"\\server\share\f", "C:\\a b\\"]),
        (r'"C:\a b\" x', ["C:\\a b\\", "x"]),
    ],
)
def test_backslash_is_a_plain_character_on_windows(line, words):
    """It parts folders there and quotes nothing."""
    assert values(line, True) == words


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("s3://b/it's ./here", """never closed. If it belongs to the name, write "s3://b/it's"."""),
        ('s3://b/6"', """write 's3://b/6"'."""),
        ("x 'it", "The quote ' in 'it is never closed."),
        ("s3://b/it's;", """write "s3://b/it's"."""),
    ],
)
def test_open_quote_is_told_with_its_remedy(line, message):
    """One sentence says which word it is and how to write it."""
    with pytest.raises(BadArgument) as caught:
        split(line)

    assert message in str(caught.value)


def test_word_that_is_a_name_is_the_value_itself():
    """A frame, bytes or a path arrives as the object."""
    value = object()

    for line in ["$x", '"$x"', "${x}", "{x}", "{ x }", "{[x][0]}"]:
        (found,) = values(line, x=value)
        assert found is value


@pytest.mark.parametrize(
    ("line", "text"),
    [
        ("s3://b/$name.csv", "s3://b/two words.csv"),
        ("s3://b/${name}s", "s3://b/two wordss"),
        ('"a $name b"', "a two words b"),
        ("s3://b/{number:}", None),
        ("s3://b/{number + 1}/$number", "s3://b/4/3"),
        ("{d['k']}/{d[\"k\"]}", "v/v"),
        ('"{d["k"]}/{d[\\"k\\"]}"', "v/v"),
        ("{d['}']}x", "bracex"),
        ("{sum(number + n for n in (1, 2))}.", "9."),
        ("$path/f", "a/f"),
        ("'$name {name}'", "$name {name}"),
        ("$$name {{name}}", ["$name", "{name}"]),
        ("$ a$ $1 100%$/x", ["$", "a$", "$1", "100%$/x"]),
        ("s3://b/{open", "s3://b/{open"),
        ("s3://b/close}", "s3://b/close}"),
        ("$número", "7"),
    ],
)
def test_names_and_expressions_are_put_in_word_by_word(line, text):
    """Within a longer word the value's text stands; blanks in it part nothing."""
    names = {
        "name": "two words",
        "number": 3,
        "d": {"k": "v", "}": "brace"},
        "path": Path("a"),
        "número": 7,
    }
    if text is None:
        with pytest.raises(BadArgument, match="not a Python expression"):
            values(line, **names)
        return

    assert [str(value) for value in values(line, **names)] == (
        [text] if isinstance(text, str) else text
    )


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("$nope.csv", "There is no variable nope, which $nope asks for."),
        ("s3://b/{nope}/x", "There is no variable nope, which {nope} asks for."),
        ("{nope.x}", "{nope.x} gives no value: NameError"),
        ("{1/0}", "{1/0} gives no value: ZeroDivisionError: division by zero."),
        ("{2024-01}", "{2024-01} is not a Python expression."),
        ("{}", "{} is not a Python expression."),
        ("{a b}", "{a b} is not a Python expression."),
        ("$print", "There is no variable print"),
    ],
)
def test_what_has_no_value_is_an_error_that_says_how_to_quote(line, message):
    """Half an address is never used."""
    with pytest.raises(BadArgument) as caught:
        values(line)

    assert message in str(caught.value)
    assert "write $$, {{ and }}, or put the word in single quotes" in str(caught.value)


@pytest.mark.parametrize(
    ("line", "source"),
    [
        ("[].{k: Key, s: 'a b'}", "[].{k: Key, s: 'a b'}"),
        ("\"[?Key == '{'].{k: Key}\"", "[?Key == '{'].{k: Key}"),
        ('"[?Size > `5`].{\\"my key\\": Key}"', '[?Size > `5`].{"my key": Key}'),
        ("$$a{{$b", "$$a{{$b"),
    ],
)
def test_unexpanded_word_keeps_its_dollars_and_braces(line, source):
    """A query is what was written, less the line's own quotes."""
    (word,) = split(line)

    assert unexpanded(word) == source


@pytest.mark.parametrize(
    ("line", "rest"),
    [
        ("a;", "a"),
        ("a ; # b", "a  # b"),
        ("a", None),
        ("'a;'", None),
        ("it's;", None),
        ("a # b;", None),
    ],
)
def test_semicolon_is_found_where_it_ends_the_line(line, rest):
    """It is part of no word, no comment and no open quote."""
    assert without_semicolon(line) == rest


@given(TEXTS)
def test_any_line_is_cut_or_refused_in_a_sentence(line):
    """Nothing that anybody types is met with another error."""
    try:
        words = split(line)
    except BadArgument as error:
        assert "\n" not in str(error)  # noqa: PT017 - it may as well not be raised
        return

    assert all(isinstance(unexpanded(word), str) for word in words)

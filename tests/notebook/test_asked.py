"""What a word under the cursor may become, and how it is written then."""

from __future__ import annotations

import pandas as pd
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from s3magic.commands.get import VERB as GET
from s3magic.commands.options.description import Option, Positional, Verb
from s3magic.commands.options.kinds import OBJECT, TEXT
from s3magic.commands.put import VERB as PUT
from s3magic.notebook.asked import Candidate, asked, asked_in_python
from s3magic.notebook.expansion import expanded
from s3magic.notebook.fitting import fitted
from s3magic.notebook.words import split, unfinished, written

VERB = Verb(
    "s3try",
    "Try.",
    positionals=(Positional("URI"),),
    options=(
        Option(("-r", "--recursive")),
        Option(("--reverse",)),
        Option(("--progress",), choices=("auto", "text", "none")),
        Option(("--picture",), choices=("map", "bars"), bare="auto"),
        Option(("--word",), kind=TEXT),
        Option(("--var",), kind=OBJECT, variable=True),
        Option(("--password",), kind=TEXT, secret=True),
    ),
)
LONG = [*(option.flags[-1] for option in VERB.options), "--help"]
NAMES = {"df": pd.DataFrame(), "text": "b", "number": 3, "_hidden": "x", "path_of": [1]}


def ready(line, verb=VERB):
    """The candidates that are known at once."""
    found = asked(verb, line, NAMES)
    return found and [one.text for one in found.ready]


def test_a_place_for_a_variable_is_completed_with_its_name():
    """And the next place with what may stand there."""
    verb = Verb("s3keep", "Keep.", (Positional("DATA", where="variable"), Positional("URI")))

    assert ready("", verb) == ["df", "path_of", "text"]
    assert ready("te", verb) == ["text"]
    assert asked(verb, "df s3://b", NAMES).address == "s3://b"


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ("--re", ["--recursive", "--reverse"]),
        ("s3://b --rec", ["--recursive"]),
        ("--p", ["--progress", "--picture", "--password"]),
        ("--picture=m", ["map"]),
        ("--picture --re", ["--recursive", "--reverse"]),
        ("-", [*LONG, "-r", "-h"]),
        ("--progress ", ["auto", "text", "none"]),
        ("--progress t", ["text"]),
        ("--progress=n", ["none"]),
        ("--var ", ["df", "path_of", "text"]),
        ("--var te", ["text"]),
        ("--var=te", ["text"]),
        ("--password ", ["$text"]),
        ("$", ["$df", "$path_of", "$text"]),
        ("$t", ["$text"]),
        ("--word $t", ["$text"]),
    ],
)  # fmt: skip
def test_options_choices_and_variables_are_known_at_once(line, found):
    """Nobody is asked for them."""
    assert ready(line) == found


@pytest.mark.parametrize("line", ["--word ", "--nothing=", "-- -r x ", "a b", "s3://b # -", "{df}"])
def test_nothing_is_offered_where_nothing_can_be_known(line):
    """A word of the user's own, an option that is not there, a place too many, a comment."""
    found = asked(VERB, line, NAMES)

    assert found is None or not (found.ready or found.address or found.path)


@pytest.mark.parametrize(
    ("verb", "line", "address", "path"),
    [
        (GET, "s3://b/k", "s3://b/k", None),
        (GET, "we", "s3://we", None),
        (GET, "", "s3://", None),
        (GET, "s3://b/k ", "s3://", ""),
        (GET, "s3://b/k ./da", None, "./da"),
        (GET, "s3://b/k s3://c", "s3://c", None),
        (GET, "--part-size 8MiB s3", "s3://", None),
        (PUT, "da", None, "da"),
        (PUT, "-r da s3", "s3://", "s3"),
        (PUT, "a s3://$text/x", "s3://b/x", None),
        (PUT, "a 's3://b/x y", "s3://b/x y", None),
        (PUT, "a s3://b/x\\ y", "s3://b/x y", None),
    ],
)
def test_a_place_says_what_may_stand_there(verb, line, address, path):
    """Addresses where a verb takes them, local paths where it takes those."""
    found = asked(verb, line, NAMES)

    assert (found.address, found.path) == (address, path)


@pytest.mark.parametrize(
    ("line", "text"),
    [
        ('await s3.ls("s3://bu', "s3://bu"),
        ("pd.read_csv('s3://b/k k", "s3://b/k k"),
        ('x = f"s3://b/{name}', None),
        ('f"""s3://b', None),
        ('"s3://b/" + "x', None),
        ("s3://b", None),
        ('"s3://b/\\', None),
    ],
)
def test_a_string_of_python_that_begins_as_an_address_is_one(line, text):
    """Whatever function it is an argument of."""
    found = asked_in_python(line)

    assert (found and found.address) == text


keys = st.text(
    st.one_of(st.characters(exclude_categories=["Cs"]), st.sampled_from(" '\"\\$`{};#-~*[&é")),
    min_size=1, max_size=12,
)  # fmt: skip


@given(
    key=keys, cut=st.integers(0, 12), quote=st.sampled_from(["", "'", '"']), closed=st.booleans()
)
@example(key="my file.csv", cut=0, quote="", closed=False)
@example(key="it's $5", cut=2, quote='"', closed=True)
@example(key="it's $5", cut=2, quote="'", closed=True)
def test_a_completed_word_is_read_as_what_was_found(key, cut, quote, closed):
    """Whatever characters it holds, and in whatever quotes it was begun."""
    text = "s3://b/" + key
    typed = text[: 7 + cut]
    begun = quote + typed if quote else typed
    after = quote if closed else ""
    found = asked(VERB, begun, {})
    if found is None or found.address != typed or not text.isprintable():
        return  # what was typed means something else

    fragment, (one, *_) = fitted(found, [Candidate(text, "object")], after)
    line = begun.removesuffix(fragment) + one.text + after

    assert begun.endswith(fragment)
    assert [expanded(word, {}) for word in split(line)] == [text]


def test_a_word_with_a_variable_in_it_keeps_it():
    """What follows is put behind what was typed."""
    found = asked(VERB, "s3://$text/fi", NAMES)
    quoted = asked(VERB, '"s3://$text/fi', NAMES)

    several = [Candidate("s3://b/file.csv", "object"), Candidate("s3://b/fi le", "object")]

    assert [one.text for one in fitted(found, several, "")[1]] == [
        "s3://$text/file.csv", 's3://$text/fi"le"'[:-4] + '" le"',
    ]  # fmt: skip
    for line in [one.text for one in fitted(quoted, several, "")[1]]:
        assert expanded(split(line)[0], NAMES) in {"s3://b/file.csv", "s3://b/fi le"}


def test_what_stands_before_the_last_slash_is_left_out():
    """A list of names reads better than a list of addresses."""
    found = asked(VERB, "s3://b/folder/fi", {})

    fragment, short = fitted(found, [Candidate("s3://b/folder/file.csv", "object")], "")
    _, long = fitted(found, [Candidate("s3://b/folder/fi le", "object")], "")

    assert (fragment, short[0].text) == ("fi", "file.csv")
    assert long[0].text == '"fi le"'


def test_a_key_that_could_move_the_cursor_is_not_offered():
    """It could not be typed either."""
    found = asked(VERB, "s3://b/", {})

    assert fitted(found, [Candidate("s3://b/a\x1b[2J", "object")], "")[1] == []


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_a_written_text_is_one_word(text):
    """And means itself."""
    assert [expanded(word, {}) for word in split(written(text))] == [text]


def test_a_line_under_way_tells_its_last_word():
    """Where it begins, what it means so far, and in which quote."""
    at = unfinished("a 'b c' \"d e")

    assert [expanded(word, {}) for word in at.words] == ["a", "b c"]
    assert (expanded(at.word, {}), at.start, at.quote) == ("d e", 8, '"')
    assert unfinished("a ").word is None
    assert unfinished("a # b") is None

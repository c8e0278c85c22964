"""Reading a line as a call, and its help."""

import datetime as dt
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from s3magic.commands.options.description import Option, Positional, Verb
from s3magic.commands.options.kinds import INTEGER, NAMES, NUMBER, PAIR, SETTING, SIZE, TEXT
from s3magic.errors import BadArgument
from s3magic.notebook.arguments import Call, parse
from s3magic.notebook.helptext import help_text
from s3magic.uri import S3Uri

FETCH = Verb(
    name="fetch",
    summary="Fetch things.",
    positionals=(
        Positional("SOURCE", "what to fetch", many=True),
        Positional(
            "TARGET",
            "where to",
            required=False,
            accepts=lambda value: not str(value).startswith("web:"),
        ),
    ),
    options=(
        Option(("-r", "--recursive"), "all below"),
        Option(("-n", "--dry-run"), "only say what would be done"),
        Option(("--page-size",), "things asked for at once", INTEGER, default=1000),
        Option(("--part-size",), "bytes of a part", SIZE, default="8 MiB"),
        Option(("--speed",), "at most", NUMBER),
        Option(("--start-after",), "names behind this one", TEXT),
        Option(("--errors",), "what to do with errors", choices=("raise", "return")),
        Option(("--query",), "a JMESPath", raw=True),
        Option(("--password",), "to be let in", TEXT, secret=True),
        Option(("--metadata",), "kept with it", PAIR, repeatable=True),
        Option(("--exclude",), "leave out", TEXT, repeatable=True),
        Option(("--no-verify",), "trust anybody", keyword="verify", value=False),
    ),
    examples=(("%fetch web:a here", "One thing."), ("%fetch -r web:d/", "")),
    twin="lib.fetch",
    details="Details   are\n  filled.\n\nIn paragraphs.",
)
KEEP = Verb(
    name="keep",
    summary="Keep.",
    positionals=(Positional("DATA", where="variable"), Positional("TO")),
    options=(
        Option(("--columns",), kind=NAMES),
        Option(("--option",), kind=SETTING, repeatable=True),
    ),
)
LIST = Verb(name="list", summary="List.", positionals=(Positional("URI", required=False),))
MOVE = Verb(name="move", summary="Move.", positionals=(Positional("FROM"), Positional("TO")))


def read(line, verb=FETCH, **names):
    call = parse(verb, line, names)
    return call.args, call.kwargs


def refused(line, verb=FETCH, **names):
    with pytest.raises(BadArgument) as caught:
        parse(verb, line, names)
    return str(caught.value)


@pytest.mark.parametrize(
    ("line", "args"),
    [
        ("a", ("a",)),
        ("a b", ("a", "b")),
        ("a b c", (["a", "b"], "c")),
        ("web:a web:b", (["web:a", "web:b"],)),
        ("web:a", ("web:a",)),
        ("a -", ("a", "-")),
        ("-- -a --recursive", ("-a", "--recursive")),
    ],
)
def test_words_take_their_places(line, args):
    """One of many is itself, several are a list, and an optional last one comes off the end."""
    assert read(line) == (args, {})


@pytest.mark.parametrize(
    ("verb", "line", "args"), [(LIST, "", ()), (LIST, "u", ("u",)), (MOVE, "a b", ("a", "b"))]
)
def test_places_of_a_verb_without_many(verb, line, args):
    """Each word has its own place; an optional one may be left out."""
    assert read(line, verb) == (args, {})


@pytest.mark.parametrize(
    ("line", "kwargs"),
    [
        ("a -r", {"recursive": True}),
        ("-r a", {"recursive": True}),
        ("-rn a", {"recursive": True, "dry_run": True}),
        ("--page-size 50 a", {"page_size": 50}),
        ("a --page-size=50", {"page_size": 50}),
        ("a --page-size $n", {"page_size": 7}),
        ("a --page-size=$n", {"page_size": 7}),
        ("a --page-size={n + 1}", {"page_size": 8}),
        ("a --page-size -1", {"page_size": -1}),
        ("a --part-size 8MiB", {"part_size": 8 * 1024**2}),
        ("a --part-size 64k", {"part_size": 64 * 1024}),
        ("a --part-size 1.5g", {"part_size": 3 * 2**29}),
        ("a --part-size 5MB", {"part_size": 5_000_000}),
        ("a --part-size '8 MiB'", {"part_size": 8 * 1024**2}),
        ("a --part-size 5000000", {"part_size": 5_000_000}),
        ("a --speed 2.5", {"speed": 2.5}),
        ("a --speed $n", {"speed": 7.0}),
        ("a --start-after -x", {"start_after": "-x"}),
        ("a --start-after=", {"start_after": ""}),
        ("a --start-after='a b=c'", {"start_after": "a b=c"}),
        ("a --start-after $path", {"start_after": "p"}),
        ("a --start-after $n", {"start_after": "7"}),
        ("a --errors return", {"errors": "return"}),
        ("a --metadata k=v=w --metadata x=", {"metadata": {"k": "v=w", "x": ""}}),
        ("a --metadata $meta --metadata=k=new", {"metadata": {"k": "new", "n": "1"}}),
        ("a --exclude x --exclude y", {"exclude": ["x", "y"]}),
        ("a --no-verify", {"verify": False}),
        ("a --query [].{k:Key}", {"query": "[].{k:Key}"}),
        ('a --query="[?Size > `5`].{k: Key} $x"', {"query": "[?Size > `5`].{k: Key} $x"}),
        ("a --query $q", {"query": "[0]"}),
        ("a --query {q}", {"query": "[0]"}),
        ("a --query \"{q + '[1]'}\"", {"query": "[0][1]"}),
        ("a --query {k:Key}", {"query": "{k:Key}"}),
        ("a --password $q", {"password": "[0]"}),
        ("a ; # -r", {}),
    ],
)
def test_options_become_keywords(line, kwargs):
    """They stand anywhere, and only those that are given are passed."""
    names = {"n": 7, "path": Path("p"), "meta": {"k": "v", "n": 1}, "q": "[0]"}

    assert read(line, **names) == (("a",), kwargs)


def test_value_of_a_variable_is_never_an_option():
    """A name that begins with a dash is a name when it comes from a variable."""
    assert read("$x $x", x="--recursive") == (("--recursive", "--recursive"), {})


def test_object_takes_a_place_as_it_is():
    """A frame is passed on, not its text."""
    frame = object()

    assert read("$df here", df=frame) == ((frame, "here"), {})


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("x y", "x y"),
        ("", ""),
        (7, "7"),
        (2.5, "2.5"),
        (np.int64(7), "7"),
        (np.float32(2.5), "2.5"),
        (dt.date(2024, 1, 31), "2024-01-31"),
        (pd.Period("2024-01"), "2024-01"),
        (pd.Timestamp("2024-01-31"), "2024-01-31 00:00:00"),
        (Path("p"), "p"),
        (S3Uri("b", "k"), "s3://b/k"),
    ],
)
def test_a_value_with_a_text_stands_within_a_word(value, text):
    """Texts, numbers, dates, paths."""
    assert read("s3://b/$x/k.{x}", x=value) == ((f"s3://b/{text}/k.{text}",), {})


ROW = pd.Series({"Key": "k"}, name="row")
FRAME = pd.DataFrame({"Key": ["k"]})


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("s3://b/$x/", "$x is None, which has no place within s3://b/$x/."),
        ("s3://b/{x}/", "{x} is None, which has no place within s3://b/{x}/."),
        ("s3://b/$nan", "$nan is nan, a missing value, which"),
        ("s3://b/$nat", "$nat is NaT, a missing value, which"),
        ("s3://b/$l", "$l is of type list, which"),
        ("s3://b/$row.Key", "$row is of type Series, which has no place within s3://b/$row.Key."),
        ("s3://b/$row.Key.csv", "Write ${row.Key}, in braces."),
        ("s3://b/$l[0].txt", "Write ${l[0]}, in braces."),
        ("s3://b/$l[l.index(", "Write ${l[l.index(…}, in braces."),
        ("$df[:2] here", "For some of its rows or columns write all in braces: ${df[:2]}."),
        ("$df.Key here", "write all in braces: ${df[:2]}."),
    ],
)
def test_a_value_without_a_text_has_no_place_within_a_word(line, message):
    """The text of an object is no address; what was probably meant is said."""
    names = {"x": None, "nan": float("nan"), "nat": pd.NaT, "l": ["a"], "row": ROW, "df": FRAME}

    assert message in refused(line, **names)


@pytest.mark.parametrize("line", ["-h", "--help", "a -h", "--nonsense -h", "$unknown --help"])
def test_help_is_asked_for_whatever_else_stands_there(line):
    """Nothing is looked up and nothing runs."""
    assert parse(FETCH, line, {}) is None


def test_help_behind_the_dashes_is_a_name():
    """Behind `--` everything is."""
    assert parse(FETCH, "-- -h", {}) == Call(("-h",), {})


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("", "%fetch needs SOURCE. The usage is %fetch SOURCE… [TARGET] [options]"),
        ("a --pagesize 5", "%fetch has no option --pagesize. Did you mean --page-size?"),
        ("a --page_size=5", "%fetch has no option --page_size. Did you mean --page-size?"),
        ("a --rec", "%fetch has no option --rec. Did you mean --recursive?"),
        ("a --zzz", "%fetch -h lists the options; a name that begins with - goes behind --."),
        ("a -x", "%fetch has no option -x."),
        ("a --$n", "%fetch has no option --$n."),
        ("a --page-size", "--page-size needs a value. Write --page-size N."),
        ("a --errors --recursive", "--errors needs a value. Write --errors raise|return."),
        ("a --page-size many", "--page-size many: that is not a whole number."),
        ("a --page-size 1.5", "--page-size 1.5: that is not a whole number."),
        ("a --page-size $d", "--page-size a dict: that is not a whole number."),
        ("a --speed fast", "--speed fast: that is not a number."),
        ("a --part-size 8XB", "--part-size 8XB: that is not a size in bytes, such as 8MiB"),
        ("a --start-after $d", "--start-after a dict: that is not text."),
        ("a --errors retrun", "--errors retrun: it is one of raise, return. Did you mean return?"),
        ("a --metadata novalue", "--metadata novalue: that is not of the form name=value."),
        ("a --recursive=yes", "--recursive takes no value. Write --recursive alone."),
        ("a -r --recursive", "--recursive is given twice."),
        ("a --page-size 1 --page-size 2", "--page-size is given twice."),
        ("s3://b/it's", "never closed"),
        ("a --password typed", "--password takes a secret, which has no place in a cell"),
        ("a --password {'typed'}", "--password takes a secret, which has no place in a cell"),
        ("a --password ${'typed'}", "--password takes a secret, which has no place in a cell"),
    ],
)
def test_what_cannot_be_meant_is_a_sentence(line, message):
    """It says what is wrong and what to write."""
    assert message in refused(line, n=1, d={})


def test_too_many_words_are_refused():
    """The commonest reason, a blank in a name, is said."""
    assert refused("my file", LIST) == (
        "%list takes no further argument, but was given file. "
        "The usage is %list [URI] [options]; a name with blanks in it needs quotes."
    )


def test_too_few_words_are_refused():
    """All that is needed is named."""
    assert refused("a", MOVE).startswith("%move needs FROM and TO.")


def test_help_tells_usage_arguments_options_and_numbered_examples():
    """The whole text, as a reader sees it."""
    assert (
        help_text(FETCH)
        == """\
%fetch SOURCE… [TARGET] [options]

Fetch things.

  SOURCE…                what to fetch
  TARGET                 where to

Options
  -r, --recursive        all below
  -n, --dry-run          only say what would be done
  --page-size N          things asked for at once (default: 1000)
  --part-size SIZE       bytes of a part (default: 8 MiB)
  --speed NUMBER         at most
  --start-after TEXT     names behind this one
  --errors raise|return  what to do with errors
  --query TEXT           a JMESPath
  --password TEXT        to be let in
  --metadata NAME=VALUE  kept with it (may be repeated)
  --exclude TEXT         leave out (may be repeated)
  --no-verify            trust anybody
  -h, --help             show this and do nothing

Details are filled.

In paragraphs.

Names with blanks go in quotes. $name and {expression} stand for Python values, and a
word that is nothing else is the value itself. Within 'single quotes' every character is
itself; elsewhere $$, {{ and }} are the plain characters.

--query has $ and braces of its own, so nothing is looked up inside its value. To put a
Python value there, make the whole in Python, q = f"…", and write --query $q.

In a cell, await lib.fetch(...) takes the same options by the same names: --page-size N
is page_size=N.

Examples
  1. %fetch web:a here
     One thing.
  2. %fetch -r web:d/"""
    )


def test_values_whose_order_counts_know_their_places():
    """Across the options; they are texts like any other."""
    skip = Option(("--skip",), kind=TEXT, repeatable=True, placed=True)
    take = Option(("--take",), kind=TEXT, repeatable=True, placed=True)
    verb = Verb(name="choose", summary="Choose.", options=(skip, take))

    _, given = read("--skip * --take $name --skip x", verb, name="*.csv")

    assert given == {"skip": ["*", "x"], "take": ["*.csv"]}
    assert [value.place for value in given["skip"]] == [0, 2]
    assert [value.place for value in given["take"]] == [1]


DRAW = Verb(
    name="draw",
    summary="Draw.",
    positionals=(Positional("WHAT"),),
    options=(Option(("--plot",), "a picture", choices=("map", "bars"), bare="auto"),),
)


@pytest.mark.parametrize(
    ("line", "kwargs"),
    [
        ("a", {}),
        ("a --plot", {"plot": "auto"}),
        ("--plot a", {"plot": "auto"}),
        ("--plot=bars a", {"plot": "bars"}),
    ],
)
def test_an_option_may_stand_alone_or_have_a_value_behind_its_sign(line, kwargs):
    """So that the word behind it is never taken for its value."""
    assert read(line, DRAW) == (("a",), kwargs)


def test_the_value_of_an_option_that_may_stand_alone_is_one_of_its_choices():
    """And help shows how it is written."""
    assert "one of map, bars" in refused("a --plot=pie", DRAW)
    assert "--plot[=map|bars]" in help_text(DRAW)


def test_a_place_for_a_variable_takes_its_name_or_its_value():
    """And no text; what stands behind it is read as ever."""
    frame = pd.DataFrame()

    assert read("df web:b", KEEP, df=frame)[0][0] is frame
    assert read("-- df web:b", KEEP, df=frame)[0][0] is frame
    assert read("$df df", KEEP, df=frame)[0][1] == "df"
    assert read("{len(df)} df", KEEP, df=frame)[0] == (0, "df")
    assert "no variable 'fd'" in refused("fd web:b", KEEP, df=frame)


def test_names_and_settings_are_read_as_python_would():
    """Names with commas between them; a setting's value is a number, a list or a text."""
    line = "1 2 --columns 'a, b' --option n=2 --option 'to=[1, 2]' --option sep=; --option x=$y"

    assert read(line, KEEP, **{"1": 1}, y="z")[1] == {
        "columns": ["a", "b"],
        "option": {"n": 2, "to": [1, 2], "sep": ";", "x": "z"},
    }
    assert read("1 2 --columns $c", KEEP, **{"1": 1}, c=["a,b"])[1] == {"columns": ["a,b"]}
    assert "with commas" in refused("1 2 --columns a,,b", KEEP, **{"1": 1})

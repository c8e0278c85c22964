"""Options in the sentences of errors: as Python has them, and as a line does."""

from __future__ import annotations

import asyncio
import pickle
import re

import botocore.exceptions
import pytest
from IPython.core.interactiveshell import InteractiveShell

from s3magic import spelling
from s3magic.commands.options.filters import ALL
from s3magic.commands.showing.texts import decoded
from s3magic.commands.syncing.reconciling import Wish
from s3magic.commands.syncing.sides import Prefix
from s3magic.errors import BadArgument
from s3magic.notebook import extension, magics
from s3magic.spelling import Sentences
from s3magic.translation import translate

FLAGS = {"page_size": "--page-size", "encoding": "--encoding", "recursive": "-r"}
PLACES = {
    "s3put": "x s3://bucket/k",
    "s3write": "_ s3://bucket/k.json",
    "s3rb": "s3://bucket",
    **dict.fromkeys(("s3get", "s3sync"), "s3://bucket/k x"),
    **dict.fromkeys(("s3cp", "s3mv"), "s3://bucket/k s3://bucket/l"),
}


@pytest.fixture(scope="module")
def line():
    """Runs a magic's line, and gives the error it ends with."""
    shell = InteractiveShell()
    extension.load(shell)

    def run(name, rest):
        with pytest.raises(BadArgument) as caught:
            shell.run_line_magic(name, rest)
        return caught.value

    yield run
    extension.unload(shell)


@pytest.mark.parametrize(
    ("option", "python", "on_line"),
    [
        ("page_size", "page_size", "--page-size"),
        (("page_size", 0), "page_size=0", "--page-size 0"),
        (("encoding", "utf9"), "encoding='utf9'", "--encoding utf9"),
        (("encoding", "a b"), "encoding='a b'", "--encoding 'a b'"),
        (("encoding", ""), "encoding=''", "--encoding ''"),
        (("recursive", True), "recursive=True", "-r"),
        (("number", 0), "number=0", "number 0"),
    ],
)
def test_an_option_is_spelled_as_its_door_has_it(option, python, on_line):
    """A name alone, a value, a text with blanks, a switch, and what is no option on a line."""
    sentences = Sentences.of("{0} cannot be.", "Write no {0}.", [option])

    assert sentences.in_python() == (f"{python} cannot be.", f"Write no {python}.")
    assert sentences.on_line(FLAGS) == (f"{on_line} cannot be.", f"Write no {on_line}.")


def test_braces_that_stand_for_no_option_are_left_alone():
    """A key may have any, and so may what is put in the place of one."""
    sentences = Sentences.of("{0}: {1} {} {key} {9}", "", [("encoding", "{0}")])

    assert sentences.in_python()[0] == "encoding='{0}': {1} {} {key} {9}"


@pytest.mark.parametrize(
    "refused",
    [
        lambda: decoded(b"\xff", name="s3://b/{0}/k", encoding="utf-8"),
        lambda: Wish(Prefix("b", "{0}/"), Prefix("b", ""), ALL, delete=True),
    ],
    ids=["decoded", "synced"],
)
def test_a_key_with_braces_is_named_as_it_is(refused):
    """Though the sentence names an option, too; at either door."""
    with pytest.raises(BadArgument) as caught:
        refused()
    in_python = str(caught.value)

    caught.value.spell(FLAGS)

    assert "s3://b/{0}/" in in_python
    assert "s3://b/{0}/" in str(caught.value)


def test_an_error_that_names_options_outlives_a_pickle():
    """And is spelled anew after it; one that names none says what it said."""
    error = BadArgument("{0} cannot be.", options=[("page_size", 0)])
    plain = BadArgument("{0} is a key.")

    revived = pickle.loads(pickle.dumps(error))
    revived.spell(FLAGS)
    plain.spell(FLAGS)

    assert (str(error), str(revived)) == ("page_size=0 cannot be.", "--page-size 0 cannot be.")
    assert revived.args == ("--page-size 0 cannot be.",)
    assert str(plain) == "{0} is a key."


@pytest.mark.parametrize(
    ("name", "rest", "said"),
    [
        ("s3ls", "s3://bucket/ --page-size 0", "--page-size 0 cannot be: "),
        ("s3uploads", "s3://bucket/ --dry-run", "--dry-run and -y are for --abort; "),
        ("s3sync", "s3://bucket/ x --size-only --checksum", "--size-only and --checksum at once: "),
        ("s3head", "s3://bucket/k -n 0", "-n 0 cannot be: "),
        ("s3jobs", "0", "number 0 cannot be: "),
        ("s3connect", "--aws-access-key-id me", "Cannot connect: .* --aws-secret-access-key, or"),
    ],
)
def test_a_magics_error_names_options_as_its_line_does(line, name, rest, said):
    """In the sentence and in the hint."""
    assert re.match(said, str(line(name, rest)))


@pytest.mark.parametrize(
    ("name", "option"),
    [
        (described.name, option)
        for described, _ in magics.verbs()
        for option in described.options
        if option.takes is not None and option.takes.wanted == "a whole number"
    ],
    ids=lambda one: one if isinstance(one, str) else one.name,
)
def test_every_number_is_refused_by_the_name_that_was_written(line, name, option):
    """Whichever option of whichever verb it is; nobody is asked."""
    flag, places = option.flags[-1], PLACES.get(name, "s3://bucket/k")

    error = line(name, f"{places} {flag} -1")

    assert str(error).startswith(f"{flag} -1 cannot be: ")


def test_what_is_raised_while_a_line_runs_is_spelled_as_a_line_does():
    """In the threads and tasks of it too, whose errors may end as rows of a report."""

    def told():
        return str(BadArgument("{1}.", hint="Add {0}.", options=[("recursive", True), "k/{0}"]))

    async def asked():
        with spelling.line(FLAGS):
            return await asyncio.gather(asyncio.to_thread(told), asyncio.create_task(later()))

    async def later():
        return told()

    assert asyncio.run(asked()) == ["k/{0}. Add -r."] * 2
    assert told() == "k/{0}. Add recursive=True."


def test_other_advice_is_spelled_as_the_first_was():
    """And the sentence before it stays, whatever braces a key in it has."""
    error = BadArgument("Cannot get k/{0}.", hint="Try again.")

    error.advise("Add {0}. {1}", options=[("recursive", True), error.hint])
    in_python = str(error)
    error.spell(FLAGS)

    assert in_python == "Cannot get k/{0}. Add recursive=True. Try again."
    assert str(error) == "Cannot get k/{0}. Add -r. Try again."


def test_a_server_is_told_of_in_the_words_of_whoever_asked():
    """The tables of foreign errors know of neither door."""
    answer = {"Error": {"Code": "SlowDown"}, "ResponseMetadata": {"HTTPStatusCode": 503}}
    foreign = botocore.exceptions.ClientError(answer, "GetObject")

    in_python = translate(foreign, "get s3://b/{0}")
    with spelling.line({"concurrency": "--concurrency"}):
        on_line = translate(foreign, "get s3://b/{0}")

    assert in_python.hint == "Try again with fewer requests at once: concurrency=4."
    assert on_line.hint == "Try again with fewer requests at once: --concurrency 4."
    assert "s3://b/{0}: " in in_python.message

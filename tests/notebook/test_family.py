"""The magics at a glance."""

from __future__ import annotations

import pytest

from s3magic.errors import BadArgument
from s3magic.notebook.family import Family, asked
from s3magic.notebook.magics import names, verbs


def test_every_magic_is_in_the_table_with_its_twin():
    """In words and in HTML."""
    family = Family(tuple(verb for verb, _ in verbs()))

    text, html = repr(family), family._repr_html_()

    for verb, _ in verbs():
        assert f"%{verb.name} " in text
        assert f"<code>%{verb.name}</code>" in html
        assert verb.twin in text
    assert max(map(len, text.splitlines())) <= 88


@pytest.mark.parametrize("line", ["ls", "s3ls", "%s3ls", "ls -h", " ls --help"])
def test_a_name_asks_for_its_help(line):
    """With or without what all of them begin with."""
    assert asked(line, names()) == "s3ls"


def test_no_name_asks_for_all():
    assert asked("", names()) is None
    assert asked("-h", names()) is None


def test_another_word_is_refused_with_the_nearest():
    """And so is a line that was meant for the magic itself."""
    with pytest.raises(BadArgument, match=r"no magic %s3gett\. Did you mean %s3get\?"):
        asked("gett", names())
    with pytest.raises(BadArgument, match="Write %s3ls s3://b/"):
        asked("ls s3://b/", names())

"""JMESPath in which dates compare."""

from __future__ import annotations

import datetime as dt

import jmespath
import pytest
from hypothesis import given
from hypothesis import strategies as st

from s3magic.errors import BadQuery
from s3magic.listing.query import Query, search


def item(key, day, size=1):
    return {"Key": key, "Size": size, "LastModified": dt.datetime(2024, 1, day, 12, tzinfo=dt.UTC)}


ITEMS = [item("old", 1, 50), item("middle.pdf", 15, 200), item("new", 31, 3000)]


def keys(found):
    return [one["Key"] for one in found]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("Contents[?Size > `100`][]", ["middle.pdf", "new"]),
        ("Contents[?ends_with(Key, '.pdf')][]", ["middle.pdf"]),
        ("Contents[?LastModified > `2024-01-10`][]", ["middle.pdf", "new"]),
        ("Contents[?LastModified > '2024-01-10'][]", ["middle.pdf", "new"]),
        ('Contents[?LastModified > `"2024-01-10"`][]', ["middle.pdf", "new"]),
        ("Contents[?`2024-01-10` < LastModified]", ["middle.pdf", "new"]),
        ("Contents[?LastModified == '2024-01-15T12:00:00Z']", ["middle.pdf"]),
        ("Contents[?LastModified >= '2024-01-15T14:00:00+02:00']", ["middle.pdf", "new"]),
        ("Contents[?LastModified > '2024-01-15T14:00:00+02:00']", ["new"]),
        ("Contents[?LastModified < '2024-01-15 12:00:01']", ["old", "middle.pdf"]),
        ("Contents[?LastModified > '2024-01']", ["old", "middle.pdf", "new"]),
        ("Contents[?starts_with(LastModified, '2024-01-31')]", ["new"]),
        ("reverse(sort_by(Contents, &LastModified))[:2]", ["new", "middle.pdf"]),
        ("Contents[?Key > 'n' && LastModified > `2024-01-10`]", ["new"]),
    ],
)
def test_queries_find_what_they_say(query, expected):
    """Sizes, names and dates compare, whichever way the date is written."""
    assert keys(search(query, ITEMS)) == expected


def test_dates_are_dates_again_in_the_result():
    """Wherever a query puts a date, it comes back as one."""
    found = search("Contents[0].[Key, {when: LastModified}, LastModified]", ITEMS)

    moment = ITEMS[0]["LastModified"]
    assert found == ["old", {"when": moment}, moment]


def test_a_text_that_looks_like_a_date_stays_a_text():
    """Only what the listing held as a date comes back as one."""
    text = "2024-01-01T12:00:00.000000Z"

    found = search("Contents[].[Key, LastModified]", [ITEMS[0] | {"Key": text}])

    assert found == [[text, ITEMS[0]["LastModified"]]]


def test_a_date_beside_a_key_is_left_as_it_is_written():
    """Keys are often dates; a literal compared with a key is no time."""
    items = [item("2024-01-01", 1)]

    assert keys(search("Contents[?Key == '2024-01-01']", items)) == ["2024-01-01"]


def test_the_items_stay_as_they_are():
    """A search changes nothing of what it searched."""
    before = [dict(one) for one in ITEMS]

    search("sort_by(Contents, &LastModified)", ITEMS)

    assert before == ITEMS


def test_fractions_of_a_second_compare():
    """A time with a fraction is later than the same without."""
    late = ITEMS[0] | {"LastModified": dt.datetime(2024, 1, 1, 12, 0, 0, 500, tzinfo=dt.UTC)}

    assert search("Contents[?LastModified > '2024-01-01T12:00:00Z']", [ITEMS[0], late]) == [late]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("length(Contents)", [3]),
        ("sum(Contents[].Size)", [3250]),
        ("Contents[0]", [ITEMS[0]]),
        ("Contents[?Size > `9999`]", []),
        ("Contents[9]", []),
        ("max_by(Contents, &LastModified).Key", ["new"]),
    ],
)
def test_what_is_no_list_becomes_one(query, expected):
    """One value is a list of one; null is an empty list."""
    assert search(query, ITEMS) == expected


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("", "it is empty"),
        ("Contents[", "it ends too early"),
        ("Contents[?Size = `3`]", "it breaks at character 16"),
        ("Contents #", "it breaks at character 10"),
        ("Contents[?Size > '5']", "different kinds"),
        ("lenght(Contents)", "length()?"),
        ("length(@, @)", "expected 1 argument"),
        ("length(`1`)", "length() is given number"),
        ("sort_by(Contents, &Nope)", "sort_by() is given null"),
        ("Contents[::0]", "step cannot be zero"),
        ("(" * 5000, "nested too deeply"),
        ("[?Size > `5`]", "the objects are in Contents"),
        ("Contents[?LastModified > `yesterday`]", "'yesterday', which is no date"),
        ("Contents[?LastModified > `2024`]", "2024, which is no date"),
    ],
)
def test_a_query_that_cannot_be_answered_is_one_sentence(query, said):
    """Each refusal says what is wrong with the query, and how one reads."""
    with pytest.raises(BadQuery) as caught:
        search(query, ITEMS)

    assert said in str(caught.value)
    assert len(str(caught.value)) < 400


@given(st.text("ContentsSize[]?>`'\"\\.@&|{}()*,:! 123-", max_size=25))
def test_any_text_is_a_query_or_a_bad_query(text):
    """No other error leaves the search, whatever the text."""
    try:
        found = search(text, ITEMS)
    except BadQuery:
        return
    assert isinstance(found, list)


def test_a_bad_query_is_known_before_anything_is_searched():
    """A query is read when it is made, so a verb can refuse it before any request."""
    with pytest.raises(BadQuery):
        Query("Contents[?nope(Key)]")


def test_others_who_compile_the_same_query_get_what_they_wrote():
    """jmespath caches what it reads; its cache holds none of our dates."""
    expression = "Contents[?LastModified > '2024-01-10']"

    search(expression, ITEMS)

    texts = {"Contents": [{"LastModified": "2024-01-10"}, {"LastModified": "2024-01-11"}]}
    assert jmespath.search(expression, texts) == [{"LastModified": "2024-01-11"}]
    assert "T00:00" not in str(jmespath.compile(expression).parsed)

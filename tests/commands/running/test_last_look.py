"""The last look at what is to go: what it costs, and what it tells."""

from __future__ import annotations

import pytest

from cutting import through
from s3magic import settings
from s3magic.commands.running import last_look
from s3magic.commands.running.last_look import LastLook
from s3magic.errors import AccessDenied, ConnectionFailed, ObjectChanged
from s3magic.transfer.outcomes import Name

ONE = "c4ca4238a0b923820dcc509a6f75849b"  # the MD5 of "1"


@pytest.fixture
async def door(s3):
    """A door before the server, which counts."""
    async with through(s3.server) as (door, client):
        door.look = LastLook(client)
        yield door


@pytest.fixture
def short_pages(monkeypatch):
    """Pages of four keys, which are worth their request."""
    monkeypatch.setattr(last_look, "_WORTH", 2)
    before = settings.defaults()
    settings.change(page_size=4)
    yield
    settings.change(page_size=before.page_size)


def names(s3, *keys):
    return [Name(s3.bucket, key, etag=ONE) for key in keys]


def ends(outcomes):
    return {one.name.key: type(one.error) if one.error else "gone" for one in outcomes}


async def test_neighbours_cost_one_request(server, s3, door):
    """And those that are as they were are not told of."""
    keys = [f"t/{number:02}" for number in range(20)]
    for key in keys:
        s3.put(key, "1")
    s3.put("t/03", "new")

    told = await door.look(names(s3, *keys))

    assert ends(told) == {"t/03": ObjectChanged}
    assert door.count == 1


async def test_what_stands_by_itself_costs_one_request_each(server, s3, door):
    """Besides the page that showed so; what is between is not listed."""
    for number in range(5):
        s3.put(f"a/{number}", "1")
        s3.put(f"z/{number}", "1")
    s3.put("z/4", "new")

    told = await door.look(names(s3, "a/0", "gone", "z/4"))

    assert ends(told) == {"gone": "gone", "z/4": ObjectChanged}
    assert door.count <= 1 + 2


async def test_pages_go_on_where_the_next_key_is(moto, s3, door, short_pages):
    """However much lies between two crowds."""
    for folder in "abcdefg":
        for number in range(4):
            s3.put(f"{folder}/{number}", "1")

    told = await door.look(names(s3, *(f"{at}/{number}" for at in "ag" for number in range(4))))

    assert told == []
    assert door.count == 2


async def test_who_may_not_list_is_asked_key_by_key(server, s3, door):
    """And who may not look at all must not delete."""
    for key in ("a", "b"):
        s3.put(key, "1")

    door.cut("denied", 1)
    some = await door.look(names(s3, "a", "b"))
    door.cut("denied", 1, lasting=True)
    none = await door.look(names(s3, "a", "b"))

    assert some == []
    assert ends(none) == {"a": AccessDenied, "b": AccessDenied}


async def test_a_look_that_fails_ends_all(server, s3, door):
    """Nobody knows what is there."""
    for key in ("a", "b"):
        s3.put(key, "1")
    door.cut("unanswered", 1, lasting=True)

    told = await door.look(names(s3, "a", "b"))

    assert ends(told) == {"a": ConnectionFailed, "b": ConnectionFailed}
    assert door.count <= 4

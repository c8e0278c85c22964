"""Listing side by side: the keys and the order of one lane, for a few requests more."""

from __future__ import annotations

import asyncio
import random
from contextlib import aclosing

import pytest
from hypothesis import given
from hypothesis import strategies as st

from s3magic.errors import AccessDenied, ServerFault
from s3magic.listing import lanes
from s3magic.listing.lanes import side_by_side
from s3magic.listing.page import Page
from s3magic.listing.pages import Listing, pages

ORDERS = {"code points": str, "folder by folder": lambda key: key.replace("/", "\0")}
NASTY = st.one_of(
    st.text("ab01/ -.é😀", min_size=1, max_size=6),
    st.builds("f={:02}/p{:03}".format, st.integers(0, 9), st.integers(0, 40)),
    st.integers(0, 999).map("{:03}".format),
)


class Keys:
    """A key space in the order of some server, which gives pages and counts them.

    Args:
        keys: What there is; a test may change it at any time.
        size: Keys a page.
        order: How the server compares keys.
        seed: For how long each answer takes, in turns of the loop.
    """

    def __init__(self, keys, size=10, order=str, seed=0):
        self.keys = set(keys)
        self.size = size
        self.order = order
        self.asked = 0
        self.walks = 0
        self._turns = random.Random(seed)

    def listed(self):
        return sorted(self.keys, key=self.order)

    def answer(self, after):
        """Give what comes behind a key, a page of it, and whether there is more."""
        keys = [key for key in self.listed() if not after or self.order(key) > self.order(after)]
        return keys[: self.size], len(keys) > self.size

    async def walk(self, after):
        self.walks += 1
        more = True
        while more:
            self.asked += 1
            for _ in range(self._turns.randrange(6)):
                await asyncio.sleep(0)
            keys, more = self.answer(after)
            after = keys[-1] if keys else after
            yield page(keys, more)


def page(keys, more):
    nothing = [None] * len(keys)
    return Page(keys, [0] * len(keys), nothing, nothing, nothing, [], more)


async def collected(space, most=8, prefix=""):
    """List all, and see that nothing is left running."""
    try:
        async with aclosing(side_by_side(space.walk, prefix, most)) as found:
            return [key async for one in found for key in one.keys]
    finally:
        assert asyncio.all_tasks() == {asyncio.current_task()}


@pytest.fixture(scope="module", autouse=True)
def _near():
    """Cut every other page, so that a few keys are enough to split a listing."""
    with pytest.MonkeyPatch.context() as monkeypatch:
        monkeypatch.setattr(lanes, "_SPAN", 2)
        monkeypatch.setattr(lanes, "_LEAST", 1)
        yield


@given(
    keys=st.sets(NASTY, max_size=60),
    size=st.integers(1, 4),
    order=st.sampled_from(sorted(ORDERS)),
    most=st.integers(1, 5),
    seed=st.integers(0, 1000),
)
def test_every_key_comes_once_in_the_servers_order(keys, size, order, most, seed):
    """Whatever the keys, the order and how long answers take."""
    space = Keys(keys, size, ORDERS[order], seed)

    found = asyncio.run(collected(space, most))

    assert found == space.listed()


@given(
    staying=st.sets(NASTY, min_size=20, max_size=50),
    passing=st.lists(NASTY, min_size=1, max_size=40),
    order=st.sampled_from(sorted(ORDERS)),
    seed=st.integers(0, 1000),
)
def test_beside_writers_what_stays_comes_once(staying, passing, order, seed):
    """Keys that come and go may be listed or not; the others are, in order, and once."""

    class Busy(Keys):
        def answer(self, after):
            key = passing[self.asked % len(passing)]
            if key not in staying:
                self.keys ^= {key}
            return super().answer(after)

    space = Busy(staying, 3, ORDERS[order], seed)

    found = asyncio.run(collected(space))

    assert [key for key in found if key in staying] == sorted(staying, key=ORDERS[order])


@pytest.mark.parametrize("number", [0, 1, 10, 11, 20])
async def test_a_listing_of_two_pages_costs_two_requests(number):
    """Nothing is split before it is known to be long."""
    space = Keys(f"{n:05}" for n in range(number))

    assert await collected(space) == space.listed()

    assert space.walks == 1
    assert space.asked == max(1, -(-number // space.size))


KINDS = {
    "counter": [f"part-{n:06}" for n in range(20_000)],
    "folders": [f"f={n // 200:03}/{n % 200:04}" for n in range(20_000)],
    "words": [f"{w}/{n:04}" for w in ("ant", "bee", "cow", "dog") for n in range(5_000)],
    "many words": [f"{a}{b}/{n:03}" for a in "bdfgklmnpr" for b in "aeiouy" for n in range(130)],
    "sparse": [f"{random.Random(n).randrange(2**64):016x}/x" for n in range(20_000)],
    "deep": ["/".join(f"{random.Random(n).randrange(2**32):08x}") for n in range(20_000)],
    "thinning": [f"{n**6:030}" for n in range(20_000)],
    "one word": [f"{'x' * n}" for n in range(1, 400)],
}


@pytest.mark.parametrize("kind", KINDS)
async def test_a_long_listing_costs_few_requests_more(kind, monkeypatch):
    """At most one more in sixteen, and two, however the keys lie."""
    monkeypatch.setattr(lanes, "_SPAN", 16)
    monkeypatch.setattr(lanes, "_LEAST", 4)
    space = Keys(KINDS[kind], 100 if kind != "one word" else 2)
    needed = -(-len(space.keys) // space.size)

    found = await collected(space, 16)

    assert found == space.listed()
    assert space.asked <= needed + 2 + needed // 14


@pytest.mark.parametrize("kind", ["counter", "folders", "sparse", "deep"])
async def test_a_long_listing_takes_a_part_of_the_time(kind, monkeypatch):
    """Answers that take one turn each come in a third as many turns, or fewer."""
    monkeypatch.setattr(lanes, "_SPAN", 16)
    turns = [asyncio.Event()]

    class Slow(Keys):
        async def walk(self, after):
            async for one in super().walk(after):
                await turns[-1].wait()
                yield one

    async def clock():
        while True:
            for _ in range(40):  # whatever one answer sets off has happened by then
                await asyncio.sleep(0)
            turns.append(asyncio.Event())
            turns[-2].set()

    ticking = asyncio.create_task(clock())
    space = Slow(KINDS[kind], 100)

    async with aclosing(side_by_side(space.walk, "", 16)) as found:
        keys = [key async for one in found for key in one.keys]
    ticking.cancel()

    assert keys == space.listed()
    assert len(turns) < len(keys) / 100 / 3


async def test_a_server_that_knows_no_start_is_listed_by_one_lane():
    """It gives its first page again; that is seen, and asked for once."""

    class Simple(Keys):
        async def walk(self, _after):
            async for one in super().walk(""):
                yield one

    space = Simple(f"{n:05}" for n in range(300))

    assert await collected(space) == space.listed()

    assert space.asked <= 30 + 2


async def test_a_lane_that_is_refused_is_given_up():
    """A server that denies a start still lists from the beginning."""

    class Strict(Keys):
        async def walk(self, after):
            if after:
                self.asked += 1
                raise AccessDenied("no")
            async for one in super().walk(after):
                yield one

    space = Strict(f"{n:05}" for n in range(300))

    assert await collected(space) == space.listed()

    assert space.asked == 30 + 1


async def test_an_error_of_one_lane_ends_the_others():
    """It is raised once what came before it was given, and nothing goes on."""

    class Failing(Keys):
        async def walk(self, after):
            async for one in super().walk(after):
                if after and self.asked > 12:
                    raise ServerFault("broken")
                yield one

    space = Failing(f"{n:05}" for n in range(1000))

    with pytest.raises(ServerFault, match="broken"):
        await collected(space)


async def test_any_other_error_is_raised_too():
    """A fault of our own is no reason to list for ever."""

    class Failing(Keys):
        async def walk(self, after):
            async for one in super().walk(after):
                if self.asked > 12:
                    raise ZeroDivisionError
                yield one

    with pytest.raises(ZeroDivisionError):
        await collected(Failing(f"{n:05}" for n in range(1000)))


async def test_nothing_goes_on_when_the_reader_stops():
    """Whoever leaves the generator leaves no task behind."""
    space = Keys(f"{n:05}" for n in range(5000))

    async with aclosing(side_by_side(space.walk, "", 8)) as found:
        async for _ in found:
            if space.walks > 3:
                break

    assert asyncio.all_tasks() == {asyncio.current_task()}


async def test_nothing_goes_on_when_the_reader_is_cancelled():
    """A cancelled listing ends its lanes before it ends."""
    space = Keys(f"{n:05}" for n in range(5000))
    split = asyncio.Event()

    async def read():
        async with aclosing(side_by_side(space.walk, "", 8)) as found:
            async for _ in found:
                if space.walks > 3:
                    split.set()

    reading = asyncio.create_task(read())
    await split.wait()
    reading.cancel()
    with pytest.raises(asyncio.CancelledError):
        await reading

    assert asyncio.all_tasks() == {asyncio.current_task()}


async def test_a_lane_whose_first_page_vanished_is_passed():
    """The lane before it lists what is left of its keys, up to the one behind it, once."""
    begun = asyncio.Event()

    class Vanishing(Keys):
        async def walk(self, after):
            number = 0
            async for one in super().walk(after):
                number += 1
                if not after and number == 2:
                    yield one
                    await begun.wait()
                    continue
                if after and number == 1:
                    cuts.append((after, list(one.keys)))
                    if len(cuts) == 2:
                        space.keys -= {*cuts[0][1]}
                        begun.set()
                yield one

    cuts = []
    space = Vanishing(f"{n:05}" for n in range(500))

    found = await collected(space, 4)

    staying = space.listed()
    assert [key for key in found if key in space.keys] == staying
    assert {*cuts[0][1]}.isdisjoint(staying)


async def test_lanes_far_ahead_wait_for_a_slow_reader(monkeypatch):
    """Only so many pages are held; the others are not asked for before there is room."""
    monkeypatch.setattr(lanes, "_HELD", 12)
    space = Keys(f"{n:05}" for n in range(5000))

    async with aclosing(side_by_side(space.walk, "", 4)) as found:
        await anext(found)
        for _ in range(2000):
            await asyncio.sleep(0)
        asked = space.asked
        rest = [key async for one in found for key in one.keys]

    assert asked <= 12 + 4 + 1
    assert len(rest) == 5000 - space.size


async def test_a_key_that_comes_twice_is_an_error():
    """A server that goes back to where another lane has been contradicts itself."""

    circled = asyncio.Event()

    class Circling(Keys):
        async def walk(self, after):
            opening = True
            async for one in super().walk(after):
                if after and not opening:
                    circled.set()
                    one.keys.insert(0, "00000")
                opening = False
                yield one

    space = Circling(f"{n:05}" for n in range(1000))

    async with aclosing(side_by_side(space.walk, "", 8)) as found:
        await anext(found)
        await circled.wait()  # the first lane is not read to its end
        with pytest.raises(ServerFault, match="twice"):
            async for _ in found:
                pass


TREE = [
    *("a b", "a-b", "a/b", "a/b c", "a/b/c", "a.b", "a+b", "a%20b", "é/1", "é1", "😀", "z'\""),
    *(f"n={number:02}/x {part}" for number in range(7) for part in range(3)),
    *(f"{number:03}" for number in range(12)),
]


@pytest.mark.parametrize("page_size", [1, 2, 3])
async def test_a_real_server_gives_the_same_in_lanes(s3, server, client, page_size):
    """On each server the keys come in its own order, and with what it says of them."""
    for key in TREE:
        s3.put(key, key)
    asked = []
    client.meta.events.register("before-send.s3.ListObjectsV2", lambda **_: asked.append(1))
    listing = Listing(s3.bucket, page_size=page_size)

    alone = [page async for page in pages(client, listing, lanes=1)]
    needed = len(asked)
    beside = [page async for page in pages(client, listing, lanes=4)]

    assert rows(beside) == rows(alone)
    assert [page.more for page in beside] == [True] * (len(beside) - 1) + [False]
    assert needed < len(asked) - needed <= needed + 2 + needed // 2


def rows(found):
    return [row for page in found for row in zip(page.keys, page.sizes, page.etags, strict=True)]


@pytest.mark.parametrize(
    "options", [{"delimiter": "/"}, {"versions": True}, {"start_after": "a"}], ids=str
)
async def test_what_is_not_flat_is_listed_by_one_lane(s3, client, options):
    """Folders, versions and a start of the user's come a page at a time."""
    for key in TREE:
        s3.put(key, "")
    asked = []
    client.meta.events.register("before-send.s3", lambda **_: asked.append(1))
    listing = Listing(s3.bucket, page_size=2, **options)

    found = [page async for page in pages(client, listing)]

    assert len(asked) == len(found)

"""The level of concurrency, on servers of which it knows nothing. No waiting: the time is ours."""

from __future__ import annotations

import heapq
import itertools
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from s3magic.settings import KiB, MiB
from s3magic.transfer.level import Level


class Clock:
    """A time that passes when it is told to."""

    def __init__(self):
        self.now = 1000.0

    def __call__(self):
        return self.now


class Simulated:
    """A server, and a client that always has more to ask for.

    Args:
        latency: Seconds that a request takes where nothing holds it up.
        capacity: Requests served side by side; more of them share what there is.
        refusing: Requests in flight above which it says 503.
        size: Bytes of an object.
        most: What the level may not exceed.
        jitter: By how much the times vary.
    """

    def __init__(
        self, latency, *, capacity=10_000, refusing=10_000, size=4 * KiB, most=256, jitter=0.1
    ):
        self.clock = Clock()
        self.level = Level(most, clock=self.clock)
        self.latency, self.capacity, self.refusing, self.size = latency, capacity, refusing, size
        self.jitter, self.random = jitter, random.Random(7)
        self.numbers = itertools.count()
        self.ends = []
        self.done = self.refused = 0
        self.seen = set()

    def run(self, seconds):
        """Let time pass; gives how many requests were done and refused meanwhile."""
        level, until = self.level, self.clock.now + seconds
        done, refused = self.done, self.refused
        while True:
            while len(self.ends) < level.limit:
                self._begin()
            level.wanted()
            if self.ends[0][0] > until:
                self.clock.now = until
                return self.done - done, self.refused - refused
            self.clock.now, _, took = heapq.heappop(self.ends)
            if took is None:
                self.refused += 1
                level.throttled()
            else:
                self.done += 1
                level.done(self.size, took)
            self.seen.add(level.limit)
            assert 1 <= level.limit <= level.most

    def _begin(self):
        flying = len(self.ends) + 1
        took = self.latency * max(1.0, flying / self.capacity)
        took *= self.random.uniform(1, 1 + self.jitter)
        if flying > self.refusing:
            heapq.heappush(self.ends, (self.clock.now + self.latency, next(self.numbers), None))
        else:
            heapq.heappush(self.ends, (self.clock.now + took, next(self.numbers), took))


@pytest.mark.parametrize("latency", [0.005, 0.05, 0.3])
def test_it_grows_while_nothing_but_the_distance_is_in_the_way(latency):
    """To the most there may be, within a few round trips."""
    server = Simulated(latency)

    server.run(12 * latency)

    assert server.level.limit == 256


@pytest.mark.parametrize(("latency", "capacity"), [(0.001, 4), (0.01, 4), (0.05, 16), (0.05, 40)])
def test_it_stays_where_more_does_not_pay(latency, capacity):
    """A few times what the server does side by side, and not the most there may be."""
    server = Simulated(latency, capacity=capacity, most=10_000)

    server.run(60)
    limits = []
    for _ in range(100):
        server.run(1)
        limits.append(server.level.limit)

    limits.sort()
    assert capacity <= limits[50] <= 8 * capacity


def test_luck_does_not_keep_it_high():
    """What a busy server's noise has let through is taken back, though nothing is refused."""
    simulated = Simulated(0.5, capacity=4, size=8 * MiB, jitter=0.6)
    simulated.run(20)
    simulated.level.limit = 64  # as after three steps that seemed to pay
    simulated.level._before = 0
    simulated.run(400)

    assert simulated.level.limit <= 16


def test_it_gets_all_that_the_server_can_do():
    """Nine tenths at least."""
    server = Simulated(0.05, capacity=100)

    server.run(5)
    done, _ = server.run(20)

    assert done > 0.9 * 20 * 100 / 0.05 / 1.05


@pytest.mark.parametrize("latency", [0.002, 0.02, 0.1, 0.4])
@pytest.mark.parametrize("refusing", [3, 10, 24, 100])
def test_a_server_that_refuses_is_not_hammered(latency, refusing):
    """Few requests are refused, and the level is near what the server takes."""
    server = Simulated(latency, refusing=refusing)

    server.run(200 * latency)
    done, refused = server.run(600 * latency)

    assert refused < 0.1 * (done + refused)
    assert refusing / 3 <= server.level.limit <= 2 * refusing
    assert done > 0.4 * 600 * refusing / 1.05


def test_a_burst_of_refusals_halves_it_once():
    """All that were in flight are refused at about the same time, and say the same."""
    clock = Clock()
    level = Level(256, 64, clock=clock)
    for _ in range(64):
        level.throttled()
        clock.now += 0.002

    assert level.limit == 32


def test_refusals_that_come_faster_than_answers_halve_it_once_too():
    """A queue of requests, each refused at once, in the time that one takes that is not."""
    clock = Clock()
    level = Level(256, 64, clock=clock)
    level.done(4 * KiB, 0.02)
    for _ in range(500):
        level.throttled()
        clock.now += 0.00003

    assert level.limit == 32


def test_refusals_that_go_on_halve_it_again():
    """Down to one, and never to none."""
    clock = Clock()
    level = Level(256, 64, clock=clock)
    limits = []
    for _ in range(3000):
        level.throttled()
        clock.now += 0.01
        limits.append(level.limit)

    assert limits[-1] == 1
    assert sorted(set(limits), reverse=True) == [32, 16, 8, 4, 2, 1]


def test_refusals_count_on_a_fast_server_too():
    """Between answers of a millisecond each."""
    clock = Clock()
    level = Level(256, 64, clock=clock)
    for number in range(400):
        clock.now += 0.0001
        level.wanted()
        if number % 4:
            level.done(4 * KiB, 0.001)
        else:
            level.throttled()

    assert level.limit < 64


def test_it_climbs_back_when_the_server_takes_more_again():
    """A busy hour passes."""
    server = Simulated(0.05, refusing=5)
    server.run(20)
    assert server.level.limit < 12

    server.refusing = 10_000
    server.run(120)

    assert server.level.limit > 60


def test_it_comes_down_when_the_server_takes_less():
    """However high it was."""
    server = Simulated(0.02)
    server.run(5)
    assert server.level.limit == 256

    server.refusing = 8
    server.run(5)
    done, refused = server.run(20)

    assert server.level.limit <= 16
    assert refused < 0.1 * (done + refused)


def test_it_does_not_grow_where_nobody_wants_more():
    """A verb of three objects says nothing of the server."""
    clock = Clock()
    level = Level(256, clock=clock)
    for _ in range(1000):
        clock.now += 0.05
        level.done(4 * KiB, 0.05)

    assert level.limit == Level(256).limit


def test_it_begins_no_higher_than_it_may_be():
    """A user who says three means three."""
    assert Level(3).limit == 3
    assert Level(1).limit == 1


def test_objects_of_all_sizes_do_not_look_like_a_queue():
    """A large one takes longer than a small one, and waits for nobody."""
    clock, sizes = Clock(), itertools.cycle([(1 * KiB, 0.05), (8 * MiB, 0.6)])
    level = Level(256, clock=clock)

    for _ in range(10):
        clock.now += 0.6
        for _ in range(level.limit):
            level.wanted()
            level.done(*next(sizes))

    assert level.limit == 256


@given(
    most=st.integers(1, 300),
    events=st.lists(
        st.tuples(
            st.sampled_from(["done", "throttled", "wanted", "pass"]),
            st.floats(0, 100),
            st.integers(0, 2**40),
        ),
        max_size=300,
    ),
)
def test_it_is_never_none_and_never_more_than_it_may_be(most, events):
    """Whatever happens, in whatever order, at whatever speed; the clock may stand still."""
    clock = Clock()
    level = Level(most, clock=clock)
    for what, seconds, size in events:
        if what == "done":
            level.done(size, seconds)
        elif what == "throttled":
            level.throttled()
        elif what == "wanted":
            level.wanted()
        else:
            clock.now += seconds
        assert 1 <= level.limit <= most

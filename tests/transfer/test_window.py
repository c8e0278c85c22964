"""Lanes and slots: bounded, in order, and nothing left running, whatever ends them."""

from __future__ import annotations

import asyncio
import threading
from collections import deque

import pytest
from hypothesis import given
from hypothesis import strategies as st

from s3magic.transfer.disk import in_thread
from s3magic.transfer.level import Level
from s3magic.transfer.window import Slots, ahead, each, results, stream


async def turns(number):
    """Let others run so many times."""
    for _ in range(number):
        await asyncio.sleep(0)


def others():
    return asyncio.all_tasks() - {asyncio.current_task()}


@given(
    waits=st.lists(st.integers(0, 6), max_size=30),
    lanes=st.integers(1, 8),
)
def test_each_does_all_in_order_and_never_more_at_once_than_lanes(waits, lanes):
    """Items begin in their order, on every lane that there is, and all are done."""

    async def scenario():
        begun, ended, running, most = [], [], 0, 0

        async def work(item):
            nonlocal running, most
            number, wait = item
            begun.append(number)
            running += 1
            most = max(most, running)
            await turns(wait)
            running -= 1
            ended.append(number)

        await each(stream(enumerate(waits)), work, lanes)
        return begun, ended, most

    begun, ended, most = asyncio.run(scenario())

    assert begun == list(range(len(waits)))
    assert sorted(ended) == begun
    assert most <= lanes
    assert len(waits) < 2 * lanes or min(waits) == 0 or most == lanes


@given(
    failing=st.integers(0, 9),
    stubborn=st.integers(0, 9),
    cancel_after=st.integers(0, 40),
    lanes=st.integers(1, 5),
)
def test_each_leaves_nothing_running_and_loses_no_cancellation(
    failing, stubborn, cancel_after, lanes
):
    """Errors, errors of the clean-up and cancellations in any order: one of them comes out."""

    async def scenario():
        closed = False

        async def items():
            nonlocal closed
            try:
                for number in range(10):
                    yield number
                    await asyncio.sleep(0)
            finally:
                closed = True

        async def work(number):
            try:
                await turns(5)
                if number == failing:
                    raise ValueError(number)
            finally:
                if number == stubborn:
                    await turns(3)
                    raise OSError(number)

        task = asyncio.create_task(each(items(), work, lanes))
        await turns(cancel_after)
        early = not task.done()
        task.cancel()
        await asyncio.wait([task])
        assert closed or task.cancelled()
        assert not others()
        return task, early

    task, early = asyncio.run(scenario())

    assert task.cancelled() or not early
    assert task.cancelled() or isinstance(task.exception(), ValueError | OSError)


async def test_each_raises_the_first_error_and_cancels_the_others():
    """The others hear of it in their `finally`, before it is raised."""
    seen = []

    async def work(number):
        if number == 2:
            raise ValueError("the first")
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            seen.append(number)
            raise OSError("of the clean-up") from None

    with pytest.raises(ValueError, match="the first"):
        await each(stream(range(9)), work, 3)

    assert sorted(seen) == [0, 1]


async def test_each_does_not_pass_over_work_that_was_cancelled_from_within():
    """A lane that ends so must not let the rest be forgotten."""

    async def work(number):
        if number == 1:
            raise asyncio.CancelledError

    with pytest.raises(asyncio.CancelledError):
        await each(stream(range(4)), work, 1)


async def test_each_waits_for_the_clean_up_however_often_it_is_cancelled():
    """A second interrupt does not leave the first one's clean-up behind."""
    cleaned = []

    async def work(number):
        try:
            await asyncio.Event().wait()
        finally:
            await turns(20)
            cleaned.append(number)

    task = asyncio.create_task(each(stream(range(3)), work, 3))
    await turns(5)
    for _ in range(5):
        task.cancel()
        await turns(2)
    await asyncio.wait([task])

    assert task.cancelled()
    assert sorted(cleaned) == [0, 1, 2]


async def test_ahead_gives_all_in_order_and_then_the_error():
    """A plan that fails late does not take back what it gave."""

    async def items():
        for number in range(5):
            yield number
            await asyncio.sleep(0)
        raise ValueError("page 2")

    given_ones, waiting = [], deque()

    async def use():
        async for item in ahead(items(), waiting):
            given_ones.append(item)  # noqa: PERF401 - those before the error count

    with pytest.raises(ValueError, match="page 2"):
        await use()

    assert given_ones == [0, 1, 2, 3, 4]
    assert not others()


async def test_ahead_asks_for_more_than_is_used():
    """What is planned is counted before it is done."""
    waiting = deque()
    planned = ahead(stream(range(50)), waiting)

    await anext(planned)
    await turns(60)

    assert len(waiting) == 49
    await planned.aclose()
    assert not others()


@given(
    pieces=st.lists(
        st.tuples(st.integers(0, 15), st.integers(0, 5), st.none() | st.integers(0, 12)),
        max_size=25,
    ),
    requests=st.integers(1, 4),
)
def test_slots_keep_to_the_budget_and_lose_none_to_a_cancellation(pieces, requests):
    """Pieces of any size, held for any time, cancelled at any moment or never."""
    budget = 10

    async def scenario():
        slots = Slots(Level(requests), budget)
        held, most_bytes, most_requests = [], 0, 0

        async def hold(memory, turns_held):
            nonlocal most_bytes, most_requests
            async with slots.take(memory):
                held.append(min(memory, budget))
                most_bytes = max(most_bytes, sum(held))
                most_requests = max(most_requests, len(held))
                try:
                    await turns(turns_held)
                finally:
                    held.remove(min(memory, budget))

        async def cancel(task, after):
            await turns(after)
            task.cancel()

        tasks = []
        for memory, turns_held, after in pieces:
            tasks.append(asyncio.create_task(hold(memory, turns_held)))
            if after is not None:
                tasks.append(asyncio.create_task(cancel(tasks[-1], after)))
        if tasks:
            await asyncio.wait_for(asyncio.gather(*tasks, return_exceptions=True), 10)
        return slots, most_bytes, most_requests

    slots, most_bytes, most_requests = asyncio.run(scenario())

    assert most_bytes <= budget
    assert most_requests <= requests
    assert (slots._busy, slots._memory) == (0, budget)
    assert not slots._queue


async def test_slots_are_given_in_the_order_in_which_they_were_asked_for():
    """A large piece is not starved by small ones behind it."""
    slots, order = Slots(Level(4), 10), []

    async def hold(memory):
        async with slots.take(memory):
            order.append(memory)
            await turns(3)

    await asyncio.gather(*(hold(memory) for memory in (6, 9, 1, 2)))

    assert order == [6, 9, 1, 2]


async def test_a_thread_is_waited_for_however_often_its_caller_is_cancelled():
    """No thread writes into a file that its owner has closed meanwhile."""
    begun, go, ended = asyncio.Event(), threading.Event(), []
    loop = asyncio.get_running_loop()

    def work():
        loop.call_soon_threadsafe(begun.set)
        go.wait(30)
        ended.append(True)

    task = asyncio.create_task(in_thread(work))
    await begun.wait()
    for _ in range(3):
        task.cancel()
        await turns(5)
    still = not task.done()
    go.set()
    await asyncio.wait([task])

    assert still
    assert ended == [True]
    assert task.cancelled()


async def test_results_come_as_they_are_done():
    """Whatever their order; and no more than so many at once."""
    gates = [asyncio.Event() for _ in range(3)]
    begun = []

    async def work(number):
        begun.append(number)
        await gates[number].wait()
        return number

    found = results(stream(range(3)), work, 2)
    gates[1].set()
    first = await anext(found)
    gates[2].set()
    second = await anext(found)
    gates[0].set()

    assert [first, second] == [1, 2]
    assert [one async for one in found] == [0]
    assert begun == [0, 1, 2]


async def test_an_error_comes_behind_the_results_before_it():
    """And ends them."""

    async def work(number):
        if number == 2:
            raise ValueError
        return number

    found = results(stream(range(5)), work, 1)

    assert [await anext(found), await anext(found)] == [0, 1]
    with pytest.raises(ValueError):  # noqa: PT011 - it has no words
        await anext(found)


async def test_results_that_nobody_wants_any_more_are_cancelled():
    """Nothing goes on when the reader leaves."""
    ended = []

    async def work(number):
        try:
            if number:
                await asyncio.Event().wait()
            return number
        finally:
            ended.append(number)

    found = results(stream(range(2)), work, 2)
    await anext(found)
    await found.aclose()

    assert ended == [0, 1]


async def test_room_that_is_not_used_is_the_next_ones():
    """A lane that waited for it, and then found no more to do, must not keep others waiting."""
    slots, order = Slots(Level(1), 10), []

    async def lane(name):
        await slots.room()
        order.append(name)

    async with slots.take(1):
        waiting = [asyncio.create_task(lane(name)) for name in "abc"]
        await asyncio.sleep(0)

    async with asyncio.timeout(20):
        await asyncio.gather(*waiting)

    assert order == ["a", "b", "c"]

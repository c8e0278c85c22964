"""Lanes: blocking work in threads, as much at once as is allowed, and every end is heard."""

from __future__ import annotations

import _thread
import asyncio
import contextlib
import errno
import os
import socket
import sys
import threading
import time

import pytest

from raw import DEADLINE
from s3magic.wire.answer import Unplain
from s3magic.wire.lanes import Lanes
from s3magic.wire.order import Order


class Limit:
    """A limit that a test changes."""

    def __init__(self, value):
        self.value = value

    def __call__(self):
        return self.value


@pytest.fixture
async def lanes():
    """Lanes of three; at the end their threads must end."""
    before = set(threading.enumerate())
    limit = Limit(3)
    made = Lanes(limit)
    made.limit = limit
    yield made
    made.close()
    async with asyncio.timeout(DEADLINE):  # no join: one may be about to begin
        while any(  # noqa: ASYNC110 - nobody tells
            thread.name == "s3magic-lane" for thread in set(threading.enumerate()) - before
        ):
            await asyncio.sleep(0.005)


async def test_work_is_done_where_the_system_has_no_more_threads(lanes, monkeypatch):
    """By the one that was to begin the next."""

    def refuse(_thread):
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", refuse)

    assert await asyncio.wait_for(lanes.do(lambda _order: 7), DEADLINE) == 7


async def test_an_order_for_which_there_is_no_thread_at_all_is_taken_back(lanes, monkeypatch):
    """The ordinary way does it, and none other does it too."""

    def refuse(*_):
        raise RuntimeError("can't start new thread")

    done = []
    with monkeypatch.context() as patch:
        patch.setattr(_thread, "start_new_thread", refuse)
        with pytest.raises(Unplain):
            lanes.put(done.append, lambda *_: None)

    assert await within(lanes.do(lambda _order: 7)) == 7
    assert done == []
    assert lanes.news._under_way == 0


async def test_a_small_order_for_which_there_is_no_reactor_is_refused(lanes, monkeypatch):
    """The next one may find one."""

    def refuse(*_):
        raise OSError(errno.EMFILE, "Too many open files")

    with monkeypatch.context() as patch:
        patch.setattr(socket, "socketpair", refuse)
        with pytest.raises(Unplain):
            lanes.put_small(None, lambda *_: None)

    assert lanes.news._under_way == 0
    assert lanes._reactor is None


async def test_the_end_of_a_small_order_for_which_there_is_no_thread_is_told(lanes, monkeypatch):
    """Else nobody would ever hear of it."""
    told = asyncio.get_running_loop().create_future()
    order = Order(lanes, None, lambda _result, error: told.set_result(error))

    def refuse(*_):
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(_thread, "start_new_thread", refuse)
    lanes._take_over(order, lambda: 1)

    assert isinstance(await within(told), Unplain)


async def test_orders_one_after_another_are_done_by_one_thread(lanes):
    """It is idle again before anybody hears that it is done."""
    for number in range(50):
        assert await within(lanes.do(lambda _, n=number: n)) == number

    assert lanes._threads == 1


@pytest.mark.skipif(sys.platform != "linux", reason="niceness is a thread's own on Linux alone")
async def test_helper_threads_let_the_loop_come_first(lanes):
    """Where cores are too few; and nobody else's priority is touched."""

    def niceness(_order=None):
        return os.getpriority(os.PRIO_PROCESS, threading.get_native_id())

    before = niceness()

    theirs = await lanes.do(niceness)

    assert theirs == min(before + 5, 19)
    assert niceness() == before


async def test_a_thread_is_idle_before_its_end_is_heard(lanes):
    """However long it takes to come back for the next order, that one begins no other."""
    post, following = lanes.news.post, threading.Event()

    def held(*what):
        post(*what)
        assert following.wait(DEADLINE)

    lanes.news.post = held
    assert await within(lanes.do(lambda _: 1)) == 1
    ended = asyncio.ensure_future(lanes.do(lambda _: 2))
    await asyncio.sleep(0)  # it is put

    assert lanes._threads == 1
    following.set()
    assert await within(ended) == 2


async def test_lanes_do_not_wait_for_what_holds_those_of_another(lanes):
    """As it is in the child of a fork, where the holder is not."""
    other = Lanes(lambda: 1)
    with other.lock:
        assert await within(lanes.do(lambda order: order.enter() or 7)) == 7
    other.close()


class Gate:
    """Work that tells when it has begun, and waits until it is let through."""

    def __init__(self):
        self.begun = threading.Semaphore(0)
        self.through = threading.Event()
        self.now = self.most = self.count = 0
        self._lock = threading.Lock()

    def __call__(self, _order):
        with self._lock:
            self.now += 1
            self.count += 1
            self.most = max(self.most, self.now)
        self.begun.release()
        assert self.through.wait(DEADLINE)
        with self._lock:
            self.now -= 1
        return self.count

    async def reached(self, number):
        """Wait until so many have begun."""
        for _ in range(number):
            assert await asyncio.to_thread(self.begun.acquire, timeout=DEADLINE)


class Line:
    """What an order uses: a thread waits on it until it is aborted."""

    def __init__(self):
        self.aborted = threading.Event()
        self.begun = threading.Event()

    def abort(self):
        self.aborted.set()

    def wait(self):
        self.begun.set()
        assert self.aborted.wait(DEADLINE)
        raise ConnectionResetError


async def within(awaitable):
    async with asyncio.timeout(DEADLINE):
        return await awaitable


async def test_results_and_errors_come_back(lanes):
    """To whoever asked."""

    def fail(_order):
        raise LookupError("lost")

    assert await within(lanes.do(lambda _: 7)) == 7
    with pytest.raises(LookupError, match="lost"):
        await within(lanes.do(fail))
    assert await within(asyncio.gather(*(lanes.do(lambda _, n=n: n) for n in range(100)))) == list(
        range(100)
    )


async def test_as_many_run_at_once_as_may_and_no_more(lanes):
    """However many wait."""
    gate = Gate()
    running = [asyncio.ensure_future(lanes.do(gate)) for _ in range(20)]
    await gate.reached(3)

    assert gate.now == 3
    gate.through.set()
    await within(asyncio.gather(*running))

    assert gate.most == 3
    assert gate.count == 20


async def test_a_limit_that_grows_is_used_at_once_by_what_comes(lanes):
    """More threads, where there is more to do."""
    first = Gate()
    running = [asyncio.ensure_future(lanes.do(first)) for _ in range(3)]
    await first.reached(3)
    lanes.limit.value = 6

    running += [asyncio.ensure_future(lanes.do(first)) for _ in range(5)]
    await first.reached(3)

    assert first.now == 6
    first.through.set()
    await within(asyncio.gather(*running))
    assert first.most == 6


async def test_a_limit_that_shrinks_is_kept_as_soon_as_something_ends(lanes):
    """And one that grows again brings the threads back."""
    first, second, third = Gate(), Gate(), Gate()
    running = [asyncio.ensure_future(lanes.do(first)) for _ in range(3)]
    await first.reached(3)
    lanes.limit.value = 1
    waiting = [asyncio.ensure_future(lanes.do(second)) for _ in range(5)]
    first.through.set()
    second.through.set()
    await within(asyncio.gather(*running, *waiting))

    # Three may each have taken one more before the first of them was gone.
    assert lanes._threads == 1
    lanes.limit.value = 3
    running = [asyncio.ensure_future(lanes.do(third)) for _ in range(3)]
    await third.reached(3)
    third.through.set()
    await within(asyncio.gather(*running))
    assert third.most == 3


async def test_what_is_cancelled_before_it_begins_never_begins(lanes):
    """Its turn passes."""
    gate, begun = Gate(), []
    running = [asyncio.ensure_future(lanes.do(gate)) for _ in range(3)]
    await gate.reached(3)
    late = asyncio.ensure_future(lanes.do(begun.append))
    await asyncio.sleep(0)

    late.cancel()
    await within(asyncio.wait([late]))

    assert late.cancelled()
    gate.through.set()
    await within(asyncio.gather(*running))
    assert await within(lanes.do(lambda _: "next")) == "next"
    assert begun == []


async def test_a_cancellation_ends_the_line_and_does_not_wait(lanes):
    """The thread lets go by itself."""
    line = Line()

    def work(order):
        order.use(line)
        line.wait()

    task = asyncio.ensure_future(lanes.do(work))
    assert await asyncio.to_thread(line.begun.wait, DEADLINE)

    task.cancel()
    await within(asyncio.wait([task]))

    assert task.cancelled()
    assert line.aborted.is_set()


async def test_a_cancelled_order_takes_no_line_any_more(lanes):
    """Nor does it enter anything."""
    gone, tried = threading.Event(), []

    def work(order):
        begun.release()
        assert gone.wait(DEADLINE)
        for step in (lambda: order.use(Line()), order.enter):
            try:
                step()
            except ConnectionAbortedError:
                tried.append("refused")
        over.set()

    begun, over = threading.Semaphore(0), threading.Event()
    task = asyncio.ensure_future(lanes.do(work))
    assert await asyncio.to_thread(begun.acquire, timeout=DEADLINE)
    task.cancel()
    await within(asyncio.wait([task]))
    gone.set()

    assert await asyncio.to_thread(over.wait, DEADLINE)
    assert tried == ["refused", "refused"]


async def test_what_was_entered_is_waited_for_however_often_it_is_cancelled(lanes):
    """No thread writes into a file that its owner has closed."""
    line, let_go, over = Line(), threading.Event(), []

    def work(order):
        order.use(line)
        order.enter()
        with contextlib.suppress(ConnectionResetError):
            line.wait()
        assert let_go.wait(DEADLINE)
        over.append(True)

    task = asyncio.ensure_future(lanes.do(work))
    assert await asyncio.to_thread(line.begun.wait, DEADLINE)
    for _ in range(3):
        task.cancel()
        await asyncio.sleep(0)
    assert line.aborted.is_set()
    assert not task.done()

    let_go.set()
    await within(asyncio.wait([task]))

    assert task.cancelled()
    assert over == [True]


async def test_a_line_that_was_let_go_is_not_ended_by_a_late_cancellation(lanes):
    """It is another's by then."""
    line, go = Line(), threading.Event()

    def work(order):
        order.use(line)
        order.use(None)
        order.enter()
        line.begun.set()
        assert go.wait(DEADLINE)

    task = asyncio.ensure_future(lanes.do(work))
    assert await asyncio.to_thread(line.begun.wait, DEADLINE)
    task.cancel()
    await asyncio.sleep(0)
    go.set()
    await within(asyncio.wait([task]))

    assert not line.aborted.is_set()


async def test_facts_are_heard_in_their_order_and_before_the_end(lanes):
    """All of them."""
    heard = []

    def work(order):
        for number in range(1000):
            order.tell(heard.append, number)
        return "end"

    heard.append(await within(lanes.do(work)))

    assert heard == [*range(1000), "end"]


async def test_nothing_is_heard_of_what_was_cancelled(lanes):
    """Its owner has gone."""
    heard, line, over = [], Line(), threading.Event()

    def work(order):
        order.use(line)
        try:
            line.wait()
        finally:
            order.tell(heard.append, "late")
            over.set()

    task = asyncio.ensure_future(lanes.do(work))
    assert await asyncio.to_thread(line.begun.wait, DEADLINE)
    task.cancel()
    await within(asyncio.wait([task]))
    assert await asyncio.to_thread(over.wait, DEADLINE)
    await within(lanes.do(lambda _: None))

    assert heard == []


async def test_an_end_is_heard_while_all_the_others_hang(lanes):
    """A queue that is long, and threads that all wait for a silent server."""
    first, gate = Gate(), Gate()
    running = [asyncio.ensure_future(lanes.do(first)) for _ in range(3)]
    await first.reached(3)
    ended = [asyncio.ensure_future(lanes.do(lambda _: "done")) for _ in range(3)]
    hanging = [asyncio.ensure_future(lanes.do(gate)) for _ in range(30)]
    await asyncio.sleep(0)
    lanes.news._heard = time.monotonic() + 3600  # the loop has heard of something this very moment
    first.through.set()

    try:
        assert await within(asyncio.gather(*ended)) == ["done"] * 3
        assert not any(task.done() for task in hanging)
    finally:
        gate.through.set()
        await within(asyncio.gather(*running, *hanging))


async def test_a_fact_is_heard_while_its_own_order_hangs(lanes):
    """Progress, behind which nothing comes for a while."""
    first, gate, heard = Gate(), Gate(), asyncio.Event()

    def work(order):
        order.tell(heard.set)
        gate(order)

    running = [asyncio.ensure_future(lanes.do(first)) for _ in range(3)]
    await first.reached(3)
    hanging = [asyncio.ensure_future(lanes.do(work)) for _ in range(30)]
    await asyncio.sleep(0)
    lanes.news._heard = time.monotonic() + 3600
    first.through.set()

    try:
        await within(heard.wait())
    finally:
        gate.through.set()
        await within(asyncio.gather(*running, *hanging))


async def test_an_end_that_cannot_be_told_does_not_keep_back_the_others(lanes):
    """A fault of ours in one callback is told by the loop, and the rest goes on."""
    told, loop = [], asyncio.get_running_loop()
    loop.set_exception_handler(lambda _, context: told.append(context["exception"]))
    try:

        def fault(*_):
            raise LookupError("ours")

        def work(order):
            order.tell(fault)
            return 1

        assert await within(lanes.do(work)) == 1
        assert [type(error) for error in told] == [LookupError]
    finally:
        loop.set_exception_handler(None)


async def test_threads_begin_when_they_are_needed_and_not_before():
    """A verb of nothing begins none."""
    before = set(threading.enumerate())
    made = Lanes(lambda: 64)

    assert set(threading.enumerate()) == before
    assert await within(made.do(lambda _: 1)) == 1
    assert len(set(threading.enumerate()) - before) == 1
    made.close()


def test_a_loop_that_has_gone_does_not_keep_a_thread():
    """What it would hear is said to nobody."""
    gate, begun = threading.Event(), threading.Event()

    async def scenario():
        made = Lanes(lambda: 2)

        def work(_order):
            begun.set()
            assert gate.wait(DEADLINE)

        made.put(work, lambda *_: None)
        await asyncio.to_thread(begun.wait, DEADLINE)
        made.close()

    asyncio.run(scenario())
    threads = [one for one in threading.enumerate() if one.name == "s3magic-lane"]
    gate.set()
    for thread in threads:
        thread.join(DEADLINE)

    assert not any(thread.is_alive() for thread in threads)

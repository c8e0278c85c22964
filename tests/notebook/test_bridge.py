"""The blocking bridge: values, errors, interrupts and its end, without a kernel."""

import asyncio
import contextvars
import signal
import subprocess
import sys
import threading
import time

import pytest

from s3magic.notebook.bridge import Bridge, on_caller


@pytest.fixture
def bridge():
    bridge = Bridge()
    yield bridge
    bridge.close()


def interrupt_here():
    signal.raise_signal(signal.SIGINT)


def test_value_comes_back_from_a_loop_in_another_thread(bridge):
    """The coroutine runs on the bridge's own loop, the same one each time."""

    async def where():
        return asyncio.get_running_loop(), threading.current_thread()

    loop, thread = bridge.run(where)

    assert bridge.run(where) == (loop, thread)
    assert loop is bridge.loop
    assert thread is not threading.current_thread()
    assert thread.daemon


def test_no_thread_is_started_before_it_is_needed():
    """A bridge that nobody used costs nothing and closes at once."""
    bridge = Bridge()

    bridge.close()

    assert bridge.loop is None


def test_error_comes_back_itself(bridge):
    """What the coroutine raises is raised in the caller, the very object."""
    error = LookupError("none")

    async def fail():
        raise error

    with pytest.raises(LookupError) as caught:
        bridge.run(fail)

    assert caught.value is error


def test_function_that_fails_before_its_coroutine_begins_does_not_hang(bridge):
    """A plain error of the call itself arrives as well."""

    def fail():
        raise LookupError("none")

    with pytest.raises(LookupError):
        bridge.run(fail)


def test_context_variables_are_carried_over(bridge):
    """The coroutine sees the caller's values; what it sets stays with it."""
    variable = contextvars.ContextVar("variable", default="unset")
    variable.set("caller's")

    async def read():
        seen = variable.get()
        variable.set("coroutine's")
        return seen

    assert bridge.run(read) == "caller's"
    assert variable.get() == "caller's"


async def test_it_works_inside_a_running_loop(bridge):
    """A thread whose own loop runs can still wait, as in a notebook."""
    assert bridge.run(lambda: asyncio.sleep(0, "value")) == "value"


def test_several_threads_can_wait_at_once(bridge):
    """Two callers share the helper thread; neither waits for the other."""
    first_is_in, second_was_in = threading.Event(), asyncio.Event()
    answers = []

    async def first():
        first_is_in.set()
        await second_was_in.wait()
        return "first"

    async def second():
        second_was_in.set()
        return "second"

    thread = threading.Thread(target=lambda: answers.append(bridge.run(first)))
    thread.start()
    first_is_in.wait(10)

    assert bridge.run(second) == "second"
    thread.join(10)
    assert answers == ["first"]


def test_waiting_in_the_helper_thread_is_an_error_and_no_deadlock(bridge):
    """It says that the coroutine is to be awaited."""

    async def nested():
        return bridge.run(lambda: asyncio.sleep(0))

    with pytest.raises(RuntimeError, match="Await it instead"):
        bridge.run(nested)


def test_calls_handed_over_run_in_order_on_the_waiting_thread(bridge):
    """All that was handed over has run when the value is there, and only then."""
    ran = []

    async def draw():
        for number in range(5):
            on_caller(lambda number=number: ran.append((number, threading.current_thread())))
        await asyncio.gather(*[asyncio.create_task(draw_from_a_child())])

    async def draw_from_a_child():
        on_caller(lambda: ran.append(("child", threading.current_thread())))

    bridge.run(draw)

    assert ran == [(n, threading.main_thread()) for n in [0, 1, 2, 3, 4, "child"]]


def test_call_handed_over_where_nobody_waits_runs_at_once():
    """Outside a bridge this thread is the caller."""
    ran = []

    on_caller(lambda: ran.append(1))

    assert ran == [1]


def test_error_in_a_call_handed_over_ends_the_wait(bridge):
    """The coroutine is cancelled, and the caller has the error."""
    cancelled = threading.Event()

    async def draw():
        on_caller(lambda: 1 / 0)
        try:
            await asyncio.get_running_loop().create_future()
        finally:
            cancelled.set()

    with pytest.raises(ZeroDivisionError):
        bridge.run(draw)

    assert cancelled.is_set()


@pytest.mark.parametrize("inside_a_loop", [False, True])
def test_interrupt_cancels_cleans_up_and_raises(bridge, inside_a_loop):
    """KeyboardInterrupt comes when the clean-up is done, and shows as one line."""
    cleaned = threading.Event()

    async def stall():
        on_caller(interrupt_here)
        try:
            await asyncio.get_running_loop().create_future()
        finally:
            await asyncio.sleep(0.05)
            cleaned.set()

    async def inside():
        # A kernel's handler, in a cell that awaits, raises nothing.
        asyncio.get_running_loop().add_signal_handler(signal.SIGINT, lambda: None)
        try:
            with pytest.raises(KeyboardInterrupt) as caught:
                bridge.run(stall)
        finally:
            asyncio.get_running_loop().remove_signal_handler(signal.SIGINT)
        return caught

    if inside_a_loop:
        caught = asyncio.run(inside())
    else:
        with pytest.raises(KeyboardInterrupt) as caught:
            bridge.run(stall)

    assert cleaned.is_set()
    assert caught.value._render_traceback_() == [
        "Interrupted: what was under way has been stopped."
    ]
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_interrupt_does_not_wait_for_a_long_clean_up_which_still_ends(bridge):
    """The caller is free within a second; the helper thread finishes what it began."""
    may_end, cleaned = threading.Event(), threading.Event()

    async def stall():
        on_caller(interrupt_here)
        try:
            await asyncio.get_running_loop().create_future()
        finally:
            await asyncio.to_thread(may_end.wait, 5)
            cleaned.set()

    started = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        bridge.run(stall)
    waited = time.monotonic() - started
    may_end.set()

    assert 0.5 < waited < 2
    assert cleaned.wait(10)


def test_close_cancels_cleans_up_in_reverse_and_joins():
    """Clean-ups run on the loop, last come first; one that fails harms no other."""
    bridge, log = Bridge(), []

    async def begin():
        async def stay():
            try:
                await asyncio.get_running_loop().create_future()
            finally:
                log.append("cancelled")

        bridge.task = asyncio.create_task(stay())
        await asyncio.sleep(0)
        return threading.current_thread()

    async def note(what):
        log.append(what)

    async def fail():
        raise RuntimeError("clean-up failed")

    thread = bridge.run(begin)
    loop = bridge.loop
    bridge.at_close(lambda: note("first"))
    bridge.at_close(fail)
    bridge.at_close(lambda: note("last"))

    bridge.close()

    assert log == ["cancelled", "last", "first"]
    assert not thread.is_alive()
    assert loop.is_closed()
    assert bridge.loop is None


def test_closed_bridge_starts_afresh(bridge):
    """After a reload of the extension it works again."""
    bridge.run(lambda: asyncio.sleep(0))
    bridge.close()

    assert bridge.run(lambda: asyncio.sleep(0, "again")) == "again"


def test_closing_while_somebody_waits_frees_them(bridge):
    """The waiting thread gets CancelledError rather than waiting for ever."""
    begun, raised = threading.Event(), []

    async def stall():
        begun.set()
        await asyncio.get_running_loop().create_future()

    def wait():
        try:
            bridge.run(stall)
        except asyncio.CancelledError as error:
            raised.append(type(error))

    thread = threading.Thread(target=wait)
    thread.start()
    begun.wait(10)
    bridge.close()
    thread.join(10)

    assert raised == [asyncio.CancelledError]


def test_process_that_ends_with_work_on_the_bridge_says_nothing():
    """At exit the rest is cancelled and cleaned up, and standard error stays empty."""
    script = """
import asyncio
from s3magic.notebook.bridge import Bridge

async def leave():
    async def stay():
        await asyncio.sleep(3600)
    leave.task = asyncio.create_task(stay())
    await asyncio.sleep(0)

async def clean_up():
    await asyncio.sleep(0)
    print("cleaned up")

bridge = Bridge()
bridge.run(leave)
bridge.at_close(clean_up)
print("end")
"""
    ended = subprocess.run(
        [sys.executable, "-X", "dev", "-c", script],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )

    assert (ended.stdout, ended.stderr) == ("end\ncleaned up\n", "")

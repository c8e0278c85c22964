"""Interrupting an awaited coroutine where nobody else handles SIGINT, without a kernel."""

import asyncio
import signal

import pytest

from s3magic.notebook.interrupts import interruptible


@pytest.fixture
def loop():
    loop = asyncio.new_event_loop()
    yield loop
    loop.close()


async def stall(log, *, interrupt=False):
    if interrupt:
        signal.raise_signal(signal.SIGINT)
    try:
        await asyncio.get_running_loop().create_future()
    finally:
        log.append("cleaned up")


def test_value_passes_through(loop):
    """A coroutine that nobody interrupts gives its value."""
    assert loop.run_until_complete(interruptible(asyncio.sleep(0, "value"))) == "value"


def test_interrupt_cancels_in_place_of_breaking_the_loop_off(loop):
    """Python's default handler would leave the coroutine on the loop; here it is cancelled."""
    log = []

    with pytest.raises(asyncio.CancelledError) as caught:
        loop.run_until_complete(interruptible(stall(log, interrupt=True), "Stopped."))

    assert log == ["cleaned up"]
    assert caught.value._render_traceback_() == ["Stopped."]
    assert not asyncio.all_tasks(loop)
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_interrupt_cancels_all_that_waits(loop):
    """Of several awaited together none stays behind, and the handler is put back once."""
    log = []

    async def together():
        await asyncio.gather(
            interruptible(asyncio.sleep(0)),
            interruptible(stall(log)),
            interruptible(interruptible(stall(log, interrupt=True))),
        )

    with pytest.raises(asyncio.CancelledError):
        loop.run_until_complete(together())

    assert log == ["cleaned up", "cleaned up"]
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_second_interrupt_breaks_off_what_does_not_let_the_loop_turn(loop):
    """Code that never awaits can still be stopped from the keyboard."""

    async def busy():
        signal.raise_signal(signal.SIGINT)
        signal.raise_signal(signal.SIGINT)

    with pytest.raises(KeyboardInterrupt):
        loop.run_until_complete(interruptible(busy()))

    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_handler_that_somebody_else_installed_stays(loop):
    """A kernel's own handler, or `asyncio.run`'s, is asked and not replaced."""
    seen = []
    before = signal.signal(signal.SIGINT, lambda *_: seen.append("theirs"))
    try:

        async def interrupted():
            signal.raise_signal(signal.SIGINT)

        loop.run_until_complete(interruptible(interrupted()))
    finally:
        signal.signal(signal.SIGINT, before)

    assert seen == ["theirs"]


def test_idle_loop_wakes_to_see_what_a_signal_left_for_it(loop):
    """A callback that does not wake the loop, as a kernel's, is run within a moment."""
    log = []

    def leave_a_note(*_):
        loop.call_soon(task.cancel)  # no write to the loop's own pipe

    before = signal.signal(signal.SIGALRM, leave_a_note)
    try:
        task = loop.create_task(interruptible(stall(log)))
        signal.setitimer(signal.ITIMER_REAL, 0.05)
        started = loop.time()
        with pytest.raises(asyncio.CancelledError):
            loop.run_until_complete(asyncio.wait_for(task, 30))
    finally:
        signal.signal(signal.SIGALRM, before)

    assert loop.time() - started < 5


def test_timeout_recognises_its_own_cancellation(loop):
    """`asyncio.timeout` looks for the very error that it caused."""

    async def timed():
        async with asyncio.timeout(0.01):
            await interruptible(stall([]))

    with pytest.raises(TimeoutError):
        loop.run_until_complete(timed())

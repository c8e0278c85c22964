"""What a meter knows, how it is put into words, and when it is drawn."""

from __future__ import annotations

import asyncio
import time

import pytest

from s3magic import settings
from s3magic.transfer.figures import read, share
from s3magic.transfer.progress import Meter
from s3magic.transfer.watching import watching


class Clock:
    """A clock that a test turns by hand."""

    def __init__(self):
        self.now = 1000.0

    def __call__(self):
        return self.now


class Recorder:
    """A display that keeps what it is told, and when."""

    def __init__(self, *, failing=False):
        self.drawn = []
        self.closed = []
        self._failing = failing
        self._wanted = 0
        self._reached = asyncio.Event()

    async def until(self, number):
        """Wait until it has been drawn so many times."""
        self._wanted = number
        async with asyncio.timeout(30):
            await self._reached.wait()

    def draw(self, meter):
        self.drawn.append(time.monotonic())
        if len(self.drawn) == self._wanted:
            self._reached.set()
        if self._failing:
            raise OSError("the screen is gone")

    def close(self, summary):
        self.closed.append(summary)
        if self._failing:
            raise OSError("the screen is gone")


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def at_once(monkeypatch):
    """Progress shows from the first moment."""
    before = settings.defaults()
    settings.change(progress_delay=0.0)
    yield
    settings.change(progress_delay=before.progress_delay, refresh=before.refresh)


def make(clock, **values):
    return Meter("Downloading", "Downloaded", clock=clock, **values)


def run_for(meter, clock, seconds, number, size):
    """Let `size` bytes a tenth of a second arrive, with a sample after each."""
    for _ in range(round(seconds * 10)):
        clock.now += 0.1
        meter.advance(number, size)
        meter.sample()


def test_rate_follows_the_last_seconds(clock):
    """A transfer that became ten times faster shows its new speed after the window."""
    meter = make(clock, files=1, size=10_000)
    number = meter.begin("a", 10_000)
    run_for(meter, clock, 10, number, 10)
    slow = meter.rate

    run_for(meter, clock, 5, number, 100)

    assert slow == pytest.approx(100, rel=0.01)
    assert meter.rate == pytest.approx(1000, rel=0.01)


def test_rate_falls_to_nothing_when_nothing_arrives(clock):
    """A stalled transfer shows no old speed and promises no end."""
    meter = make(clock, files=1, size=10_000)
    number = meter.begin("a", 10_000)
    run_for(meter, clock, 2, number, 10)

    run_for(meter, clock, 5, number, 0)

    assert meter.rate == 0
    assert meter.remaining is None


def test_bytes_of_an_earlier_run_count_as_done_and_not_as_speed(clock):
    """A resumed transfer starts where it was, at the speed of what moves now."""
    meter = make(clock, files=1, size=1000)
    number = meter.begin("a", 1000)
    meter.advance(number, 500, moved=False)

    run_for(meter, clock, 1, number, 10)

    assert meter.fraction == pytest.approx(0.6)
    assert meter.rate == pytest.approx(100, rel=0.01)
    assert meter.remaining == pytest.approx(4, rel=0.01)


def test_things_without_bytes_have_a_rate_and_an_end(clock):
    """Deleting 1,000 objects, 100 a second, leaves 8 seconds after 2."""
    meter = Meter("Deleting", "Deleted", "object", files=1000, clock=clock)

    for _ in range(20):
        clock.now += 0.1
        meter.tally(10)
        meter.sample()

    assert meter.fraction == pytest.approx(0.2)
    assert meter.rate == pytest.approx(100, rel=0.01)
    assert meter.remaining == pytest.approx(8, rel=0.01)


def test_nobody_knows_the_share_of_an_unknown_whole(clock):
    """A listing that streams has a count and no percentage."""
    meter = Meter("Listing", "Listed", "object", clock=clock)

    meter.tally(12_000)

    assert meter.fraction is None
    assert meter.remaining is None
    assert read(meter).counted == "12,000 objects"
    assert read(meter).percent == ""


def test_a_single_file_of_unknown_size_has_no_percentage(clock):
    """Its bytes are told while they come, and no 0% beside them."""
    meter = make(clock, files=1, size=0)
    number = meter.begin("a")

    meter.advance(number, 60)

    assert meter.fraction is None
    assert read(meter).size == "60 B"
    meter.learn(number, 100)
    assert meter.fraction == pytest.approx(0.6)


def test_a_failed_file_leaves_no_bytes_behind(clock):
    """What a failed or cancelled file had brought is not counted as done."""
    meter = make(clock, files=3, size=300)
    for status in ("done", "failed", "cancelled"):
        number = meter.begin(status, 100)
        meter.advance(number, 60)
        meter.finish(number, status)

    assert meter.done_size == 60
    assert (meter.done_files, meter.failed) == (1, 1)
    assert not meter.active


def test_a_skipped_file_is_no_longer_waited_for(clock):
    """Skipping one of two equal files leaves the other as the whole."""
    meter = make(clock, files=2, size=200)
    skipped, other = meter.begin("a", 100), meter.begin("b", 100)

    meter.finish(skipped, "skipped")
    meter.advance(other, 50)

    assert meter.fraction == pytest.approx(0.5)
    assert "1 skipped" in meter.summary


def test_a_piece_fetched_again_takes_its_bytes_back(clock):
    """A retry lowers what is done, and nothing falls below zero."""
    meter = make(clock, files=1, size=100)
    number = meter.begin("a", 100)
    meter.advance(number, 80)

    meter.advance(number, -80)

    assert meter.done_size == 0
    assert meter.fraction == 0


def test_summary_says_what_how_much_how_fast_and_what_failed(clock):
    """The line that stays is one sentence."""
    meter = make(clock, files=3, size=3_000_000)
    for status in ("done", "done", "failed"):
        number = meter.begin("a", 1_000_000)
        meter.advance(number, 1_000_000 if status == "done" else 0)
        meter.finish(number, status)
    clock.now += 2

    meter.ended = clock()

    assert meter.summary == "Downloaded 2 files, 2.0 MB in 2.0 s (1.0 MB/s), 1 failed."


def test_a_summary_of_nothing_boasts_no_speed(clock):
    """What was cancelled before anything was whole has no rate."""
    meter = make(clock, files=1, size=1000)
    number = meter.begin("a", 1000)
    run_for(meter, clock, 1, number, 10)
    meter.finish(number, "cancelled")

    meter.stop()

    assert meter.summary == "Downloaded 0 files, 0 B in 1.0 s, cancelled."


def test_percentage_is_a_hundred_only_at_the_end(clock):
    """99.9 % are 99, so that 100 % means done."""
    meter = make(clock, files=1, size=1000)
    number = meter.begin("a", 1000)
    meter.advance(number, 999)
    before = read(meter).percent

    meter.advance(number, 1)

    assert before == "99%"
    assert read(meter).percent == "100%"


def test_only_what_has_been_under_way_for_long_is_called_slow(clock):
    """Of many files the three oldest are named, oldest first; fresh ones are not."""
    meter = make(clock, files=100, size=100_000)
    for name in "abcd":
        meter.begin(name, 1000)
        clock.now += 0.1
    clock.now += 2
    meter.begin("fresh", 1000)

    slowest = read(meter).slowest

    assert [active.name for active in slowest] == ["a", "b", "c"]


def test_a_single_file_is_named_and_not_counted(clock):
    """For one file the name says more than `0 of 1 file`."""
    meter = make(clock, files=1, size=100)
    meter.begin("only.csv", 100)

    figures = read(meter)

    assert (figures.name, figures.counted, figures.slowest) == ("only.csv", "", ())


def test_a_size_that_is_too_small_draws_no_more_than_all_of_it(clock):
    """An object that grew since it was listed does not overflow its bar."""
    meter = make(clock, files=2, size=100)
    number = meter.begin("a", 10)

    meter.advance(number, 150)

    assert meter.fraction == 1
    assert share(meter.active[number]) == 1


def test_stop_asks_the_engine_and_says_so(clock):
    """What Cancel calls reaches the engine once, and shows at once."""
    calls = []
    meter = make(clock, files=1, size=100)
    meter.on_stop(lambda: calls.append("stop"))

    meter.stop()

    assert calls == ["stop"]
    assert read(meter).doing == "Cancelling…"
    assert meter.summary.endswith("cancelled.")


def test_a_stop_that_came_too_early_is_not_lost(clock):
    """Cancel clicked before the engine is there stops it as soon as it is."""
    calls = []
    meter = make(clock, files=1, size=100)
    meter.stop()

    meter.on_stop(lambda: calls.append("stop"))

    assert calls == ["stop"]


async def test_nothing_is_drawn_before_the_delay_and_the_summary_stays():
    """A short verb shows its line alone."""
    recorder = Recorder()

    async with watching(Meter("Downloading", "Downloaded", files=0), recorder):
        pass

    assert recorder.drawn == []
    assert len(recorder.closed) == 1
    assert recorder.closed[0].startswith("Downloaded 0 files")


async def test_a_short_verb_that_wants_to_be_quiet_leaves_no_line():
    """A listing that took no time says nothing but its frame."""
    recorder = Recorder()

    async with watching(Meter("Listing", "Listed"), recorder, quiet_if_short=True):
        pass

    assert recorder.closed == [""]


async def test_it_is_drawn_at_most_ten_times_a_second(at_once):
    """Not even a setting makes a front end draw more often."""
    settings.change(refresh=0.001)
    recorder = Recorder()

    async with watching(Meter("Downloading", "Downloaded", files=1), recorder):
        await recorder.until(6)

    assert recorder.drawn[5] - recorder.drawn[0] >= 0.5 - 0.01


async def test_a_cancelled_verb_says_so_in_its_line(at_once):
    """An interrupt leaves `cancelled` in the summary, as the button does."""
    recorder = Recorder()

    async def verb():
        async with watching(Meter("Downloading", "Downloaded", files=1), recorder):
            await asyncio.Event().wait()

    task = asyncio.create_task(verb())
    await recorder.until(1)
    task.cancel()

    with pytest.raises(asyncio.CancelledError):
        await task
    assert recorder.closed[0].endswith("cancelled.")


async def test_a_display_that_fails_ends_no_work(at_once, caplog):
    """A terminal that hung up costs a line in the log, not the transfer."""
    recorder = Recorder(failing=True)
    result = None

    async with watching(Meter("Downloading", "Downloaded", files=1), recorder):
        await recorder.until(2)
        result = "the bytes"

    assert result == "the bytes"
    assert "the work goes on" in caplog.text


async def test_the_ticker_ends_with_the_verb(at_once):
    """Neither a task nor a timer stays behind, however the block ends."""
    before = asyncio.all_tasks()
    loop = asyncio.get_running_loop()

    with pytest.raises(KeyError):
        async with watching(Meter("Downloading", "Downloaded", files=1), Recorder()):
            raise KeyError

    assert asyncio.all_tasks() == before
    assert all(timer.cancelled() for timer in loop._scheduled)

"""The notebook stays alive: a user's coroutine goes on ticking on the kernel's loop.

A late tick has three causes, and two of them are ours. The loop's thread works
for too long in one turn: that is its own processor time, which no busy machine
makes much longer. Or it waits for the interpreter's lock, which a helper thread
of ours holds. Or it waits for a processor, because other programs have them:
Linux says for how long, thread by thread, and that is taken off. What is left
can still be the machine's fault, if it takes the processor away from a thread
that has the lock; so a task gets a few tries. Code that holds the loop or the
lock holds it in all of them, as the last test here shows.
"""

import pytest
from kernels import Kernel, good, lay_out

from front import in_thread
from liar import Liar

pytestmark = pytest.mark.kernel

P99 = 0.025  # seconds that one gap in a hundred may exceed
LONGEST = 0.100
TRIES = 5
FILES = 1500  # about a second's worth, each way
SIZE = 128 << 20
KEYS = 80_000
ROWS = 40_000

WATCH = """
import asyncio, contextlib, os, threading, time

def waited(name=f"/proc/self/task/{threading.get_native_id()}/schedstat"):
    \"\"\"Seconds that the loop's thread has waited for a processor; 0 where nobody says.\"\"\"
    try:
        with open(name, "rb", buffering=0) as file:
            return int(file.read().split()[1]) / 1e9
    except OSError:
        return 0.0

@contextlib.asynccontextmanager
async def watching():
    gaps, turns, busy = [], [], []
    async def tick():
        last = time.perf_counter(), waited(), time.thread_time(), time.process_time()
        while True:
            await asyncio.sleep(0.005)
            now = time.perf_counter(), waited(), time.thread_time(), time.process_time()
            gaps.append(now[0] - last[0] - (now[1] - last[1]))
            turns.append(now[2] - last[2])
            busy.append(min(gaps[-1], now[3] - last[3]))
            last = now
    ticking = asyncio.create_task(tick())
    await asyncio.sleep(0.02)
    try:
        yield gaps, turns, busy
    finally:
        for _ in range(3):  # a gap that lasts to the very end is one too
            await asyncio.sleep(0.005)
        ticking.cancel()

def told(seen):
    \"\"\"The 99th percentile and the longest, in seconds, of

    the gaps; the processor time of the loop's thread in a gap; that of the whole
    process, and no more than the gap.\"\"\"
    return [(sorted(some)[int(len(some) * 0.99)], max(some)) for some in seen]
"""


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """The kernel's folder: a large file, and many small ones."""
    folder = tmp_path_factory.mktemp("alive")
    lay_out(folder, size=SIZE, files=FILES)
    return folder


@pytest.fixture(scope="module")
def kernel(seaweed, place):
    """A kernel with a bucket of its own on the server, where the same files are."""
    with Kernel("s3magic", folder=place, env=seaweed.environment) as kernel:
        good(kernel.run(WATCH))
        good(kernel.run("import s3magic as s3\nfrom s3magic import session"))
        good(kernel.run("_ = await (await s3.client()).create_bucket(Bucket='alive')"))
        good(kernel.run("_ = %s3put large s3://alive/large\n_ = %s3put small s3://alive/small/ -r"))
        yield kernel


def measured(kernel, task):
    """Run a task while a coroutine ticks; gives the best of a few tries: gaps, turns."""
    seen = []
    for _ in range(TRIES):
        good(kernel.run(f"async with watching() as seen:\n    {task}"))
        seen.append(good(kernel.run("told(seen)")).python[:2])
        if alive(*seen[-1]):
            break
    return seen[-1] if alive(*seen[-1]) else min(seen, key=lambda one: one[0][1])


def alive(*seen):
    return all(p99 <= P99 and longest <= LONGEST for p99, longest in seen)


@pytest.mark.parametrize(
    "task",
    [
        "df = %s3get s3://alive/small/ ./got -r",
        "df = %s3put small s3://alive/more/ -r",
        "df = %s3get s3://alive/large ./there",
        "df = %s3put large s3://alive/again",
        "data = %s3get s3://alive/large -",
    ],
    ids=["many here", "many there", "large here", "large there", "into memory"],
)
def test_a_coroutine_of_the_users_keeps_ticking_during_a_transfer(kernel, task):
    """No transfer keeps the loop from turning, however many objects or bytes it moves."""
    gaps, turns = measured(kernel, task)

    assert alive(gaps, turns), (gaps, turns)


@pytest.mark.parametrize(
    "task",
    [
        "plan = %s3get $long ./none --dry-run",
        "plan = %s3cp $long s3://alive/copies/ --dry-run",
        "plan = %s3rm $long --dry-run",
        "sums = %s3du $long --depth 2",
    ],
    ids=["get", "cp", "rm", "du"],
)
def test_a_coroutine_of_the_users_keeps_ticking_over_a_long_frame(kernel, task):
    """Nor does a frame of many rows, which costs no request.

    It is a second of nothing but Python, in two threads: on a busy machine each
    hand-over of the lock may wait for a processor, so of the gaps the longest counts.
    """
    good(kernel.run("import pandas as pd"))
    names = f"[f'a/{{number // 1000}}/{{number}}' for number in range({ROWS})]"
    columns = f"Bucket='alive', Key={names}, Size=5, Type='object'"
    good(kernel.run(f"long = pd.DataFrame(dict({columns}))"))

    gaps, turns = measured(kernel, task)

    assert alive(turns), (gaps, turns)
    assert gaps[1] <= LONGEST, (gaps, turns)


def test_a_coroutine_of_the_users_keeps_ticking_during_a_listing(kernel, seaweed):
    """Nor does a listing of many keys, up to its frame."""
    liar = Liar()
    liar.objects = {f"{number // 500:04}/{number:08}": b"" for number in range(KEYS)}
    liar.etag = lambda _: '"0123456789abcdef0123456789abcdef"'
    with in_thread(liar):
        good(kernel.run(f"_ = s3.connect(endpoint_url={liar.endpoint_url!r})"))
        gaps, turns = measured(kernel, f"df = %s3ls {liar.uri()} -r")
        count = good(kernel.run("len(df)")).python
    good(kernel.run(f"_ = s3.connect(endpoint_url={seaweed.endpoint_url!r})"))

    assert count == KEYS
    assert alive(gaps, turns), (gaps, turns)


def test_a_coroutine_of_the_users_keeps_ticking_in_a_fresh_kernel(seaweed, place, s3):
    """While the extension is loaded, and the first line imports what it needs.

    They are too few ticks to count in hundredths: a module's code is read in
    one step, which holds the lock, in whichever thread. Nothing here waits for
    anything but the processor, so a gap counts for no longer than this process
    worked in it: a machine with other work to do takes the processor away from
    a thread that has the lock, and then every wait is long.
    """
    s3.put("a.txt", "hello")
    longest = []
    for _ in range(TRIES):
        with Kernel(folder=place, env=seaweed.environment) as kernel:
            good(kernel.run(WATCH))
            good(kernel.run("watch = watching(); seen = await watch.__aenter__()"))
            good(kernel.run("%load_ext s3magic"))
            good(kernel.run(f"df = %s3ls {s3.uri()}"))
            good(kernel.run("await watch.__aexit__(None, None, None)"))
            _, _, busy = good(kernel.run("told(seen)")).python
        longest.append(busy[1])
        if busy[1] <= LONGEST:
            break

    assert min(longest) <= LONGEST, longest


@pytest.mark.parametrize(
    "hold",
    ["time.sleep(0.15)", "await asyncio.to_thread(sum, range(24_000_000))"],
    ids=["the loop", "the interpreter's lock"],
)
def test_what_holds_the_loop_or_the_lock_is_seen(kernel, hold):
    """The measure itself: it sees 150 ms of either, in every try."""
    (_, longest), _ = measured(kernel, hold)

    assert longest > LONGEST

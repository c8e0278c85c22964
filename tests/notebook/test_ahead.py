"""What is imported ahead of the first line: when, when not, and what it must leave alone."""

import asyncio
import gc
import importlib
import subprocess
import sys
import textwrap
import threading
import time

import pytest
from kernels import Kernel

from s3magic.notebook import ahead
from s3magic.notebook.ahead import FIRST, LATER, Ahead


def wait_for(kernel):
    """Come back when the kernel has imported all; it does so between the cells."""
    asked = "import threading; any(one.name == 's3magic-ahead' for one in threading.enumerate())"
    deadline = time.monotonic() + 60
    while kernel.run(asked).python:
        assert time.monotonic() < deadline
        time.sleep(0.2)


class Watched(threading.Event):
    """An event that tells when somebody waits for it."""

    def __init__(self):
        super().__init__()
        self.asked = threading.Event()

    def wait(self, timeout=None):
        self.asked.set()
        return super().wait(timeout)


class Told(list):
    """A list that tells of each thing that is put into it."""

    def __init__(self):
        super().__init__()
        self.told = threading.Semaphore(0)

    def append(self, item):
        super().append(item)
        self.told.release()


class Watching:
    """A lock that tells when it is held, and when a cell asks for it."""

    def __init__(self, lock):
        self.lock = lock
        self.held, self.asked = threading.Event(), threading.Event()

    def __enter__(self):
        self.lock.acquire()
        self.held.set()

    def __exit__(self, *_):
        self.lock.release()

    def acquire(self, timeout=-1):
        self.asked.set()
        return self.lock.acquire(timeout=timeout)

    def release(self):
        self.lock.release()


@pytest.fixture
def module(tmp_path, monkeypatch):
    """Writes a module that can be imported, once."""
    monkeypatch.syspath_prepend(tmp_path)
    written = []

    def write(name, code=""):
        (tmp_path / f"{name}.py").write_text(textwrap.dedent(code))
        written.append(name)
        return name

    yield write
    for name in written:
        sys.modules.pop(name, None)


@pytest.mark.kernel
def test_all_is_there_when_the_cell_that_loads_the_extension_has_ended_a_while():
    """The next line finds what it needs, and no client: nothing was looked up."""
    with Kernel("s3magic") as kernel:
        wait_for(kernel)
        missing = kernel.run(
            "import sys; [name for name in "
            f"{FIRST + LATER} if name.split(':')[0] not in sys.modules]"
        )
        widgets = kernel.run("'ipywidgets' in sys.modules")
        looked_up = kernel.run("from s3magic import session; session._current, len(session._ever)")

    assert missing.python == []
    assert widgets.python is True
    assert looked_up.python == (None, 0)


@pytest.mark.kernel
def test_nothing_waits_for_cells_when_the_extension_is_unloaded():
    """Loaded and unloaded in one cell, or in two: no thread is left behind."""
    with Kernel() as kernel:
        kernel.run("%load_ext s3magic\n%unload_ext s3magic")
        at_once = kernel.run("import sys; 'pandas' in sys.modules")
        kernel.run("%load_ext s3magic")
        kernel.run("%unload_ext s3magic")
        kernel.run(
            "import threading\nfor one in threading.enumerate():\n"
            "    if one.name == 's3magic-ahead':\n        one.join()"
        )
        then = kernel.run("'pandas' in sys.modules")

    assert at_once.python is False
    assert then.python is True


@pytest.mark.kernel
def test_what_a_cell_sets_after_that_is_what_the_first_line_sees():
    """Variables, and the profile they name, are read by the line and not before it."""
    with Kernel("s3magic") as kernel:
        wait_for(kernel)
        kernel.run(
            "import os; os.environ.update(AWS_ENDPOINT_URL='http://127.0.0.1:9',"
            " AWS_ACCESS_KEY_ID='a', AWS_SECRET_ACCESS_KEY='b', AWS_DEFAULT_REGION='eu-north-1')"
        )

        told = kernel.run("%s3connect")

    assert "connection to http://127.0.0.1:9" in told.value
    assert "eu-north-1" in told.value
    assert "environment variables" in told.value


def test_it_steps_aside_when_a_cell_begins(module):
    """The step under way ends; the next one waits, however much is left."""
    module("ahead_cell", "begins = None")
    names = [
        module("ahead_first", "import ahead_cell; ahead_cell.begins()"),
        module("ahead_second"),
    ]
    it = Ahead(names, ())
    importlib.import_module("ahead_cell").begins = it.cell_begins
    left = names[::-1]

    it._import(left, it._first)

    assert left == ["ahead_second"]
    assert "ahead_second" not in sys.modules


def test_a_line_that_needs_it_imports_by_itself_and_the_rest_comes_when_its_cell_has_ended(module):
    """Two threads that import what belongs together may each wait for the other."""
    it = Ahead([module("ahead_first")], [module("ahead_later")])
    it._first = Watched()
    it.cell_begins()

    it.needed()

    assert it._first.asked.wait(30)
    assert "ahead_first" not in sys.modules
    (thread,) = (one for one in threading.enumerate() if one.name == "s3magic-ahead")
    it.cell_ended()
    thread.join()
    assert "ahead_first" in sys.modules
    assert "ahead_later" in sys.modules


async def test_a_line_that_comes_sooner_imports_all_it_needs_in_one_thread_uncollected(module):
    """At once, though its cell runs; and what comes later is left for later."""
    module("ahead_seen", "threads, thresholds = [], []")
    look = """
        import ahead_seen, gc, threading
        ahead_seen.threads.append(threading.current_thread())
        ahead_seen.thresholds.append(gc.get_threshold()[0])
    """
    it = Ahead([module("ahead_one", look), module("ahead_two", look)], [module("ahead_late")])
    it.cell_begins()

    await it.caught_up()

    seen = importlib.import_module("ahead_seen")
    assert len(seen.threads) == 2
    assert len(set(seen.threads)) == 1
    assert seen.threads[0] is not threading.current_thread()
    assert min(seen.thresholds) > gc.get_threshold()[0]
    assert "ahead_late" not in sys.modules


async def test_lines_that_come_at_once_import_it_once(module):
    """Who waited for another line finds all there."""
    module("ahead_gate", "import threading; go, calls = threading.Event(), []")
    gate = importlib.import_module("ahead_gate")
    slow = module("ahead_slow", "import ahead_gate as g\ndef note(): g.calls.append(g.go.wait(30))")
    it = Ahead([f"{slow}:note"], ())
    it._others = Told()

    lines = [asyncio.create_task(it.caught_up()) for _ in range(2)]
    for _ in lines:
        assert await asyncio.to_thread(it._others.told.acquire, timeout=30)
    gate.go.set()
    await asyncio.gather(*lines)

    assert gate.calls == [True]


def test_a_cell_that_begins_waits_for_the_step_under_way(module):
    """Else it could import the other end of what is being imported."""
    module("ahead_gate", "import threading; order, go = [], threading.Event()")
    gate = importlib.import_module("ahead_gate")
    module("ahead_slow", "import ahead_gate as g; g.go.wait(30); g.order.append('step')")
    it = Ahead(["ahead_slow"], ())
    it._step = Watching(it._step)
    it.needed()
    assert it._step.held.wait(30)

    def cell():
        it.cell_begins()
        gate.order.append("cell")

    beginning = threading.Thread(target=cell)
    beginning.start()
    assert it._step.asked.wait(30)
    gate.go.set()
    beginning.join()

    assert gate.order == ["step", "cell"]


def test_whoever_imports_besides_comes_before_the_next_step(module):
    """A Tab has a quarter of a second; all the steps together take longer."""
    module("ahead_gate", "import threading; order, go = [], threading.Event()")
    gate = importlib.import_module("ahead_gate")
    module("ahead_slow", "import ahead_gate as g; g.go.wait(30); g.order.append('step')")
    module("ahead_next", "import ahead_gate as g; g.order.append('next step')")
    it = Ahead(["ahead_slow", "ahead_next"], ())
    it._step, it._others = Watching(it._step), Told()
    it.needed()
    assert it._step.held.wait(30)

    def besides():
        with it.importing():
            gate.order.append("besides")

    (thread,) = (one for one in threading.enumerate() if one.name == "s3magic-ahead")
    another = threading.Thread(target=besides)
    another.start()
    assert it._others.told.acquire(timeout=30)
    gate.go.set()
    another.join()
    thread.join()

    assert gate.order == ["step", "besides", "next step"]


def test_what_cannot_be_imported_is_passed_over_without_a_word(module, capfd):
    """The line that needs it says so."""
    it = Ahead([module("ahead_broken", "raise OSError"), "no_such", module("ahead_last")], ())

    it._import_all()

    assert "ahead_last" in sys.modules
    assert capfd.readouterr() == ("", "")


def test_the_collector_is_left_as_it_was():
    """And as somebody set it meanwhile; what the user froze stays frozen."""
    before = gc.get_threshold()
    try:
        with ahead._uncollected():
            within = gc.get_threshold()
        after = gc.get_threshold()
        with ahead._uncollected():
            gc.set_threshold(123, 4, 5)
            meanwhile = gc.get_threshold()
        chosen = gc.get_threshold()
        gc.set_threshold(0)
        with ahead._uncollected():
            off = gc.get_threshold()[0]
    finally:
        gc.set_threshold(*before)

    assert within[0] > before[0]
    assert after == before
    assert chosen == meanwhile
    assert chosen[0] == 123
    assert off == 0


def test_a_collector_that_knows_two_thresholds_is_left_as_it_was(monkeypatch):
    """As Python's from 3.14 on, which ignores the third."""

    class Collector:
        thresholds = (700, 10, 0)

        def get_threshold(self):
            return self.thresholds

        def set_threshold(self, first, second=10, _third=0):
            self.thresholds = (first, second, 0)

        def get_freeze_count(self):
            return 1

    collector = Collector()
    monkeypatch.setattr(ahead, "gc", collector)

    with ahead._uncollected():
        within = collector.thresholds

    assert within[0] > 700
    assert collector.thresholds == (700, 10, 0)


@pytest.mark.skipif(sys.platform == "win32", reason="Windows does not fork")
def test_a_child_forked_meanwhile_can_import_the_same(tmp_path):
    """The fork waits for the step under way, whose lock the child could never release."""
    (tmp_path / "slow.py").write_text("import time; time.sleep(1)")
    program = """
        import os, signal, sys, threading
        from s3magic.notebook.ahead import Ahead
        Ahead(["slow"], ()).needed()
        while "slow" not in sys.modules:
            pass
        child = os.fork()
        if not child:
            signal.alarm(20)
            import slow
            os._exit(0)
        print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
    """

    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", textwrap.dedent(program)],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )

    assert done.stdout.strip() == "0"

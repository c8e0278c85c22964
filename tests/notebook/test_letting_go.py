"""Interrupt and Cancel act at once, whatever the helper threads wait for.

Each line is stopped while it is under way, in two ways: an interrupt of the
kernel, and a click on the Cancel button. The server then has become slow or
silent, so that no line ends by itself; the door before it says when.
"""

import contextlib
import socket
import time

import psutil
import pytest
from kernels import DEADLINE, Kernel, good, lay_out
from silent import Silent

from front import Front

pytestmark = pytest.mark.kernel

SOON = 0.5  # seconds
TRIES = 3  # a busy machine may be late by itself; what does not let go is late each time
FILES = 400
SIZE = 64 << 20
MiB = 1 << 20

THREADS = """
import threading
def lanes():
    names = ("s3magic-lane", "s3magic-reactor")
    return [one for one in threading.enumerate() if one.name.startswith(names)]

def left():
    \"\"\"Count the helper threads that are left when they had a moment to end.\"\"\"
    for one in lanes():
        one.join(2)
    return len(lanes())
"""
GET_MANY = "df = %s3get s3://stop/small/ ./got -r"
GET_LARGE = "df = %s3get s3://stop/large ./there"
GET_BYTES = "data = %s3get s3://stop/large -"
PUT_MANY = "df = %s3put small s3://stop/more/ -r"
PUT_LARGE = "df = %s3put large s3://stop/again"
LINES = (GET_MANY, GET_LARGE, GET_BYTES, PUT_MANY, PUT_LARGE)
IDS = ("many here", "large here", "into memory", "many there", "large there")


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """The kernel's folder: a large file, and many small ones."""
    folder = tmp_path_factory.mktemp("stopped")
    lay_out(folder, size=SIZE, files=FILES)
    return folder


@pytest.fixture(scope="module")
def door(seaweed):
    """The door before the server."""
    with Front(seaweed) as front:
        yield front


@pytest.fixture(scope="module")
def kernel(door, place):
    """A kernel before that door, and a bucket behind it with the same files."""
    with Kernel("s3magic", folder=place, env=door.environment) as kernel:
        good(kernel.run(THREADS))
        good(kernel.run("import s3magic as s3\nfrom s3magic import settings"))
        good(kernel.run("_ = settings.change(progress='widget', progress_delay=0.0)"))
        good(kernel.run("_ = await (await s3.client()).create_bucket(Bucket='stop')"))
        good(kernel.run("_ = %s3put large s3://stop/large\n_ = %s3put small s3://stop/small/ -r"))
        yield kernel


def shown(kernel, started, what):
    """Wait until a cell has shown what is looked for: `what` gives it, of one message."""
    for kind, content in kernel._messages(started[1], started[0] + DEADLINE):
        if found := what(kind, content):
            return found
    raise AssertionError("the cell ended by itself")


def button(kind, content):
    """Give the button's name among the widgets of the progress."""
    state = content.get("data", {}).get("state", {}) if kind == "comm_open" else {}
    return content["comm_id"] if state.get("_model_name") == "ButtonModel" else ""


def interrupt(kernel, started, under_way):
    """Interrupt the kernel; gives how the cell ended."""
    under_way()
    return kernel.interrupt(started)


def cancel(kernel, started, under_way):
    """Click on Cancel; gives how the cell ended."""
    name = shown(kernel, started, button)
    under_way()
    click = {"method": "custom", "content": {"event": "click"}}
    message = kernel.client.session.msg("comm_msg", {"comm_id": name, "data": click})
    clicked = time.monotonic()
    kernel.client.shell_channel.send(message)
    return kernel.finish((clicked, started[1]))


STOPS = {interrupt: {"CancelledError", "KeyboardInterrupt"}, cancel: {"TransferError"}}


def at_work(kernel, url):
    """Wait until the kernel has a connection there, or tries to have one."""
    process = psutil.Process(kernel.manager.provisioner.pid)
    port = int(url.rpartition(":")[2])
    deadline = time.monotonic() + DEADLINE
    while not any(one.raddr and one.raddr.port == port for one in process.net_connections()):
        assert time.monotonic() < deadline


def stopped(kernel, code, stop, under_way):
    """Run a cell and stop it when it is under way; gives the seconds that it took to end."""
    answer = stop(kernel, kernel.start(code), under_way)
    assert answer.error in STOPS[stop], answer.traceback
    return answer.seconds


@pytest.mark.parametrize("stop", STOPS)
@pytest.mark.parametrize("become", ["slow", "silent"])
@pytest.mark.parametrize("line", LINES, ids=IDS)
def test_a_line_ends_at_once_in_the_midst_of_its_bytes(kernel, door, place, line, become, stop):
    """Requests under way, bodies half here or half there: the cell ends, and its threads too."""
    took = []
    for _ in range(TRIES):
        door.then(become, requests=FILES // 4 if "small" in line else 3, size=MiB)
        took.append(stopped(kernel, line, stop, lambda: door.reached.wait(DEADLINE)))
        door.forget()
        if took[-1] <= SOON:
            break
    left = good(kernel.run("left()")).python

    assert min(took) <= SOON, took
    assert left == 0
    assert not (place / "there").exists()


@contextlib.contextmanager
def full():
    """A port whose queue is full: whoever connects waits, and nobody comes."""
    with contextlib.ExitStack() as stack:
        listener = stack.enter_context(socket.socket())
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        while True:
            waiting = stack.enter_context(socket.socket())
            waiting.settimeout(0.2)
            try:
                waiting.connect(listener.getsockname())
            except TimeoutError:
                break
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"


@contextlib.contextmanager
def silent(scheme):
    """A server that takes connections, hears the first byte, and says nothing, ever."""
    with Silent() as server:
        yield server.endpoint_url.replace("http", scheme, 1)


ENDPOINTS = {
    "it says nothing": lambda: silent("http"),
    "it says nothing to a greeting in TLS": lambda: silent("https"),
    "it does not take the connection": full,
}
FRAME = "pd.DataFrame({'Bucket': 'stop', 'Key': [f'{n}' for n in range(400)], 'Size': 1})"


@pytest.mark.parametrize("stop", STOPS)
@pytest.mark.parametrize("endpoint", ENDPOINTS)
def test_a_line_ends_at_once_where_no_answer_comes(kernel, door, place, endpoint, stop):
    """Helper threads that connect, greet or wait for the first byte let go, each of them."""
    good(kernel.run(f"import pandas as pd\nframe = {FRAME}"))
    with ENDPOINTS[endpoint]() as url:
        good(kernel.run(f"_ = s3.connect(endpoint_url={url!r})"))
        for line in ("df = %s3get $frame ./got", *LINES[1:]):
            took = []
            for _ in range(TRIES):
                took.append(stopped(kernel, line, stop, lambda: at_work(kernel, url)))
                if took[-1] <= SOON:
                    break
            left = good(kernel.run("left()")).python

            assert min(took) <= SOON, (line, took)
            assert left == 0, line
        good(kernel.run(f"_ = s3.connect(endpoint_url={door.endpoint_url!r})"))

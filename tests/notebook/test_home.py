"""Background jobs in a kernel and in terminal IPython."""

import time

import pytest
from kernels import DEADLINE, Kernel, Terminal, good

from front import Front

pytestmark = pytest.mark.kernel

MiB = 1 << 20
SIZE = 24 * MiB


@pytest.fixture(scope="module")
def door(seaweed):
    with Front(seaweed) as door:
        yield door


@pytest.fixture(autouse=True)
def open_door(door):
    door.forget()
    yield
    door.forget()


@pytest.fixture(scope="module")
def kernel(door, tmp_path_factory):
    folder = tmp_path_factory.mktemp("jobs")
    with Kernel("s3magic", folder=folder, env=door.environment) as kernel:
        good(kernel.run("import asyncio, time, s3magic as s3"))
        kernel.folder = folder
        yield kernel


def test_the_cell_that_began_it_only_names_it(kernel, s3):
    """Its bar says the rest."""
    s3.put("<a>", "hello")

    answer = good(kernel.run(f"%s3get '{s3.uri('<a>')}' ./named --bg"))
    good(kernel.run("%s3jobs --wait"))

    shown = answer.displays[0]
    assert shown["text/plain"].endswith(f": get {s3.uri('<a>')} ./named")
    assert "(running)" not in shown["text/plain"]
    assert "<a>" not in shown["text/html"]


def silent(door, size=10 * MiB):
    door.then("silent", size=size)


def test_a_job_goes_on_while_a_cell_computes(kernel, door, s3):
    """The notebook's own loop stands still, and all of it arrives."""
    s3.put("large", bytes(SIZE))
    silent(door)
    job = kernel.run(f"job = %s3get {s3.uri('large')} ./alone --bg\ntype(job).__name__, job.done")
    assert door.reached.wait(60)
    started = kernel.start("while not job.done:\n    time.sleep(0.05)\njob.status, job.size")
    door.forget()

    assert good(job).python == ("Job", False)
    assert good(kernel.finish(started)).python == ("done", SIZE)
    assert good(kernel.run("(await job).Status.tolist()")).python == ["done"]


def test_the_twin_and_a_plain_function_give_jobs_too(kernel, s3):
    """Awaited, and over the bridge; all are on the list."""
    s3.put("a", "hello")

    good(kernel.run(f"one = await s3.get('{s3.uri('a')}', './one', bg=True)"))
    good(
        kernel.run(
            f"def f():\n    job = %s3get {s3.uri('a')} ./two --bg\n    return job\ntwo = f()"
        )
    )
    both = good(kernel.run("(await one).Status[0], (await two).Status[0]")).python
    twin = good(kernel.run("df = await s3.jobs()\ndf.Job.tolist()[-2:]")).python
    magic = good(kernel.run("same = %s3jobs\nsame.equals(df)")).python

    assert both == ("done", "done")
    assert twin == good(kernel.run("[one.number, two.number]")).python
    assert magic is True
    assert (kernel.folder / "two").read_text() == "hello"


def test_interrupting_a_cell_leaves_the_job_alone(kernel, door, s3):
    """The cell that awaits it, and any other; it says that the job goes on."""
    s3.put("large", bytes(SIZE))
    silent(door)
    good(kernel.run(f"job = %s3get {s3.uri('large')} ./left --bg"))
    assert door.reached.wait(60)

    waiting = kernel.interrupt_after_print("print('begun')\nawait job")
    other = kernel.interrupt_after_print(
        "print('begun')\nwhile True:\n    await asyncio.sleep(0.05)"
    )
    listed = kernel.interrupt_after_print("print('begun')\n%s3jobs --wait")

    assert waiting.seconds < 5
    assert "the job itself goes on" in waiting.traceback
    assert "the job itself goes on" in listed.traceback
    assert other.error
    assert good(kernel.run("job.status")).python == "running"
    door.forget()
    assert good(kernel.run("(await job).Status.tolist()")).python == ["done"]


def test_what_shows_a_job_tells_how_it_ended(kernel, door, s3):
    """The output of the cell that began it is brought up to date, in its place."""
    s3.put("large", bytes(SIZE))
    silent(door)
    good(kernel.run(f"job = %s3get {s3.uri('large')} ./shown --bg"))
    assert door.reached.wait(60)

    first = good(kernel.run("job"))
    door.forget()
    last = good(kernel.run("await job;\njob"))

    assert first.displays[0]["text/plain"].startswith("Job ")
    assert "(running)" in first.displays[0]["text/plain"]
    assert "(done)" in last.displays[-1]["text/plain"]


def test_a_job_has_its_bar_before_its_cell_ends_and_the_button_cancels_it(kernel, door, s3):
    """In its own cell, for good; the click comes when that has long been over."""
    s3.put("large", bytes(SIZE))
    good(kernel.run("import ipywidgets"))
    silent(door)
    line = f"job = %s3get {s3.uri('large')} ./clicked --bg --progress widget --errors return"
    since, request = kernel.start(line)
    messages = list(kernel._messages(request, since + DEADLINE))
    assert door.reached.wait(60)

    button = next(
        content["comm_id"]
        for kind, content in messages
        if kind == "comm_open" and content["data"]["state"].get("_model_name") == "ButtonModel"
    )
    click = {"comm_id": button, "data": {"method": "custom", "content": {"event": "click"}}}
    kernel.client.shell_channel.send(kernel.client.session.msg("comm_msg", click))

    assert [content["data"] for kind, content in messages if kind == "display_data"]
    assert good(kernel.run("(await job).Status.tolist(), job.status")).python == (
        ["cancelled"],
        "cancelled",
    )


def half_sent(kernel, door, s3, folder):
    """Begin an upload in several parts, and have it go slowly from its middle on."""
    (folder / "large").write_bytes(bytes(SIZE))
    door.then("slow", size=12 * MiB)
    good(kernel.run(f"job = %s3put large {s3.uri('k')} --bg --part-size 5MiB"))
    assert door.reached.wait(60)


def test_unloading_ends_the_jobs(kernel, door, s3):
    """An upload half-way is aborted before the line is over."""
    half_sent(kernel, door, s3, kernel.folder)

    good(kernel.run("%unload_ext s3magic"))
    status = good(kernel.run("job.status")).python
    good(kernel.run("%load_ext s3magic"))

    assert status == "cancelled"
    assert s3.uploads() == []
    assert s3.keys() == []


def test_the_end_of_a_kernel_ends_its_jobs_without_a_complaint(door, s3, tmp_path):
    """An upload half-way is aborted, and nothing is said on standard error."""
    with Kernel("s3magic", folder=tmp_path, env=door.environment) as kernel:
        half_sent(kernel, door, s3, tmp_path)
        said = kernel.shutdown()

    assert said == ""
    assert s3.uploads() == []
    assert s3.keys() == []


def test_in_terminal_ipython_a_job_goes_on_between_two_lines(seaweed, s3, tmp_path):
    """There is no bar in what is typed, and one line when it is over."""
    s3.put("a.txt", "hello")
    with Terminal("s3magic", folder=tmp_path, env=seaweed.environment) as shell:
        shell.run(f"job = %s3get {s3.uri('a.txt')} ./a.txt --bg")
        deadline = time.monotonic() + 60
        while not (tmp_path / "a.txt").exists():  # nobody turns the terminal's own loop
            assert time.monotonic() < deadline
            time.sleep(0.05)
        shown = shell.run("report = await job")
        assert "['done']" in shell.run("report.Status.tolist()")
        said = shell.exit()

    assert "Traceback" not in shown + said
    assert (tmp_path / "a.txt").read_text() == "hello"

"""The extension in a real kernel: one client on the kernel's loop."""

import os

import pytest
from kernels import Kernel, Terminal
from silent import Silent

pytestmark = pytest.mark.kernel


@pytest.fixture(scope="module")
def kernel(seaweed, tmp_path_factory):
    """A kernel for tests that leave nothing behind in it."""
    folder = tmp_path_factory.mktemp("kernel")
    with Kernel("s3magic", folder=folder, env=seaweed.environment) as kernel:
        yield kernel


@pytest.fixture
def fresh(seaweed, tmp_path):
    """A kernel of the test's own, in its temporary folder."""
    with Kernel("s3magic", folder=tmp_path, env=seaweed.environment) as kernel:
        yield kernel


def connect_to(server):
    """The line that connects to a server, whatever the environment says."""
    return (
        f"import s3magic as s3; chosen = s3.connect(endpoint_url={server.endpoint_url!r}, "
        f"aws_access_key_id={server.access_key!r}, aws_secret_access_key={server.secret_key!r})"
    )


def good(answer):
    assert not answer.error, answer.traceback
    return answer


def test_magics_run_on_the_kernels_loop_and_share_one_client_with_the_cells(fresh, s3):
    """`await s3.client()` is the magics' client, on the kernel's loop; a plain def gets another."""
    s3.put("a.txt", "hello")
    uri = s3.uri("a.txt")
    good(fresh.run("import asyncio, s3magic as s3\nfrom s3magic import session"))
    good(fresh.run(f"df = %s3ls {s3.uri()}"))

    loop = good(
        fresh.run("(loop,) = session.current()._opening\nloop is asyncio.get_running_loop()")
    )
    same = good(fresh.run("session.current()._opening[loop].result().client is await s3.client()"))
    awaited = good(fresh.run(f"data = %s3get {uri} -\nlen(session.current()._opening), data"))
    plain = good(fresh.run(f"def f():\n    data = %s3get {uri} -\n    return data\nf()"))
    loops = good(fresh.run("len(session.current()._opening)"))

    assert loop.value == "True"
    assert same.value == "True"
    assert awaited.python == (1, b"hello")
    assert plain.python == b"hello"
    assert loops.python == 2


def test_a_magic_and_its_twin_give_equal_values(kernel, s3):
    """Same options by the same names, same frame."""
    for number in range(5):
        s3.put(f"folder/{number}.txt", "x" * number)
    good(kernel.run("import s3magic as s3\nimport pandas as pd"))

    good(
        kernel.run(f"one = %s3ls {s3.uri('folder/')} --page-size 2 --sort Size --reverse --limit 4")
    )
    same = good(
        kernel.run(
            f"two = await s3.ls('{s3.uri('folder/')}', page_size=2, sort='Size', reverse=True,"
            " limit=4)\npd.testing.assert_frame_equal(one, two)\none.Size.tolist()"
        )
    )

    assert same.python == [4, 3, 2, 1]


def test_a_semicolon_silences_and_the_value_still_assigns(kernel, s3):
    """`;` hides what a line gives; `x = %s3ls …;` has it."""
    s3.put("a.txt", "hello")

    hidden = good(kernel.run(f"%s3ls {s3.uri()};"))
    assigned = good(kernel.run(f"df = %s3ls {s3.uri()};\nlen(df)"))

    assert hidden.value is None
    assert assigned.value == "1"


def test_help_and_question_mark_tell_the_same(kernel):
    """`-h` prints what `?` shows, ending in numbered examples."""
    help_ = good(kernel.run("%s3get -h")).stdout
    doc = good(kernel.run("get_ipython().find_line_magic('s3get').__doc__")).python

    assert help_.strip() == doc.strip()
    assert "  1. %s3get " in help_


def test_interrupt_ends_a_stalled_line_at_once_and_the_next_one_works(seaweed, s3, tmp_path):
    """A server that fell silent does not hold the notebook, and one line says what happened."""
    s3.put("a.txt", "hello")
    with Silent() as silent, Kernel("s3magic", folder=tmp_path, env=silent.environment) as kernel:
        for line in (
            "%s3ls s3://bucket/",
            "%s3get s3://bucket/key ./",
            "%s3put --var word s3://bucket/key",
            "import s3magic; await s3magic.ls('s3://bucket/')",
            "def f():\n    %s3ls s3://bucket/\nf()",
        ):
            good(kernel.run("word = 'hello'"))
            silent.asked.clear()
            started = kernel.start(line)
            assert silent.asked.wait(30)
            answer = kernel.interrupt(started)

            assert answer.seconds < 1, line
            assert answer.error in {"CancelledError", "KeyboardInterrupt"}, line
            assert "Interrupted" in answer.traceback
            assert len(answer.traceback.splitlines()) <= 3
        good(kernel.run(connect_to(seaweed)))
        assert good(kernel.run(f"data = %s3get {s3.uri('a.txt')} -\ndata")).python == b"hello"
        assert sorted(path.name for path in tmp_path.iterdir()) == []


def test_interrupt_ends_a_stalled_line_in_terminal_ipython(seaweed, s3, tmp_path):
    """Ctrl-C in the terminal: within a second, and the next line works."""
    s3.put("a.txt", "hello")
    with Silent() as silent, Terminal("s3magic", folder=tmp_path, env=silent.environment) as shell:
        for line in ("%s3ls s3://bucket/", "import s3magic; await s3magic.ls('s3://bucket/')"):
            silent.asked.clear()
            shell.process.sendline(line)
            assert silent.asked.wait(30)
            shown, seconds = shell.interrupt()

            assert seconds < 1
            assert "Interrupted" in shown
        shell.run(connect_to(seaweed))
        shell.run(f"data = %s3get {s3.uri('a.txt')} -")
        assert "b'hello'" in shell.run("data")


@pytest.mark.parametrize(
    "use",
    [
        "df = %s3ls {uri}",
        "data = %s3get {uri}a.txt -\ndef f():\n    df = %s3ls {uri}\n    return df\ndf = f()",
        "%s3ls {uri}\n%unload_ext s3magic",
        "%s3ls {uri}\n%unload_ext s3magic\n%load_ext s3magic\n%s3ls {uri}",
        "import s3magic as s3\nawait s3.ls('{uri}')\ns3.connect()\nawait s3.ls('{uri}')",
        "import asyncio, s3magic as s3\ntask = asyncio.create_task(s3.get('{uri}big.bin', './'))",
        (
            "import asyncio, s3magic as s3\n"
            "task = asyncio.create_task(s3.get('{uri}big.bin', './'))\n"
            "await asyncio.sleep(0.05)\n%unload_ext s3magic"
        ),
    ],
)
def test_nothing_is_said_on_standard_error_when_the_kernel_ends(seaweed, s3, tmp_path, use):
    """Used, unloaded, in the middle of a transfer: the kernel goes without a complaint."""
    s3.put("a.txt", "hello")
    s3.put("big.bin", os.urandom(1 << 20) * 64)
    kernel = Kernel("s3magic", folder=tmp_path, env=seaweed.environment)

    with kernel:
        answer = good(kernel.run(use.format(uri=s3.uri())))
        said = kernel.shutdown()

    assert said == ""
    assert "Unclosed" not in answer.stderr


def test_terminal_ipython_ends_without_a_complaint(seaweed, s3, tmp_path):
    """The same in the terminal, whose loop does not run between two lines."""
    s3.put("a.txt", "hello")
    shell = Terminal("s3magic", folder=tmp_path, env=seaweed.environment)

    with shell:
        shell.run(f"df = %s3ls {s3.uri()}")
        said = shell.exit()

    assert said.strip() == ""


def test_unloading_takes_everything_out(fresh, s3):
    """No magic, no transformer, no client is left; loading again brings them back."""
    s3.put("a.txt", "hello")
    before = "ip = get_ipython()\nlen(ip.input_transformers_post)"
    loaded = good(fresh.run(before)).python
    good(fresh.run(f"df = %s3ls {s3.uri()}"))

    good(fresh.run("%unload_ext s3magic"))
    gone = good(fresh.run("ip.find_line_magic('s3ls'), len(ip.input_transformers_post)")).python
    threads = good(
        fresh.run("import threading; [t.name for t in threading.enumerate() if 'bridge' in t.name]")
    ).python
    good(fresh.run("%load_ext s3magic"))
    back = good(fresh.run(f"df = %s3ls {s3.uri()}\nlen(df)")).python

    assert gone == (None, loaded - 1)
    assert threads == []
    assert back == 1


def test_a_key_cannot_steer_the_screen(fresh, moto, s3):
    """Escapes in a key are shown as escapes, in text and in HTML."""
    good(fresh.run(connect_to(moto)))
    key = "\x1b[31mred\x1b[0m<img src=x onerror=alert(1)>"
    s3.put(key, "x")

    answer = good(fresh.run(f"%s3ls {s3.uri()}"))
    s3.client.delete_object(Bucket=s3.bucket, Key=key)  # moto cannot list its versions

    assert "\x1b" not in answer.value
    assert "\\x1b[31mred" in answer.value
    assert "<img" not in answer.html

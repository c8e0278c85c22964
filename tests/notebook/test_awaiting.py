"""Coroutine magics in a real kernel and in terminal IPython: every place a magic can stand."""

import pytest
from kernels import Kernel, Terminal

pytestmark = pytest.mark.kernel

INTERRUPTED = "Interrupted: what was under way has been stopped."


@pytest.fixture(scope="module")
def kernel(tmp_path_factory):
    with Kernel("echo_extension", folder=tmp_path_factory.mktemp("kernel")) as kernel:
        kernel.run("import asyncio, threading\nd = {}")
        kernel.loop = kernel.run("id(asyncio.get_running_loop())").python
        yield kernel


@pytest.fixture(scope="module")
def terminal(tmp_path_factory):
    with Terminal("echo_extension", folder=tmp_path_factory.mktemp("terminal")) as terminal:
        yield terminal


def value_of(answer):
    assert not answer.error, answer.traceback
    return answer.python


@pytest.mark.parametrize(
    ("cell", "line"),
    [
        ("%echo bare", "bare"),
        ("%echo", ""),
        ("%echo s3://b/it's", "s3://b/it's"),
        ("echo without the percent sign", "without the percent sign"),
        ("x = %echo assigned\nx", "assigned"),
        ("a, b = %echo both\n(a, b)", "both"),
        ("d['k'] = %echo subscript\nd['k']", "subscript"),
        ("d['é🦄'] = %echo ü€\nd['é🦄']", "ü€"),
        ("x: tuple = %echo annotated\nx", "annotated"),
        ("for i in range(2):\n    x = %echo for\nx", "for"),
        ("if True:\n    x = %echo if\nx", "if"),
        ("import io\nwith io.StringIO():\n    x = %echo with\nx", "with"),
        ("try:\n    1 / 0\nexcept ZeroDivisionError:\n    x = %echo except\nx", "except"),
        ("try:\n    pass\nfinally:\n    x = %echo finally\nx", "finally"),
        ("while True:\n    x = %echo while\n    break\nx", "while"),
        ("match 1:\n    case 1:\n        x = %echo match\nx", "match"),
        ("async def f():\n    x = %echo async\n    return x\nawait f()", "async"),
        (
            "def g():\n  async def f():\n    x = %echo in\n    return x\n  return f()\nawait g()",
            "in",
        ),
        ("await get_ipython().run_line_magic('echo', 'by hand')", "by hand"),
        ("await get_ipython().find_line_magic('echo')('direct', local_ns={})", "direct"),
    ],
)
def test_magic_is_awaited_on_the_notebooks_loop_where_a_cell_may_await(kernel, cell, line):
    """A bare magic, an assigned one, one in a block or an async def runs on the kernel's loop."""
    answer = kernel.run(cell)

    assert value_of(answer) == (line, kernel.loop)


def test_cell_magic_is_awaited_too(kernel):
    """A cell magic gets its line and its cell, on the kernel's loop."""
    answer = kernel.run("%%echo line\nbody")

    assert value_of(answer) == ("line", "body\n", kernel.loop)


@pytest.mark.parametrize(
    ("cell", "line"),
    [
        ("def f():\n    x = %echo def\n    return x\nf()", "def"),
        (
            "async def f():\n  def g():\n    x = %echo in\n    return x\n  return g()\nawait f()",
            "in",
        ),
        ("await asyncio.sleep(0)\ndef f():\n    x = %echo def\n    return x\nf()", "def"),
        ("class C:\n    x = %echo class\nC.x", "class"),
        ("await asyncio.sleep(0)\nclass C:\n    x = %echo class\nC.x", "class"),
        ("(lambda: get_ipython().run_line_magic('echo', 'lambda'))()", "lambda"),
        ("[get_ipython().run_line_magic('echo', 'list') for _ in '1'][0]", "list"),
        ("next(get_ipython().run_line_magic('echo', 'gen') for _ in '1')", "gen"),
        ("(get_ipython().run_line_magic('echo', 'in an expression'), 1)[0]", "in an expression"),
        ("%%time\n%echo cell", "cell"),
        ("%time %echo line", "line"),
        ("%%timeit -n1 -r1\nx = %echo x\nd['timeit'] = x", None),
        ("%timeit -n1 -r1 d.update(timeit=get_ipython().run_line_magic('echo', 'x'))", None),
        ("%%capture\nx = %echo captured", None),
        ("%prun -q x = get_ipython().run_line_magic('echo', 'profiled')", None),
    ],
)
def test_magic_blocks_and_gives_its_value_where_nobody_may_await(kernel, cell, line):
    """In a def, a class, a lambda, a comprehension, and under %%time and its like, it blocks."""
    kernel.run("x = None; d.pop('timeit', None)")

    answer = kernel.run(cell)

    if line is None:
        assert not answer.error, answer.traceback
        answer = kernel.run("d.get('timeit', x)")
        line = answer.python[0]
    assert value_of(answer) == (line, "bridge")


def test_captured_magic_shows_its_value_in_the_capture(kernel):
    """%%capture holds what the cell would have displayed."""
    kernel.run("%%capture held\n%echo captured")

    answer = kernel.run("print(held.outputs[0].data['text/plain'])")

    assert answer.stdout == "('captured', 'bridge')\n"


def test_magic_in_a_script_that_is_run_gives_its_value(kernel, tmp_path):
    """`%run file.ipy` runs each of its magics to the end before the next line."""
    script = tmp_path / "script.ipy"
    script.write_text("x = %echo first\ny = %echo second\n")

    kernel.run(f"%run {script}")

    assert value_of(kernel.run("x, y")) == (("first", "bridge"), ("second", "bridge"))


def test_magic_blocks_where_autoawait_is_off_and_in_an_async_def_still_awaits(kernel):
    """`%autoawait off` leaves no top level that may await; an async def always may."""
    kernel.run("%autoawait off")
    try:
        top = value_of(kernel.run("%echo top"))
        kernel.run("async def f():\n    x = %echo async\n    return x")
    finally:
        kernel.run("%autoawait on")

    assert top == ("top", "bridge")
    assert value_of(kernel.run("await f()")) == ("async", kernel.loop)


def test_magic_awaited_by_an_imported_module_runs_on_the_notebooks_loop(kernel, tmp_path):
    """`await get_ipython().run_line_magic` works in code that no transformer saw."""
    (tmp_path / "awaits_magic.py").write_text(
        "from IPython import get_ipython\n"
        "async def f():\n"
        "    return await get_ipython().run_line_magic('echo', 'module')\n"
    )

    kernel.run(f"import sys; sys.path.insert(0, {str(tmp_path)!r})")

    answer = kernel.run("import awaits_magic\nawait awaits_magic.f()")

    assert value_of(answer) == ("module", kernel.loop)


def test_magic_works_from_another_thread(kernel):
    """A thread of the user's blocks for the value; the notebook's loop goes on."""
    answer = kernel.run(
        "held = []\n"
        "thread = threading.Thread(\n"
        "    target=lambda: held.append(get_ipython().run_line_magic('echo', 'thread')))\n"
        "thread.start(); thread.join(); held[0]"
    )

    assert value_of(answer) == ("thread", "bridge")


def test_magic_works_in_a_cell_that_a_callback_of_the_loop_runs(kernel):
    """A button's callback that runs a cell cannot await: the magic blocks, and works."""
    answer = kernel.run(
        "done = asyncio.get_running_loop().create_future()\n"
        "def click():\n"
        "    done.set_result(get_ipython().run_cell('called = %echo callback').success)\n"
        "asyncio.get_running_loop().call_soon(click)\n"
        "await done"
    )

    assert value_of(answer) is True
    assert value_of(kernel.run("called")) == ("callback", "bridge")


@pytest.mark.parametrize(
    "cell",
    [
        "%echo a;",
        "%echo a ;",
        "%echo a;  # why",
        "%echo;",
        "%echo 'a b';",
        "%%echo a;\nbody",
        "x = 1\n%echo é;",
    ],
)
@pytest.mark.parametrize("autoawait", ["on", "off"])
def test_trailing_semicolon_silences_the_value(kernel, cell, autoawait):
    """As in Python code, a `;` at the end of the cell shows nothing."""
    kernel.run(f"%autoawait {autoawait}")
    try:
        answer = kernel.run(cell)
    finally:
        kernel.run("%autoawait on")

    assert not answer.error, answer.traceback
    assert answer.value is None


@pytest.mark.parametrize(
    ("cell", "line"), [("%echo 'a;'", "'a;'"), ("%echo a;b", "a;b"), ("%echo a;\n%echo b", "b")]
)
def test_other_semicolons_silence_nothing(kernel, cell, line):
    """A `;` in quotes, inside a word or in an earlier line leaves the value shown."""
    answer = kernel.run(cell)

    assert value_of(answer) == (line, kernel.loop)


def test_value_of_a_bare_magic_is_out(kernel):
    """The value of the last line is in `_`, as any cell's is."""
    kernel.run("%echo kept")

    assert value_of(kernel.run("_")) == ("kept", kernel.loop)


@pytest.mark.parametrize(
    "cell",
    [
        "s = '%echo é'  # echo\n",
        "def echo_all():\r\n\tpass\n",
        "get_ipython().run_line_magic('lsmagic', 'echo')",
        "f(get_ipython().run_line_magic('echo', 'a;'))",
        "echo = (",
    ],
)
def test_cell_without_such_a_magic_is_left_as_it_is(kernel, cell):
    """The transformer gives back the very lines that it was given."""
    answer = kernel.run(
        f"lines = {cell!r}.splitlines(keepends=True)\n"
        "get_ipython().input_transformers_post[-1](lines) is lines"
    )

    assert value_of(answer) is True


def test_only_an_await_is_put_in(kernel):
    """All else in the cell is byte for byte as IPython made it."""
    kernel.run("if True:\n    é = 'ü' # ü\n    d['é']  =  %echo  a  'b' # c\n\n\n# end")

    answer = kernel.run("print(get_ipython().history_manager.input_hist_parsed[-2])")

    assert answer.stdout == (
        "if True:\n    é = 'ü' # ü\n"
        "    d['é']  =  await get_ipython().run_line_magic('echo', \" a  'b' # c\")\n\n\n# end\n"
    )


def test_magic_that_somebody_replaced_is_not_awaited(kernel):
    """A plain magic registered under the same name afterwards works as plain magics do."""
    kernel.run("get_ipython().register_magic_function(lambda line: line * 2, 'line', 'fail')")
    try:
        answer = kernel.run("%fail ab")
    finally:
        kernel.run("%reload_ext echo_extension")

    assert value_of(answer) == "abab"


@pytest.mark.parametrize("cell", ["%fail x", "def f():\n    %fail x\nf()", "%%time\n%fail x"])
def test_error_in_a_magic_shows_where_it_came_from_and_nothing_of_the_machinery(kernel, cell):
    """The traceback has the cell and the magic's own code; the frames between are hidden."""
    answer = kernel.run(cell)

    assert (answer.error, answer.message) == ("ValueError", "no x")
    assert "echo_extension.py" in answer.traceback
    assert "bridge.py" not in answer.traceback
    assert "interrupts.py" not in answer.traceback


@pytest.mark.parametrize(
    ("cell", "error"),
    [
        ("%stall", "CancelledError"),
        ("async def f():\n    %stall\nawait f()", "CancelledError"),
        ("def f():\n    %stall\nf()", "KeyboardInterrupt"),
        ("def f():\n    %stall\nawait asyncio.sleep(0)\nf()", "KeyboardInterrupt"),
        ("%%time\n%stall", "KeyboardInterrupt"),
    ],
)
def test_interrupt_ends_a_magic_that_waits_for_ever(kernel, cell, error):
    """It ends within a second, cleans up, says one line, and the next magic works."""
    answer = kernel.interrupt_after_print(cell)

    assert answer.seconds < 1
    assert answer.error == error
    assert answer.traceback == INTERRUPTED
    assert answer.stdout.startswith("cleaned up\n")
    assert value_of(kernel.run("%echo next")) == ("next", kernel.loop)
    assert value_of(kernel.run("[get_ipython().run_line_magic('echo', 'n')][0]")) == ("n", "bridge")


def test_timeout_around_a_magic_is_a_timeout(kernel):
    """`asyncio.timeout` recognises its own cancellation."""
    answer = kernel.run("async with asyncio.timeout(0.05):\n    %stall")

    assert answer.error == "TimeoutError"


@pytest.mark.parametrize("cell", ["%draw", "[get_ipython().run_line_magic('draw', '')][0]"])
def test_drawing_is_done_on_the_thread_that_owns_the_display(kernel, cell):
    """Behind the bridge the blocked main thread draws; an awaited magic is on it anyway."""
    assert value_of(kernel.run(cell)) == [True]


@pytest.mark.parametrize(
    "cell",
    [
        "mine = 'm'\n%scope mine",
        "def f():\n    mine = 'm'\n    x = %scope mine\n    return x\nf()",
        "async def f():\n    mine = 'm'\n    x = %scope mine\n    return x\nawait f()",
    ],
)
def test_magic_sees_its_callers_variables(kernel, cell):
    """What IPython's decorators on the coroutine function ask for is passed."""
    assert value_of(kernel.run(cell)) == "m"


def test_question_mark_shows_the_coroutines_docstring(terminal):
    """`%echo?` is the help of the coroutine function."""
    assert "HELP-OF-ECHO" in terminal.run("%echo?")


def test_unload_takes_all_out_and_load_brings_it_back():
    """After unload the magic is unknown, cells are IPython's own, and the thread is gone."""
    with Kernel("echo_extension") as kernel:
        kernel.run("import threading\ndef f():\n    x = %echo a\n    return x\nf()")

        assert not kernel.run("%unload_ext echo_extension").error
        after = kernel.run("%echo a")
        left = kernel.run(
            "[t.name for t in threading.enumerate() if 'bridge' in t.name],"
            " get_ipython().input_transformers_post"
        )
        kernel.run("%load_ext echo_extension")
        again = kernel.run("f()")

        assert "not found" in after.stderr
        assert value_of(left) == ([], [])
        assert value_of(again) == ("a", "bridge")
        assert kernel.shutdown() == ""


@pytest.mark.parametrize("cell", ["%stall", "def f():\n    %stall\nf()"])
def test_kernel_that_is_shut_down_meanwhile_says_nothing(cell):
    """Shutting down in the middle of an awaited or a blocking magic leaves stderr empty."""
    with Kernel("echo_extension") as kernel:
        kernel.begin(cell)

        assert kernel.shutdown() == ""


@pytest.mark.parametrize(
    ("line", "where"),
    [
        ("%echo bare", "loop"),
        ("get_ipython().run_line_magic('echo', 'bare')", "loop"),
        ("await get_ipython().run_line_magic('echo', 'bare')", "loop"),
        ("[get_ipython().run_line_magic('echo', 'bare')][0]", "bridge"),
        ("%time %echo bare", "bridge"),
    ],
)
def test_magic_gives_its_value_in_terminal_ipython(terminal, line, where):
    """There too it runs on IPython's own loop, and blocks where it cannot."""
    terminal.run("from IPython.core.async_helpers import get_asyncio_loop")
    loop = terminal.run("print('=', id(get_asyncio_loop()))").split("=")[1].strip()

    shown = terminal.run(line)

    expected = loop if where == "loop" else "'bridge'"
    assert f"('bare', {expected})" in shown


def test_magic_blocks_in_terminal_ipython_where_autoawait_is_off(terminal):
    """There nobody would run the coroutine."""
    terminal.run("%autoawait off")
    try:
        shown = terminal.run("%echo off")
    finally:
        terminal.run("%autoawait on")

    assert "('off', 'bridge')" in shown


def test_trailing_semicolon_silences_in_terminal_ipython(terminal):
    """Nothing is shown."""
    assert "Out[" not in terminal.run("%echo a;")


@pytest.mark.parametrize(
    "line",
    [
        "%stall",
        "[get_ipython().run_line_magic('stall', '')]",
        "%time %stall",
        "import asyncio; await asyncio.gather(get_ipython().run_line_magic('stall', ''))",
    ],
)
def test_interrupt_ends_a_magic_in_terminal_ipython_and_leaves_nothing_behind(terminal, line):
    """It ends within a second, no task goes on with the next cell, and the next magic works."""
    shown, seconds = terminal.interrupt_after_print(line)

    assert seconds < 1
    assert "cleaned up" in shown
    assert INTERRUPTED in shown
    assert "Traceback" not in shown
    terminal.run("import asyncio, signal; from IPython.core.async_helpers import get_asyncio_loop")
    assert "tasks=0" in terminal.run("print(f'tasks={len(asyncio.all_tasks(get_asyncio_loop()))}')")
    assert "True" in terminal.run("signal.getsignal(signal.SIGINT) is signal.default_int_handler")
    assert "('next'," in terminal.run("%echo next")


def test_leaving_terminal_ipython_says_nothing(tmp_path):
    """The helper thread ends without a word."""
    with Terminal("echo_extension", folder=tmp_path) as terminal:
        terminal.run("[get_ipython().run_line_magic('echo', 'bare')]")

        assert terminal.exit().strip() in {"", "exit"}

"""A question before what cannot be taken back: buttons in a notebook, a line in a terminal."""

from __future__ import annotations

import re
import time

import pytest
from kernels import DEADLINE, Kernel, Terminal, good

from servers import Rig

pytestmark = pytest.mark.kernel

SETUP = (
    "import s3magic as s3, s3magic.commands.running.deleting as deleting\n"
    "deleting._UNASKED = 2\n"
    "s3.settings.change(progress='none');"
)
EVIL = "<img src=x onerror=alert(1)>/"


@pytest.fixture(scope="module")
def rig(seaweed):
    with Rig(seaweed) as rig:
        yield rig


@pytest.fixture(scope="module")
def kernel(seaweed):
    with Kernel("s3magic", env=seaweed.environment) as kernel:
        good(kernel.run(SETUP))
        yield kernel


@pytest.fixture
def tree(rig):
    """Three objects, one more than go without a question."""
    for name in "abc":
        rig.put(f"t/{name}", "1")
    yield rig
    for key in sorted(rig.keys()):
        rig.client.delete_object(Bucket=rig.bucket, Key=key)


def answered(kernel, code, word):
    """Run a cell and click on a button of its question; gives its displays by their names."""
    request = kernel.client.execute(code, allow_stdin=True)
    buttons, labels, shown, text, error = {}, [], {}, "", ""
    for kind, content in kernel._messages(request, time.monotonic() + DEADLINE):
        state = content.get("data", {}).get("state", {}) if kind == "comm_open" else {}
        if state.get("_model_name") == "ButtonModel":
            buttons[state["description"]] = content["comm_id"]
        if state.get("_model_name") == "HTMLModel":
            labels.append(state["value"])
        if kind in {"display_data", "update_display_data"}:
            shown[content["transient"]["display_id"]] = content["data"]
            if kind == "display_data" and buttons:
                click = {"method": "custom", "content": {"event": "click"}}
                data = {"comm_id": buttons[word], "data": click}
                message = kernel.client.session.msg("comm_msg", data)
                kernel.client.shell_channel.send(message)
        if kind == "execute_result":
            text = content["data"]["text/plain"]
        if kind == "error":
            error = content["ename"]
    return text, error, labels, list(shown.values())


@pytest.mark.parametrize("code", ["%s3rm {} -r", "await s3.rm('{}', recursive=True)"])
def test_a_yes_deletes(kernel, tree, code):
    """The click comes while the cell runs; what stays is a line of text."""
    text, error, labels, shown = answered(kernel, code.format(tree.uri("t/")), "Yes")

    assert error == ""
    assert text.count("done") == 3
    assert tree.keys() == []
    assert labels == [f"Delete 3 objects (3 B) below {tree.uri('t/')}?"]
    assert shown == [{"text/plain": f"{labels[0]} yes"}]


def test_a_no_deletes_nothing(kernel, tree):
    """And the cell ends, so that nothing behind it counts on what was not done."""
    _, error, _, shown = answered(kernel, f"%s3rm {tree.uri('t/')} -r", "No")

    assert error == "TransferError"
    assert len(tree.keys()) == 3
    assert shown[0]["text/plain"].endswith("? no")


def test_a_name_in_the_question_is_text(kernel, tree):
    """It reaches the screen neither as HTML nor as an escape."""
    for name in "abc":
        tree.put(EVIL + name, "1")

    _, _, labels, _ = answered(kernel, f"%s3rm '{tree.uri(EVIL)}' -r", "No")

    assert "<img" not in labels[0]
    assert "&lt;img" in labels[0]


@pytest.mark.parametrize(
    "code",
    [
        "%s3rm {} -r",  # nobody reads this cell: it came from a runner
        "def f():\n    return get_ipython().run_line_magic('s3rm', '{} -r')\nf()",
    ],
)
def test_where_nobody_can_answer_the_hint_is_to_add_y(kernel, tree, code):
    """A runner of notebooks, and the blocking bridge."""
    refused = kernel.run(code.format(tree.uri("t/")))
    left = tree.keys()
    good(kernel.run(f"_ = %s3rm {tree.uri('t/')} -r -y"))

    assert refused.error == "BadArgument"
    assert "Add -y" in refused.traceback
    assert len(left) == 3
    assert tree.keys() == []


def test_behind_the_bridge_nobody_is_asked_even_if_somebody_watches(kernel, tree):
    """The thread that would see the click is blocked."""
    code = f"def f():\n    %s3rm {tree.uri('t/')} -r\nf()"

    request = kernel.client.execute(code, allow_stdin=True)
    messages = list(kernel._messages(request, time.monotonic() + DEADLINE))
    errors = [content["ename"] for kind, content in messages if kind == "error"]

    assert errors == ["BadArgument"]


def test_an_interrupt_is_no_yes(kernel, tree):
    """The buttons go, and nothing is deleted."""
    request = kernel.client.execute(f"%s3rm {tree.uri('t/')} -r", allow_stdin=True)
    errors, shown = [], []
    for kind, content in kernel._messages(request, time.monotonic() + DEADLINE):
        if kind == "display_data":
            kernel.manager.interrupt_kernel()
        if kind in {"display_data", "update_display_data"}:
            shown.append(content["data"]["text/plain"])
        if kind == "error":
            errors.append(content["ename"])

    assert errors[0] in {"CancelledError", "KeyboardInterrupt"}
    assert shown[-1].endswith("not answered")
    assert len(tree.keys()) == 3


def test_in_a_terminal_a_line_answers(seaweed, tree):
    """Anything but a yes is a no; a Ctrl-C is none either."""
    with Terminal("s3magic", env=seaweed.environment) as terminal:
        terminal.run(SETUP.replace("\n", ";"))
        answers = []
        for word in ("n", "", None, "y"):
            terminal.process.sendline(f"%s3rm {tree.uri('t/')} -r")
            terminal.process.expect_exact("[y/N] ")
            if word is None:
                answers.append(terminal.interrupt()[0])
            else:
                answers.append(terminal.run(word))
            if word != "y":
                assert len(tree.keys()) == 3, answers

    assert "TransferError" in answers[0]
    assert "TransferError" in answers[1]
    assert re.search(r"done", answers[3])
    assert tree.keys() == []


@pytest.mark.parametrize(
    ("line", "call"),
    [
        ("%s3rm {}x --dry-run", "await s3.rm('{}x', dry_run=True)"),
        ("%s3rm {}t/ -r --dry-run", "await s3.rm('{}t/', recursive=True, dry_run=True)"),
        (
            "%s3rm {}t/ -r --exclude a --dry-run",
            "await s3.rm('{}t/', recursive=True, exclude='a', dry_run=True)",
        ),
        ("%s3mb free-name --dry-run", "await s3.mb('free-name', dry_run=True)"),
        (
            "%s3rb {} --force --dry-run --errors return",
            "await s3.rb('{}', force=True, dry_run=True, errors='return')",
        ),
        ("%s3uploads {} --older-than 1d", "await s3.uploads('{}', older_than='1d')"),
    ],
)
def test_a_magic_and_its_twin_give_the_same(kernel, tree, line, call):
    """For the four verbs that delete, and the one that makes what they delete."""
    uri = tree.uri()
    good(kernel.run(f"one = {line.format(uri)}\nother = {call.format(uri)}"))

    assert kernel.run("one.equals(other), len(one.columns) > 4").value == "(True, True)"

"""The live block: what it sends a front end, and what it leaves behind."""

from __future__ import annotations

import html
import re
import time

import pytest
from kernels import DEADLINE, Kernel

from s3magic.notebook.card import card
from s3magic.transfer.figures import read
from s3magic.transfer.progress import Meter

pytestmark = pytest.mark.kernel

EVIL = "<img src=x onerror=alert(1)>\x1b[2J\u202e'\"&.csv"
VIEW = "application/vnd.jupyter.widget-view+json"

SETUP = """
import asyncio
from s3magic import settings
from s3magic.commands.showing import displays
from s3magic.notebook import bars
from s3magic.transfer.progress import Meter
from s3magic.transfer.watching import watching
import ipywidgets

settings.change(progress_delay=0.0)
bars.install()
now = [0.0]

def tick(display, meter, seconds=0.1):
    now[0] += seconds
    meter.sample()
    display.draw(meter)

async def fake(meter, name="a.csv", ticks=6, quiet=False):
    async with watching(meter, displays.display()):
        number = meter.begin(name, 600)
        for _ in range(ticks):
            await asyncio.sleep(0.1)
            meter.advance(number, 100)
        meter.finish(number, "done")
        if quiet:
            meter.did = ""
"""


class Front:
    """A front end that keeps every message of a cell."""

    def __init__(self, kernel):
        self.kernel = kernel

    def send(self, code, *, allow_stdin=True):
        return self.kernel.client.execute(code, allow_stdin=allow_stdin)

    def run(self, code, *, allow_stdin=True):
        """Run a cell; gives its messages as pairs of type and content."""
        return self.wait(self.send(code, allow_stdin=allow_stdin))

    def wait(self, request):
        messages = list(self.kernel._messages(request, time.monotonic() + DEADLINE))
        errors = [content for kind, content in messages if kind == "error"]
        assert not errors, "\n".join(errors[0]["traceback"])
        return messages


@pytest.fixture(scope="module")
def kernel(home):
    with Kernel() as kernel:
        yield kernel


@pytest.fixture
def front(kernel):
    front = Front(kernel)
    front.run(SETUP)
    return front


def of(messages, kind):
    return [content for found, content in messages if found == kind]


def values(messages):
    """Give the HTML that was sent, in order."""
    sent = [message["data"] for message in of(messages, "comm_msg")]
    return [data["state"]["value"] for data in sent if "value" in data.get("state", {})]


def final(messages):
    """Give the output as a saved notebook has it: bundles by their display."""
    shown = {}
    for kind, content in messages:
        if kind in {"display_data", "update_display_data"}:
            shown[content["transient"]["display_id"]] = content["data"]
    return list(shown.values())


def test_the_block_becomes_one_line_of_plain_text(front):
    """The saved output holds no widget, and every comm is closed."""
    messages = front.run("await fake(Meter('Downloading', 'Downloaded', files=1, size=600))")

    (bundle,) = final(messages)
    opened = {content["comm_id"] for content in of(messages, "comm_open")}
    closed = {content["comm_id"] for content in of(messages, "comm_close")}
    assert VIEW in of(messages, "display_data")[0]["data"]
    assert set(bundle) == {"text/plain"}
    assert re.fullmatch(r"Downloaded 1 file, 600 B in .+ s \(.+/s\)\.", bundle["text/plain"])
    assert opened == closed != set()
    assert not of(messages, "stream")


def test_who_cannot_show_widgets_reads_a_word_and_not_a_representation(front):
    """While it runs the block's plain text is `Downloading…`."""
    messages = front.run("await fake(Meter('Downloading', 'Downloaded', files=1, size=600))")

    assert of(messages, "display_data")[0]["data"]["text/plain"] == "Downloading…"


def test_a_key_is_shown_and_never_markup(front):
    """A key that is an image tag with a script in it arrives as text."""
    messages = front.run(
        f"await fake(Meter('Downloading', 'Downloaded', files=1, size=600), {EVIL!r})"
    )

    sent = values(messages)
    assert sent
    for value in sent:
        assert "<img" not in value
        assert "\x1b" not in value
        assert "\u202e" not in value
    text = html.unescape(re.sub(r"<[^>]*>", "", sent[-1].split("</style>")[1]))
    assert EVIL.replace("\x1b", r"\x1b").replace("\u202e", r"\u202e") in text


def test_at_most_ten_updates_a_second(front):
    """On the meter's own clock no second sees more than ten drawings."""
    messages = front.run(
        "await fake(Meter('Downloading', 'Downloaded', files=1, size=2000), ticks=20)"
    )
    moments = [float(re.search(r"phase:-([\d.]+)s", value)[1]) for value in values(messages)]

    assert len(moments) > 5
    for moment in moments:
        assert sum(moment <= other < moment + 1 - 0.05 for other in moments) <= 10


def test_nothing_is_sent_when_nothing_changed(front):
    """A stalled transfer is drawn and not sent."""
    messages = front.run(
        "meter = Meter('Downloading', 'Downloaded', files=1, size=600, clock=lambda: now[0])\n"
        "display = bars.WidgetBar()\n"
        "number = meter.begin('a', 600)\n"
        "for _ in range(100): tick(display, meter)\n"
        "display.close('')"
    )

    assert len(values(messages)) == 1


def test_the_button_stops_the_verb_while_its_cell_runs(front):
    """A click ends the cell; until it has, the block says so and cannot be clicked again."""
    request = front.send(
        "stopped = asyncio.Event()\n"
        "loop = asyncio.get_running_loop()\n"
        "meter = Meter('Downloading', 'Downloaded', files=1, size=600)\n"
        "meter.on_stop(lambda: loop.call_soon_threadsafe(stopped.set))\n"
        "async with watching(meter, displays.display()):\n"
        "    await asyncio.wait_for(stopped.wait(), 60)\n"
        "    await asyncio.sleep(0.35)\n"
    )
    messages = []
    for kind, content in front.kernel._messages(request, time.monotonic() + DEADLINE):
        messages.append((kind, content))
        if kind == "display_data":
            (button,) = [
                opened["comm_id"]
                for opened in of(messages, "comm_open")
                if opened["data"]["state"]["_model_name"] == "ButtonModel"
            ]
            click = {"method": "custom", "content": {"event": "click"}}
            session = front.kernel.client.session
            message = session.msg("comm_msg", {"comm_id": button, "data": click})
            front.kernel.client.shell_channel.send(message)

    (bundle,) = final(messages)
    assert bundle["text/plain"].endswith("cancelled.")
    assert "Cancelling…" in values(messages)[-1]


def test_an_empty_summary_leaves_nothing_to_see(front):
    """With nothing to say the block goes, and no text comes."""
    messages = front.run(
        "display = bars.WidgetBar()\n"
        "display.draw(Meter('Listing', 'Listed', 'object'))\n"
        "display.close('')"
    )

    assert final(messages) == [{"text/plain": ""}]
    assert len(of(messages, "comm_close")) == len(of(messages, "comm_open"))


def test_nothing_drawn_and_nothing_to_say_sends_nothing(front):
    """A verb that was quick and quiet leaves no output at all."""
    messages = front.run("displays.display('widget').close('')")

    assert {kind for kind, _ in messages} <= {"status", "execute_input"}


def test_with_nobody_watching_there_is_one_line(front):
    """A runner that answers no questions, as nbclient, gets the summary on stdout."""
    messages = front.run(
        "await fake(Meter('Downloading', 'Downloaded', files=1, size=600))", allow_stdin=False
    )

    text = "".join(content["text"] for content in of(messages, "stream"))
    assert text.startswith("Downloaded 1 file")
    assert text.count("\n") == 1
    assert not of(messages, "comm_open")
    assert not of(messages, "display_data")


def test_a_widget_can_be_forced_and_text_too(front):
    """`progress` wins over what we guess."""
    messages = front.run(
        "print(type(displays.display('widget')).__name__, type(displays.display('text')).__name__,"
        " type(displays.display('none')).__name__)",
        allow_stdin=False,
    )

    assert of(messages, "stream")[0]["text"] == "WidgetBar TextBar Silent\n"


def test_a_transfer_in_the_background_stays_in_its_own_cell(front):
    """What an earlier cell started is drawn, and ends, in that cell's output."""
    first = front.send(
        "meter = Meter('Downloading', 'Downloaded', files=1, size=600)\n"
        "background = asyncio.create_task(fake(meter, ticks=10))"
    )
    second = front.send(
        "await fake(Meter('Uploading', 'Uploaded', files=1, size=600))\nawait background"
    )

    texts = {first: [], second: []}
    idle = False
    while not idle:
        message = front.kernel.client.get_iopub_msg(timeout=DEADLINE)
        kind, content = message["msg_type"], message["content"]
        parent = message["parent_header"].get("msg_id")
        idle = parent == second and kind == "status" and content["execution_state"] == "idle"
        assert kind != "error", content
        if kind in {"display_data", "update_display_data"}:
            texts[parent].append(content["data"]["text/plain"].split()[0])

    assert texts == {first: ["Downloading…", "Downloaded"], second: ["Uploading…", "Uploaded"]}


def test_behind_a_bridge_the_blocked_thread_draws_and_there_is_no_button(front):
    """Called where nobody can await, the block lives in the caller's output."""
    messages = front.run(
        "from s3magic.notebook.bridge import Bridge\n"
        "bridge = Bridge()\n"
        "meter = Meter('Downloading', 'Downloaded', files=1, size=600)\n"
        "bridge.run(lambda: fake(meter))\n"
        "bridge.close()"
    )

    models = [opened["data"]["state"]["_model_name"] for opened in of(messages, "comm_open")]
    (bundle,) = final(messages)
    assert "HTMLModel" in models
    assert "ButtonModel" not in models
    assert bundle["text/plain"].startswith("Downloaded 1 file")
    assert len(values(messages)) > 2


def test_uninstall_gives_the_choice_back(front):
    """Without the notebook's chooser a kernel gets what a pipe gets."""
    messages = front.run(
        "bars.uninstall()\nprint(type(displays.display('widget')).__name__)\nbars.install()"
    )

    assert of(messages, "stream")[0]["text"] == "ClosingLine\n"


def test_ipywidgets_is_imported_beside_the_loop(home):
    """The first bar costs the loop no import: it appears when the thread is through."""
    with Kernel() as fresh:
        front = Front(fresh)
        front.run(SETUP.replace("import ipywidgets", "import sys"))

        messages = front.run(
            "assert 'ipywidgets' not in sys.modules\n"
            "display = bars.WidgetBar()\n"
            "bars._load().thread.join(60)\n"
            "display.draw(Meter('Downloading', 'Downloaded', files=1))\n"
            "display.close('Done.')"
        )

    assert of(messages, "comm_open")
    assert final(messages) == [{"text/plain": "Done."}]


def test_the_rows_of_the_slowest_are_kept():
    """When one of three ends, its row stays empty, so that nothing below jumps."""
    now = [0.0]
    meter = Meter("Downloading", "Downloaded", files=9, size=900, clock=lambda: now[0])
    meter.begin("one", 100)
    now[0] = 5.0

    drawn = card(read(meter), 3)

    assert drawn.count('class="row slow"') == 3
    assert drawn.count('class="name"') == 1


def test_an_unknown_whole_has_a_moving_bar_and_no_percentage():
    """A listing shows its count, its rate and a sign of life."""
    now = [0.0]
    meter = Meter("Listing", "Listed", "object", clock=lambda: now[0])
    meter.tally(12_000)
    now[0] = 1.0
    meter.sample()

    drawn = card(read(meter), 0).split("</style>")[1]

    assert "12,000 objects" in drawn
    assert "12,000/s" in drawn
    assert "wait" in drawn
    assert "%" not in drawn

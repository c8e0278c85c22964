"""The text bar: it fits its terminal, and lets nothing out that moves a cursor."""

from __future__ import annotations

import io
import re
import unicodedata

import pytest

from s3magic import settings
from s3magic.commands.showing import displays
from s3magic.errors import BadArgument
from s3magic.transfer.progress import Meter
from s3magic.transfer.textbar import ClosingLine, TextBar
from s3magic.transfer.watching import Silent

NASTY = "a\x1b[2J\x1b]0;title\x07\r\n\x9b31m\u202egnp.exe\u2028 \U000e0041end"


class Stream(io.StringIO):
    """A stream that says what it is."""

    def __init__(self, encoding="utf-8", *, terminal=False):
        super().__init__()
        self._encoding = encoding
        self._terminal = terminal

    @property
    def encoding(self):
        return self._encoding

    def isatty(self):
        return self._terminal

    def write(self, text):
        text.encode(self._encoding)  # raises as a real stream would
        return super().write(text)


def half_way(name="stations/2023.parquet", *, files=1):
    """A meter that stands at 50 %."""
    now = [0.0]
    meter = Meter("Downloading", "Downloaded", files=files, size=1000, clock=lambda: now[0])
    number = meter.begin(name, 1000)
    now[0] = 5.0
    meter.advance(number, 500)
    meter.sample()
    return meter


def columns(text):
    return sum(2 if unicodedata.east_asian_width(char) in "WF" else 1 for char in text)


def screen(text):
    """Give the lines that a terminal shows, each drawn over at ``\\r``."""
    lines = []
    for line in text.split("\n"):
        shown_line = ""
        for part in line.split("\r"):
            shown_line = part + shown_line[len(part) :]
        lines.append(shown_line.rstrip())
    return lines


def test_the_line_says_all_there_is_to_say():
    """Verb, percentage, bytes, rate, time left and name stand in one line."""
    stream = Stream()

    TextBar(stream, width=120).draw(half_way())

    line = stream.getvalue()
    for said in ("Downloading", "50%", "500 B of 1.0 kB", "100 B/s", "5 s left", "2023.parquet"):
        assert said in line


def test_things_are_counted_before_their_rate():
    """What is listed has no bytes: how many there are comes first."""
    stream = Stream()
    meter = Meter("Listing", "Listed", "object")
    meter.tally(12)

    TextBar(stream, width=80).draw(meter)

    assert re.search(r"Listing +12 objects · \d+/s", stream.getvalue())


@pytest.mark.parametrize("draw", [True, False])
def test_no_escape_gets_out_of_a_name(draw):
    """A key full of terminal escapes is shown, not obeyed, in the bar and at the end."""
    stream = Stream()
    bar = TextBar(stream, width=200) if draw else ClosingLine(stream)

    bar.draw(half_way(NASTY))
    bar.close(f"Downloaded {NASTY}.")

    out = stream.getvalue()
    unseen = {char for char in out if unicodedata.category(char) in {"Cc", "Cf", "Zl", "Zp"}}
    assert unseen <= {"\r", "\n"}
    assert out.count("\n") == 1
    assert r"\x1b[2J" in out


@pytest.mark.parametrize("width", [1, 5, 20, 40, 60, 80, 100, 200])
@pytest.mark.parametrize("name", ["short", "x" * 1024, "観測所/気温" * 40, "🛰️" * 99, NASTY])
def test_the_line_never_reaches_the_last_column(width, name):
    """Whatever the width and the name, nothing wraps."""
    stream = Stream()

    TextBar(stream, width=width).draw(half_way(name))

    assert columns(stream.getvalue()) <= width - 1


def test_the_bar_gives_way_to_the_name():
    """On a terminal of usual width the slowest of many is named, its end kept."""
    stream = Stream()

    TextBar(stream, width=110).draw(half_way("s3://weather/parquet/2023.parquet", files=40))

    assert "━" in stream.getvalue()
    assert stream.getvalue().endswith("2023.parquet")


def test_a_shorter_line_leaves_nothing_of_the_longer_one():
    """Drawing over wipes out what was there before."""
    stream = Stream()
    bar = TextBar(stream, width=120)
    bar.draw(half_way("a-rather-long-name-that-goes-on-and-on.parquet"))

    bar.draw(half_way("b"))

    (line,) = screen(stream.getvalue())
    assert line.endswith("· b")


def test_the_summary_takes_the_place_of_the_bar():
    """At the end there is one line, and the cursor below it."""
    stream = Stream()
    bar = TextBar(stream, width=120)
    bar.draw(half_way())

    bar.close("Downloaded 1 file.")

    assert screen(stream.getvalue()) == ["Downloaded 1 file.", ""]


def test_an_empty_summary_wipes_the_bar_away():
    """With nothing to say the line is left as it was before."""
    stream = Stream()
    bar = TextBar(stream, width=120)
    bar.draw(half_way())

    bar.close("")

    assert screen(stream.getvalue()) == [""]
    assert stream.getvalue().endswith("\r")


def test_an_unchanged_line_is_not_written_again():
    """A stalled transfer writes nothing."""
    stream = Stream()
    bar = TextBar(stream, width=120)
    meter = half_way()
    bar.draw(meter)
    before = stream.getvalue()

    bar.draw(meter)

    assert stream.getvalue() == before


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "cp1252", "cp437"])
def test_it_writes_only_what_the_stream_can_encode(encoding):
    """On a terminal without Unicode the bar is plain and a name's letters are `?`."""
    stream = Stream(encoding)
    bar = TextBar(stream, width=120)

    bar.draw(half_way("気温.csv"))
    bar.close("Downloaded 気温.csv…")

    assert "50%" in stream.getvalue()
    assert "??.csv" in stream.getvalue()


def test_the_closing_line_draws_nothing_before_the_end():
    """With no terminal there is one line, or none."""
    stream = Stream()
    line = ClosingLine(stream)

    line.draw(half_way())
    line.close("Downloaded 1 file.")
    ClosingLine(stream).close("")

    assert stream.getvalue() == "Downloaded 1 file.\n"


@pytest.fixture
def streams(monkeypatch):
    """Put streams in place of the standard ones; True for a terminal, None for no stream."""

    def put(error, output):
        made = [
            None if terminal is None else Stream(terminal=terminal) for terminal in (error, output)
        ]
        monkeypatch.setattr("sys.stderr", made[0])
        monkeypatch.setattr("sys.stdout", made[1])
        return made

    displays.reset()
    yield put
    displays.reset()


@pytest.mark.parametrize(
    ("error", "output", "kind", "which"),
    [
        (True, True, TextBar, 0),
        (True, False, TextBar, 0),
        (False, True, TextBar, 1),
        (False, False, ClosingLine, 0),
        (None, False, ClosingLine, 1),
    ],
)
def test_auto_suits_the_standard_streams(streams, error, output, kind, which):
    """A bar where a terminal is, else a closing line, on standard error if it can be."""
    made = streams(error, output)

    display = displays.display()
    display.close("Said.")

    assert isinstance(display, kind)
    assert made[which].getvalue() == "Said.\n"


def test_without_any_stream_it_is_silent(streams):
    """A program with no console gets no error for it."""
    streams(None, None)

    assert isinstance(displays.display(), Silent)


def test_none_is_silent_and_text_is_a_bar_anywhere(streams):
    """An explicit wish is followed."""
    streams(False, False)

    assert isinstance(displays.display("none"), Silent)
    assert isinstance(displays.display("text"), TextBar)


def test_the_default_comes_from_the_settings(streams):
    """`progress` in the settings holds for every verb."""
    streams(True, True)
    settings.change(progress="none")
    try:
        assert isinstance(displays.display(), Silent)
        assert isinstance(displays.display("auto"), TextBar)
    finally:
        settings.change(progress="auto")


def test_an_unknown_choice_names_the_nearest(streams):
    """A slip of the hand is answered with what was meant."""
    with pytest.raises(BadArgument, match=re.escape("Did you mean 'widget'?")):
        displays.display("widgets")


def test_a_chooser_from_above_decides_and_may_decline(streams):
    """What is put in with `use` is asked first, and gone after `reset`."""
    streams(True, True)
    mine = Silent()
    displays.use(lambda wanted: mine if wanted == "widget" else None)

    chosen, declined = displays.display("widget"), displays.display("auto")
    displays.reset()

    assert chosen is mine
    assert isinstance(declined, TextBar)
    assert isinstance(displays.display("widget"), TextBar)

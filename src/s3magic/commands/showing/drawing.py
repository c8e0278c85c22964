"""Draws counts with matplotlib: a treemap, or bars.

It draws on figures of its own, never through pyplot: no state that a notebook
shares, no figure that stays open, and a thread can do it. Names come as they
are: no mathematics is read in them.
"""

from __future__ import annotations

import functools
import io
import threading
from typing import TYPE_CHECKING, Any, NamedTuple

from matplotlib import font_manager
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from s3magic.commands.showing.treemap import Box, squarified
from s3magic.wording import count, filesize, printable, shorten

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes

__all__ = ["PAPER", "SCREEN", "Ground", "Item", "drawn", "png_of"]

_WIDTH, _HEIGHT = 860, 480  # pixels on the screen; the file has twice as many each way
_DPI = 100
_HEAD = 44  # pixels for the title
_STRIP = 18  # pixels for the name of a group
_BOXES = 60  # rectangles, or bars, beyond which the smallest become one
_BARS = 24
_BAR = 26  # pixels of a bar and the gap behind it
_DARK = "#22262b"
_OTHERS = "#b6bac1"
_COLOURS = (
    "#3d6fb4", "#2f9c95", "#c96f22", "#8a63b0", "#c2504f", "#6c9a3b", "#9c7a1f", "#5f7f95",
)  # fmt: skip
# Where DejaVu, which matplotlib brings along, has no letters: what systems have.
_MORE_FONTS = (
    "Noto Sans CJK JP", "Noto Sans CJK SC", "Hiragino Sans", "PingFang SC", "Microsoft YaHei",
    "Yu Gothic", "Malgun Gothic", "Arial Unicode MS", "Noto Sans Arabic", "Noto Sans Hebrew",
    "Noto Sans Devanagari",
)  # fmt: skip

_drawing = threading.Lock()  # matplotlib's fonts are shared


class Ground(NamedTuple):
    """What a picture lies on: its colour, or ``none``, and those of what is written on it."""

    face: str
    ink: str
    faint: str


PAPER = Ground("white", _DARK, "#6b7280")
"""A page, for a file."""
SCREEN = Ground("none", "#767e88", "#767e88")
"""A notebook's own ground, light or dark: no kernel learns which, so one grey is for both."""


class Item(NamedTuple):
    """What is drawn.

    Args:
        name: What it is called.
        group: What it belongs to.
        size: Bytes.
        objects: How many.
    """

    name: str
    group: str
    size: int
    objects: int


def drawn(
    shape: str, place: str, amount: str, items: Sequence[Item], ground: Ground = PAPER
) -> Figure:
    """Draw some items.

    Args:
        shape: ``treemap`` or ``bars``.
        place: What they are of.
        amount: What they are in all.
        items: The largest first, or in the order to show.
        ground: What it will lie on.
    """
    with _drawing:
        shown = [item for item in items if item.size > 0 or shape == "bars"]
        bars = _few(shown, _BARS, keep_order=True) if shape == "bars" else []
        height = max(110, _HEAD + 14 + _BAR * len(bars)) if shape == "bars" else _HEIGHT
        figure = Figure(figsize=(_WIDTH / _DPI, height / _DPI), dpi=_DPI, facecolor=ground.face)
        FigureCanvasAgg(figure)
        axes = figure.add_axes((0, 0, 1, 1), xlim=(0, _WIDTH), ylim=(height, 0))
        axes.set_axis_off()
        pen = _Pen(axes, ground)
        end = pen.write(14, 24, shorten(printable(place), 70), 11.5, ground.ink, weight="bold")
        pen.write(max(_WIDTH - 14, end + 14), 24, amount, 9.5, ground.faint, align="right")
        if not shown or not any(item.size or item.objects for item in shown):
            pen.write(14, _HEAD + 40, "Nothing is there.", 10, ground.faint)
        elif shape == "bars":
            _draw_bars(pen, bars)
        else:
            _draw_treemap(pen, shown)
        return figure


def png_of(figure: Figure) -> tuple[bytes, tuple[int, int]]:
    """Give a figure as PNG, sharp on fine screens, and how large it is to be shown."""
    file = io.BytesIO()
    with _drawing:
        # Told, since matplotlib's own settings may have it another.
        figure.savefig(file, format="png", dpi=2 * _DPI, facecolor=figure.get_facecolor())
        width, height = figure.get_size_inches() * _DPI
    return file.getvalue(), (round(width), round(height))


class _Pen:
    """Writes and paints in pixels, as wide as it is told to."""

    def __init__(self, axes: Axes, ground: Ground) -> None:
        self.axes = axes
        self.ground = ground
        canvas: Any = axes.figure.canvas
        self._renderer = canvas.get_renderer()

    def paint(self, box: Box, colour: str) -> None:
        """Fill a rectangle."""
        corner = (box.x, box.y)
        self.axes.add_patch(Rectangle(corner, box.width, box.height, facecolor=colour, linewidth=0))

    def write(
        self,
        x: float,
        y: float,
        text: str,
        size: float,
        colour: str,
        *,
        align: Any = "left",
        weight: str = "normal",
        alpha: float = 1.0,
    ) -> float:
        """Write a line; gives where it ends."""
        legible = _legible(text)
        self.axes.text(
            x, y, legible, fontsize=size, color=colour, ha=align, va="center", alpha=alpha,
            fontfamily=list(_families()), fontweight=weight, parse_math=False, usetex=False,
        )  # fmt: skip
        return x + self.width(legible, size, weight)

    def width(self, text: str, size: float, weight: str = "normal") -> float:
        """Give the pixels that a line takes."""
        font = font_manager.FontProperties(family=list(_families()), size=size, weight=weight)
        width, _, _ = self._renderer.get_text_width_height_descent(text, font, ismath=False)
        return float(width)

    def fitting(self, text: str, room: float, size: float, weight: str = "normal") -> str:
        """Shorten a line until it fits; empty if next to nothing would be left."""
        legible = _legible(text)
        width = self.width(legible, size, weight)
        if width <= room:
            return legible
        letters = int(len(legible) * room / width)
        while letters > 3:
            short = shorten(legible, letters)
            if self.width(short, size, weight) <= room:
                return short
            letters -= 1
        return ""


def _draw_treemap(pen: _Pen, items: Sequence[Item]) -> None:
    whole = Box(12, _HEAD, _WIDTH - 24, _HEIGHT - _HEAD - 12)
    few = _few(items, _BOXES)
    groups: dict[str, list[Item]] = {}
    for item in few:
        groups.setdefault(item.group, []).append(item)
    ranked = sorted(groups.items(), key=lambda pair: -sum(item.size for item in pair[1]))
    ranked.sort(key=lambda pair: pair[0] == "")  # the others come last
    boxes = squarified([sum(item.size for item in held) for _, held in ranked], whole)
    for number, ((name, held), box) in enumerate(zip(ranked, boxes, strict=True)):
        colour = _COLOURS[number % len(_COLOURS)] if name else _OTHERS
        if len(held) == 1:
            _draw_box(pen, held[0].name, held[0], box.inner(1.5), colour)
            continue
        room = box.inner(1.5)
        pen.paint(room, colour)
        strip = _STRIP if room.height > 3 * _STRIP and room.width > 40 else 0
        size = sum(item.size for item in held)
        if strip:
            said = pen.fitting(f"{name}/  {filesize(size)}", room.width - 12, 8.5, "bold")
            pen.write(room.x + 6, room.y + strip / 2 + 1, said, 8.5, "white", weight="bold")
        inner = room.inner(2, strip)
        for item, cell in zip(held, squarified([item.size for item in held], inner), strict=True):
            label = item.name.removeprefix(f"{name}/") or item.name
            _draw_box(pen, label, item, cell.inner(0.75), _lighter(colour, 0.13))


def _draw_box(pen: _Pen, label: str, item: Item, box: Box, colour: str) -> None:
    """Fill a rectangle, and say what it is if there is room."""
    pen.paint(box, colour)
    ink = "white" if _luminance(colour) < 0.66 else _DARK
    font = 10.5 if box.width > 150 and box.height > 60 else 8.5
    room = box.width - 12
    if room < 18 or box.height < font + 7:
        return
    name = pen.fitting(printable(label), room, font)
    pen.write(box.x + 6, box.y + font + 1, name, font, ink)
    if name and box.height > 2 * font + 16:
        told = f"{filesize(item.size)}, {count(item.objects, 'object')}"
        if pen.width(told, font - 1.5) > room:
            told = filesize(item.size)
        if pen.width(told, font - 1.5) <= room:
            pen.write(box.x + 6, box.y + 2.6 * font + 3, told, font - 1.5, ink, alpha=0.85)


def _draw_bars(pen: _Pen, items: Sequence[Item]) -> None:
    names = [pen.fitting(printable(item.name), 260, 9.5) for item in items]
    begin = 24 + max(pen.width(name, 9.5) for name in names)
    told = [f"{filesize(item.size)}, {count(item.objects, 'object')}" for item in items]
    room = _WIDTH - begin - 26 - max(pen.width(text, 9) for text in told)
    largest = max(item.size for item in items) or 1
    for number, (item, name, text) in enumerate(zip(items, names, told, strict=True)):
        middle = _HEAD + 8 + _BAR * (number + 0.5)
        width = max(1.5, room * item.size / largest)
        pen.write(begin - 10, middle, name, 9.5, pen.ground.ink, align="right")
        colour = _COLOURS[0] if item.group != "\0" else _OTHERS
        pen.paint(Box(begin, middle - 8.5, width, 17), colour)
        pen.write(begin + width + 8, middle, text, 9, pen.ground.faint)


def _few(items: Sequence[Item], most: int, *, keep_order: bool = False) -> list[Item]:
    """Make one of the smallest where there are too many."""
    if len(items) <= most:
        return list(items) if keep_order else sorted(items, key=lambda item: -item.size)
    ranked = sorted(items, key=lambda item: -item.size)
    kept, rest = ranked[: most - 1], ranked[most - 1 :]
    others = Item(
        f"{len(rest):,} others",
        "\0" if keep_order else "",
        sum(item.size for item in rest),
        sum(item.objects for item in rest),
    )
    if keep_order:
        chosen = set(map(id, kept))
        kept = [item for item in items if id(item) in chosen]
    return [*kept, others]


def _lighter(colour: str, share: float) -> str:
    return "#" + "".join(
        f"{round(255 * (part + (1 - part) * share)):02x}" for part in to_rgb(colour)
    )


def _luminance(colour: str) -> float:
    """How light a colour is, 0 to 1 (ITU-R BT.601)."""
    red, green, blue = to_rgb(colour)
    return 0.299 * red + 0.587 * green + 0.114 * blue


@functools.cache
def _families() -> tuple[str, ...]:
    """The fonts to write with; one that is not there would be told of in the log."""
    here = {font.name for font in font_manager.fontManager.ttflist}
    return ("DejaVu Sans", *(name for name in _MORE_FONTS if name in here))


@functools.cache
def _letters() -> frozenset[int]:
    """The characters that these fonts have."""
    found: set[int] = set()
    for name in _families():
        font = font_manager.get_font(font_manager.findfont(name))
        found.update(font.get_charmap())
    return frozenset(found)


def _legible(text: str) -> str:
    """Put a sign for each character that no font here has: matplotlib would warn of it."""
    if text.isascii():
        return text
    letters = _letters()
    return "".join(char if ord(char) in letters else "▯" for char in text)

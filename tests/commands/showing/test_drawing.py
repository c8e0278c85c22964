"""Pictures of counts: what is on them, and that no name breaks them."""

from __future__ import annotations

import io

import pytest
from matplotlib.colors import to_rgb
from matplotlib.image import imread

from s3magic.commands.showing.drawing import SCREEN, Item, drawn, png_of
from s3magic.commands.showing.picture import picture_of


def texts(figure):
    return [text.get_text() for text in figure.axes[0].texts]


def on_a_box(text, figure):
    """Whether a text stands on one of the painted boxes."""
    return any(box.get_bbox().contains(*text.get_position()) for box in figure.axes[0].patches)


def light(colour):
    """How light a colour is (WCAG 2, relative luminance)."""
    parts = [
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4
        for part in to_rgb(colour)
    ]
    return sum(share * part for share, part in zip((0.2126, 0.7152, 0.0722), parts, strict=True))


def contrast(one, other):
    """How a colour stands out from another (WCAG 2, contrast ratio): 1 to 21."""
    darker, lighter = sorted((light(one), light(other)))
    return (lighter + 0.05) / (darker + 0.05)


def items(number, name="folder{}/"):
    return [Item(name.format(n), f"folder{n}", 1000 * (number - n), 1) for n in range(number)]


def test_a_treemap_names_its_boxes_and_their_sizes():
    """The largest can hardly be overlooked."""
    found = texts(drawn("treemap", "s3://b/", "3 objects, 6.0 kB", items(3)))

    assert found[:2] == ["s3://b/", "3 objects, 6.0 kB"]
    assert "folder0/" in found
    assert "3.0 kB, 1 object" in found


def test_bars_come_in_the_order_given():
    """Ages and months have one of their own."""
    rows = [Item("2024-01", "", 1, 1), Item("2024-02", "", 9, 1), Item("2024-03", "", 5, 1)]

    found = texts(drawn("bars", "s3://b/", "", rows))

    assert found[2::2] == ["2024-01", "2024-02", "2024-03"]


@pytest.mark.parametrize("shape", ["treemap", "bars"])
def test_the_smallest_of_very_many_become_one(shape):
    """A picture of a thousand folders can still be read."""
    found = texts(drawn(shape, "s3://b/", "", items(1000)))

    assert len(found) < 200
    if shape == "bars":
        assert "977 others" in found


@pytest.mark.parametrize("shape", ["treemap", "bars"])
@pytest.mark.parametrize(
    "name", ["$\\bad$ {}", "\x1b[2J{}", "日本語{}", "\ue000{}", "a" * 500 + "{}", "ö_{}%"]
)
def test_any_name_can_be_drawn(shape, name):
    """No mathematics, no control, no warning of a letter that the font has not."""
    figure = drawn(shape, f"s3://b/{name}", "", items(3, name))

    data, _ = png_of(figure)

    assert data.startswith(b"\x89PNG")
    assert not any("\x1b" in text for text in texts(figure))


@pytest.mark.parametrize("shape", ["treemap", "bars"])
@pytest.mark.parametrize("rows", [[], [Item("empty/", "empty", 0, 0)]])
def test_nothing_is_drawn_of_nothing(shape, rows):
    """But the picture says so."""
    assert "Nothing is there." in texts(drawn(shape, "s3://b/", "", rows))


@pytest.mark.parametrize("shape", ["treemap", "bars"])
@pytest.mark.parametrize("theme", ["#ffffff", "#111111", "#1f1f1f"], ids=["light", "lab", "code"])
def test_what_a_notebook_shows_can_be_read_in_its_theme(shape, theme):
    """What is behind the picture shows through, and what is written there stands out from it."""
    figure = drawn(shape, "s3://b/", "3 objects, 6.0 kB", items(3), SCREEN)
    picture = imread(io.BytesIO(png_of(figure)[0]))
    written = [one for one in figure.axes[0].texts if not on_a_box(one, figure)]

    assert picture[0, 0, 3] == 0
    assert {"s3://b/", "3 objects, 6.0 kB"} <= {one.get_text() for one in written}
    assert min(contrast(one.get_color(), theme) for one in written) >= 4


def test_a_picture_is_kept_in_any_format(tmp_path):
    """And its figure is matplotlib's, to be changed."""
    import pandas as pd

    frame = pd.DataFrame(
        {
            "Key": ["a/x/", "a/y/", "b/", ""],
            "Objects": [1, 2, 3, 4],
            "Size": [50, 40, 30, 20],
            "Type": ["prefix", "prefix", "prefix", "level"],
            "Bucket": ["bucket"] * 4,
        }
    )
    picture = picture_of(frame, "treemap")

    picture.save(tmp_path / "picture.svg")
    picture.save(tmp_path / "picture.png")
    figure = picture.figure()

    kept = imread(tmp_path / "picture.png")
    assert "<svg" in (tmp_path / "picture.svg").read_text()
    assert kept.shape[:2] == (960, 1720)
    assert kept[0, 0].tolist() == [1, 1, 1, 1]
    assert {"a/  90 B", "x/", "y/", "b/", "*"} <= set(texts(figure))

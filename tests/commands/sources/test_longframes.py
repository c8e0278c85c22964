"""Long frames are gone through in parts, and beside the loop."""

from __future__ import annotations

import threading

import pandas as pd
import pytest

from s3magic.commands.cp import cp
from s3magic.commands.get import get
from s3magic.commands.rm import rm
from s3magic.commands.sources import longframes
from s3magic.commands.sources.longframes import in_parts, number_of, parts
from s3magic.errors import BadArgument

MANY = longframes._PART + 10


@pytest.fixture
def long(s3):
    """A frame of more rows than a part has, of objects that nobody asks for."""
    keys = [f"a/{number}" for number in range(MANY)]
    return pd.DataFrame({"Bucket": s3.bucket, "Key": keys, "Size": 5, "Type": "object"})


@pytest.fixture
def columns(monkeypatch):
    """The lists that are made of columns meanwhile: the length of each, and its thread."""
    made = []
    tolist = pd.Series.tolist

    def told(series):
        made.append((len(series), threading.current_thread()))
        return tolist(series)

    monkeypatch.setattr(pd.Series, "tolist", told)
    return made


@pytest.mark.parametrize("verb", ["get", "cp", "rm"])
async def test_no_verb_reads_a_long_frame_at_once(verb, long, columns, s3, tmp_path):
    """A list of a whole column would let no other thread run for as long as it takes."""
    going = {
        "get": lambda: get(long, tmp_path, dry_run=True),
        "cp": lambda: cp(long, s3.uri("to/"), dry_run=True),
        "rm": lambda: rm(long, dry_run=True),
    }
    report = await going[verb]()

    assert len(report) == MANY
    assert set(report.Status) == {"planned"}
    assert max(length for length, _ in columns) <= longframes._PART
    on_loop = [length for length, thread in columns if thread is threading.current_thread()]
    assert max(on_loop, default=0) <= longframes._AT_ONCE


async def test_a_row_of_the_last_part_is_looked_at_before_any_goes(long, s3):
    """As with a short frame: nothing is done where one row names nothing."""
    s3.put("a/0", "here")
    long.loc[MANY - 1, "Key"] = None

    with pytest.raises(BadArgument, match="no Bucket or no Key"):
        await rm(long, yes=True)

    assert s3.keys() == ["a/0"]


def test_parts_make_the_whole():
    """In their order, with one index; of nothing there is one part, with the columns."""
    rows = list(range(MANY))
    frame = in_parts(rows, lambda some: pd.DataFrame({"Number": list(some)}))

    assert frame.Number.tolist() == rows
    assert frame.index.tolist() == rows
    assert [len(part) for part in parts(frame)] == [longframes._PART, 10]
    assert list(in_parts([], lambda some: pd.DataFrame({"Number": list(some)})).columns) == [
        "Number"
    ]
    assert number_of(frame.Number, [0, MANY - 1, -1]) == 2

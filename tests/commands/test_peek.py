"""The verb peek, on both servers."""

from __future__ import annotations

import asyncio
import gzip
import io
import json
import zipfile

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from PIL import Image

import tables
from liar import Liar
from s3magic import session
from s3magic.commands.peek import peek
from s3magic.commands.showing import displays
from s3magic.errors import BadArgument, Damaged, NoSuchKey, ObjectChanged
from s3magic.transfer.watching import Silent
from tables import OBJECTS, TABLE

MiB = 1024 * 1024
DICE = np.random.default_rng(1)


@pytest.fixture
async def connected(s3):
    """The verbs, connected to the server that the test's bucket is on."""
    session.connect(
        endpoint_url=s3.server.endpoint_url,
        aws_access_key_id=s3.server.access_key,
        aws_secret_access_key=s3.server.secret_key,
        region="us-east-1",
    )
    displays.use(lambda _: Silent())
    yield s3
    displays.reset()
    await session.close()
    session.connect(reset=True)


@pytest.fixture
async def liar():
    """A server that notes every request, and the verbs connected to it."""
    async with Liar() as server:
        session.connect(
            endpoint_url=server.endpoint_url,
            aws_access_key_id="testing",
            aws_secret_access_key="testing",
            region="us-east-1",
        )
        displays.use(lambda _: Silent())
        yield server
        displays.reset()
        await session.close()
        session.connect(reset=True)


def counted(server):
    """Have a lying server note the bytes of objects that it sends; gives the notes."""
    sent = []

    def note(_, answer):
        sent.append(len(answer.body))
        return answer

    server.lie("GetObject", note)
    return sent


async def test_every_kind_of_table_shows_its_columns_and_first_rows(s3, server, connected):
    """Packed or not; Parquet and Arrow know how many rows there are."""
    for key, data in OBJECTS.items():
        s3.put(key, data)

    seen = {key: await peek(s3.uri(key), rows=3) for key in OBJECTS}

    assert [one.format for one in seen.values()] == [
        "parquet", "arrow", "arrow", "orc", "csv", "tsv", "jsonl", "json", "excel",
        "csv", "csv", "csv", "jsonl",
    ]  # fmt: skip
    for one in seen.values():
        assert one.schema.Column.tolist() == ["n", "x", "who"]
        assert one.head.astype(object).equals(TABLE.head(3).astype(object))
        assert one.note == ""
    for key in ("t.parquet", "t.feather", "t.orc", "t.xlsx"):
        assert seen[key].rows == 100


async def test_a_large_parquet_object_moves_little(liar):
    """The index, and of each column one page: counted at the server."""
    dice = np.random.default_rng(1)
    frame = pd.DataFrame({f"x{number}": dice.random(300_000) for number in range(8)})
    liar.objects["large.parquet"] = tables.parquet(frame, use_dictionary=False)
    sent = counted(liar)

    seen = await peek(liar.uri("large.parquet"))

    assert len(liar.objects["large.parquet"]) > 15 * MiB
    assert sum(sent) < 1_000_000
    assert seen.bytes_read <= sum(sent)
    assert seen.rows == 300_000
    assert len(seen.schema) == 8
    assert seen.head.equals(frame[list(seen.head.columns)].head())
    assert seen.schema.Min.astype(float).round(3).tolist() == frame.min().round(3).tolist()
    assert seen.schema.Bytes.sum() > 15 * MiB
    assert 1 <= len(seen.head.columns) < 8
    assert "too large" in seen.note


async def test_what_it_says_of_itself_reads_as_words(liar):
    """One row group is no "row groups 1", and a least value of zero is no -0."""
    liar.objects["t.parquet"] = tables.parquet(pd.DataFrame({"rain": [0.0, 1.5]}))
    file = io.BytesIO()
    Image.new("RGB", (32, 12)).save(file, "jpeg")
    liar.objects["i.jpg"] = file.getvalue()

    table = await peek(liar.uri("t.parquet"))
    image = await peek(liar.uri("i.jpg"))

    assert ", 2 rows, 1 column, 1 row group, written by " in repr(table)
    assert table.schema.Min.tolist() == ["0"]
    assert "width 32, height 12, colour, 8 bits (" in repr(image)


async def test_rows_come_from_several_row_groups(s3, connected):
    """As many as were asked for, with names that hold dots and columns within columns."""
    table = pa.table(
        {"a.b": range(10), "in": [{"x": k, "y": [k]} for k in range(10)], "a": [None] * 10}
    )
    s3.put("k.parquet", tables.parquet(table, row_group_size=3))

    seen = await peek(s3.uri("k.parquet"), rows=7)

    assert seen.head["a.b"].tolist() == list(range(7))
    assert seen.head["in"][6] == {"x": 6, "y": [6]}
    assert seen.schema.Type.tolist()[0] == "int64"
    assert seen.schema.Max.fillna("").tolist() == ["9", "", ""]


@pytest.mark.parametrize(
    ("key", "data"),
    [
        ("wide.parquet", lambda: tables.parquet(pd.DataFrame({"x": [bytes(DICE.bytes(MiB))] * 2}))),
        (
            "b.feather",
            lambda: tables.feather(
                pd.DataFrame({"x": DICE.random(200_000)}),
                chunksize=200_000,
                compression="uncompressed",
            ),
        ),
        ("b.orc", lambda: tables.orc(pd.DataFrame({"x": DICE.random(200_000)}))),
    ],
    ids=["parquet", "arrow", "orc"],
)  # fmt: skip
async def test_what_does_not_fit_is_left_out_and_told(liar, key, data):
    """The columns are there, the rows are not, and the note says why."""
    liar.objects[key] = data()
    sent = counted(liar)

    seen = await peek(liar.uri(key))

    assert seen.schema.Column.tolist() == ["x"]
    assert seen.head is None
    assert "too large" in seen.note
    assert sum(sent) < 1_000_000


async def test_the_beginning_of_a_large_text_is_enough(liar):
    """Of CSV, of JSON lines, of one long JSON list, and of what is packed."""
    rows = [{"n": number, "who": "ä"} for number in range(100_000)]
    lines = "".join(f"{json.dumps(row)}\n" for row in rows).encode()
    table = b"n;who\n" + b"".join(f"{number};ä\n".encode() for number in range(100_000))
    liar.objects |= {
        "k.csv": table,
        "k.jsonl": lines,
        "k.json": json.dumps(rows).encode(),
        "k.csv.gz": gzip.compress(table),
        "lines": lines,
    }
    sent = counted(liar)

    seen = {key: await peek(liar.uri(key), rows=2) for key in liar.objects}

    assert all(one.head.n.tolist() == [0, 1] for one in seen.values())
    assert all(one.head.who.tolist() == ["ä", "ä"] for one in seen.values())
    assert sum(sent) < 600_000
    assert seen["k.csv"].facts == {"separator": ";"}
    assert seen["lines"].format == "jsonl"


@pytest.mark.parametrize("kind", ["png", "jpeg", "gif", "webp", "bmp"])
async def test_an_image_tells_its_shape(s3, connected, kind):
    """Whatever its name; behind a long comment too."""
    file = io.BytesIO()
    options = {"comment": b"x" * 60_000} if kind == "jpeg" else {}
    Image.new("RGB", (321, 123)).save(file, kind, **options)
    s3.put("picture", file.getvalue())

    seen = await peek(s3.uri("picture"), format=None if kind != "bmp" else "image")

    assert seen.format == kind
    assert (seen.facts["width"], seen.facts["height"]) == (321, 123)


async def test_an_array_tells_its_shape_and_an_archive_what_is_in_it(s3, server, connected):
    """With the first values, where they are near."""
    for key, save in (
        ("a.npy", lambda file: np.save(file, np.arange(300_000).reshape(-1, 3))),
        ("a.npz", lambda file: np.savez(file, one=np.zeros((2, 3)), two=np.arange(5))),
    ):
        file = io.BytesIO()
        save(file)
        s3.put(key, file.getvalue())
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as packed:
        packed.writestr("in/side.txt", "1" * 1000)
    s3.put("a.zip", file.getvalue())

    array, arrays, archive = [await peek(s3.uri(f"a.{kind}")) for kind in ("npy", "npz", "zip")]

    assert array.facts["shape"] == (100_000, 3)
    assert array.head.to_numpy().tolist()[1] == [3, 4, 5]
    assert arrays.schema[["Column", "Shape"]].to_numpy().tolist() == [
        ["one", "(2, 3)"], ["two", "(5,)"],
    ]  # fmt: skip
    assert archive.head.Name.tolist() == ["in/side.txt"]
    assert archive.head.Size.tolist() == [1000]


async def test_what_is_no_table_is_shown_as_what_it_is(s3, server, connected):
    """Text as lines, bytes as their first ones, nothing as nothing."""
    s3.put("text", "one\ntwo\n")
    s3.put("bytes", bytes(range(256)))
    s3.put("empty.csv", b"")
    s3.put("empty.parquet", b"")
    s3.put("avro.avro", AVRO)

    text, data, empty, avro = [
        await peek(s3.uri(key)) for key in ("text", "bytes", "empty.csv", "avro.avro")
    ]

    assert text.head.Line.tolist() == ["one", "two"]
    assert data.facts["begins"].startswith("00 01 02")
    assert empty.note == "It is empty."
    assert (await peek(s3.uri("empty.parquet"))).note == "It is empty."
    assert avro.schema.to_numpy().tolist() == [["a", "long or null"], ["b", "string"]]


AVRO = (
    b"Obj\x01\x02\x16avro.schema\xd8\x01"
    b'{"type":"record","name":"r","fields":[{"name":"a","type":["null","long"]},'
    + b'{"name":"b","type":"string"}]}'.ljust(34)
    + b"\x00"
    + b"0" * 16
)


async def test_the_magic_gives_what_the_twin_gives(s3, connected, shell):
    """The same value by the same names."""
    s3.put("t.csv", OBJECTS["t.csv"])

    magic = await shell(f"s3peek {s3.uri('t.csv')} -n 2")
    twin = await peek(s3.uri("t.csv"), rows=2)

    assert magic == twin
    assert len(magic.head) == 2


@pytest.fixture
def shell():
    """Run a magic's line as a shell does, but for the shell."""
    from s3magic.notebook.arguments import parse
    from s3magic.notebook.magics import verb

    async def run(line, **names):
        described, command = verb(line.split()[0])
        call = parse(described, line.partition(" ")[2], names)
        return await command(*call.args, **call.kwargs)

    return run


async def test_a_frame_of_one_row_is_a_source(s3, connected, shell):
    """Of more it is refused, since one object is looked into."""
    s3.put("t.csv", OBJECTS["t.csv"])
    frame = pd.DataFrame({"Bucket": [s3.bucket] * 2, "Key": ["t.csv", "other"]})

    seen = await shell("s3peek $df", df=frame[:1])

    assert seen.uri == s3.uri("t.csv")
    with pytest.raises(BadArgument, match="2 rows"):
        await shell("s3peek $df", df=frame)


async def test_it_shows_itself_without_letting_a_name_act(liar):
    """As HTML and as text; a column's name is no markup and moves no cursor."""
    liar.objects["<b>\x1b.csv"] = b"<script>\x1b[2J,x\n<i>,1\n"

    seen = await peek(liar.uri("<b>\x1b.csv"))

    assert "<script>" not in seen._repr_html_()
    assert "<i>" not in seen._repr_html_().replace("<p><i>", "")
    assert "&lt;b&gt;" in seen._repr_html_()
    assert "\x1b" not in repr(seen)
    assert "csv, 21 B, 2 columns" in repr(seen)


@pytest.mark.parametrize(
    ("key", "options", "error", "said"),
    [
        ("missing", {}, NoSuchKey, "no such"),
        ("p.pkl", {}, BadArgument, "is a pickle"),
        ("folder/", {}, BadArgument, "is a folder"),
        ("t.parquet", {}, Damaged, "as parquet"),
        ("t.csv", {"rows": -1}, BadArgument, "rows=-1"),
        ("t.csv", {"format": "parkett"}, BadArgument, "Did you mean 'parquet'"),
    ],
)
async def test_what_cannot_be_looked_into_is_a_sentence(s3, connected, key, options, error, said):
    """Which says what to do."""
    s3.put("t.parquet", b"no parquet at all")

    with pytest.raises(error, match=said):
        await peek(s3.uri(key), **options)


async def test_an_object_that_is_replaced_meanwhile_is_an_error(liar):
    """And no mixture of two."""
    frame = pd.DataFrame({"x": DICE.random(100_000)})
    liar.objects["k.parquet"] = tables.parquet(frame)

    def replace(_, answer):
        liar.objects["k.parquet"] = tables.parquet(frame + 1)
        return answer

    liar.lie("GetObject", replace, times=1)

    with pytest.raises(ObjectChanged):
        await peek(liar.uri("k.parquet"))


async def test_a_cancel_ends_the_reader(liar):
    """While it waits for a range that never comes."""
    liar.objects["k.parquet"] = tables.parquet(pd.DataFrame({"x": DICE.random(100_000)}))
    waiting = asyncio.Event()

    async def never(_, answer):
        waiting.set()
        await asyncio.Event().wait()

    liar.lie("GetObject", never, when=lambda request: request.start is not None)

    task = asyncio.create_task(peek(liar.uri("k.parquet")))
    await waiting.wait()
    task.cancel()
    await asyncio.wait([task])

    assert task.cancelled()

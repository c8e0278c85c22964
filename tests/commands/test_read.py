"""The verb read, on both servers."""

from __future__ import annotations

import asyncio
import gzip

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

import tables
from liar import Liar
from s3magic import session
from s3magic.commands.peek import peek
from s3magic.commands.read import read
from s3magic.commands.showing import displays
from s3magic.errors import BadArgument, Damaged, NoSuchKey, ObjectChanged
from s3magic.transfer.watching import Silent
from tables import OBJECTS, TABLE

DICE = np.random.default_rng(1)
ENGINES = ("pandas", "polars", "pyarrow", "duckdb", "dask")


@pytest.fixture
async def connected(s3):
    """The verbs, connected to the server that the test's bucket is on."""
    connect(s3.server)
    yield s3
    await leave()


@pytest.fixture
async def liar():
    """A server that notes every request, and the verbs connected to it."""
    async with Liar() as server:
        connect(server)
        yield server
        await leave()


def connect(server):
    session.connect(
        endpoint_url=server.endpoint_url,
        aws_access_key_id=server.access_key,
        aws_secret_access_key=server.secret_key,
        region="us-east-1",
    )
    displays.use(lambda _: Silent())


async def leave():
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


def plain(frame):
    """Any engine's frame as pandas's, without its index."""
    for name in ("to_pandas", "df", "compute"):
        if hasattr(frame, name):
            frame = getattr(frame, name)()
    return frame.reset_index(drop=True)


def same(frame, expected):
    """Tell whether two frames hold the same, whatever types hold it."""
    frame, expected = plain(frame), expected.reset_index(drop=True)
    return (
        list(frame.columns) == list(expected.columns)
        and frame.astype(object).to_numpy().tolist() == expected.astype(object).to_numpy().tolist()
    )


async def test_every_format_gives_the_same_table(s3, server, connected):
    """Packed or not, as pandas reads it."""
    for key, data in OBJECTS.items():
        s3.put(key, data)

    read_ones = {key: await read(s3.uri(key)) for key in OBJECTS}

    assert [key for key, frame in read_ones.items() if not same(frame, TABLE)] == []
    assert all(isinstance(frame, pd.DataFrame) for frame in read_ones.values())
    assert read_ones["t.parquet"].equals(TABLE)
    assert read_ones["t.csv"].equals(TABLE)


@pytest.mark.parametrize("engine", ENGINES)
async def test_every_engine_gives_the_same_rows(s3, connected, engine):
    """Of Parquet and of text, with columns, a filter, and a limit."""
    pytest.importorskip(engine)
    keys = ("t.parquet", "t.csv", "t.jsonl", "t.json", "t.feather", "t.xlsx")
    for key in keys:
        s3.put(key, OBJECTS[key])

    got = {
        key: await read(
            s3.uri(key), engine=engine, columns=["x", "n"], filter="n > 10 and who == 'b'", limit=5
        )
        for key in keys
    }

    expected = TABLE[(TABLE.n > 10) & (TABLE.who == "b")][["x", "n"]].head(5)
    assert [key for key, frame in got.items() if not same(frame, expected)] == []
    assert {type(frame).__module__.split(".")[0].strip("_") for frame in got.values()} == {engine}


async def test_two_columns_of_parquet_move_alone(liar):
    """Less than a tenth of the object, counted at the server."""
    frame = pd.DataFrame({f"x{number}": DICE.random(50_000) for number in range(40)})
    liar.objects["k.parquet"] = tables.parquet(frame, use_dictionary=False, row_group_size=10_000)
    sent = counted(liar)

    got = await read(liar.uri("k.parquet"), columns=["x3", "x30"])

    assert got.equals(frame[["x3", "x30"]])
    assert sum(sent) < len(liar.objects["k.parquet"]) / 10


async def test_row_groups_that_can_hold_no_wanted_row_do_not_move(liar):
    """By their statistics; a limit stops behind the rows that it wants."""
    frame = pd.DataFrame({"n": range(100_000), "x": DICE.random(100_000)})
    liar.objects["k.parquet"] = tables.parquet(frame, use_dictionary=False, row_group_size=10_000)
    sent = counted(liar)

    got = await read(liar.uri("k.parquet"), filter="n >= 95000 and n < 95003")
    filtered = sum(sent)
    first = await read(liar.uri("k.parquet"), limit=3)

    assert same(got, frame[95_000:95_003])
    assert same(first, frame[:3])
    assert filtered < 400_000
    assert sum(sent) - filtered < 400_000


async def test_the_first_rows_of_a_large_text_are_its_beginning(liar):
    """A limit does not wait for the rest; what is packed comes whole."""
    rows = "".join(f"{number},{DICE.random()}\n" for number in range(200_000))
    liar.objects["k.csv"] = b"n,x\n" + rows.encode()
    liar.objects["k.jsonl"] = b"".join(b'{"n": %d, "x": 0.5}\n' % n for n in range(200_000))
    sent = counted(liar)

    for key in ("k.csv", "k.jsonl"):
        got = await read(liar.uri(key), limit=3, columns=["n"])

        assert got.n.tolist() == [0, 1, 2]
    assert len(liar.objects["k.csv"]) > 4_000_000
    assert sum(sent) < 1_500_000


async def test_columns_of_arrow_and_orc_move_alone(liar):
    """Where the object is large."""
    frame = pd.DataFrame({f"x{number}": DICE.random(20_000) for number in range(20)})
    liar.objects["k.feather"] = tables.feather(frame, compression="uncompressed")
    liar.objects["k.orc"] = tables.orc(frame)
    sent = counted(liar)

    for key in ("k.feather", "k.orc"):
        got = await read(liar.uri(key), columns=["x7"])

        assert got.equals(frame[["x7"]])
        assert sum(sent) < len(liar.objects[key]) / 4
        sent.clear()


async def test_a_tree_is_one_frame_with_its_folders_as_columns(s3, server, connected):
    """In the listing's order; a filter on a folder's column leaves whole objects where they are."""
    for year in (2023, 2024):
        for part in "ab":
            frame = pd.DataFrame({"x": [year + 0.5], "part": [part]})
            s3.put(f"t/year={year}/who=%C3%A4/{part}.parquet", tables.parquet(frame))
    s3.put("t/_SUCCESS", b"")
    s3.put("t/year=2024/.hidden.csv", b"no")
    s3.put("t/year=2024/", b"")

    everything = await read(s3.uri("t/"), recursive=True, with_source=True)
    some = await read(s3.uri("t/"), recursive=True, filter="year > 2023 and part == 'b'")
    by_glob = await read(s3.uri("t/**/a.parquet"), glob=True, columns=["year", "x"])

    assert everything.columns.tolist() == ["x", "part", "year", "who", "Source"]
    assert everything.x.tolist() == [2023.5, 2023.5, 2024.5, 2024.5]
    assert everything.year.dtype == "int64"
    assert set(everything.who) == {"ä"}
    assert everything.Source[0] == s3.uri("t/year=2023/who=%C3%A4/a.parquet")
    assert some[["x", "part", "year"]].to_numpy().tolist() == [[2024.5, "b", 2024]]
    assert by_glob.to_numpy().tolist() == [[2023, 2023.5], [2024, 2024.5]]


async def test_a_frame_of_keys_and_a_list_are_sources(s3, server, connected):
    """CSV, with a reader's own options; columns that only some have are filled."""
    s3.put("a.csv", "n;x\n1;2,5\n")
    s3.put("b.csv", "n;y\n2;z\n")
    frame = pd.DataFrame({"Bucket": [s3.bucket] * 2, "Key": ["a.csv", "b.csv"]})

    got = await read(frame, sep=";", decimal=",")
    listed = await read([s3.uri("b.csv"), s3.uri("a.csv")], option={"sep": ";"}, limit=1)

    assert got.n.tolist() == [1, 2]
    assert got.x[0] == 2.5
    assert got.y.isna().tolist() == [True, False]
    assert listed.n.tolist() == [2]


async def test_objects_whose_types_differ_are_joined(s3, connected):
    """An integer column and a floating one are floating; a missing column is null."""
    s3.put("a.parquet", tables.parquet(pa.table({"x": [1], "y": ["a"]})))
    s3.put("b.parquet", tables.parquet(pa.table({"x": [1.5]})))

    got = await read([s3.uri("a.parquet"), s3.uri("b.parquet")])

    assert got.x.tolist() == [1.0, 1.5]
    assert got.y.isna().tolist() == [False, True]


async def test_an_index_of_pandas_comes_back(s3, connected):
    """As pandas.read_parquet gives it, with few columns too; so do nullable types."""
    frame = TABLE.set_index(pd.date_range("2024-01-01", periods=100, name="day"))
    s3.put("k.parquet", tables.parquet(frame))

    got = await read(s3.uri("k.parquet"))
    narrow = await read(s3.uri("k.parquet"), columns=["x"], filter="day < '2024-01-03'")
    nullable = await read(s3.uri("k.parquet"), dtype_backend="pyarrow")

    pd.testing.assert_frame_equal(got, frame, check_freq=False)
    pd.testing.assert_frame_equal(narrow, frame[["x"]][:2], check_freq=False)
    assert str(nullable.x.dtype) == "double[pyarrow]"


FILTERS = {
    "n > 1": [2, 3],
    "1 <= n < 3": [1, 2],
    "n != 1": [0, 2, 3],
    "not n > 1": [0, 1],
    "who == 'b'": [1],
    "who != 'b'": [0, 3],
    "not (who == 'b')": [0, 3],
    "who in ('b', 'c')": [1, 3],
    "who not in ('b', 'c')": [0],
    "who is None": [2],
    "who is not None and n > 0": [1, 3],
    "`a b` > n or n == 0": [0, 3],
    "(n == 0) | (n == 3)": [0, 3],
    "(n > 0) & ~(n > 2)": [1, 2],
    "flag": [0],
    "flag or n == 2": [0, 2],
    "-1 < n": [0, 1, 2, 3],
    "year == 2024": [0, 1, 2, 3],
    "year == 2024 and n > 2": [3],
    "year != 2024 or n == 1": [1],
    "year > 3000": [],
}


async def test_a_filter_means_the_same_in_every_format(s3, connected):
    """A missing value is neither true nor false, as in SQL."""
    frame = pd.DataFrame(
        {
            "n": range(4),
            "who": ["a", "b", None, "c"],
            "a b": [0, 0, 0, 9],
            "flag": [True, False, False, False],
        }
    )
    s3.put("t/year=2024/k.parquet", tables.parquet(frame))
    s3.put("u/year=2024/k.csv", tables.csv(frame))
    ways = (("t/", "pandas"), ("u/", "pandas"), ("u/", "polars"))

    kept = {
        text: [
            plain(await read(s3.uri(folder), recursive=True, filter=text, engine=engine)).n.tolist()
            for folder, engine in ways
        ]
        for text in FILTERS
    }

    assert kept == {text: [numbers] * 3 for text, numbers in FILTERS.items()}


@pytest.mark.parametrize(
    ("key", "options", "error", "said"),
    [
        ("missing.csv", {}, NoSuchKey, "no such"),
        ("t.csv", {"columns": ["whoo"]}, BadArgument, "Did you mean 'who'"),
        ("t.parquet", {"columns": ["whoo"]}, BadArgument, "Did you mean 'who'"),
        ("t.parquet", {"filter": "nn > 1"}, BadArgument, "no column 'nn'"),
        ("t.csv", {"filter": "n >"}, BadArgument, "no expression"),
        ("t.csv", {"filter": "__import__('os')"}, BadArgument, "no comparison"),
        ("t.csv", {"filter": "n > 1 & n < 3"}, BadArgument, "bind more tightly"),
        ("t.csv", {"filter": "1 > 0"}, BadArgument, "no column"),
        ("t.csv", {"engine": "panda"}, BadArgument, "Did you mean 'pandas'"),
        ("t.csv", {"limit": 0}, BadArgument, "limit=0"),
        ("t.csv", {"columns": ["n", "n"]}, BadArgument, "twice"),
        ("p.pkl", {}, BadArgument, "is a pickle"),
        ("text", {}, BadArgument, "tells no format"),
        ("i.png", {}, BadArgument, "no table"),
        ("bad.parquet", {}, Damaged, "Cannot read"),
        ("empty.csv", {}, Damaged, "nothing is in it, .* leaves empty objects out"),
        ("empty.csv", {"engine": "polars"}, Damaged, "nothing is in it"),
        ("empty.csv", {"engine": "pyarrow"}, Damaged, "nothing is in it"),
        ("t.csv", {"columms": ["n"]}, BadArgument, "read_csv .* columms. Did you mean columns?"),
        ("t.csv", {"use_cols": ["n"]}, BadArgument, "use_cols. Did you mean its usecols?"),
        ("t.csv", {"zzz": 1}, BadArgument, "documentation of read_csv"),
        ("t.parquet", {"filter": "who > 3"}, Damaged, "filter may not fit"),
    ],
)
async def test_what_cannot_be_read_is_a_sentence(s3, connected, key, options, error, said):
    """Which says what to do."""
    for name in ("t.csv", "t.parquet"):
        s3.put(name, OBJECTS[name])
    s3.put("bad.parquet", b"PAR1 no parquet PAR1")
    s3.put("empty.csv", b"")

    with pytest.raises(error, match=said):
        await read(s3.uri(key), **options)


@pytest.mark.parametrize("kind", ["parquet", "csv"])
async def test_a_version_is_read_as_it_was(moto, s3, connected, kind):
    """By ranges, and whole."""
    s3.client.put_bucket_versioning(Bucket=s3.bucket, VersioningConfiguration={"Status": "Enabled"})
    make = getattr(tables, kind)
    first = s3.put(f"k.{kind}", make(TABLE))["VersionId"]
    s3.put(f"k.{kind}", make(TABLE + TABLE))

    got = await read(s3.uri(f"k.{kind}"), version_id=first)
    seen = await peek(s3.uri(f"k.{kind}"), version_id=first)

    assert got.equals(TABLE)
    assert seen.head.n.tolist() == [0, 1, 2, 3, 4]
    assert (await read(s3.uri(f"k.{kind}"))).n[1] == 2


async def test_several_formats_are_no_frame(s3, connected):
    """The sentence says how to choose."""
    s3.put("t/a.csv", OBJECTS["t.csv"])
    s3.put("t/b.parquet", OBJECTS["t.parquet"])

    with pytest.raises(BadArgument, match="csv and parquet"):
        await read(s3.uri("t/"), recursive=True)


async def test_one_object_that_fails_fails_the_read(s3, server, connected):
    """And is named: half a frame would be a lie."""
    s3.put("t/a.csv", "n\n1\n")
    s3.put("t/b.csv", b"")

    with pytest.raises(Damaged, match="t/b"):
        await read(s3.uri("t/"), recursive=True)


async def test_what_is_packed_and_not_whole_is_an_error(s3, connected):
    """Half a table would pass for a whole one."""
    s3.put("half.csv.gz", gzip.compress(OBJECTS["t.csv"])[:-9])

    with pytest.raises(Damaged, match=rf"{s3.uri('half.csv.gz')}: its gzip stream ends too soon"):
        await read(s3.uri("half.csv.gz"))


async def test_an_object_that_is_replaced_meanwhile_is_an_error(liar):
    """And no mixture of two."""
    frame = pd.DataFrame({"x": DICE.random(100_000)})
    liar.objects["k.parquet"] = tables.parquet(frame)

    def replace(_, answer):
        liar.objects["k.parquet"] = tables.parquet(frame + 1)
        return answer

    liar.lie("GetObject", replace, times=1)

    with pytest.raises(ObjectChanged):
        await read(liar.uri("k.parquet"))


@pytest.mark.parametrize("kind", ["parquet", "csv"])
async def test_a_cancel_ends_the_read(liar, kind):
    """While it waits for what never comes; nothing of it runs on."""
    frame = pd.DataFrame({"x": DICE.random(100_000)})
    liar.objects[f"k.{kind}"] = getattr(tables, kind)(frame)
    waiting = asyncio.Event()

    async def never(_, answer):
        waiting.set()
        await asyncio.Event().wait()

    when = {"parquet": lambda request: request.start is not None, "csv": lambda request: True}
    liar.lie("GetObject", never, when=when[kind])

    task = asyncio.create_task(read(liar.uri(f"k.{kind}")))
    await waiting.wait()
    task.cancel()
    await asyncio.wait([task])

    assert task.cancelled()
    ours = {task.get_name() for task in asyncio.all_tasks()}
    assert not any(name.startswith(("s3magic-get", "s3magic-ahead")) for name in ours)


async def test_the_magic_gives_what_the_twin_gives(s3, connected, shell):
    """The same value by the same names; a name in the line is its value."""
    s3.put("t.csv", OBJECTS["t.csv"])
    frame = pd.DataFrame({"Bucket": [s3.bucket], "Key": ["t.csv"]})

    line = '$df --columns "n, who" --filter "n < {most}" --limit 3 --option skiprows=[1]'
    magic = await shell(f"s3read {line}", df=frame, most=5)
    twin = await read(
        frame, columns=["n", "who"], filter="n < 5", limit=3, option={"skiprows": [1]}
    )

    assert magic.equals(twin)
    assert magic.n.tolist() == [1, 2, 3]


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

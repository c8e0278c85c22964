"""The verb write, on both servers."""

from __future__ import annotations

import asyncio
import gzip
import io
import json
import tempfile

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from s3magic import session
from s3magic.commands.read import read
from s3magic.commands.showing import displays
from s3magic.commands.write import write
from s3magic.errors import BadArgument, NoSuchBucket, TransferError
from s3magic.transfer.watching import Silent
from tables import TABLE

KEYS = ("parquet", "csv", "tsv", "jsonl", "json", "feather", "arrows", "orc", "xlsx")
PACKED = ("csv.gz", "csv.bz2", "jsonl.xz", "json.zst")


@pytest.fixture
async def connected(s3, tmp_path, monkeypatch):
    """The verbs, connected to the server that the test's bucket is on; their files in sight."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
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
    assert list(tmp_path.glob("s3magic-*")) == [], "a file was left here"


async def test_a_frame_comes_back_as_it_was(s3, server, connected):
    """In every format, packed or not; the report has a row for it, as put's."""
    reports = [await write(TABLE, s3.uri(f"t.{ending}")) for ending in KEYS + PACKED]

    back = {ending: await read(s3.uri(f"t.{ending}")) for ending in KEYS + PACKED}

    assert [ending for ending, frame in back.items() if not frame.equals(TABLE)] == []
    report = reports[0]
    size = s3.head("t.parquet")["ContentLength"]
    assert report.iloc[0, :5].tolist() == [
        "<DataFrame, 100 × 3>", s3.uri("t.parquet"), size, "done", "",
    ]  # fmt: skip
    assert s3.head("t.parquet")["ContentType"] == "application/vnd.apache.parquet"
    assert gzip.decompress(s3.get("t.csv.gz")) == s3.get("t.csv")


async def test_tables_of_other_libraries_are_written(s3, connected):
    """Polars, pyarrow, DuckDB and Dask, in the formats that they write and in those that not."""
    duckdb, polars = pytest.importorskip("duckdb"), pytest.importorskip("polars")
    dask = pytest.importorskip("dask.dataframe")
    arrow = pa.Table.from_pandas(TABLE)
    tables = {
        "polars": polars.from_arrow(arrow),
        "lazy": polars.from_arrow(arrow).lazy(),
        "pyarrow": arrow,
        "duckdb": duckdb.from_arrow(arrow),
        "dask": dask.from_pandas(TABLE, npartitions=2),
    }

    wrong = []
    for name, table in tables.items():
        for ending in ("parquet", "csv", "tsv", "jsonl", "json", "feather"):
            await write(table, s3.uri(f"{name}.{ending}"))
            back = await read(s3.uri(f"{name}.{ending}"))
            if not back.astype(object).equals(TABLE.astype(object)):  # dask has texts of its own
                wrong.append((name, ending))

    assert wrong == []


async def test_what_is_no_table_is_written_as_what_it_is(s3, server, connected):
    """Text, bytes, dicts, lists, arrays."""
    values = {"a": [1, "ä"], "b": None}

    await write("ä", s3.uri("text.txt"))
    await write(b"\x00", s3.uri("bytes"))
    await write("a,b\n", s3.uri("text.csv.gz"))
    await write(values, s3.uri("d.json"))
    await write([values, 1], s3.uri("l.jsonl"))
    await write([{"n": 1}, {"n": 2}], s3.uri("rows.csv"))
    await write(np.arange(6).reshape(2, 3), s3.uri("a.npy"))
    await write({"x": np.arange(2)}, s3.uri("a.npz"))

    assert s3.get("text.txt") == "ä".encode()
    assert s3.get("bytes") == b"\x00"
    assert gzip.decompress(s3.get("text.csv.gz")) == b"a,b\n"
    assert json.loads(s3.get("d.json")) == values
    assert [json.loads(line) for line in s3.get("l.jsonl").splitlines()] == [values, 1]
    assert s3.get("rows.csv") == b"n\n1\n2\n"
    assert np.load(io.BytesIO(s3.get("a.npy"))).tolist() == [[0, 1, 2], [3, 4, 5]]
    assert np.load(io.BytesIO(s3.get("a.npz")))["x"].tolist() == [0, 1]


async def test_an_index_that_says_something_is_kept(s3, connected):
    """One that only counts is not; an option decides otherwise."""
    named = TABLE.set_index("who")[:2]

    await write(named, s3.uri("named.csv"))
    await write(TABLE[:1], s3.uri("index.csv"), index=True, sep=";")
    await write(TABLE.n[:2], s3.uri("series.csv"))

    assert s3.get("named.csv").decode() == "who,n,x\nä,0,0.0\nb,1,0.25\n"
    assert s3.get("index.csv").decode() == ";n;x;who\n0;0;0.0;ä\n"
    assert s3.get("series.csv").decode() == "n\n0\n1\n"


async def test_a_partitioned_write_is_a_tree_that_reads_back(s3, server, connected):
    """A folder for each value, an object in each."""
    frame = pd.DataFrame({"year": [2023, 2024, 2024], "who": ["a/ä", "b", "b"], "x": [1, 2, 3]})

    report = await write(frame, s3.uri("t"), partition_by=["year", "who"])
    await write(frame, s3.uri("c/"), partition_by="year", format="csv")

    assert s3.keys("t/") == [
        "t/year=2023/who=a%2F%C3%A4/part-0.parquet",
        "t/year=2024/who=b/part-0.parquet",
    ]
    assert report.Target.tolist() == [s3.uri(key) for key in s3.keys("t/")]
    assert s3.keys("c/") == ["c/year=2023/part-0.csv", "c/year=2024/part-0.csv"]
    back = await read(s3.uri("t/"), recursive=True, columns=["year", "who", "x"])
    assert back.to_numpy().tolist() == frame.to_numpy().tolist()


async def test_headers_conditions_and_dry_runs_are_puts(s3, server, connected):
    """The same options mean the same."""
    s3.put("k.csv", b"old")

    planned = await write(TABLE, s3.uri("new.csv"), dry_run=True)
    kept = await write(TABLE, s3.uri("k.csv"), no_clobber=True)
    await write(TABLE, s3.uri("meta.csv"), metadata={"who": "me"}, content_type="text/x-own")

    assert planned.Status.tolist() == ["planned"]
    assert planned.Size[0] == s3.head("meta.csv")["ContentLength"]
    assert kept.Status.tolist() == ["skipped"]
    assert s3.get("k.csv") == b"old"
    assert s3.keys() == ["k.csv", "meta.csv"]
    assert s3.head("meta.csv")["Metadata"] == {"who": "me"}
    assert s3.head("meta.csv")["ContentType"] == "text/x-own"


@pytest.mark.parametrize(
    ("data", "uri", "options", "said"),
    [
        (TABLE, "s3://bucket/k", {}, "the key ends in no format that is known"),
        (TABLE, "s3://bucket/folder/", {}, "is a folder"),
        (TABLE, "s3://bucket", {}, "is a folder"),
        (TABLE, "s3://bucket/k.pkl", {}, "is a pickle"),
        (TABLE, "s3://bucket/k.png", {}, "cannot be written as image"),
        (TABLE, "s3://bucket/k.parquet.gz", {}, "packed within"),
        (TABLE, "s3://bucket/k.csv", {"nonsense": 1}, "to_csv takes no option nonsense"),
        (TABLE, "s3://bucket/k.csv", {"sepp": ";"}, "Did you mean its sep?"),
        (TABLE, "s3://bucket/k.csv", {"dryrun": True}, "Did you mean dry_run?"),
        (
            TABLE,
            "s3://bucket/k.parquet",
            {"compresion": "zstd"},
            "pyarrow takes no option compresion",
        ),
        (TABLE, "s3://bucket/k.csv", {"format": "cvs"}, "Did you mean 'csv'"),
        (TABLE, "s3://bucket/t/", {"partition_by": ["nobody"]}, "no column 'nobody'"),
        (TABLE, "s3://bucket/t/", {"partition_by": ["n", "x", "who"]}, "no folder"),
        (TABLE, "s3://bucket/t/", {"partition_by": "n", "format": "json"}, "not written in"),
        ({"a": object()}, "s3://bucket/k.json", {}, "is no JSON"),
        (object(), "s3://bucket/k.csv", {}, "cannot be written as csv"),
        ([object()], "s3://bucket/k.npy", {}, "is no array"),
        (TABLE, "s3://bucket/k.csv", {"part_size": 1}, "not possible"),
        (TABLE, "no-address", {}, "no S3 address"),
        ("s3://bucket/k.csv", TABLE, {}, "A DataFrame is no address"),
    ],
)
async def test_what_cannot_be_meant_is_refused_before_anything_is_sent(
    connected, data, uri, options, said
):
    """In a sentence; nothing stays here."""
    with pytest.raises(BadArgument, match=said):
        await write(data, uri, **options)


async def test_a_missing_bucket_is_named(s3, server, connected):
    """In a dry run too."""
    with pytest.raises(TransferError, match="no such bucket"):
        await write(TABLE, "s3://no-such-bucket-here/k.csv")
    with pytest.raises(NoSuchBucket):
        await write(TABLE, "s3://no-such-bucket-here/k.csv", dry_run=True)


async def test_a_cancelled_write_leaves_the_old_object_and_nothing_here(s3, connected):
    """Nor a multipart upload."""
    s3.put("k.npy", b"old")
    begun = asyncio.Event()

    class Drawn(Silent):
        def draw(self, meter):
            begun.set()

    displays.use(lambda _: Drawn())

    big = np.zeros(400_000_000, "u1")

    task = asyncio.create_task(write(big, s3.uri("k.npy"), concurrency=1))
    await begun.wait()
    task.cancel()
    await asyncio.wait([task])

    assert task.cancelled()
    assert s3.get("k.npy") == b"old"
    assert s3.uploads() == []


async def test_it_can_go_on_in_the_background(s3, connected):
    """The job gives the report; its file is gone when it ends."""
    job = await write(TABLE, s3.uri("k.csv"), bg=True)
    report = await job

    assert report.Status.tolist() == ["done"]
    assert "<DataFrame, 100 × 3>" in repr(job)
    assert s3.keys() == ["k.csv"]


async def test_the_magic_gives_what_the_twin_gives(s3, connected, shell):
    """A variable by its name, or by its value."""
    line = f"{s3.uri('m.csv')} --option sep=; --metadata a=b"

    by_name = await shell(f"s3write df {line}", df=TABLE)
    by_value = await shell(f"s3write $df {line}", df=TABLE)
    twin = await write(TABLE, s3.uri("m.csv"), option={"sep": ";"}, metadata={"a": "b"})

    assert by_name.drop(columns="Seconds").equals(twin.drop(columns="Seconds"))
    assert by_value.drop(columns="Seconds").equals(twin.drop(columns="Seconds"))
    assert s3.get("m.csv").startswith(b"n;x;who\n")
    with pytest.raises(BadArgument, match="no variable 'fd'"):
        await shell(f"s3write fd {line}", df=TABLE)


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

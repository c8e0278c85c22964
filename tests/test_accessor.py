"""``df.s3``: there for any frame of a listing, however it came."""

from __future__ import annotations

import subprocess
import sys

import pandas as pd
import pytest

import s3magic
from s3magic import session
from s3magic.commands.showing import displays
from s3magic.errors import BadArgument
from s3magic.transfer.watching import Silent

LISTING = pd.DataFrame(
    {
        "Key": pd.array(["a/1.csv", "a/2.csv", "b/"], dtype="string"),
        "Size": [1_234_567, 1000, 0],
        "Type": ["object", "object", "prefix"],
        "Bucket": ["bucket"] * 3,
    }
)


@pytest.mark.parametrize(
    "code",
    [
        "import pandas as pd; import s3magic",
        "import s3magic; assert 'pandas' not in sys.modules; import pandas as pd",
        "import s3magic, importlib; importlib.reload(s3magic); import pandas as pd",
    ],
)
def test_a_frame_from_a_file_has_it_in_whatever_order_things_are_imported(code, tmp_path):
    """`import s3magic` is enough, and does not import pandas."""
    path = tmp_path / "listing.parquet"
    LISTING.to_parquet(path)

    done = subprocess.run(
        [
            sys.executable,
            "-W",
            "error",
            "-c",
            f"import sys; {code}; print(pd.read_parquet({str(path)!r}).s3.total)",
        ],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert (done.stdout, done.stderr) == ("1235567\n", "")


def test_the_total_is_that_of_the_rows():
    """A whole number of bytes, of whatever is left of the listing."""
    assert LISTING.s3.total == 1_235_567
    assert LISTING[LISTING.Size < 5000].s3.total == 1000
    assert LISTING[:0].s3.total == 0
    assert type(LISTING.s3.total) is int


def test_human_is_a_copy_with_sizes_to_read():
    """The frame itself keeps its bytes; a folder of a listing has no size to tell."""
    copy = LISTING.s3.human()

    assert copy.Size.tolist() == ["1.2 MB", "1.0 kB", ""]
    assert LISTING.Size.tolist() == [1_234_567, 1000, 0]
    assert copy.drop(columns="Size").equals(LISTING.drop(columns="Size"))


def test_human_tells_every_size_of_a_count_and_of_changes():
    """Missing ones stay empty."""
    count = LISTING.assign(Objects=1, OldSize=[5, 6, 7])
    changes = LISTING.assign(SizeBefore=pd.array([1, None, 3], dtype="Int64"))

    assert count.s3.human().Size.tolist()[2] == "0 B"
    assert count.s3.human().OldSize.tolist() == ["5 B", "6 B", "7 B"]
    assert changes.s3.human().SizeBefore.tolist() == ["1 B", "", "3 B"]


def test_folders_that_hold_each_other_count_once():
    """As a tree's do."""
    tree = pd.DataFrame(
        {
            "Key": ["", "a/", "a/b/", "c/"],
            "Depth": [0, 1, 2, 1],
            "Size": [10, 6, 5, 4],
            "Bucket": ["bucket"] * 4,
        }
    )

    assert tree.s3.total == 10
    assert tree[tree.Depth > 0].s3.total == 10
    assert tree[tree.Depth == 2].s3.total == 5


@pytest.mark.parametrize("frame", [pd.DataFrame({"a": [1]}), pd.DataFrame()])
def test_a_frame_that_is_no_listing_says_so_when_it_is_used(frame):
    """Not when pandas only looks: `dir` and Tab ask every frame."""
    assert "s3" in dir(frame)
    assert "names no objects" in repr(frame.s3)
    for use in (
        lambda: frame.s3.total,
        frame.s3.human,
        frame.s3.du,
        frame.s3.tree,
        lambda: frame.s3.get("./here"),
        lambda: frame.s3.diff("s3://bucket/"),
    ):
        with pytest.raises(BadArgument, match=r"no columns Bucket and Key.*%s3ls"):
            use()


def test_a_listing_without_sizes_is_told_apart():
    """It names objects, and has no total."""
    frame = LISTING.drop(columns="Size")

    assert repr(frame.s3) == "3 rows"
    assert repr(LISTING.s3) == "3 rows, 1.2 MB"
    with pytest.raises(BadArgument, match="no column Size"):
        _ = frame.s3.total


async def test_its_verbs_are_the_twins(s3, tmp_path, environment):
    """With the frame as their source, and the same options."""
    for key in ("p/a.csv", "p/b/c.csv"):
        s3.put(key, "12345")
    session.connect(
        endpoint_url=s3.server.endpoint_url,
        aws_access_key_id=s3.server.access_key,
        aws_secret_access_key=s3.server.secret_key,
        region="us-east-1",
    )
    displays.use(lambda _: Silent())
    listing = await s3magic.ls(s3.uri("p/"), recursive=True)

    report = await listing.s3.get(tmp_path)
    count = await listing.s3.du(depth=0)
    brought = await report.s3.du(depth=0)
    tree = await listing.s3.tree(depth=0)
    facts = await listing.s3.stat()
    s3.put("p/a.csv", "longer than before")
    changes = await listing.s3.diff(s3.uri("p/"))

    displays.reset()
    await session.close()
    session.connect(reset=True)
    assert report.Status.tolist() == ["done", "done"]
    assert report.s3.total == 10
    assert count.Size.tolist() == brought.Size.tolist() == [10]
    assert tree.frame.Objects.tolist() == [2]
    assert facts.Key.tolist() == listing.Key.tolist()
    assert changes.Change.tolist() == ["changed"]

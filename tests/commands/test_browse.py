"""The verb browse: where there is a notebook, and where there is none."""

from __future__ import annotations

import pytest
from kernels import Kernel, Terminal, good

from s3magic.commands.browse import browse
from s3magic.errors import BadArgument, S3Error

VIEW = "application/vnd.jupyter.widget-view+json"


async def test_without_widgets_it_points_to_ls():
    """In a script, and in a terminal; with the address that was meant."""
    with pytest.raises(S3Error, match=r"widgets.*%s3ls s3://bucket/folder/"):
        await browse("s3://bucket/folder/")


@pytest.mark.parametrize("rows", [0, 101, "ten"])
async def test_a_number_of_rows_that_cannot_be_is_refused(rows):
    """In a sentence."""
    with pytest.raises(BadArgument, match="rows"):
        await browse("s3://bucket/", rows=rows)


@pytest.mark.kernel
def test_in_terminal_ipython_it_points_to_ls(tmp_path):
    """One sentence, no traceback."""
    with Terminal("s3magic", folder=tmp_path) as shell:
        shown = shell.run("%s3browse s3://bucket/")

    assert "%s3ls s3://bucket/" in shown
    assert "Traceback" not in shown


@pytest.mark.kernel
def test_the_magic_and_its_twin_open_the_same(seaweed, s3, tmp_path):
    """Each shows it once, also as the last thing of its cell; a later cell shows it again."""
    s3.put("a/b.csv", b"1")
    with Kernel("s3magic", folder=tmp_path, env=seaweed.environment) as kernel:
        kernel.run("import s3magic as s3")
        magic = good(kernel.run(f"b = %s3browse {s3.uri('a/')}"))
        twin = good(kernel.run(f"c = await s3.browse('{s3.uri('a/')}')"))
        last = good(kernel.run(f"%s3browse {s3.uri('a/')}"))
        again = good(kernel.run("b"))
        blocked = good(kernel.run(f"def f():\n    d = %s3browse {s3.uri()}\n    return d\nd = f()"))
        same = good(kernel.run("b.uri == c.uri, b.selection.equals(c.selection)")).python
        said = kernel.shutdown()

    shown = [
        [bundle for bundle in answer.displays if VIEW in bundle]
        for answer in (magic, twin, last, again, blocked)
    ]
    assert [len(views) for views in shown] == [1, 1, 1, 1, 1]
    assert shown[0][0]["text/plain"] == f"<s3browse at {s3.uri('a/')}>"
    assert again.displays[0][VIEW] == magic.displays[0][VIEW]
    assert same == (True, True)
    assert said == ""

"""The cell magic %%s3put in a real kernel: the text as it was written, wherever it stands."""

from __future__ import annotations

import pytest
from kernels import Kernel, good

pytestmark = pytest.mark.kernel

BODY = '# $name {x} %s3ls\n\n>>> 1 + 1\n...    \n   \n\t"é🦄" \\n; # end;\n'


@pytest.fixture(scope="module")
def kernel(seaweed, tmp_path_factory):
    """A kernel with a few names in it."""
    folder = tmp_path_factory.mktemp("kernel")
    with Kernel("s3magic", folder=folder, env=seaweed.environment) as kernel:
        good(kernel.run("import asyncio, s3magic as s3\nfrom s3magic import session\nname = 'n'"))
        yield kernel


def test_the_text_of_the_cell_goes_as_it_is_written(kernel, s3):
    """Every blank, what looks like a prompt, a variable or a magic; the report comes back."""
    report = good(kernel.run(f"%%s3put {s3.uri('k.md')} --metadata a=$name\n{BODY}"))
    without = good(kernel.run(f"\n\n%%s3put '{s3.uri('$name')}' ;\nno newline"))
    named = good(kernel.run(f"%%s3put {s3.uri('$name.txt')}\n\n\nbehind two empty lines"))

    ended = good(kernel.run(f"%%s3put {s3.uri('ended')}\ntext \n\n\n"))

    assert s3.get("k.md").decode() == BODY
    assert "done" in ended.value
    assert s3.get("ended") == b"text \n"
    assert s3.head("k.md")["Metadata"] == {"a": "n"}
    assert s3.head("k.md")["ContentType"] == "text/markdown"
    assert "done" in report.value
    assert without.value is None
    assert s3.get("$name") == b"no newline\n"
    assert "done" in named.value
    assert s3.get("n.txt") == b"\n\nbehind two empty lines\n"


def test_a_script_magic_and_its_twin_send_the_same(kernel, s3):
    """The twin takes the text as `var`."""
    same = good(
        kernel.run(
            "one = await get_ipython().run_cell_magic("
            f"'s3put', '{s3.uri('a')} --content-type text/x', 'text')\n"
            f"two = await s3.put({s3.uri('a')!r}, var='text\\n', content_type='text/x')\n"
            "one.drop(columns='Seconds').equals(two.drop(columns='Seconds')), len(one)"
        )
    )

    assert same.python == (True, 1)
    assert s3.get("a") == b"text\n"


@pytest.mark.parametrize(
    ("cell", "loops"),
    [
        ("%%s3put {uri}\ntext", "here"),
        ("await get_ipython().run_cell_magic('s3put', '{uri}', 'text\\n')", "here"),
        ("%%time\n%%s3put {uri}\ntext", "bridge"),
        ("def f():\n    get_ipython().run_cell_magic('s3put', '{uri}', 'text\\n')\nf()", "bridge"),
        ("[get_ipython().run_cell_magic('s3put', '{uri}', 'text\\n') for _ in '1']", "bridge"),
    ],
)
def test_it_is_awaited_where_a_cell_may_await_and_blocks_elsewhere(kernel, s3, cell, loops):
    """On the notebook's loop, or over the bridge; with the same object in the end."""
    good(kernel.run("await session.close(); session.connect(reset=True)"))
    ran = "(loop,) = session.current()._opening; loop is asyncio.get_running_loop()"

    good(kernel.run(cell.format(uri=s3.uri("k"))))
    where = good(kernel.run(ran)).value

    assert s3.get("k") == b"text\n"
    assert where == str(loops == "here")


def test_it_blocks_with_autoawait_off(kernel, s3):
    """And puts what it is to."""
    good(kernel.run("%autoawait off"))
    answer = kernel.run(f"%%s3put {s3.uri('k')}\ntext")
    good(kernel.run("%autoawait on"))

    assert "done" in good(answer).value
    assert s3.get("k") == b"text\n"


def test_it_goes_on_in_the_background_too(kernel, s3):
    """With the options of any put."""
    good(kernel.run(f"%%s3put {s3.uri('k')} --bg\ntext"))
    report = good(kernel.run("report = await _\nreport.Status.tolist()"))

    assert report.python == ["done"]
    assert s3.get("k") == b"text\n"


def test_its_help_is_at_hand(kernel):
    """Of a cell with that line alone, too; `%s3put` has its own."""
    told = good(kernel.run("%%s3put -h")).stdout
    below = good(kernel.run("%%s3put -h\ntext")).stdout
    doc = good(kernel.run("get_ipython().find_cell_magic('s3put').__doc__")).python
    line = good(kernel.run("%s3put -h")).stdout

    assert told.startswith("%%s3put URI [options]")
    assert "  1. %%s3put " in told
    assert "--var" not in told.partition("Examples")[0].partition("Options")[2].split("-h, ")[0]
    assert told == below
    assert told.strip() == doc.strip()
    assert line.startswith("%s3put [SOURCE…] URI")


@pytest.mark.parametrize(
    ("cell", "said"),
    [
        ("%%s3put s3://bucket/k", "the text below its line, and there is none"),
        ("%%s3put s3://bucket/k\n\n\n", "the text below its line, and there is none"),
        ("%%s3put\ntext", "%%s3put needs URI"),
        ("%%s3put file s3://bucket/k\ntext", "%%s3put takes no further argument"),
        ("%%s3put --var name s3://bucket/k\ntext", "%%s3put has no option --var"),
        ("%%s3put s3://bucket/k -r\ntext", "%%s3put has no option -r"),
        ("%%s3put s3://bucket/folder/\ntext", "s3://bucket/folder/"),
        (
            "%%s3ls s3://bucket/\ntext",
            "Cell magic `%%s3ls` not found (But line magic `%s3ls` exists",
        ),
        ("%%s3get s3://bucket/k", "Cell magic `%%s3get` not found (But line magic `%s3get`"),
    ],
)
def test_what_cannot_be_meant_is_told(kernel, cell, said):
    """In a line; nothing is sent."""
    answer = kernel.run(cell)

    assert said in answer.traceback + answer.stderr


def test_a_terminal_knows_that_the_text_goes_on(kernel):
    """IPython asks line by line whether the cell is whole: an empty line ends it."""
    asked = good(
        kernel.run(
            "[get_ipython().check_complete(text)[0] for text in"
            " ('%%s3put s3://b/k', '%%s3put s3://b/k\\ntext', '%%s3put s3://b/k\\ntext\\n\\n')]"
        )
    )

    assert asked.python == ["incomplete", "incomplete", "complete"]


def test_other_cells_are_left_alone(kernel):
    """A pasted prompt goes from them, another cell magic keeps to IPython's ways."""
    pasted = good(kernel.run(">>> x = 1 + 1\n>>> x"))
    captured = good(kernel.run("%%capture held\nprint('seen')"))

    assert pasted.value == "2"
    assert captured.stdout == ""

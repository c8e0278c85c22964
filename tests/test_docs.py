"""The words: links lead somewhere, pages agree with the code, and what they show runs."""

from __future__ import annotations

import ast
import builtins
import contextlib
import importlib.util
import inspect
import io
import re
import subprocess
import sys
import textwrap
import tomllib
from dataclasses import dataclass
from pathlib import Path

import pytest
from aiobotocore.session import get_session
from kernels import Kernel

import s3magic
from s3magic import errors
from s3magic.commands import connect
from s3magic.notebook.helptext import help_text
from s3magic.notebook.magics import verbs
from s3magic.server import Server
from s3magic.settings import Settings
from servers import Rig

ROOT = Path(__file__).parent.parent
SOURCE = ROOT / "src" / "s3magic"
DOCS = ROOT / "docs"
PAGES = sorted([ROOT / "README.md", ROOT / "CONTRIBUTING.md", ROOT / "CHANGELOG.md"]) + sorted(
    DOCS.rglob("*.md")
)
# helpers.md has a test of its own, on two servers.
CELLS = [ROOT / "README.md", *(page for page in sorted(DOCS.glob("*.md")))]
CELLS = [page for page in CELLS if page.stem not in {"compare", "helpers", "index"}]
VERBS = verbs()
TWINS = {verb.name: twin for verb, twin in VERBS} | {"s3connect": connect.connect}

by_page = pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
by_verb = pytest.mark.parametrize("verb", [verb for verb, _ in VERBS], ids=lambda verb: verb.name)


# what a page is made of


@dataclass(frozen=True)
class Cell:
    """A block of Python in a page, and what the page says that it shows; None for nothing."""

    code: str
    shown: str | None
    line: int


FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
SPAN = re.compile(r"`[^`\n]+`")
LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)\)")
HEADING = re.compile(r"^#+ +(.*)$", re.MULTILINE)
# Only a run that took its time says this of a listing, and the figures are never the same.
SUMMARY = re.compile(
    r"(Listed|Downloaded|Uploaded|Copied|Moved|Compared|Synced|Deleted|Aborted|Brought back) "
)


def cells(page):
    """The blocks of Python of a page, each with the block of text right behind it."""
    text = page.read_text(encoding="utf-8")
    fences = list(FENCE.finditer(text))
    found = []
    for number, fence in enumerate(fences):
        if fence[1] != "python":
            continue
        behind = fences[number + 1] if number + 1 < len(fences) else None
        close = behind and behind[1] == "text" and not text[fence.end() : behind.start()].strip()
        line = text.count("\n", 0, fence.start()) + 1
        found.append(Cell(fence[2].rstrip(), behind[2] if close else None, line))
    return found


def block(page, language):
    """The first block of a page in some language."""
    return next(
        fence[2] for fence in FENCE.finditer(page.read_text("utf-8")) if fence[1] == language
    )


def prose(page):
    """A page without its blocks."""
    return FENCE.sub("", page.read_text(encoding="utf-8"))


def anchors(page):
    """The anchors that GitHub gives to a page's headings."""
    return {
        re.sub(r"[^\w\- ]", "", heading.lower()).strip().replace(" ", "-")
        for heading in HEADING.findall(prose(page))
    }


def links(page):
    return LINK.findall(SPAN.sub("``", prose(page)))


def rows(page, first):
    """The rows of the table whose first heading is `first`, each as a list of its cells."""
    lines = prose(page).splitlines()
    start = next(n for n, line in enumerate(lines) if line.startswith(f"| {first} |"))
    table = []
    for line in lines[start + 2 :]:
        if not line.startswith("|"):
            break
        parts = re.split(r"(?<!\\)\|", line.strip("|"))
        table.append([part.strip() for part in parts])
    return table


# links


@by_page
def test_every_link_leads_somewhere(page):
    """A relative link or picture names a file that is there, and a heading in it."""
    broken = []
    for link in links(page):
        if link.startswith(("http://", "https://")):
            continue
        path, _, anchor = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        if not target.exists() or (anchor and anchor not in anchors(target)):
            broken.append(link)

    assert broken == []


def test_every_page_is_reached_from_the_readme():
    """No page is written for nobody."""
    seen = {ROOT / "README.md"}
    ahead = list(seen)
    while ahead:
        page = ahead.pop()
        for link in links(page):
            target = (page.parent / link.partition("#")[0]).resolve()
            if target.suffix == ".md" and target not in seen:
                seen.add(target)
                ahead.append(target)

    assert set(PAGES) - seen == set()


def test_the_readme_shows_the_real_thing():
    """There is a picture in it, and it is one that was taken."""
    pictures = [link for link in links(ROOT / "README.md") if link.endswith(".png")]

    assert pictures
    assert all((ROOT / one).read_bytes().startswith(b"\x89PNG") for one in pictures)


@pytest.mark.parametrize(
    "page",
    [ROOT / "CONTRIBUTING.md", *sorted((DOCS / "design").glob("*.md"))],
    ids=lambda page: page.stem,
)
def test_every_file_that_is_named_exists(page):
    """A page about the house names no room that it does not have."""
    places = [ROOT, SOURCE, *(folder for folder in SOURCE.iterdir() if folder.is_dir())]
    named = {
        span.strip("`")
        for span in SPAN.findall(prose(page))
        if re.fullmatch(r"`[\w./-]+(\.py|\.md|\.toml|/)`", span)
    }

    missing = {
        name
        for name in named
        if "NAME" not in name and not any((place / name).exists() for place in places)
    }

    assert missing <= {"utils.py"}, "CONTRIBUTING says that there is none"


def test_contributing_knows_the_verbs_of_make():
    """Its table is what `make help` lists."""
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    verbs = {f"`make {name}`" for name in re.findall(r"^(\w+):.*## ", makefile, re.MULTILINE)}

    table = {row[0] for row in rows(ROOT / "CONTRIBUTING.md", "verb")}

    assert table == verbs


def test_the_changelog_ends_at_this_version():
    """Its newest version is the package's, with a date."""
    text = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]

    newest = re.search(r"^## \[(\d+\.\d+\.\d+)\] - \d{4}-\d\d-\d\d$", text, re.MULTILINE)

    assert newest[1] == s3magic.__version__ == project["version"]


# verbs


@by_verb
def test_every_option_stands_in_its_page_and_every_option_of_the_page_exists(verb):
    """The table of a verb's page has the flags, the keyword and the default of each option."""
    page = DOCS / f"{verb.name.removeprefix('s3')}.md"
    told = {}
    for row in rows(page, "option"):
        flags = tuple(flag.split()[0] for flag in re.findall(r"`([^`]+)`", row[0]))
        told[flags] = (row[1].strip("`"), row[3] if len(row) > 3 else "")

    known = {option.flags: option for option in verb.options}

    assert set(told) == set(known)
    for flags, option in known.items():
        keyword, default = told[flags]
        assert keyword == option.name
        assert option.default is None or default == str(option.default), flags


@by_verb
def test_magic_and_twin_take_the_same_options(verb):
    """Each option is a keyword of the twin, and the twin has no other."""
    parameters = inspect.signature(TWINS[verb.name]).parameters.values()
    keywords = {one.name for one in parameters if one.kind is one.KEYWORD_ONLY}

    assert keywords == {option.name for option in verb.options}


@by_page
def test_no_page_names_an_option_that_is_not_there(page):
    """Whatever begins with two dashes is an option of a verb, or of the server's own."""
    known = {flag for verb, _ in VERBS for option in verb.options for flag in option.flags}
    known |= server_options()
    known.add("--pagesize")  # errors.md shows what is said of a wrong one

    text = page.read_text(encoding="utf-8")
    if page.stem == "compare":  # other programs' options stand there, on the left
        text = " ".join(here for _, here in compared())
    named = set(re.findall(r"(?<![\w-])--[a-z][a-z-]+", text))

    assert named <= known


def compared():
    """The rows of the page that compares: what others have, and what it is here."""
    tables = prose(DOCS / "compare.md").splitlines()
    cells = [line.strip("| ").split(" | ") for line in tables if line.startswith("|")]
    return [(row[0], row[1]) for row in cells if row[1] not in {"here", "---"}]


def test_what_others_have_is_here_or_has_its_reason():
    """No cell is empty; a magic and an option that stand together belong together."""
    flags = {
        verb.name: {flag for option in verb.options for flag in option.flags} for verb, _ in VERBS
    }
    wrong = []
    for theirs, here in compared():
        spans = [span.strip("`") for span in SPAN.findall(here)]
        reason = here.startswith("— ") and len(here) > 15
        names = [name for span in spans for name in re.findall(r"%(s3[a-z]*)", span)]
        if not (spans or reason or here == "the same") or not set(names) <= {*flags, "s3"}:
            wrong.append((theirs, here))
        for span in spans:
            magic = re.match(r"%+(s3\w+)", span)
            taken = set(re.findall(r"(?<![\w-])--[a-z][a-z-]+", span)) - {"--help"}
            if magic and not taken <= flags.get(magic[1], set()):
                wrong.append((theirs, span))

    assert len(compared()) > 150
    assert wrong == []


def server_options():
    program = subprocess.run(
        [sys.executable, "-m", "s3magic.server", "--help"],
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    return set(re.findall(r"--[a-z]+", program.stdout)) - {"--help"}


def test_the_servers_options_stand_in_its_page():
    """`python -m s3magic.server` takes what the page says, and no more."""
    table = {row[0].strip("`").split()[0] for row in rows(DOCS / "servers.md", "option")}

    assert table == server_options()


@by_verb
def test_help_ends_in_numbered_examples(verb):
    """Every verb's help has its options, and last of all its examples, counted."""
    text = help_text(verb)

    examples = text.partition("\n\nExamples\n")[2]
    numbers = re.findall(rf"^  (\d+)\. .*%{verb.name}", examples, re.MULTILINE)

    assert all(flag in text for option in verb.options for flag in option.flags)
    assert numbers == [str(number + 1) for number in range(len(verb.examples))]
    assert len(numbers) > 1


@by_verb
def test_every_verb_is_on_the_index_and_has_its_twin(verb):
    """A verb can be found, and called from Python by the name that its help gives."""
    name = verb.name.removeprefix("s3")
    index = (DOCS / "index.md").read_text(encoding="utf-8")

    assert f"`%{verb.name}" in index
    assert f"({name}.md)" in index
    assert verb.twin == f"s3.{name}"
    assert name in s3magic.__all__


def test_every_public_name_stands_in_the_docs():
    """What `s3magic` offers is told somewhere."""
    told = "".join(page.read_text(encoding="utf-8") for page in PAGES)
    names = [name for name in s3magic.__all__ if not name.endswith("_extension")]

    assert [name for name in names if not re.search(rf"\b{name}\b", told)] == []


def test_every_default_stands_in_its_page_in_the_words_of_its_help():
    """`%config S3Magic` says the same."""
    told = {row[0].strip("`"): row[1] for row in rows(DOCS / "config.md", "default")}
    words = " ".join((Settings.__doc__ or "").replace("``", "`").split()).lower()

    assert list(told) == list(Settings.__dataclass_fields__)
    assert [name for name, text in told.items() if text.lower() not in words] == []


# errors


def drawn(text):
    """The tree as it is drawn: of each class its parent and the builtin in brackets."""
    found = {}
    path = []
    for line in text.splitlines():
        drawing, name, builtin = re.match(r"([│├└─ ]*)(\w+)(?: \((\w+)\))?", line).groups()
        depth = len(drawing) // 4
        path[depth:] = [name]
        found[name] = (path[depth - 1] if depth else "Exception", builtin)
    return found


def test_the_error_tree_is_drawn_as_it_is():
    """The drawing in errors.py is that of the classes: parents, and builtins."""
    tree = drawn(textwrap.dedent(errors.__doc__.split("::\n\n")[1].split("\n\nEach")[0]))

    classes = {}
    for name in errors.__all__:
        first, *others = getattr(errors, name).__bases__
        builtin = next((one.__name__ for one in others if hasattr(builtins, one.__name__)), None)
        classes[name] = (first.__name__, builtin)

    assert tree == classes


def test_the_error_page_draws_the_same_tree():
    """The page's drawing is that of errors.py, to the letter."""
    page = (DOCS / "errors.md").read_text(encoding="utf-8")
    tree = textwrap.dedent(errors.__doc__.split("::\n\n")[1].split("\n\nEach")[0])

    assert f"```text\n{tree}\n```" in page


def test_the_error_page_says_what_to_do_about_each():
    """Every class has its row, in the tree's order, with something to do."""
    table = {row[0].strip("`"): row[1] for row in rows(DOCS / "errors.md", "error")}
    tree = textwrap.dedent(errors.__doc__.split("::\n\n")[1].split("\n\nEach")[0])

    assert list(table) == list(drawn(tree))
    assert all(len(advice) > 10 for advice in table.values())


# helpers.md, on two servers


@pytest.fixture
def my_bucket(server, monkeypatch, tmp_path):
    """The bucket, the objects and the files that helpers.md speaks of."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    (tmp_path / "local.txt").write_text("Hello from here.")
    (tmp_path / "document.pdf").write_bytes(b"%PDF-1.7 is not all here")
    rig = Rig(server)
    rig.bucket = "my-bucket"
    with rig:
        rig.put("large-file.zip", bytes(2_500_000))
        rig.put("empty.txt", b"")
        for name in ("file1.txt", "file2.txt", "folder/file3.txt"):
            rig.put(name, b"to go")
        rig.put("reports/2023.csv", bytes(60))
        rig.put("reports/2024.csv", bytes(120))
        rig.put("reports/2024.pdf", bytes(2_000_000))
        yield rig


async def test_the_helpers_examples_run_and_show_what_the_page_says(server, my_bucket):
    """Every block of helpers.md, as written but for the address and keys of the first."""
    own = {
        "http://localhost:9000": server.endpoint_url,
        "access_key": server.access_key,
        "secret_key": server.secret_key,
    }
    wrong = []
    async with get_session().create_client(
        "s3",
        endpoint_url=server.endpoint_url,
        aws_access_key_id=server.access_key,
        aws_secret_access_key=server.secret_key,
    ) as client:
        namespace = {"client": client}
        for cell in cells(DOCS / "helpers.md"):
            code = cell.code
            for theirs, ours in own.items():
                code = code.replace(f'"{theirs}"', f'"{ours}"')
            printed = io.StringIO()
            compiled = compile(code, "helpers.md", "exec", ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
            with contextlib.redirect_stdout(printed):
                running = eval(compiled, namespace)
                if running is not None:
                    await running
            if printed.getvalue() != (cell.shown or ""):
                wrong.append((cell.line, printed.getvalue()))

    assert wrong == []


# everything else, in a kernel


def demo_data():
    """The module that fills the demo's server, from tools/."""
    spec = importlib.util.spec_from_file_location("demo_data", ROOT / "tools" / "demo_data.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def demo(home):
    """A server with the demo's data, but for its one large object."""
    with Server() as server:
        client = Rig(server).client
        for bucket in ("weather", "photos", "archive", "my-drafts"):
            client.create_bucket(Bucket=bucket)
        for bucket, key, body, _ in demo_data()._small_objects():
            client.put_object(Bucket=bucket, Key=key, Body=body)
        client.close()
        yield server


@pytest.fixture
def notebook(demo, tmp_path):
    """A kernel beside that server, in a folder with the files that the pages name."""
    folder = tmp_path / "notebook"
    (folder / "out").mkdir(parents=True)
    for name in ("report.csv", "a.csv", "b.csv", "out/plot.png", "big.bin"):
        (folder / name).write_bytes(b"0,1\n")
    config = tmp_path / "config"
    config.write_text(block(DOCS / "servers.md", "ini"))
    with Kernel(folder=folder, env=demo.environment | {"AWS_CONFIG_FILE": str(config)}) as kernel:
        kernel.run("get_ipython().kernel.getpass = lambda prompt: 'typed'")
        yield kernel


@pytest.mark.kernel
@pytest.mark.parametrize("page", CELLS, ids=lambda page: page.stem)
def test_every_cell_of_a_page_runs_and_shows_what_the_page_says(notebook, page):
    """From top to bottom, in one kernel; a cell that is shown to fail fails in those words."""
    wrong = []
    for cell in cells(page):
        answer = notebook.run(cell.code)
        failing = cell.shown is not None and cell.shown.split(":")[0] in errors.__all__
        if failing:
            seen = answer.traceback
        elif answer.error or answer.stderr:
            wrong.append((cell.line, answer.traceback or answer.stderr))
            continue
        else:
            seen = answer.stdout if answer.value is None else answer.value
        if cell.shown is not None and plain(seen) != plain(cell.shown):
            wrong.append((cell.line, seen))

    assert cells(page)
    assert wrong == []


def plain(text):
    """What is the same at each run: no port, no figures of time, no rest of a line."""
    lines = [line.rstrip() for line in text.strip().splitlines() if not SUMMARY.match(line)]
    return re.sub(r"127\.0\.0\.1:\d+", "127.0.0.1:PORT", "\n".join(lines))


@pytest.mark.kernel
def test_what_the_readme_would_have_you_write_runs(notebook):
    """The last column of "instead of … write …", line by line."""
    lines = [row[2].strip("`") for row in rows(ROOT / "README.md", "to")]
    notebook.run("%load_ext s3magic\ntext = 'a note'")

    told = {line: notebook.run(line) for line in lines}

    assert len(lines) > 5
    assert {line: answer.traceback for line, answer in told.items() if answer.error} == {}
    assert [line for line, answer in told.items() if answer.stderr] == []


@pytest.mark.kernel
@by_verb
def test_the_examples_of_the_help_run_as_they_are_pasted(notebook, verb):
    """On the demo's data, with the files and names that they speak of."""
    notebook.run("%load_ext s3magic\ntext = 'a note'\ndf = %s3ls -r s3://weather/csv/year=2020/")

    told = {line: notebook.run(line) for line, _ in verb.examples}

    assert {line: answer.traceback for line, answer in told.items() if answer.error} == {}
    assert [line for line, answer in told.items() if answer.stderr] == []


@pytest.mark.kernel
def test_dash_h_and_the_question_mark_show_the_help(notebook):
    """`%s3ls -h` prints it, and `%s3ls?` opens the same."""
    notebook.run("%load_ext s3magic")

    for verb, _ in VERBS:
        dashed = notebook.run(f"%{verb.name} -h")
        asked = notebook.run(
            f"get_ipython().inspector.info(get_ipython().find_line_magic("
            f"{verb.name!r}))['docstring']"
        )

        assert dashed.stdout.rstrip() == help_text(verb)
        assert asked.python == help_text(verb)

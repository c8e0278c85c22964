"""The shape of the house: which room may know which, and what an import may cost."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from pathlib import Path

import pytest

import s3magic
from s3magic.notebook import magics

SOURCE = Path(s3magic.__file__).parent
MODULES = sorted(path.relative_to(SOURCE) for path in SOURCE.rglob("*.py"))

# From the top of the hill to its foot: a room may import those behind it, and itself.
HILL = [
    {"notebook"},
    {"commands"},
    {"helpers", "interop"},
    {"engines"},
    {"reach"},
    {"transfer", "listing"},
    {"session"},
    {"connection"},
    {"caller"},
    {"botoclient", "translation"},
    {"connecting", "credentials", "httpsession", "translation_names"},
    {"translation_rules"},
    {"wire"},
    {"settings", "uri"},
    {"model", "single_error"},
    {"errors"},
    {"wording", "spelling", "arrival"},
]
# The same within commands/: its files are the verbs, its folders what they stand on.
COMMANDS = [
    {name.removeprefix("s3") for name in magics.names()},
    {"facts", "peeking", "syncing"},
    {"contents"},
    {"running"},
    {"sources"},
    {"options"},
    {"showing"},
]
# They stand beside the hill.
ABOVE_ALL = {
    *("__init__", "accessor"),
    *("server", "server_guard", "server_main", "server_ports", "server_probe"),
}


def room(module, depth=0):
    return module.parts[depth].removesuffix(".py")


def height(name, hill):
    return next((level for level, rooms in enumerate(hill) if name in rooms), -1)


def imported(path):
    """Every module of ours that a file imports, at whatever depth."""
    for node in ast.walk(ast.parse((SOURCE / path).read_text(encoding="utf-8"))):
        names = []
        if isinstance(node, ast.ImportFrom) and node.module:
            names = [f"{node.module}.{alias.name}" for alias in node.names]
        elif isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        for name in names:
            if name.startswith("s3magic."):
                yield name.split(".")[1:]


def uphill(module, hill, depth=0):
    """What a module imports from another room of a hill that does not lie below its own."""
    here, *inside = room(module, depth), *module.parts[:depth]
    return [
        ".".join(target)
        for target in imported(module)
        if target[:depth] == inside
        and target[depth] != here
        and height(target[depth], hill) <= height(here, hill)
    ]


def test_every_room_has_its_place_on_the_hill():
    """A new room must be given one, or the next test would not look at it."""
    rooms = {room(module) for module in MODULES}

    placed = ABOVE_ALL.union(*HILL)

    assert rooms == placed


@pytest.mark.parametrize("module", [m for m in MODULES if room(m) not in ABOVE_ALL], ids=str)
def test_imports_run_downhill(module):
    """A room knows only what lies below it; the two beside each other know not each other."""
    assert uphill(module, HILL) == []


def test_commands_holds_the_verbs_and_rooms_that_have_their_place():
    """Who opens the folder sees the verbs; what they stand on lies deeper."""
    found = {room(module, 1) for module in MODULES if room(module) == "commands"}

    assert found == {"__init__"}.union(*COMMANDS)


@pytest.mark.parametrize("module", [m for m in MODULES if room(m) == "commands"], ids=str)
def test_a_verb_imports_no_other_and_nothing_below_imports_a_verb(module):
    """Who changes one verb opens one file."""
    assert uphill(module, COMMANDS, depth=1) == []


@pytest.mark.parametrize(
    "module", [m for m in MODULES if m.parts[1:] and m.stem == "__init__"], ids=str
)
def test_a_room_loads_nothing_before_it_is_asked(module):
    """Who imports one module of it waits for no other."""
    assert list(imported(module)) == []


@pytest.mark.parametrize("module", [m for m in MODULES if room(m) == "transfer"], ids=str)
def test_the_engine_knows_no_notebook_and_no_frames(module):
    """The engine is fed; it can serve a place with neither IPython nor pandas."""
    text = (SOURCE / module).read_text(encoding="utf-8")

    found = {
        name.split(".")[0]
        for node in ast.walk(ast.parse(text))
        for name in (
            [alias.name for alias in node.names]
            if isinstance(node, ast.Import)
            else [node.module or ""]
            if isinstance(node, ast.ImportFrom)
            else []
        )
    }

    assert found.isdisjoint({"IPython", "ipywidgets", "pandas", "ipykernel"})


def modules(code):
    """The modules that a fresh interpreter holds after running some code."""
    program = f"import sys\n{code}\nimport json; print(json.dumps(sorted(sys.modules)))"
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60
    )
    return set(json.loads(done.stdout.splitlines()[-1]))


def loaded(code):
    """Their top-level packages."""
    return {name.split(".")[0] for name in modules(code)}


def test_import_loads_nothing_heavy():
    """`import s3magic` costs nothing that is not used."""
    heavy = {"pandas", "numpy", "aiobotocore", "botocore", "aiohttp", "ipywidgets", "IPython"}

    found = loaded("import s3magic")

    assert found.isdisjoint(heavy)


def test_load_ext_loads_nothing_heavy():
    """`%load_ext s3magic` adds no package to those that IPython has loaded."""
    shell = "from IPython.core.interactiveshell import InteractiveShell as S; s = S.instance()\n"
    heavy = {"pandas", "numpy", "aiobotocore", "botocore", "aiohttp", "jmespath"}
    before = loaded(shell)

    after = loaded(shell + "s.extension_manager.load_extension('s3magic')")

    assert after - before <= {"s3magic"} | set(sys.stdlib_module_names) | {"__mp_main__"}
    assert after.isdisjoint(heavy)


def test_load_ext_loads_what_must_be_there_before_the_first_line_and_no_more():
    """Each module costs a millisecond that everybody waits for who loads the extension."""
    shell = "from IPython.core.interactiveshell import InteractiveShell as S; s = S.instance()\n"
    load = shell + "s.extension_manager.load_extension('s3magic')\n"

    ours = {name for name in modules(load) if name.startswith("s3magic.")}

    assert ours == {
        "s3magic.arrival",
        "s3magic.errors",
        "s3magic.notebook",
        "s3magic.notebook.ahead",
        "s3magic.notebook.awaiting",
        "s3magic.notebook.bridge",
        "s3magic.notebook.completion",
        "s3magic.notebook.extension",
        "s3magic.notebook.frames",
        "s3magic.notebook.interrupts",
        "s3magic.notebook.magics",
        "s3magic.notebook.options",
        "s3magic.notebook.slips",
        "s3magic.notebook.verbatim",
        "s3magic.notebook.words",
        "s3magic.settings",
        "s3magic.spelling",
        "s3magic.wording",
    }
    assert "s3magic.commands.get" in modules(load + "s.find_line_magic('s3get').__doc__")


def test_a_tab_imports_what_a_line_may_say_and_not_what_runs_it():
    """The first one may come right behind the cell that loads the extension, and is waited for."""
    shell = "from IPython.core.interactiveshell import InteractiveShell as S; s = S.instance()\n"
    tab = "from s3magic.notebook.completion import _describe; _describe('s3rm')\n"

    found = modules(f"{shell}s.extension_manager.load_extension('s3magic')\n{tab}")

    assert {"s3magic.commands.rm", "s3magic.notebook.asked"} <= found
    assert not {"s3magic.notebook.bars", "s3magic.notebook.home", "aiobotocore"} & found


def test_every_public_name_is_there():
    """What `__all__` promises can be imported, and `dir` shows it."""
    missing = [name for name in s3magic.__all__ if getattr(s3magic, name, None) is None]

    assert missing == []
    assert set(s3magic.__all__) <= set(dir(s3magic))
    assert set(s3magic._HOMES) | {"load_ipython_extension", "unload_ipython_extension"} == set(
        s3magic.__all__
    )


def test_the_errors_and_the_settings_are_at_hand():
    """`s3.errors.NoSuchKey` needs no import of its own, and nothing heavy loads for it."""
    code = "import s3magic as s3; s3.errors.NoSuchKey, s3.settings.defaults()"

    assert loaded(code).isdisjoint({"pandas", "botocore", "IPython"})


@pytest.mark.parametrize("module", [m for m in MODULES if m.name != "__init__.py"], ids=str)
def test_every_module_names_what_it_offers(module):
    """`__all__` stands in each module, and each name in it exists."""
    tree = ast.parse((SOURCE / module).read_text(encoding="utf-8"))
    offered = next(
        (
            ast.literal_eval(node.value)
            for node in tree.body
            if isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "") == "__all__"
        ),
        None,
    )

    assert ast.get_docstring(tree)
    assert offered is not None

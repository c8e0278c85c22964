"""The magics: each reads its line, awaits its command, and returns what that gives.

A verb's command, its description and what reads a line by it are imported with
its first line, or when its help is asked for: loading the extension is quick.
"""

from __future__ import annotations

import asyncio
import functools
import importlib
from collections import ChainMap
from typing import TYPE_CHECKING, Any, TypeAlias

from IPython.core.magic import needs_local_scope, no_var_expand

from s3magic import spelling
from s3magic.errors import BadArgument, S3Error
from s3magic.notebook import ahead
from s3magic.wording import printable

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from s3magic.commands.options.description import Verb
    from s3magic.notebook.awaiting import CoroutineMagics

__all__ = ["add_all", "cell_verb", "describe", "known", "names", "verb", "verbs"]

_Described: TypeAlias = "tuple[Verb, Callable[..., Awaitable[object]]]"

# The magics, each with its command: the module in `commands`, and the coroutine there.
# %s3 shows them in this order: look, look inside, move, tidy up, connect.
_COMMANDS = {
    "s3ls": ("ls", "ls"),
    "s3tree": ("tree", "tree"),
    "s3du": ("du", "du"),
    "s3stat": ("stat", "stat"),
    "s3diff": ("diff", "diff"),
    "s3browse": ("browse", "browse"),
    "s3cat": ("cat", "cat"),
    "s3head": ("head", "head"),
    "s3peek": ("peek", "peek"),
    "s3read": ("read", "read"),
    "s3get": ("get", "get"),
    "s3put": ("put", "put"),
    "s3write": ("write", "write"),
    "s3cp": ("cp", "cp"),
    "s3mv": ("mv", "mv"),
    "s3sync": ("sync", "sync"),
    "s3jobs": ("jobs", "jobs"),
    "s3rm": ("rm", "rm"),
    "s3uploads": ("uploads", "uploads"),
    "s3mb": ("mb", "mb"),
    "s3rb": ("rb", "rb"),
    "s3connect": ("connect", "connected"),
    "s3doctor": ("doctor", "doctor"),
    "s3url": ("url", "url"),
}
_CELLS = ("s3put",)  # those that are cell magics too, by their module's CELL
_described: dict[str, _Described] = {}  # those imported
_known: dict[str, _Described] = {}  # those imported with all that their lines need


def add_all(magics: CoroutineMagics) -> None:
    """Add the magic of every verb to a shell's coroutine magics."""
    for name in _COMMANDS:
        magics.add(name, _magic(magics, name), describe=functools.partial(_help, name))
    for name in _CELLS:
        describe = functools.partial(_help, name, cell=True)
        magics.add(name, _cell_magic(magics, name), "cell", describe)
    magics.add("s3", _family)


def cell_verb(name: str) -> Verb:
    """Import a cell magic's description; its command is that of the line magic."""
    module, _ = _COMMANDS[name]
    described: Verb = importlib.import_module(f"s3magic.commands.{module}").CELL
    return described


def names() -> tuple[str, ...]:
    """Give the magics' names; imports nothing."""
    return tuple(_COMMANDS)


def known(name: str, *, cell: bool = False) -> Verb | None:
    """Give a magic's description, or that of the cell magic, if it was imported."""
    if name not in _described:
        return None
    return cell_verb(name) if cell and name in _CELLS else _described[name][0]


def describe(name: str) -> _Described:
    """Import a magic's verb, and no more; gives its description and its command."""
    if name not in _described:
        module, command = _COMMANDS[name]
        home = importlib.import_module(f"s3magic.commands.{module}")
        _described[name] = home.VERB, getattr(home, command)
    return _described[name]


def verb(name: str) -> _Described:
    """Import a magic's verb, and what its lines need; gives its description and its command."""
    if name not in _known:
        described = describe(name)
        for beside in ("arguments", "asking", "bars", "browser.opening", "home"):
            importlib.import_module(f"s3magic.notebook.{beside}")
        _known[name] = described
    return _known[name]


def verbs() -> tuple[_Described, ...]:
    """Import every verb."""
    return tuple(verb(name) for name in _COMMANDS)


def _magic(magics: CoroutineMagics, name: str) -> Callable[..., Any]:
    @no_var_expand
    @needs_local_scope
    async def magic(line: str, local_ns: dict[str, Any] | None = None) -> object:
        return await _run(magics, name, line, None, local_ns)

    magic.__name__ = magic.__qualname__ = name
    return magic


def _cell_magic(magics: CoroutineMagics, name: str) -> Callable[..., Any]:
    @no_var_expand
    @needs_local_scope
    async def magic(line: str, cell: str, local_ns: dict[str, Any] | None = None) -> object:
        return await _run(magics, name, line, cell, local_ns)

    magic.__name__ = magic.__qualname__ = name
    return magic


async def _run(
    magics: CoroutineMagics,
    name: str,
    line: str,
    cell: str | None,
    local_ns: dict[str, Any] | None,
) -> object:
    """Read a magic's line, and await its command."""
    ahead.needed()
    if name not in _known:  # in a thread, so that importing does not hold the notebook's loop
        await asyncio.to_thread(verb, name)
    described, command = _known[name]
    if cell is not None:
        described = cell_verb(name)
    from s3magic.notebook import asking, bars, home
    from s3magic.notebook.arguments import parse
    from s3magic.notebook.browser import opening

    namespace = ChainMap(local_ns or {}, magics.shell.user_ns)
    try:
        call = parse(described, line, namespace)
    except S3Error as error:
        _advise(error, described, line, namespace)
        raise
    if call is None:
        print(_help(name, cell=cell is not None))  # noqa: T201 - asked for with -h
        return None
    kwargs = call.kwargs
    if cell is not None:
        # A terminal needs an empty line to end a cell, and in a notebook nobody sees those.
        text = cell.rstrip("\n")
        if not text:
            raise BadArgument(
                f"{described.magic} sends the text below its line, and there is none.",
                hint=f"Write it there; %{name}, with one %, sends files and variables.",
            )
        kwargs = kwargs | {described.takes_cell: text + "\n"}
    bars.install()
    asking.install()
    home.install()
    opening.install()
    await ahead.caught_up()
    words = line.split()
    flags = {  # as written; else a switch by its short name, which most write
        option.name: next(
            (flag for flag in option.flags if flag in words),
            option.flags[0 if option.takes is None else -1],
        )
        for option in described.options
    }
    try:
        with spelling.line(flags):
            return await command(*call.args, **kwargs)
    except S3Error as error:
        error.spell(flags)
        _advise(error, described, line, namespace)
        raise


def _advise(error: S3Error, described: Verb, line: str, namespace: Mapping[str, object]) -> None:
    """Give an error the advice that its line and the caller's variables have for it."""
    from s3magic.notebook.meant import meant

    error.hint = printable(meant(error, described.magic, line, namespace)) or error.hint


async def _family(line: str) -> object:
    """List the magics of s3magic; ``%s3 ls`` shows the help of ``%s3ls``."""
    ahead.needed()
    from s3magic.notebook import family

    asked = family.asked(line, names())
    if asked is None:
        lines = [one for one, _ in await asyncio.to_thread(verbs)]
        return family.Family((*lines, *(cell_verb(name) for name in _CELLS)))
    print(await asyncio.to_thread(_help, asked))  # noqa: T201 - asked for
    return None


def _help(name: str, *, cell: bool = False) -> str:
    from s3magic.notebook.helptext import help_text

    return help_text(cell_verb(name) if cell else verb(name)[0])

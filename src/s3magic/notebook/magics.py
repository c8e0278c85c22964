"""The magics: each reads its line, awaits its command, and returns what that gives."""

from __future__ import annotations

from collections import ChainMap
from typing import TYPE_CHECKING, Any

from IPython.core.magic import needs_local_scope, no_var_expand

from s3magic.commands import connect, get, ls, put
from s3magic.notebook.arguments import parse
from s3magic.notebook.helptext import help_text

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from s3magic.commands.verbs import Verb
    from s3magic.notebook.awaiting import CoroutineMagics

__all__ = ["VERBS", "add_all"]

VERBS: tuple[tuple[Verb, Callable[..., Awaitable[object]]], ...] = (
    (connect.VERB, connect.connected),
    (ls.VERB, ls.ls),
    (get.VERB, get.get),
    (put.VERB, put.put),
)


def add_all(magics: CoroutineMagics) -> None:
    """Add the magic of every verb to a shell's coroutine magics."""
    for verb, command in VERBS:
        magics.add(verb.name, _magic(magics, verb, command))


def _magic(
    magics: CoroutineMagics, verb: Verb, command: Callable[..., Awaitable[object]]
) -> Callable[..., Any]:
    @no_var_expand
    @needs_local_scope
    async def magic(line: str, local_ns: dict[str, Any] | None = None) -> object:
        call = parse(verb, line, ChainMap(local_ns or {}, magics.shell.user_ns))
        if call is None:
            print(help_text(verb))  # noqa: T201 - asked for with -h
            return None
        return await command(*call.args, **call.kwargs)

    magic.__name__ = magic.__qualname__ = verb.name
    magic.__doc__ = help_text(verb)
    return magic

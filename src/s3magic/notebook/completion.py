"""Completes the lines of the magics at Tab, within a fraction of a second or not at all.

IPython asks every matcher, on the kernel's own loop or in a thread of the
terminal. Ours answers for the lines of our magics, and within a string of
Python that begins with ``s3://``. It shows no error: who presses Tab asked for none.
"""

from __future__ import annotations

import functools
import re
import time
from typing import TYPE_CHECKING, Any

from IPython.core.completer import SimpleCompletion, completion_matcher

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from IPython.core.completer import CompletionContext, SimpleMatcherResult
    from IPython.core.interactiveshell import InteractiveShell

    from s3magic.notebook.asked import Asked, Candidate
    from s3magic.notebook.bridge import Bridge
    from s3magic.notebook.lookups import Lookups

__all__ = ["install", "uninstall"]

_WITHIN = 0.25  # seconds that an answer may take; it still has to get to the front end
_MAGIC = re.compile(r"(?:^|[\s=])(?P<mark>%{1,2})(?P<name>s3\w*)[ \t]+")
_AUTOMAGIC = re.compile(r"^[ \t]*(?P<mark>)(?P<name>s3\w*)[ \t]+(?![=.,)\]:*/+<>|&-] )")
_IDENTIFIER = "s3magic"

_matchers: dict[int, Callable[[CompletionContext], SimpleMatcherResult]] = {}


class _Settled(list[SimpleCompletion]):
    """An answer that is final, though it may be empty.

    IPython asks its other matchers, which know nothing of these lines and would
    offer local files, unless there are any completions: it looks at the length.
    """

    def __len__(self) -> int:
        return max(1, super().__len__())


def install(shell: InteractiveShell, bridge: Bridge) -> None:
    """Complete in this shell; what must be looked up is, in the bridge's thread."""
    completer: Any = shell.Completer
    if completer is None:
        return

    @functools.cache
    def lookups() -> Lookups:
        from s3magic.notebook.lookups import Lookups

        return Lookups(bridge)

    def s3magic_matcher(context: CompletionContext) -> SimpleMatcherResult:
        ours = False
        try:
            ours = _magic(shell, _logical_line(context)) is not None
            return _completed(shell, lookups, context)
        except (Exception, KeyboardInterrupt):  # noqa: BLE001 - IPython would show a traceback
            # What IPython would offer in our lines is Python's.
            return _answer(context.token, []) if ours else {"completions": []}

    as_matcher: Any = completion_matcher(identifier=_IDENTIFIER, priority=100, api_version=2)
    _matchers[id(shell)] = as_matcher(s3magic_matcher)
    completer.custom_matchers.append(s3magic_matcher)


def uninstall(shell: InteractiveShell) -> None:
    """Complete no longer."""
    matcher = _matchers.pop(id(shell), None)
    completer: Any = shell.Completer
    if matcher is not None and matcher in completer.custom_matchers:
        completer.custom_matchers.remove(matcher)


def _completed(
    shell: InteractiveShell, lookups: Callable[[], Lookups], context: CompletionContext
) -> SimpleMatcherResult:
    """Answer IPython."""
    deadline = time.monotonic() + _WITHIN
    line = _logical_line(context)
    magic = _magic(shell, line)
    if magic is None:
        if "s3" not in line or "://" not in line:
            return {"completions": []}
        from s3magic.notebook.asked import asked_in_python

        asked = asked_in_python(line)
        if asked is None:
            return {"completions": []}
    else:
        asked = _asked(shell, lookups(), magic, deadline)
        if asked is None:
            return _answer(context.token, [])
    from s3magic.notebook.fitting import fitted

    after = context.line_with_cursor[context.cursor_position :]
    found = [*asked.ready, *_looked_up(asked, lookups(), deadline)]
    return _answer(*fitted(asked, found, after))


def _answer(fragment: str, found: list[Candidate]) -> SimpleMatcherResult:
    return {
        "completions": _Settled(SimpleCompletion(text=one.text, type=one.kind) for one in found),
        "matched_fragment": fragment,
        "suppress": True,
        "ordered": True,
    }


def _logical_line(context: CompletionContext) -> str:
    """Give the line up to the cursor, with those that it continues."""
    lines = context.full_text.split("\n")[: context.cursor_line]
    line = context.text_until_cursor
    while lines and lines[-1].endswith("\\"):
        line = lines.pop()[:-1] + line
    return line


def _magic(shell: InteractiveShell, line: str) -> tuple[str, str, str] | None:
    """Find a line's magic, if it is one of ours: its mark, its name, and what stands behind."""
    if "s3" not in line:
        return None
    from s3magic.notebook.magics import names

    found = _MAGIC.search(line)
    if found is None and getattr(shell, "automagic", False):
        found = _AUTOMAGIC.match(line)
        if found is not None and found["name"] in shell.user_ns:
            return None
    if found is None or found["name"] not in {"s3", *names()}:
        return None
    return found["mark"], found["name"], line[found.end() :]


def _asked(
    shell: InteractiveShell, lookups: Lookups, magic: tuple[str, str, str], deadline: float
) -> Asked | None:
    """Find out what is asked for, once the verb's description is there."""
    from s3magic.notebook import magics

    mark, name, line = magic
    if name == "s3":
        from s3magic.notebook.asked import Asked, Candidate

        short = (one.removeprefix("s3") for one in magics.names())
        found = (Candidate(one, "magic", literal=False) for one in short if one.startswith(line))
        return Asked(line, ready=tuple(found))
    if magics.known(name) is None:
        lookups.run(name, lambda: _describe(name), deadline)
    described = magics.known(name, cell=mark == "%%")
    if described is None:
        return None
    from s3magic.notebook.asked import asked

    return asked(described, line, shell.user_ns)


def _describe(name: str) -> None:
    """Import all that an answer about a magic takes, and no more: the first Tab waits for it."""
    from s3magic.notebook import fitting, magics  # noqa: F401 - imported here, in another thread

    magics.describe(name)


def _looked_up(asked: Asked, lookups: Lookups, deadline: float) -> Iterator[Candidate]:
    """Look up what begins as asked."""
    from s3magic.notebook.asked import Candidate

    if asked.path is not None:
        folder, slash, name = asked.path.rpartition("/")
        for entry, kind in lookups.entries(folder + slash or ".", deadline).found:
            if entry.startswith(name) and (name or not entry.startswith(".")):
                end = "/" if kind == "folder" else ""
                start = "./" if entry.startswith("-") and not slash else folder + slash
                yield Candidate(start + entry + end, kind)
    if asked.address is not None:
        scheme, _, rest = asked.address.partition("://")
        bucket, slash, prefix = rest.partition("/")
        if not slash:
            for name, kind in lookups.buckets(deadline).found:
                if name.startswith(bucket):
                    yield Candidate(f"{scheme}://{name}/", kind)
        elif bucket:
            for key, kind in lookups.keys(bucket, prefix, deadline).found:
                yield Candidate(f"{scheme}://{bucket}/{key}", kind)

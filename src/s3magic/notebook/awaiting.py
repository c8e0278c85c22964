"""Await coroutine magics on the notebook's own loop, for any extension.

IPython turns ``df = %magic line`` into
``df = get_ipython().run_line_magic('magic', 'line')`` and awaits nothing. So,
wherever Python lets a cell await, an input transformer puts ``await `` before
such a call. The function that IPython then calls looks at its caller: one that
is about to await gets the coroutine, any other the value, through a `Bridge`
that blocks. A cell without such a magic is not touched.
"""

from __future__ import annotations

import ast
import asyncio
import dis
import functools
import sys
import warnings
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from IPython.core.interactiveshell import InteractiveShell

from s3magic.notebook.bridge import Bridge
from s3magic.notebook.interrupts import INTERRUPTED, interruptible
from s3magic.notebook.verbatim import Verbatim
from s3magic.notebook.words import without_semicolon

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Iterator
    from types import CodeType, FrameType

__all__ = ["CoroutineMagics"]

_Edit: TypeAlias = tuple[int, int, int, str]  # line, first and last byte, what stands there now

_CACHE, _GET_AWAITABLE = dis.opmap["CACHE"], dis.opmap["GET_AWAITABLE"]
_KINDS = {"run_line_magic": "line", "run_cell_magic": "cell"}


class CoroutineMagics:
    """The coroutine magics of one extension in one shell.

    Args:
        shell: The shell they are for.
        bridge: What runs them where nobody can await; by default one of their own.
        interrupted: What is shown in place of a traceback when one is interrupted.

    Example:
        >>> magics = CoroutineMagics(get_ipython())
        >>> magics.add("fetch", fetch)  # async def fetch(line): ...
        >>> magics.unload()
    """

    def __init__(
        self,
        shell: InteractiveShell,
        bridge: Bridge | None = None,
        interrupted: str = INTERRUPTED,
    ) -> None:
        self.shell = shell
        self.bridge = bridge or Bridge()
        self._interrupted = interrupted
        self._magics: dict[tuple[str, str], Callable[..., Any]] = {}
        self._verbatim = Verbatim(self._is_ours)
        shell.input_transformers_cleanup.insert(0, self._verbatim)
        shell.input_transformers_post.append(self._transform)

    def add(
        self,
        name: str,
        function: Callable[..., Coroutine[Any, Any, Any]],
        kind: Literal["line", "cell"] = "line",
        describe: Callable[[], str | None] | None = None,
    ) -> None:
        """Make a coroutine function a magic.

        Args:
            name: The magic's name, without ``%``.
            function: Called as any magic is: with the line, the cell of a cell
                magic, and what IPython's own decorators on it ask for.
            kind: ``line`` or ``cell``.
            describe: Gives the magic's help, when it is asked for; by default
                that is the function's docstring.
        """
        magic = _Magic(
            function, self.bridge, self._interrupted, describe or (lambda: function.__doc__)
        )
        self.shell.magics_manager.register_function(magic, kind, name)
        self._magics[kind, name] = magic

    def unload(self) -> None:
        """Take the magics and the transformer out again, and close the bridge."""
        self.shell.input_transformers_cleanup.remove(self._verbatim)
        self.shell.input_transformers_post.remove(self._transform)
        for kind, name in list(self._magics):
            if self._is_ours(kind, name):
                del self.shell.magics_manager.magics[kind][name]
        self._magics.clear()
        self.bridge.close()

    def _is_ours(self, kind: str, name: str) -> bool:
        """Tell whether the name still stands for the magic that was added."""
        found = self.shell.magics_manager.magics[kind].get(name)
        return found is not None and found is self._magics.get((kind, name))

    def _transform(self, lines: list[str]) -> list[str]:
        """Await the cell's coroutine magics; IPython calls this for every cell."""
        cell = "".join(lines)
        if not any(name in cell for _, name in self._magics):
            return lines
        try:
            with warnings.catch_warnings(action="ignore"):  # IPython compiles it again
                tree = ast.parse(cell)
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            return lines  # IPython says what is wrong with it
        edits: list[_Edit] = []
        for statement, may_await in _statements(tree, may_await=self._cell_may_await()):
            edits += self._edits(statement, cell, may_await=may_await)
        return _edited(cell, edits).splitlines(keepends=True) if edits else lines

    def _edits(self, statement: ast.stmt, cell: str, *, may_await: bool) -> Iterator[_Edit]:
        """Await the statement's magic, and put a ``;`` where IPython looks for it."""
        match statement:
            # All that IPython makes of a magic; an expression that somebody
            # wrote around such a call stays as it is, and goes over the bridge.
            case (
                ast.Expr(value=ast.Call() as call)
                | ast.Assign(value=ast.Call() as call)
                | ast.AnnAssign(value=ast.Call() as call)
            ):
                pass
            case _:
                return
        match call:
            case ast.Call(
                func=ast.Attribute(value=ast.Call(func=ast.Name(id="get_ipython")), attr=method),
                args=[
                    ast.Constant(value=str(name)) as first,
                    ast.Constant(value=str(line)) as second,
                    *_,
                ],
            ) if method in _KINDS:
                pass
            case _:
                return
        # `%magic;` reaches us as a magic of the name `magic;`.
        if not self._is_ours(_KINDS[method], name.removesuffix(";")):
            return
        if may_await:
            yield call.lineno, call.col_offset, call.col_offset, "await "
        silenced = line if name.endswith(";") else without_semicolon(line)
        if silenced is not None and _ends_its_line(call, cell):
            yield *_span(first), repr(name.removesuffix(";"))
            yield *_span(second), repr(silenced)
            yield *_span(call, end=True), ";"

    def _cell_may_await(self) -> bool:
        """Tell whether the cell that is being transformed may await at its top level."""
        shell = self.shell
        asyncio_runner, _ = shell.loop_runner_map["asyncio"]
        if not shell.autoawait or shell.loop_runner is not asyncio_runner:
            return False
        askers = set(_codes(sys._getframe(1)))  # noqa: SLF001 - who asks is the question
        if InteractiveShell.run_code.__code__ in askers:
            return False  # %%time, %%capture, %run: a running cell, which wants it done
        return InteractiveShell.run_cell.__code__ not in askers or not _loop_runs()


class _Magic:
    """What IPython calls: gives its coroutine to who awaits it, and the value to any other.

    Args:
        function: The coroutine function.
        bridge: Runs it for who does not await.
        interrupted: What is shown when it is interrupted.
        describe: Gives its docstring, which may take long to write.
    """

    def __init__(
        self,
        function: Callable[..., Coroutine[Any, Any, Any]],
        bridge: Bridge,
        interrupted: str,
        describe: Callable[[], str | None],
    ) -> None:
        functools.update_wrapper(self, function, ("__module__", "__name__", "__qualname__"))
        self._function = function
        self._bridge = bridge
        self._interrupted = interrupted
        self._describe = describe

    @property
    def __doc__(self) -> str | None:  # type: ignore[override]
        return self._describe()

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        __tracebackhide__ = True
        call = functools.partial(self._function, *args, **kwargs)
        if not _is_awaited(sys._getframe(1)):  # noqa: SLF001 - the caller is the question
            return self._bridge.run(call)
        return interruptible(call(), self._interrupted)


def _statements(node: ast.AST, *, may_await: bool) -> Iterator[tuple[ast.stmt, bool]]:
    """Give every statement below a node, and whether it may await."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.expr):
            continue
        if isinstance(child, ast.stmt):
            yield child, may_await
        within = may_await
        if isinstance(child, ast.AsyncFunctionDef):
            within = True
        elif isinstance(child, ast.FunctionDef | ast.ClassDef):
            within = False
        yield from _statements(child, may_await=within)


def _span(node: ast.expr, *, end: bool = False) -> tuple[int, int, int]:
    """Give the node's line and bytes, or the empty place behind it."""
    last = node.end_col_offset or 0
    return node.lineno, last if end else node.col_offset, last


def _ends_its_line(call: ast.Call, cell: str) -> bool:
    """Tell whether nothing follows the call, so that a ``;`` may."""
    line = cell.encode().splitlines()[call.lineno - 1]
    return call.end_lineno == call.lineno and not line[call.end_col_offset :].strip()


def _edited(cell: str, edits: list[_Edit]) -> str:
    """Apply the edits; their offsets are in bytes of UTF-8, as Python's parser counts."""
    lines = cell.encode().splitlines(keepends=True)
    for number, start, stop, text in sorted(edits, reverse=True):
        line = lines[number - 1]
        lines[number - 1] = line[:start] + text.encode() + line[stop:]
    return b"".join(lines).decode()


def _is_awaited(frame: FrameType | None) -> bool:
    """Tell whether the code that called a magic awaits what it gets.

    Args:
        frame: The magic's caller: IPython's, or the code itself.
    """
    while frame is not None and frame.f_code.co_name in _KINDS:
        frame = frame.f_back
    if frame is None:
        return False
    # Python may stand on the call or on one of its inline caches, two bytes each. Read
    # here by hand, since `dis` goes through the whole cell, for each call in its loops.
    code = frame.f_code.co_code
    at = frame.f_lasti + 2
    while at < len(code) and code[at] == _CACHE:
        at += 2
    return at < len(code) and code[at] == _GET_AWAITABLE


def _codes(frame: FrameType | None) -> Iterator[CodeType]:
    """Give the code of a frame and of all that wait for it."""
    while frame is not None:
        yield frame.f_code
        frame = frame.f_back


def _loop_runs() -> bool:
    """Tell whether this thread is inside a running event loop."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True

"""Where background jobs live in a notebook: a loop of their own, in a helper thread.

The notebook's own loop stands still while a cell computes, and terminal
IPython's runs only while a cell awaits. A job is to go on all the same.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any, cast

from s3magic.commands.running import background
from s3magic.notebook.bridge import Bridge, alone
from s3magic.notebook.cells import cell
from s3magic.notebook.interrupts import interruptible
from s3magic.wording import markup, printable

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Awaitable, Callable, Coroutine
    from contextvars import Context

    from IPython.core.interactiveshell import InteractiveShell

    from s3magic.commands.running.job import Job

__all__ = ["install", "uninstall"]

_INTERRUPTED = "Interrupted: the job itself goes on; job.cancel() would stop it."


class _Home:
    """The loop of the jobs, started with the first of them."""

    def __init__(self) -> None:
        self._bridge: Bridge | None = None
        self.cells: dict[int, str | None] = {}  # where each of the jobs began

    def loop(self) -> asyncio.AbstractEventLoop:
        """Give the loop, running."""
        if self._bridge is None:
            self._bridge = Bridge("s3magic-jobs")
            _when_python_ends(self.close)
        if self._bridge.loop is None:
            self._bridge.at_close(_close_clients)
        return self._bridge.started()

    def context(self) -> Context:
        """Give a context in which the job's own thread draws."""
        return alone()

    def waiting(self, coroutine: Coroutine[Any, Any, None]) -> Awaitable[None]:
        """Let an interrupt of the cell end the waiting."""
        return interruptible(coroutine, _INTERRUPTED)

    def begins(self, job: Job) -> None:
        """Note the cell, which has a bar that says it all."""
        self.cells[job.number] = cell()

    def close(self) -> None:
        """Cancel the jobs, wait for their clean-up, and end the thread."""
        if self._bridge is not None:
            self._bridge.close()


_home = _Home()


def install() -> None:
    """Let jobs live here, and show them with a line that tells how they ended."""
    from IPython.core.getipython import get_ipython

    background.use(_home)
    if (shell := get_ipython()) is not None and getattr(shell, "kernel", None) is not None:
        _formatter(shell).for_type_by_name("s3magic.commands.running.job", "Job", _show)


def uninstall(shell: InteractiveShell) -> None:
    """Cancel all jobs, and leave where they live to the commands again."""
    background.reset()
    _formatter(shell).deferred_printers.pop(("s3magic.commands.running.job", "Job"), None)
    for kind, shown in list(_formatter(shell).type_printers.items()):
        if shown is _show:
            _formatter(shell).pop(kind)
    _home.close()


def _formatter(shell: InteractiveShell) -> Any:
    display: Any = shell.display_formatter
    return display.ipython_display_formatter


def _show(job: Job) -> None:
    """Show a job as it is, and again in the same place when it is over.

    The cell that began it has its bar, and needs only its name.
    """
    from IPython.display import display

    here = _home.cells.get(job.number) == cell()
    handle = cast("Any", display)(_Named(job) if here else _Shown(job), display_id=True)
    if not job.done and not here:
        context = alone()
        job.when_over(lambda over: context.run(handle.update, _Shown(over)))


class _Shown:
    """A job's own looks, without the notebook's."""

    def __init__(self, job: Job) -> None:
        self._repr_html_ = job._repr_html_
        self._text = repr(job)

    def __repr__(self) -> str:
        return self._text


class _Named:
    """Which job it is, and nothing of how it goes."""

    def __init__(self, job: Job) -> None:
        self._job = job

    def __repr__(self) -> str:
        return printable(f"Job {self._job.number}: {self._job.line}")

    def _repr_html_(self) -> str:
        return f"<div><b>Job {self._job.number}</b>: <code>{markup(self._job.line)}</code></div>"


def _when_python_ends(call: Callable[[], object]) -> None:
    """Have it called while threads can still be started.

    `atexit` is too late for that: by then the interpreter's thread pools take
    no more work, and an upload's clean-up needs some.
    """
    register = getattr(threading, "_register_atexit", None)  # CPython's own way since 3.9
    if register is not None:
        register(call)


async def _close_clients() -> None:
    from s3magic import session

    await session.close()

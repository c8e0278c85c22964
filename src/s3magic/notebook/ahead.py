"""Imports what the first line needs while nobody waits for it.

The extension loads in some ten milliseconds. What a verb stands on (pandas,
aiobotocore, botocore's tables) takes half a second of CPU, once. One thread
begins with it when the cell that loaded the extension has ended, and goes on
only while no cell runs: a cell that begins waits for the step under way. For
two threads that import what belongs together may each wait for the other, and
Python then ends one of the imports with an error. A line that comes sooner
imports what is missing itself, in one thread too.

Nothing is looked up ahead that a later cell could change: no setting, no
credential, no client. What fails here fails without a word, and is told by the
line that needs it.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import importlib
import os
import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from IPython.core.interactiveshell import InteractiveShell

__all__ = ["FIRST", "LATER", "Ahead", "caught_up", "importing", "install", "needed", "uninstall"]

# What any first line needs, in the order in which it does. numpy and pyarrow, which
# pandas imports, are steps of their own: the thread steps aside only between two.
# The last is what the first frame with texts in it imports.
FIRST = (
    "s3magic.commands.ls",
    "s3magic.notebook.arguments",
    "s3magic.notebook.bars",
    "botocore.session",
    "aiohttp",
    "aiobotocore.session",
    "s3magic.botoclient:prepare",
    "numpy",
    "pyarrow",
    "pandas",
    "pyarrow.pandas_compat",
)
# What the next lines may need: never while one of them runs.
LATER = ("s3magic.commands.get", "s3magic.commands.put", "s3magic.notebook.bars:prepare")

_QUIET = 0.1  # seconds without a cell before it goes on: between cells run at once is no time
_LONGEST = 2.0  # seconds that a cell waits for what is being imported: a step takes a tenth of it
_SELDOM = (250_000, 50, 1_000)  # thresholds of the garbage collector while modules are imported


class Ahead:
    """One thread that imports, and when it may go on.

    Args:
        first: What any line needs: modules, or ``module:function`` to call.
        later: What comes behind it.
    """

    def __init__(self, first: Sequence[str], later: Sequence[str]) -> None:
        self._names = first, later
        self._first = threading.Event()  # no cell runs
        self._later = threading.Event()  # no cell runs
        self._busy = threading.Event()  # one does
        self._begun = threading.Lock()
        self._complete = False  # what any line needs is there
        self._step = threading.RLock()  # held while something is imported
        self._others: list[None] = []  # one for each that imports besides, or waits for it
        self.cells_unknown()

    def cells_unknown(self) -> None:
        """Assume from now on that no cell runs."""
        self._busy.clear()
        self._first.set()
        self._later.set()

    def cell_begins(self, *_info: object) -> None:
        """Let a cell have the interpreter to itself, once the step under way is done."""
        self._busy.set()
        self._first.clear()
        self._later.clear()
        if self._step.acquire(timeout=_LONGEST):
            self._step.release()

    def cell_ended(self, *_result: object) -> None:
        """Go on; begin, if this is the first cell to end."""
        self._busy.clear()
        self._first.set()
        self._later.set()
        self.needed()

    def needed(self) -> None:
        """Begin, if nobody has, as soon as no cell runs."""
        if not self._begun.acquire(blocking=False):
            return
        if hasattr(os, "register_at_fork"):
            # A child that is forked in the middle of an import could never import that again.
            step = self._step
            os.register_at_fork(
                before=step.acquire, after_in_parent=step.release, after_in_child=step.release
            )
        # No daemon: one that dies while an extension module starts takes the process along.
        threading.Thread(target=self._import_all, name="s3magic-ahead").start()

    async def caught_up(self) -> None:
        """Import what any line needs and is not there yet, in a thread.

        At once, and one after the other: side by side, threads that import take
        longer, for each holds the interpreter. And without the garbage collector.
        """
        if not self._complete:
            await asyncio.to_thread(self._catch_up)

    def _catch_up(self) -> None:
        with self.importing(), _uncollected():
            if self._complete:  # by another line, while this one waited
                return
            for name in self._names[0]:
                _import(name)
            self._complete = True

    @contextlib.contextmanager
    def importing(self) -> Iterator[None]:
        """Hold this while something is imported in another thread: nobody else imports then.

        A cell that begins waits for it, as for a step; of the steps only the
        one under way comes before it.
        """
        self._others.append(None)  # else the next step would begin before this thread wakes
        try:
            with self._step:
                yield
        finally:
            self._others.pop()

    def _import_all(self) -> None:
        for names, may in zip(self._names, (self._first, self._later), strict=True):
            left = list(reversed(names))
            while left and _alive():
                if may.wait(0.1) and not self._busy.wait(_QUIET):
                    self._import(left, may)

    def _import(self, left: list[str], may: threading.Event) -> None:
        """Import from the end of a list for as long as that may go on."""
        with _uncollected():
            while left and may.is_set() and not self._others and _alive():
                with self._step:
                    if may.is_set():  # else a cell has begun meanwhile
                        _import(left.pop())


_ahead = Ahead(FIRST, LATER)
needed = _ahead.needed
caught_up = _ahead.caught_up
importing = _ahead.importing


def install(shell: InteractiveShell) -> None:
    """Begin when the cell that runs now has ended."""
    shell.events.register("pre_run_cell", _ahead.cell_begins)
    shell.events.register("post_run_cell", _ahead.cell_ended)
    _ahead.cell_begins()


def uninstall(shell: InteractiveShell) -> None:
    """Look at this shell's cells no longer."""
    shell.events.unregister("pre_run_cell", _ahead.cell_begins)
    shell.events.unregister("post_run_cell", _ahead.cell_ended)
    _ahead.cells_unknown()


def _alive() -> bool:
    """Tell whether the interpreter goes on: its end waits for this thread."""
    return threading.main_thread().is_alive()


def _import(name: str) -> None:
    module, _, function = name.partition(":")
    with contextlib.suppress(Exception):  # whoever needs it is told what is wrong with it
        found = importlib.import_module(module)
        if function:
            called: Callable[[], object] = getattr(found, function)
            called()


@contextlib.contextmanager
def _uncollected() -> Iterator[None]:
    """Keep the garbage collector from going through all that a notebook holds.

    Modules are made of a hundred thousand objects that stay. The collector, which
    sees only that so many are new, would look at every object of the process
    several times over, and hold the notebook's loop for a tenth of a second each time.
    """
    before = gc.get_threshold()
    if not before[0]:  # the user has it switched off
        yield
        return
    gc.set_threshold(*_SELDOM)
    ours = gc.get_threshold()  # from Python 3.14 on the third is another
    try:
        yield
    finally:
        if gc.get_threshold() == ours:  # else somebody has chosen anew
            if not gc.get_freeze_count():
                gc.freeze()  # with the next line: what is new counts as old from now on,
                gc.unfreeze()  # and none of it is looked at
            gc.set_threshold(*before)

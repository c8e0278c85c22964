"""One verb that goes on in the background: what can be asked of it, and what it says."""

from __future__ import annotations

import asyncio
import contextlib
import datetime as dt
import time
from concurrent.futures import Future
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, TypeAlias, get_args

from s3magic.errors import S3Error, TransferError
from s3magic.transfer.figures import read
from s3magic.transfer.progress import Meter
from s3magic.wording import duration, markup, printable

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Coroutine, Generator
    from types import TracebackType

    from pandas import DataFrame

    from s3magic.transfer.watching import Display

__all__ = ["STATES", "Job"]

State: TypeAlias = Literal["running", "done", "failed", "cancelled"]
STATES: tuple[str, ...] = get_args(State)


class Job:
    """A verb that was told to go on in the background.

    `await` it for what the verb gives, or to have raised what it raises; that
    may be done any number of times, from any loop, and an interrupt of the cell
    that waits leaves the job alone.

    Args:
        number: Its number in ``%s3jobs``.
        line: What it does, in a line.
        display: Where its progress is shown.
        waiting: Awaits on behalf of a cell.

    Example:
        >>> job = await s3.get("s3://archive/big.bin", "data/", bg=True)
        >>> job.status
        'running'
        >>> report = await job
    """

    def __init__(
        self,
        number: int,
        line: str,
        display: Display,
        waiting: Callable[[Coroutine[Any, Any, None]], Awaitable[None]],
    ) -> None:
        self.number = number
        self.line = line
        self.started = dt.datetime.now(dt.UTC)
        self._begun = time.monotonic()
        self._seconds: float | None = None
        self._display = display
        self._waiting = waiting
        self._task: asyncio.Task[Any] | None = None
        self._meter: Meter | None = None
        self._summaries: list[str] = []
        self._asked = False
        self._status: State = "running"
        self._result: Any = None
        self._error: BaseException | None = None
        self._traceback: TracebackType | None = None
        self._report: DataFrame | None = None
        self._over: Future[None] = Future()

    # what it is now

    @property
    def done(self) -> bool:
        """Whether it is over, however it ended."""
        return self._over.done()

    @property
    def status(self) -> State:
        """``running``, ``done``, ``failed`` (some of it at least) or ``cancelled``."""
        return self._status

    @property
    def error(self) -> BaseException | None:
        """What awaiting it raises; None while it runs, and where it went well."""
        return self._error

    @property
    def report(self) -> DataFrame | None:
        """One row for each transfer that is over, as the verb's own report; None without any.

        While it runs these are the transfers so far.
        """
        if self._report is None:
            rows = self._meter.rows() if self._meter else ()
            if not rows:
                return None
            from s3magic.commands.running.report import frame

            made = frame(rows)
            if not self.done:
                return made
            self._report = made
        return self._report

    @property
    def meter(self) -> Meter | None:
        """The state of the part that runs now, or ran last."""
        return self._meter

    @property
    def seconds(self) -> float:
        """How long it has run."""
        return time.monotonic() - self._begun if self._seconds is None else self._seconds

    @property
    def size(self) -> int:
        """Bytes that are safe at their target."""
        return self._meter.done_size if self._meter else 0

    @property
    def total(self) -> int | None:
        """Bytes in all, as far as is known; None while nothing is."""
        if self._meter is None or (not self._meter.size and not self.done):
            return None
        return self._meter.size

    @property
    def rate(self) -> float:
        """Bytes a second: over the last seconds, or, when it is over, on the whole."""
        if self._meter is None:
            return 0.0
        if not self.done:
            return self._meter.rate
        return self._meter.moved / self._meter.elapsed if self._meter.elapsed else 0.0

    @property
    def told(self) -> str:
        """What there is to say of it now: how far it is, or how it ended."""
        if self.done:
            return self._conclusion()
        if self._asked:
            return "cancelling"
        if self._meter is None:
            return "starting"
        figures = read(self._meter)
        parts = [figures.percent, figures.size, figures.counted, figures.rate, figures.left]
        parts += [figures.skipped, figures.failed]
        return ", ".join(part for part in parts if part) or duration(self.seconds)

    def __repr__(self) -> str:
        return printable(f"Job {self.number} ({self.status}): {self.line} · {self.told}")

    def _repr_html_(self) -> str:
        return (
            f"<div><b>Job {self.number}</b> ({self.status}): "
            f"<code>{markup(self.line)}</code> · {markup(self.told)}</div>"
        )

    # what can be done with it

    def __await__(self) -> Generator[Any, None, Any]:
        return self._outcome().__await__()

    def cancel(self) -> None:
        """Stop it, as the Cancel button of its bar does. From any thread.

        What was transferred stays, and the report tells of it. Asked for twice,
        it is broken off without a report.
        """
        task = self._task
        if self.done:
            return
        if self._asked and task is not None:
            with contextlib.suppress(RuntimeError):  # its loop has been closed meanwhile
                task.get_loop().call_soon_threadsafe(task.cancel)
        self._asked = True
        if self._meter is not None:
            self._meter.stop()

    def when_over(self, call: Callable[[Job], object]) -> None:
        """Have `call` called when it is over, in whatever thread; at once if it is."""
        self._over.add_done_callback(lambda _: call(self))

    async def wait(self) -> None:
        """Wait until it is over, and say nothing of how it ended."""
        await self._waiting(self._wait())

    # what begins it tells it

    def show(self) -> None:
        """Put it on the screen before anything is known of it."""
        first = Meter("Starting", "", files=None)
        first.on_stop(self.cancel)
        with contextlib.suppress(Exception):  # a front end that failed: the work goes on
            self._display.draw(first)

    def began(self, task: asyncio.Task[Any]) -> None:
        """Hear which task does it."""
        self._task = task
        task.add_done_callback(self._ended)

    def watch(self, meter: Meter) -> Display:
        """Hear of a meter that a part of it feeds; gives what shows that."""
        self._meter = meter
        if self._asked:
            meter.stop()
        return _Part(self._display, self._summaries)

    async def _outcome(self) -> Any:
        await self.wait()
        if isinstance(self._error, TransferError) and self._error.report is None:
            self._error.report = self.report
        if self._error is not None:
            raise self._error.with_traceback(self._traceback)
        return self._result

    async def _wait(self) -> None:
        loop, over = asyncio.get_running_loop(), asyncio.Event()

        def wake(_: Future[None]) -> None:
            with contextlib.suppress(RuntimeError):  # nobody waits on that loop any more
                loop.call_soon_threadsafe(over.set)

        self._over.add_done_callback(wake)
        await over.wait()

    def _ended(self, task: asyncio.Task[Any]) -> None:
        """Keep how the task ended; on the job's loop, as every call of the display."""
        self._seconds = time.monotonic() - self._begun
        if task.cancelled():
            self._error = TransferError(
                f"Job {self.number} was cancelled: {self.line}.", report=None
            )
        else:
            self._error = task.exception()
        self._traceback = self._error.__traceback__ if self._error else None
        self._task = None
        meter = self._meter
        if self._error is None:
            self._result = task.result()
        kept = getattr(self._error, "report", None) if self._error else self._result
        self._report = kept if hasattr(kept, "itertuples") else None
        stopped = task.cancelled() or self._asked or (meter is not None and meter.stopped)
        if stopped and (self._error is None or isinstance(self._error, TransferError)):
            self._status = "cancelled"
        elif self._error is not None or (meter is not None and meter.failed):
            self._status = "failed"
        else:
            self._status = "done"
        if meter is not None:  # let go of the engine, its client and its loop
            rows = meter.rows()
            meter.rows, meter.others = (lambda: rows), tuple
            meter.on_stop(lambda: None)
        with contextlib.suppress(Exception):  # a front end that went away
            self._display.close(f"Job {self.number}: {self._conclusion()}")
        self._over.set_result(None)

    def _conclusion(self) -> str:
        said = " ".join(self._summaries)
        if self._status == "failed" and self._error is not None:
            why = self._error.message if isinstance(self._error, S3Error) else repr(self._error)
            said = f"{said} {why}" if said else f"Failed. {why}"
        return said or f"{self._status.capitalize()} in {duration(self.seconds)}."


@dataclass(frozen=True, slots=True)
class _Part:
    """The display of one part of a job: its closing line waits for the job's own."""

    display: Display
    summaries: list[str]

    def draw(self, meter: Meter) -> None:
        """Show the state."""
        self.display.draw(meter)

    def close(self, summary: str) -> None:
        """Keep the summary."""
        if summary:
            self.summaries.append(summary)

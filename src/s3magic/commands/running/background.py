"""Lets a verb go on in the background: begins the job, and knows all there are.

Where nothing else is known, a job is a task of the running loop, as any other;
that loop then has to go on running. A notebook has a better place for it, and
puts that in with `use`: a loop that runs while cells compute, and while a
terminal waits for the next line.
"""

from __future__ import annotations

import asyncio
import itertools
import os
import shlex
from contextvars import Context, copy_context
from typing import TYPE_CHECKING, Any, Protocol

from s3magic import session
from s3magic.commands.running.job import Job
from s3magic.commands.showing.displays import lasting
from s3magic.commands.sources.objects import is_column, is_frame
from s3magic.errors import BadArgument
from s3magic.transfer.watching import behind
from s3magic.uri import S3Uri
from s3magic.wording import count, filesize, printable, shorten

if TYPE_CHECKING:
    from collections.abc import Awaitable, Coroutine, Iterable

__all__ = ["Home", "begin", "forget", "job", "known", "reset", "run", "told", "use"]

_LONGEST = 160  # characters of a job's line
_FEW = 3  # sources that it names


class Home(Protocol):
    """Where jobs live."""

    def loop(self) -> asyncio.AbstractEventLoop:
        """Give the loop that they run on, running."""

    def context(self) -> Context:
        """Give the context for one of them."""

    def waiting(self, coroutine: Coroutine[Any, Any, None]) -> Awaitable[None]:
        """Give what a cell that waits for one of them awaits."""

    def begins(self, job: Job) -> None:
        """Hear of one that begins."""


class _Here:
    """The running loop, where there is no notebook."""

    def loop(self) -> asyncio.AbstractEventLoop:
        """Give the running loop."""
        return asyncio.get_running_loop()

    def context(self) -> Context:
        """Give a copy of this one."""
        return copy_context()

    def waiting(self, coroutine: Coroutine[Any, Any, None]) -> Awaitable[None]:
        """Wait as anybody does."""
        return coroutine

    def begins(self, job: Job) -> None:
        """Do nothing more for it."""


_home: Home = _Here()
_numbers = itertools.count(1)
_jobs: dict[int, Job] = {}


def begin(line: str, coroutine: Coroutine[Any, Any, Any], *, progress: str | None = None) -> Job:
    """Have a coroutine go on in the background; does not wait for anything.

    What it asks of S3 goes by the connection that is in force now, whatever
    `connect` is told meanwhile. Its progress is shown where this was called.

    Args:
        line: What it does, for people: see `told`.
        coroutine: A coroutine that has not begun. It may run on another loop,
            in another thread: it must not hold anything of this one.
        progress: As the verb was told; None for the default.

    Raises:
        BadArgument: That is no way to show progress.
    """
    try:
        display = lasting(progress)
        loop, context = _home.loop(), _home.context()
    except BaseException:
        coroutine.close()
        raise
    begun = Job(next(_numbers), line, display, _home.waiting)
    _jobs[begun.number] = begun
    _home.begins(begun)
    context.run(behind.set, begun.watch)
    context.run(session.pin)
    context.run(begun.show)

    def start() -> None:
        name = f"s3magic-job-{begun.number}"
        begun.began(loop.create_task(coroutine, name=name, context=context))

    if _running() is loop:
        start()
    else:
        loop.call_soon_threadsafe(start)
    return begun


async def run(
    line: str, coroutine: Coroutine[Any, Any, Any], *, bg: bool, progress: str | None
) -> Any:
    """Await a coroutine here, or have it go on in the background: what ends a verb.

    Args:
        line: As `begin` takes it.
        coroutine: What is left of the verb when its arguments were checked.
        bg: Whether it is to go on in the background.
        progress: As the verb was told.

    Returns:
        What the coroutine gives, or the `Job`.
    """
    return begin(line, coroutine, progress=progress) if bg else await coroutine


def job(number: int) -> Job:
    """Give a job by its number.

    Raises:
        BadArgument: There is none of this number.

    Example:
        >>> report = await s3.job(2)
    """
    if number in _jobs:
        return _jobs[number]
    numbers = ", ".join(map(str, _jobs))
    raise BadArgument(
        f"There is no job {number!r}.",
        hint=f"There are {numbers}." if numbers else "--bg starts one: %s3get s3://b/k ./ --bg.",
    )


def known() -> list[Job]:
    """Give all jobs, those that are over too, the oldest first."""
    return list(_jobs.values())


def forget(jobs: Iterable[Job]) -> None:
    """Know these no more, as far as they are over."""
    for one in jobs:
        if one.done:
            _jobs.pop(one.number, None)


def told(action: str, *given: object) -> str:
    """Put a call into a line: ``get s3://archive/big.bin ./data/``.

    Args:
        action: The verb.
        *given: Its positional arguments, of any kind; None for one not given.
    """
    words = [action, *(_word(one) for one in given if one is not None)]
    return shorten(" ".join(word for word in words if word), _LONGEST)


def use(home: Home) -> None:
    """Let jobs live there from now on."""
    global _home  # noqa: PLW0603 - one process, one notebook above it
    _home = home


def reset() -> None:
    """Let jobs live on the running loop again."""
    use(_Here())


def _running() -> asyncio.AbstractEventLoop | None:
    try:
        return asyncio.get_running_loop()
    except RuntimeError:
        return None


def _word(value: Any) -> str:
    if isinstance(value, bytes | bytearray | memoryview):
        return f"<{filesize(len(value))}>"
    if isinstance(value, str | S3Uri | os.PathLike):
        text = printable(str(value))
        return shlex.quote(text) if " " in text else text
    if is_frame(value) or is_column(value):
        return f"<{count(len(value), 'row')}>"
    if isinstance(value, list | tuple):
        named = [_word(one) for one in value[:_FEW]]
        return " ".join(named) + (f" and {len(value) - _FEW:,} more" if value[_FEW:] else "")
    return f"<{type(value).__name__}>"

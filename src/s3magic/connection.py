"""One way to reach S3, and its client on each running loop.

A client of aiobotocore belongs to the loop that it first sends on. It is made
on first use, in a helper thread, because reading botocore's service model takes
a few hundred milliseconds.

The life of a client is an async generator. A loop that shuts down finishes its
open generators (`asyncio.run` does), so a client is closed even where nobody
says so.
"""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import weakref
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from s3magic.botoclient import Facts, Options, build
from s3magic.errors import S3Error
from s3magic.translation import translate
from s3magic.wire.wire import detach
from s3magic.wording import printable

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator, Callable, Generator

    from types_aiobotocore_s3 import S3Client

__all__ = ["Connection"]


_closing: set[asyncio.Task[None]] = set()  # a task that nobody holds may be collected


@dataclass(slots=True)
class _Open:
    """One loop's client: its life, how many verbs use it, and whether it may go."""

    life: AsyncGenerator[tuple[S3Client, Facts]]
    client: S3Client
    users: int = 0
    retired: bool = False


class Connection:
    """One way to reach S3, shared by every verb and helper.

    ``await`` it to look the credentials up at once; its repr then says where
    they came from and until when they last. It never holds a secret in sight.
    """

    def __init__(self, options: Options) -> None:
        self.options = options
        self._facts: Facts | None = None
        self._opening: weakref.WeakKeyDictionary[asyncio.AbstractEventLoop, asyncio.Task[_Open]]
        self._opening = weakref.WeakKeyDictionary()
        self.failed: Callable[[], object] = lambda: None
        """Told when it was awaited and the look-up failed, until one succeeds."""

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Connection) and self.options == other.options

    def __hash__(self) -> int:
        return hash(self.options)

    def __await__(self) -> Generator[Any, None, Connection]:
        return self._looked_up().__await__()

    def __repr__(self) -> str:
        facts = self._facts
        if facts is None:
            told = (
                f"{one.name}={getattr(self.options, one.name)!r}"
                for one in dataclasses.fields(self.options)
                if one.repr and getattr(self.options, one.name) not in {None, False}
            )
            return printable(f"S3 connection ({', '.join(told) or 'as AWS tools would'})")
        lines = [
            f"S3 connection to {facts.endpoint}",
            f"  region       {facts.region}",
            f"  credentials  {facts.credentials}",
        ]
        if facts.expires is not None:
            local = facts.expires.astimezone()
            lines.append(f"  expire       {local:%Y-%m-%d %H:%M %Z}, renewed before then")
        return "\n".join(printable(line) for line in lines)

    @property
    def facts(self) -> Facts | None:
        """What its client turned out to be; None before one was made."""
        return self._facts

    @property
    def endpoint_url(self) -> str | None:
        """The endpoint, once a client was made; before that what `connect` was told."""
        return self._facts.endpoint if self._facts else self.options.endpoint_url

    async def client(self) -> S3Client:
        """Give the running loop's client, made on first use."""
        return (await self._open()).client

    @contextlib.asynccontextmanager
    async def using(self) -> AsyncIterator[S3Client]:
        """Lend the client for a while: `connect` closes it only when it is given back."""
        opened = await self._open()
        opened.users += 1
        try:
            yield opened.client
        finally:
            opened.users -= 1
            if opened.retired and not opened.users:
                await opened.life.aclose()

    async def close(self) -> None:
        """Close the running loop's client, if there is one; the next use makes another."""
        task = self._opening.pop(asyncio.get_running_loop(), None)
        if task is None:
            return
        with contextlib.suppress(Exception):
            opened = await task
            opened.retired = True
            await opened.life.aclose()

    async def _looked_up(self) -> Connection:
        try:
            await self._open()
        except S3Error:
            self.failed()
            raise
        self.failed = lambda: None
        return self

    async def _open(self) -> _Open:
        loop = asyncio.get_running_loop()
        task = self._opening.get(loop)
        if task is None or (task.done() and (task.cancelled() or task.exception())):
            task = loop.create_task(self._make(), name="s3magic-connect")
            self._opening[loop] = task
        # Shielded: one impatient user does not take the client from the others.
        return await asyncio.shield(task)

    async def _make(self) -> _Open:
        life = _life(self.options)
        try:
            made, self._facts = await anext(life)
        except Exception as error:
            raise translate(error, "connect to S3") from error
        return _Open(life, made)

    def retire(self) -> None:
        """Close every client as soon as nobody uses it. From any thread."""
        for loop, task in list(self._opening.items()):
            if loop.is_running():
                self._opening.pop(loop, None)
                loop.call_soon_threadsafe(self._retire_on, loop, task)

    def _retire_on(self, loop: asyncio.AbstractEventLoop, task: asyncio.Task[_Open]) -> None:
        async def finish() -> None:
            with contextlib.suppress(Exception):
                opened = await task
                opened.retired = True
                if not opened.users:
                    await opened.life.aclose()

        closing = loop.create_task(finish(), name="s3magic-close")
        _closing.add(closing)
        closing.add_done_callback(_closing.discard)

    def finish(self) -> None:
        """Close the clients of loops that have stopped, when the interpreter ends."""
        for loop, task in list(self._opening.items()):
            if not loop.is_closed() and not loop.is_running() and task.done():
                with contextlib.suppress(Exception):
                    loop.run_until_complete(task.result().life.aclose())


async def _life(options: Options) -> AsyncGenerator[tuple[S3Client, Facts]]:
    made, facts = await asyncio.to_thread(build, options)
    try:
        yield made, facts
    finally:
        detach(made)
        await made.close()

"""Look names up for completion: in the bridge's helper thread, for a moment, and no longer.

A kernel completes on its own loop, which must not stand still. So each look-up
runs on the helper thread's loop, with a client of its own, and its asker waits
for a fraction of a second at most. What comes later is kept for a while: the
next Tab has it at once. What fails fails without a word.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import sys
import time
from collections import OrderedDict
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

from s3magic.notebook import ahead

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Hashable
    from concurrent.futures import Future

    from s3magic.connection import Connection
    from s3magic.notebook.bridge import Bridge

__all__ = ["Lookups", "Names"]

_FRESH = 20.0  # seconds that what a server said is taken for true
_LOCAL = 1.0  # the same for a folder, which costs little to read again
_FAILED = 3.0  # the same for a failure
_LONGEST = 10.0  # seconds after which a look-up is given up
_AT_ONCE = 4  # look-ups; a server that does not answer gets no more of them
_KEPT = 64  # answers
_MOST = 1000  # names of one answer

_Find: TypeAlias = "Callable[[], Awaitable[Names]]"


@dataclass(frozen=True, slots=True)
class Names:
    """What was found.

    Args:
        found: Each a name and what it is.
        whole: Whether that is all there is.
        lasts: Seconds for which it is true enough.
    """

    found: tuple[tuple[str, str], ...] = ()
    whole: bool = True
    lasts: float = _FRESH


class Lookups:
    """The names that were looked up, and those that are being looked up.

    Args:
        bridge: Whose helper thread does it.
    """

    def __init__(self, bridge: Bridge) -> None:
        self._bridge = bridge
        self._known: OrderedDict[Hashable, tuple[float, Names]] = OrderedDict()
        self._running: dict[Hashable, Future[None]] = {}
        self._connection: Connection | None = None
        self._world: Hashable = None
        bridge.at_close(self._close)

    def buckets(self, deadline: float) -> Names:
        """Give the names of the buckets, as far as they come in time."""
        return self._ask(("buckets",), self._list_buckets, deadline)

    def keys(self, bucket: str, prefix: str, deadline: float) -> Names:
        """Give the folders and keys of one level that begin so."""
        self._look_around()
        folder = prefix.rfind("/") + 1
        for end in range(len(prefix), folder - 1, -1):
            known = self._fresh((bucket, prefix[:end]))
            if known is not None and known.whole:
                return Names(tuple(one for one in known.found if one[0].startswith(prefix)))
        return self._ask((bucket, prefix), lambda: self._list_keys(bucket, prefix), deadline)

    def entries(self, folder: str, deadline: float) -> Names:
        """Give the names in a folder of this file system."""
        return self._ask(
            ("disk", os.path.join(os.getcwd(), folder)),  # noqa: PTH109, PTH118 - a name for it, no path
            lambda: asyncio.to_thread(_entries, folder),
            deadline,
        )

    def run(self, name: str, call: Callable[[], object], deadline: float) -> None:
        """Run something that imports, for as long as there is time; it goes on by itself."""

        async def begin() -> Names:
            await asyncio.to_thread(_importing, call)
            return Names(lasts=0.0)

        self._ask(("run", name), begin, deadline)

    def _ask(self, key: Hashable, find: _Find, deadline: float) -> Names:
        """Give what is known, or comes to be known before the deadline; else what was known."""
        self._look_around()
        known = self._fresh(key)
        if known is not None:
            return known
        under_way = self._running.get(key)
        if under_way is None and len(self._running) < _AT_ONCE:
            under_way = self._bridge.begin(lambda: self._fill(key, find))
            self._running[key] = under_way
            under_way.add_done_callback(lambda _: self._running.pop(key, None))
        if under_way is not None:
            with contextlib.suppress(Exception):  # it is late, or was given up with the bridge
                under_way.result(max(0.0, deadline - time.monotonic()))
        return self._known.get(key, (0.0, Names()))[1]

    async def _fill(self, key: Hashable, find: _Find) -> None:
        try:
            async with asyncio.timeout(_LONGEST):
                names = await find()
        except Exception:  # noqa: BLE001 - nobody asked for an error: there is nothing to complete
            names = Names(whole=False, lasts=_FAILED)
            await self._disconnect()
        self._known[key] = time.monotonic(), names
        self._known.move_to_end(key)
        while len(self._known) > _KEPT:
            self._known.popitem(last=False)

    def _fresh(self, key: Hashable) -> Names | None:
        when, names = self._known.get(key, (0.0, None))
        return names if names is not None and time.monotonic() - when < names.lasts else None

    def _look_around(self) -> None:
        """Forget everything if another connection is in force than before."""
        world = _world()
        if world != self._world:
            self._world = world
            self._known.clear()
            if self._connection is not None:
                self._bridge.begin(self._disconnect)

    async def _list_buckets(self) -> Names:
        async with (await self._connected()).using() as client:
            answer = await client.list_buckets()
        return Names(tuple((one["Name"], "bucket") for one in answer.get("Buckets", ())))

    async def _list_keys(self, bucket: str, prefix: str) -> Names:
        async with (await self._connected()).using() as client:
            page = await client.list_objects_v2(
                Bucket=bucket, Prefix=prefix, Delimiter="/", MaxKeys=_MOST
            )
        found = [(str(one["Prefix"]), "folder") for one in page.get("CommonPrefixes", ())]
        found += [(one["Key"], "object") for one in page.get("Contents", ())]
        return Names(
            tuple(sorted(one for one in found if one[0] != prefix or one[1] == "object")),
            whole=not page.get("IsTruncated", False),
        )

    async def _connected(self) -> Connection:
        """Give a connection of our own: like the one in force, which it does not touch.

        What it reads of the environment is read when it is made, and a later
        cell may change that: the verbs' own clients are made when they run.
        """
        if self._connection is None:
            await asyncio.to_thread(_importing, _modules)
            from s3magic import session
            from s3magic.connection import Connection

            if self._connection is None:  # else another look-up was as early, and was first
                self._connection = Connection(session.chosen())
        return self._connection

    async def _disconnect(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            await connection.close()

    async def _close(self) -> None:
        self._known.clear()
        await self._disconnect()


def _world() -> Hashable:
    """Give what decides where a look-up leads: the connection's options, and AWS's variables."""
    # While another thread is in the middle of importing it, nobody has chosen anything yet.
    ask = getattr(sys.modules.get("s3magic.session"), "chosen", None)
    chosen: Any = ask() if ask is not None else None
    plain = chosen is None or chosen == type(chosen)()
    variables = frozenset(item for item in os.environ.items() if item[0].startswith("AWS_"))
    return None if plain else chosen, hash(variables)


def _importing(call: Callable[[], object]) -> None:
    """Run something that imports, while nobody else does."""
    with ahead.importing():
        call()


def _modules() -> None:
    """Import what a client is made of."""
    import s3magic.session  # noqa: F401 - imported here, while nobody else imports


def _entries(folder: str) -> Names:
    """Read a folder."""
    found: list[tuple[str, str]] = []
    with os.scandir(Path(folder).expanduser()) as entries:
        for entry in entries:
            if len(found) == _MOST:
                break
            found.append((entry.name, "folder" if entry.is_dir() else "file"))
    return Names(tuple(sorted(found)), lasts=_LOCAL)

"""Reads both sides of a sync, and finds out what it has to do."""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Self

from s3magic.commands.syncing.sides import Folder, Prefix, Reading
from s3magic.commands.syncing.steps import deletions, transfers
from s3magic.errors import BadArgument, NoSuchKey
from s3magic.settings import MiB
from s3magic.transfer.comparing import Comparison, Way
from s3magic.transfer.contents import etag_checks, matches, matches_many, sum_checks
from s3magic.transfer.disk import in_thread
from s3magic.transfer.window import each, stream
from s3magic.uri import S3Uri

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from types_aiobotocore_s3 import S3Client

    from s3magic.commands.options.filters import Filters
    from s3magic.commands.syncing.sides import Side
    from s3magic.commands.syncing.steps import Step
    from s3magic.transfer.comparing import Pair
    from s3magic.transfer.progress import Meter

__all__ = ["Found", "Wish", "reconcile"]

_SMALL = 1 * MiB  # files up to here are read several at once
_TOGETHER = 32
_LANES = 16  # contents that are looked at side by side


@dataclass(frozen=True, slots=True)
class Wish:
    """What is to be synced, and how.

    Args:
        source: Where from.
        target: Where to.
        wanted: Chooses among the names, on both sides.
        delete: Whether the target is to lose what the source does not have.
        size_only: Look at nothing but sizes.
        checksum: Where sizes are the same the content decides.
        links: Whether links in a source folder are followed.

    Raises:
        BadArgument: The two sides cannot be synced.
    """

    source: Side
    target: Side
    wanted: Filters
    delete: bool = False
    size_only: bool = False
    checksum: bool = False
    links: bool = True

    def __post_init__(self) -> None:
        if isinstance(self.source, Folder) and isinstance(self.target, Folder):
            raise BadArgument(
                f"Neither {self.source} nor {self.target} is in S3.",
                hint="Write s3://bucket/folder/ for the one that is.",
            )
        if isinstance(self.target, Prefix) and self.target.holds(self.source):
            if self.source == self.target:
                raise BadArgument(f"Source and target are both {self.source}.")
            if self.delete:
                raise BadArgument(
                    "The source {1} lies in the target {2}, and would be deleted there.",
                    hint="Leave {0} out, or name another target.",
                    options=["delete", str(self.source), str(self.target)],
                )

    @property
    def way(self) -> Way:
        """Which way the bytes go."""
        if isinstance(self.source, Folder):
            return Way.UPLOAD
        return Way.DOWNLOAD if isinstance(self.target, Folder) else Way.COPY


@dataclass(slots=True)
class Found:
    """What a sync has to do.

    Args:
        transfers: What is to be brought to the target.
        deletions: What is to be deleted there.
        same: How many are the same on both sides.
        sources: How many the source has, of those that are wanted.
        dated: Files that have their object's content and not yet its time:
            path, the time they have, the time to give them, in microseconds.
    """

    transfers: list[Step]
    deletions: list[Step]
    same: int = 0
    sources: int = 0
    dated: list[tuple[str, int | None, int]] = field(default_factory=list)

    @classmethod
    def of(cls, steps: Sequence[Step]) -> Self:
        """Give what some steps have to do; they were looked at when they were planned."""
        return cls(
            [step for step in steps if step.action != "delete"],
            [step for step in steps if step.action == "delete"],
            sources=len(steps),
        )

    @property
    def steps(self) -> list[Step]:
        """All of it, in the order in which it is done."""
        return [*self.transfers, *self.deletions]


async def reconcile(client: S3Client, wish: Wish, meter: Meter) -> Found:
    """Compare the two sides wholly; nothing is changed.

    Args:
        client: Any aiobotocore client.
        wish: What is to be synced.
        meter: Told of what was looked at.

    Raises:
        NoSuchFile: There is no source folder.
        NoSuchKey: There is nothing below the source's prefix.
        S3Error: A side cannot be read to its end.
    """
    beside, both = None, False
    if isinstance(wish.source, Prefix) and isinstance(wish.target, Prefix):
        beside, both = wish.target if wish.source.holds(wish.target) else None, True
    source = Reading(wish.source, wish.wanted, links=wish.links, markers=both, beside=beside)
    target = Reading(wish.target, wish.wanted, target=True, links=False, markers=both)
    comparison = Comparison(wish.way, size_only=wish.size_only, checksum=wish.checksum)
    await _read(client, comparison, source, target, meter)
    if not source.seen and isinstance(wish.source, Prefix) and wish.source.prefix:
        raise NoSuchKey(
            f"Cannot sync {wish.source}: there is nothing below it.",
            hint=f"See what there is with %s3ls {S3Uri(wish.source.bucket)}; one object alone is "
            "brought by %s3get, and copied by %s3cp.",
        )
    settled = _Settling(client, wish, comparison)
    await settled.run()

    def found() -> Found:
        changed = [*comparison.changed, *comparison.new()]
        return Found(
            transfers(wish.way, wish.source, wish.target, changed),
            deletions(wish.source, wish.target, comparison.extra()) if wish.delete else [],
            comparison.same,
            comparison.sources,
            settled.dated,
        )

    return await asyncio.to_thread(found)


async def _read(
    client: S3Client, comparison: Comparison, source: Reading, target: Reading, meter: Meter
) -> None:
    """Read both sides to their ends, side by side by their names."""
    async with (
        contextlib.aclosing(source.portions(client)) as sources,
        contextlib.aclosing(target.portions(client)) as targets,
    ):
        ways = [
            (source, sources, comparison.take_sources),
            (target, targets, comparison.take_targets),
        ]
        while ways:
            # Whoever is behind: so both come to each name at about the same time, where they
            # have one order, and hardly anything is held meanwhile.
            reading, portions, take = way = min(ways, key=lambda one: one[0].last)
            try:
                portion = await anext(portions)
            except StopAsyncIteration:
                ways.remove(way)
                continue
            await in_thread(take, portion)
            if reading is source:
                meter.tally(len(portion))


@dataclass(slots=True)
class _Settling:
    """Finds out what is the same of that which only its content can tell.

    Args:
        client: Any aiobotocore client.
        wish: What is synced.
        comparison: Whose unsure pairs become the same, or changed.
    """

    client: S3Client
    wish: Wish
    comparison: Comparison
    dated: list[tuple[str, int | None, int]] = field(default_factory=list)

    async def run(self) -> None:
        """Look at them all."""
        unsure, self.comparison.unsure = self.comparison.unsure, []
        if not unsure:
            return
        if self.wish.way is Way.COPY:
            await each(stream(unsure), self._objects, _LANES)
            return
        small = [pair for pair in unsure if pair.source.size <= _SMALL]
        groups = [small[at : at + _TOGETHER] for at in range(0, len(small), _TOGETHER)]
        await each(stream(groups), self._files, _LANES)
        large = [pair for pair in unsure if pair.source.size > _SMALL]
        await each(stream(large), self._file, _LANES)

    async def _files(self, pairs: Sequence[Pair]) -> None:
        """Settle some small files."""
        read = [(self._path(pair), pair.source.size, etag_checks(*_etag(pair))) for pair in pairs]
        for pair, same in zip(pairs, await matches_many(read), strict=True):
            await self._settle(pair, same=same)

    async def _file(self, pair: Pair) -> None:
        """Settle a large file."""
        same = False
        with contextlib.suppress(OSError):  # whoever transfers it says why it cannot be read
            same = await matches(self._path(pair), pair.source.size, etag_checks(*_etag(pair)))
        await self._settle(pair, same=same)

    async def _settle(self, pair: Pair, *, same: bool) -> None:
        if not same and self.wish.checksum:
            with contextlib.suppress(OSError):
                checks = sum_checks(await self._head(pair, self._in_s3()), pair.source.size)
                same = await matches(self._path(pair), pair.source.size, checks)
        self._end(pair, same=same)

    async def _objects(self, pair: Pair) -> None:
        """Settle two objects, by the checksums that the server keeps."""
        one = await self._head(pair, self.wish.source)
        other = await self._head(pair, self.wish.target)
        sums = {
            name: value
            for name, value in one.items()
            if name.startswith("Checksum") and name != "ChecksumType"
        }
        alike = any(other.get(name) == value for name, value in sums.items())
        alike = alike and one.get("ChecksumType") == other.get("ChecksumType")
        self._end(pair, same=alike and one.get("ContentLength") == other.get("ContentLength"))

    async def _head(self, pair: Pair, side: Side) -> Mapping[str, object]:
        """Ask for an object's checksums; nothing where the server does not tell."""
        uri = S3Uri.parse(side.address(pair.source.name))
        try:
            return await self.client.head_object(
                Bucket=uri.bucket, Key=uri.key, ChecksumMode="ENABLED"
            )
        except Exception:  # noqa: BLE001 - what is not known is transferred, which says why not
            return {}

    def _end(self, pair: Pair, *, same: bool) -> None:
        if not same:
            self.comparison.changed.append(pair)
            return
        self.comparison.same += 1
        source, target = pair.source, pair.target
        if self.wish.way is not Way.DOWNLOAD or source.moment is None or target is None:
            return
        # Not through a link: the file that it leads to is somebody else's.
        if source.moment != target.moment and not target.stays:
            self.dated.append((self._path(pair), target.moment, source.moment))

    def _path(self, pair: Pair) -> str:
        side = self.wish.source if self.wish.way is Way.UPLOAD else self.wish.target
        return side.address(pair.source.name)

    def _in_s3(self) -> Side:
        return self.wish.target if self.wish.way is Way.UPLOAD else self.wish.source


def _etag(pair: Pair) -> tuple[str | None, int]:
    """Give the ETag of the one of the two that is an object, and its bytes."""
    other = pair.target.etag if pair.target is not None else None
    return pair.source.etag or other, pair.source.size

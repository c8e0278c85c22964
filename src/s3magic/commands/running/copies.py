"""Plans copies from S3 to S3: which object goes to which key, and which must not."""

from __future__ import annotations

import asyncio
import contextlib
import os
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from s3magic.commands.options.description import Option, Positional
from s3magic.commands.options.filters import FILTERS
from s3magic.commands.options.headers import HEADERS, SERVING
from s3magic.commands.options.kinds import TEXT
from s3magic.commands.options.shared import BG, GLOB, RECURSIVE, TRANSFERRING
from s3magic.commands.running.preview import GLANCE_THERE
from s3magic.commands.running.transferring import Ways, refuse_missing_bucket
from s3magic.commands.sources.advising import advising
from s3magic.commands.sources.longframes import beside
from s3magic.commands.sources.objects import checked, find, is_frame, is_source, listed
from s3magic.commands.sources.row_meanings import surveyed
from s3magic.commands.sources.rows import check_leaving
from s3magic.errors import AlreadyExists, BadArgument
from s3magic.transfer.attributes import look
from s3magic.transfer.plan import Copy
from s3magic.transfer.sparing import let_go
from s3magic.transfer.upload import exists
from s3magic.transfer.window import stream
from s3magic.uri import S3Uri, is_uri

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable, Mapping

    from types_aiobotocore_s3 import S3Client

    from s3magic.commands.options.filters import Filters
    from s3magic.commands.sources.objects import Found
    from s3magic.transfer.engine import Run
    from s3magic.transfer.swift import Quick

    Work = Callable[[Run, Copy, int], Awaitable[int]]
    Swiftly = Callable[[Run, Copy], Awaitable[Quick | None]]

__all__ = ["COPYING", "POSITIONALS", "Copies", "copies"]

POSITIONALS = (
    Positional("SOURCE", "s3://bucket/key, several of them, or $frame from %s3ls", many=True),
    Positional("TARGET", "s3://bucket/key, or a folder: s3://bucket/folder/"),
)
_OWN = {
    "content_type": "what it is; the source's if left out, as is all that follows",
    "metadata": "kept with the object, in place of all that the source has",
    "tag": "a tag of the object, in place of all that the source has",
}
COPYING = (
    RECURSIVE,
    GLOB,
    *FILTERS,
    Option(("--version-id",), "this version of the object", kind=TEXT),
    # Of each, the source's own is kept where it is not given; nothing is guessed.
    *(replace(option, help=_OWN.get(option.name, option.help)) for option in (*HEADERS, *SERVING)),
    # The server cuts the parts: nobody here holds one.
    *(option for option in TRANSFERRING if option.name != "part_size"),
    BG,
)


@dataclass(frozen=True, slots=True)
class Copies:
    """What is to be copied, and where to.

    Args:
        action: ``copy`` or ``move``.
        sources: ``s3://…`` addresses, `S3Uri`, or frames of a listing.
        several: Whether they are several.
        target: A key; or a folder.
        recursive: An address means everything below it.
        glob: An address's key is a pattern.
        version_id: The version of a single key.
        wanted: Chooses among them by their places.
        replaced: What the targets have in place of what the sources have.
    """

    action: str
    sources: list[object]
    several: bool
    target: S3Uri
    recursive: bool
    glob: bool
    version_id: str | None
    wanted: Filters
    replaced: Mapping[str, Any]

    @property
    def into(self) -> bool:
        """Whether the target is a folder, in which each object has its place."""
        named = self.target.key and not self.target.key.endswith("/")
        frame = is_frame(self.sources[0])
        return self.recursive or self.glob or self.several or frame or not named

    async def plan(self, client: S3Client) -> AsyncGenerator[Copy]:
        """Give the jobs.

        Where a target may be a source as well, all are found before the first
        begins: what is copied must not be found in its turn.
        """
        found = find(
            client,
            self.sources,
            recursive=self.recursive,
            glob=self.glob,
            version_id=self.version_id,
            several=self.several,
            wanted=self.wanted,
            action=self.action,
        )
        placing = _Placing(self)
        async with contextlib.aclosing(self._where_there_is_a_bucket(client, found)) as given:
            jobs = given
            if self.target.bucket in await asyncio.to_thread(_buckets, self.sources):
                every = [one async for one in given]
                await beside(len(every), placing.spare, every)
                jobs = stream(every)
            async for one in jobs:
                job = placing.job_of(one)
                if job is not None:
                    yield job
        await beside(len(placing), placing.forget)

    async def _where_there_is_a_bucket(
        self, client: S3Client, found: AsyncGenerator[Found]
    ) -> AsyncGenerator[Found]:
        """Give the same objects, if the target's bucket is there.

        Asked once, and not once for each object; some servers call a missing
        one a failure of their own.
        """
        asked = False
        async with contextlib.aclosing(found):
            async for one in found:
                if not asked:
                    action = f"{self.action} to {self.target}"
                    await refuse_missing_bucket(client, self.target, action)
                    asked = True
                yield one

    def ways(self, work: Work, quick: Swiftly | None = None) -> Ways[Copy]:
        """Give how one job is done, and how it is previewed."""

        def advised(do: Work) -> Work:
            async def doing(shared: Run, job: Copy, number: int) -> int:
                if job.size is not None:  # it was listed: nothing else can be meant
                    return await do(shared, job, number)
                with advising(recursive=self.recursive, glob=self.glob):
                    return await do(shared, job, number)

            return doing

        return Ways(advised(work), advised(_preview), quick or _never, GLANCE_THERE)


def copies(
    action: str,
    source: object,
    target: object,
    *,
    recursive: bool,
    glob: bool,
    version_id: str | None,
    wanted: Filters,
    replaced: Mapping[str, Any],
) -> Copies:
    """Sort out what is to be copied, and where to.

    Raises:
        BadArgument: It cannot be meant.
    """
    sources, several = listed(source)
    verb = {"copy": "%s3cp copies", "move": "%s3mv moves"}[action]
    for one in sources:
        if isinstance(one, os.PathLike) or (isinstance(one, str) and not is_uri(one)):
            raise BadArgument(
                f"The source {os.fspath(one)!r} is on this machine, and {verb} from S3 to S3.",
                hint="%s3put sends files to S3.",
            )
        checked(one, recursive=recursive, glob=glob)
        if action == "move":
            check_leaving(one)
    if isinstance(target, os.PathLike) or (isinstance(target, str) and not is_uri(target)):
        raise BadArgument(
            f"The target {os.fspath(target)!r} is on this machine, and {verb} from S3 to S3.",
            hint="%s3get brings objects here; an address in S3 begins with s3://.",
        )
    if not isinstance(target, str | S3Uri):
        what = "frame" if is_source(target) else type(target).__name__
        raise BadArgument(f"The target is a {what}: write s3://bucket/key.")
    uri = target if isinstance(target, S3Uri) else S3Uri.parse(target)
    return Copies(action, sources, several, uri, recursive, glob, version_id, wanted, replaced)


@dataclass(slots=True)
class _Placing:
    """Gives each object its target. Pure, but for the targets that it notes.

    Args:
        asked: What is to be done.
        sources: The objects that targets must not overwrite.
    """

    asked: Copies
    sources: set[S3Uri] = field(default_factory=set)
    _taken: dict[S3Uri, S3Uri] = field(default_factory=dict)

    def spare(self, every: Iterable[Found]) -> None:
        """Note that none of these is to be overwritten."""
        for one in every:
            if one.refused is None:
                self.sources.add(one.uri)

    def job_of(self, found: Found) -> Copy | None:
        """Give an object's copy; None for a folder's own marker that has no name at its target."""
        asked = self.asked
        job = Copy(
            found.uri,
            asked.target,
            found.size,
            found.version_id,
            found.etag,
            found.storage_class,
            asked.replaced,
            found.refused,
        )
        if job.refused is not None:
            return job
        if asked.into:
            target = asked.target.join(found.place) if asked.target.key or found.place else None
            if target is None:
                return None
            job = replace(job, target=target)
        reason = self._clash(job)
        if not reason:
            return job
        return replace(
            job, refused=BadArgument(f"Cannot {asked.action} {job.uri} to {job.target}: {reason}")
        )

    def __len__(self) -> int:
        return len(self._taken)

    def forget(self) -> None:
        """Forget the targets one by one: many that are dropped at once hold the interpreter."""
        let_go(self._taken)
        let_go(self.sources)

    def _clash(self, job: Copy) -> str:
        """Note a job's target; returns why it cannot be, or nothing."""
        if job.uri == job.target:
            if self.asked.action == "move":
                return "that is where it is."
            if not job.replaced and job.version_id is None:
                return "that is the same object, and nothing of it is to be replaced."
        elif job.target in self.sources:
            return "that is a source too, and would be overwritten."
        other = self._taken.setdefault(job.target, job.uri)
        return "" if other is job.uri else f"{other} goes there."


def _buckets(sources: list[object]) -> set[str]:
    """Name the buckets of some sources."""
    named: set[str] = set()
    for source in sources:
        if isinstance(source, S3Uri):
            named.add(source.bucket)
        elif isinstance(source, str):
            named.add(S3Uri.parse(source).bucket)
        elif is_frame(source):
            named.update(surveyed(source))
    return named


async def _preview(shared: Run, job: Copy, number: int) -> int:
    """Find out what would become of a job, as `copy` would: its bytes, or an error."""
    size = job.size
    if size is None:
        size = (await look(shared.client, job.uri, job.version_id, job.action)).size
        shared.meter.learn(number, size)
    if shared.no_clobber and await exists(shared.client, job.target):
        raise AlreadyExists(f"{job.target} is there already, and was left as it is.")
    shared.meter.advance(number, size, moved=False)
    return size


async def _never(shared: Run, job: Copy) -> None:
    """Give no quick way."""

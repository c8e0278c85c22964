"""The steps of a sync: what a comparison makes them, and the frame that they are to a reader. Pure.

The frame can be edited, kept, and read again: it holds all that running it takes.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, TypeAlias, get_args

from s3magic.commands.options.filters import excluding
from s3magic.commands.sources.longframes import in_parts
from s3magic.commands.syncing.sides import Folder
from s3magic.errors import BadArgument, S3Error, UnsafeKey
from s3magic.transfer.plan import Targets
from s3magic.transfer.sparing import grown
from s3magic.uri import is_uri, local_path
from s3magic.wording import count

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from pandas import DataFrame

    from s3magic.commands.syncing.sides import Side
    from s3magic.transfer.comparing import Entry, Pair, Way

__all__ = ["Action", "Step", "deletions", "frame", "read", "transfers"]

Action: TypeAlias = Literal["upload", "download", "copy", "delete"]

_KEY_BYTES = 1024  # S3 User Guide, "Naming Amazon S3 objects"
_NEEDED = ("Action", "Source", "Target", "Size", "Name")
# Whether source and target of each action are in S3; of a deletion the source is not looked at.
_PLACES = {"upload": (False, True), "download": (True, False), "copy": (True, True)}


@dataclass(frozen=True, slots=True)
class Step:
    """One thing that a sync does.

    Args:
        action: What it does.
        source: Where the bytes come from; of a deletion, where they are no more.
        target: What is written, or deleted.
        size: Bytes that move, or go.
        reason: Why: as `s3magic.transfer.comparing.Pair` says, or ``extra``.
        name: The name below the two folders.
        moment: When the source was changed, or what is deleted: microseconds
            since 1970, in UTC.
        etag: The source's, or of what is deleted, where it is an object.
        storage_class: The source's.
        refused: Why it cannot be done.
    """

    action: Action
    source: str
    target: str
    size: int
    reason: str
    name: str
    moment: int | None = None
    etag: str | None = None
    storage_class: str | None = None
    refused: S3Error | None = None

    @property
    def root(self) -> str:
        """The folder of this machine that the target must stay in."""
        head = self.target[: len(self.target) - len(self.name)]
        return head.rstrip("/" + os.sep) or (os.sep if head else os.curdir)


def transfers(way: Way, source: Side, target: Side, pairs: Iterable[Pair]) -> list[Step]:
    """Give the steps that bring a target what it lacks, in the order of their names."""
    promised = Targets()
    steps: list[Step] = []
    for pair in sorted(pairs, key=lambda one: one.source.name):
        grown(len(steps))
        entry = pair.source
        goes = target.address(entry.name)
        refused = entry.refused or _refused(entry, target, goes, promised)
        steps.append(
            Step(
                way.value,
                source.address(entry.name),
                goes,
                entry.size,
                pair.reason,
                entry.name,
                entry.moment,
                entry.etag,
                entry.storage_class,
                refused,
            )
        )
    promised.forget()
    return steps


def deletions(source: Side, target: Side, entries: Iterable[Entry]) -> list[Step]:
    """Give the steps that delete what the target alone has, in the order of their names."""
    return [
        Step(
            "delete",
            source.address(entry.name),
            target.address(entry.name),
            entry.size,
            "extra",
            entry.name,
            entry.moment,
            entry.etag,
        )
        for entry in sorted(entries, key=lambda one: one.name)
    ]


def frame(steps: Sequence[Step]) -> DataFrame:
    """Make the frame of some steps; blocks while pandas is imported.

    Returns:
        ``Action`` (string: upload, download, copy, delete), ``Source``,
        ``Target`` (string), ``Size`` (int64, bytes), ``Reason`` (string),
        ``Name`` (string, below the two folders), ``LastModified`` (datetime64,
        UTC), ``ETag`` and ``StorageClass`` (string) of the source, or of what
        is deleted.
    """
    import pandas as pd

    def texts(values: Iterable[str | None]) -> Any:
        return pd.array(list(values), dtype="string")

    def part(steps: Sequence[Step]) -> DataFrame:
        reasons = [
            step.reason if step.refused is None else f"refused: {step.refused.message}"
            for step in steps
        ]
        return pd.DataFrame(
            {
                "Action": texts(step.action for step in steps),
                "Source": texts(step.source for step in steps),
                "Target": texts(step.target for step in steps),
                "Size": pd.array([step.size for step in steps], dtype="int64"),
                "Reason": texts(reasons),
                "Name": texts(step.name for step in steps),
                "LastModified": pd.DatetimeIndex(
                    pd.array([step.moment for step in steps], dtype="Int64").astype(
                        "datetime64[us]"
                    ),
                    tz="UTC",
                ),
                "ETag": texts(step.etag for step in steps),
                "StorageClass": texts(step.storage_class for step in steps),
            }
        )

    return in_parts(steps, part)


def read(plan: Any) -> list[Step]:
    """Read the steps of a plan's frame: some rows of one, or of several.

    Raises:
        BadArgument: It is no plan, or a row of it cannot be meant.
    """
    missing = [name for name in _NEEDED if name not in getattr(plan, "columns", ())]
    if missing:
        raise BadArgument(
            f"That is no plan: it has no column{'s' * (len(missing) > 1)} {', '.join(missing)}.",
            hint="Take one that %s3sync --dry-run gave; filtered and sorted is fine.",
        )
    return list(_read(plan))


def _read(plan: Any) -> Iterator[Step]:
    columns = {name: plan[name].tolist() for name in _NEEDED}
    columns["Reason"] = _texts(plan, "Reason")
    columns["ETag"] = _texts(plan, "ETag")
    columns["StorageClass"] = _texts(plan, "StorageClass")
    moments = _moments(plan)
    targets: set[str] = set()
    for at, row in enumerate(zip(*columns.values(), strict=True)):
        action, source, target, size, name, reason, etag, kind = row
        places = (is_uri(source), is_uri(target))
        texts = all(isinstance(value, str) and value for value in (action, source, target, name))
        if not texts or action not in get_args(Action) or _PLACES.get(action, places) != places:
            raise BadArgument(
                f"Row {at} of the plan cannot be meant: {action} from {source!s} to {target!s}.",
                hint="Drop rows or filter them, but leave what is in them as it is.",
            )
        here = name if places[1] else name.replace("/", os.sep)
        whole = isinstance(size, int) and not isinstance(size, bool) and size >= 0
        if not target.endswith(here) or not whole or target in targets:
            wrong = "goes where another does" if target in targets else "does not fit together"
            raise BadArgument(
                f"Row {at} of the plan {wrong}: {name!r}, {size} bytes, to {target!r}.",
                hint="Drop rows or filter them, but leave what is in them as it is.",
            )
        targets.add(target)
        yield Step(action, source, target, size, reason or "", name, moments[at], etag, kind)


def _texts(plan: Any, name: str) -> list[str | None]:
    """Give a column of texts, nothing where there is none."""
    if name not in plan.columns:
        return [None] * len(plan)
    return [value if isinstance(value, str) else None for value in plan[name].tolist()]


def _moments(plan: Any) -> list[int | None]:
    """Give the column of times as microseconds since 1970."""
    if "LastModified" not in plan.columns:
        return [None] * len(plan)
    import pandas as pd

    try:
        times = pd.to_datetime(plan["LastModified"], utc=True).astype("datetime64[us, UTC]")
    except (ValueError, TypeError) as error:
        raise BadArgument("The plan's column LastModified holds no times.") from error
    known = times.notna().tolist()
    return [
        number if there else None
        for number, there in zip(times.astype("int64").tolist(), known, strict=True)
    ]


def _refused(entry: Entry, target: Side, goes: str, promised: Targets) -> S3Error | None:
    """Say why a name cannot be there."""
    if isinstance(target, Folder):
        try:
            local_path(entry.name)
        except UnsafeKey as error:
            return UnsafeKey(error.message, hint=f"Leave it out: --exclude {excluding(entry.name)}")
        if clash := promised.clash(goes, entry.name):
            return UnsafeKey(f"Cannot write {goes!r}: {clash}.")
        return None
    size = len(target.prefix.encode()) + len(entry.name.encode())
    if size > _KEY_BYTES:
        return BadArgument(
            f"The key for {entry.name!r} would have {count(size, 'byte')}, "
            f"and S3 takes {_KEY_BYTES:,}."
        )
    return None

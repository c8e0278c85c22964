"""The record of a deletion: what was to go, what became of it, and the frame of that."""

from __future__ import annotations

from typing import TYPE_CHECKING

from s3magic.commands.running.report import Ending
from s3magic.commands.sources.longframes import in_parts
from s3magic.transfer.outcomes import Name
from s3magic.transfer.sparing import grown, let_go

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from pandas import DataFrame

    from s3magic.commands.sources.objects import Found
    from s3magic.errors import S3Error
    from s3magic.model import Status
    from s3magic.transfer.outcomes import Outcome

__all__ = ["Record"]

_UNSURE = "It may be deleted all the same: no answer came."
_UNANSWERED = "It was asked for, and no answer came: it may be deleted."


class Record:
    """What was to be deleted, in its order; what nothing is told of counts as cancelled.

    Args:
        noun: What is deleted: ``object``, or ``version``, which is an object
            all the same where none of them has a version.
        did: What then became of it.
    """

    def __init__(self, noun: str, did: str = "deleted") -> None:
        self._noun = noun
        self._versioned = False
        self._did = did
        self.names: list[Name] = []
        self._etags: list[str | None] = []
        self.errors: dict[int, S3Error] = {}
        self.done = 0
        self._statuses: list[Status] = []
        self._notes: dict[int, str] = {}
        self._markers: dict[int, str] = {}
        self._rest: tuple[Status, str] | None = None

    @property
    def noun(self) -> str:
        """What they are called, by what is known of them by now."""
        plain = self._noun == "version" and self.names and not self._versioned
        return "object" if plain else self._noun

    def add(self, found: Found) -> Name:
        """Keep one that is to go; gives it with its number."""
        uri, number = found.uri, len(self.names)
        etag = found.etag if found.pinned else ""
        name = Name(uri.bucket, uri.key, found.version_id, found.size, number, etag)
        self.names.append(name)
        self._versioned = self._versioned or found.version_id not in {None, "null"}
        self._etags.append(found.etag or None)
        self._statuses.append("cancelled")
        grown(len(self.names))
        return name

    def told(self, outcomes: Iterable[Outcome]) -> tuple[int, int]:
        """Keep what became of some; gives how many are gone, and how many failed."""
        gone = failed = 0
        for outcome in outcomes:
            number = outcome.name.number
            if outcome.error is None:
                gone += 1
                self._statuses[number] = "done"
                if outcome.marker:
                    self._markers[number] = outcome.marker
                continue
            failed += 1
            self._statuses[number] = "failed"
            self.errors[number] = outcome.error
            self._notes[number] = f"{outcome.error} {_UNSURE if outcome.unsure else ''}".rstrip()
        self.done += gone
        return gone, failed

    def unanswered(self, names: Iterable[Name]) -> None:
        """Keep of some that nobody knows whether they are gone."""
        for name in names:
            self._notes[name.number] = _UNANSWERED

    def planned(self) -> None:
        """Say of all that they would be deleted."""
        self._statuses = ["planned"] * len(self.names)

    def rest(self, error: S3Error | None = None) -> None:
        """Keep that there was more, which nobody has seen."""
        self._rest = ("failed", str(error)) if error else ("cancelled", "")
        if error is not None:
            self.errors[len(self.names)] = error

    @property
    def size(self) -> int:
        """Bytes of all together, as far as they are known."""
        return sum(name.size or 0 for name in self.names)

    @property
    def ending(self) -> Ending:
        """How it ended, in figures."""
        return Ending(
            self.noun,
            total=len(self.names) + (self._rest is not None),
            done=self.done,
            cancelled=self._statuses.count("cancelled") + (self._rest == ("cancelled", "")),
            failures=[self.errors[number] for number in sorted(self.errors)],
            did=self._did,
        )

    def used_up(self) -> tuple[DataFrame, Ending]:
        """Give the report, and how it ended, when nothing follows: the names are let go."""
        report, ending = self.frame(), self.ending
        let_go(self.names)
        return report, ending

    def frame(self) -> DataFrame:
        """Make the report's frame; blocks while pandas is imported.

        Returns:
            ``Bucket`` (category), ``Key`` and ``VersionId`` (string), ``Size``
            (Int64, bytes) and ``ETag`` (string), both missing where nobody
            told, ``Status`` (string: done, failed, cancelled or planned),
            ``Error`` (string, empty where there was none), ``DeleteMarker``
            (string: the version of the marker that hides the object now, where
            the bucket keeps versions). What was never listed is one row
            without a key.
        """
        import pandas as pd

        names, statuses, etags = self.names, list(self._statuses), list(self._etags)
        notes = [self._notes.get(number, "") for number in range(len(names))]
        if self._rest is not None:
            names = [*names, Name("", "", number=len(names))]
            statuses.append(self._rest[0])
            etags.append(None)
            notes.append(f"More was to be deleted, and was not listed. {self._rest[1]}".rstrip())
        buckets = sorted({name.bucket for name in names if name.bucket})

        def part(numbers: Sequence[int]) -> DataFrame:
            some = [names[number] for number in numbers]
            markers = [self._markers.get(number) for number in numbers]
            return pd.DataFrame(
                {
                    "Bucket": pd.Categorical([name.bucket or None for name in some], buckets),
                    "Key": pd.array([name.key or None for name in some], dtype="string"),
                    "VersionId": pd.array([name.version_id for name in some], dtype="string"),
                    "Size": pd.array([name.size for name in some], dtype="Int64"),
                    "ETag": pd.array([etags[number] for number in numbers], dtype="string"),
                    "Status": pd.array([statuses[number] for number in numbers], dtype="string"),
                    "Error": pd.array([notes[number] for number in numbers], dtype="string"),
                    "DeleteMarker": pd.array(markers, dtype="string"),
                }
            )

        return in_parts(range(len(names)), part)

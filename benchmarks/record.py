"""A run as it is kept on disk: what was measured, where, when, and how it may be read. Pure."""

from __future__ import annotations

import dataclasses
import json
from dataclasses import dataclass, field
from typing import Any

from benchmarks.measure import Sample
from benchmarks.rounds import Result

__all__ = ["Record"]


@dataclass(slots=True)
class Record:
    """All results of one run of the benchmark.

    Args:
        date: When it began, in UTC.
        machine: One line.
        versions: Of everything that was measured.
        scale: What the sizes were divided by; 1 is the real thing.
        rounds: How often each peer was to run.
        notes: What is to be said of tasks: by ``task/variant``.
        absent: Peers that were not here, and why.
        results: What each peer's runs cost.
    """

    date: str
    machine: str
    versions: dict[str, str]
    scale: int
    rounds: int
    notes: dict[str, str] = field(default_factory=dict)
    absent: dict[str, str] = field(default_factory=dict)
    results: list[Result] = field(default_factory=list)

    def add(self, results: list[Result]) -> None:
        """Take in results; they replace those of the same task, variant and peer."""
        new = {(r.task, r.variant, r.peer) for r in results}
        kept = [r for r in self.results if (r.task, r.variant, r.peer) not in new]
        self.results = [*kept, *results]

    def after(self, earlier: Record) -> Record:
        """Give a record that goes on with an earlier one.

        Raises:
            ValueError: The two cannot stand in one table.
        """
        if (earlier.scale, earlier.machine) != (self.scale, self.machine):
            raise ValueError("The earlier run was of another scale, or on another machine.")
        began = earlier.date.partition(" to ")[0]
        return dataclasses.replace(
            self,
            date=f"{began} to {self.date}",
            notes=earlier.notes | self.notes,
            results=earlier.results,
        )

    def dumps(self) -> str:
        """Write it as JSON."""
        return json.dumps(dataclasses.asdict(self), indent=1)

    @classmethod
    def loads(cls, text: str) -> Record:
        """Read what `dumps` wrote."""
        told: dict[str, Any] = json.loads(text)
        results = [
            Result(**{**one, "samples": [Sample(**sample) for sample in one["samples"]]})
            for one in told.pop("results")
        ]
        return cls(**told, results=results)

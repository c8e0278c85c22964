"""What s3magic must reach, task by task, and whether samples reach it. Pure."""

from __future__ import annotations

import statistics
from dataclasses import dataclass
from typing import TYPE_CHECKING

from benchmarks.peers import PEERS
from benchmarks.sizes import MiB

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from benchmarks.rounds import Result

__all__ = [
    "ALIVE_MAX",
    "ALIVE_P99",
    "FRESH",
    "OURS",
    "SERVER",
    "TARGETS",
    "WARM",
    "Target",
    "Verdict",
    "judge",
    "middle",
]

OURS = "s3magic"
FRESH = "kernel"
WARM = "warm-ls"
SERVER = "server"  # whose own answer a warm listing is held against
# Between two ticks of a user's coroutine, during every task; in seconds.
ALIVE_P99 = 0.025
ALIVE_MAX = 0.100


@dataclass(frozen=True, slots=True)
class Target:
    """One figure that must be reached.

    Args:
        task: The task's name.
        measure: ``cpu`` or ``wall``, as a ratio; ``memory`` in bytes; ``frame``
            in bytes a key; ``load_ext`` in seconds; ``above`` in seconds.
        at_most: The figure.
        against: The peer that a ratio is to; empty for the best in that measure.
    """

    task: str
    measure: str
    at_most: float
    against: str = ""


TARGETS = (
    Target("get-large", "cpu", 0.8),
    Target("get-large", "wall", 1.0),
    Target("get-large", "memory", 64 * MiB),
    Target("put-large", "cpu", 1.0),
    Target("put-large", "wall", 1.0),
    Target("put-large", "memory", 128 * MiB),
    Target("get-small", "cpu", 0.5),
    Target("get-small", "wall", 0.9),
    Target("put-small", "cpu", 0.6),
    Target("put-small", "wall", 0.9),
    Target("list-100k", "cpu", 1.0, "obstore"),
    Target("list-100k", "wall", 0.9),
    Target("list-1m", "cpu", 1.0, "obstore"),
    Target("list-1m", "wall", 0.9),
    Target("list-1m", "frame", 250),
    Target("mixed-down", "wall", 0.9),
    Target("mixed-up", "wall", 0.9),
    Target("bytes", "wall", 1.0),
    Target(FRESH, "load_ext", 0.050),
    Target(FRESH, "wall", 1.0, "boto3"),
    Target(WARM, "above", 0.003, SERVER),
)


@dataclass(frozen=True, slots=True)
class Verdict:
    """A target beside what was measured.

    Args:
        target: The target.
        ours: s3magic's own figure: seconds or bytes.
        best: The figure that it is held against, if any.
        peer: Whose that is.
        value: What the target limits: a ratio, seconds or bytes.
    """

    target: Target
    ours: float
    best: float | None
    peer: str
    value: float

    @property
    def met(self) -> bool:
        """Whether the target is reached."""
        return self.value <= self.target.at_most


def middle(result: Result, measure: str) -> float | None:
    """Give the median of a measure over the rounds; of memory the most. None if unknown."""
    samples = result.samples
    if not samples or any(sample.stopped for sample in samples):
        return None
    if measure == "memory":
        return max(sample.memory for sample in samples)
    if measure == "frame":
        sizes = [s.frame_bytes / s.count for s in samples if s.frame_bytes and s.count]
        return statistics.median(sizes) if sizes else None
    name = "wall" if measure == "above" else measure
    values = [value for sample in samples if (value := getattr(sample, name)) is not None]
    return statistics.median(values) if values else None


def judge(results: Iterable[Result], targets: Sequence[Target] = TARGETS) -> list[Verdict]:
    """Hold the results of one variant against the targets; those not measured are left out."""
    by_task: dict[str, list[Result]] = {}
    for result in results:
        by_task.setdefault(result.task, []).append(result)
    verdicts = (_verdict(target, by_task.get(target.task, [])) for target in targets)
    return [verdict for verdict in verdicts if verdict is not None]


def _verdict(target: Target, results: list[Result]) -> Verdict | None:
    ours = next((middle(r, target.measure) for r in results if r.peer == OURS), None)
    if ours is None:
        return None
    if target.measure in {"memory", "frame", "load_ext"}:
        return Verdict(target, ours, None, "", ours)
    rivals = [
        (figure, result.peer)
        for result in results
        if _is_rival(result.peer, target.against)
        and (figure := middle(result, target.measure)) is not None
    ]
    if not rivals:
        return None
    best, peer = min(rivals)
    value = ours - best if target.measure == "above" else ours / best
    return Verdict(target, ours, best, peer, value)


def _is_rival(peer: str, against: str) -> bool:
    if against:
        return peer == against
    return peer != OURS and not PEERS[peer].floor

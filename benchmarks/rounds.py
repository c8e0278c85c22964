"""Run one task for all peers in alternation, and keep what each run cost."""

from __future__ import annotations

import shutil
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from benchmarks.measure import Failed, Runner, Sample, runner
from benchmarks.targets import OURS
from benchmarks.tasks import kept
from benchmarks.verify import verify

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from benchmarks.bed import Bed
    from benchmarks.jobs import Job
    from benchmarks.tasks import Work

__all__ = ["Result", "measure", "rotated", "too_slow"]

_TOO_SLOW = 4.0  # times the best, in two rounds: its place is known
_FAR_TOO_SLOW = 8.0  # times the best, in one
_PATIENCE = 60.0  # seconds that any run may take
_MOST = 1800.0


@dataclass(slots=True)
class Result:
    """What one peer's runs of one task cost.

    Args:
        task: The task's name.
        variant: ``plain``, ``tls`` or ``latency``.
        peer: The peer's name.
        samples: One a round.
        dropped: It was so slow that it did not run in every round.
        error: Why it did not do the task.
    """

    task: str
    variant: str
    peer: str
    samples: list[Sample] = field(default_factory=list)
    dropped: bool = False
    error: str = ""


def measure(  # noqa: PLR0917 - what to measure, on what
    bed: Bed, task: str, work: Work, variant: str, peers: Sequence[str], rounds: int
) -> list[Result]:
    """Run a task so many rounds; in each, every peer that is still in, in another order."""
    job = work.slow if variant == "latency" and work.slow else work.job
    results = {name: Result(task, variant, name) for name in peers}
    runners: dict[str, Runner] = {}
    try:
        for number in range(rounds):
            for name in rotated(peers, number):
                result = results[name]
                if result.dropped or result.error:
                    continue
                try:
                    if name not in runners:
                        runners[name] = _warmed(bed, name, variant, work)
                    sample = _run(bed, runners[name], job, _limit(name, results), work.original)
                    if name == OURS and sample is not None:
                        sample = _watched(bed, runners[name], job, work.original, sample)
                except Failed as error:
                    result.error = str(error)
                    print(f"    {name} failed: {error}", flush=True)
                    continue
                if sample is None:
                    result.error = "cannot do this"
                    continue
                result.samples.append(sample)
                _say(name, sample)
            for name, result in results.items():
                result.dropped = name != OURS and too_slow(result, results)
    finally:
        for one in runners.values():
            one.close()
    return list(results.values())


def rotated(names: Sequence[str], number: int) -> list[str]:
    """Give the order of one round: each begins with another peer."""
    at = number % len(names)
    return [*names[at:], *names[:at]]


def too_slow(result: Result, results: dict[str, Result]) -> bool:
    """Tell whether a peer's place is known, so that more of its runs tell nothing."""
    samples = result.samples
    if not samples:
        return False
    least, best = min(sample.wall for sample in samples), _best(results)
    return (
        samples[-1].stopped
        or least > best * _FAR_TOO_SLOW
        or (len(samples) >= 2 and least > best * _TOO_SLOW)
    )


def _best(results: dict[str, Result]) -> float:
    walls = (
        sample.wall
        for result in results.values()
        for sample in result.samples
        if not sample.stopped
    )
    return min(walls, default=_MOST)


def _limit(name: str, results: dict[str, Result]) -> float:
    if name == OURS:
        return _MOST
    return min(_MOST, max(_PATIENCE, _best(results) * _FAR_TOO_SLOW))


def _warmed(bed: Bed, name: str, variant: str, work: Work) -> Runner:
    """Start a peer, and have it do one small job of the kind."""
    made = runner(name, bed.place(variant), bed.fresh(f"scratch-{name}"))
    try:
        _run(bed, made, work.warm, _PATIENCE)
    except BaseException:
        made.close()
        raise
    return made


def _run(
    bed: Bed, one: Runner, job: Job, seconds: float, original: Path | None = None
) -> Sample | None:
    """Run a job once, into a place of its own; look whether it was done, and tidy up."""
    if job.writes:
        with kept(bed, "put") as bucket:
            job = replace(job, bucket=bucket)
            sample = one.run(job, seconds)
            if sample is not None and not sample.stopped:
                verify(job, sample, bed.client)
            return sample
    target = bed.fresh("got")
    target.mkdir()
    if job.operation.startswith("get_f"):
        job = replace(job, path=str(target / "large.bin" if "" in job.files else target))
    try:
        sample = one.run(job, seconds)
        if sample is not None and not sample.stopped:
            verify(job, sample, bed.client, original)
        return sample
    finally:
        shutil.rmtree(target, ignore_errors=True)


def _watched(bed: Bed, one: Runner, job: Job, original: Path | None, sample: Sample) -> Sample:
    """Do it once more, with a coroutine that ticks beside it: what ticking costs is not charged."""
    again = _run(bed, one, replace(job, ticks=True), _MOST, original)
    if again is None:
        return sample
    gaps = {"gap_p99": again.gap_p99, "gap_max": again.gap_max, "gap_unserved": again.gap_unserved}
    return replace(sample, **gaps)


def _say(name: str, sample: Sample) -> None:
    gap = "" if sample.gap_max is None else f"  longest gap {sample.gap_max * 1000:4.0f} ms"
    end = "  stopped" if sample.stopped else gap
    print(
        f"    {name:8} {sample.wall:8.3f} s  CPU {sample.cpu:8.3f} s"
        f"  memory {sample.memory / 2**20:7.1f} MiB{end}",
        flush=True,
    )

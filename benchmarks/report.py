"""Say what was measured: the page RESULTS.md, whose first tables the terminal shows too. Pure."""

from __future__ import annotations

import statistics
from typing import TYPE_CHECKING

from benchmarks.place import LATENCY, VARIANTS
from benchmarks.sizes import MiB
from benchmarks.targets import ALIVE_MAX, ALIVE_P99, FRESH, OURS, WARM, judge, middle
from benchmarks.tasks import TASKS

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from benchmarks.record import Record
    from benchmarks.rounds import Result
    from benchmarks.targets import Verdict

__all__ = ["TITLES", "render", "targets_table"]

TITLES = {name: task.title for name, task in TASKS.items()} | {
    FRESH: "a fresh kernel: %load_ext, and the first %s3ls of ten keys",
    WARM: "a warm %s3ls of ten keys",
}
_HEADINGS = {
    "plain": "Plain HTTP",
    "tls": "Over TLS",
    "latency": f"With {LATENCY * 1000:.0f} ms of latency a request",
}
_MEASURES = {
    "cpu": "CPU",
    "wall": "wall",
    "memory": "memory growth",
    "frame": "bytes a key in the frame",
    "load_ext": "%load_ext",
    "above": "above the server's answer",
}
_HOW = (
    "Each figure is the median over the rounds, with the least behind it; of memory the most. "
    "CPU holds all children. A library is warm and charged for the work alone, and its memory "
    "is what its peak adds; a program is charged for its whole process. "
    "[How it is measured](README.md)."
)


def render(
    record: Record,
    curves: Sequence[str] = (),
    attempts: Mapping[tuple[str, str], str] | None = None,
) -> str:
    """Write the whole page.

    Args:
        record: What was measured.
        curves: The pictures to show, by their paths beside the page.
        attempts: What was tried for a target, by its task and measure.
    """
    parts = ["# What s3magic costs, beside its peers", _opening(record)]
    for variant in VARIANTS:
        results = [one for one in record.results if one.variant == variant]
        if results:
            parts += [f"## {_HEADINGS[variant]}", targets_table(results), _alive(results)]
            parts += _tasks(results, record, variant)
    parts += _tried(record.results, attempts or {})
    if curves:
        parts += ["## How it grows", *(f"![{_name(path)}]({path})" for path in curves)]
    return "\n\n".join(part for part in parts if part) + "\n"


def _tried(results: Sequence[Result], attempts: Mapping[tuple[str, str], str]) -> list[str]:
    """Write what was tried for each target that is not met in every variant."""
    missed: dict[tuple[str, str], list[str]] = {}
    for variant in VARIANTS:
        for verdict in judge([one for one in results if one.variant == variant]):
            if not verdict.met:
                target = verdict.target
                missed.setdefault((target.task, target.measure), []).append(variant)
    parts = ["## What was tried where a target is not met"] if missed else []
    for (task, measure), variants in missed.items():
        heading = f"### {TITLES[task]}: {_MEASURES[measure]} ({', '.join(variants)})"
        parts += [heading, attempts.get((task, measure), "Nothing yet.")]
    return parts


def targets_table(results: Sequence[Result]) -> str:
    """Write the targets of one variant beside what was measured."""
    verdicts = judge(results)
    if not verdicts:
        return ""
    met = sum(verdict.met for verdict in verdicts)
    rows = [_target_row(verdict) for verdict in verdicts]
    head = ("task", "measure", "s3magic", "best peer", "s3magic ÷ best", "target", "met")
    return f"{met} of {len(verdicts)} targets met.\n\n" + _table(head, rows)


def _opening(record: Record) -> str:
    versions = ", ".join(f"{name} {version}" for name, version in record.versions.items())
    lines = [
        f"Measured {record.date} (UTC) on {record.machine}; {_rounds(record)} rounds.",
        f"Versions: {versions}.",
        _HOW,
    ]
    if record.scale != 1:
        lines.insert(0, f"**A quick try: sizes and counts divided by {record.scale}.**")
    lines += [f"{name} was not measured: {why}." for name, why in record.absent.items()]
    return "\n\n".join(lines)


def _rounds(record: Record) -> str:
    """Tell how often s3magic ran, which for the longest tasks may have been less often."""
    ran = {len(one.samples) for one in record.results if one.peer == OURS and one.samples}
    least, most = min(ran, default=record.rounds), max(ran, default=record.rounds)
    return str(most) if least == most else f"{least} to {most}"


def _target_row(verdict: Verdict) -> tuple[str, ...]:
    target = verdict.target
    name = "wall" if target.measure == "above" else target.measure
    best = "" if verdict.best is None else f"{_figure(name, verdict.best)} {verdict.peer}"
    return (
        TITLES[target.task],
        _MEASURES[target.measure],
        _figure(name, verdict.ours),
        best,
        _value(verdict),
        "≤ " + _limit(target.measure, target.at_most),
        "yes" if verdict.met else "**no**",
    )


def _value(verdict: Verdict) -> str:
    match verdict.target.measure:
        case "cpu" | "wall":
            return f"{verdict.value:.2f}"
        case "above":
            return f"+{verdict.value * 1000:.1f} ms"
        case _:
            return ""


def _limit(measure: str, value: float) -> str:
    return f"{value:.1f}" if measure in {"cpu", "wall"} else _figure(measure, value)


def _figure(measure: str, value: float) -> str:
    match measure:
        case "memory":
            return f"{value / MiB:.0f} MiB"
        case "frame":
            return f"{value:.0f} B"
        case "load_ext" | "above":
            return f"{value * 1000:.1f} ms"
        case _:
            return _seconds(value)


def _seconds(value: float) -> str:
    return f"{value * 1000:.1f} ms" if value < 0.1 else f"{value:.2f} s"


def _alive(results: Iterable[Result]) -> str:
    """Write how a user's coroutine fared while s3magic worked."""
    rows = []
    for result in results:
        gaps = [sample for sample in result.samples if sample.gap_max is not None]
        if result.peer != OURS or not gaps:
            continue
        hundredths = [sample.gap_p99 for sample in gaps if sample.gap_p99 is not None]
        p99 = statistics.median(hundredths) if hundredths else None
        worst = max(gaps, key=lambda sample: sample.gap_max or 0)
        longest, unserved = worst.gap_max or 0, worst.gap_unserved
        if unserved is not None:  # the two clocks are read one after the other
            unserved = min(unserved, longest)
        alive = (p99 or 0.0) <= ALIVE_P99 and longest <= ALIVE_MAX
        figures = tuple(
            "not kept" if gap is None else f"{gap * 1000:.1f} ms"
            for gap in (p99, longest, unserved)
        )
        yes = "yes" if p99 is not None else "the longest: yes"
        rows.append((TITLES[result.task], *figures, yes if alive else "**no**"))
    if not rows:
        return ""
    limits = f"p99 ≤ {ALIVE_P99 * 1000:.0f} ms, none over {ALIVE_MAX * 1000:.0f} ms"
    head = (
        "while s3magic does this",
        "p99 of a tick's gap",
        "longest in all rounds",
        "of it, without a core",
        "alive",
    )
    return f"The notebook stays alive: a coroutine ticks every 5 ms; {limits}.\n\n" + _table(
        head, rows
    )


def _tasks(results: Sequence[Result], record: Record, variant: str) -> list[str]:
    parts = []
    for task, title in TITLES.items():
        mine = [result for result in results if result.task == task]
        if not mine:
            continue
        notes = [record.notes.get(f"{task}/{variant}", "")]
        notes += [f"{r.peer}: {r.error}." for r in mine if r.error and r.error != "cannot do this"]
        if any(result.dropped and len(result.samples) < record.rounds for result in mine):
            notes.append("† So slow that it did not run in every round.")
        said = "\n\n".join(note for note in notes if note)
        parts += [
            f"### {title[0].upper()}{title[1:]}",
            _task_table(task, mine, record.rounds),
            said,
        ]
    return parts


def _task_table(task: str, results: Sequence[Result], rounds: int) -> str:
    ours = next((result for result in results if result.peer == OURS), None)
    done = [result for result in results if result.samples]
    rows = [_peer_row(result, ours, rounds) for result in sorted(done, key=_by_wall)]
    if task == WARM:  # its samples are medians of one kernel's clock, which knows no more
        return _table(("", "wall", "least"), [row[:3] for row in rows])
    head = ("peer", "wall", "least", "CPU", "least", "memory", "s3magic ÷ it, wall", "CPU", "runs")
    return _table(head, rows)


def _by_wall(result: Result) -> float:
    return statistics.median(sample.wall for sample in result.samples)


def _peer_row(result: Result, ours: Result | None, rounds: int) -> tuple[str, ...]:
    samples = result.samples
    name = f"**{result.peer}**" if result.peer == OURS else result.peer
    runs = f"{len(samples)} †" if result.dropped and len(samples) < rounds else str(len(samples))
    if any(sample.stopped for sample in samples):
        longest = max(sample.wall for sample in samples)
        return (name, f"> {_seconds(longest)}", "", "", "", "", "", "", runs)
    wall, cpu = middle(result, "wall") or 0.0, middle(result, "cpu") or 0.0
    return (
        name,
        _seconds(wall),
        _seconds(min(sample.wall for sample in samples)),
        _seconds(cpu),
        _seconds(min(sample.cpu for sample in samples)),
        _figure("memory", middle(result, "memory") or 0.0),
        _ratio(ours, "wall", wall),
        _ratio(ours, "cpu", cpu),
        runs,
    )


def _ratio(ours: Result | None, measure: str, figure: float) -> str:
    mine = middle(ours, measure) if ours else None
    return f"{mine / figure:.2f}" if mine and figure else ""


def _name(path: str) -> str:
    return path.rpartition("/")[2].partition(".")[0].replace("-", " ")


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(cells) + " |" for cells in lines)

"""Measure s3magic beside its peers: ``make bench``, or ``python -m benchmarks``.

Prints each run as it ends, then the targets and what was reached, and writes
the page: ``benchmarks/RESULTS.md`` after a whole run, ``build/bench/RESULTS.md``
after part of one.
"""

from __future__ import annotations

import argparse
import signal
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.attempts import attempts
from benchmarks.bed import Bed
from benchmarks.curves import measure_curves
from benchmarks.kernel import measure_kernels
from benchmarks.machine import machine, versions
from benchmarks.peers import PEERS, absent
from benchmarks.place import VARIANTS
from benchmarks.record import Record
from benchmarks.report import TITLES, render, targets_table
from benchmarks.rounds import measure
from benchmarks.sizes import Sizes
from benchmarks.targets import FRESH, OURS
from benchmarks.tasks import TASKS

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["main"]

_HERE = Path(__file__).resolve().parent
_BUILD = _HERE.parent / "build" / "bench"
_CURVES = "curves"
_ALL_TASKS = (*TASKS, FRESH, _CURVES)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the benchmark as the command line says."""
    options = _parse(arguments)
    if options.page:
        kept = Record.loads((_BUILD / "samples.json").read_text("utf-8"))
        _write(kept, _HERE if kept.scale == 1 else _BUILD)
        return 0
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # so that all is tidied up
    missing = absent()
    record = Record(
        date=f"{datetime.now(UTC):%Y-%m-%d %H:%M}",
        machine=machine(),
        versions=versions(),
        scale=options.scale,
        rounds=options.rounds,
        absent={name: why for name, why in missing.items() if name in options.peers},
    )
    adds = options.add or options.tasks == [_CURVES]  # which keep their own points
    if adds and (kept := _BUILD / "samples.json").is_file():
        record = record.after(Record.loads(kept.read_text("utf-8")))
    options.peers = [name for name in options.peers if name not in missing]
    for why in missing.values():
        print(f"Left out: {why}.")
    try:
        with Bed(Sizes.divided(options.scale)) as bed:
            _measure(bed, record, options)
    except KeyboardInterrupt:
        print("\nInterrupted; what was measured so far is kept in build/bench.")
        return 1
    finally:
        _keep(record)
    _write(record, _HERE if _whole(options) or (options.add and options.scale == 1) else _BUILD)
    return 0


def _write(record: Record, folder: Path) -> None:
    """Write the page of what was measured, and print its first tables."""
    page = folder / "RESULTS.md"
    pictures = sorted(path.relative_to(folder) for path in folder.glob("curves/*.png"))
    page.write_text(render(record, [path.as_posix() for path in pictures], attempts()), "utf-8")
    for variant in VARIANTS:
        table = targets_table([one for one in record.results if one.variant == variant])
        print(f"\n{variant}: {table}" if table else "", end="")
    print(f"\n\nAll figures: {page.relative_to(_HERE.parent)}")


def _measure(bed: Bed, record: Record, options: argparse.Namespace) -> None:
    for name in options.tasks:
        if name == _CURVES:
            folder = _HERE if options.scale == 1 else _BUILD
            measure_curves(bed, options.peers, options.scale, folder / "curves")
            continue
        print(f"\n{TITLES[name]}", flush=True)
        if name == FRESH:
            for variant in options.variants:
                print(f"  {variant}", flush=True)
                record.add(measure_kernels(bed, variant, options.rounds))
                _keep(record)
            continue
        with TASKS[name].prepare(bed) as work:
            for variant in options.variants:
                print(f"  {variant}  {work.note}", flush=True)
                slow = work.slow_note if variant == "latency" else ""
                record.notes[f"{name}/{variant}"] = f"{work.note} {slow}".strip()
                record.add(measure(bed, name, work, variant, options.peers, options.rounds))
                _keep(record)


def _keep(record: Record) -> None:
    _BUILD.mkdir(parents=True, exist_ok=True)
    (_BUILD / "samples.json").write_text(record.dumps(), "utf-8")


def _whole(options: argparse.Namespace) -> bool:
    return (
        options.scale == 1
        and set(options.tasks) == set(_ALL_TASKS)
        and set(options.variants) == set(VARIANTS)
        and set(options.peers) >= set(PEERS) - set(absent())
    )


def _parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="make bench ARGS=…", description="Measure s3magic beside its peers."
    )

    def several(name: str, known: Sequence[str], what: str) -> None:
        parser.add_argument(
            f"--{name}",
            nargs="+",
            choices=known,
            default=list(known),
            metavar="NAME",
            help=f"{what}, of {', '.join(known)} (default: all)",
        )

    several("tasks", _ALL_TASKS, "what to do")
    several("variants", VARIANTS, "over which way")
    several("peers", tuple(PEERS), "by whom")
    parser.add_argument("--rounds", type=_positive, default=5, help="runs of each (default: 5)")
    parser.add_argument(
        "--scale", type=_positive, default=1, help="divide sizes and counts, for a quick try"
    )
    parser.add_argument(
        "--add",
        action="store_true",
        help="keep what an earlier run measured of other tasks and variants, and write all of it",
    )
    parser.add_argument(
        "--page",
        action="store_true",
        help="measure nothing: write the page anew from the samples that are kept",
    )
    options = parser.parse_args(arguments)
    if OURS not in options.peers:
        options.peers.insert(0, OURS)
    return options


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"{text} is less than 1")
    return number


if __name__ == "__main__":
    sys.exit(main())

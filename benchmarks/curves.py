"""The curves of growth: time and memory against keys, small objects, and the size of one.

Straight lines in log-log, and flat memory, say that nothing grows faster than
what is moved. Each point is the median of a few runs of warm peers.
"""

from __future__ import annotations

import contextlib
import json
import shutil
import statistics
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING

from benchmarks import data
from benchmarks.jobs import Job
from benchmarks.rounds import measure
from benchmarks.sizes import SPARE, KiB, MiB
from benchmarks.targets import OURS
from benchmarks.tasks import Work, kept

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator, Sequence
    from pathlib import Path

    from benchmarks.bed import Bed
    from benchmarks.rounds import Result

__all__ = ["CURVES", "Curve", "Point", "draw", "measure_curves"]

# Those that anyone would compare with; the others' lines would only lie higher.
_PEERS = (OURS, "obstore", "s5cmd")
_ROUNDS = 3
_MARKS = {OURS: "o-", "obstore": "s--", "s5cmd": "^--"}


@dataclass(frozen=True, slots=True)
class Point:
    """One peer's cost at one size.

    Args:
        curve: The curve's name.
        size: Keys, objects or bytes.
        peer: The peer's name.
        wall: Seconds, the median.
        cpu: Seconds, the median.
        memory: Bytes, the most.
    """

    curve: str
    size: int
    peer: str
    wall: float
    cpu: float
    memory: int


@dataclass(frozen=True, slots=True)
class Curve:
    """Something that grows.

    Args:
        name: As its pictures are called.
        axis: What grows, for the axis.
        sizes: From small to large.
        prepare: Makes the works ready on a bed, one a size, one after the other.
    """

    name: str
    axis: str
    sizes: tuple[int, ...]
    prepare: Callable[[Bed, Sequence[int]], Generator[tuple[int, Work]]]


def measure_curves(bed: Bed, peers: Sequence[str], scale: int, folder: Path) -> None:
    """Measure all curves, and draw them into a folder, beside the points as JSON."""
    folder.mkdir(parents=True, exist_ok=True)
    points: list[Point] = []
    mine = [name for name in _PEERS if name in peers]
    for curve in CURVES:
        sizes = _divided(curve.sizes, scale)
        print(f"\nCurve: {curve.name}", flush=True)
        works = curve.prepare(bed, sizes)
        with contextlib.closing(works):
            for size, work in works:
                print(f"  {curve.axis}: {size:,}", flush=True)
                results = measure(bed, curve.name, work, "plain", mine, _ROUNDS)
                points += _points(size, results)
        draw(curve, points, folder)
        told = [asdict(point) for point in points]
        (folder / "points.json").write_text(json.dumps(told, indent=1), "utf-8")


def _divided(sizes: Sequence[int], scale: int) -> list[int]:
    """Leave out the largest, for a quick try."""
    return [size for size in sizes if size <= max(sizes[-1] // scale, sizes[1])]


def _points(size: int, results: Sequence[Result]) -> list[Point]:
    return [
        Point(
            one.task,
            size,
            one.peer,
            statistics.median(sample.wall for sample in one.samples),
            statistics.median(sample.cpu for sample in one.samples),
            max(sample.memory for sample in one.samples),
        )
        for one in results
        if one.samples and not any(sample.stopped for sample in one.samples)
    ]


def _keys(bed: Bed, sizes: Sequence[int]) -> Generator[tuple[int, Work]]:
    """One bucket serves all: each folder of it holds a tenth of the one above."""
    most = max(sizes)
    with kept(bed, "keys") as bucket:
        names = data.nested_keys(most)
        data.fill_keys(bed.server.filer_port, bucket, [f"keys/{name}" for name in names])
        data.fill_keys(bed.server.filer_port, bucket, [f"warm/{n}" for n in range(10)])
        for size in sizes:
            prefix = "keys/" + "0/" * (len(str(most)) - len(str(size)))
            job = Job("list_keys", bucket, prefix, count=size)
            yield size, Work(job, replace(job, key="warm/", count=10))


def _objects(bed: Bed, sizes: Sequence[int]) -> Generator[tuple[int, Work]]:
    few = data.write_tree(warm := bed.fresh("warm"), [KiB] * 4)
    for size in sizes:
        files = data.write_tree(source := bed.fresh("tree"), [4 * KiB] * size)
        with kept(bed, "objects") as bucket:
            data.upload(bed.server.plain, source, f"{bucket}/tree/")
            data.upload(bed.server.plain, warm, f"{bucket}/warm/")
            shutil.rmtree(source)
            job = Job("get_folder", bucket, "tree/", files=files)
            yield size, Work(job, replace(job, key="warm/", files=few))
    shutil.rmtree(warm)


def _bytes_down(bed: Bed, sizes: Sequence[int]) -> Generator[tuple[int, Work]]:
    data.write_file(small := bed.fresh("small"), KiB)
    for size in _fitting(bed, sizes):
        data.write_file(source := bed.fresh("large"), size)
        with kept(bed, "bytes") as bucket:
            data.upload(bed.server.plain, source, f"{bucket}/large.bin")
            data.upload(bed.server.plain, small, f"{bucket}/small.bin")
            source.unlink()
            job = Job("get_file", bucket, "large.bin", files={"": size})
            yield size, Work(job, replace(job, key="small.bin", files={"": KiB}))
    small.unlink()


def _bytes_up(bed: Bed, sizes: Sequence[int]) -> Generator[tuple[int, Work]]:
    data.write_file(small := bed.fresh("small"), KiB)
    for size in _fitting(bed, sizes):
        data.write_file(source := bed.fresh("large"), size)
        job = Job("put_file", "", "large.bin", str(source), {"": size})
        yield size, Work(job, replace(job, path=str(small), files={"": KiB}))
        source.unlink()
    small.unlink()


def _fitting(bed: Bed, sizes: Sequence[int]) -> Iterator[int]:
    """Give the sizes that fit into memory twice: at the server, and here."""
    for size in sizes:
        if 2 * size + SPARE > bed.free():
            print(f"  {size:,} bytes do not fit into memory twice: the curve ends before.")
            return
        yield size


_SIZES = tuple(MiB * 4**n for n in range(7))  # 1 MiB to 4 GiB

CURVES = (
    Curve("keys", "keys listed", (1_000, 10_000, 100_000, 1_000_000), _keys),
    Curve("objects", "objects of 4 KiB, down", (100, 500, 2_000, 10_000, 20_000), _objects),
    Curve("bytes-down", "bytes of one object, down", _SIZES, _bytes_down),
    Curve("bytes-up", "bytes of one object, up", _SIZES, _bytes_up),
)


def draw(curve: Curve, points: Sequence[Point], folder: Path) -> None:
    """Draw one curve's picture, wall time beside memory."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(10, 4), layout="constrained")
    left, right = figure.subplots(1, 2)
    for peer in _PEERS:
        mine = [point for point in points if point.curve == curve.name and point.peer == peer]
        if not mine:
            continue
        across = [point.size for point in mine]
        # The log of nothing is not drawn, and a MiB is as good as none.
        memory = [max(point.memory / MiB, 1.0) for point in mine]
        left.plot(across, [point.wall for point in mine], _MARKS[peer], label=peer)
        right.plot(across, memory, _MARKS[peer], label=peer)
    for axes, what in ((left, "seconds"), (right, "MiB of memory (a program: all of it)")):
        axes.set(xscale="log", yscale="log", xlabel=curve.axis, ylabel=what)
        axes.grid(visible=True, which="both", alpha=0.3)
    left.legend()
    figure.savefig(folder / f"{curve.name}.png", dpi=120)

"""A library's own process: warmed by one small job, then charged for the work alone.

``python -m benchmarks.worker NAME`` reads jobs from standard input and answers
on standard output, a line of JSON each; it ends when its input does. A running
event loop stands in for the notebook's; where a job asks for it a coroutine
ticks on it meanwhile, as a user's own would.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import importlib
import inspect
import json
import os
import resource
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psutil

from benchmarks.jobs import Job
from benchmarks.place import Place

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

__all__ = ["main"]

_TICK = 0.005
# Of proc(5): how long a thread ran, and waited for a core. Not every system tells.
_SCHEDULE = Path("/proc/thread-self/schedstat")
# Of proc(5), clear_refs: "reset the peak resident set size to its current value".
_RESET_PEAK = "5"


async def main(name: str) -> None:
    """Answer jobs until there are no more."""
    # What a library prints must not come between the answers.
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    first = json.loads(await asyncio.to_thread(sys.stdin.readline))
    peer = importlib.import_module(f"benchmarks.peers.{name}").Peer(Place(**first))
    print(json.dumps({"ready": True}), file=answers, flush=True)
    while line := await asyncio.to_thread(sys.stdin.readline):
        try:
            told = await _measure(peer, Job(**json.loads(line)))
        except Exception as error:  # noqa: BLE001 - told to the benchmark, which reports it
            told = {"error": f"{type(error).__name__}: {error}"}
        print(json.dumps(told), file=answers, flush=True)


async def _measure(peer: Any, job: Job) -> dict[str, Any]:
    """Do one job, and say what it cost."""
    work = getattr(peer, job.operation)
    given = _arguments(job)
    gaps: list[tuple[float, float]] = []
    gc.collect()
    Path("/proc/self/clear_refs").write_text(_RESET_PEAK)
    before = _memory("VmRSS")
    async with _ticking(gaps) if job.ticks else contextlib.nullcontext():
        children = _children_cpu()
        own = _own_cpu()
        began = time.perf_counter()
        answer = work(**given)
        if inspect.isawaitable(answer):
            answer = await answer
        wall = time.perf_counter() - began
        spent = _own_cpu() - own
        spent += _children_cpu() - children
    told = {
        "wall": wall,
        "cpu": spent,
        "memory": max(_memory("VmHWM") - before, 0) + _children_peak(),
        "count": _count(job, answer),
    }
    if job.operation == "list_keys" and hasattr(peer, "frame_bytes"):
        told["frame_bytes"] = peer.frame_bytes(answer)
    if gaps:
        gaps.sort()
        (p99, _), (longest, unserved) = gaps[int(len(gaps) * 0.99)], gaps[-1]
        told |= {"gap_p99": p99, "gap_max": longest}
        if _SCHEDULE.exists():
            told |= {"gap_unserved": unserved}
    return told


def _arguments(job: Job) -> dict[str, str]:
    match job.operation:
        case "get_file" | "put_file":
            return {"bucket": job.bucket, "key": job.key, "path": job.path}
        case "get_folder" | "put_folder":
            return {"bucket": job.bucket, "prefix": job.key, "path": job.path}
        case "list_keys":
            return {"bucket": job.bucket, "prefix": job.key}
        case _:
            return {"bucket": job.bucket, "key": job.key}


def _count(job: Job, answer: Any) -> int | None:
    """Say how much came back, where the answer is the work: keys, or bytes."""
    return len(answer) if job.operation in {"list_keys", "get_bytes"} else None


@contextlib.asynccontextmanager
async def _ticking(gaps: list[tuple[float, float]]) -> AsyncIterator[None]:
    """Tick as a user's coroutine would, and note how long each tick had to wait.

    And how long of that the loop's thread could have run, and had no core to run on.
    """

    async def tick() -> None:
        last, before = time.perf_counter(), _unserved(schedule)
        while True:
            await asyncio.sleep(_TICK)
            now, waited = time.perf_counter(), _unserved(schedule)
            gaps.append((now - last, waited - before))
            last, before = now, waited

    schedule = os.open(_SCHEDULE, os.O_RDONLY) if _SCHEDULE.exists() else None
    task = asyncio.create_task(tick())
    await asyncio.sleep(0)
    try:
        yield
    finally:
        for _ in range(3):  # a gap that lasted to the very end is one too
            await asyncio.sleep(0)
        task.cancel()
        if schedule is not None:
            os.close(schedule)


def _unserved(schedule: int | None) -> float:
    """Give the seconds that a thread has waited for a core; 0 where nobody tells."""
    if schedule is None:
        return 0.0
    return int(os.pread(schedule, 100, 0).split()[1]) / 1e9


def _own_cpu() -> float:
    """Give the CPU seconds of this process, and of its children that are gone."""
    gone = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.process_time() + gone.ru_utime + gone.ru_stime


def _children_cpu() -> float:
    """Give the CPU seconds of the children that live."""
    spent = 0.0
    for child in psutil.Process().children(recursive=True):
        with contextlib.suppress(psutil.NoSuchProcess):
            times = child.cpu_times()
            spent += times.user + times.system
    return spent


def _memory(name: str, pid: str = "self") -> int:
    """Read a size from proc(5), status, in bytes."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith(f"{name}:"):
            return int(line.split()[1]) * 1024
    return 0


def _children_peak() -> int:
    total = 0
    for child in psutil.Process().children(recursive=True):
        with contextlib.suppress(OSError):
            total += _memory("VmHWM", str(child.pid))
    return total


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))

"""Run a job by a peer, and take the sample: a warm library's worker, or a program's process."""

from __future__ import annotations

import importlib
import json
import select
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from benchmarks import charge
from benchmarks.peers import PEERS
from benchmarks.programs import clean_environment

if TYPE_CHECKING:
    from benchmarks.jobs import Job
    from benchmarks.place import Place

__all__ = ["Failed", "Library", "Program", "Runner", "Sample", "runner"]

_ROOT = Path(__file__).resolve().parent.parent
_READY_SECONDS = 60.0


class Failed(RuntimeError):
    """A peer did not do what it was asked to."""


@dataclass(frozen=True, slots=True)
class Sample:
    """What one run cost.

    Args:
        wall: Seconds on the clock.
        cpu: Seconds of CPU, with children.
        memory: Bytes: a library's peak above what it held before, all of a program.
        count: Keys or bytes that came back, for what is no transfer; else None.
        frame_bytes: What the frame of a listing holds, of s3magic's.
        gap_p99: Seconds between two ticks of the user's coroutine, of s3magic's.
        gap_max: The longest.
        gap_unserved: Seconds of the longest in which the loop's thread waited for a core.
        load_ext: Seconds of ``%load_ext``, of a fresh kernel's.
        stopped: It was stopped after so long, and did not finish.
    """

    wall: float
    cpu: float
    memory: int
    count: int | None = None
    frame_bytes: int | None = None
    gap_p99: float | None = None
    gap_max: float | None = None
    gap_unserved: float | None = None
    load_ext: float | None = None
    stopped: bool = False


class Runner(Protocol):
    """A peer, ready to run."""

    def run(self, job: Job, seconds: float) -> Sample | None:
        """Do a job in so many seconds at most; None where the peer cannot do such."""

    def close(self) -> None:
        """End what was started for it."""


def runner(name: str, place: Place, scratch: Path) -> Runner:
    """Make a peer ready: start its worker, or find its program.

    Args:
        name: A name of `benchmarks.peers.PEERS`.
        place: How it reaches the server.
        scratch: A folder of its own for what it prints.
    """
    scratch.mkdir(parents=True, exist_ok=True)
    return (Library if PEERS[name].library else Program)(name, place, scratch)


class Program:
    """A program: started for each job, charged for its whole process."""

    def __init__(self, name: str, place: Place, scratch: Path) -> None:
        self._command = importlib.import_module(f"benchmarks.peers.{name}").command
        self._name = name
        self._place = place
        self._scratch = scratch

    def run(self, job: Job, seconds: float) -> Sample | None:
        """Run it by `benchmarks.charge`, which is small, stops it in time, and dies with us."""
        words = self._command(job, self._place, self._scratch)
        if words is None:
            return None
        output = self._scratch / "output"
        process = subprocess.Popen(
            [sys.executable, "-I", "-S", charge.__file__, str(seconds), str(output), *words],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=clean_environment(self._place, str(self._scratch)),
            start_new_session=True,  # Ctrl-C is for us, who end it in order
        )
        try:
            assert process.stdout is not None
            assert process.stderr is not None
            line = process.stdout.readline()
            process.wait()
            said = process.stderr.read().decode("utf-8", "replace")
        finally:
            process.communicate()  # closes its input: what still runs is ended
        told = json.loads(line) if line else {"status": said, "stopped": False}
        if told["status"] and not told["stopped"]:
            raise Failed(f"{self._name} ended with {told['status']}: {said[-600:]}")
        count = None if told["stopped"] else _count(job, output)
        output.unlink(missing_ok=True)
        return Sample(told["wall"], told["cpu"], told["memory"], count, stopped=told["stopped"])

    def close(self) -> None:
        """End nothing: a program ends by itself."""


class Library:
    """A library: one warm worker for as long as this lives."""

    def __init__(self, name: str, place: Place, scratch: Path) -> None:
        self._name = name
        self._place = place
        self._scratch = scratch
        self._worker: subprocess.Popen[str] | None = None

    def run(self, job: Job, seconds: float) -> Sample | None:
        """Have the worker do it; a worker that takes too long is ended, and replaced next time."""
        if self._worker is None:
            self._worker = self._start()
        began = time.perf_counter()
        told = self._ask(job.as_json(), seconds)
        if told is None:
            self.close()
            return Sample(time.perf_counter() - began, 0.0, 0, stopped=True)
        if "error" in told:
            raise Failed(f"{self._name}: {told['error']}")
        return Sample(**told)

    def close(self) -> None:
        """End the worker."""
        worker, self._worker = self._worker, None
        if worker is None:
            return
        worker.kill()
        worker.communicate()

    def _start(self) -> subprocess.Popen[str]:
        environment = clean_environment(self._place, str(self._scratch))
        with (self._scratch / "log").open("w") as log:
            self._worker = subprocess.Popen(
                [sys.executable, "-m", "benchmarks.worker", self._name],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
                cwd=self._scratch,
                env=environment | {"PYTHONPATH": str(_ROOT)},
                start_new_session=True,
            )
        if self._ask(self._place.as_json(), _READY_SECONDS) is None:
            self.close()
            raise Failed(f"{self._name} does not start: {self._said()}")
        return self._worker

    def _ask(self, question: dict[str, Any], seconds: float) -> dict[str, Any] | None:
        """Send a line and wait for the answer; None if it does not come in time."""
        worker = self._worker
        assert worker is not None
        assert worker.stdin is not None
        assert worker.stdout is not None
        try:
            print(json.dumps(question), file=worker.stdin, flush=True)
        except BrokenPipeError:
            raise Failed(f"{self._name} has died: {self._said()}") from None
        ready, _, _ = select.select([worker.stdout], [], [], seconds)
        if not ready:
            return None
        line = worker.stdout.readline()
        if not line:
            raise Failed(f"{self._name} has died: {self._said()}")
        answer: dict[str, Any] = json.loads(line)
        return answer

    def _said(self) -> str:
        return (self._scratch / "log").read_text("utf-8", "replace")[-600:]


def _count(job: Job, output: Path) -> int | None:
    """Count what a program wrote to its standard output: keys as lines, or bytes."""
    if job.operation == "get_bytes":
        return output.stat().st_size
    if job.operation != "list_keys":
        return None
    with output.open("rb") as file:
        return sum(block.count(b"\n") for block in iter(lambda: file.read(1 << 20), b""))

"""Run one program, and say what it cost: wall time, CPU with all its children, peak memory.

``python -I -S charge.py SECONDS OUTPUT PROGRAM [ARGUMENT…]`` writes one line of
JSON when the program has ended, or was stopped after so many seconds, or when
standard input closed because the benchmark died.

It is a small process of its own because Linux counts into a program's peak
memory what its parent held when it started it, and the benchmark holds a lot.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
import time

__all__ = ["main"]


def main(arguments: list[str]) -> None:
    """Run the program to its end, and print what it cost."""
    seconds, output, *command = arguments
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC
    actions = [(os.POSIX_SPAWN_OPEN, 1, output, flags, 0o600)]
    began = time.perf_counter()
    pid = os.posix_spawn(command[0], command, os.environ, file_actions=actions, setpgroup=0)
    stopped = threading.Event()

    def stop() -> None:
        stopped.set()
        os.killpg(pid, signal.SIGKILL)

    timer = threading.Timer(float(seconds), stop)
    timer.daemon = True
    timer.start()
    threading.Thread(target=_stop_with_parent, args=(stop,), daemon=True).start()
    _, status, used = os.wait4(pid, 0)
    wall = time.perf_counter() - began
    timer.cancel()
    told = {
        "wall": wall,
        "cpu": used.ru_utime + used.ru_stime,
        "memory": used.ru_maxrss * 1024,
        "stopped": stopped.is_set(),
        "status": os.waitstatus_to_exitcode(status),
    }
    print(json.dumps(told), flush=True)
    os._exit(0)  # past the thread that waits for the parent


def _stop_with_parent(stop: object) -> None:
    while os.read(0, 4096):
        pass
    if callable(stop):
        stop()


if __name__ == "__main__":
    main(sys.argv[1:])

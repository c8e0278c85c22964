"""Run one program for as long as the process that started this one lives.

``python -I -S server_guard.py FOLDER LITTER PROGRAM [ARGUMENT…]`` starts the
program and waits on standard input, a pipe whose other end its parent holds.
When that end closes, because the parent said so or because it died, however
suddenly, the program is ended, and the folder removed with the program's
litter: files elsewhere, their paths joined as in ``PATH``. When the program
ends by itself, so does this one, with its status, and the folder stays to be
read.

It is a script of the standard library alone, so that it starts in a few
milliseconds and in any folder. The kernel's own device for this
(``PR_SET_PDEATHSIG``) is Linux's only, and follows the starting *thread*.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import sys
import threading

__all__ = ["main"]

_GRACE = 5.0  # seconds to end by itself, before it is killed


def main(arguments: list[str]) -> int:
    """Run the program; give its exit status, or 0 if it was ended by us."""
    folder, litter, *command = arguments
    program = subprocess.Popen(command, stdin=subprocess.DEVNULL)  # noqa: S603 - the caller's own
    released = threading.Event()
    threading.Thread(target=_end_with_parent, args=(program, released), daemon=True).start()
    status = program.wait()
    for path in filter(None, litter.split(os.pathsep)):
        with contextlib.suppress(OSError):
            os.unlink(path)  # noqa: PTH108 - pathlib would double the start-up time
    if not released.is_set():
        return status
    shutil.rmtree(folder, ignore_errors=True)
    return 0


def _end_with_parent(program: subprocess.Popen[bytes], released: threading.Event) -> None:
    while os.read(0, 4096):
        pass  # the parent has nothing to say but that it is there
    released.set()
    program.terminate()
    try:
        program.wait(_GRACE)
    except subprocess.TimeoutExpired:
        program.kill()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

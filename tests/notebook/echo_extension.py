"""An extension with coroutine magics that know nothing of S3, for the tests of awaiting."""

import asyncio
import threading

from IPython.core.magic import needs_local_scope, no_var_expand

from s3magic.notebook.awaiting import CoroutineMagics
from s3magic.notebook.bridge import on_caller

LOADED = {}


@no_var_expand
@needs_local_scope
async def echo(line, local_ns):
    """Give the line back. HELP-OF-ECHO."""
    await asyncio.sleep(0)
    return line, where()


@no_var_expand
@needs_local_scope
async def scope(line, local_ns):
    """Give the value of a variable that the caller sees."""
    await asyncio.sleep(0)
    return local_ns[line]


async def cell_echo(line, cell):
    """Give the line and the cell back."""
    await asyncio.sleep(0)
    return line, cell, where()


async def fail(line):
    """Raise ValueError."""
    await asyncio.sleep(0)
    raise ValueError(f"no {line}")


async def stall(line):
    """Wait for what never comes, as on a server that fell silent."""
    print("begun\n", end="", flush=True)  # at once: print() writes the end of the line by itself
    try:
        await asyncio.get_running_loop().create_future()
    finally:
        await asyncio.sleep(0.01)
        print("cleaned up", flush=True)


async def draw(line):
    """Tell on which thread a drawing is done."""
    loop, drawn = asyncio.get_running_loop(), asyncio.Event()
    threads = []

    def act():
        threads.append(threading.current_thread() is threading.main_thread())
        loop.call_soon_threadsafe(drawn.set)

    on_caller(act)
    await drawn.wait()
    return threads


def where():
    """Tell on which loop this runs."""
    helper = threading.current_thread() is not threading.main_thread()
    return "bridge" if helper else id(asyncio.get_running_loop())


def load_ipython_extension(shell):
    magics = LOADED[shell] = CoroutineMagics(shell)
    magics.add("echo", echo)
    magics.add("echo", cell_echo, "cell")
    magics.add("scope", scope)
    magics.add("fail", fail)
    magics.add("stall", stall)
    magics.add("draw", draw)


def unload_ipython_extension(shell):
    LOADED.pop(shell).unload()

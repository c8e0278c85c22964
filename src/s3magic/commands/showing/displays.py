"""Choose what shows a verb's progress.

Only the notebook knows what a front end can do, and it lies above this room:
it puts its chooser in with `use`. Without one, a terminal gets a bar and
anything else one closing line.
"""

from __future__ import annotations

import difflib
import sys
from typing import TYPE_CHECKING, TextIO, cast

from s3magic.errors import BadArgument
from s3magic.settings import CHOICES, Progress, defaults
from s3magic.transfer.textbar import ClosingLine, TextBar
from s3magic.transfer.watching import Display, Silent

if TYPE_CHECKING:
    from collections.abc import Callable

    from s3magic.transfer.progress import Meter

__all__ = ["PROGRESS", "Progress", "display", "lasting", "reset", "use"]

PROGRESS = CHOICES["progress"]

_chooser: Callable[[Progress], Display | None] | None = None


def display(progress: str | None = None) -> Display:
    """Give the display for one run of a verb.

    Args:
        progress: ``widget``, ``text``, ``none``, or ``auto`` for what suits
            the place; None for the default in the settings. Where there can
            be no widget, ``widget`` gives what ``auto`` does.

    Raises:
        BadArgument: It is none of these.
    """
    wanted = _checked(defaults().progress if progress is None else progress)
    if wanted == "none":
        return Silent()
    chosen = _chooser(wanted) if _chooser else None
    return chosen or _for_terminal(wanted)


def lasting(progress: str | None = None) -> Display:
    """Give the display for a verb that goes on in the background.

    Args:
        progress: As `display` takes it. In a terminal, where somebody types
            meanwhile, there is no bar, only the closing line.

    Raises:
        BadArgument: It is none of these.
    """
    wanted = _checked(defaults().progress if progress is None else progress)
    if wanted == "none":
        return Silent()
    chosen = _chooser(wanted) if _chooser else None
    return chosen or _Late()


def use(chooser: Callable[[Progress], Display | None]) -> None:
    """Let `chooser` decide from now on; where it gives None, we do."""
    global _chooser  # noqa: PLW0603 - one process, one notebook above it
    _chooser = chooser


def reset() -> None:
    """Decide by ourselves again."""
    global _chooser  # noqa: PLW0603 - one process, one notebook above it
    _chooser = None


class _Late:
    """Writes the closing line to what the terminal is when it comes.

    IPython puts another stream in its place while it waits for a line, which
    writes above what is being typed.
    """

    def draw(self, meter: Meter) -> None:
        """Draw nothing."""

    def close(self, summary: str) -> None:
        """Write the summary, if there is one."""
        if stream := next((one for one in (sys.stderr, sys.stdout) if one is not None), None):
            ClosingLine(stream).close(summary)


def _checked(wanted: str) -> Progress:
    if wanted in PROGRESS:
        return cast("Progress", wanted)
    near = difflib.get_close_matches(wanted, PROGRESS, n=1)
    raise BadArgument(
        f"{{0}} is not one of {', '.join(PROGRESS)}.",
        hint=f"Did you mean {near[0]!r}?" if near else "",
        options=[("progress", wanted)],
    )


def _for_terminal(wanted: Progress) -> Display:
    # Standard error first: there a bar does not end in `python script.py > list.csv`.
    streams = [stream for stream in (sys.stderr, sys.stdout) if stream is not None]
    if not streams:  # pythonw has neither
        return Silent()
    if terminal := next((stream for stream in streams if _is_terminal(stream)), None):
        return TextBar(terminal)
    return TextBar(streams[0]) if wanted == "text" else ClosingLine(streams[0])


def _is_terminal(stream: TextIO) -> bool:
    try:
        return stream.isatty()
    except ValueError:  # closed
        return False

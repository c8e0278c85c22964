"""Ask before what cannot be taken back.

Only the notebook knows how to ask, and it lies above this room: it puts its
asker in with `use`. Where there is none, and where nobody could answer (a
script, a runner of notebooks), a question is refused: to go on would be to
guess the answer.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from s3magic.errors import BadArgument

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

__all__ = ["ADD_YES", "confirmed", "nobody", "reset", "use"]

ADD_YES = "Add {0} to do it without being asked."
"""With the option yes at the first place; dry_run has the second."""

_OPTIONS = (("yes", True), ("dry_run", True))

_asker: Callable[[str], Awaitable[bool] | None] | None = None


async def confirmed(question: str, *, hint: str = ADD_YES) -> bool:
    """Ask a question that is answered with yes or no, while the loop goes on.

    Args:
        question: What is about to be done, with a question mark.
        hint: What to do where nobody can be asked.

    Raises:
        BadArgument: Nobody can be asked here; nothing was done.
    """
    asked = _asker(question) if _asker is not None else None
    if asked is None:
        raise nobody(question, hint)
    return await asked


def nobody(
    question: str, hint: str = ADD_YES, *, why: str = "Nobody can be asked here."
) -> BadArgument:
    """Give the error of a question that nobody can be asked."""
    return BadArgument("{2}", hint=hint, options=[*_OPTIONS, f"{question} {why}"])


def use(asker: Callable[[str], Awaitable[bool] | None]) -> None:
    """Let `asker` ask from now on; where it gives None, nobody can be asked."""
    global _asker  # noqa: PLW0603 - one process, one notebook above it
    _asker = asker


def reset() -> None:
    """Ask nobody again."""
    global _asker  # noqa: PLW0603 - one process, one notebook above it
    _asker = None

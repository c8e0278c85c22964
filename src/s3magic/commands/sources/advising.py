"""Says to whom a key is missing what else may have been meant by it."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

from s3magic.commands.sources.objects import ADD_GLOB, wild
from s3magic.errors import NoSuchKey

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["advising"]


@contextlib.contextmanager
def advising(*, recursive: bool = False, glob: bool = False) -> Iterator[None]:
    """Add to the error of a missing key that a folder, or a pattern, may have been meant.

    Args:
        recursive: Whether a folder was, or cannot be.
        glob: Whether a pattern was.
    """
    try:
        yield
    except NoSuchKey as error:
        if wild(error.message) and not glob:
            error.advise(ADD_GLOB, options=[("glob", True)])
        elif not recursive and not glob:
            error.advise(
                "Add {0} if it is a folder. {1}", options=[("recursive", True), error.hint]
            )
        raise

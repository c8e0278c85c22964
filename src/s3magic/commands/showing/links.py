"""A link to an object: the address that a `url` gives, and how a notebook shows it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

from s3magic.wording import printable

if TYPE_CHECKING:
    import datetime as dt

__all__ = ["Link"]

_CAN = {"GET": "read", "PUT": "replace", "HEAD": "look at", "DELETE": "delete"}


class Link(str):
    """A presigned address, which a notebook shows without quotes, with what it is good for.

    Args:
        url: The address.
        method: What it is for.
        expires: When it ends, in UTC.
    """

    __slots__ = ("expires", "method")

    method: str
    expires: dt.datetime

    def __new__(cls, url: str, method: str, expires: dt.datetime) -> Self:
        """Make one."""
        made = super().__new__(cls, url)
        made.method = method
        made.expires = expires
        return made

    def __reduce__(self) -> tuple[Any, ...]:
        return str, (str(self),)

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:  # noqa: ARG002, FBT001 - IPython's protocol
        if len(printer.stack) > 1:  # within a list it is a value among others
            printer.text(repr(str(self)))
            return
        printer.text(printable(self))
        printer.break_()
        printer.text(
            f"Whoever has it can {_CAN[self.method]} the object until "
            f"{self.expires:%Y-%m-%d %H:%M} UTC; it is saved with the notebook."
        )

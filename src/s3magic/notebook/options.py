"""Shows and changes the defaults in IPython's own way: ``%config S3Magic``.

Each default of `s3magic.settings` is a trait, so that ``c.S3Magic.concurrency``
in ``ipython_config.py`` sets it too. The value itself stays in the settings
alone, where `s3magic.settings.change` finds the same; so do the bounds and the
words of the help.
"""

from __future__ import annotations

import re
import sys
from dataclasses import fields
from typing import TYPE_CHECKING, Any

from traitlets import TraitError, TraitType
from traitlets.config import Configurable

from s3magic.errors import BadArgument
from s3magic.settings import CHOICES, Settings, change, defaults

if TYPE_CHECKING:
    from dataclasses import Field

    from IPython.core.interactiveshell import InteractiveShell

__all__ = ["BadDefault", "S3Magic", "install", "uninstall"]

_ARGUMENT = re.compile(r"^        (\w+): ", re.MULTILINE)
_WORDS = {"true": True, "yes": True, "false": False, "no": False}
_SIZES = ("part_size", "threshold")  # how the names of those end that are bytes
_OF_A_CLIENT = {"connect_timeout", "read_timeout"}  # it is made with them


class BadDefault(BadArgument, TraitError):
    """A value that a default cannot have; nothing was changed."""


class _Default(TraitType[Any, Any]):
    """A default: the settings hold it, and say what it can be."""

    def get(self, obj: Any, cls: type[Any] | None = None) -> Any:  # noqa: ARG002 - as traitlets has it
        return getattr(defaults(), str(self.name))

    def set(self, obj: Any, value: Any) -> None:
        name = str(self.name)
        before = getattr(defaults(), name)
        try:
            change(**{name: self._read(value)})
        except BadArgument as error:
            raise BadDefault(error.message, hint=error.hint) from None
        after = getattr(defaults(), name)
        if before != after:
            obj.noted(name, before, after)
            obj._notify_trait(name, before, after)  # noqa: SLF001 - as every trait does it

    def _read(self, value: Any) -> Any:
        """Give the value in the settings' own terms, if it can be meant as such."""
        return value

    def _converted(self, kind: str, value: Any) -> Any:
        """Read a value as the options of the magics are read."""
        from s3magic.commands.options import kinds

        reader: kinds.Kind = getattr(kinds, kind)
        try:
            return reader.convert(value)
        except (ValueError, TypeError, OverflowError):
            raise BadArgument(
                f"The default {self.name} cannot be {value!r}: it is {reader.wanted}."
            ) from None


class Whole(_Default):
    """A whole number."""

    def _read(self, value: Any) -> Any:
        return self._converted("INTEGER", value)


class Size(_Default):
    """Bytes: a number, or a text such as ``16MiB``."""

    def _read(self, value: Any) -> Any:
        return self._converted("SIZE", value)


class Seconds(_Default):
    """A number of seconds."""

    def _read(self, value: Any) -> Any:
        return self._converted("NUMBER", value)


class Switch(_Default):
    """True or False; a command line gives it as text."""

    def _read(self, value: Any) -> Any:
        return _WORDS.get(value.lower(), value) if isinstance(value, str) else value


class Choice(_Default):
    """One of a few words."""


def _trait(field: Field[Any], told: dict[str, str]) -> _Default:
    """Make a default a trait."""
    kind: type[_Default]
    if field.name in CHOICES:
        kind = Choice
    elif field.name.endswith(_SIZES):
        kind = Size
    else:
        kind = {bool: Switch, int: Whole, float: Seconds}[type(field.default)]
    return kind(field.default, help=told.get(field.name, "")).tag(config=True)


def _told() -> dict[str, str]:
    """Give the words that the settings' docstring has for each default."""
    parts = _ARGUMENT.split((Settings.__doc__ or "").partition("Args:\n")[2])
    return {name: " ".join(text.split()) for name, text in zip(parts[1::2], parts[2::2])}  # noqa: B905 - a name, its text


class S3Magic(Configurable):
    """The defaults of s3magic, as ``%config S3Magic`` shows them."""

    # The body of a class is a namespace like any: one trait for each default there is.
    locals().update({field.name: _trait(field, _told()) for field in fields(Settings)})

    def __init__(self, **options: Any) -> None:
        self._noted: dict[str, tuple[Any, Any]] = {}
        super().__init__(**options)

    def noted(self, name: str, before: Any, after: Any) -> None:
        """Remember what a default was before it was first set here, and take it up."""
        self._noted[name] = (self._noted.get(name, (before,))[0], after)
        session = sys.modules.get("s3magic.session")
        if name in _OF_A_CLIENT and session is not None:
            session.connect()  # the same connection, with clients that know of it

    def undo(self) -> None:
        """Give each default that was set here the value that it had, unless it has a newer one."""
        noted, self._noted = self._noted, {}
        now = defaults()
        change(
            **{
                name: before
                for name, (before, after) in noted.items()
                if getattr(now, name) == after
            }
        )


def install(shell: InteractiveShell) -> None:
    """Add the defaults to what a shell can configure, and take up what its config says.

    Raises:
        BadDefault: The config has a value that cannot be; nothing was changed.
    """
    configurables: list[Any] = shell.configurables
    configurables.append(S3Magic(parent=shell))


def uninstall(shell: InteractiveShell) -> None:
    """Take them away again, with what was set by them."""
    configurables: list[Any] = shell.configurables
    for one in [one for one in configurables if isinstance(one, S3Magic)]:
        configurables.remove(one)
        one.undo()

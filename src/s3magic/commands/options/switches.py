"""Holds the switches of a twin to what they are: True or False, and nothing that looks like it.

On a line a switch is there or not. In Python ``recursive="no"`` would be a yes,
so each argument that is declared as a bool is looked at before anything is done.
"""

from __future__ import annotations

import functools
import inspect
from typing import TYPE_CHECKING, Any

from s3magic.errors import BadArgument

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["strict"]


def strict(twin: Callable[..., Any]) -> Callable[..., Any]:
    """Give a twin that refuses what is no switch; numpy's bools are taken as Python's own.

    Args:
        twin: A coroutine, or a plain function.
    """
    declared = inspect.signature(twin).parameters.values()
    switches = frozenset(one.name for one in declared if one.annotation in {"bool", bool})
    if inspect.iscoroutinefunction(twin):

        @functools.wraps(twin)
        async def awaited(*args: Any, **kwargs: Any) -> Any:
            return await twin(*args, **_checked(switches, kwargs))

        return awaited

    @functools.wraps(twin)
    def called(*args: Any, **kwargs: Any) -> Any:
        return twin(*args, **_checked(switches, kwargs))

    return called


def _checked(switches: frozenset[str], kwargs: dict[str, Any]) -> dict[str, Any]:
    for name in switches.intersection(kwargs):
        value = kwargs[name]
        if isinstance(value, bool):
            continue
        # By name, since this imports no numpy; it had two names for its one class.
        kind = type(value)
        if kind.__module__ != "numpy" or kind.__name__ not in {"bool", "bool_"}:
            raise BadArgument(f"{name}={value!r} cannot be: it is a switch, True or False.")
        kwargs[name] = bool(value)
    return kwargs

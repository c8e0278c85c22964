"""Does something as soon as a module is imported, by whomever, and imports nothing itself.

pandas has no door through which a package could offer an accessor before it is
imported, and `import s3magic` must not import pandas. So a finder stands before
Python's own ones: it leaves the finding to them, and hears of the module's end.
"""

from __future__ import annotations

import contextlib
import importlib
import logging
import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["when_imported"]


def when_imported(name: str, act: Callable[[], object]) -> None:
    """Call `act` once `name` is imported; at once if it is already.

    What goes wrong in `act` is logged, and the import is what it would have
    been: nobody's ``import pandas`` may fail for us.

    Args:
        name: A top-level module.
        act: Takes nothing; is called once, in the thread that imports the module.
    """
    if name in sys.modules:
        importlib.import_module(name)  # another thread may be in the middle of it
        _safely(name, act)
    else:
        sys.meta_path.insert(0, _Doorkeeper(name, act))


class _Doorkeeper:
    """A finder that finds one module where the others do, and lets its loader tell us."""

    def __init__(self, name: str, act: Callable[[], object]) -> None:
        self._name = name
        self._act = act

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> Any:
        """Give what Python's finders find, of this one module, with a word in its loader's ear."""
        if name != self._name:
            return None
        for finder in [one for one in sys.meta_path if not isinstance(one, _Doorkeeper)]:
            spec = finder.find_spec(name, path, target)
            if spec is not None:
                # Whoever only asks whether the module is there is not told of.
                with contextlib.suppress(AttributeError):  # a loader that takes no word
                    self._tell(spec.loader)
                return spec
        return None

    def _tell(self, loader: Any) -> None:
        run = loader.exec_module

        def exec_module(module: Any) -> None:
            run(module)
            if self in sys.meta_path:  # a second import, after a first that failed, is no news
                sys.meta_path.remove(self)
                _safely(self._name, self._act)

        loader.exec_module = exec_module


def _safely(name: str, act: Callable[[], object]) -> None:
    try:
        act()
    except Exception:  # whatever a future version of the module may throw
        log = logging.getLogger("s3magic")
        log.warning("What should follow the import of %s failed.", name, exc_info=True)

"""Names the cell that runs, so that what it has shown already is not shown twice."""

from __future__ import annotations

from typing import Any

__all__ = ["cell"]


def cell() -> str | None:
    """Name the request that runs now; None where there is no kernel."""
    from IPython.core.getipython import get_ipython

    shell: Any = get_ipython()
    if shell is None or getattr(shell, "kernel", None) is None:
        return None
    return str(((shell.get_parent() or {}).get("header") or {}).get("msg_id", ""))

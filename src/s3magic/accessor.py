"""``df.s3``: what can be done with a frame of objects, behind a dot.

Each verb is the awaitable twin of its magic, with the frame as its source; the
figures are there at once. pandas is not imported here: the class is registered
when pandas is, by whomever.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from s3magic.errors import BadArgument
from s3magic.wording import count, filesize

if TYPE_CHECKING:
    from collections.abc import Coroutine

    import pandas as pd

__all__ = ["Accessor", "register"]

_SIZES = ("Size", "OldSize", "SizeBefore", "SizeAfter")
_NAMES = (("Bucket", "Key"), ("Source", "Target"))


class Accessor:
    """What ``df.s3`` is.

    It is made for any frame, since pandas asks every frame for it now and then;
    what needs a listing says so when it is called.

    Args:
        frame: The frame.

    Example:
        >>> df = await s3.ls("s3://weather/", recursive=True)
        >>> df[df.Size > 1_000_000].s3.total
        >>> await df.s3.get("./here")
    """

    def __init__(self, frame: pd.DataFrame) -> None:
        self._frame = frame

    def __repr__(self) -> str:
        if not self._names_objects:
            return "This frame names no objects of S3: it is neither a listing nor a report."
        rows = count(len(self._frame), "row")
        return f"{rows}, {filesize(self.total)}" if "Size" in self._frame.columns else rows

    @property
    def total(self) -> int:
        """The bytes of all rows together.

        Of a tree, whose folders hold each other, the bytes of the outermost.
        """
        frame = self._checked("Size")
        if "Depth" in frame.columns:
            from s3magic.commands.facts.counting import outermost

            frame = outermost(frame)
        return int(frame["Size"].sum())

    def human(self) -> pd.DataFrame:
        """Give a copy to look at: sizes as ``1.2 MB`` in place of bytes, as text.

        It is still a source: only a look at ``Size`` would tell the difference.
        """
        copy = self._checked("Size").copy()
        kinds = copy["Type"].tolist() if "Type" in copy.columns else [""] * len(copy)
        listed = "Objects" not in copy.columns  # then nobody counted what is in a folder
        for name in _SIZES:
            if name not in copy.columns:
                continue
            told = [
                ""
                if missing or (kind == "prefix" and listed and name == "Size")
                else filesize(size)
                for size, missing, kind in zip(copy[name], copy[name].isna(), kinds, strict=True)
            ]
            copy[name] = copy[name].astype("object")
            copy[name] = told
            copy[name] = copy[name].astype("string")
        return copy

    def get(self, target: Any = "", **options: Any) -> Coroutine[Any, Any, Any]:
        """Bring the objects here: ``await s3.get(df, target, …)``."""
        return self._call("get", target, **options)

    def rm(self, **options: Any) -> Coroutine[Any, Any, pd.DataFrame]:
        """Remove the objects: ``await s3.rm(df, …)``."""
        return self._call("rm", **options)

    def undo(self, **options: Any) -> Coroutine[Any, Any, pd.DataFrame]:
        """Bring back what this report of an rm says is deleted: ``await s3.undo(df, …)``."""
        return self._call("undo", **options)

    def cp(self, target: Any, **options: Any) -> Coroutine[Any, Any, pd.DataFrame]:
        """Copy the objects within S3: ``await s3.cp(df, target, …)``."""
        return self._call("cp", target, **options)

    def mv(self, target: Any, **options: Any) -> Coroutine[Any, Any, pd.DataFrame]:
        """Move the objects within S3: ``await s3.mv(df, target, …)``."""
        return self._call("mv", target, **options)

    def du(self, **options: Any) -> Coroutine[Any, Any, Any]:
        """Count objects and bytes, with no request: ``await s3.du(df, …)``."""
        return self._call("du", **options)

    def tree(self, **options: Any) -> Coroutine[Any, Any, Any]:
        """Show the folders, with no request: ``await s3.tree(df, …)``."""
        return self._call("tree", **options)

    def stat(self, **options: Any) -> Coroutine[Any, Any, pd.DataFrame]:
        """Ask for all that S3 knows of each: ``await s3.stat(df, …)``."""
        return self._call("stat", **options)

    def diff(self, other: Any, **options: Any) -> Coroutine[Any, Any, pd.DataFrame]:
        """Say what became of them since: ``await s3.diff(df, other, …)``."""
        return self._call("diff", other, **options)

    @property
    def _names_objects(self) -> bool:
        return any(set(names) <= set(self._frame.columns) for names in _NAMES)

    def _checked(self, column: str) -> pd.DataFrame:
        """Give the frame.

        Raises:
            BadArgument: It names no objects, or has no such column.
        """
        if self._names_objects and column in self._frame.columns:
            return self._frame
        lacking = f"no column {column}" if self._names_objects else "no columns Bucket and Key"
        raise BadArgument(
            f"The frame has {lacking}, so df.s3 can make nothing of it.",
            hint="Take one that %s3ls gave; filtered, sorted or read back from a file is fine.",
        )

    def _call(self, verb: str, *args: Any, **options: Any) -> Coroutine[Any, Any, Any]:
        import s3magic

        if not self._names_objects:
            self._checked("Key")
        twin = getattr(s3magic, verb)
        return twin(self._frame, *args, **options)  # type: ignore[no-any-return]


def register() -> None:
    """Give every frame its ``.s3``; pandas is imported."""
    import pandas as pd

    if getattr(pd.DataFrame, "s3", None) is None:
        pd.api.extensions.register_dataframe_accessor("s3")(Accessor)

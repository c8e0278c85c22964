"""Tells frames and columns from other sources, and refuses what cannot be meant."""

from __future__ import annotations

from typing import Any

from s3magic.commands.showing.framed import Framed
from s3magic.commands.sources.longframes import number_of
from s3magic.errors import BadArgument
from s3magic.uri import S3Uri, is_uri
from s3magic.wording import called, count

__all__ = [
    "FOLDERS",
    "check",
    "check_columns",
    "check_leaving",
    "is_column",
    "is_frame",
    "is_report",
    "is_source",
    "listed",
    "names_versions",
    "refuse_other_frames",
]

_LAZY = {"duckdb": "df", "dask": "compute"}  # how a library's frames become pandas's
FOLDERS = {"prefix": "", "level": "/"}


def is_frame(value: object) -> bool:
    """Tell whether this is a DataFrame, without importing pandas."""
    # In this order: others of its name resolve a query to tell their columns.
    return hasattr(value, "itertuples") and hasattr(value, "columns")


def is_column(value: object) -> bool:
    """Tell whether this is a Series or another array, without importing what it is of."""
    plain = isinstance(value, str | bytes | bytearray | memoryview)
    several = hasattr(value, "tolist") or hasattr(value, "to_list")
    return several and not plain and not is_frame(value)


def is_source(value: object) -> bool:
    """Tell whether this can only be meant as something in S3."""
    frame = isinstance(value, Framed) or is_frame(value) or _explored(value) is not None
    return frame or isinstance(value, S3Uri) or is_uri(value)


def listed(source: object) -> tuple[list[object], bool]:
    """Give the sources that an argument means, and whether they are several.

    A column of addresses means several, however few its filter left; an
    explorer what is selected in it.

    Raises:
        BadArgument: It is a list with nothing in it, or another library's frame.
    """
    given = list(source) if isinstance(source, list | tuple) else [source]
    if not given:
        raise BadArgument("The list of sources is empty.", hint="Name at least one.")
    sources: list[object] = []
    for one in given:
        refuse_other_frames(one)
        if is_column(one):
            named: Any = one  # most have the one method, Polars the other
            sources += named.tolist() if hasattr(one, "tolist") else named.to_list()
        elif isinstance(one, Framed):
            sources.append(one.source)
        else:
            selection = _explored(one)
            sources.append(one if selection is None else selection)
    return sources, len(sources) > 1 or any(map(is_column, given))


def _explored(value: object) -> Any:
    """Give the frame of what is selected in an explorer; None for anything else."""
    kind = type(value)
    return value.selection if hasattr(kind, "selection") and hasattr(kind, "widget") else None  # type: ignore[attr-defined]


def refuse_other_frames(value: object) -> None:
    """Refuse a frame of another library, which is not imported for it.

    Raises:
        BadArgument: It is one; the hint makes it one of pandas.
    """
    kind = type(value)
    library = kind.__module__.partition(".")[0].lstrip("_")
    if library in _LAZY and hasattr(kind, _LAZY[library]):
        way = f"df.{_LAZY[library]}()"
    elif hasattr(kind, "collect") and library in {"polars", "narwhals"}:
        way = "df.collect().to_pandas()"
    elif hasattr(kind, "to_pandas") and not is_frame(value) and not is_column(value):
        way = "df.to_pandas()"
    else:
        return
    raise BadArgument(
        f"{called(value)} of {library} cannot be read for its rows here: one of pandas can.",
        hint=f"Give {way}.",
    )


def check(frame: Any, *, recursive: bool) -> None:
    """Refuse a frame that names no objects, or folders without `recursive`.

    Raises:
        BadArgument: It does.
    """
    check_columns(frame)
    missing = [name for name in ("Bucket", "Key") if name not in frame.columns]
    if missing and is_report(frame):
        return
    if missing:
        raise BadArgument(
            f"The frame has no column{'s' * (len(missing) - 1)} {' and '.join(missing)}, "
            "so it names no objects.",
            hint="Take one that %s3ls or another magic gave; filtered and sorted is fine.",
        )
    if "UploadId" in frame.columns and bool(frame["UploadId"].notna().any()):
        raise BadArgument(
            "The rows of the frame are uploads that never ended, and no objects.",
            hint="%s3uploads --abort ends them.",
        )
    typed = "Type" in frame.columns
    if typed and number_of(frame["Type"], ["part"]):
        raise BadArgument(
            "The rows of the frame count objects with something in common, and name none.",
            hint="Take a listing: %s3ls -r. Folders are named by %s3du or %s3tree of an address, "
            "without --by, --glob and --exclude.",
        )
    folders = number_of(frame["Type"], list(FOLDERS)) if typed and not recursive else 0
    if folders:
        what = "is a folder" if folders == 1 else "are folders"
        raise BadArgument(
            f"{folders:,} of {count(len(frame), 'row')} {what}.",
            hint="Add {0} for everything in them, or filter: df[df.Type == 'object'].",
            options=[("recursive", True)],
        )


def check_columns(frame: Any) -> None:
    """Refuse a frame in which a column's name does not tell which it is.

    Raises:
        BadArgument: There are two of one name.
    """
    if not frame.columns.is_unique:
        raise BadArgument(
            "The frame has several columns of one name.",
            hint="Take one of each; pd.concat puts frames below each other without axis=1.",
        )


def check_leaving(source: Any) -> None:
    """Refuse a frame of which nobody can mean that what its rows name goes.

    That is a report some rows of which were not done, and what `stat` found out
    about objects with versions. What lies at the target of a row that was
    skipped, failed or only planned is somebody's own, and the source of such a
    row was brought nowhere.

    Raises:
        BadArgument: It is such a frame.
    """
    if not is_frame(source):
        return
    if "Versions" in source.columns and names_versions(source):
        raise BadArgument(
            "The frame says which version each object has, and just these would go, for good.",
            hint='For the objects themselves: df.drop(columns="VersionId").',
        )
    if not is_report(source):
        return
    columns = set(source.columns)
    if "Status" in columns:
        others = len(source) - number_of(source["Status"], ["done"])
        if others:
            was = "was" if others == 1 else "were"
            kinds = set(map(str, source["Status"].unique())) - {"done"}
            raise BadArgument(
                f"{others:,} of {count(len(source), 'row')} of the report {was} not done "
                f"({', '.join(sorted(kinds))}), and what they name is not of its making.",
                hint="Leave them out: df[df.Status == 'done'].",
            )
    elif {"Action", "Name"} <= columns:
        raise BadArgument(
            "That is a plan, of which nothing is done yet.", hint="%s3sync --plan $plan does it."
        )
    if "Action" in columns and number_of(source["Action"], ["delete"]):
        raise BadArgument(
            "Some rows of the report are deletions, and name nothing that is there.",
            hint="Leave them out: df[df.Action != 'delete'].",
        )


def names_versions(frame: Any) -> bool:
    """Tell whether a frame's rows mean versions, which are deleted for good."""
    return "VersionId" in frame.columns and bool(frame["VersionId"].notna().any())


def is_report(frame: Any) -> bool:
    """Tell whether a frame says what went where, and not what lies where."""
    columns = set(frame.columns)
    return {"Source", "Target"} <= columns and not {"Bucket", "Key"} <= columns

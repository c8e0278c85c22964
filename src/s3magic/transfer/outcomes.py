"""What became of each name of a deletion, as the server's answer tells it. Pure."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from s3magic.errors import NoSuchKey, ObjectChanged, ServerFault
from s3magic.translation import translate
from s3magic.uri import S3Uri

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from s3magic.errors import S3Error

__all__ = ["Name", "Outcome", "outcomes", "replaced"]

_REPLACED = {"PreconditionFailed", "412"}


@dataclass(frozen=True, slots=True)
class Name:
    """One object, or one version of it, that is to go.

    Args:
        bucket: The bucket.
        key: The key.
        version_id: The version; None for the object: where the bucket keeps
            versions, it is then hidden by a delete marker.
        size: Bytes, where known.
        number: Its place in a report.
        etag: Without quotes: it is to go only if it has this ETag still; empty
            for whatever is there.
    """

    bucket: str
    key: str
    version_id: str | None = None
    size: int | None = None
    number: int = 0
    etag: str = ""

    @property
    def named(self) -> dict[str, str]:
        """How a request names it."""
        if self.version_id is None:
            return {"Key": self.key}
        return {"Key": self.key, "VersionId": self.version_id}

    @property
    def bound(self) -> dict[str, str]:
        """How a request names it, with the condition that it is the same still."""
        return self.named | ({"ETag": f'"{self.etag}"'} if self.etag else {})


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one name.

    Args:
        name: What was to go.
        error: Why it did not; None where the server says that it is gone.
        marker: The version of the delete marker that now hides the object.
        unsure: Whether it may be gone in spite of the error: no answer came.
    """

    name: Name
    error: S3Error | None = None
    marker: str | None = None
    unsure: bool = False

    @property
    def busy(self) -> bool:
        """Whether the server was too busy for it: worth to be asked again."""
        return self.error is not None and self.error.transient and not self.unsure


class _Told(Exception):
    """An error that the server told of one name among many."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.response = {
            "Error": {"Code": code, "Message": message},
            "ResponseMetadata": {"HTTPStatusCode": 400},
        }


def outcomes(names: Sequence[Name], answer: Mapping[str, Any]) -> list[Outcome]:
    """Read an answer in the shape of DeleteObjects.

    Only what the server says is gone counts as gone; that there is no such key
    is what it says of one that was to go on a condition. Some servers do not
    repeat a version: what they say of a key is then of as many of its versions
    as they say it of.
    """
    deleted, failed = _Rows(answer.get("Deleted", ())), _Rows(answer.get("Errors", ()))
    found = []
    for name in names:
        if (told := failed.take(name)) is not None:
            found.append(_failed(name, str(told.get("Code", "")), str(told.get("Message", ""))))
        elif (told := deleted.take(name)) is not None:
            made = name.version_id is None and told.get("DeleteMarker") is True
            found.append(Outcome(name, marker=told.get("DeleteMarkerVersionId") if made else None))
        else:
            silent = ServerFault(f"Cannot {_action(name)}: the server's answer does not name it.")
            found.append(Outcome(name, silent, unsure=True))
    return found


def replaced(name: Name) -> ObjectChanged:
    """Say that something else is there than what was to go."""
    return ObjectChanged(
        f"Cannot {_action(name)}: it was replaced since it was listed.",
        hint="List it again; or, to delete whatever is there now, df.drop(columns='ETag').",
    )


def _failed(name: Name, code: str, message: str) -> Outcome:
    if name.etag and code in _REPLACED:
        return Outcome(name, replaced(name))
    error = translate(_Told(code, message), _action(name))
    return Outcome(name, None if name.etag and isinstance(error, NoSuchKey) else error)


class _Rows:
    """What an answer says, by what it says it of."""

    def __init__(self, rows: Iterable[Mapping[str, Any]]) -> None:
        self._exact: dict[tuple[str, str], list[Mapping[str, Any]]] = defaultdict(list)
        self._versions: dict[str, Mapping[str, Any]] = {}
        for row in rows:
            key, version = str(row.get("Key", "")), str(row.get("VersionId") or "")
            self._exact[key, version].append(row)
            self._versions.setdefault(key, row)

    def take(self, name: Name) -> Mapping[str, Any] | None:
        """Take what is said of a name, if anything is."""
        exact = self._exact.get((name.key, name.version_id or ""))
        rows = exact or self._exact.get((name.key, ""))
        if rows:
            return rows.pop()
        return self._versions.get(name.key) if name.version_id is None else None


def _action(name: Name) -> str:
    version = f" (version {name.version_id})" if name.version_id else ""
    return f"delete {S3Uri(name.bucket, name.key)}{version}"

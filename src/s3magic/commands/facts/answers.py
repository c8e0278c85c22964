"""What is known of a thing, line by line; and how it is asked for when some may be refused."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from s3magic.errors import AccessDenied, NotSupported, S3Error
from s3magic.translation import error_code, translate

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable, Sequence

    import pandas as pd

    from s3magic.commands.sources.objects import Found

__all__ = ["NONE", "Answer", "Fact", "answered", "frame_of", "grants", "pairs", "table_of"]

NONE = "not set"
"""The value of what could be there, and is not."""

# S3 says by these codes that nothing of the kind was set.
_ABSENT = frozenset(
    {
        "NoSuchBucketPolicy", "NoSuchCORSConfiguration", "NoSuchConfiguration",
        "NoSuchLifecycleConfiguration", "NoSuchObjectLockConfiguration",
        "NoSuchPublicAccessBlockConfiguration", "NoSuchTagSet", "NoSuchTagSetError",
        "NoSuchWebsiteConfiguration", "ObjectLockConfigurationNotFoundError",
        "OwnershipControlsNotFoundError", "ReplicationConfigurationNotFoundError",
        "ServerSideEncryptionConfigurationNotFoundError",
    }
)  # fmt: skip
_UNKNOWN_HERE = frozenset({"NotImplemented", "MethodNotAllowed", "XNotImplemented"})
# S3 User Guide, "Access control list (ACL) overview": the predefined groups.
_GROUPS = {
    "http://acs.amazonaws.com/groups/global/AllUsers": "everybody",
    "http://acs.amazonaws.com/groups/global/AuthenticatedUsers": "everybody with an AWS account",
    "http://acs.amazonaws.com/groups/s3/LogDelivery": "S3's log delivery",
}


@dataclass(frozen=True, slots=True)
class Fact:
    """One line.

    Args:
        name: What it is: in S3's own words where it has one.
        value: A number, a text, a time; None where it is not known.
        note: Why it is not known, or what to mind; empty without.
    """

    name: str
    value: object = None
    note: str = ""


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of a question.

    Args:
        data: The answer; empty without one.
        error: What was raised instead.
        absent: Whether that only said that nothing of the kind was set.
        note: The same for a reader: why nothing is known.
    """

    data: dict[str, Any] = field(default_factory=dict)
    error: S3Error | None = None
    absent: bool = False
    note: str = ""

    def fact(self, name: str, value: object, note: str = "") -> Fact:
        """Give a line of it: the value, or why there is none."""
        if self.absent:
            return Fact(name, NONE, note)
        return Fact(name, None, self.note) if self.error is not None else Fact(name, value, note)


async def answered(
    question: Callable[..., Awaitable[Any]], request: dict[str, Any], action: str, permission: str
) -> Answer:
    """Ask, and take a refusal for an answer.

    Args:
        question: The client's method.
        request: What it takes.
        action: What it does, on what.
        permission: What it needs: ``s3:GetObjectTagging``.
    """
    try:
        return Answer(await question(**request))
    except Exception as error:  # noqa: BLE001 - one line must not cost the others
        ours = translate(error, action)
        code = error_code(error)
        if code in _ABSENT:
            return Answer(error=ours, absent=True)
        if isinstance(ours, AccessDenied):
            return Answer(error=ours, note=f"not allowed: it needs {permission}")
        if isinstance(ours, NotSupported) or code in _UNKNOWN_HERE:
            return Answer(error=ours, note="this server does not know it")
        return Answer(error=ours, note=ours.message)


def pairs(kind: str, answer: Answer, tags: Iterable[dict[str, str]]) -> list[Fact]:
    """Give a line for each tag; one for all where there are none."""
    told = [Fact(f"{kind}.{tag['Key']}", tag["Value"]) for tag in tags]
    return told or [answer.fact(f"{kind}s", NONE)]


def grants(answer: Answer) -> Fact:
    """Say whom an access control list allows what."""
    told: list[str] = []
    note = ""
    owner = answer.data.get("Owner", {}).get("ID")
    for grant in answer.data.get("Grants", ()):
        grantee = grant.get("Grantee", {})
        group = _GROUPS.get(grantee.get("URI", ""))
        name = group or grantee.get("DisplayName") or grantee.get("ID") or grantee.get("URI")
        if owner and grantee.get("ID") == owner:
            name = "the owner"
        if group and group.startswith("everybody"):
            note = f"{group} has {grant.get('Permission')}"
        told.append(f"{name}: {grant.get('Permission')}")
    return answer.fact("Grants", "; ".join(told) or NONE, note)


def table_of(facts: Sequence[Fact]) -> pd.DataFrame:
    """Make the frame of one thing: ``Name``, ``Value``, ``Note``."""
    import pandas as pd

    return pd.DataFrame(
        {
            "Name": pd.array([fact.name for fact in facts], dtype="string"),
            "Value": pd.Series([fact.value for fact in facts], dtype="object"),
            "Note": pd.array([fact.note for fact in facts], dtype="string"),
        }
    )


def frame_of(rows: Sequence[tuple[Found, list[Fact] | S3Error]]) -> pd.DataFrame:
    """Make the frame of several things: a row each, their facts as columns, and ``Error``."""
    import pandas as pd

    records: list[dict[str, object]] = []
    names = dict.fromkeys(("Bucket", "Key"))
    for found, told in rows:
        record: dict[str, object] = {"Bucket": found.uri.bucket, "Key": found.uri.key}
        if isinstance(told, S3Error):
            record["Error"] = told.message
        else:
            record |= {fact.name: fact.value for fact in told}
            record["Error"] = ""
        names |= dict.fromkeys(name for name in record if name != "Error")
        records.append(record)
    frame = pd.DataFrame(records, columns=[*names, "Error"]).convert_dtypes()
    for name in ("Key", "Error"):
        frame[name] = frame[name].astype("string")
    frame["Bucket"] = frame["Bucket"].astype("string").astype("category")
    return frame

"""Asks S3 for all that it knows of one bucket, side by side, and says what to mind."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any

from s3magic.commands.facts.answers import NONE, Answer, Fact, answered, grants, pairs
from s3magic.errors import AccessDenied
from s3magic.wording import count

if TYPE_CHECKING:
    from collections.abc import Iterator

    from types_aiobotocore_s3 import S3Client

__all__ = ["facts_of_bucket"]

# What is asked: the client's method, and the permission that it needs.
_QUESTIONS = {
    "head_bucket": "s3:ListBucket",
    "get_bucket_location": "s3:GetBucketLocation",
    "get_bucket_versioning": "s3:GetBucketVersioning",
    "get_bucket_encryption": "s3:GetEncryptionConfiguration",
    "get_public_access_block": "s3:GetBucketPublicAccessBlock",
    "get_bucket_policy_status": "s3:GetBucketPolicyStatus",
    "get_bucket_policy": "s3:GetBucketPolicy",
    "get_bucket_ownership_controls": "s3:GetBucketOwnershipControls",
    "get_bucket_acl": "s3:GetBucketAcl",
    "get_object_lock_configuration": "s3:GetBucketObjectLockConfiguration",
    "get_bucket_lifecycle_configuration": "s3:GetLifecycleConfiguration",
    "get_bucket_cors": "s3:GetBucketCORS",
    "get_bucket_website": "s3:GetBucketWebsite",
    "get_bucket_logging": "s3:GetBucketLogging",
    "get_bucket_replication": "s3:GetReplicationConfiguration",
    "get_bucket_notification_configuration": "s3:GetBucketNotification",
    "get_bucket_accelerate_configuration": "s3:GetAccelerateConfiguration",
    "get_bucket_request_payment": "s3:GetBucketRequestPayment",
    "get_bucket_tagging": "s3:GetBucketTagging",
}
_BLOCKS = ("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets")


async def facts_of_bucket(client: S3Client, bucket: str) -> list[Fact]:
    """Ask for a bucket's place, versions, encryption, who may see it, and its rules.

    Args:
        client: Any aiobotocore client.
        bucket: Its name.

    Raises:
        NoSuchBucket: There is none.
        S3Error: The endpoint cannot be asked at all.
    """
    where = {"Bucket": bucket}
    answers = await asyncio.gather(
        *(
            answered(getattr(client, name), where, f"list s3://{bucket}/", permission)
            for name, permission in _QUESTIONS.items()
        )
    )
    told = dict(zip(_QUESTIONS, answers, strict=True))
    head = told["head_bucket"]
    if head.error is not None and not isinstance(head.error, AccessDenied):
        # A HEAD has no words for what is missing, and of a bucket it can only be itself.
        location = told["get_bucket_location"].error
        raise location if location is not None else head.error
    return [
        Fact("Bucket", bucket, "" if head.error is None else "listing it is not allowed"),
        _region(head, told["get_bucket_location"]),
        *_versioning(told["get_bucket_versioning"]),
        *_encryption(told["get_bucket_encryption"]),
        _public_access_block(told["get_public_access_block"]),
        *_policy(told["get_bucket_policy"], told["get_bucket_policy_status"]),
        _ownership(told["get_bucket_ownership_controls"]),
        grants(told["get_bucket_acl"]),
        _object_lock(told["get_object_lock_configuration"]),
        *_lifecycle(told["get_bucket_lifecycle_configuration"]),
        *_cors(told["get_bucket_cors"]),
        _website(told["get_bucket_website"]),
        _logging(told["get_bucket_logging"]),
        _replication(told["get_bucket_replication"]),
        _notification(told["get_bucket_notification_configuration"]),
        _plain("Acceleration", told["get_bucket_accelerate_configuration"], "Status"),
        _plain("RequestPayer", told["get_bucket_request_payment"], "Payer"),
        *pairs(
            "Tag", told["get_bucket_tagging"], told["get_bucket_tagging"].data.get("TagSet", ())
        ),
    ]


def _region(head: Answer, location: Answer) -> Fact:
    headers = head.data.get("ResponseMetadata", {}).get("HTTPHeaders", {})
    region = head.data.get("BucketRegion") or headers.get("x-amz-bucket-region")
    if region:
        return Fact("Region", region)
    # S3 API, GetBucketLocation: buckets in us-east-1 have a LocationConstraint of null.
    return location.fact("Region", location.data.get("LocationConstraint") or "us-east-1")


def _versioning(answer: Answer) -> Iterator[Fact]:
    status = answer.data.get("Status") or "off"
    notes = {
        "off": "what is overwritten or deleted is gone",
        "Suspended": "old versions stay; what is overwritten now is gone",
        "Enabled": "old versions stay, and cost: %s3du --versions",
    }
    yield answer.fact("Versioning", status, notes.get(status, ""))
    if mfa := answer.data.get("MFADelete"):
        yield Fact("MFADelete", mfa)


def _encryption(answer: Answer) -> Iterator[Fact]:
    rules = answer.data.get("ServerSideEncryptionConfiguration", {}).get("Rules", ())
    rule: dict[str, Any] = rules[0] if rules else {}
    default = rule.get("ApplyServerSideEncryptionByDefault", {})
    yield answer.fact("Encryption", default.get("SSEAlgorithm", NONE))
    if key := default.get("KMSMasterKeyID"):
        yield Fact("KMSMasterKeyID", key)
        yield Fact("BucketKeyEnabled", bool(rule.get("BucketKeyEnabled")))


def _public_access_block(answer: Answer) -> Fact:
    told = answer.data.get("PublicAccessBlockConfiguration", {})
    open_ones = [name for name in _BLOCKS if not told.get(name)]
    if answer.absent:
        note = "a policy or an ACL could make it public"
    else:
        note = f"not set: {', '.join(open_ones)}" if open_ones else ""
    value = "all" if not open_ones else "some" if len(open_ones) < len(_BLOCKS) else NONE
    return answer.fact("PublicAccessBlock", value, note)


def _policy(policy: Answer, status: Answer) -> Iterator[Fact]:
    public = status.data.get("PolicyStatus", {}).get("IsPublic")
    statements = _statements(str(policy.data.get("Policy", "")))
    open_to_all = [one for one in statements if _for_everybody(one)]
    notes = []
    if open_to_all:
        notes.append(f"{count(len(open_to_all), 'statement')} for everybody")
    if any(one.get("Effect") == "Deny" for one in statements):
        notes.append("it denies some")
    yield policy.fact("Policy", count(len(statements), "statement"), ", ".join(notes))
    if public is not None:
        yield Fact("PolicyIsPublic", bool(public), "anybody may use it" if public else "")
    elif not policy.absent:
        yield status.fact("PolicyIsPublic", None)


def _statements(policy: str) -> list[dict[str, Any]]:
    try:
        told = json.loads(policy)["Statement"]
    except (ValueError, KeyError, TypeError):
        return []
    return [one for one in (told if isinstance(told, list) else [told]) if isinstance(one, dict)]


def _for_everybody(statement: dict[str, Any]) -> bool:
    principal = statement.get("Principal")
    named = principal.get("AWS") if isinstance(principal, dict) else principal
    everybody = named == "*" or (isinstance(named, list) and "*" in named)
    return statement.get("Effect") == "Allow" and everybody and not statement.get("Condition")


def _ownership(answer: Answer) -> Fact:
    rules = answer.data.get("OwnershipControls", {}).get("Rules", ())
    owner = rules[0].get("ObjectOwnership") if rules else NONE
    return answer.fact(
        "ObjectOwnership", owner, "ACLs are off" if owner == "BucketOwnerEnforced" else ""
    )


def _object_lock(answer: Answer) -> Fact:
    told = answer.data.get("ObjectLockConfiguration", {})
    kept = told.get("Rule", {}).get("DefaultRetention", {})
    note = ""
    if kept:
        long = f"{kept['Days']} days" if kept.get("Days") else f"{kept.get('Years')} years"
        note = f"new objects are kept for {long} ({kept.get('Mode')})"
    return answer.fact("ObjectLock", told.get("ObjectLockEnabled", NONE), note)


def _lifecycle(answer: Answer) -> Iterator[Fact]:
    rules = answer.data.get("Rules", ())
    tidy = any(
        "AbortIncompleteMultipartUpload" in rule and rule.get("Status") == "Enabled"
        for rule in rules
    )
    note = "" if tidy else "unfinished uploads stay, and cost: %s3uploads"
    yield answer.fact("Lifecycle", count(len(rules), "rule") if rules else NONE, note)
    for number, rule in enumerate(rules, 1):
        off = "" if rule.get("Status") == "Enabled" else "it is off"
        yield Fact(f"Lifecycle.{rule.get('ID') or number}", _rule(rule), off)


def _rule(rule: dict[str, Any]) -> str:
    """Say what a lifecycle rule does, and to what."""
    chosen = rule.get("Filter") or {}
    prefix = rule.get("Prefix") or chosen.get("Prefix") or chosen.get("And", {}).get("Prefix")
    told = [f"to {move.get('StorageClass')} {_when(move)}" for move in rule.get("Transitions", ())]
    if expiration := rule.get("Expiration"):
        marker = expiration.get("ExpiredObjectDeleteMarker")
        told.append("removes lone delete markers" if marker else f"expires {_when(expiration)}")
    for move in rule.get("NoncurrentVersionTransitions", ()):
        days = move.get("NoncurrentDays")
        told.append(f"old versions to {move.get('StorageClass')} after {days} days")
    if old := rule.get("NoncurrentVersionExpiration"):
        told.append(f"old versions expire after {old.get('NoncurrentDays')} days")
    if abort := rule.get("AbortIncompleteMultipartUpload"):
        told.append(f"aborts uploads after {abort.get('DaysAfterInitiation')} days")
    tags = [chosen["Tag"]] if "Tag" in chosen else chosen.get("And", {}).get("Tags", [])
    what = f"{prefix}: " if prefix else ""
    what += "".join(f"[{tag['Key']}={tag['Value']}] " for tag in tags)
    return what + (", ".join(told) or "does nothing")


def _when(rule: dict[str, Any]) -> str:
    return f"on {rule['Date']:%Y-%m-%d}" if rule.get("Date") else f"after {rule.get('Days')} days"


def _cors(answer: Answer) -> Iterator[Fact]:
    rules = answer.data.get("CORSRules", ())
    yield answer.fact("CORS", count(len(rules), "rule") if rules else NONE)
    for number, rule in enumerate(rules, 1):
        methods = ", ".join(rule.get("AllowedMethods", ()))
        origins = ", ".join(rule.get("AllowedOrigins", ()))
        yield Fact(f"CORS.{rule.get('ID') or number}", f"{methods} from {origins}")


def _website(answer: Answer) -> Fact:
    index = answer.data.get("IndexDocument", {}).get("Suffix")
    elsewhere = answer.data.get("RedirectAllRequestsTo", {}).get("HostName")
    return answer.fact("Website", index or (elsewhere and f"all to {elsewhere}") or NONE)


def _logging(answer: Answer) -> Fact:
    told = answer.data.get("LoggingEnabled")
    target = f"s3://{told.get('TargetBucket')}/{told.get('TargetPrefix', '')}" if told else NONE
    return answer.fact("Logging", target)


def _replication(answer: Answer) -> Fact:
    rules = answer.data.get("ReplicationConfiguration", {}).get("Rules", ())
    targets = [str(rule.get("Destination", {}).get("Bucket", "")) for rule in rules]
    return answer.fact("Replication", ", ".join(targets) or NONE)


def _notification(answer: Answer) -> Fact:
    number = sum(len(told) for told in answer.data.values() if isinstance(told, list))
    return answer.fact("Notifications", count(number, "rule") if number else NONE)


def _plain(name: str, answer: Answer, field: str) -> Fact:
    return answer.fact(name, answer.data.get(field) or NONE)

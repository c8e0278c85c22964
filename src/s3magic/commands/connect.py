"""`connect`: chooses how S3 is reached."""

from __future__ import annotations

from typing import TYPE_CHECKING

from s3magic.commands.options.description import Option, Verb
from s3magic.commands.options.kinds import TEXT, Kind
from s3magic.session import connect, switch

if TYPE_CHECKING:
    from s3magic.connection import Connection

__all__ = ["VERB", "connect", "connected"]


def _verify(value: object) -> object:
    """Read ``no`` as False, ``yes`` as True; anything else is a file of authorities."""
    if isinstance(value, bool):
        return value
    return {"no": False, "false": False, "yes": True, "true": True}.get(str(value).lower(), value)


VERB = Verb(
    name="s3connect",
    summary="Choose how S3 is reached, and say so.",
    options=(
        Option(("--profile",), "a profile of ~/.aws/config", kind=TEXT),
        Option(("--endpoint-url",), "the server, for MinIO, Ceph, R2 and the like", kind=TEXT),
        Option(("--region",), "the region to sign for", kind=TEXT),
        Option(("--anonymous",), "sign nothing: for public buckets"),
        Option(
            ("--addressing-style",),
            "where the bucket's name goes; path for an endpoint of your own",
            choices=("path", "virtual", "auto"),
        ),
        Option(
            ("--verify",),
            "no to trust any certificate, or a file of authorities",
            kind=Kind("no|FILE", _verify, "no, or a file"),
        ),
        Option(
            ("--checksums",),
            "S3's newer checksums; when_required for an endpoint of your own",
            choices=("when_supported", "when_required"),
        ),
        Option(("--request-payer",), "pay for the requests, where a bucket's owner has it so"),
        Option(("--aws-access-key-id",), "the access key, if no AWS setting holds it", kind=TEXT),
        Option(
            ("--aws-secret-access-key",), "its secret, as $variable only", kind=TEXT, secret=True
        ),
        Option(("--aws-session-token",), "its token, as $variable only", kind=TEXT, secret=True),
        Option(("--reset",), "go back to what AWS tools would use"),
    ),
    examples=(
        ("%s3connect", "what is in force, and where the credentials come from"),
        ("%s3connect --profile research", "a profile of ~/.aws/config"),
        ("%s3connect --endpoint-url http://localhost:9000", "a MinIO, Ceph or other server"),
        ("%s3connect --anonymous --region us-west-2", "public data, without credentials"),
        ("%s3connect --reset", "what AWS tools would use, as in the beginning"),
    ),
    twin="s3.connect",
    details=(
        "At first it is what AWS tools would use: the environment, profiles, SSO, "
        "AWS_ENDPOINT_URL, instance roles. Without options nothing is chosen anew: the credentials "
        "are read again, and what is in force is shown. The connection is shared by all magics "
        "and helpers; await s3.client() gives its client."
    ),
)


async def connected(**options: object) -> Connection:
    """Choose a connection once its look-up succeeded: the magic's side of `connect`."""
    return await switch(**options)  # type: ignore[arg-type]  # read by VERB's kinds

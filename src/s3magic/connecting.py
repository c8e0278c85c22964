"""What `connect` was told, and what botocore is told of it.

botocore's chain decides all that it can: environment, profiles, SSO, roles,
endpoints. What is added here is what servers other than AWS's need, each with
its reason beside it.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from s3magic.errors import BadArgument, NoSuchFile

__all__ = ["Options", "config_of", "endpoint_of", "is_foreign", "told"]

_AWS = (".amazonaws.com", ".amazonaws.com.cn", ".api.aws")
_CHOICES = {
    "addressing_style": ("path", "virtual", "auto"),
    "checksums": ("when_supported", "when_required"),
}


@dataclass(frozen=True, slots=True)
class Options:
    """What `connect` was told. None leaves the choice to what AWS tools read.

    Args:
        profile: A profile of ``~/.aws/config``.
        endpoint_url: The server, for MinIO, Ceph, R2 and the like.
        region: The region to sign for.
        anonymous: Sign nothing: for public buckets.
        addressing_style: ``path``, ``virtual`` or ``auto``.
        verify: False to trust any certificate, or a file of authorities.
        checksums: ``when_supported`` or ``when_required``: whether requests
            carry, and answers are checked against, S3's newer checksums.
        request_payer: Pay for the requests, where a bucket's owner has it so.
        aws_access_key_id: The access key, where no AWS file or variable holds it.
        aws_secret_access_key: Its secret.
        aws_session_token: The token of temporary credentials.
    """

    profile: str | None = None
    endpoint_url: str | None = None
    region: str | None = None
    anonymous: bool = False
    addressing_style: Literal["path", "virtual", "auto"] | None = None
    verify: bool | str | None = None
    checksums: Literal["when_supported", "when_required"] | None = None
    request_payer: bool = False
    aws_access_key_id: str | None = field(default=None, repr=False)
    aws_secret_access_key: str | None = field(default=None, repr=False)
    aws_session_token: str | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        if bool(self.aws_access_key_id) != bool(self.aws_secret_access_key):
            raise BadArgument(
                "Cannot connect: an access key and its secret go together.",
                hint="Give both {0} and {1}, or neither.",
                options=["aws_access_key_id", "aws_secret_access_key"],
            )
        if self.anonymous and (self.aws_access_key_id or self.profile):
            raise BadArgument("Cannot connect: anonymous and with credentials at once.")
        _check_endpoint(self.endpoint_url)
        for name, choices in _CHOICES.items():
            value = getattr(self, name)
            if value is not None and value not in choices:
                raise BadArgument(
                    f"Cannot connect: {{0}} is not one of {', '.join(choices)}.",
                    options=[(name, value)],
                )
        if isinstance(self.verify, str) and not Path(self.verify).expanduser().exists():
            raise NoSuchFile(
                f"Cannot connect: there is no file {self.verify!r} to verify certificates with.",
                hint="Give a file of certificate authorities, or False to trust any certificate.",
            )


def _check_endpoint(endpoint: str | None) -> None:
    """Refuse what is no endpoint, and one that would show a secret wherever it is shown."""
    if not endpoint:
        return
    host = re.split(r"[/?#]", endpoint.partition("://")[2] or endpoint)[0]
    if "@" in host:
        raise BadArgument(
            "Cannot connect: the endpoint's URL has a user or a password in it, "
            "and it is shown wherever the connection is.",
            hint="Leave out what stands before the @; keys go into aws_access_key_id "
            "and aws_secret_access_key, or into your AWS settings.",
        )
    if not endpoint.startswith(("http://", "https://")):
        raise BadArgument(
            f"Cannot connect: {endpoint!r} is no endpoint.",
            hint=f"Write http://{endpoint} or https://{endpoint}.",
        )


def endpoint_of(session: Any, options: Options) -> str | None:
    """Give the endpoint that is chosen, or told by what AWS tools read; None for AWS itself."""
    from botocore.configprovider import ConfiguredEndpointProvider

    endpoint = options.endpoint_url
    if endpoint is None and not session.get_config_variable("ignore_configured_endpoint_urls"):
        endpoint = ConfiguredEndpointProvider(
            full_config=session.full_config,
            scoped_config=session.get_scoped_config(),
            client_name="s3",
        ).provide()
        _check_endpoint(endpoint)
    return endpoint


def config_of(session: Any, options: Options, endpoint: str | None) -> dict[str, Any]:
    """Give what botocore's Config is told of how requests are addressed, summed and signed."""
    from botocore import UNSIGNED

    scoped, foreign = session.get_scoped_config(), is_foreign(endpoint)
    values: dict[str, Any] = {}
    style = options.addressing_style
    if style is None and foreign and "addressing_style" not in (scoped.get("s3") or {}):
        style = "path"
    if style is not None:
        values["s3"] = {"addressing_style": style}
    for name in ("request_checksum_calculation", "response_checksum_validation"):
        wanted = options.checksums
        if wanted is None and foreign and not told(scoped, f"AWS_{name.upper()}", name):
            wanted = "when_required"
        if wanted is not None:
            values[name] = wanted
    if options.anonymous:
        values["signature_version"] = UNSIGNED
    return values


def is_foreign(endpoint: str | None) -> bool:
    """Tell whether an endpoint is a server of somebody other than AWS."""
    if endpoint is None:
        return False
    host = endpoint.partition("://")[2].partition("/")[0].partition(":")[0]
    return not host.endswith(_AWS)


def told(scoped: dict[str, Any], variable: str, name: str) -> bool:
    """Tell whether the user's own AWS settings decide this."""
    return variable in os.environ or name in scoped

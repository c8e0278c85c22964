"""What a connection comes to, for programs that reach S3 by themselves.

It is read by botocore's chain, as the verbs' own clients read it, but without
awaiting anything, so that it can stand in the middle of a call:
``pd.read_parquet(uri, storage_options=s3.storage_options())``.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from s3magic.connecting import Options, config_of, endpoint_of
from s3magic.translation import translate

if TYPE_CHECKING:
    import datetime as dt

__all__ = ["Credentials", "Reach", "reach_of"]


@dataclass(frozen=True, slots=True)
class Credentials:
    """An access key as it is now.

    Args:
        key: The access key's id.
        secret: Its secret.
        token: The token of temporary credentials.
        expires: Until when they last; None for ever.
    """

    key: str
    secret: str = field(repr=False)
    token: str | None = field(default=None, repr=False)
    expires: dt.datetime | None = None


@dataclass(frozen=True, slots=True)
class Reach:
    """How one server is reached.

    Args:
        options: What `connect` was told.
        endpoint: The server; None for AWS's.
        region: The region to sign for; None if nothing tells it.
        config: What botocore's Config is told: addressing style, checksums.
        verify: As `connect` takes it; None for what AWS tools do.
    """

    options: Options
    endpoint: str | None
    region: str | None
    config: dict[str, Any]
    verify: bool | str | None
    session: Any = field(repr=False)

    @property
    def style(self) -> str | None:
        """Where the bucket's name goes: ``path``, ``virtual``; None for what is usual."""
        style = (self.config.get("s3") or {}).get("addressing_style")
        if style is None:
            scoped = self.session.get_scoped_config().get("s3") or {}
            style = scoped.get("addressing_style")
        return None if style == "auto" else style

    def credentials(self) -> Credentials | None:
        """Look the credentials up, renewed if they are about to expire; None for none.

        Raises:
            S3Error: The look-up failed.
        """
        options = self.options
        if options.anonymous:
            return None
        if options.aws_access_key_id and options.aws_secret_access_key:
            return Credentials(
                options.aws_access_key_id, options.aws_secret_access_key, options.aws_session_token
            )
        try:
            found = self.session.get_credentials()
            frozen = found and found.get_frozen_credentials()
        except Exception as error:
            raise translate(error, "look up the credentials") from error
        if not frozen:
            return None
        expires = getattr(found, "_expiry_time", None)
        return Credentials(frozen.access_key, frozen.secret_key, frozen.token, expires)


def reach_of(options: Options) -> Reach:
    """Find out what a connection's options come to.

    Raises:
        S3Error: The settings that AWS tools read are wrong.
    """
    from botocore.session import Session

    try:
        session = Session(profile=options.profile)
        endpoint = endpoint_of(session, options)
        region = options.region or session.get_config_variable("region")
        config = {
            name: value
            for name, value in config_of(session, options, endpoint).items()
            if name != "signature_version"
        }
        verify = options.verify if options.verify is not None else _bundle(session)
        if endpoint is not None and endpoint.startswith("http://"):
            verify = None  # there is nothing to verify
    except Exception as error:
        raise translate(error, "connect to S3") from error
    if isinstance(verify, str):
        verify = str(Path(verify).expanduser())
    if region is None and endpoint is not None:
        region = "us-east-1"  # what a client signs for where nothing says so, and such servers take
    return Reach(options, endpoint, region, config, verify, session)


def _bundle(session: Any) -> str | None:
    """Give the file of authorities that AWS tools are told to use."""
    bundle = session.get_config_variable("ca_bundle")
    return str(bundle) if bundle else None

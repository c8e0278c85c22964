"""What each engine wants to be told of a connection: its own names for the same few things.

Each was looked up in the engine's own documentation, and most are tried by the tests.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from s3magic.errors import BadArgument

if TYPE_CHECKING:
    from collections.abc import Callable

    from s3magic.reach import Reach

__all__ = ["ENGINES", "Told", "literal", "told"]

_SHOWN = 4  # characters of an access key's id: enough to tell one from another
_SECRETS = ("secret", "token", "key")


class Told(dict[str, Any]):
    """What an engine is told: a dict whose secrets are not shown.

    It is pickled as a plain dict, so that a worker needs no s3magic.
    """

    def __repr__(self) -> str:
        return repr({name: _masked(name, value) for name, value in self.items()})

    __str__ = __repr__

    def __reduce__(self) -> tuple[Any, ...]:
        return dict, (dict(self),)


def told(engine: str, reach: Reach, *, static: bool) -> dict[str, Any]:
    """Give what an engine wants.

    Args:
        engine: One of `ENGINES`.
        reach: The connection.
        static: Put the credentials themselves in, though it could find them.

    Raises:
        BadArgument: The engine cannot be told what the connection needs.
        S3Error: The credentials cannot be looked up.
    """
    return {
        name: value for name, value in ENGINES[engine](reach, static).items() if value is not None
    }


def literal(text: str) -> str:
    """Write a text as SQL does."""
    return "'" + text.replace("'", "''") + "'"


def _s3fs(reach: Reach, static: bool) -> dict[str, Any]:  # noqa: FBT001 - as in the table below
    """For s3fs, and through fsspec for pandas and Dask."""
    given = reach.options.aws_access_key_id is not None or static
    credentials = reach.credentials() if given else None
    client = {"region_name": reach.region, "verify": reach.verify}
    return {
        "anon": reach.options.anonymous or None,
        "requester_pays": reach.options.request_payer or None,
        # Without a key it looks them up itself, by the same chain, and renews them.
        "profile": None if given else reach.options.profile,
        "key": credentials and credentials.key,
        "secret": credentials and credentials.secret,
        "token": credentials and credentials.token,
        "endpoint_url": reach.endpoint,
        "client_kwargs": {name: one for name, one in client.items() if one is not None} or None,
        "config_kwargs": reach.config or None,
        # A listing that it kept would not know what the verbs have done since.
        "use_listings_cache": False,
    }


def _polars(reach: Reach, static: bool) -> dict[str, Any]:  # noqa: ARG001, FBT001 - as in the table below
    """For Polars."""
    _no_authorities("polars", reach)
    credentials = reach.credentials()
    return {
        "aws_access_key_id": credentials and credentials.key,
        "aws_secret_access_key": credentials and credentials.secret,
        "aws_session_token": credentials and credentials.token,
        "aws_skip_signature": _yes(reach.options.anonymous),
        "aws_region": reach.region,
        "aws_endpoint_url": reach.endpoint,
        "aws_request_payer": _yes(reach.options.request_payer),
        "aws_virtual_hosted_style_request": _virtual(reach, "true", "false"),
        "aws_allow_http": _yes(_plain(reach)),
        "allow_invalid_certificates": _yes(reach.verify is False),
    }


def _obstore(reach: Reach, static: bool) -> dict[str, Any]:  # noqa: FBT001 - as in the table below
    """For obstore's S3Store."""
    _no_authorities("obstore", reach)
    fixed = static or reach.options.aws_access_key_id is not None
    credentials = reach.credentials()
    client = {"allow_http": _plain(reach), "allow_invalid_certificates": reach.verify is False}
    return {
        "access_key_id": credentials.key if credentials and fixed else None,
        "secret_access_key": credentials.secret if credentials and fixed else None,
        "session_token": credentials.token if credentials and fixed else None,
        "credential_provider": None if fixed or credentials is None else _Provider(reach),
        "skip_signature": reach.options.anonymous or None,
        "region": reach.region,
        "endpoint": reach.endpoint,
        "request_payer": reach.options.request_payer or None,
        "virtual_hosted_style_request": _virtual(reach, yes=True, no=False),
        "client_options": {name: True for name, wanted in client.items() if wanted} or None,
    }


def _pyarrow(reach: Reach, static: bool) -> dict[str, Any]:  # noqa: ARG001, FBT001 - as in the table below
    """For pyarrow.fs.S3FileSystem."""
    if reach.verify is False:
        raise BadArgument(
            "pyarrow always verifies certificates, and this connection does not.",
            hint="Give connect a file of authorities as verify, or use s3.filesystem().",
        )
    if reach.options.request_payer:
        raise BadArgument(
            "pyarrow cannot say that it pays for its requests, and this connection does.",
            hint="Use s3.filesystem().",
        )
    credentials = reach.credentials()
    scheme, _, host = (reach.endpoint or "").partition("://")
    return {
        "anonymous": reach.options.anonymous or None,
        "access_key": credentials and credentials.key,
        "secret_key": credentials and credentials.secret,
        "session_token": credentials and credentials.token,
        "region": reach.region,
        "endpoint_override": host.rstrip("/") or None,
        "scheme": scheme or None,
        "force_virtual_addressing": _virtual(reach, yes=True, no=None),
        "tls_ca_file_path": reach.verify if isinstance(reach.verify, str) else None,
    }


def _duckdb(reach: Reach, static: bool) -> dict[str, Any]:  # noqa: ARG001, FBT001 - as in the table below
    """For DuckDB's CREATE SECRET."""
    _no_authorities("duckdb", reach)
    credentials = reach.credentials()
    scheme, _, host = (reach.endpoint or "").partition("://")
    return {
        "TYPE": "s3",
        "KEY_ID": credentials and credentials.key,
        "SECRET": credentials and credentials.secret,
        "SESSION_TOKEN": credentials and credentials.token,
        "REGION": reach.region,
        "ENDPOINT": host.rstrip("/") or None,
        "URL_STYLE": _virtual(reach, "vhost", "path"),
        "USE_SSL": None if scheme != "http" else False,
        "REQUESTER_PAYS": reach.options.request_payer or None,
        "VERIFY_SSL": False if reach.verify is False else None,
    }


ENGINES: dict[str, Callable[[Reach, bool], dict[str, Any]]] = {
    "pandas": _s3fs,
    "dask": _s3fs,
    "s3fs": _s3fs,
    "polars": _polars,
    "pyarrow": _pyarrow,
    "duckdb": _duckdb,
    "obstore": _obstore,
}


class _Provider:
    """Gives obstore fresh credentials whenever it asks."""

    def __init__(self, reach: Reach) -> None:
        self._reach = reach

    def __call__(self) -> dict[str, Any]:
        found = self._reach.credentials()
        if found is None:
            raise BadArgument("There are no credentials any more.", hint="See %s3connect.")
        return {
            "access_key_id": found.key,
            "secret_access_key": found.secret,
            "token": found.token,
            "expires_at": found.expires,
        }


def _plain(reach: Reach) -> bool:
    return (reach.endpoint or "").startswith("http://")


def _yes(wanted: bool) -> str | None:  # noqa: FBT001 - a fact, as text
    return "true" if wanted else None


def _virtual(reach: Reach, yes: Any, no: Any) -> Any:
    """Give the one or the other, by where the bucket's name goes; None for what is usual."""
    return {"virtual": yes, "path": no}.get(reach.style or "")


def _no_authorities(engine: str, reach: Reach) -> None:
    # One that AWS tools are told of in general may well be known to the engine, too.
    if isinstance(reach.verify, str) and reach.options.verify is not None:
        raise BadArgument(
            f"{engine} takes no file of authorities, and this connection has one.",
            hint="Name it in the variable SSL_CERT_FILE as well, and connect without verify; "
            "or use s3.filesystem(), which takes it.",
        )


def _masked(name: str, value: Any) -> Any:
    lowered = name.lower()
    if not isinstance(value, str) or not any(word in lowered for word in _SECRETS):
        return value
    hidden = ("secret" in lowered and "id" not in lowered) or "token" in lowered
    return "***" if hidden else f"{value[: min(_SHOWN, len(value) // 2)]}***"

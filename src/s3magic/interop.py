"""Lend the connection in force to other programs: `storage_options`, `filesystem` and others.

They are plain functions, and nothing to await, because they stand in the middle
of other libraries' calls.
"""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING, Any

from s3magic.engines import ENGINES, Told, literal, told
from s3magic.errors import BadArgument
from s3magic.reach import reach_of
from s3magic.session import chosen

if TYPE_CHECKING:
    from collections.abc import Callable

    from s3fs import S3FileSystem

__all__ = ["credential_provider", "duckdb_secret", "filesystem", "storage_options"]


def storage_options(engine: str = "pandas", *, static: bool = False) -> dict[str, Any]:
    """Give what another engine wants to be told, to use the connection in force.

    Credentials that AWS tools would look up are left for the engine to look up,
    and to renew, where it does so as they do (pandas, Dask, s3fs), or renewed
    for it (obstore). For the others, and with `static`, they are put in as they
    are now, and end when they end.

    Args:
        engine: ``pandas``, ``dask``, ``s3fs``, ``polars``, ``pyarrow``,
            ``duckdb`` or ``obstore``.
        static: Put the credentials themselves in: for Dask's workers on other
            machines, which have other settings.

    Returns:
        A dict that shows no secret. For pandas, Dask and Polars it is their
        ``storage_options``; for s3fs, pyarrow and obstore what their file
        system takes: ``pyarrow.fs.S3FileSystem(**options)``.

    Raises:
        BadArgument: There is no such engine, or it cannot be told what the
            connection needs.
        S3Error: The settings that AWS tools read are wrong.

    Example:
        >>> pd.read_parquet("s3://b/t.parquet", storage_options=s3.storage_options())
    """
    if engine not in ENGINES:
        near = difflib.get_close_matches(str(engine), ENGINES, n=1)
        raise BadArgument(
            f"engine={engine!r} is not one of {', '.join(ENGINES)}.",
            hint=f"Did you mean {near[0]!r}?" if near else "",
        )
    return Told(told(engine, reach_of(chosen()), static=static))


def credential_provider() -> Callable[[], tuple[dict[str, str], int | None]]:
    """Give what Polars calls for credentials whenever it needs fresh ones.

    Raises:
        S3Error: The settings that AWS tools read are wrong.

    Example:
        >>> provider = s3.credential_provider()
        >>> pl.scan_parquet(
        ...     uri, storage_options=s3.storage_options("polars"), credential_provider=provider
        ... )
    """
    reach = reach_of(chosen())

    def provide() -> tuple[dict[str, str], int | None]:
        found = reach.credentials()
        if found is None:
            return {}, None
        given = {"aws_access_key_id": found.key, "aws_secret_access_key": found.secret}
        if found.token:
            given["aws_session_token"] = found.token
        return given, int(found.expires.timestamp()) if found.expires else None

    return provide


def duckdb_secret(name: str = "s3magic") -> str:
    """Write the statement that has DuckDB use the connection in force.

    It holds the secret in plain text: hand it to DuckDB, and show it to nobody.

    Args:
        name: What DuckDB calls it.

    Raises:
        S3Error: The settings that AWS tools read are wrong.

    Example:
        >>> duckdb.execute(s3.duckdb_secret())
    """
    given = dict(storage_options("duckdb"))
    parts = (
        f"{key} {value if isinstance(value, bool) else literal(value)}"
        for key, value in given.items()
    )
    quoted = '"' + name.replace('"', '""') + '"'
    return f"CREATE OR REPLACE SECRET {quoted} ({', '.join(parts)})"


def filesystem(**options: Any) -> S3FileSystem:
    """Give an s3fs file system on the connection in force.

    It has its own event loop in a thread, as s3fs always has, and renews
    credentials by itself.

    Args:
        **options: What else `s3fs.S3FileSystem` takes.

    Raises:
        BadArgument: s3fs is not installed.
        S3Error: The settings that AWS tools read are wrong.

    Example:
        >>> with s3.filesystem().open("s3://b/notes.txt") as file: ...
    """
    try:
        from s3fs import S3FileSystem
    except ModuleNotFoundError as error:
        raise BadArgument(
            f"A file system needs the package {error.name}, which is not installed.",
            hint="Install it with pip install s3fs, or pip install 's3magic[s3fs]'.",
        ) from error
    # Not one that an earlier connection left behind in s3fs's cache.
    return S3FileSystem(**{**storage_options("s3fs"), "skip_instance_cache": True, **options})

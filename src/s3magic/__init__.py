"""S3 in a Jupyter notebook, as natural as a DataFrame.

    %load_ext s3magic
    %s3ls s3://bucket/folder/

and the same, awaitable in a cell::

    import s3magic as s3

    df = await s3.ls("s3://bucket/folder/")

Everything loads when it is first used: importing this package imports neither
pandas, aiobotocore, ipywidgets nor IPython.
"""

from __future__ import annotations

import importlib
import inspect
import sys
from typing import TYPE_CHECKING, Any

from s3magic.arrival import when_imported

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

    from s3magic import errors as errors
    from s3magic import settings as settings
    from s3magic.commands.browse import browse
    from s3magic.commands.cat import cat
    from s3magic.commands.connect import connect
    from s3magic.commands.cp import cp
    from s3magic.commands.diff import diff
    from s3magic.commands.doctor import doctor
    from s3magic.commands.du import du
    from s3magic.commands.get import get
    from s3magic.commands.head import head
    from s3magic.commands.jobs import jobs
    from s3magic.commands.ls import ls
    from s3magic.commands.mb import mb
    from s3magic.commands.mv import mv
    from s3magic.commands.peek import peek
    from s3magic.commands.put import put
    from s3magic.commands.rb import rb
    from s3magic.commands.read import read
    from s3magic.commands.rm import rm
    from s3magic.commands.running.background import job
    from s3magic.commands.running.job import Job
    from s3magic.commands.running.undoing import undo
    from s3magic.commands.stat import stat
    from s3magic.commands.sync import sync
    from s3magic.commands.tree import tree
    from s3magic.commands.uploads import uploads
    from s3magic.commands.url import url
    from s3magic.commands.write import write
    from s3magic.connection import Connection
    from s3magic.errors import S3Error, TransferError
    from s3magic.helpers import delete_file, delete_files, download_file, list_files, upload_file
    from s3magic.interop import credential_provider, duckdb_secret, filesystem, storage_options
    from s3magic.model import S3Item
    from s3magic.session import client, close
    from s3magic.uri import S3Uri

__all__ = [
    "Connection",
    "Job",
    "S3Error",
    "S3Item",
    "S3Uri",
    "TransferError",
    "browse",
    "cat",
    "client",
    "close",
    "connect",
    "cp",
    "credential_provider",
    "delete_file",
    "delete_files",
    "diff",
    "doctor",
    "download_file",
    "du",
    "duckdb_secret",
    "filesystem",
    "get",
    "head",
    "job",
    "jobs",
    "list_files",
    "load_ipython_extension",
    "ls",
    "mb",
    "mv",
    "peek",
    "put",
    "rb",
    "read",
    "rm",
    "stat",
    "storage_options",
    "sync",
    "tree",
    "undo",
    "unload_ipython_extension",
    "upload_file",
    "uploads",
    "url",
    "write",
]

__version__ = "0.1.0"

_HOMES = {
    "Connection": "connection",
    "Job": "commands.running.job",
    "S3Error": "errors",
    "S3Item": "model",
    "S3Uri": "uri",
    "TransferError": "errors",
    "browse": "commands.browse",
    "cat": "commands.cat",
    "client": "session",
    "close": "session",
    "connect": "session",
    "cp": "commands.cp",
    "credential_provider": "interop",
    "delete_file": "helpers",
    "delete_files": "helpers",
    "diff": "commands.diff",
    "download_file": "helpers",
    "du": "commands.du",
    "duckdb_secret": "interop",
    "filesystem": "interop",
    "doctor": "commands.doctor",
    "get": "commands.get",
    "head": "commands.head",
    "job": "commands.running.background",
    "jobs": "commands.jobs",
    "list_files": "helpers",
    "ls": "commands.ls",
    "mv": "commands.mv",
    "peek": "commands.peek",
    "mb": "commands.mb",
    "put": "commands.put",
    "read": "commands.read",
    "stat": "commands.stat",
    "rb": "commands.rb",
    "rm": "commands.rm",
    "storage_options": "interop",
    "sync": "commands.sync",
    "tree": "commands.tree",
    "undo": "commands.running.undoing",
    "upload_file": "helpers",
    "uploads": "commands.uploads",
    "url": "commands.url",
    "write": "commands.write",
}
_MODULES = ("errors", "settings")  # s3.errors.NoSuchKey, s3.settings.change


def load_ipython_extension(shell: InteractiveShell) -> None:
    """Add the magics to a shell: what ``%load_ext s3magic`` calls."""
    from s3magic.notebook.extension import load

    load(shell)


def unload_ipython_extension(shell: InteractiveShell) -> None:
    """Take the magics out of a shell: what ``%unload_ext s3magic`` calls."""
    from s3magic.notebook.extension import unload

    unload(shell)


def __getattr__(name: str) -> Any:
    if name in _MODULES:
        return importlib.import_module(f"{__name__}.{name}")
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)
    awaited = _HOMES[name].startswith("commands.") and inspect.iscoroutinefunction(value)
    if awaited or name == "connect":
        from s3magic.commands.options.switches import strict

        value = strict(value)
    if awaited and _in_shell():
        from s3magic.notebook.twins import at_home

        value = at_home(value)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__, *_MODULES})


def _in_shell() -> bool:
    """Tell whether IPython runs here, without importing it."""
    getipython = sys.modules.get("IPython.core.getipython")
    return getipython is not None and getipython.get_ipython() is not None


def _offer_accessor() -> None:
    from s3magic.accessor import register

    register()


when_imported("pandas", _offer_accessor)  # df.s3, for frames that are read from a file too

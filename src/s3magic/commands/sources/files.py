"""Finds the local files that a put means, and what S3 is to know of each. Blocks."""

from __future__ import annotations

import glob as globbing
import mimetypes
import os
import stat
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from s3magic.commands.options.filters import ALL
from s3magic.commands.sources.objects import ADD_GLOB, wild
from s3magic.commands.sources.walking import walk
from s3magic.errors import BadArgument, NoSuchFile, S3Error
from s3magic.transfer.plan import Upload
from s3magic.translation import translate
from s3magic.uri import glob_base
from s3magic.wording import called

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from s3magic.commands.options.filters import Filters
    from s3magic.uri import S3Uri

__all__ = ["content_type", "local", "uploads"]

# What Python's own table leaves out and data people keep in buckets, as
# registered with IANA or, where it is not, as its makers write it.
_TYPES = {
    ".arrow": "application/vnd.apache.arrow.file",
    ".avro": "application/avro",
    ".feather": "application/vnd.apache.arrow.file",
    ".geojson": "application/geo+json",
    ".ipynb": "application/x-ipynb+json",
    ".jsonl": "application/x-ndjson",
    ".md": "text/markdown",
    ".ndjson": "application/x-ndjson",
    ".npy": "application/octet-stream",
    ".parquet": "application/vnd.apache.parquet",
    ".toml": "application/toml",
    ".webp": "image/webp",
    ".yaml": "application/yaml",
    ".yml": "application/yaml",
}
# A compressed file stays what it is. Told as a Content-Encoding instead, it
# would be unpacked on the way by some clients and not by others.
_PACKED = {
    "gzip": "application/gzip",
    "bzip2": "application/x-bzip2",
    "xz": "application/x-xz",
    "br": "application/x-brotli",
    "zstd": "application/zstd",
    "compress": "application/x-compress",
}


def content_type(name: str) -> str:
    """Guess a Content-Type from a name's ending; S3's own default if it tells nothing."""
    ending = os.path.splitext(name)[1].lower()  # noqa: PTH122 - a key is no path
    if ending in _TYPES:
        return _TYPES[ending]
    if ending == ".zst":
        return _PACKED["zstd"]
    kind, packed = mimetypes.guess_type(name, strict=False)
    return _PACKED.get(packed or "") or kind or "binary/octet-stream"


def local(path: str | os.PathLike[str]) -> Path:
    """Read a path of this machine, ``~`` as the home folder.

    Raises:
        BadArgument: It names the home of somebody who has none.
    """
    try:
        return Path(path).expanduser()
    except RuntimeError as error:
        raise BadArgument(
            f"{str(path)!r} cannot be found: nobody of that name has a home folder here.",
            hint="Put ./ before it for a file whose name begins with ~.",
        ) from error


def uploads(
    sources: Sequence[object],
    uri: S3Uri,
    headers: Mapping[str, object],
    *,
    recursive: bool,
    glob: bool,
    several: bool = False,
    wanted: Filters = ALL,
    links: bool = True,
) -> Iterator[Upload]:
    """Give the uploads that some sources mean, in a fixed order.

    Args:
        sources: Paths, patterns with `glob`, or bytes.
        uri: Where to: a key, or a folder where several things can come.
        headers: What S3 is to keep of each; a Content-Type is added if there is none.
        recursive: A folder means everything in it.
        glob: Read a path as a pattern.
        several: There may be more than one, although there is not.
        wanted: Chooses among the names below the target.
        links: Follow symbolic links that are below a folder, or match a pattern.

    Raises:
        BadArgument: A source cannot be meant.
        NoSuchFile: There is none of that name, or none that matches.
    """
    several = several or len(sources) > 1
    into = several or glob or not uri.key or uri.key.endswith("/")
    taken: dict[str, str] = {}
    for source in sources:
        if isinstance(source, str) and "\n" in source and not os.path.lexists(source):
            source = source.encode()  # noqa: PLW2901 - a text of several lines is no path here
        if isinstance(source, bytes | bytearray | memoryview):
            planned = iter([_of_bytes(bytes(source), uri, headers, into=into)])
        elif not isinstance(source, str | os.PathLike):
            raise BadArgument(
                f"{called(source)} is no source.",
                hint="Give a path, or bytes. What a variable holds goes with {0}, a DataFrame with "
                "%s3write NAME s3://bucket/key.parquet.",
                options=["var"],
            )
        elif glob:
            planned = _of_glob(os.fspath(source), uri, headers, recursive=recursive, links=links)
        else:
            path = local(source)
            named = uri.join(path.name) if into else uri
            inside = named if several else uri
            planned = _of_path(path, named, inside, headers, recursive=recursive, links=links)
        for job in planned:
            if not wanted.wants(_place(job, uri)):
                continue
            other = taken.setdefault(job.uri.key, job.name)
            yield job if other is job.name else _clash(job, other)


def _place(job: Upload, uri: S3Uri) -> str:
    """Give the name below the target by which an upload is chosen; a single file has its own."""
    if job.uri == uri:
        return os.path.basename(job.name)  # noqa: PTH119 - it runs once a file
    return job.uri.key.removeprefix(uri.join("").key)


def _clash(job: Upload, other: str) -> Upload:
    """Refuse the second of two sources for one key: it would overwrite the first."""
    return replace(
        job, refused=BadArgument(f"Cannot put {job.name!r} to {job.uri}: {other!r} goes there.")
    )


def _of_bytes(data: bytes, uri: S3Uri, headers: Mapping[str, object], *, into: bool) -> Upload:
    if into:
        raise BadArgument(
            "Bytes have no name of their own.", hint=f"Name their key: {uri.join('name')}."
        )
    return Upload(data, uri, len(data), f"<{len(data):,} bytes>", _typed(headers, uri.key))


def _of_glob(
    pattern: str, uri: S3Uri, headers: Mapping[str, object], *, recursive: bool, links: bool
) -> Iterator[Upload]:
    """Give what a pattern finds, with the folders that are below its literal beginning."""
    pattern = os.path.expanduser(pattern)  # noqa: PTH111 - a pattern is no path
    base = os.path.dirname(glob_base(pattern)) or "."  # noqa: PTH120 - the same
    matched = sorted(globbing.glob(pattern, recursive=True))  # noqa: PTH207 - absolute ones too
    found = [path for path in map(Path, matched) if links or not path.is_symlink()]
    wanted = [path for path in found if recursive or not path.is_dir()]
    if not wanted:
        raise NoSuchFile(
            f"{'Only folders match' if found else 'Nothing matches'} {{1}} here.",
            hint="Add {0} for everything in them." if found else "",
            options=[("recursive", True), repr(pattern)],
        )
    for path in wanted:
        named = uri.join(path.relative_to(base).as_posix())
        yield from _of_path(path, named, named, headers, recursive=recursive, links=links)


def _of_path(
    path: Path,
    named: S3Uri,
    inside: S3Uri,
    headers: Mapping[str, object],
    *,
    recursive: bool,
    links: bool,
) -> Iterator[Upload]:
    """Give a file, or with `recursive` all in a folder.

    Args:
        path: The file or the folder.
        named: The key of a file.
        inside: Where a folder's files go.
        headers: What S3 is to keep.
        recursive: Whether it may be a folder.
        links: Whether links in that are followed.
    """
    try:
        mode = path.stat().st_mode
    except (OSError, ValueError) as error:
        raise _missing(path, error) from error
    if not stat.S_ISDIR(mode):
        yield _upload(path, named, headers)
        return
    if not recursive:
        raise BadArgument(
            "{1} is a folder.",
            hint="Add {0} for everything in it.",
            options=[("recursive", True), repr(str(path))],
        )
    for name, entry in walk(path, links=links):
        if entry.is_symlink() and not links:
            continue
        yield _upload(Path(entry.path), inside.join(name), headers)


def _upload(path: Path, uri: S3Uri, headers: Mapping[str, object]) -> Upload:
    """Plan one file; what is wrong with it becomes its row."""
    refused: S3Error | None = None
    size = 0
    try:
        found = path.stat()
        size = found.st_size
        if not stat.S_ISREG(found.st_mode):
            refused = BadArgument(f"{str(path)!r} is no ordinary file, and was left out.")
        uri.key.encode()
    except OSError as error:
        refused = translate(error, f"read {str(path)!r}")
    except UnicodeEncodeError:
        refused = BadArgument(f"The name of {str(path)!r} is not UTF-8, and a key must be.")
    return Upload(path, uri, size, str(path), _typed(headers, path.name), refused)


def _typed(headers: Mapping[str, object], name: str) -> Mapping[str, object]:
    return {"ContentType": content_type(name), **headers}


def _missing(path: Path, error: Exception) -> S3Error:
    if isinstance(error, FileNotFoundError | NotADirectoryError):
        pattern = wild(str(path))
        return NoSuchFile(
            "There is no file {1} here.",
            hint=ADD_GLOB if pattern else "To send the text of a variable itself, use {0}.",
            options=[("glob", True) if pattern else "var", repr(str(path))],
        )
    return translate(error, f"read {str(path)!r}")

"""S3 addresses, glob patterns, and the safe local name of a key. Pure.

A key is a sequence of characters and means them: no percent-decoding, no
folding of ``//`` or ``..``. Only `local_path` refuses some, because a file
system does fold them.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

from s3magic.errors import BadUri, UnsafeKey
from s3magic.wording import shorten

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["S3Uri", "glob_base", "glob_pattern", "is_uri", "local_path", "shared_folder"]

_SCHEME = re.compile(r"^s3[an]?://", re.IGNORECASE)
# An access point stands where a bucket does: arn:aws:s3:REGION:ACCOUNT:accesspoint/NAME
_ARN = re.compile(r"^(arn:[^/]+[:/]accesspoint[/:][^/]+)(?:/(.*))?$", re.DOTALL)
# Laxer than S3's naming rules: old buckets have capitals and underscores.
_BUCKET = re.compile(r"^[A-Za-z0-9][A-Za-z0-9._-]{1,254}$")
_LOCAL = re.compile(r"\.{0,2}/|\.{1,2}\Z|~|[A-Za-z]:[\\/]|\.{0,2}\\")  # a path of this machine
_LOCAL_HINT = (
    "Write s3://bucket/key. What is on this machine !ls and !du tell, %s3put sends it, and "
    "%s3sync --dry-run compares it with what is in S3."
)
_WILD = re.compile(r"[*?\[]")
_TOLD = 80  # characters of it that an error shows
_KEY_BYTES = 1024  # S3 User Guide, "Naming Amazon S3 objects"
_NAME_BYTES = 255  # NAME_MAX of every common file system
# What the rules below may have something against: they then say what.
_SUSPECT = re.compile(r"^$|^/|/$|//|\0|(?:^|/)\.\.?(?:/|$)")
# Microsoft, "Naming Files, Paths, and Namespaces"; ":" is among the reserved, so
# no drive and no alternate stream can be named.
_RESERVED = re.compile(r'[\x00-\x1f<>:"|?*]')
_DEVICE = re.compile(r"^(con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³])(\..*)?$", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class S3Uri:
    """A bucket and, within it, a key or a prefix (which may be empty)."""

    bucket: str
    key: str = ""

    @classmethod
    def parse(cls, text: str, *, scheme_optional: bool = False) -> Self:
        """Read ``s3://bucket/key``, every character of the key literally.

        Args:
            text: The address; ``s3a://`` and ``s3n://`` mean the same.
            scheme_optional: Take ``bucket/key`` too, where nothing else can be meant.

        Raises:
            BadUri: It is none, and the sentence says why.
        """
        match = _SCHEME.match(text)
        hint = _LOCAL_HINT if _LOCAL.match(text) else "Write s3://bucket/key."
        if not match and not scheme_optional:
            raise BadUri(f"{_told(text)} is no S3 address.", hint=hint)
        rest = text[match.end() :] if match else text
        if arn := _ARN.match(rest):
            return cls(arn[1], arn[2] or "")
        bucket, _, key = rest.partition("/")
        if not _BUCKET.match(bucket):
            reason = f"{_told(bucket)} is no bucket name" if bucket else "the bucket is missing"
            raise BadUri(f"{_told(text)} is no S3 address: {reason}.", hint=hint)
        if len(key.encode("utf-8", "surrogatepass")) > _KEY_BYTES:
            raise BadUri(f"The key of {_told(text)} is longer than {_KEY_BYTES:,} bytes.")
        return cls(bucket, key)

    def __str__(self) -> str:
        return f"s3://{self.bucket}/{self.key}"

    @property
    def name(self) -> str:
        """The key's part behind its last ``/``; empty for a prefix that ends in one."""
        return self.key.rpartition("/")[2]

    @property
    def folder(self) -> str:
        """The key's part up to and with its last ``/``."""
        head, slash, _ = self.key.rpartition("/")
        return head + slash

    def join(self, tail: str) -> S3Uri:
        """Put `tail` behind the key, with exactly one ``/`` between them."""
        head = self.key if not self.key or self.key.endswith("/") else self.key + "/"
        return S3Uri(self.bucket, head + tail)


def is_uri(text: object) -> bool:
    """Tell whether this is meant as an S3 address."""
    return isinstance(text, str) and bool(_SCHEME.match(text))


def shared_folder(keys: Iterable[str]) -> str:
    """Give the innermost folder, ending in ``/``, that holds all of these; empty for none."""
    known = list(keys)
    first, last = min(known, default=""), max(known, default="")
    same = 0  # between two that begin alike, in the order of code points, all do
    while same < min(len(first), len(last)) and first[same] == last[same]:
        same += 1
    return first[: first.rfind("/", 0, same) + 1]


def glob_base(pattern: str) -> str:
    """Give the literal beginning of a glob pattern: the prefix worth listing."""
    match = _WILD.search(pattern)
    return pattern[: match.start()] if match else pattern


def glob_pattern(pattern: str) -> re.Pattern[str]:
    """Compile a glob over keys.

    ``*`` and ``?`` stay within one level, ``**`` crosses ``/``, ``[abc]`` and
    ``[!abc]`` are one character; everything else is literal.

    Raises:
        BadUri: A ``[…]`` holds a range that runs backwards.
    """
    out: list[str] = []
    at = 0
    while at < len(pattern):
        char = pattern[at]
        at += 1
        if pattern.startswith("**/", at - 1) and (at == 1 or pattern[at - 2] == "/"):
            out.append("(?:.*/)?")  # any number of whole levels, none included
            at += 2
        elif char == "*" and pattern.startswith("*", at):
            out.append(".*")
            at += 1
        elif char == "*":
            out.append("[^/]*")
        elif char == "?":
            out.append("[^/]")
        elif char == "[" and (end := pattern.find("]", at + 1 + pattern.startswith("!", at))) > 0:
            inside = pattern[at:end]
            negated = inside.startswith("!")
            # "-" keeps its meaning: everything else in the class is literal.
            escaped = re.sub(r"([\\\]\[^&~|])", r"\\\1", inside[negated:])
            out.append(f"[{'^/' if negated else ''}{escaped}]")
            at = end + 1
        else:
            out.append(re.escape(char))
    try:
        return re.compile("".join(out) + r"\Z", re.DOTALL)
    except re.error as error:
        raise BadUri(f"{pattern!r} is no glob pattern: {error}.") from error


def local_path(key: str, *, windows: bool = os.name == "nt") -> str:
    """Give the relative local path that stands for a key below a target folder.

    Args:
        key: The key, less the prefix that was asked for.
        windows: Whether the names must be Windows's too.

    Returns:
        A relative path, `/` between its names, of which none leads up,
        elsewhere or to a device.

    Raises:
        UnsafeKey: There is none. One sentence says why; the key can still be
            fetched to a file that the user names.
    """
    reason = _unsafe(key) or (_unsafe_on_windows(key) if windows else "")
    if reason:
        raise UnsafeKey(
            f"The key {key!r} has no safe local name: it {reason}.",
            hint="Fetch its bytes (data = %s3get s3://bucket/key -)"
            + ("." if key.endswith("/") else ", or name a file: %s3get s3://bucket/key ./name."),
        )
    return key


def _told(text: str) -> str:
    """Name what was given, which may be anything, a whole frame's text for example."""
    return repr(shorten(text, _TOLD))


def _unsafe(key: str) -> str:
    """Say what keeps a key from being a path anywhere; nothing if it is one."""
    if key.isascii() and len(key) <= _NAME_BYTES and not _SUSPECT.search(key):
        return ""  # as most keys are, and they come by the million
    parts = key.split("/")
    wrongs = (
        (key.startswith("/"), "begins with '/'"),
        (not parts[-1], "ends in '/', so it names no file"),
        ("" in parts, "holds '//'"),
        (not {".", ".."}.isdisjoint(parts), "holds '.' or '..' as a folder"),
        ("\0" in key, "holds a NUL character"),
        (
            any(len(part.encode("utf-8", "surrogatepass")) > _NAME_BYTES for part in parts),
            f"holds a name longer than {_NAME_BYTES} bytes",
        ),
    )
    return next((reason for wrong, reason in wrongs if wrong), "")


def _unsafe_on_windows(key: str) -> str:
    """The same for what Windows alone reads as something else."""
    parts = key.split("/")
    wrongs = (
        ("\\" in key, "holds a backslash, which separates folders on Windows"),
        (bool(_RESERVED.search(key)), "holds a character that Windows allows in no name"),
        (any(_DEVICE.match(part) for part in parts), "names a Windows device"),
        (any(part.endswith((".", " ")) for part in parts), "holds a name ending in '.' or ' '"),
    )
    return next((reason for wrong, reason in wrongs if wrong), "")

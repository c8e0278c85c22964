"""The arguments that the verbs share which read objects into a value."""

from __future__ import annotations

from s3magic.commands.options.description import Option, Positional
from s3magic.commands.options.kinds import TEXT

__all__ = ["ENCODING", "RAW", "SOURCES", "VERSION"]

SOURCES = Positional("SOURCE", "s3://bucket/key, several of them, or $frame from %s3ls", many=True)
VERSION = Option(("--version-id",), "this version of the object", kind=TEXT)
RAW = Option(("--raw",), "the bytes as they are stored: neither unpacked nor read as text")
ENCODING = Option(
    ("--encoding",), "the text's encoding: latin-1, utf-16; found out if left out", kind=TEXT
)

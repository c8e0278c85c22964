"""Take the records out of a listing's XML, as columns, and leave the rest of it. Pure.

botocore parses a page into one dictionary an object, which takes 1,000 of them
a tenth of a second. But a server writes the records of a page alike: the first
one, with its values taken out, is a regular expression that reads those behind
it in less than a millisecond. A record that is written otherwise begins a run
of its own. A page that is not as S3 documents it is left to botocore, whole.
"""

from __future__ import annotations

import functools
import re
from dataclasses import dataclass

from s3magic.listing.columns import Columns
from s3magic.listing.decoding import Unexpected, decoded, owners, repeated, sizes, stamps

__all__ = ["split", "told"]

_HEAD = re.compile(
    r"""\s*(?:<\?xml\ version=["']1\.0["'](?:\ encoding=["'](?i:utf-8)["'])?\s*\?>\s*)?
    <(List(?:Bucket|Versions)Result)(?:\ xmlns="[^"<&]*")?>""",
    re.VERBOSE,
)
_RECORD = re.compile(r"<(Contents|Version|DeleteMarker|CommonPrefixes)([\s/>])")
# An element with nothing but text in it. Of the text only an ETag's quotes are
# looked at: they are no part of the value, and are written in one of three ways.
_LEAF = re.compile(r"""<(?:(ETag)>("|&quot;|&\#34;)[^<&"]*\2</ETag|(\w+)>[^<]*</\3)>""", re.VERBOSE)
_BLANK = re.compile(r"<(\w+)>([^<]*)</\1>")  # the same with its text taken out, but for quotes
_TAGS = re.compile(r"\s*(?:</?\w+>\s*)*")
_TAG = re.compile(r"<(/?)(\w+)>")
# What is taken of a record. The texts are looked at a column at a time: a
# pattern that knows what a size looks like takes half as long again.
_FIELDS = {
    *("Key", "LastModified", "ETag", "Size", "StorageClass"),
    *("Owner.ID", "Owner.DisplayName", "VersionId", "IsLatest", "Prefix"),
}
# What stands beside the records and is encoded with them: the answer is decoded
# here or by botocore, never by both.
_ENCODED = re.compile(r"<(EncodingType|NextMarker|NextKeyMarker)(?:/>|>([^<]*)</\1>)")
_BESIDE = re.compile(r"<(\w+)>([^<]*)</\1>|<(\w+)/>")


def split(body: bytes | memoryview) -> tuple[bytes, Columns] | None:
    """Part a page into the XML that is left without its records, and the records.

    Every byte of a record is read, or none: what the expression of a run does
    not cover from end to end begins the next run. Bytes between records stay.

    Args:
        body: The answer to ListObjects, ListObjectsV2 or ListObjectVersions.

    Returns:
        The rest and the columns; None for a page that is not as S3 documents
        it (an error, another namespace prefix, a size that is no number).
    """
    try:
        return _split(str(body, "utf-8"))
    except (Unexpected, ValueError, KeyError):
        return None


def told(rest: bytes) -> dict[str, str] | None:
    """Read what stands beside the records: a text a field.

    Args:
        rest: What `split` left of a page.

    Returns:
        The texts, without XML's entities; None where there is anything but texts.
    """
    text = rest.decode()
    head = _HEAD.match(text)
    if head is None or _BESIDE.sub("", text[head.end() :]).strip() != f"</{head[1]}>":
        return None
    try:
        return {
            found[1] or found[3]: decoded([found[2] or ""], encoded=False)[0]
            for found in _BESIDE.finditer(text, head.end())
        }
    except Unexpected:
        return None


@dataclass(frozen=True, slots=True)
class _Shape:
    """How a server writes a record.

    Args:
        kind: The record's element.
        fields: What the pattern's groups hold.
        quote: What stands around the ETag; None where there is no ETag.
        pattern: Reads one record, else all that is left, as its last group.
    """

    kind: str
    fields: tuple[str, ...]
    quote: str | None
    pattern: re.Pattern[str]

    def read(self, text: str) -> tuple[dict[str, list[str]], int]:
        """Read the records that a text begins with.

        Returns:
            A list of texts a field, and how many characters are left behind them.
        """
        # One flat list: a record is nothing (what stands before the match), its
        # groups, and None for the group of what is left. Tuples would cost a third more.
        flat = self.pattern.split(text)
        width = len(self.fields) + 2
        end = len(flat) - 1 - width
        if not end:
            raise Unexpected
        texts = {name: flat[at:end:width] for at, name in enumerate(self.fields, 1)}
        return texts, len(flat[-2])


def _split(text: str) -> tuple[bytes, Columns]:
    head = _HEAD.match(text)
    if head is None or not text.rstrip().endswith(f"</{head[1]}>"):
        raise Unexpected
    if "\r" in text:  # XML reads it as another line's end
        raise Unexpected
    runs: list[tuple[_Shape, dict[str, list[str]]]] = []
    kept = []
    at = depth = 0
    while record := _RECORD.search(text, at):
        begin, name = record.start(), record[1]
        kept.append(text[at:begin])
        depth += _depth(kept[-1])
        if depth != 1 or record[2] != ">":  # a record stands right below the root
            raise Unexpected
        stop = text.index(f"</{name}>", begin)
        first = text[begin : stop + len(name) + 3]
        shape = _shape(name, _LEAF.sub(r"<\1\3>\2</\1\3>", first))
        texts, left = shape.read(text[begin:])
        runs.append((shape, texts))
        at = len(text) - left
    kept.append(text[at:])
    rest = "".join(kept)
    if depth + _depth(kept[-1]) or "<!" in rest:
        raise Unexpected
    told = {found[1]: found[2] or "" for found in _ENCODED.finditer(rest)}
    encoding = told.pop("EncodingType", "")
    if encoding not in {"", "url"}:
        raise Unexpected
    columns = Columns()
    for shape, texts in runs:
        _append(columns, shape, texts, encoded=bool(encoding))
    for name, marker in told.items():
        (columns.markers[name],) = decoded([marker], encoded=bool(encoding))
    return _ENCODED.sub("", rest).encode(), columns


def _depth(piece: str) -> int:
    """Count the elements that a piece opens and does not close."""
    return len(re.findall(r"<\w", piece)) - piece.count("</") - piece.count("/>")


@functools.lru_cache(maxsize=64)
def _shape(kind: str, blank: str) -> _Shape:
    """Read how records of a kind are written from one whose values were taken out."""
    path: list[str] = []
    fields: list[str] = []
    quote = None
    pattern = r"\s*"
    at = 0
    for leaf in _BLANK.finditer(blank):
        pattern += _walk(blank[at : leaf.start()], path)
        at = leaf.end()
        name = leaf[1]
        place = ".".join((*path[1:], name))
        if place in _FIELDS:
            fields.append(place)
            pattern += f"<{name}>{leaf[2]}([^<]*){leaf[2]}</{name}>"
            if place == "ETag":
                quote = '"' if leaf[2] else ""
        else:
            # AWS writes checksums, for one, only for the objects that have them.
            pattern += f"(?:<{name}>[^<]*</{name}>)?"
    pattern += _walk(blank[at:], path)
    if path or len(set(fields)) < len(fields):
        raise Unexpected
    return _Shape(kind, tuple(fields), quote, re.compile(f"{pattern}|((?s:.+))"))


def _walk(tags: str, path: list[str]) -> str:
    """Follow tags that hold others; gives them back, if they are nothing but that."""
    if not _TAGS.fullmatch(tags):
        raise Unexpected
    for closes, name in _TAG.findall(tags):
        if not closes:
            path.append(name)
        elif not path or path.pop() != name:
            raise Unexpected
    return tags


def _append(columns: Columns, shape: _Shape, texts: dict[str, list[str]], *, encoded: bool) -> None:
    """Turn the texts of a run into values, behind those of the runs before it."""
    if shape.kind == "CommonPrefixes":
        columns.prefixes += decoded(texts["Prefix"], encoded=encoded)
        return
    keys = decoded(texts["Key"], encoded=encoded)
    nothing = [None] * len(keys)
    etags, latest = "".join(texts.get("ETag", ())), texts.get("IsLatest", ())
    # Whether quotes within an ETag would be the server's or the value's is not ours to say.
    if "&" in etags or '"' in etags or not {*latest} <= {"true", "false"}:
        raise Unexpected
    deleted = shape.kind == "DeleteMarker"
    columns.keys += keys
    columns.sizes += [0] * len(keys) if deleted else sizes(texts["Size"])
    columns.stamps += stamps(texts["LastModified"]) if "LastModified" in texts else nothing
    columns.etags += texts.get("ETag", nothing)
    columns.classes += repeated(texts["StorageClass"]) if "StorageClass" in texts else nothing
    columns.owners += owners(texts, len(keys))
    columns.version_ids += repeated(texts["VersionId"]) if "VersionId" in texts else nothing
    columns.latest += [told == "true" for told in latest] or [False] * len(keys)
    columns.deleted += [deleted] * len(keys)
    if columns.quote is None:
        columns.quote = shape.quote
    elif shape.quote not in {None, columns.quote}:
        raise Unexpected

"""Reads the head of an answer, HTTP/1.1 (RFC 9112), and says which answers are plain.

A plain answer is a status line and headers, which httptools parses, and a body
of a length that the headers tell, or in chunks for who takes those. Whatever
else comes is `Unplain`, and for the ordinary client to judge.
"""

from __future__ import annotations

import errno

import httptools

from s3magic.settings import KiB

__all__ = [
    "BODILESS",
    "BUSY",
    "CROWDED",
    "LONGEST",
    "SILENT",
    "Head",
    "Unplain",
    "crowded",
    "end_of_head",
    "read_head",
    "unanswered",
]

SILENT = 408
"""The status that stands for an answer that did not come in time (RFC 9110, 15.5.9)."""

CROWDED = 429
"""The status that stands for a request for which this process had no descriptor left."""

BUSY = frozenset({CROWDED, 503, SILENT})
"""What a server says, or does not say, that is asked too much (S3 API, Error Responses)."""

BODILESS = frozenset({204, 304})
"""Behind these comes no body, whatever length they tell (RFC 9112, 6.3)."""

LONGEST = 64 * KiB
"""Bytes of an answer's head at most; servers allow 8 to 64 KiB."""


class Unplain(Exception):
    """No plain answer came, so the ordinary client shall ask.

    Args:
        status: The answer's status; 0 where there was none.
        reason: What was not plain.
    """

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(f"{status} {reason}")
        self.status = status


def crowded(error: object) -> bool:
    """Tell whether an error says that too many files and connections are open."""
    return isinstance(error, OSError) and error.errno in {errno.EMFILE, errno.ENFILE}


def unanswered(error: OSError) -> Unplain:
    """Give what stands for a request that has no answer."""
    if isinstance(error, TimeoutError):
        return Unplain(SILENT, "no answer in time")
    return Unplain(CROWDED if crowded(error) else 0, str(error) or "no answer")


class Head:
    """An answer's status and headers.

    httptools hands it the headers one by one; a dictionary's own method takes
    them, because a function of Python's for each would cost as much as all the
    rest of a small answer.
    """

    __slots__ = ("_raw", "chunked", "keeps", "length", "on_header", "status")

    def __init__(self) -> None:
        self.status = 0
        self.length = 0
        """Bytes of the body; 0 where it comes in chunks."""
        self.chunked = False
        """Whether it does."""
        self.keeps = False
        """Whether the server leaves the connection open behind the answer."""
        self._raw: dict[bytes, bytes] = {}
        self.on_header = self._raw.__setitem__

    def read(self) -> None:
        """Take the headers' names for what they are in any letters."""
        self._raw = {name.lower(): value for name, value in self._raw.items()}

    def get(self, name: bytes) -> str | None:
        """Give a header by its name in lower case; None where there is none."""
        value = self._raw.get(name)
        return None if value is None else value.decode("latin-1")

    @property
    def headers(self) -> dict[str, str]:
        """All of them, by their names in lower case."""
        return {
            name.decode("latin-1"): value.decode("latin-1") for name, value in self._raw.items()
        }


def end_of_head(came: bytes | bytearray, size: int) -> int:
    """Find where a head ends in the first `size` bytes that came; 0 where it goes on.

    Raises:
        Unplain: It is longer than any server's.
    """
    end = came.find(b"\r\n\r\n", 0, size) + 4
    if end >= 4:
        return end
    if size >= LONGEST:
        raise Unplain(0, "a head without end")
    return 0


def read_head(raw: memoryview, *, chunks: bool = False) -> Head:
    """Read a head, which is all there.

    Args:
        raw: What came.
        chunks: Whether the body may come in chunks.

    Raises:
        Unplain: It is no HTTP, or tells no length of its body.
    """
    head = Head()
    parser = httptools.HttpResponseParser(head)
    try:
        parser.feed_data(raw)
    except (httptools.HttpParserError, httptools.HttpParserUpgrade) as error:
        raise Unplain(0, "no HTTP") from error
    head.status = parser.get_status_code()
    head.read()
    coding = head.get(b"transfer-encoding")
    length = head.get(b"content-length") or ""
    head.chunked = chunks and not length and (coding or "").lower() == "chunked"
    # Nothing comes behind a 204, and no length need be told of it (RFC 9110, 15.3.5).
    none = head.status == 204 and coding is None and not length
    told = none or (coding is None and length.isascii() and length.isdigit())
    if not (told or head.chunked) or head.status < 200:
        raise Unplain(head.status, "no length")
    head.length = int(length or 0)
    # Not should_keep_alive, which forgets what was said once a body of nothing has ended.
    closes = "close" in (head.get(b"connection") or "").lower()
    head.keeps = parser.get_http_version() == "1.1" and not closes
    return head

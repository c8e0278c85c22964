"""Puts together a body that comes in chunks, HTTP/1.1 (RFC 9112, 7.1).

httptools reads the chunks, their extensions and the trailer. A server that goes
on behind the end of its answer is not understood, and its connection not used again.
"""

from __future__ import annotations

import httptools

from s3magic.wire.answer import Unplain

__all__ = ["Chunks"]


class Chunks:
    """One answer on its way.

    Args:
        head: The answer's head, as it came: it says how the body comes.
    """

    def __init__(self, head: bytes | memoryview) -> None:
        self.complete = False
        """Whether the last chunk has come, and the trailer."""
        self._pieces: list[bytes] = []
        self.on_body = self._pieces.append
        self._begun = 0
        self._parser = httptools.HttpResponseParser(self)
        self._parser.feed_data(head)

    def feed(self, came: bytes | memoryview) -> None:
        """Take what came next.

        Raises:
            Unplain: It is no chunk, or something stands behind the last one.
        """
        try:
            self._parser.feed_data(came)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade) as error:
            raise Unplain(200, "no chunks") from error
        if self._begun > 1:
            raise Unplain(200, "more than one answer")

    def body(self) -> bytes:
        """Give all of the body that has come."""
        return b"".join(self._pieces)

    # called by httptools

    def on_message_begin(self) -> None:
        """Note that an answer begins."""
        self._begun += 1

    def on_message_complete(self) -> None:
        """Note that an answer has ended."""
        self.complete = True

"""The body of a request that tells how much of it has been sent.

botocore reads a body before it is sent, to sign it, and again for each retry.
Only what is read after ``before-send`` goes over the line, so that is when the
count begins, and begins anew.
"""

from __future__ import annotations

import contextlib
import io
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from types_aiobotocore_s3 import S3Client

__all__ = ["Body"]

# In a list that is emptied: a connection keeps the context that it was made in for
# as long as it lives, and would keep a body of megabytes with it.
_sending: ContextVar[list[Body] | None] = ContextVar("s3magic-sending", default=None)


class Body(io.BytesIO):
    """A piece of a source, read whole.

    A stream, because aiohttp writes it as fast as the socket takes it; bytes it
    would write at once, into a buffer of the transport that holds them a second
    time. It must be the only owner of its bytes, or it copies them too.
    """

    _told = 0
    _on: Callable[[int], object] | None = None

    def read(self, size: int | None = -1, /) -> bytes:
        """Read as any stream, and tell what is being sent."""
        data = super().read(size)
        if self._on is not None:
            self._tell(len(data))
        return data

    def seek(self, offset: int, whence: int = 0, /) -> int:
        """Seek as any stream: whoever goes back reads it again, and not to send it."""
        self._on = None
        return super().seek(offset, whence)

    @contextlib.contextmanager
    def telling(self, client: S3Client, advance: Callable[[int], object]) -> Iterator[None]:
        """Tell of the bytes that the block's request sends; all of them if it succeeds.

        Args:
            client: The client that sends it.
            advance: Called with a number of bytes; a negative one takes back
                what must be sent again.
        """
        client.meta.events.register_first("before-send.s3", _begin, unique_id="s3magic-sending")
        holder = [self]
        token = _sending.set(holder)
        self._advance = advance
        try:
            yield
        except BaseException:
            self._tell(-self._told)
            raise
        finally:
            self._on = None
            holder.clear()
            _sending.reset(token)
        self._tell(self.getbuffer().nbytes - self._told)

    def begin(self) -> None:
        """Count from here on: what was read before was not sent, or was in vain."""
        self._tell(-self._told)
        self._on = self._advance

    def _tell(self, size: int) -> None:
        if size:
            self._told += size
            self._advance(size)


def _begin(**_: Any) -> None:
    for body in _sending.get() or ():
        body.begin()

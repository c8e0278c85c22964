"""A door before an S3 server that cuts one request, or all from one on.

It counts requests, and can give a bucket a second name. It runs on the test's
own loop; what it lets through is not changed, so that signatures hold, but for
that name.
"""

from __future__ import annotations

import asyncio
import contextlib

import aiohttp
from aiobotocore.config import AioConfig
from aiobotocore.session import get_session
from yarl import URL

from s3magic.httpsession import http_session_class
from s3magic.server_probe import HOST, REGION
from s3magic.wire.wire import attach, detach
from serving import serving

_ERROR = b"<Error><Code>%s</Code><Message>Cut.</Message></Error>"


class Door:
    """Use it as an async context manager.

    Args:
        server: The server behind it.
    """

    def __init__(self, server):
        self._behind = server.endpoint_url
        self.access_key, self.secret_key = server.access_key, server.secret_key
        self.names = {}
        """Of buckets: a second name, and the first."""
        self.open()

    async def __aenter__(self):
        async with contextlib.AsyncExitStack() as stack:
            self._session = await stack.enter_async_context(
                aiohttp.ClientSession(
                    auto_decompress=False,
                    skip_auto_headers=("User-Agent", "Accept", "Content-Type"),
                )
            )
            port = await stack.enter_async_context(serving(self._serve))
            self.endpoint_url = f"http://{HOST}:{port}"
            self._stack = stack.pop_all()
        return self

    async def __aexit__(self, *_exception):
        await self._stack.aclose()

    def open(self):
        """Let everything through, and count anew."""
        self.cut("", 0)

    def cut(self, fault, step, *, lasting=False, method=""):
        """Cut the request of this number, counted from here on.

        Args:
            fault: What becomes of it: ``unheard`` or ``unanswered`` and the
                connection closed; ``error``, a 500; ``error inside``, one in a
                200; ``denied``; ``unknown``, a 501; ``silent before`` it is passed
                on, or ``silent after``.
            step: Which, the first is 1.
            lasting: Whether all that come behind it are cut too.
            method: Count only such: ``DELETE``.
        """
        self._fault, self._step, self._lasting = fault, step, lasting
        self._method = method
        self.count = 0
        self.reached = asyncio.Event()

    async def _serve(self, reader, writer):
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):  # an end is gone
            while await self._one(reader, writer):
                pass

    async def _one(self, reader, writer):
        """Pass one request on; tells whether the connection stays."""
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        line, *lines = head.strip().split("\r\n")
        headers = [tuple(one.split(": ", 1)) for one in lines if ": " in one]
        length = sum(int(value) for name, value in headers if name.lower() == "content-length")
        body = await reader.readexactly(length)
        method, target, _ = line.split(" ")
        counted = self._method in {"", method}
        self.count += counted
        behind = self._lasting and self.count > self._step > 0
        cut = counted and (self.count == self._step or behind)
        fault = self._fault if cut else ""
        if cut and fault != "silent after":
            self.reached.set()
        if fault == "silent before":
            await asyncio.Event().wait()
        if fault == "unheard":
            return False
        if fault.startswith("error"):
            status, kept, answer = (
                (200 if "inside" in fault else 500),
                [],
                _ERROR % b"InternalError",
            )
        elif fault == "unknown":
            status, kept, answer = 501, [], _ERROR % b"NotImplemented"
        elif fault == "denied":
            status, kept, answer = 403, [], _ERROR % b"AccessDenied"
        else:
            status, kept, answer = await self._ask(method, target, headers, body)
        if fault == "silent after":
            self.reached.set()
            await asyncio.Event().wait()
        if fault == "unanswered":
            return False
        told = [f"HTTP/1.1 {status} Said"]
        told += [f"{name}: {value}" for name, value in kept if name.lower() != "content-length"]
        lengths = [value for name, value in kept if name.lower() == "content-length"]
        told.append(f"content-length: {lengths[0] if lengths else len(answer)}")
        writer.write("\r\n".join(told).encode("latin-1") + b"\r\n\r\n")
        writer.write(b"" if method == "HEAD" else answer)
        with contextlib.suppress(ConnectionError):
            await writer.drain()
        return True

    async def _ask(self, method, target, headers, body):
        for second, first in self.names.items():
            target = target.replace(f"/{second}", f"/{first}", 1)
            headers = [(name, value.replace(f"{second}/", f"{first}/")) for name, value in headers]
        url = URL(self._behind + target, encoded=True)
        sent = [(name, value) for name, value in headers if name.lower() != "content-length"]
        asked = self._session.request(
            method, url, headers=sent, data=body or None, allow_redirects=False
        )
        async with asked as answer:
            dropped = {"connection", "transfer-encoding", "keep-alive"}
            kept = [pair for pair in answer.headers.items() if pair[0].lower() not in dropped]
            return answer.status, kept, await answer.read()


@contextlib.asynccontextmanager
async def through(server):
    """A door, and a client behind it that asks once: no cut is made good by asking again."""
    config = AioConfig(
        s3={"addressing_style": "path"},
        retries={"total_max_attempts": 1},
        request_checksum_calculation="when_required",
        response_checksum_validation="when_required",
        http_session_cls=http_session_class(),
    )
    async with (
        Door(server) as door,
        get_session().create_client(
            "s3",
            endpoint_url=door.endpoint_url,
            aws_access_key_id=server.access_key,
            aws_secret_access_key=server.secret_key,
            region_name=REGION,
            config=config,
        ) as client,
    ):
        attach(client, client._request_signer._credentials)
        try:
            yield door, client
        finally:
            detach(client)

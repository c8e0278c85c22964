"""The HTTP session of our clients: aiobotocore's, less what must not happen.

It follows no redirect, it lets a request be caught before it is sent, and its
sockets can be let go of when no loop will run again.
"""

from __future__ import annotations

import contextlib
import functools
import weakref
from typing import Any

from s3magic.wire.template import Caught, Route, catching

__all__ = ["abandon_sockets", "http_session_class", "route_of"]


def _route(
    verify: bool | str = True,  # noqa: FBT001, FBT002 - as botocore has it
    timeout: Any = None,
    proxies: Any = None,
    client_cert: Any = None,
    **_: Any,
) -> Route:
    """Tell the wire how this session connects."""
    connect, read = timeout if isinstance(timeout, list | tuple) else (timeout, timeout)
    return Route(verify, not proxies and not client_cert, connect, read)


@functools.cache
def http_session_class() -> type[Any]:
    """Make the HTTP session's class: aiobotocore's, less what must not happen.

    botocore never follows a redirect by itself, it signs anew for the right
    region; aiohttp would follow any, with the body and the credentials.
    """
    from aiobotocore.httpsession import AIOHTTPSession

    class NoRedirects:
        """An aiohttp session that gives a redirect back as the answer it is."""

        def __init__(self, session: Any) -> None:
            self._session = session

        def request(self, method: str, **options: Any) -> Any:
            return self._session.request(method, allow_redirects=False, **options)

    class HttpSession(AIOHTTPSession):  # type: ignore[misc]
        def __init__(self, *args: Any, **options: Any) -> None:
            super().__init__(*args, **options)
            self._route = _route(**options)
            _http_sessions.add(self)

        async def send(self, request: Any) -> Any:
            if catching.get():
                raise Caught(request, self._route)
            return await super().send(request)

        async def _get_session(self, proxy_url: str | None) -> Any:
            return NoRedirects(await super()._get_session(proxy_url))

        def abandon(self) -> None:
            """Let go of every socket, for a loop that will not run again."""
            for session in (self._sessions or {}).values():
                if not session.closed:
                    connector = session.connector
                    session.detach()
                    connector._close()  # noqa: SLF001 - the public one needs a running loop

    return HttpSession


def route_of(client: Any) -> Route:
    """Tell how a client of ours connects: directly or not, and what it verifies."""
    found: Route = client._endpoint.http_session._route  # noqa: SLF001 - no public way leads there
    return found


_http_sessions: weakref.WeakSet[Any] = weakref.WeakSet()


def abandon_sockets() -> None:
    """Let go of every socket of every client, when no loop will run again."""
    for session in list(_http_sessions):
        with contextlib.suppress(Exception):
            session.abandon()

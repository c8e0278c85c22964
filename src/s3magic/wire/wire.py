"""What one client has on the wire: its templates, its connections, its credentials as they are."""

from __future__ import annotations

import asyncio
import time
import weakref
from collections import OrderedDict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from s3magic.wire.addresses import Address
from s3magic.wire.pool import Pool
from s3magic.wire.signing import Keys
from s3magic.wire.template import PROBE, Caught, catching, learn

if TYPE_CHECKING:
    import ssl
    from collections.abc import Mapping

    from types_aiobotocore_s3 import S3Client

    from s3magic.wire.template import Route, Template

__all__ = ["Wire", "attach", "detach", "tls_context", "wire_of"]

_TEMPLATES = 64  # kept at once: one a bucket, operation and set of headers
_SENDING = frozenset({"put_object", "upload_part"})
_FRESH = 1.0  # seconds for which credentials are not asked for again
_CUSTOMER_KEY = "SSECustomerKey"  # stays with the client: not even the table may hold it
_AGAIN = 1.0  # seconds for which a kind of request is the client's, until it is learned anew


@dataclass(frozen=True, slots=True)
class _Known:
    """What was learned of one kind of request.

    Args:
        template: None where the client's request is not one that we can make.
        since: When it was learned, by the clock that only goes forward.
    """

    template: Template | None
    since: float

    @property
    def outdated(self) -> bool:
        """Whether to learn it anew: the client may have found a bucket's region meanwhile."""
        template = self.template
        if template is not None and template.trusted:
            return template.stale
        return time.monotonic() - self.since > _AGAIN


class Wire:
    """The plain way to a client's server, beside the client. Used on the client's loop.

    Args:
        client: The client.
        credentials: Its credentials' source, as botocore has it; None for none.
    """

    def __init__(self, client: S3Client, credentials: Any) -> None:
        self.pool = Pool()
        self._client = weakref.ref(client)
        self._credentials = credentials
        self._keys: Keys | None = None
        self._asked = 0.0
        self._contexts: dict[bool | str, ssl.SSLContext] = {}
        self._known: OrderedDict[tuple[str, ...], _Known] = OrderedDict()

    async def template(
        self, operation: str, bucket: str, parameters: Mapping[str, Any] | None = None
    ) -> Template | None:
        """Give the template of an operation; None where the ordinary client must do it.

        Args:
            operation: ``get_object``, ``head_object``, ``put_object``, ``upload_part``,
                ``copy_object``, ``delete_object``.
            bucket: The bucket.
            parameters: What else the client's method is given, but for key and body.
        """
        name: tuple[str, ...] = (operation, bucket)
        if parameters:
            if _CUSTOMER_KEY in parameters:
                return None
            name += (repr(sorted(parameters.items())),)
        known = self._known.get(name)
        try:
            if known is None or known.outdated:
                template = await self._learned(operation, bucket, parameters)
                before = known and known.template
                if template and before and template.goes_where(before):
                    template.doubts = before.doubts  # the same server, no plainer than it was
                known = self._known[name] = _Known(template, time.monotonic())
                if len(self._known) > _TEMPLATES:
                    self._known.popitem(last=False)
            template = known.template
            if template is None or not template.trusted:
                return None
            if template.keys is not None:
                template.keys = await self._renewed() or template.keys
        except Exception:  # noqa: BLE001 - the ordinary way will say what is wrong; it may pass
            return None
        return template

    async def _renewed(self, fresh: float = _FRESH) -> Keys | None:
        now = time.monotonic()
        if self._credentials is not None and (self._keys is None or now - self._asked > fresh):
            frozen = await self._credentials.get_frozen_credentials()
            self._keys = Keys(frozen.access_key, frozen.secret_key, frozen.token)
            self._asked = now
        return self._keys

    async def _learned(
        self, operation: str, bucket: str, parameters: Mapping[str, Any] | None
    ) -> Template | None:
        client = self._client()
        if client is None:
            return None
        token = catching.set(True)
        try:
            body = {"Body": b""} if operation in _SENDING else {}
            await getattr(client, operation)(Bucket=bucket, Key=PROBE, **(parameters or {}), **body)
        except Caught as caught:
            request, route = caught.request, caught.route
        else:
            return None
        finally:
            catching.reset(token)
        if not route.direct:
            return None
        # Asked for now: the client may have had to renew them for this very request.
        keys = await self._renewed(0)
        return learn(request, keys, await self._address(request.url, route))

    async def _address(self, url: str, route: Route) -> Address:
        parts = urlsplit(url)
        secure = parts.scheme == "https"
        context = None
        if secure:
            context = self._contexts.get(route.verify)
            if context is None:
                context = await asyncio.to_thread(tls_context, route.verify)
                self._contexts[route.verify] = context
        return Address(
            parts.hostname or "",
            parts.port or (443 if secure else 80),
            context,
            route.connect_timeout,
            route.read_timeout,
        )


def tls_context(verify: bool | str) -> ssl.SSLContext:  # noqa: FBT001 - as botocore has it
    """Make a TLS context that trusts whom the client trusts."""
    import ssl

    from botocore.httpsession import get_cert_path

    if not verify:
        context = ssl.create_default_context()
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        return context
    return ssl.create_default_context(cafile=get_cert_path(verify))


_wires: weakref.WeakKeyDictionary[Any, Wire] = weakref.WeakKeyDictionary()


def attach(client: S3Client, credentials: Any) -> None:
    """Give a client its wire.

    Args:
        client: A client whose HTTP session throws `Caught` where `catching` says so.
        credentials: Its credentials' source; None for none.
    """
    _wires[client] = Wire(client, credentials)


def wire_of(client: S3Client) -> Wire | None:
    """Give a client's wire; None for a client that has none, a user's own for example."""
    return _wires.get(client)


def detach(client: S3Client) -> None:
    """Close a client's connections."""
    wire = _wires.pop(client, None)
    if wire is not None:
        wire.pool.close()

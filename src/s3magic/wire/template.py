"""The requests that a client makes, all but their key: learned from the client itself.

The client is asked for one request of each kind, which is caught before it is
sent. So endpoint, addressing, region, headers and whatever was configured are
the client's own. A template is made only if our signature over that request is
the very one that the client put on it; any other way to sign, or to connect,
stays with the client.
"""

from __future__ import annotations

import functools
import time
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlsplit

from s3magic.wire.signing import EMPTY, UNSIGNED, Keys, Scope, authorization, lined, trimmed

if TYPE_CHECKING:
    from collections.abc import Mapping
    from urllib.parse import SplitResult

    from s3magic.wire.addresses import Address

__all__ = ["PROBE", "Caught", "Route", "Template", "catching", "learn"]

PROBE = "s3magic"
"""The key of the request that is caught."""

# Not signed, as botocore does not sign them: what stands between may change them.
_UNSIGNED = frozenset(
    {"accept-encoding", "expect", "transfer-encoding", "user-agent", "x-amzn-trace-id"}
)
_SIGNED = frozenset({"host", "x-amz-content-sha256", "x-amz-date"})
# Of the request that was caught, what each request has of its own.
_OWN = frozenset(
    {
        "amz-sdk-invocation-id",
        "amz-sdk-request",
        "authorization",
        "content-length",
        "expect",
        "if-match",
        "transfer-encoding",
        "x-amz-checksum-crc32",
        "x-amz-content-sha256",
        "x-amz-copy-source",
        "x-amz-copy-source-if-match",
        "x-amz-date",
        "x-amz-decoded-content-length",
        "x-amz-security-token",
        "x-amz-trailer",
    }
)
# What is the customer's own key stays with the client, which keeps it nowhere.
_CUSTOMER_KEY = "server-side-encryption-customer-key"
_QUERY = frozenset({"partNumber", "uploadId"})  # of the request that was caught
_STREAMING = "STREAMING-UNSIGNED-PAYLOAD-TRAILER"
_CRC32 = "x-amz-checksum-crc32"
_UNTRUSTED = 8  # answers in a row that were not plain: the server is not for us


@dataclass(frozen=True, slots=True)
class Route:
    """How a client's HTTP session connects.

    Args:
        verify: True, False, or a file of certificate authorities.
        direct: Whether there is neither a proxy nor a client's certificate.
        connect_timeout: Seconds.
        read_timeout: Seconds.
    """

    verify: bool | str
    direct: bool
    connect_timeout: float
    read_timeout: float


class Caught(Exception):
    """Thrown through the client in place of sending a request: it holds the request."""

    def __init__(self, request: Any, route: Route) -> None:
        super().__init__("caught before it was sent")
        self.request = request
        self.route = route


catching: ContextVar[bool] = ContextVar("s3magic-catching", default=False)
"""Whether the client's HTTP session is to throw `Caught` in place of sending."""


@dataclass(frozen=True, slots=True)
class _Form:
    """Headers with places, ``%(name)s``, for what each request has of its own.

    Args:
        signed: As they are signed.
        names: Their names, as they are signed.
        sent: As they are sent.
    """

    signed: str
    names: str
    sent: str


@dataclass(slots=True)
class Template:
    """One kind of request to one bucket.

    Args:
        address: Where to.
        method: ``GET`` or ``PUT``.
        prefix: The path before the key, as it is sent.
        headers: What each has in common, by names in lower case.
        keys: Whose signature it carries; None for none. Renewed from the loop.
        scope: What the signature is valid for.
        hashed: Whether the body's hash is signed.
        summed: Whether the body's CRC-32 goes with it.
    """

    address: Address
    method: str
    prefix: str
    headers: dict[str, str]
    keys: Keys | None
    scope: Scope
    hashed: bool = True
    summed: bool = False
    doubts: int = 0
    stale: bool = False
    _forms: dict[tuple[str, ...], _Form] = field(default_factory=dict, init=False, repr=False)

    def goes_where(self, other: Template) -> bool:
        """Tell whether it leads to the same server, in the same way, as another one."""
        ours, theirs = self.scope, other.scope
        same = (self.address, self.prefix) == (other.address, other.prefix)
        return same and (ours.region, ours.service) == (theirs.region, theirs.service)

    @property
    def trusted(self) -> bool:
        """Whether the server gives plain answers."""
        return self.doubts < _UNTRUSTED

    def doubt(self, status: int) -> None:
        """Note the status of an answer that was not plain, or not what was asked for."""
        if 300 <= status <= 403:
            self.stale = True  # learned anew: a redirect is the client's to follow
        if 100 <= status <= 400:
            self.doubts += 1

    def render(
        self,
        key: str,
        headers: Mapping[str, str] | None = None,
        *,
        query: str = "",
        payload: str = EMPTY,
    ) -> bytes:
        """Give a request's line and headers, signed now.

        Args:
            key: The object's key.
            headers: What it has of its own, by names in lower case, no blanks around.
            query: ``name=value`` in order of the names, percent-encoded.
            payload: The hash of its body, or `UNSIGNED`.

        Raises:
            UnicodeEncodeError: The key cannot be written in UTF-8.
        """
        path = self.prefix + quote(key, safe="/~")
        own = dict(headers or ())
        keys = self.keys
        if keys is not None:
            own["x-amz-date"] = stamp = _stamp(int(time.time()))
            own["x-amz-content-sha256"] = payload
            if keys.token is not None:
                own["x-amz-security-token"] = keys.token
            form = self._form(tuple(own))
            canonical = (self.method, path, query, form.signed % own, form.names, payload)
            own["authorization"] = authorization(keys, self.scope, stamp, canonical)
        lines = self._form(tuple(own)).sent % own
        target = f"{path}?{query}" if query else path
        return f"{self.method} {target} HTTP/1.1\r\n{lines}\r\n".encode()

    def _form(self, own: tuple[str, ...]) -> _Form:
        """Give the headers of all requests that have these of their own."""
        form = self._forms.get(own)
        if form is None:
            common = [(name, value.replace("%", "%%")) for name, value in self.headers.items()]
            places = [(name, f"%({name})s") for name in own]
            signed = [(name, trimmed(value)) for name, value in common if name not in _UNSIGNED]
            sent = "".join(f"{name}: {value}\r\n" for name, value in [*common, *places])
            form = self._forms[own] = _Form(*lined(sorted(signed + places)), sent)
        return form


def learn(request: Any, keys: Keys | None, address: Address) -> Template | None:
    """Make the template of a request that was caught.

    Args:
        request: What the client would have sent, for the key `PROBE`.
        keys: The client's credentials, as we know them.
        address: Where it goes.

    Returns:
        None where we cannot be sure to make the same requests.
    """
    url = urlsplit(request.url)
    headers = {name.lower(): _text(value) for name, value in request.headers.items()}
    sums = {name for name in headers if name.startswith("x-amz-checksum-")}
    trailer = headers.get("x-amz-trailer")
    strange = (
        not url.path.endswith(f"/{PROBE}")
        or (sums - {"x-amz-checksum-mode"}) - {_CRC32}
        or trailer not in {None, _CRC32}
        or "content-md5" in headers
        or any(_CUSTOMER_KEY in name for name in headers)
        or {one.partition("=")[0] for one in url.query.split("&") if one} - _QUERY
        or any("\n" in value or "\r" in value for value in headers.values())
    )
    if strange:
        return None
    headers["host"] = _host(url)
    told = headers.get("authorization")
    scope = Scope("", "")
    if told is None:
        keys = None
    elif keys is None:
        return None
    else:
        found = _scope(told)
        if found is None or not _same(told, found, keys, request, headers):
            return None
        scope = found
    payload = headers.get("x-amz-content-sha256", "")
    common = {name: value for name, value in headers.items() if name not in _OWN}
    if trailer is not None:
        encodings = [one.strip() for one in common.pop("content-encoding", "").split(",")]
        if kept := ",".join(one for one in encodings if one and one != "aws-chunked"):
            common["content-encoding"] = kept
    common.setdefault("accept-encoding", "identity")
    return Template(
        address,
        request.method,
        url.path.removesuffix(PROBE),
        common,
        keys,
        scope,
        hashed=payload not in {UNSIGNED, _STREAMING} and keys is not None,
        summed=trailer is not None or _CRC32 in sums,
    )


def _same(told: str, scope: Scope, keys: Keys, request: Any, headers: Mapping[str, str]) -> bool:
    """Tell whether our signature over a request is the client's own."""
    names = told.rpartition(", SignedHeaders=")[2].partition(",")[0].split(";")
    # What it signed must be there, what we always sign among it, and nothing that we never sign.
    if not _SIGNED <= set(names) <= headers.keys() or _UNSIGNED & set(names):
        return False
    signed = [(name, trimmed(headers[name])) for name in sorted(names)]
    url = urlsplit(request.url)
    query = "&".join(sorted(url.query.split("&")))
    payload, stamp = headers["x-amz-content-sha256"], headers["x-amz-date"]
    canonical = (request.method, url.path, query, *lined(signed), payload)
    return authorization(keys, scope, stamp, canonical) == told


def _scope(told: str) -> Scope | None:
    scheme, _, rest = told.partition(" ")
    credential = rest.partition("Credential=")[2].partition(",")[0]
    parts = credential.rsplit("/", 4)
    if scheme != "AWS4-HMAC-SHA256" or len(parts) != 5 or parts[4] != "aws4_request":
        return None
    return Scope(parts[2], parts[3])


def _host(url: SplitResult) -> str:
    """Name the host as it is signed and sent: in lower case, without the usual port."""
    host = url.hostname or ""
    if ":" in host:  # a number of IPv6
        host = f"[{host}]"
    usual = {"http": 80, "https": 443}.get(url.scheme)
    return host if url.port in {None, usual} else f"{host}:{url.port}"


def _text(value: object) -> str:
    return value.decode() if isinstance(value, bytes) else str(value)


@functools.lru_cache(maxsize=4)
def _stamp(second: int) -> str:
    return time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(second))

"""Look at this machine's ports: which are free, which server answers there, and to what."""

from __future__ import annotations

import hashlib
import hmac
import http.client
import random
import socket
from datetime import UTC, datetime

__all__ = ["HOST", "PORTS", "REGION", "answers", "free_port", "is_free", "make_bucket"]

HOST = "127.0.0.1"
REGION = "us-east-1"
# Below the range from which Linux, macOS and Windows take the ports of
# outgoing connections, so that none of those can be in the way.
PORTS = range(11_000, 32_000)

_DICE = random.SystemRandom()  # a seed would have two servers choose alike


def free_port() -> int:
    """Find a port of the loopback address that nobody listens on now."""
    while not is_free(port := _DICE.choice(PORTS)):
        pass
    return port


def is_free(port: int) -> bool:
    """Tell whether nobody listens on this port of the loopback address."""
    with socket.socket() as probe:
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
    return True


def answers(port: int, access_key: str, secret_key: str) -> bool:
    """Ask for the buckets, signed: yes only from the server that has our keys."""
    return _ask("GET /", port, access_key, secret_key, seconds=5) == 200


def make_bucket(name: str, port: int, access_key: str, secret_key: str) -> bool:
    """Make a bucket; yes if it is there then, made now or before."""
    return _ask(f"PUT /{name}", port, access_key, secret_key, seconds=30) in {200, 409}


def _ask(what: str, port: int, access_key: str, secret_key: str, *, seconds: float) -> int:
    """Send a signed request without a body; gives its status, or 0 without an answer."""
    method, path = what.split()
    headers = _sign(what, f"{HOST}:{port}", access_key, secret_key, datetime.now(UTC))
    connection = http.client.HTTPConnection(HOST, port, timeout=seconds)
    try:
        connection.request(method, path, headers=headers)
        return connection.getresponse().status
    except (OSError, http.client.HTTPException):
        return 0
    finally:
        connection.close()


def _sign(what: str, host: str, access_key: str, secret_key: str, now: datetime) -> dict[str, str]:
    """Sign a request, ``GET /`` for example.

    The S3 API's "Authenticating Requests (AWS Signature Version 4)" says how.
    """
    headers = {
        "host": host,
        "x-amz-content-sha256": hashlib.sha256(b"").hexdigest(),
        "x-amz-date": f"{now:%Y%m%dT%H%M%SZ}",
    }
    names = ";".join(headers)
    lines = "".join(f"{name}:{value}\n" for name, value in headers.items())
    method, path = what.split()
    request = f"{method}\n{path}\n\n{lines}\n{names}\n{headers['x-amz-content-sha256']}"
    scope = (f"{now:%Y%m%d}", REGION, "s3", "aws4_request")
    digest = hashlib.sha256(request.encode()).hexdigest()
    text = f"AWS4-HMAC-SHA256\n{headers['x-amz-date']}\n{'/'.join(scope)}\n{digest}"
    key = f"AWS4{secret_key}".encode()
    for part in (*scope, text):
        key = hmac.digest(key, part.encode(), "sha256")
    credential = f"{access_key}/{'/'.join(scope)}"
    signed = f"Credential={credential}, SignedHeaders={names}, Signature={key.hex()}"
    return headers | {"Authorization": f"AWS4-HMAC-SHA256 {signed}"}

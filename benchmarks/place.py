"""The ways to the server, and where a peer finds it: plain data that crosses process borders."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any

__all__ = ["LATENCY", "REGION", "VARIANTS", "Place"]

VARIANTS = ("plain", "tls", "latency")
LATENCY = 0.05  # seconds that the slow line adds to each request

REGION = "us-east-1"


@dataclass(frozen=True, slots=True)
class Place:
    """One way to the server: directly, over TLS, or through the slow line.

    Args:
        endpoint_url: Where it listens.
        access_key: Of the one identity that the server knows.
        secret_key: The same.
        ca_file: The certificate of the authority that signed the server's, for ``https``.
    """

    endpoint_url: str
    access_key: str
    secret_key: str
    ca_file: str = ""

    @property
    def environment(self) -> dict[str, str]:
        """The variables by which AWS tools find the server, and trust it.

        Go's and Rust's programs read ``SSL_CERT_FILE``, botocore ``AWS_CA_BUNDLE``.
        """
        found = {
            "AWS_ACCESS_KEY_ID": self.access_key,
            "AWS_SECRET_ACCESS_KEY": self.secret_key,
            "AWS_ENDPOINT_URL_S3": self.endpoint_url,
            "S3_ENDPOINT_URL": self.endpoint_url,  # s5cmd's own name for it
            "AWS_DEFAULT_REGION": REGION,
            "AWS_REGION": REGION,
            "AWS_EC2_METADATA_DISABLED": "true",
        }
        if self.ca_file:
            found |= {"AWS_CA_BUNDLE": self.ca_file, "SSL_CERT_FILE": self.ca_file}
        return found

    def as_json(self) -> dict[str, Any]:
        """Give it as `Place` takes it back."""
        return dataclasses.asdict(self)

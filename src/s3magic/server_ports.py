"""Which ports the embedded server listens on: each of its listeners one of its own."""

from __future__ import annotations

from s3magic.server_probe import PORTS, free_port, is_free

__all__ = ["choose_ports", "sockets"]

_FLAGS = (
    "-s3.port",
    "-s3.port.grpc",
    "-master.port",
    "-master.port.grpc",
    "-filer.port",
    "-filer.port.grpc",
    "-volume.port",
    "-volume.port.grpc",
)
# Its worker finds the admin server's gRPC port by this sum, whatever the flag says.
_GRPC_OFFSET = 10_000


def choose_ports(wanted: int | None, *more: str) -> dict[str, int]:
    """Give each of the server's listeners a port of its own, by its flag.

    Args:
        wanted: That of S3 itself; None for one that is free.
        more: Flags of further listeners.
    """
    ports = {} if wanted is None else {"-s3.port": wanted}
    for flag in (*_FLAGS, *more):
        while flag not in ports:
            port = free_port()
            if port not in ports.values():
                ports[flag] = port
    while "-admin.port" not in ports:
        grpc = free_port()
        admin = grpc - _GRPC_OFFSET
        if admin in PORTS and {grpc, admin}.isdisjoint(ports.values()) and is_free(admin):
            ports |= {"-admin.port": admin, "-admin.port.grpc": grpc}
    return ports


def sockets(ports: dict[str, int]) -> list[str]:
    """Name the sockets that the server forgets in /tmp when it is stopped early."""
    return [
        f"/tmp/seaweedfs-{flag.strip('-').partition('.')[0]}-grpc-{port}.sock"  # noqa: S108 - its own choice
        for flag, port in ports.items()
        if flag.endswith(".grpc")
    ]

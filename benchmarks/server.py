"""The server that all peers are measured on: SeaweedFS in memory, plain and over TLS at once.

`s3magic.server` starts the same program for demos; here it serves HTTPS too,
takes larger volumes, and gives a bucket back as a whole. It ends, and its
folder goes, when this process does, however suddenly: `s3magic.server_guard`
sees to that.
"""

from __future__ import annotations

import os
import secrets
import subprocess
import sys
import time
import urllib.request
from typing import TYPE_CHECKING, Self

import trustme

from benchmarks.place import Place
from benchmarks.programs import program
from s3magic import server_guard
from s3magic.server import FLAGS
from s3magic.server_ports import choose_ports, sockets
from s3magic.server_probe import HOST, answers

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["Server"]

_FLAGS = (
    *FLAGS,
    # A bucket is a collection of volumes of its own: with it they are deleted, whole.
    "-s3.allowDeleteBucketNotEmpty=true",
    # A gigabyte object is then a few appends to few files, not eight files.
    "-master.volumeSizeLimitMB=1024",
)
# Volumes take one write at a time: a bucket with eight is not what the clients wait for.
_VOLUMES = 8
_START_SECONDS = 60.0
_STOP_SECONDS = 20.0
_ATTEMPTS = 5


class Server:
    """SeaweedFS for as long as the ``with`` block lasts.

    Args:
        folder: Of the memory file system; the server's data and log, and its
            certificates. Removed at the end.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._access_key = secrets.token_hex(10)
        self._secret_key = secrets.token_urlsafe(30)
        self._ports: dict[str, int] = {}
        self._guard: subprocess.Popen[bytes] | None = None
        self._ca_file = folder / "authority.pem"

    def __enter__(self) -> Self:
        for _ in range(_ATTEMPTS):  # another program may take a port before the server does
            self._start()
            if self._answers():
                return self
            words = (self.folder / "log").read_text("utf-8", "replace")[-2000:]
            self.__exit__()
        raise RuntimeError(f"SeaweedFS does not start. It said:\n{words}")

    def __exit__(self, *_exception: object) -> None:
        if self._guard is not None and self._guard.stdin is not None:
            self._guard.stdin.close()
            self._guard.wait(_STOP_SECONDS)

    @property
    def plain(self) -> Place:
        """The way over plain HTTP."""
        return self.through(self._ports["-s3.port"])

    @property
    def tls(self) -> Place:
        """The way over HTTPS."""
        url = f"https://{HOST}:{self._ports['-s3.port.https']}"
        return Place(url, self._access_key, self._secret_key, str(self._ca_file))

    @property
    def port(self) -> int:
        """Where plain HTTP is spoken."""
        return self._ports["-s3.port"]

    @property
    def filer_port(self) -> int:
        """Where SeaweedFS's own file interface listens, which fills a bucket quickest."""
        return self._ports["-filer.port"]

    def through(self, port: int) -> Place:
        """Give the way over plain HTTP by another port of this machine."""
        return Place(f"http://{HOST}:{port}", self._access_key, self._secret_key)

    def make_room(self, bucket: str) -> None:
        """Have the bucket's volumes made now, so that no measured write waits for them."""
        master = f"{HOST}:{self._ports['-master.port']}"
        query = f"collection={bucket}&count={_VOLUMES}&replication=000"
        with urllib.request.urlopen(f"http://{master}/vol/grow?{query}", timeout=60) as answer:
            answer.read()

    def _start(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        data = self.folder / "data"
        data.mkdir(exist_ok=True)
        self._ports = choose_ports(None, "-s3.port.https")
        certificate, key = _certify(self.folder, self._ca_file)

        command = [
            *(program("weed"), "mini", f"-dir={data}", *_FLAGS),
            *(f"-s3.cert.file={certificate}", f"-s3.key.file={key}"),
            *(f"{flag}={port}" for flag, port in self._ports.items()),
        ]
        litter = os.pathsep.join(sockets(self._ports))
        guard = [sys.executable, "-I", "-S", server_guard.__file__, str(self.folder), litter]
        with (self.folder / "log").open("wb") as log:
            self._guard = subprocess.Popen(
                [*guard, *command],
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=subprocess.STDOUT,
                cwd=self.folder,
                env={
                    "PATH": os.environ["PATH"],
                    "AWS_ACCESS_KEY_ID": self._access_key,
                    "AWS_SECRET_ACCESS_KEY": self._secret_key,
                    "GOMEMLIMIT": "1500MiB",
                    "HOME": str(self.folder),
                    "TMPDIR": str(self.folder),
                },
                start_new_session=True,
            )

    def _answers(self) -> bool:
        deadline = time.monotonic() + _START_SECONDS
        while self._guard and self._guard.poll() is None and time.monotonic() < deadline:
            if answers(self.port, self._access_key, self._secret_key):
                return True
            time.sleep(0.05)
        return False


def _certify(folder: Path, ca_file: Path) -> tuple[Path, Path]:
    """Make an authority for this run, and have it certify the server."""
    authority = trustme.CA()
    authority.cert_pem.write_to_path(str(ca_file))
    own = authority.issue_cert(HOST, "localhost")
    certificate, key = folder / "server.pem", folder / "server.key"
    own.private_key_pem.write_to_path(str(key))
    certificate.unlink(missing_ok=True)
    for part in own.cert_chain_pems:
        part.write_to_path(str(certificate), append=True)
    return certificate, key

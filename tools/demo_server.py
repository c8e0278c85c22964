"""Run a command beside an S3 server full of data, with the environment that finds it.

``python tools/demo_server.py COMMAND [ARGUMENT…]`` is what a Binder starts
with; the demo and the lab use `demo_server` in their own process.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

import botocore.config
import botocore.session
import demo_data

from s3magic.server import Server

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["demo_server", "main", "run"]


@contextmanager
def demo_server() -> Iterator[dict[str, str]]:
    """Run a server with the demo's data; gives the whole environment for a process.

    The user's own AWS settings are not in it, and a proxy is not asked for
    this machine.
    """
    with Server() as server:
        kept = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
        environment = kept | server.environment
        environment |= {
            "AWS_CONFIG_FILE": os.devnull,
            "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
            "AWS_EC2_METADATA_DISABLED": "true",
        }
        for name in ("NO_PROXY", "no_proxy"):
            environment[name] = ",".join(filter(None, [os.environ.get(name), "127.0.0.1"]))
        client = botocore.session.Session().create_client(
            "s3",
            endpoint_url=server.endpoint_url,
            aws_access_key_id=server.access_key,
            aws_secret_access_key=server.secret_key,
            region_name=server.environment["AWS_DEFAULT_REGION"],
            config=botocore.config.Config(s3={"addressing_style": "path"}, proxies={}),
        )
        demo_data.fill(client)
        client.close()
        yield environment


def run(command: list[str], environment: dict[str, str]) -> int:
    """Run a command until it ends; gives its exit status."""
    with subprocess.Popen(command, env=environment) as process:
        # A Binder ends its session with SIGTERM; Ctrl-C reaches the command by itself.
        signal.signal(signal.SIGTERM, lambda *_: process.terminate())
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        return process.wait()


def main(command: list[str]) -> int:
    """Run the command beside the server; gives its exit status."""
    with demo_server() as environment:
        return run(command, environment)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

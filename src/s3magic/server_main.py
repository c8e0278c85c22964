"""The embedded server's command line: ``python -m s3magic.server``."""

from __future__ import annotations

import argparse
import os
import signal
import sys

from s3magic.errors import S3Error
from s3magic.server import Server

__all__ = ["main"]


def main(arguments: list[str] | None = None) -> int:
    """Run a server in the foreground, until Ctrl-C."""
    parser = argparse.ArgumentParser(prog="python -m s3magic.server", description=main.__doc__)
    parser.add_argument("--directory", help="where the data lives (default: a temporary folder)")
    parser.add_argument("--port", type=int, help="the port to listen on (default: a free one)")
    parser.add_argument(
        "--bucket",
        action="append",
        default=[],
        metavar="NAME",
        help="a bucket to make, unless it is there (may be repeated)",
    )
    options = parser.parse_args(arguments)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    verb = "set" if os.name == "nt" else "export"
    say = sys.stdout.write
    try:
        with Server(options.directory, port=options.port) as server:
            for bucket in options.bucket:
                server.make_bucket(bucket)
            for where, what in (("shell", verb), ("notebook", "%env")):
                say(f"# Paste these into a {where}:\n")
                say("".join(f"{what} {key}={value}\n" for key, value in server.environment.items()))
            say("# Ctrl-C stops the server.\n")
            sys.stdout.flush()
            server.wait()
        sys.stderr.write("The embedded S3 server ended by itself.\n")
    except S3Error as error:
        sys.stderr.write(f"{error}\n")
    except KeyboardInterrupt:
        return 0
    return 1

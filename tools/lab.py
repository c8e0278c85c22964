"""Open the tour in JupyterLab, beside an S3 server with data.

Both end together. Options after ``ARGS=`` go to JupyterLab:
``make lab ARGS=--no-browser``.
"""

from __future__ import annotations

import os
import secrets
import sys
from pathlib import Path

from demo_server import demo_server, run

from s3magic.server_probe import HOST, free_port, is_free

NOTEBOOKS = Path(__file__).resolve().parent.parent / "notebooks"
CONFIG = Path(__file__).resolve().parent  # its labconfig/ has JupyterLab ask nobody about news
USUAL_PORT = 8888
QUIET = (  # else JupyterLab asks the network for news, updates and extensions of its own
    "--LabApp.news_url=None",
    "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate",
    "--LabApp.extension_manager=readonly",
)


def main(options: list[str]) -> int:
    """Run JupyterLab until it ends; gives its exit status."""
    port = USUAL_PORT if is_free(USUAL_PORT) else free_port()
    token = secrets.token_hex(16)
    command = [sys.executable, "-m", "jupyterlab", f"--ServerApp.root_dir={NOTEBOOKS}"]
    command += [
        *QUIET,
        f"--ip={HOST}",
        f"--port={port}",
        "--LabApp.default_url=/lab/tree/tour.ipynb",
    ]
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        command.append("--allow-root")
    print("Starting an S3 server on this machine, and filling it with data …", flush=True)
    with demo_server() as environment:
        print(f"The server is at {environment['AWS_ENDPOINT_URL_S3']}, the tour at")
        print(f"\n  http://{HOST}:{port}/lab/tree/tour.ipynb?token={token}\n", flush=True)
        ours = {"JUPYTER_TOKEN": token, "JUPYTER_CONFIG_PATH": config_path()}
        return run([*command, *options], environment | ours)


def config_path() -> str:
    """Put our settings' defaults before the user's folders: whoever chose otherwise keeps that."""
    return os.pathsep.join(filter(None, [str(CONFIG), os.environ.get("JUPYTER_CONFIG_PATH")]))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

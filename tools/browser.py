"""Find a browser for the browser tests, or install Debian's where that is possible.

Run by ``make test``. It never fails: without a browser those tests are
skipped, and this says so in one line.
"""

from __future__ import annotations

import os
import shutil
import subprocess

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


def find() -> str | None:
    """Give the path of a browser, or None."""
    return next((path for name in NAMES if (path := shutil.which(name))), None)


def install() -> bool:
    """Install Debian's chromium with apt-get; tells whether that went well."""
    print("Browser tests: installing chromium with apt-get (once).", flush=True)
    quiet = {
        "env": os.environ | {"DEBIAN_FRONTEND": "noninteractive"},
        "stdout": subprocess.DEVNULL,
        "stderr": subprocess.DEVNULL,
    }
    subprocess.run(["apt-get", "update"], check=False, **quiet)
    command = ["apt-get", "install", "--yes", "--no-install-recommends", "chromium"]
    return subprocess.run(command, check=False, **quiet).returncode == 0


def main() -> None:
    """Say what the browser tests will do."""
    if find():
        return
    if hasattr(os, "geteuid") and os.geteuid() == 0 and shutil.which("apt-get") and install():
        return
    print(
        "Browser tests will be skipped: there is no chromium or google-chrome on PATH. "
        "Install one (Debian, Ubuntu: apt-get install chromium) to run them."
    )


if __name__ == "__main__":
    main()

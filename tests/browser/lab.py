"""A real JupyterLab on a free loopback port, and a real browser that works in it.

Neither goes to the network: news, update checks and the extension manager are
off in JupyterLab, and so is what a browser does in the background.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import secrets
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import nbformat
from playwright.sync_api import TimeoutError as TimeoutError_
from playwright.sync_api import expect, sync_playwright

from s3magic import server_guard

DEADLINE = 90.0  # seconds until something that must come has come, on a busy machine
_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
_FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
)
_KERNEL_READY = """async () => {
    const panel = window.jupyterapp.shell.currentWidget;
    await panel.revealed;
    await panel.sessionContext.ready;
    await panel.sessionContext.session.kernel.info;
}"""
_RAN = re.compile(r"^\[\d+\]:$")
_SETTINGS = {
    "apputils-extension/notification": {"fetchNews": "false", "checkForUpdates": False},
    "docmanager-extension/plugin": {"autosaveInterval": 3600},
    "notebook-extension/tracker": {"windowingMode": "none"},
}


def find_browser():
    """Find a Chromium: the system's, or the one that Playwright installed; None without."""
    for name in filter(None, (os.environ.get("S3MAGIC_BROWSER"), *_NAMES)):
        if found := shutil.which(name):
            return found
    with sync_playwright() as playwright:
        own = playwright.chromium.executable_path
    return own if Path(own).exists() else None


class Lab:
    """JupyterLab in a process of its own, over a folder of notebooks.

    Args:
        environment: Variables for it, and so for its kernels.
    """

    def __init__(self, environment):
        self._environment = environment

    def __enter__(self):
        self._home = Path(tempfile.mkdtemp(prefix="s3magic-lab-"))
        self.folder = self._home / "notebooks"
        self.folder.mkdir()
        for name, values in _SETTINGS.items():
            file = self._home / "settings" / "@jupyterlab" / f"{name}.jupyterlab-settings"
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(json.dumps(values))
        self._token = secrets.token_hex(16)
        self._launch()
        return self

    def __exit__(self, *exc_info):
        self._process.stdin.close()  # the guard ends the program and removes the folder
        self._process.wait(60)
        shutil.rmtree(self._home, ignore_errors=True)

    def url(self, name):
        """Give the address of a notebook, in a workspace of its own."""
        stem = Path(name).stem
        return f"{self._url}lab/workspaces/{stem}/tree/{name}?token={self._token}"

    def write(self, name, cells):
        """Write a notebook with these code cells; gives its path."""
        notebook = nbformat.v4.new_notebook(
            cells=[nbformat.v4.new_code_cell(source) for source in cells],
            metadata={"kernelspec": {"name": "python3", "display_name": "Python 3"}},
        )
        path = self.folder / name
        nbformat.write(notebook, path)
        return path

    def read(self, name):
        """Read a notebook as it is on the disk."""
        return nbformat.read(self.folder / name, as_version=4)

    def _launch(self):
        runtime = self._home / "runtime"
        options = {
            "ServerApp.ip": "127.0.0.1",
            "ServerApp.port": 0,
            "ServerApp.open_browser": False,
            "ServerApp.root_dir": self.folder,
            "ServerApp.allow_root": True,
            "LabApp.news_url": "None",
            "LabApp.check_for_updates_class": "jupyterlab.NeverCheckForUpdate",
            "LabApp.extension_manager": "readonly",
            "LabApp.expose_app_in_browser": True,
            "LabApp.user_settings_dir": self._home / "settings",
            "LabApp.workspaces_dir": self._home / "workspaces",
        }
        program = [sys.executable, "-m", "jupyterlab"]
        program += [f"--{name}={value}" for name, value in options.items()]
        guard = [sys.executable, "-I", "-S", server_guard.__file__, str(self._home), ""]
        log = self._home / "log"
        with log.open("wb") as output:
            self._process = subprocess.Popen(
                [*guard, *program],
                stdin=subprocess.PIPE,
                stdout=output,
                stderr=subprocess.STDOUT,
                cwd=self._home,
                start_new_session=True,
                env=os.environ
                | self._environment
                | {
                    "JUPYTER_TOKEN": self._token,
                    "JUPYTER_RUNTIME_DIR": str(runtime),
                    "JUPYTER_CONFIG_DIR": str(self._home / "config"),
                    "JUPYTER_DATA_DIR": str(self._home / "data"),
                    "IPYTHONDIR": str(self._home / "ipython"),
                },
            )
        deadline = time.monotonic() + DEADLINE
        while self._process.poll() is None and time.monotonic() < deadline:
            for file in runtime.glob("jpserver-*.json"):
                # Half written, or written a little before anybody listens.
                with contextlib.suppress(ValueError, OSError):
                    told = json.loads(file.read_text())
                    socket.create_connection((told["hostname"], told["port"]), 5).close()
                    self._url = told["url"]
                    return
            time.sleep(0.05)  # between two looks; the answer is the sign
        raise RuntimeError(f"JupyterLab does not start: {log.read_text()}")


@contextlib.contextmanager
def browse(browser, *, size=(1200, 900), scale=1.0):
    """Open a browser with one empty page.

    Args:
        browser: Path of a Chromium.
        size: Width and height of the page, in CSS pixels.
        scale: Pixels of a picture for each of those.
    """
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=browser, args=list(_FLAGS))
        page = chromium.new_page(
            viewport={"width": size[0], "height": size[1]}, device_scale_factor=scale
        )
        page.set_default_timeout(DEADLINE * 1000)
        expect.set_options(timeout=DEADLINE * 1000)
        try:
            yield page
        finally:
            chromium.close()


class Notebook:
    """One notebook, open in the browser.

    Args:
        lab: Where it lives.
        page: The browser's page.
        name: Its file.
    """

    def __init__(self, lab, page, name):
        self._lab = lab
        self.page = page
        self.name = name

    def open(self, *, dark=False):
        """Open it and wait for its kernel."""
        self.page.goto(self._lab.url(self.name))
        self.page.wait_for_function("window.jupyterapp !== undefined")
        self.page.evaluate("window.jupyterapp.restored")
        self._command(
            "apputils:change-theme", theme="JupyterLab Dark" if dark else "JupyterLab Light"
        )
        wanted = "false" if dark else "true"
        expect(self.page.locator("body")).to_have_attribute("data-jp-theme-light", wanted)
        self.page.locator(".jp-Notebook .jp-CodeCell").first.wait_for()
        # A cell that is run before the kernel has answered is not run at all.
        self.page.wait_for_function("window.jupyterapp.shell.currentWidget?.sessionContext")
        self.page.evaluate(_KERNEL_READY)
        return self

    def cell(self, index):
        """Give a cell, the first being 0."""
        return self.page.locator(".jp-Notebook .jp-CodeCell").nth(index)

    def output(self, index):
        """Give what is shown below a cell."""
        return self.cell(index).locator(".jp-OutputArea-output")

    def start(self, index):
        """Run a cell as a person does; returns when it runs."""
        self.cell(index).locator(".cm-content").click()
        before = self._count(index)
        self.page.keyboard.press("Control+Enter")
        self.page.wait_for_function(
            "([index, before]) => document.querySelectorAll('.jp-Notebook .jp-CodeCell')[index]"
            ".querySelector('.jp-InputPrompt').textContent !== before",
            arg=[index, before],
        )

    def finish(self, index):
        """Wait until a cell has run."""
        prompt = self.cell(index).locator(".jp-InputPrompt")
        expect(prompt).to_have_text(_RAN)

    def run(self, index):
        """Run a cell to its end."""
        self.start(index)
        self.finish(index)

    def complete(self, index, name):
        """Press Tab at the end of a cell until a name is offered; gives what is."""
        self.cell(index).locator(".cm-content").click()
        self.page.keyboard.press("Control+End")
        offered = self.page.locator(".jp-Completer:not(.lm-mod-hidden) .jp-Completer-match")
        for _ in range(60):  # what comes too late for one Tab is there for a later one
            self.page.keyboard.press("Tab")
            with contextlib.suppress(TimeoutError_):
                offered.get_by_text(name, exact=True).wait_for(timeout=1500)
                return offered
            self.page.keyboard.press("Escape")
            self.cell(index).locator(".cm-content").click()
            self.page.keyboard.press("Control+End")
        raise AssertionError(f"{name} is not offered")

    def save(self):
        """Save it, and wait until it is on the disk."""
        self.page.evaluate("window.jupyterapp.commands.execute('docmanager:save')")

    def _count(self, index):
        return self.cell(index).locator(".jp-InputPrompt").text_content()

    def _command(self, name, **arguments):
        self.page.evaluate(
            "([name, arguments]) => window.jupyterapp.commands.execute(name, arguments)",
            [name, arguments],
        )

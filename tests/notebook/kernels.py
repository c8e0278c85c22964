"""Test support: a real notebook kernel, and terminal IPython in a real terminal."""

from __future__ import annotations

import contextlib
import os
import re
import sys
import time
import warnings
from dataclasses import dataclass, field
from pathlib import Path
from queue import Empty

import pexpect
from jupyter_client.manager import KernelManager

HERE = Path(__file__).parent
DEADLINE = 60.0  # seconds; a busy machine may take its time, a hanging kernel may not


@dataclass
class Answer:
    """All that a cell gave.

    Args:
        value: What ``Out[]`` shows, as plain text; None without.
        html: The same as HTML; empty without.
        stdout: What it printed.
        stderr: What it printed on standard error.
        displays: The MIME bundles that it displayed.
        error: The class of the error it ended with; empty if it worked.
        message: The error's message.
        traceback: What the reader sees of the error, without colours.
        seconds: How long it took.
    """

    value: str | None = None
    html: str = ""
    stdout: str = ""
    stderr: str = ""
    displays: list[dict] = field(default_factory=list)
    error: str = ""
    message: str = ""
    traceback: str = ""
    seconds: float = 0.0

    @property
    def python(self):
        """What the plain text of `value` means in Python."""
        return eval(self.value)


def good(answer):
    """Give an answer that is no error."""
    assert not answer.error, answer.traceback
    return answer


def lay_out(folder, *, size, files):
    """Put a large file of `size` bytes into a folder, and many of 4 KiB."""
    with (folder / "large").open("wb") as file:
        file.truncate(size)
    (folder / "small").mkdir()
    for number in range(files):
        (folder / "small" / f"{number:05}").write_bytes(b"x" * 4096)


class Kernel:
    """A real ipykernel process.

    Example:
        with Kernel("load_this") as kernel:
            assert kernel.run("1 + 1").value == "2"

    Args:
        *extensions: Extensions to load; those beside the tests are found.
        folder: The kernel's working directory.
        env: Environment variables on top of this process's.
    """

    def __init__(self, *extensions, folder=None, env=None):
        self._extensions = extensions
        self._folder = folder
        self._env = env or {}
        self.manager = KernelManager(kernel_name="python3")
        self.client = None
        self.log = b""

    def __enter__(self):
        self._stderr_read, write = os.pipe()
        environment = _environment(self._env)
        self.manager.start_kernel(
            cwd=self._folder, env=environment, stderr=write, extra_arguments=["--quiet"]
        )
        os.close(write)
        self.client = self.manager.blocking_client()
        self.client.start_channels()
        self.client.wait_for_ready(timeout=DEADLINE)
        for extension in self._extensions:
            answer = self.run(f"%load_ext {extension}")
            assert not answer.error, answer.traceback
        return self

    def __exit__(self, *exc_info):
        self.shutdown()

    def shutdown(self):
        """End the kernel as a user does, and give what it wrote on the process's stderr."""
        if self.client is not None:
            self.manager.shutdown_kernel()
            self.client.stop_channels()
            self.client = None
            with os.fdopen(self._stderr_read, "rb") as stream:
                self.log = stream.read()
            self.manager.cleanup_resources()
        return self.log.decode(errors="replace")

    def start(self, code):
        """Have a cell begin; give it to `finish`."""
        return time.monotonic(), self.client.execute(code, allow_stdin=False)

    def finish(self, started, *, deadline=DEADLINE):
        """Wait for the end of a cell, and give all that came from it."""
        since, request = started
        answer = Answer()
        for kind, content in self._messages(request, since + deadline):
            if kind == "stream":
                setattr(answer, content["name"], getattr(answer, content["name"]) + content["text"])
            elif kind == "execute_result":
                answer.value = content["data"]["text/plain"]
                answer.html = content["data"].get("text/html", "")
            elif kind in {"display_data", "update_display_data"}:
                answer.displays.append(content["data"])
            elif kind == "error":
                answer.error, answer.message = content["ename"], content["evalue"]
                answer.traceback = plain("\n".join(content["traceback"]))
        answer.seconds = time.monotonic() - since
        return answer

    def run(self, code, *, deadline=DEADLINE):
        """Run a cell to its end."""
        return self.finish(self.start(code), deadline=deadline)

    def complete(self, code):
        """Press Tab at the end of some code, or where it says ``|``.

        Returns:
            What the code may become, and what came on stdout and stderr meanwhile.
        """
        code, _, behind = code.partition("|")
        request = self.client.complete(code + behind, len(code))
        said = ""
        while True:
            message = self.client.get_iopub_msg(timeout=DEADLINE)
            if message["parent_header"].get("msg_id") == request:
                said += message["content"].get("text", "")
                if message["content"].get("execution_state") == "idle":
                    break
        while True:
            message = self.client.get_shell_msg(timeout=DEADLINE)
            if message["parent_header"].get("msg_id") == request:
                break
        content = message["content"]
        assert content["status"] == "ok"
        start, end = content["cursor_start"], content["cursor_end"]
        whole = code + behind
        return [whole[:start] + match + whole[end:] for match in content["matches"]], said

    def begin(self, code, text="begun"):
        """Have a cell begin, and come back when it has printed `text`."""
        since, request = self.start(code)
        seen = ""
        for kind, content in self._messages(request, since + DEADLINE):
            seen += content["text"] if kind == "stream" else ""
            if text in seen:
                break
        else:
            raise AssertionError(f"the cell ended without {text!r}: {seen!r}")
        return request

    def interrupt_after_print(self, code, text="begun"):
        """Run a cell, interrupt it when it has printed `text`.

        `seconds` of the answer counts from the interrupt.
        """
        return self.interrupt((0, self.begin(code, text)))

    def interrupt(self, started):
        """Interrupt a cell that `start` began; `seconds` of the answer counts from here."""
        interrupted = time.monotonic()
        self.manager.interrupt_kernel()
        return self.finish((interrupted, started[1]))

    def _messages(self, request, deadline):
        """Give a request's messages until its cell is idle again."""
        while True:
            left = deadline - time.monotonic()
            if left <= 0:
                raise TimeoutError("the kernel does not end this cell")
            try:
                message = self.client.get_iopub_msg(timeout=left)
            except Empty:
                continue
            if message["parent_header"].get("msg_id") != request:
                continue
            kind, content = message["msg_type"], message["content"]
            if kind == "status" and content["execution_state"] == "idle":
                with contextlib.suppress(Empty):
                    self.client.get_shell_msg(timeout=1)
                return
            yield kind, content


class Terminal:
    """Terminal IPython, in a pseudo terminal.

    Args:
        *extensions: Extensions to load.
        folder: The working directory.
        env: Environment variables on top of this process's.
    """

    def __init__(self, *extensions, folder=None, env=None):
        self._extensions = extensions
        self._folder = folder
        self._env = env or {}
        self._count = 0

    def __enter__(self):
        with warnings.catch_warnings():
            # Newer Pythons warn of every fork beside threads; the child execs at once.
            warnings.filterwarnings("ignore", "This process .* is multi-threaded")
            self.process = pexpect.spawn(
                sys.executable,
                ["-m", "IPython", "--simple-prompt", "--no-banner", "--colors=NoColor"],
                cwd=self._folder,
                env=_environment(self._env) | {"TERM": "dumb"},
                encoding="utf-8",
                timeout=DEADLINE,
                dimensions=(50, 200),
                echo=False,
            )
        self._prompt()
        for extension in self._extensions:
            self.run(f"%load_ext {extension}")
        return self

    def __exit__(self, *exc_info):
        self.exit()

    def run(self, line):
        """Type one line, and give what is shown before the next prompt."""
        self.process.sendline(line)
        return self._prompt()

    def interrupt_after_print(self, line, text="begun"):
        """Type a line, press Ctrl-C when `text` shows.

        Returns:
            What is shown after that, and the seconds until the next prompt.
        """
        self.process.sendline(line)
        self.process.expect_exact(text)
        return self.interrupt()

    def interrupt(self):
        """Press Ctrl-C while a line runs; gives what `interrupt_after_print` does."""
        interrupted = time.monotonic()
        self.process.sendintr()
        shown = self._prompt()
        return shown, time.monotonic() - interrupted

    def exit(self):
        """Leave IPython, and give what it said at the end."""
        if self.process.closed:
            return ""
        self.process.sendline("exit")
        self.process.expect(pexpect.EOF)
        said = plain(self.process.before)
        self.process.close()
        return said

    def _prompt(self):
        self.process.expect(r"In \[\d+\]: ")
        return plain(self.process.before)


def plain(text):
    """Take the colours out of a text."""
    return re.sub(r"\x1b\[[0-9;]*[a-zA-Z]", "", text)


def _environment(more):
    paths = [str(HERE), *filter(None, [os.environ.get("PYTHONPATH")])]
    return os.environ | {"PYTHONPATH": os.pathsep.join(paths)} | more

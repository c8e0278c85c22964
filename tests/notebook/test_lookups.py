"""Looking names up for a moment, and keeping what comes later."""

from __future__ import annotations

import asyncio
import sys
import threading
import time
import types

import pytest

from s3magic import session
from s3magic.notebook.bridge import Bridge
from s3magic.notebook.lookups import Lookups, Names


@pytest.fixture
def bridge():
    """A helper thread."""
    one = Bridge()
    yield one
    one.close()


@pytest.fixture
def lookups(bridge):
    return Lookups(bridge)


@pytest.fixture
def connected(s3):
    """The connection of the test's server is in force."""
    session.connect(
        endpoint_url=s3.server.endpoint_url,
        aws_access_key_id=s3.server.access_key,
        aws_secret_access_key=s3.server.secret_key,
        region="us-east-1",
    )
    yield s3
    session.connect(reset=True)


def later():
    """A deadline that is far away."""
    return time.monotonic() + 60


def finder(names, gate=None):
    """What finds names once its gate is open, and counts how often it is asked."""

    async def find():
        find.asked += 1
        if gate is not None:
            await asyncio.to_thread(gate.wait)
        return Names(names)

    find.asked = 0
    return find


def test_what_comes_too_late_is_there_the_next_time(lookups):
    """And is asked for once."""
    gate = threading.Event()
    find = finder((("a", "object"),), gate)

    first = lookups._ask("key", find, time.monotonic())
    second = lookups._ask("key", find, time.monotonic())
    gate.set()
    third = lookups._ask("key", find, later())
    fourth = lookups._ask("key", find, time.monotonic())

    assert first.found == second.found == ()
    assert third.found == fourth.found == (("a", "object"),)
    assert find.asked == 1


def test_a_tab_in_the_middle_of_the_first_import_is_answered(lookups, monkeypatch):
    """The module that says what was chosen is there then, and can say nothing yet."""
    monkeypatch.setitem(sys.modules, "s3magic.session", types.ModuleType("s3magic.session"))

    found = lookups._ask("key", finder((("a", "object"),)), later())

    assert found.found == (("a", "object"),)


def test_a_server_that_does_not_answer_gets_a_few_questions_and_no_more(lookups):
    """However often Tab is pressed."""
    gate = threading.Event()
    find = finder((), gate)

    for number in range(20):
        lookups._ask(number, find, time.monotonic())
    gate.set()

    assert len(lookups._running) <= 4


def test_a_failure_is_nothing_and_is_not_asked_for_again_at_once(lookups):
    """No error comes through."""
    asked = []

    async def find():
        asked.append(1)
        raise OSError("no server")

    assert lookups._ask("key", find, later()) == lookups._ask("key", find, later())
    assert asked == [1]


def test_closing_the_bridge_ends_what_is_under_way(bridge, lookups):
    """Nobody waits for it."""
    find = finder((), threading.Event())

    async def stuck():
        find.asked += 1
        await asyncio.Event().wait()

    lookups._ask("key", stuck, time.monotonic())
    bridge.close()

    assert lookups._known == {}


def test_two_that_are_the_first_share_one_connection(bridge, lookups):
    """Of two, nobody would close the one that is forgotten."""

    async def both():
        return await asyncio.gather(lookups._connected(), lookups._connected())

    first, second = bridge.run(both)

    assert first is second


def test_a_whole_listing_serves_every_longer_prefix(lookups, connected, monkeypatch):
    """What is typed on is looked up nowhere."""
    for key in ("ab/1", "abc", "abd", "b"):
        connected.put(key, "x")

    whole = lookups.keys(connected.bucket, "", later())
    connected.put("abe", "x")
    part = lookups.keys(connected.bucket, "ab", later())
    below = lookups.keys(connected.bucket, "ab/", later())
    buckets = lookups.buckets(later())

    assert whole.found == (("ab/", "folder"), ("abc", "object"), ("abd", "object"), ("b", "object"))
    assert part.found == whole.found[:3]
    assert below.found == (("ab/1", "object"),)
    assert (connected.bucket, "bucket") in buckets.found


def test_another_connection_is_asked_anew(lookups, connected, environment):
    """Also when a variable of AWS's has changed."""
    lookups.keys(connected.bucket, "", later())
    before = lookups._connection

    environment.setenv("AWS_PROFILE_THAT_IS_NONE", "x")
    lookups.keys(connected.bucket, "", later())

    assert lookups._connection is not before


def test_what_completes_has_a_client_of_its_own(lookups, connected):
    """Nothing is opened, or chosen, for the verbs."""
    lookups.keys(connected.bucket, "", later())

    assert len(session.current()._opening) == 0


def test_folders_of_this_file_system_are_read(lookups, tmp_path):
    """A folder that is not there is empty."""
    (tmp_path / "b").mkdir()
    (tmp_path / "a.csv").touch()

    assert lookups.entries(str(tmp_path), later()).found == (("a.csv", "file"), ("b", "folder"))
    assert lookups.entries(str(tmp_path / "none"), later()).found == ()

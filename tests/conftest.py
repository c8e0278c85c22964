"""Fixtures for all tests: servers, a bucket to work in, nobody's credentials."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from botocore.retries.standard import ExponentialBackoff
from hypothesis import HealthCheck, settings

from s3magic.server import Server
from s3magic.transfer import backoff
from servers import MotoServer, Rig

# The same examples each time, and no clock: a busy machine is no fault of the code.
settings.register_profile(
    "steady", deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("steady")

HOME = str(Path.home())  # before any test hides it
FIRST = ["test_setup.py", "commands", "browser"]  # files and folders
SHARE = 1 / 50  # of the time that a busy or broken server is given before it is asked again


def pytest_collection_modifyitems(items):
    """Begin with what takes long, so that it is not left to one worker when the others end.

    A file goes to one worker as a whole, in this order.
    """

    def rank(item):
        place = item.nodeid.partition("::")[0].split("/")
        return next((n for n, name in enumerate(FIRST) if name in place), len(FIRST))

    items.sort(key=rank)


def isolate(monkeypatch, home):
    """Take every AWS setting out of the environment, and the user's folders out of sight."""
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(home / "aws-config"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(home / "aws-credentials"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("USERPROFILE", str(home))
    monkeypatch.setenv("IPYTHONDIR", str(home / "ipython"))
    for name in ("CONFIG_DIR", "DATA_DIR", "RUNTIME_DIR"):
        monkeypatch.setenv(f"JUPYTER_{name}", str(home / f"jupyter-{name.lower()}"))


@pytest.fixture(scope="session", autouse=True)
def home(tmp_path_factory):
    """A home folder with nothing in it, for everything that lives as long as the run."""
    folder = tmp_path_factory.mktemp("home")
    with pytest.MonkeyPatch.context() as monkeypatch:
        isolate(monkeypatch, folder)
        yield folder


@pytest.fixture(autouse=True)
def environment(home, monkeypatch):
    """The same isolation again for each test, whatever the one before it left behind."""
    isolate(monkeypatch, home)
    return monkeypatch


@pytest.fixture(autouse=True)
def quick_tries():
    """Wait before each further try, as is the rule, but not for seconds.

    The servers that refuse do so by count, and nothing is won by waiting. Where
    one refuses what is too much at a time, `undo` gives back the usual waits.
    botocore has no setting for its own.
    """
    usual = ExponentialBackoff.delay_amount
    with pytest.MonkeyPatch.context() as monkeypatch:
        monkeypatch.setattr(ExponentialBackoff, "delay_amount", lambda *told: usual(*told) * SHARE)
        monkeypatch.setattr(backoff, "_FIRST", backoff._FIRST * SHARE)
        yield monkeypatch


@pytest.fixture(scope="session")
def original_home():
    """The developer's own home folder, for a test that installs packages."""
    return HOME


@pytest.fixture(scope="session")
def seaweed(home):
    """SeaweedFS, the embedded server: a real object store."""
    with Server() as server:
        yield server


@pytest.fixture(scope="session")
def moto(home):
    """moto's server, which keeps keys that SeaweedFS folds."""
    with MotoServer() as server:
        yield server


@pytest.fixture(params=["seaweed", "moto"])
def server(request):
    """Both servers, one after the other."""
    return request.getfixturevalue(request.param)


@pytest.fixture
def s3(request, environment):
    """A fresh bucket, for one test.

    It is on the server that the test asks for beside it: `server` (both) or
    `moto`; else on SeaweedFS.
    """
    wanted = [name for name in ("server", "moto") if name in request.fixturenames]
    with Rig(request.getfixturevalue(wanted[0] if wanted else "seaweed")) as rig:
        yield rig

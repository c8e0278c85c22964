"""How much at once the limit on open files allows."""

from __future__ import annotations

import contextlib
import os

import pytest

from s3magic.transfer.descriptors import affordable, fair


@pytest.mark.parametrize(
    ("limit", "there", "most"),
    [(1_048_576, 20, 256), (1024, 24, 250), (256, 16, 60), (256, 255, 4), (64, 900, 4)],
)
def test_it_is_a_share_of_what_is_left_and_a_few_in_any_case(limit, there, most):
    """Each may hold a connection, a pipe and a file."""
    assert fair(256, limit, there) == most
    assert fair(3, limit, there) == 3


def test_it_is_what_is_left_now():
    """Of this very process: a fourth of the descriptors that it can still have.

    What ran before may have left some open, low ones and high ones. So what is
    left is counted by opening others, until there are no more.
    """
    resource, fcntl = pytest.importorskip("resource"), pytest.importorskip("fcntl")
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    held = [os.open(os.devnull, os.O_RDONLY)]
    limit = held[0] + 60
    # Above a limit that comes later, descriptors take nothing from what it leaves.
    held += [fcntl.fcntl(held[0], fcntl.F_DUPFD, limit) for _ in range(30)]
    left = 0
    resource.setrlimit(resource.RLIMIT_NOFILE, (limit, before[1]))
    try:
        most = affordable(256)
        with contextlib.suppress(OSError):
            for left in range(limit):  # noqa: B007 - how many there were is what is asked
                held.append(os.dup(held[0]))
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)
        for descriptor in held:
            os.close(descriptor)

    assert left >= 20, "so many would have been open between these that nothing is seen"
    assert left // 4 - 1 <= most <= left // 4

"""How much at once the limit on open files allows."""

from __future__ import annotations

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
    """Of this very process."""
    resource = pytest.importorskip("resource")
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    free = os.open(os.devnull, os.O_RDONLY)
    os.close(free)
    resource.setrlimit(resource.RLIMIT_NOFILE, (free + 100, before[1]))
    try:
        most = affordable(256)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)

    assert 20 <= most <= 40

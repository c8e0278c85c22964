"""Objects of every size that could be an edge, up and down; one of a gigabyte, in little memory."""

from __future__ import annotations

import asyncio
import json
import random
import sys

import pytest

from s3magic import session
from s3magic.commands.get import get
from s3magic.commands.put import put

PART = 5 * 1024 * 1024
DATA = random.Random(9).randbytes(3 * PART + 1)
GROWTH = 150 * 1024 * 1024
PROGRAM = """
import asyncio, json, os, resource, sys
import s3magic as s3

uri, source, target, settings = sys.argv[1:]
s3.connect(**json.loads(settings))

def peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024

async def main():
    await s3.put(b"warm", uri + "-warm", progress="none")
    await s3.get(uri + "-warm", target, progress="none")
    before = peak()
    verb = (s3.put, source, uri) if source != "-" else (s3.get, uri, target)
    await verb[0](*verb[1:], progress="none")
    print(json.dumps(peak() - before))

asyncio.run(main())
"""


def settings(server):
    return {
        "endpoint_url": server.endpoint_url,
        "aws_access_key_id": server.access_key,
        "aws_secret_access_key": server.secret_key,
        "region": "us-east-1",
    }


@pytest.mark.parametrize("size", [0, 1, PART - 1, PART, PART + 1, 3 * PART + 1])
async def test_every_size_comes_back_as_it_went(s3, server, tmp_path, environment, size):
    """In parts from the first byte behind one on, from a file and from memory."""
    from s3magic import settings as defaults

    session.connect(**settings(server))
    before = defaults.defaults().multipart_threshold
    defaults.change(multipart_threshold=1)
    (tmp_path / "up").write_bytes(DATA[:size])
    try:
        options = {"part_size": PART, "progress": "none"}
        await put(tmp_path / "up", s3.uri("file"), **options)
        await put(DATA[:size], s3.uri("memory"), **options)
        await get(s3.uri("file"), tmp_path / "down", **options)
        held = await get(s3.uri("memory"), None, **options)
        await get(s3.uri(), tmp_path / "tree", recursive=True, **options)
    finally:
        defaults.change(multipart_threshold=before)
        await session.close()
        session.connect(reset=True)

    assert s3.get("file") == s3.get("memory") == DATA[:size]
    assert (tmp_path / "down").read_bytes() == held == DATA[:size]
    assert {path.read_bytes() for path in (tmp_path / "tree").iterdir()} == {DATA[:size]}


async def test_a_gigabyte_goes_up_and_comes_down_in_little_memory(s3, tmp_path):
    """In a process of its own, whose peak grows by less than 150 MB each way."""
    source, target = tmp_path / "up", tmp_path / "down"
    block = random.Random(10).randbytes(1024 * 1024)
    with source.open("wb") as file:  # mostly a hole, and no two megabytes alike
        for number in range(1024):
            file.seek(number * len(block) + number)
            file.write(block[number : number + 4096])
        file.truncate(1024 * len(block))
    told = json.dumps(settings(s3.server))

    async def run(*paths):
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-c", PROGRAM, s3.uri("big"), *paths, told, stdout=-1
        )
        output, _ = await asyncio.wait_for(process.communicate(), 120)
        assert process.returncode == 0
        return json.loads(output)

    up = await run(str(source), str(tmp_path / "warm"))
    down = await run("-", str(target))

    assert await asyncio.to_thread(_equal, source, target)
    assert up < GROWTH
    assert down < GROWTH


def _equal(one, other):
    with one.open("rb") as left, other.open("rb") as right:
        while True:
            data = left.read(1 << 22)
            if data != right.read(1 << 22):
                return False
            if not data:
                return True

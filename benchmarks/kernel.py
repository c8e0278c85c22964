"""What a fresh notebook waits for: a real kernel, its first cell with s3magic, or with boto3.

And what a warm ``%s3ls`` of ten keys costs above the server's own answer, which
a bare connection asks for in turn, in the same kernel.
"""

from __future__ import annotations

import contextlib
import json
import statistics
import time
from typing import TYPE_CHECKING, Any

import boto3
import psutil
from botocore.config import Config
from jupyter_client.manager import KernelManager

from benchmarks import data
from benchmarks.measure import Failed, Sample
from benchmarks.place import REGION
from benchmarks.programs import clean_environment
from benchmarks.rounds import Result
from benchmarks.targets import FRESH, OURS, SERVER, WARM
from benchmarks.tasks import kept

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from jupyter_client.blocking.client import BlockingKernelClient

    from benchmarks.bed import Bed
    from benchmarks.place import Place

__all__ = ["measure_kernels"]

_SECONDS = 120
_WARM_RUNS = 50

_BOTO3 = """\
import boto3
client = boto3.client("s3", endpoint_url={url!r})
client.list_objects_v2(Bucket={bucket!r}, Prefix="ten/")
"""
# The magic is awaited in the loop's body: it is the cell that a user would write.
_WARM = """\
import http.client, json, os, ssl, time, urllib.parse
url = urllib.parse.urlsplit({url!r})
if url.scheme == "https":
    trust = ssl.create_default_context(cafile=os.environ["AWS_CA_BUNDLE"])
    line = http.client.HTTPSConnection(url.hostname, url.port, context=trust)
else:
    line = http.client.HTTPConnection(url.hostname, url.port)
ours, bare = [], []
for _ in range({runs}):
    began = time.perf_counter()
    frame = %s3ls {uri}
    ours.append(time.perf_counter() - began)
    began = time.perf_counter()
    line.request("GET", url.path + "?" + url.query)
    answer = line.getresponse().read()
    bare.append(time.perf_counter() - began)
assert len(frame) == 10 and answer.count(b"<Key>") == 10
print(json.dumps([ours, bare]))
"""


def measure_kernels(bed: Bed, variant: str, rounds: int) -> list[Result]:
    """Start fresh kernels in turn, with s3magic and with boto3, so many of each."""
    place = bed.place(variant)
    ours, theirs = Result(FRESH, variant, OURS), Result(FRESH, variant, "boto3")
    warm, bare = Result(WARM, variant, OURS), Result(WARM, variant, SERVER)
    scratch = bed.fresh("kernels")
    scratch.mkdir()
    with kept(bed, "ten") as bucket:
        data.fill_keys(bed.server.filer_port, bucket, [f"ten/{n}.csv" for n in range(10)])
        uri, url = f"s3://{bucket}/ten/", _signed(place, bucket)
        for number in range(rounds):
            for do in (_with_s3magic, _with_boto3)[:: -1 if number % 2 else 1]:
                try:
                    with _kernel(place, scratch) as (client, process):
                        if do is _with_boto3:
                            theirs.samples.append(_with_boto3(client, process, place, bucket))
                            continue
                        ours.samples.append(_with_s3magic(client, process, uri))
                        mine, others = _warm(client, uri, url)
                        warm.samples.append(mine)
                        bare.samples.append(others)
                except Failed as error:
                    (theirs if do is _with_boto3 else ours).error = str(error)
                    print(f"    {error}", flush=True)
            _say(ours, theirs, warm, bare)
    return [ours, theirs, warm, bare]


def _with_s3magic(client: BlockingKernelClient, process: psutil.Process, uri: str) -> Sample:
    spent = _cpu(process)
    load, _ = _run(client, "%load_ext s3magic")
    first, _ = _run(client, f"%s3ls {uri}")
    memory = process.memory_info().rss
    return Sample(load + first, _cpu(process) - spent, memory, load_ext=load)


def _with_boto3(
    client: BlockingKernelClient, process: psutil.Process, place: Place, bucket: str
) -> Sample:
    spent = _cpu(process)
    whole, _ = _run(client, _BOTO3.format(url=place.endpoint_url, bucket=bucket))
    return Sample(whole, _cpu(process) - spent, process.memory_info().rss)


def _warm(client: BlockingKernelClient, uri: str, url: str) -> tuple[Sample, Sample]:
    """List ten keys fifty times, in turn with a bare request for the same page."""
    _, said = _run(client, _WARM.format(uri=uri, url=url, runs=_WARM_RUNS))
    ours, bare = (statistics.median(times) for times in json.loads(said))
    return Sample(ours, 0, 0), Sample(bare, 0, 0)


@contextlib.contextmanager
def _kernel(place: Place, scratch: Path) -> Iterator[tuple[BlockingKernelClient, psutil.Process]]:
    """Have a fresh kernel that has run one empty cell, for as long as the block lasts."""
    manager = KernelManager()
    settings = {"IPYTHONDIR": str(scratch), "JUPYTER_RUNTIME_DIR": str(scratch)}
    manager.start_kernel(
        env=clean_environment(place, str(scratch)) | settings,
        cwd=str(scratch),
        extra_arguments=["--HistoryManager.enabled=False", "--log-level=ERROR"],
    )
    client = manager.blocking_client()
    client.start_channels()
    try:
        client.wait_for_ready(timeout=_SECONDS)
        _run(client, "pass")
        yield client, psutil.Process(manager.provisioner.pid)
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)
        manager.cleanup_resources()


def _run(client: BlockingKernelClient, code: str) -> tuple[float, str]:
    """Run a cell; gives the seconds until its answer, and what it printed."""
    said: list[str] = []

    def hear(message: dict[str, Any]) -> None:
        if message["msg_type"] == "stream":
            said.append(message["content"]["text"])

    began = time.perf_counter()
    reply = client.execute_interactive(code, timeout=_SECONDS, output_hook=hear)
    wall = time.perf_counter() - began
    if reply["content"]["status"] != "ok":
        content = reply["content"]
        raise Failed(f"the kernel says {content.get('ename')}: {content.get('evalue')}")
    return wall, "".join(said)


def _cpu(process: psutil.Process) -> float:
    times = process.cpu_times()
    return times.user + times.system


def _signed(place: Place, bucket: str) -> str:
    client = boto3.client(
        "s3",
        endpoint_url=place.endpoint_url,
        aws_access_key_id=place.access_key,
        aws_secret_access_key=place.secret_key,
        region_name=REGION,
        config=Config(signature_version="s3v4", s3={"addressing_style": "path"}),
    )
    what = {"Bucket": bucket, "Prefix": "ten/", "MaxKeys": 1000}
    url: str = client.generate_presigned_url("list_objects_v2", what, 3600)
    return url


def _say(ours: Result, theirs: Result, warm: Result, bare: Result) -> None:
    if not (ours.samples and theirs.samples and warm.samples):
        return
    last, other = ours.samples[-1], theirs.samples[-1]
    listed, answered = warm.samples[-1].wall, bare.samples[-1].wall
    print(
        f"    %load_ext {(last.load_ext or 0) * 1000:.0f} ms, with the first %s3ls "
        f"{last.wall * 1000:.0f} ms; boto3 {other.wall * 1000:.0f} ms; "
        f"warm {listed * 1000:.2f} ms, the server {answered * 1000:.2f} ms",
        flush=True,
    )

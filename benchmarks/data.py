"""Put data in place: files here, objects and keys at the server. Never in measured time."""

from __future__ import annotations

import functools
import random
import socket
import subprocess
import threading
from typing import TYPE_CHECKING

from benchmarks.programs import clean_environment, program
from benchmarks.sizes import MiB

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from benchmarks.place import Place

__all__ = ["fill_keys", "flat_keys", "nested_keys", "upload", "write_file", "write_tree"]

_BLOCK = 4 * MiB
_LANES = 8
_WINDOW = 64  # requests sent ahead of their answers
_FOLDERS = 100
_NAME = "measurements.parquet"
_EMPTY = "Host: filer\r\nContent-Length: 0"


def write_file(path: Path, size: int, seed: int = 0) -> None:
    """Write random bytes, which no server can pack: SeaweedFS compresses what it can."""
    block = _random_block()
    begin = seed * 4099 % len(block)
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as file:
        for start in range(0, size, len(block)):
            # Each block differs from the others, so that one in the wrong place is seen.
            mark = start.to_bytes(8)
            piece = mark + block[begin:] + block[:begin]
            file.write(piece[: min(len(block), size - start)])


def write_tree(folder: Path, sizes: Iterable[int]) -> dict[str, int]:
    """Write files of these sizes in folders of a hundred; gives each size by its name."""
    files = {f"{n // 100:03d}/{n:05d}.bin": size for n, size in enumerate(sizes)}
    for n, (name, size) in enumerate(files.items()):
        write_file(folder / name, size, seed=n)
    return files


def upload(place: Place, source: Path, target: str) -> None:
    """Send a file, or a folder with all below it, by the quickest program there is."""
    what = f"{source}/" if source.is_dir() else str(source)
    subprocess.run(
        [program("s5cmd"), "--log", "error", "cp", what, f"s3://{target}"],
        check=True,
        env=clean_environment(place),
    )


def flat_keys(count: int) -> list[str]:
    """Name keys in a hundred folders side by side."""
    each = count // _FOLDERS
    return [f"{n // each:02d}/{n % each:06d}-{_NAME}" for n in range(each * _FOLDERS)]


def nested_keys(count: int) -> list[str]:
    """Name keys so that each folder holds a tenth of the one above, down to a thousand keys.

    Of a million: ``0/`` holds 100,000, ``0/0/`` 10,000, ``0/0/0/`` 1,000.
    """
    width = len(str(count - 1))
    numbers = (f"{n:0{width}d}" for n in range(count))
    return ["/".join([*number[:-3], f"{number[-3:]}-{_NAME}"]) for number in numbers]


def fill_keys(port: int, bucket: str, names: list[str]) -> None:
    """Make empty objects by way of SeaweedFS's file interface, many to a round trip.

    By S3's own, a million would take a quarter of an hour.

    Raises:
        RuntimeError: The server refused one.
    """
    failures: list[BaseException] = []

    def lane(mine: list[str]) -> None:
        try:
            _send(port, bucket, mine)
        except BaseException as error:  # noqa: BLE001 - raised again below, in the caller's thread
            failures.append(error)

    # Neighbours in one lane: a folder is made once, and the store gets keys in order.
    share = -(-len(names) // _LANES)
    shares = [names[start : start + share] for start in range(0, len(names), share)]
    lanes = [threading.Thread(target=lane, args=(part,), daemon=True) for part in shares]
    for thread in lanes:
        thread.start()
    for thread in lanes:
        thread.join()
    if failures:
        raise RuntimeError(f"The bucket {bucket} cannot be filled.") from failures[0]


@functools.cache
def _random_block() -> bytes:
    return random.Random(7).randbytes(_BLOCK)  # noqa: S311 - the same bytes each time


def _send(port: int, bucket: str, names: list[str]) -> None:
    with socket.create_connection(("127.0.0.1", port), timeout=60) as line:
        for start in range(0, len(names), _WINDOW):
            some = names[start : start + _WINDOW]
            puts = (f"PUT /buckets/{bucket}/{name} HTTP/1.1\r\n{_EMPTY}\r\n\r\n" for name in some)
            line.sendall("".join(puts).encode())
            answers = b""
            while answers.count(b"HTTP/1.1 201") < len(some):
                received = line.recv(1 << 16)
                answers += received
                if not received or b"HTTP/1.1 4" in answers or b"HTTP/1.1 5" in answers:
                    raise RuntimeError(answers[-500:].decode("utf-8", "replace"))
            # An answer's end may still come: it has no second status line, so it is harmless.

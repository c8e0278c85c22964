"""The tasks: what each moves or lists, and what must lie ready for it.

A task's data lie at the server only while it is measured, so that all of the
memory is there for each.
"""

from __future__ import annotations

import contextlib
import shutil
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from benchmarks import data
from benchmarks.jobs import Job
from benchmarks.sizes import MiB, log_uniform, mixed_count

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from benchmarks.bed import Bed

__all__ = ["TASKS", "Task", "Work", "kept"]


@dataclass(frozen=True, slots=True)
class Work:
    """A task made ready.

    Args:
        job: What each peer is asked for; where it goes is set for each run.
        warm: A small job of the same kind, to warm a library by.
        original: The local file that an object was made of.
        slow: What is asked for over the slow line instead, if not the same.
        note: What is to be said of it.
        slow_note: What is to be said of it over the slow line.
    """

    job: Job
    warm: Job
    original: Path | None = None
    slow: Job | None = None
    note: str = ""
    slow_note: str = ""


@dataclass(frozen=True, slots=True)
class Task:
    """One row of the table.

    Args:
        name: As ``--tasks`` takes it.
        title: As the report says it.
        prepare: Makes it ready on a bed, for as long as the block lasts.
    """

    name: str
    title: str
    prepare: Callable[[Bed], contextlib.AbstractContextManager[Work]]


@contextlib.contextmanager
def kept(bed: Bed, name: str) -> Iterator[str]:
    """Have a bucket for as long as the block lasts."""
    bucket = bed.make_bucket(name)
    try:
        yield bucket
    finally:
        bed.drop_bucket(bucket)


@contextlib.contextmanager
def _get_object(bed: Bed, operation: str, size: int) -> Iterator[Work]:
    source = bed.fresh("large")
    data.write_file(source, size)
    with kept(bed, "large") as bucket:
        data.upload(bed.server.plain, source, f"{bucket}/large.bin")
        data.write_file(small := bed.fresh("small"), MiB)
        data.upload(bed.server.plain, small, f"{bucket}/small.bin")
        job = Job(operation, bucket, "large.bin", files={"": size})
        yield Work(job, replace(job, key="small.bin", files={"": MiB}), original=source)
    source.unlink()
    small.unlink()


def _get_large(bed: Bed) -> contextlib.AbstractContextManager[Work]:
    return _get_object(bed, "get_file", bed.sizes.large)


def _get_held(bed: Bed) -> contextlib.AbstractContextManager[Work]:
    return _get_object(bed, "get_bytes", bed.sizes.held)


@contextlib.contextmanager
def _put_large(bed: Bed) -> Iterator[Work]:
    size = bed.sizes.large
    data.write_file(source := bed.fresh("large"), size)
    data.write_file(small := bed.fresh("small"), MiB)
    job = Job("put_file", "", "large.bin", str(source), {"": size})
    yield Work(job, replace(job, path=str(small), files={"": MiB}))
    source.unlink()
    small.unlink()


@contextlib.contextmanager
def _folder(bed: Bed, operation: str, sizes: list[int], note: str = "") -> Iterator[Work]:
    """Have a tree of these sizes ready, here for a put, at the server for a get."""
    few = data.write_tree(warm := bed.fresh("warm"), [1024] * 4)
    files = data.write_tree(source := bed.fresh("tree"), sizes)
    if operation == "put_folder":
        job = Job(operation, "", "tree/", str(source), files)
        yield Work(job, replace(job, path=str(warm), files=few), note=note)
    else:
        with kept(bed, "tree") as bucket:
            data.upload(bed.server.plain, source, f"{bucket}/tree/")
            shutil.rmtree(source)
            data.upload(bed.server.plain, warm, f"{bucket}/warm/")
            job = Job(operation, bucket, "tree/", files=files)
            yield Work(job, replace(job, key="warm/", files=few), note=note)
    shutil.rmtree(source, ignore_errors=True)
    shutil.rmtree(warm)


def _get_small(bed: Bed) -> contextlib.AbstractContextManager[Work]:
    return _folder(bed, "get_folder", [bed.sizes.small] * bed.sizes.gets)


def _put_small(bed: Bed) -> contextlib.AbstractContextManager[Work]:
    return _folder(bed, "put_folder", [bed.sizes.small] * bed.sizes.puts)


def _mixed(bed: Bed, operation: str) -> contextlib.AbstractContextManager[Work]:
    sizes = bed.sizes
    count = mixed_count(sizes, bed.free())
    drawn = log_uniform(count, sizes.smallest, sizes.largest)
    fewer = f", not {sizes.mixed:,}, for want of memory" if count < sizes.mixed else ""
    note = f"{count:,} files{fewer}; {sum(drawn) / 1e9:.2f} GB."
    return _folder(bed, operation, drawn, note)


def _mixed_down(bed: Bed) -> contextlib.AbstractContextManager[Work]:
    return _mixed(bed, "get_folder")


def _mixed_up(bed: Bed) -> contextlib.AbstractContextManager[Work]:
    return _mixed(bed, "put_folder")


@contextlib.contextmanager
def _listing(bed: Bed, names: list[str], slow: str = "") -> Iterator[Work]:
    with kept(bed, "keys") as bucket:
        data.fill_keys(bed.server.filer_port, bucket, [f"keys/{name}" for name in names])
        data.fill_keys(bed.server.filer_port, bucket, [f"warm/{n}" for n in range(10)])
        job = Job("list_keys", bucket, "keys/", count=len(names))
        work = Work(job, replace(job, key="warm/", count=10))
        if slow:
            count = sum(name.startswith(slow) for name in names)
            note = f"Over the slow line {count:,} keys: a page at a time, all take minutes."
            less = replace(job, key=f"keys/{slow}", count=count)
            work = replace(work, slow=less, slow_note=note)
        yield work


def _list_keys(bed: Bed) -> contextlib.AbstractContextManager[Work]:
    return _listing(bed, data.flat_keys(bed.sizes.keys))


def _list_many(bed: Bed) -> contextlib.AbstractContextManager[Work]:
    return _listing(bed, data.nested_keys(bed.sizes.many_keys), slow="0/")


TASKS = {
    task.name: task
    for task in (
        Task("get-large", "get one 1 GiB object to a file", _get_large),
        Task("put-large", "put one 1 GiB file", _put_large),
        Task("get-small", "get 5,000 objects of 4 KiB to files", _get_small),
        Task("put-small", "put 2,000 files of 4 KiB", _put_small),
        Task("list-100k", "list 100,000 keys in 100 folders into a DataFrame", _list_keys),
        Task("list-1m", "list 1,000,000 keys", _list_many),
        Task("mixed-down", "mixed tree, 1 KiB to 64 MiB, down", _mixed_down),
        Task("mixed-up", "mixed tree, 1 KiB to 64 MiB, up", _mixed_up),
        Task("bytes", "256 MiB into memory", _get_held),
    )
}

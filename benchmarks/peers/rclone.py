"""rclone, with the flags that its documentation gives for speed.

``--transfers`` and ``--checkers`` as for many small files; multi-thread streams
and upload concurrency raised as for few large ones on a fast line. From "Reducing
costs" of its S3 page: no HEAD for times, buckets and what was just written; no
listing of a target that is empty; no MD5 of a file before it is sent.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from benchmarks.place import REGION
from benchmarks.programs import program

if TYPE_CHECKING:
    from pathlib import Path

    from benchmarks.jobs import Job
    from benchmarks.place import Place

__all__ = ["command"]

_FAST = (
    *("--transfers", "64", "--checkers", "64", "--buffer-size", "0"),
    *("--multi-thread-cutoff", "64Mi", "--multi-thread-streams", "16"),
    *("--multi-thread-chunk-size", "16Mi", "--use-server-modtime", "--no-check-dest"),
    *("--s3-no-check-bucket", "--s3-no-head", "--s3-disable-checksum"),
    *("--s3-upload-concurrency", "16", "--s3-chunk-size", "16Mi"),
)
# Not ``--fast-list``: it asks for one page after the other, and folders side by side are faster.
_LISTING = ("--checkers", "64", "--use-server-modtime")


def command(job: Job, place: Place, _scratch: Path) -> list[str] | None:
    """Give the words to run."""
    remote = f":s3:{job.bucket}/{job.key}"
    words = {
        "get_file": ["copyto", remote, job.path, *_FAST],
        "put_file": ["copyto", job.path, remote, *_FAST],
        "get_folder": ["copy", remote, job.path, *_FAST],
        "put_folder": ["copy", job.path, remote, *_FAST],
        "list_keys": ["lsf", "-R", "--files-only", "--format", "pst", *_LISTING, remote],
        "get_bytes": ["cat", remote],
    }
    server = [
        *("--s3-provider", "SeaweedFS", "--s3-env-auth", "--s3-region", REGION),
        *("--s3-endpoint", place.endpoint_url, "--config", "", "--log-level", "ERROR"),
    ]
    trust = ["--ca-cert", place.ca_file] if place.ca_file else []
    return [program("rclone"), *words[job.operation], *server, *trust]

"""curl: the floor. It is handed signed addresses, and does nothing but move the bytes.

Many objects go by ``--parallel`` in one process, as its manual has it for many
transfers. It knows no listing, and no parts.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import boto3
from botocore.config import Config

from benchmarks.place import REGION
from benchmarks.programs import program

if TYPE_CHECKING:
    from collections.abc import Iterator

    from benchmarks.jobs import Job
    from benchmarks.place import Place

__all__ = ["command"]

_SECONDS = 3600


def command(job: Job, place: Place, scratch: Path) -> list[str] | None:
    """Sign every address, and give the words to run."""
    if job.operation == "list_keys":
        return None
    settings = scratch / "curl.config"
    settings.write_text("\n".join(_transfers(job, place)))
    trust = ["--cacert", place.ca_file] if place.ca_file else []
    many = ["--parallel", "--parallel-max", "64"] if len(job.files) > 1 else []
    quiet = ["--silent", "--show-error", "--fail", "--create-dirs"]
    return [program("curl"), *quiet, *trust, *many, "--config", str(settings)]


def _transfers(job: Job, place: Place) -> Iterator[str]:
    client = boto3.client(
        "s3",
        endpoint_url=place.endpoint_url,
        aws_access_key_id=place.access_key,
        aws_secret_access_key=place.secret_key,
        region_name=REGION,
        config=Config(signature_version="s3v4", s3={"addressing_style": "path"}),
    )
    method = "put_object" if job.writes else "get_object"
    for name in job.files:
        what = {"Bucket": job.bucket, "Key": job.key + name}
        yield f'url = "{client.generate_presigned_url(method, what, _SECONDS)}"'
        if job.path:
            path = Path(job.path, name) if name else Path(job.path)
            yield f'{"upload-file" if job.writes else "output"} = "{path}"'

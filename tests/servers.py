"""The S3 servers that the tests run against, and a rig to look at them from outside.

The rig speaks plain botocore, so that no test believes our own code about
what is on the server.
"""

from __future__ import annotations

import functools
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.request
import uuid
from pathlib import Path

import botocore.config
import botocore.session

from s3magic import server_guard
from s3magic.server import Server
from s3magic.server_probe import HOST, REGION, answers, free_port

MOTO_KEY = "testing"


class MotoServer:
    """moto's S3 server in a process of its own; it keeps any key, and checks no signature."""

    access_key = MOTO_KEY
    secret_key = MOTO_KEY

    def __enter__(self):
        for _ in range(5):
            if self._start():
                return self
            self.__exit__()
        raise RuntimeError(f"moto's server does not start: {self._log}")

    def __exit__(self, *_exception):
        self._process.stdin.close()  # the guard ends the server and removes the folder
        self._process.wait(30)
        shutil.rmtree(self._folder, ignore_errors=True)

    @property
    def environment(self):
        return {
            "AWS_ACCESS_KEY_ID": self.access_key,
            "AWS_SECRET_ACCESS_KEY": self.secret_key,
            "AWS_ENDPOINT_URL_S3": self.endpoint_url,
            "AWS_DEFAULT_REGION": REGION,
        }

    def _start(self):
        port = free_port()
        self.endpoint_url = f"http://{HOST}:{port}"
        self._folder = tempfile.mkdtemp(prefix="s3magic-moto-")
        program = f"from moto.server import main; main(['-H', '{HOST}', '-p', '{port}'])"
        guard = [sys.executable, "-I", "-S", server_guard.__file__, self._folder, ""]
        log = Path(self._folder, "log")
        with log.open("wb") as output:
            self._process = subprocess.Popen(
                [*guard, sys.executable, "-c", program],
                stdin=subprocess.PIPE,
                stdout=output,
                stderr=subprocess.STDOUT,
                cwd=self._folder,
                start_new_session=True,
            )
        deadline = time.monotonic() + 90
        while self._process.poll() is None and time.monotonic() < deadline:
            if answers(port, self.access_key, self.secret_key):
                return True
            time.sleep(0.05)  # between two tries; the answer is the sign
        self._log = log.read_text()
        return False


@functools.cache
def _session():
    """One session for all rigs: it reads S3's service description once."""
    return botocore.session.Session()


@functools.cache
def _client(endpoint_url, access_key, secret_key):
    """One client of a server for all rigs, which keeps its connections for the next."""
    return _session().create_client(
        "s3",
        endpoint_url=endpoint_url,
        aws_access_key_id=access_key,
        aws_secret_access_key=secret_key,
        region_name=REGION,
        config=botocore.config.Config(
            s3={"addressing_style": "path"},
            request_checksum_calculation="when_required",
            response_checksum_validation="when_required",
        ),
    )


class Rig:
    """A fresh bucket on a server, written and read by plain botocore.

    It goes with all that is in it when the ``with`` block ends.
    """

    def __init__(self, server):
        self.server = server
        self.bucket = f"test-{uuid.uuid4().hex[:20]}"
        self.client = _client(server.endpoint_url, server.access_key, server.secret_key)

    def __enter__(self):
        self.client.create_bucket(Bucket=self.bucket)
        if isinstance(self.server, Server):
            self._make_room()
        return self

    def __exit__(self, *_exception):
        self._empty()

    def put(self, key, data, **options):
        """Write an object: `data` is bytes, or text to encode."""
        body = data.encode() if isinstance(data, str) else data
        return self.client.put_object(Bucket=self.bucket, Key=key, Body=body, **options)

    def get(self, key):
        """Read an object's bytes."""
        body = self.client.get_object(Bucket=self.bucket, Key=key)["Body"]
        with body:
            return body.read()

    def head(self, key):
        """Read what the server tells of an object: type, metadata, length."""
        return self.client.head_object(Bucket=self.bucket, Key=key)

    def keys(self, prefix=""):
        """List the keys under a prefix, sorted."""
        pages = self.client.get_paginator("list_objects_v2").paginate(
            Bucket=self.bucket, Prefix=prefix
        )
        return sorted(item["Key"] for page in pages for item in page.get("Contents", ()))

    def uri(self, key=""):
        """Write the ``s3://`` address of a key of this bucket."""
        return f"s3://{self.bucket}/{key}"

    def uploads(self):
        """List the multipart uploads that are open: ``Key`` and ``UploadId`` of each."""
        pages = self.client.get_paginator("list_multipart_uploads").paginate(Bucket=self.bucket)
        return [
            {"Key": item["Key"], "UploadId": item["UploadId"]}
            for page in pages
            for item in page.get("Uploads", ())
        ]

    def _make_room(self):
        """Have SeaweedFS make the bucket's volume now: at the first put it would take 0.2 s."""
        master = f"{HOST}:{self.server._ports['-master.port']}"
        query = f"collection={self.bucket}&count=1&replication=000"
        with urllib.request.urlopen(f"http://{master}/vol/grow?{query}", timeout=30) as answer:
            answer.read()

    def _empty(self):
        client, bucket = self.client, self.bucket
        try:
            for upload in self.uploads():
                client.abort_multipart_upload(Bucket=bucket, **upload)
            for page in client.get_paginator("list_object_versions").paginate(Bucket=bucket):
                found = page.get("Versions", []) + page.get("DeleteMarkers", [])
                self._delete([{name: one[name] for name in ("Key", "VersionId")} for one in found])
            for key in self.keys():
                client.delete_object(Bucket=bucket, Key=key)
            client.delete_bucket(Bucket=bucket)
        except client.exceptions.NoSuchBucket:
            pass  # the test deleted it

    def _delete(self, versions):
        """Delete a page of versions in one request; one by one, those that it cannot name."""
        if versions:
            try:
                asked = {"Objects": versions, "Quiet": True}
                answer = self.client.delete_objects(Bucket=self.bucket, Delete=asked)
            except self.client.exceptions.ClientError:  # a key with what XML cannot hold
                failed = versions
            else:
                failed = answer.get("Errors", ())
            for one in failed:
                version = {name: one[name] for name in ("Key", "VersionId") if name in one}
                self.client.delete_object(Bucket=self.bucket, **version)

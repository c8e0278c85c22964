"""An S3 server that tells the truth until a test has it lie.

It runs on the test's own loop, keeps everything in memory, checks no
signature, and notes every request. A lie is a function that is given the
honest answer and changes it, or waits, or hangs up.
"""

from __future__ import annotations

import asyncio
import contextlib
import email.utils
import hashlib
import re
import urllib.parse
from dataclasses import dataclass, field
from xml.sax.saxutils import escape

from s3magic.server_probe import HOST, REGION
from serving import serving

BUCKET = "lies"
_LONG_AGO = "Thu, 01 Jan 2026 00:00:00 GMT"  # when what a test puts in itself was written


@dataclass
class Request:
    """What arrived."""

    method: str
    path: str
    query: dict
    headers: dict
    body: bytes

    @property
    def key(self):
        return urllib.parse.unquote(self.path).partition(f"/{BUCKET}/")[2]

    @property
    def operation(self):
        """S3's own name of it."""
        name = operation(self.method, self.key, self.query)
        copies = {"PutObject": "CopyObject", "UploadPart": "UploadPartCopy"}
        return copies.get(name, name) if "x-amz-copy-source" in self.headers else name

    @property
    def start(self):
        """First byte of the range asked for; None for no range."""
        match = re.match(r"bytes=(\d+)-", self.headers.get("range", ""))
        return int(match[1]) if match else None


def operation(method, key, query):
    """Give S3's own name of a request; the key is empty where a bucket is asked."""
    if method == "GET" and not key:
        return "ListObjectsV2" if "list-type" in query else "GetBucket"
    if "uploadId" in query:
        return {
            "PUT": "UploadPart",
            "POST": "CompleteMultipartUpload",
            "DELETE": "AbortMultipartUpload",
            "GET": "ListParts",
        }[method]
    if "uploads" in query:
        return "CreateMultipartUpload"
    if "tagging" in query and method == "GET":
        return "GetObjectTagging"
    names = {
        "GET": "GetObject", "HEAD": "HeadObject", "PUT": "PutObject", "DELETE": "DeleteObject",
    }  # fmt: skip
    return names.get(method, method) if key else f"{method} bucket"


@dataclass
class Answer:
    """What is to be sent.

    Args:
        status: The HTTP status; 0 to hang up without a word.
        headers: By their names in small letters.
        body: What is sent of a body.
        chunked: Send it in chunks, with no length told.
        then: ``close`` or ``reset`` the connection behind it, or ``hang``.
    """

    status: int = 200
    headers: dict = field(default_factory=dict)
    body: bytes = b""
    chunked: bool = False
    then: str = ""


def error(status, code, **fields):
    """An S3 error."""
    inside = "".join(f"<{name}>{escape(value)}</{name}>" for name, value in fields.items())
    body = f"<Error><Code>{code}</Code><Message>{code}.</Message>{inside}</Error>"
    return Answer(status, {"content-type": "application/xml"}, body.encode())


def now():
    """The time, as HTTP says it."""
    return email.utils.formatdate(usegmt=True)


class Liar:
    """The server: ``objects`` are its keys' bytes, ``requests`` all that it was asked.

    Args:
        tls: How to talk TLS; None for plain text.
        trusted: The file that says whom to trust then.
    """

    access_key = secret_key = "testing"

    def __init__(self, tls=None, trusted=None):
        self._tls = tls
        self.trusted = trusted
        self.objects = {}
        self.etags = {}
        self.times = {}
        self.uploads = {}
        self.requests = []
        self._lies = []

    async def __aenter__(self):
        self._serving = serving(self._serve, ssl=self._tls)
        self.port = await self._serving.__aenter__()
        scheme = "http" if self._tls is None else "https"
        self.endpoint_url = f"{scheme}://{HOST}:{self.port}"
        return self

    async def __aexit__(self, *_exception):
        await self._serving.__aexit__(None, None, None)

    @property
    def environment(self):
        return {
            "AWS_ACCESS_KEY_ID": self.access_key,
            "AWS_SECRET_ACCESS_KEY": self.secret_key,
            "AWS_ENDPOINT_URL_S3": self.endpoint_url,
            "AWS_DEFAULT_REGION": REGION,
        }

    def reset(self):
        """Forget everything, and be honest."""
        for kept in (self.objects, self.etags, self.times, self.uploads, self.requests, self._lies):
            kept.clear()

    def uri(self, key=""):
        return f"s3://{BUCKET}/{key}"

    def asked(self, operation):
        """Give the requests of one kind."""
        return [request for request in self.requests if request.operation == operation]

    def operations(self):
        """Give the names of all requests, in their order."""
        return [request.operation for request in self.requests]

    def lie(self, operation, change, *, times=1_000_000, when=lambda request: True):
        """Have the answers to an operation changed.

        Args:
            operation: Its S3 name.
            change: Given the request and the honest answer, it gives what to
                send; it may be a coroutine function.
            times: How often.
            when: Which requests.
        """
        self._lies.append([operation, change, times, when])

    def etag(self, key):
        return self.etags.get(key) or f'"{hashlib.md5(self.objects[key]).hexdigest()}"'

    # the connection

    async def _serve(self, reader, writer):
        try:
            while (request := await self._read(reader, writer)) is not None:
                self.requests.append(request)
                if not await self._send(writer, request, await self._answer(request)):
                    return
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()
            with contextlib.suppress(ConnectionError, asyncio.CancelledError):
                await writer.wait_closed()

    async def _read(self, reader, writer):
        line = await reader.readline()
        if not line:
            return None
        method, target, _ = line.decode().split(" ")
        headers = {}
        while (line := await reader.readline()).strip():
            name, _, value = line.decode().partition(":")
            headers[name.strip().lower()] = value.strip()
        path, _, query = target.partition("?")
        fields = dict(urllib.parse.parse_qsl(query, keep_blank_values=True))
        request = Request(method, path, fields, headers, b"")
        early = await self._early(request)
        if early is not None:
            self.requests.append(request)
            await self._send(writer, request, early)
            return None
        if headers.get("expect"):
            writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        request.body = await reader.readexactly(int(headers.get("content-length", 0)))
        return request

    async def _early(self, request):
        """Give what is to be answered before the body is read, if anything."""
        for lie in self._lies:
            if lie[0] == f"before {request.operation}" and lie[2] > 0 and lie[3](request):
                lie[2] -= 1
                return lie[1](request, None)
        return None

    async def _answer(self, request):
        answer = self._honest(request)
        for lie in self._lies:
            operation, change, times, when = lie
            if operation == request.operation and times > 0 and when(request):
                lie[2] -= 1
                answer = change(request, answer)
                if asyncio.iscoroutine(answer):
                    answer = await answer
                break
        return answer

    async def _send(self, writer, request, answer):
        if not answer.status:
            return False
        headers = dict(answer.headers)
        body = b"" if request.method == "HEAD" else answer.body
        if answer.chunked:
            headers["transfer-encoding"] = "chunked"
            headers.pop("content-length", None)
            frames = [f"{len(body):x}\r\n".encode() + body + b"\r\n"] if body else []
            body = b"".join(frames) + (b"" if answer.then else b"0\r\n\r\n")
        else:
            headers.setdefault("content-length", str(len(answer.body)))
        lines = [f"HTTP/1.1 {answer.status} Said"]
        lines += [f"{name}: {value}" for name, value in headers.items()]
        writer.write("\r\n".join(lines).encode() + b"\r\n\r\n" + body)
        await writer.drain()
        if answer.then == "hang":
            await asyncio.Event().wait()
        if answer.then == "reset":
            writer.transport.abort()
        return not answer.then

    # the truth

    def _honest(self, request):
        operation, key, query = request.operation, request.key, request.query
        found = getattr(self, f"_{operation}", None)
        if found is None:
            return error(501, "NotImplemented")
        if "uploadId" in query and query["uploadId"] not in self.uploads:
            return error(404, "NoSuchUpload")
        return found(request, key, query)

    def _GetObject(self, request, key, _query):  # noqa: N802 - S3's own name, as are all below
        if key not in self.objects:
            return error(404, "NoSuchKey")
        data, etag = self.objects[key], self.etag(key)
        headers = {"etag": etag, "accept-ranges": "bytes"}
        if request.headers.get("if-match", etag) != etag:
            return error(412, "PreconditionFailed")
        wanted = request.headers.get("range", "").removeprefix("bytes=")
        if not wanted:
            return Answer(200, headers, data)
        first, _, last = wanted.partition("-")
        if not first:  # RFC 9110, 14.1.2: so many at the end
            first, last = str(max(0, len(data) - int(last))), ""
        start, stop = int(first), min(int(last or len(data)) + 1, len(data))
        if start >= len(data):
            return error(416, "InvalidRange")
        headers["content-range"] = f"bytes {start}-{stop - 1}/{len(data)}"
        return Answer(206, headers, data[start:stop])

    def _HeadObject(self, _request, key, _query):  # noqa: N802
        if key not in self.objects:
            return Answer(404)
        length = str(len(self.objects[key]))
        headers = {"etag": self.etag(key), "content-length": length, "date": now()}
        return Answer(200, headers | {"last-modified": self.times.get(key, _LONG_AGO)})

    def _ListObjectsV2(self, _request, _key, query):  # noqa: N802
        after = query.get("continuation-token") or query.get("start-after", "")
        keys = sorted(k for k in self.objects if k.startswith(query.get("prefix", "")))
        keys = [key for key in keys if key > after]
        most = int(query.get("max-keys", 1000))
        page, more = keys[:most], len(keys) > most
        items = "".join(
            f"<Contents><Key>{urllib.parse.quote(key)}</Key><Size>{len(self.objects[key])}</Size>"
            f"<ETag>{self.etag(key)}</ETag><LastModified>2026-01-02T03:04:05.000Z</LastModified>"
            "<StorageClass>STANDARD</StorageClass></Contents>"
            for key in page
        )
        token = f"<NextContinuationToken>{page[-1]}</NextContinuationToken>" if more else ""
        body = (
            f"<ListBucketResult><Name>{BUCKET}</Name><EncodingType>url</EncodingType>"
            f"<IsTruncated>{str(more).lower()}</IsTruncated>{token}{items}</ListBucketResult>"
        )
        return Answer(200, {"content-type": "application/xml"}, body.encode())

    def _PutObject(self, request, key, _query):  # noqa: N802
        if "if-none-match" in request.headers and key in self.objects:
            return error(412, "PreconditionFailed")
        self.objects[key] = request.body
        return Answer(200, {"etag": self.etag(key)})

    def _CopyObject(self, request, key, _query):  # noqa: N802
        source = self._copied(request)
        if isinstance(source, Answer):
            return source
        self.objects[key], self.times[key] = source, now()
        self.etags.pop(key, None)
        body = f"<CopyObjectResult><ETag>{self.etag(key)}</ETag></CopyObjectResult>"
        return Answer(200, {"content-type": "application/xml"}, body.encode())

    def _DeleteObject(self, request, key, _query):  # noqa: N802
        if key in self.objects and request.headers.get("if-match") not in {None, self.etag(key)}:
            return error(412, "PreconditionFailed")
        self.objects.pop(key, None)
        return Answer(204)

    def _GetObjectTagging(self, _request, _key, _query):  # noqa: N802
        return Answer(200, {}, b"<Tagging><TagSet/></Tagging>")

    def _copied(self, request):
        """Give the bytes that a copy is to be made of, or why there are none."""
        named = urllib.parse.unquote(request.headers["x-amz-copy-source"].partition("?")[0])
        source = named.lstrip("/").partition("/")[2]
        if source not in self.objects:
            return error(404, "NoSuchKey")
        wanted = request.headers.get("x-amz-copy-source-if-match")
        if wanted not in {None, self.etag(source)}:
            return error(412, "PreconditionFailed", Condition="x-amz-copy-source-If-Match")
        first, _, last = request.headers.get("x-amz-copy-source-range", "bytes=0-")[6:].partition(
            "-"
        )
        return self.objects[source][int(first) : int(last) + 1 if last else None]

    def _UploadPartCopy(self, request, _key, query):  # noqa: N802
        source = self._copied(request)
        if isinstance(source, Answer):
            return source
        self.uploads[query["uploadId"]][int(query["partNumber"])] = source
        body = f'<CopyPartResult><ETag>"{hashlib.md5(source).hexdigest()}"</ETag></CopyPartResult>'
        return Answer(200, {"content-type": "application/xml"}, body.encode())

    def _CreateMultipartUpload(self, _request, _key, _query):  # noqa: N802
        name = f"upload-{len(self.requests)}"
        self.uploads[name] = {}
        body = f"<R><Bucket>{BUCKET}</Bucket><UploadId>{name}</UploadId></R>"
        return Answer(200, {}, body.encode())

    def _UploadPart(self, request, _key, query):  # noqa: N802
        self.uploads[query["uploadId"]][int(query["partNumber"])] = request.body
        return Answer(200, {"etag": f'"{hashlib.md5(request.body).hexdigest()}"'})

    def _CompleteMultipartUpload(self, request, key, query):  # noqa: N802
        if "if-none-match" in request.headers and key in self.objects:
            return error(412, "PreconditionFailed")
        parts = self.uploads.pop(query["uploadId"])
        numbers = [int(text) for text in re.findall(rb"<PartNumber>(\d+)<", request.body)]
        self.objects[key] = b"".join(parts[number] for number in numbers)
        sums = b"".join(hashlib.md5(parts[number]).digest() for number in numbers)
        self.times[key] = now()
        self.etags[key] = f'"{hashlib.md5(sums).hexdigest()}-{len(numbers)}"'
        body = f"<CompleteMultipartUploadResult><ETag>{self.etags[key]}</ETag>"
        return Answer(200, {}, f"{body}</CompleteMultipartUploadResult>".encode())

    def _AbortMultipartUpload(self, _request, _key, query):  # noqa: N802
        del self.uploads[query["uploadId"]]
        return Answer(204)

    def _ListParts(self, _request, _key, query):  # noqa: N802
        return Answer(200, {}, f"<R><UploadId>{query['uploadId']}</UploadId></R>".encode())

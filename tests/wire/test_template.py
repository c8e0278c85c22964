"""Templates: the client's own requests, or none at all."""

from __future__ import annotations

import asyncio
import contextlib
import datetime as dt
import itertools
import time

import pytest

from s3magic.botoclient import Options, build
from s3magic.wire.signing import EMPTY, UNSIGNED
from s3magic.wire.template import PROBE, Caught, catching
from s3magic.wire.wire import detach, wire_of

KEYS = {"aws_access_key_id": "AKIDEXAMPLE", "aws_secret_access_key": "a-secret"}
PLAIN = {"endpoint_url": "http://server.example:9000", "region": "eu-north-9", **KEYS}
SECURE = PLAIN | {"endpoint_url": "https://server.example"}
PART = {"PartNumber": 1, "UploadId": "any"}


@pytest.fixture
def later(monkeypatch):
    """Have seconds go by, as far as the wire can tell."""
    gone = 0

    class Clock:
        @staticmethod
        def monotonic():
            return time.monotonic() + gone

    def wait(seconds):
        nonlocal gone
        gone += seconds

    monkeypatch.setattr("s3magic.wire.wire.time", Clock)
    return wait


@contextlib.asynccontextmanager
async def made(**options):
    """A client that reaches nothing, and its wire."""
    client, _ = await asyncio.to_thread(build, Options(**options))
    try:
        yield client, wire_of(client)
    finally:
        detach(client)
        await client.close()


async def template_of(operation="get_object", parameters=None, **options):
    async with made(**(options or PLAIN)) as (_, wire):
        return await wire.template(operation, "bucket", parameters)


async def caught(client, operation, **parameters):
    """Give the request that the client would send."""
    token = catching.set(True)
    try:
        await getattr(client, operation)(Bucket="bucket", Key=PROBE, **parameters)
    except Caught as error:
        return error.request
    finally:
        catching.reset(token)


def rendered(template, **own):
    lines = template.render("k", **own).decode().split("\r\n")
    return lines[0], dict(line.split(": ", 1) for line in lines[1:] if line)


# what is learned


@pytest.mark.parametrize(
    ("operation", "parameters"),
    [
        ("get_object", None),
        ("put_object", {}),
        ("put_object", {"ContentType": "text/plain", "Metadata": {"a": "b  c"}, "ACL": "private"}),
        (
            "put_object",
            {"Tagging": "a=b&c=d", "StorageClass": "GLACIER", "CacheControl": "no-store"},
        ),
        ("put_object", {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": "arn:aws:kms:x"}),
        ("put_object", {"ContentDisposition": 'attachment; filename="é.txt"'}),
        ("put_object", {"ContentEncoding": "gzip"}),
        ("upload_part", PART),
        ("upload_part", PART | {"RequestPayer": "requester"}),
    ],
)
@pytest.mark.parametrize("secure", [False, True])
@pytest.mark.parametrize("checksums", ["when_required", "when_supported"])
async def test_a_request_has_the_headers_that_the_client_would_send(
    operation, parameters, secure, checksums
):
    """All but what each request has of its own, and the trailer's form, which has none of ours."""
    options = (SECURE if secure else PLAIN) | {"checksums": checksums}
    async with made(**options) as (client, wire):
        template = await wire.template(operation, "bucket", parameters)
        body = {} if operation == "get_object" else {"Body": b""}
        request = await caught(client, operation, **(parameters or {}), **body)

    assert template is not None
    _, ours = rendered(template)
    theirs = {
        name.lower(): value.decode() if isinstance(value, bytes) else str(value)
        for name, value in request.headers.items()
    }
    volatile = {"amz-sdk-invocation-id", "amz-sdk-request", "content-length", "expect"}
    trailer = {"x-amz-trailer", "x-amz-decoded-content-length", "transfer-encoding"}
    of_the_body = {"x-amz-checksum-crc32", "x-amz-content-sha256", "authorization", "x-amz-date"}
    if "x-amz-trailer" in theirs:
        encoding = theirs.pop("content-encoding")
        if kept := encoding.replace(",aws-chunked", "").replace("aws-chunked", ""):
            theirs["content-encoding"] = kept
    assert {
        name: ours[name] for name in ours.keys() - of_the_body - {"host", "accept-encoding"}
    } == {name: theirs[name] for name in theirs.keys() - volatile - trailer - of_the_body}
    assert ours["host"] == ("server.example" if secure else "server.example:9000")


async def test_a_checksum_is_sent_where_the_client_would_send_one():
    """In a header beside a signed body over plain HTTP; instead of its hash over TLS."""
    plain = await template_of("put_object", **PLAIN, checksums="when_supported")
    secure = await template_of("put_object", **SECURE, checksums="when_supported")
    neither = await template_of("put_object", **PLAIN, checksums="when_required")
    get = await template_of("get_object", **PLAIN, checksums="when_supported")

    assert (plain.summed, plain.hashed) == (True, True)
    assert (secure.summed, secure.hashed) == (True, False)
    assert (neither.summed, neither.hashed) == (False, True)
    assert get.headers["x-amz-checksum-mode"] == "ENABLED"
    assert "content-encoding" not in secure.headers
    assert "x-amz-trailer" not in secure.headers
    assert rendered(secure, payload=UNSIGNED)[1]["x-amz-content-sha256"] == UNSIGNED


async def test_anonymous_requests_are_learned_without_a_signature():
    """For public buckets."""
    template = await template_of(endpoint_url=PLAIN["endpoint_url"], region="r", anonymous=True)

    assert template.keys is None
    assert "authorization" not in rendered(template)[1]
    assert not template.hashed


@pytest.mark.parametrize(
    ("options", "host", "prefix"),
    [
        ({}, "server.example:9000", "/bucket/"),
        ({"addressing_style": "virtual"}, "bucket.server.example:9000", "/"),
        ({"endpoint_url": "http://server.example:80"}, "server.example", "/bucket/"),
        ({"endpoint_url": "https://server.example:443"}, "server.example", "/bucket/"),
        ({"endpoint_url": "http://Server.Example:9000"}, "server.example:9000", "/bucket/"),
        ({"endpoint_url": "http://[::1]:9000"}, "[::1]:9000", "/bucket/"),
        ({"endpoint_url": "http://server.example/a/b"}, "server.example", "/a/b/bucket/"),
    ],
)
async def test_endpoint_and_addressing_are_the_clients(options, host, prefix):
    """However the endpoint is written."""
    template = await template_of(**(PLAIN | options))

    assert template is not None
    assert template.headers["host"] == host
    assert template.prefix == prefix
    assert template.address.host == host.rpartition(":")[0].strip("[]") or host


async def test_the_token_of_temporary_credentials_goes_with_each_request():
    """Signed, and once."""
    template = await template_of(**PLAIN, aws_session_token="a-token")

    _, headers = rendered(template)

    assert headers["x-amz-security-token"] == "a-token"
    assert "x-amz-security-token" in headers["authorization"]


# what is not


def algorithm(name):
    return {"ChecksumAlgorithm": name}


CUSTOMER = {"SSECustomerAlgorithm": "AES256", "SSECustomerKey": "k" * 32}


@pytest.mark.parametrize(
    ("operation", "parameters"),
    [
        ("get_object", CUSTOMER),
        ("put_object", CUSTOMER),
        ("upload_part", PART | CUSTOMER),
        ("put_object", algorithm("SHA256")),
        ("put_object", algorithm("SHA1")),
        ("put_object", {"ChecksumSHA256": "x" * 44}),
        ("put_object", {"ContentMD5": "1B2M2Y8AsgTpgAmY7PhCfg=="}),
        ("get_object", {"ResponseContentType": "text/plain"}),
        ("get_object", {"PartNumber": 1, "VersionId": "x"}),
        ("put_object", {"Metadata": {"a": "b\r\nx-amz-acl: public-read"}}),
        ("put_object", {"Metadata": {"a": "b\nx"}}),
        ("put_object", {"ContentType": "text/plain\r\nx-evil: 1"}),
        ("put_object", {"CacheControl": "a\rb"}),
        ("put_object", {"NoSuchArgument": 1}),
    ],
)
async def test_what_is_unusual_has_no_template(operation, parameters):
    """The customer's own keys, other sums, another query, an end of line in a header."""
    assert await template_of(operation, parameters) is None


async def test_over_tls_the_customers_key_has_no_template_either():
    """It is kept nowhere."""
    async with made(**SECURE) as (_, wire):
        assert await wire.template("put_object", "bucket", CUSTOMER) is None

        assert CUSTOMER["SSECustomerKey"] not in repr(vars(wire))


@pytest.mark.parametrize("signer", ["s3v4", "s3", "s3v4-query", "s3-query", "v4"])
@pytest.mark.parametrize("operation", ["get_object", "put_object"])
async def test_another_way_to_sign_has_no_template(signer, operation):
    """Signature version 2, signatures in the query, and what other services use."""
    async with made(**PLAIN) as (client, wire):
        client.meta.events.register_first("choose-signer.s3", lambda **_: signer)

        template = await wire.template(operation, "bucket")

    assert (template is not None) == (signer == "s3v4")


async def test_an_access_point_of_many_regions_has_no_template():
    """It is signed in another way, for all regions at once."""
    arn = "arn:aws:s3::123456789012:accesspoint/mfzwi23gnjvgw.mrap"
    async with made(region="eu-north-1", **KEYS) as (_, wire):
        assert await wire.template("get_object", arn) is None


async def test_a_directory_bucket_has_no_template():
    """S3 Express signs with the keys of a session."""
    async with made(region="us-east-1", **KEYS) as (_, wire):
        assert await wire.template("get_object", "data--use1-az4--x-s3") is None


@pytest.mark.parametrize("variable", ["HTTP_PROXY", "http_proxy"])
async def test_behind_a_proxy_there_is_no_template(variable, environment):
    """The client knows how to ask it."""
    environment.setenv(variable, "http://proxy.example:3128")
    environment.delenv("NO_PROXY", raising=False)
    environment.delenv("no_proxy", raising=False)

    assert await template_of() is None


async def test_with_a_clients_certificate_there_is_no_template():
    """The client knows how to show it."""
    async with made(**SECURE) as (client, wire):
        route = client._endpoint.http_session._route
        assert route.direct
        client._endpoint.http_session._route = type(route)(
            route.verify, False, route.connect_timeout, route.read_timeout
        )

        assert await wire.template("get_object", "bucket") is None


async def test_a_bucket_that_can_be_none_has_no_template():
    """The client refuses its name, and says why on the ordinary way."""
    async with made(**PLAIN) as (_, wire):
        assert await wire.template("get_object", "no/bucket") is None


async def test_without_credentials_there_is_no_template():
    """The client says that it finds none."""
    assert await template_of(endpoint_url=PLAIN["endpoint_url"], region="r") is None


# credentials


class Rotating:
    """Credentials that are others each time they are asked for, or are refused."""

    def __init__(self):
        self.numbers = itertools.count(1)
        self.failing = False

    async def get_frozen_credentials(self):
        from botocore.credentials import ReadOnlyCredentials

        if self.failing:
            raise RuntimeError("the secret service is down")
        number = next(self.numbers)
        return ReadOnlyCredentials(f"AK{number}", f"secret-{number}", f"token-{number}")


async def test_renewed_credentials_sign_what_is_rendered_next():
    """A template that was learned with the old ones goes on with the new."""
    async with made(**PLAIN, aws_session_token="t") as (_client, wire):
        before = await wire.template("get_object", "bucket")
        wire._credentials, wire._asked = Rotating(), 0.0

        after = await wire.template("get_object", "bucket")
        _, headers = rendered(after)

        assert after is before
        assert headers["x-amz-security-token"] == "token-1"
        assert "Credential=AK1/" in headers["authorization"]
        assert await wire.template("get_object", "bucket") is after
        assert after.keys.token == "token-1"  # not asked for again within a second


async def test_credentials_that_the_client_renewed_for_the_very_request_are_known():
    """The client had them renewed after we had asked, and signs with the new ones."""
    async with made(**PLAIN) as (client, wire):
        await wire.template("get_object", "bucket")  # ours are a moment old now
        credentials = wire._credentials
        client._request_signer._credentials.access_key = "AKNEW"
        client._request_signer._credentials.secret_key = "another-secret"
        credentials.access_key = "AKNEW"
        credentials.secret_key = "another-secret"

        template = await wire.template("put_object", "bucket")

        assert template is not None
        assert "Credential=AKNEW/" in rendered(template)[1]["authorization"]


async def test_credentials_that_cannot_be_had_leave_it_to_the_ordinary_way_for_now():
    """And what failed once is tried again."""
    async with made(**PLAIN) as (_, wire):
        good, bad = wire._credentials, Rotating()
        bad.failing = True
        wire._credentials = bad
        assert await wire.template("get_object", "bucket") is None

        wire._credentials = good
        assert await wire.template("get_object", "bucket") is not None

        wire._credentials, wire._asked = bad, 0.0
        assert await wire.template("get_object", "bucket") is None


async def test_no_secret_is_in_the_repr_of_a_wire_or_of_what_was_caught():
    """Nor in their texts."""
    async with made(**PLAIN, aws_session_token="the-token") as (client, wire):
        template = await wire.template("get_object", "bucket")
        token = catching.set(True)
        try:
            with pytest.raises(Caught) as error:
                await client.get_object(Bucket="bucket", Key="k")
        finally:
            catching.reset(token)

        shown = f"{wire!r} {vars(wire)!r} {template!r} {error.value!r} {error.value}"

    for secret in ("AKIDEXAMPLE", "a-secret", "the-token", "Signature="):
        assert secret not in shown


# doubts


@pytest.mark.parametrize("status", [100, 200, 204, 206, 302, 400])
async def test_a_server_that_never_answers_plainly_is_left_alone(status):
    """Eight such answers in a row are enough."""
    async with made(**PLAIN) as (_, wire):
        for _ in range(8):
            template = await wire.template("get_object", "bucket")
            assert template is not None
            template.doubt(status)

        assert await wire.template("get_object", "bucket") is None
        assert await wire.template("put_object", "bucket") is not None


@pytest.mark.parametrize("status", [0, 403, 404, 408, 412, 429, 500, 503])
async def test_a_refusal_is_no_reason_for_doubt(status):
    """A missing key, a busy server, a broken line: the way was right."""
    async with made(**PLAIN) as (_, wire):
        for _ in range(20):
            (await wire.template("get_object", "bucket")).doubt(status)

        assert await wire.template("get_object", "bucket") is not None


@pytest.mark.parametrize("status", [301, 307, 400, 401, 403])
async def test_after_a_redirect_or_a_refusal_the_template_is_learned_anew(status):
    """The client may know better by now."""
    async with made(**PLAIN) as (_client, wire):
        before = await wire.template("get_object", "bucket")
        before.doubt(status)

        after = await wire.template("get_object", "bucket")

        assert after is not None
        assert after is not before
        assert await wire.template("get_object", "bucket") is after


def elsewhere(params, **_):
    """A handler of the client's, which has found out where the bucket is."""
    params["Bucket"] = "other"


@pytest.mark.parametrize("status", [301, 307, 400])
@pytest.mark.parametrize("asked_meanwhile", [0, 1, 3])
async def test_a_bucket_of_another_region_is_trusted_once_the_client_has_found_it(
    later, status, asked_meanwhile
):
    """However many requests were redirected before it did, and however often we asked."""
    async with made(**PLAIN) as (client, wire):
        before = await wire.template("get_object", "bucket")
        for _ in range(40):
            before.doubt(status)
        for _ in range(asked_meanwhile):
            assert await wire.template("get_object", "bucket") is None
            later(2)
        client.meta.events.register_last("before-parameter-build.s3", elsewhere)

        later(2)
        after = await wire.template("get_object", "bucket")

        assert after is not None
        assert after.prefix == "/other/"
        assert await wire.template("get_object", "bucket") is after


async def test_a_server_that_is_not_trusted_is_not_so_for_being_asked_for_again(later):
    """The same request to the same place is as little plain as it was."""
    async with made(**PLAIN) as (_, wire):
        before = await wire.template("get_object", "bucket")
        for _ in range(8):
            before.doubt(200)

        for _ in range(3):
            later(60)
            assert await wire.template("get_object", "bucket") is None


async def test_what_is_the_clients_is_not_learned_for_each_job(later):
    """It costs as much as a request of the client's; once a second is enough."""
    async with made(**PLAIN) as (client, wire):
        strange, learned = True, 0

        def choose(**_):
            nonlocal learned
            learned += 1
            return "s3" if strange else "s3v4"

        client.meta.events.register_first("choose-signer.s3", choose)
        for _ in range(10):
            assert await wire.template("get_object", "bucket") is None
        assert learned == 1

        strange = False
        later(2)

        assert await wire.template("get_object", "bucket") is not None


async def test_the_wire_forgets_the_oldest_templates():
    """A notebook that visits thousands of buckets does not grow for it."""
    async with made(**PLAIN) as (_, wire):
        for number in range(70):
            assert await wire.template("get_object", f"bucket-{number}") is not None

        assert len(wire._known) == 64


async def test_each_set_of_headers_has_its_own_template():
    """Dicts among them, too."""
    async with made(**PLAIN) as (_, wire):
        one = await wire.template("put_object", "b-b", {"Metadata": {"a": "1"}})
        two = await wire.template("put_object", "b-b", {"Metadata": {"a": "2"}})
        again = await wire.template("put_object", "b-b", {"Metadata": {"a": "1"}})

        assert one is again
        assert one.headers["x-amz-meta-a"] == "1"
        assert two.headers["x-amz-meta-a"] == "2"


def test_a_stamp_is_of_now():
    """Servers refuse a request that is a quarter of an hour old."""
    from s3magic.wire.addresses import Address
    from s3magic.wire.signing import Keys, Scope
    from s3magic.wire.template import Template

    template = Template(
        Address("h", 1, None, 1, 1), "GET", "/", {"host": "h"}, Keys("a", "b"), Scope("r", "s3")
    )

    stamp = rendered(template, payload=EMPTY)[1]["x-amz-date"]

    told = dt.datetime.strptime(stamp, "%Y%m%dT%H%M%SZ").replace(tzinfo=dt.UTC)
    assert abs((dt.datetime.now(dt.UTC) - told).total_seconds()) < 5

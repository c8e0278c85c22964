"""Our signatures are botocore's own, whatever is signed."""

from __future__ import annotations

import re
from urllib.parse import quote, urlsplit

import pytest
from botocore.auth import S3SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from hypothesis import given
from hypothesis import strategies as st

from s3magic.wire.addresses import Address
from s3magic.wire.signing import EMPTY, UNSIGNED, Keys, Scope, authorization, lined, trimmed
from s3magic.wire.template import Template

HOST = "bucket.example:9000"
ADDRESS = Address("bucket.example", 9000, None, 1.0, 1.0)
# Any text but lone surrogates, which no request can hold.
TEXT = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=40)
# A header's value: anything visible, blanks within.
VALUE = st.text(st.characters(min_codepoint=32, max_codepoint=0x2FF, exclude_characters="\x7f"))
SECRET = st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1, max_size=60)
NAMES = st.sampled_from(
    ["range", "if-match", "content-type", "cache-control", "x-amz-acl", "x-amz-meta-a-b", "x-amz-z"]
)


def parsed(request):
    """Take a rendered request apart: its method, target and headers."""
    head, _, body = request.decode().partition("\r\n\r\n")
    assert not body
    line, *lines = head.split("\r\n")
    method, target, version = line.split(" ")
    assert version == "HTTP/1.1"
    headers = dict(one.split(": ", 1) for one in lines)
    assert len(headers) == len(lines), "a header came twice"
    return method, target, headers


def as_botocore_signs(method, target, headers, keys, region):
    """Have botocore sign the very same request, at the very same moment."""
    told = headers["authorization"]
    names = re.search(r", SignedHeaders=([^,]+)", told)[1].split(";")
    request = AWSRequest(method, f"http://{HOST}{target}")
    for name in names:
        request.headers[name] = headers[name]
    request.context["timestamp"] = headers["x-amz-date"]
    request.context["signing"] = {"region": region}
    auth = S3SigV4Auth(Credentials(keys.access_key, keys.secret_key, keys.token), "s3", region)
    text = auth.string_to_sign(request, auth.canonical_request(request))
    auth._inject_signature_to_request(request, auth.signature(text, request))
    return request.headers["Authorization"]


@given(
    key=TEXT,
    version=st.none() | TEXT,
    common=st.dictionaries(NAMES, VALUE),
    own=st.dictionaries(NAMES, VALUE.map(trimmed)),
    token=st.none() | SECRET,
    access_key=SECRET.filter(lambda text: not set(text) & set("/, ")),
    secret_key=SECRET,
    payload=st.sampled_from([EMPTY, UNSIGNED]),
    method=st.sampled_from(["GET", "PUT"]),
    prefix=st.sampled_from(["/", "/bucket/", "/a%20path/bucket/"]),
)
def test_a_rendered_request_carries_the_signature_that_botocore_would_put_on_it(
    key, version, common, own, token, access_key, secret_key, payload, method, prefix
):
    """Any key, query, header and token."""
    common = {name: value for name, value in common.items() if name not in own}
    keys = Keys(access_key, secret_key, token)
    template = Template(
        ADDRESS,
        method,
        prefix,
        {"host": HOST, "user-agent": "us", "accept-encoding": "identity", **common},
        keys,
        Scope("eu-north-9", "s3"),
    )
    query = "" if version is None else f"versionId={quote(version, safe='-_.~')}"

    request = template.render(key, own, query=query, payload=payload)

    told_method, target, headers = parsed(request)
    assert told_method == method
    assert headers["authorization"] == as_botocore_signs(
        method, target, headers, keys, "eu-north-9"
    )
    signed = re.search(r", SignedHeaders=([^,]+)", headers["authorization"])[1].split(";")
    assert set(signed) == set(headers) - {"authorization", "user-agent", "accept-encoding"}
    assert headers.get("x-amz-security-token") == token


@given(key=TEXT)
def test_a_key_is_sent_in_one_line_of_ascii(key):
    """Whatever is in it: no blank, no line's end, no question mark, no number sign."""
    template = Template(ADDRESS, "GET", "/b/", {"host": HOST}, None, Scope("", ""))

    line = template.render(key).split(b"\r\n")[0]

    method, target, version = line.decode("ascii").split(" ")
    assert (method, version) == ("GET", "HTTP/1.1")
    assert not set("?#\r\n\t") & set(target)
    assert urlsplit(f"http://h{target}").path == target


def test_a_key_that_no_request_can_hold_is_an_error_of_its_text():
    """A lone surrogate, as a file's name of odd bytes has it: the ordinary way says so."""
    template = Template(ADDRESS, "GET", "/b/", {"host": HOST}, None, Scope("", ""))

    with pytest.raises(UnicodeError):
        template.render("a\udcff")


def test_the_days_key_is_derived_once_a_day_and_for_each_secret():
    """A new day, or a new secret, makes another signature."""
    scope = Scope("r", "s3")
    assert scope.key("a", "20260101") is scope.key("a", "20260101")
    assert (
        len({scope.key(*of) for of in [("a", "20260101"), ("a", "20260102"), ("b", "20260102")]})
        == 3
    )


def test_anonymous_requests_carry_nothing_that_is_signed():
    """No date, no hash, no token."""
    template = Template(ADDRESS, "GET", "/b/", {"host": HOST}, None, Scope("", ""))

    _, _, headers = parsed(template.render("k", {"range": "bytes=0-1"}))

    assert headers == {"host": HOST, "range": "bytes=0-1"}


def test_no_secret_is_in_a_repr():
    """Nor in that of what holds them."""
    keys = Keys("the-access-key", "the-secret-key", "the-token")
    scope = Scope("r", "s3")
    template = Template(ADDRESS, "GET", "/b/", {"host": HOST}, keys, scope)
    template.render("k")
    stamp = "20260101T000000Z"
    headers = lined([("x-amz-content-sha256", EMPTY), ("x-amz-date", stamp)])
    told = authorization(keys, scope, stamp, ("GET", "/", "", *headers, EMPTY))

    shown = f"{keys!r} {keys} {scope!r} {template!r}"

    assert "Signature=" in told
    for secret in ("the-access-key", "the-secret-key", "the-token", *map(repr, scope._derived)):
        assert secret not in shown
    assert not [derived for derived in scope._derived.values() if repr(derived) in shown]

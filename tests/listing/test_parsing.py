"""Pages read by the shape of their records, held against botocore's parsing of the same bytes."""

from __future__ import annotations

import datetime as dt
import urllib.parse
from xml.sax.saxutils import escape

import botocore.loaders
import botocore.model
import botocore.parsers
import pytest
from hypothesis import given
from hypothesis import strategies as st

from s3magic.listing.columns import items
from s3magic.listing.parsing import split, told

NAMESPACE = "http://s3.amazonaws.com/doc/2006-03-01/"
KEYS = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=40)
# What XML 1.0 can hold as it is; a carriage return it would read as a newline.
PLAIN_KEYS = st.text(
    st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="\ufffe\uffff"),
    min_size=1,
    max_size=40,
)
MOMENTS = st.datetimes(dt.datetime(1990, 1, 1), dt.datetime(2100, 1, 1))  # noqa: DTZ001 - UTC below
OBJECTS = st.tuples(
    MOMENTS,
    st.integers(0, 5 * 2**40),
    st.sampled_from(["STANDARD", "GLACIER", None]),
    st.sampled_from([None, ("id", "name"), ("id2", None)]),
)


def page(objects, *, prefixes=(), encoding="url", gap="", more=""):
    """Write a page as S3 does: `objects` are (key, (moment, size, class, owner))."""
    encode = urllib.parse.quote_plus if encoding else str
    parts = [
        '<?xml version="1.0" encoding="UTF-8"?>\n',
        f'<ListBucketResult xmlns="{NAMESPACE}"><Name>b</Name><Prefix></Prefix>',
        f"<EncodingType>{encoding}</EncodingType>" if encoding else "",
        "<IsTruncated>false</IsTruncated>",
    ]
    for key, (moment, size, storage_class, owner) in objects:
        stamp = f"{moment.isoformat(timespec='milliseconds')}Z"
        parts += [
            gap,
            f"<Contents><Key>{escape(encode(key))}</Key>{gap}<LastModified>{stamp}</LastModified>",
            f"<ETag>&quot;abc&quot;</ETag><Size>{size}</Size>",
            f"<StorageClass>{storage_class}</StorageClass>" if storage_class else "",
            owner_xml(owner) if owner else "",
            "</Contents>",
        ]
    parts += [
        f"<CommonPrefixes>{gap}<Prefix>{escape(encode(prefix))}</Prefix></CommonPrefixes>"
        for prefix in prefixes
    ]
    return "".join([*parts, more, "</ListBucketResult>"]).encode()


def owner_xml(owner):
    identity, name = owner
    shown = f"<DisplayName>{name}</DisplayName>" if name else ""
    return f"<Owner><ID>{identity}</ID>{shown}</Owner>"


ONE = (dt.datetime(2024, 1, 15, 10, 30), 5, "STANDARD", None)  # noqa: DTZ001 - as S3 writes it


@pytest.fixture(scope="module")
def botocores():
    """botocore's parse of a ListObjects answer."""
    model = botocore.loaders.Loader().load_service_model("s3", "service-2")
    shape = botocore.model.ServiceModel(model).operation_model("ListObjects").output_shape
    parser = botocore.parsers.create_parser("rest-xml")

    def parse(body):
        return parser.parse({"status_code": 200, "headers": {}, "body": body}, shape)

    return parse


@given(objects=st.lists(st.tuples(KEYS, OBJECTS), max_size=5), prefixes=st.lists(KEYS, max_size=3))
def test_any_key_survives_an_encoded_page(objects, prefixes):
    """Every character comes back from an encoded page, control characters too."""
    _rest, columns = split(page(objects, prefixes=prefixes))

    assert columns.keys == [key for key, _ in objects]
    assert columns.prefixes == prefixes
    assert columns.sizes == [size for _, (_, size, _, _) in objects]


@given(
    objects=st.lists(st.tuples(PLAIN_KEYS, OBJECTS), max_size=5),
    prefixes=st.lists(PLAIN_KEYS, max_size=3),
    gap=st.sampled_from(["", "\n  "]),
)
def test_the_items_are_those_of_botocore(botocores, objects, prefixes, gap):
    """A page that is not encoded gives what botocore reads in it, pretty-printed or not."""
    body = page(objects, prefixes=prefixes, encoding="", gap=gap)
    theirs = botocores(body)

    rest, columns = split(body)

    assert items(columns) == theirs.get("Contents", [])
    assert columns.prefixes == [found["Prefix"] for found in theirs.get("CommonPrefixes", [])]
    left = botocores(rest)
    assert left == {
        name: value for name, value in theirs.items() if name not in {"Contents", "CommonPrefixes"}
    }


FIELDS = [
    "<Key>{}</Key>",
    "<LastModified>2024-01-15T10:30:00.000Z</LastModified>",
    "<Size>7</Size>",
    "<ETag>&quot;abc-2&quot;</ETag>",
    "<StorageClass>STANDARD</StorageClass>",
    "<Owner><ID>me &amp; you</ID></Owner>",
    "<Owner><DisplayName>é</DisplayName><ID>2</ID></Owner>",
    "<ChecksumAlgorithm>CRC32</ChecksumAlgorithm><ChecksumType>FULL_OBJECT</ChecksumType>",
]


@st.composite
def records(draw):
    """Write a record with some of its fields left out, in any order, or a folder."""
    key = escape(draw(PLAIN_KEYS))
    if draw(st.integers(0, 4)) == 0:
        return f"<CommonPrefixes><Prefix>{key}</Prefix></CommonPrefixes>"
    left_out = draw(st.sets(st.sampled_from(FIELDS[1:2] + FIELDS[3:])))
    one_owner = draw(st.sampled_from(FIELDS[5:7]))
    fields = [field for field in FIELDS if field not in left_out | {one_owner}]
    inside = draw(st.sampled_from([fields, fields, draw(st.permutations(fields))]))
    gap = draw(st.sampled_from(["", "", "\n "]))
    return f"{gap}<Contents>{gap.join(inside).format(key)}</Contents>"


@given(written=st.lists(records(), max_size=6))
def test_records_may_be_written_each_in_its_own_way(botocores, written):
    """Fields that come and go, in any order, are read as botocore reads them."""
    body = page([], encoding="", more="".join(written))
    theirs = botocores(body)

    _rest, columns = split(body)

    plain = [
        {name: value for name, value in item.items() if not name.startswith("Checksum")}
        for item in theirs.get("Contents", [])
    ]
    assert items(columns) == plain
    assert columns.prefixes == [found["Prefix"] for found in theirs.get("CommonPrefixes", [])]


@pytest.mark.parametrize("mark", ["&quot;", "&#34;", '"', ""])
def test_an_etag_is_told_without_its_quotes(mark):
    """However the quotes are written, they are not part of the value, and items have them back."""
    body = page([("a", ONE), ("b", ONE)]).replace(b"&quot;", mark.encode())

    _rest, columns = split(body)

    assert columns.etags == ["abc", "abc"]
    assert [item["ETag"] for item in items(columns)] == ['"abc"' if mark else "abc"] * 2


def test_what_stands_between_the_records_stays():
    """Only records and encoding are taken out; all else is left in its place."""
    middle = "<KeyCount>2</KeyCount><NextContinuationToken>a/+=</NextContinuationToken>"
    body = page([("a", ONE)], prefixes=["p/"], more=middle)

    rest, _columns = split(body)

    assert middle.encode() in rest
    assert b"Contents" not in rest
    assert b"EncodingType" not in rest


def test_the_next_marker_is_decoded_with_the_keys():
    """A marker goes back to the server as it is, so it must be decoded once."""
    rest, columns = split(page([("a", ONE)], more="<NextMarker>a%2Bb+c</NextMarker>"))

    assert columns.markers == {"NextMarker": "a+b c"}
    assert b"NextMarker" not in rest


def test_an_empty_element_is_cut_where_it_ends():
    """``<NextMarker/>`` takes nothing of its neighbours with it."""
    rest, columns = split(page([], more="<NextMarker/><Delimiter>/</Delimiter>"))

    assert columns.markers == {"NextMarker": ""}
    assert rest.endswith(b"<Delimiter>/</Delimiter></ListBucketResult>")


def test_versions_and_delete_markers_keep_their_order():
    """Versions and markers stay as they were interleaved, each with its own fields."""
    stamp = "<LastModified>2024-01-15T10:30:00.000Z</LastModified>"
    body = (
        f'<ListVersionsResult xmlns="{NAMESPACE}">'
        f"<DeleteMarker><Key>a</Key><VersionId>2</VersionId><IsLatest>true</IsLatest>{stamp}"
        "</DeleteMarker>"
        f"<Version><Key>a</Key><VersionId>1</VersionId><IsLatest>false</IsLatest>{stamp}"
        "<Size>7</Size><ETag>&quot;x&quot;</ETag></Version>"
        f"<DeleteMarker><Key>b</Key><VersionId>3</VersionId><IsLatest>true</IsLatest>{stamp}"
        "</DeleteMarker></ListVersionsResult>"
    ).encode()

    _rest, columns = split(body)

    assert columns.keys == ["a", "a", "b"]
    assert columns.version_ids == ["2", "1", "3"]
    assert columns.latest == [True, False, True]
    assert columns.deleted == [True, False, True]
    assert columns.sizes == [0, 7, 0]


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("2024-01-15T10:30:00Z", dt.datetime(2024, 1, 15, 10, 30, tzinfo=dt.UTC)),
        ("2024-01-15T12:30:00+02:00", dt.datetime(2024, 1, 15, 10, 30, tzinfo=dt.UTC)),
        ("2024-01-15T10:30:00", dt.datetime(2024, 1, 15, 10, 30, tzinfo=dt.UTC)),
        ("2024-01-15T10:30:00.123456789Z", dt.datetime(2024, 1, 15, 10, 30, 0, 123456, dt.UTC)),
    ],
)
def test_times_are_utc(written, meant):
    """Whatever offset a server writes, the time is UTC."""
    body = page([("a", ONE)]).replace(b"2024-01-15T10:30:00.000Z", written.encode())

    _rest, columns = split(body)

    assert columns.modified == [meant]
    assert columns.modified[0].tzinfo is dt.UTC


@pytest.mark.parametrize(
    "body",
    [
        b"<Error><Code>SlowDown</Code></Error>",
        page([("a", ONE)]).replace(b"<", b"<s3:").replace(b"<s3:/", b"</s3:"),
        page([("a", ONE)]).replace(b"<Size>5", b"<Size>five"),
        page([("a", ONE)]).replace(b"<Key>a</Key>", b""),
        page([("a", ONE)]).replace(b"<Contents>", b'<Contents xmlns="other">'),
        page([("a", ONE)]).replace(b">url<", b">base64<"),
        page([("a", ONE)]).replace(b"2024-01-15T10:30:00.000Z", b"Mon, 15 Jan 2024 10:30:00 GMT"),
        page([("a", ONE)]).replace(b"2024-01-15T10:30:00.000Z", b"1705314600"),
        page([("a", ONE)]).replace(b"2024-01-15T", b"2024-W03-1T"),
        page([("a", ONE)])[:-9],
        page([("a", ONE)]).partition(b"</ListBucketResult>")[0],
        page([("a", ONE)]).partition(b"<StorageClass>")[0] + b"</ListBucketResult>",
        page([("a", ONE)], more="<Contents/>"),
        page([], more="<Other><Contents><Key>a</Key><Size>1</Size></Contents></Other>"),
        page([], more="<!-- <Contents><Key>a</Key><Size>1</Size></Contents> -->"),
        page([("a", ONE)]).replace(b"<Key>a<", b"<Key><![CDATA[a]]><"),
        page([("a", ONE)]).replace(b"<Key>a<", b"<Key>a</Key><Key>b<"),
        page([("a", ONE)]).replace(b"<Key>a<", b"<Key>&b;<"),
        page([("a", ONE)]).replace(b"<Key>a<", b"<Key>&#1;<"),
        page([("a", ONE)]).replace(b"<Key>a<", b"<Key>&#xD800;<"),
        page([("a", ONE)]).replace(b"<Key>a<", b"<Key>&#xFFFFFFFFFFFFFFFFFFFF;<"),
        page([("a", ONE)]).replace(b"<Key>a<", b"<Key>&#" + b"9" * 5000 + b";<"),
        page([("a", ONE)]).replace(b"<Key>a<", b"<Key>a\r\nb<"),
        page([("a", ONE)]).replace(b"<Key>a<", b"<Key>\xff<"),
        page([("a", ONE), ("b", ONE)]).replace(b"&quot;", b"", 2),
        page([("a", ONE)]).decode().replace("UTF-8", "UTF-16").encode("utf-16"),
        b'<!DOCTYPE x [<!ENTITY a "b">]>' + page([("a", ONE)]).partition(b"\n")[2],
        b"",
        b"not XML",
    ],
)
def test_a_page_that_is_not_as_documented_is_left_whole(body):
    """What is no page of S3's is botocore's to judge, an error inside a 200 first of all."""
    assert split(body) is None


@pytest.mark.parametrize(
    "number", [b"#1", b"#99999999", b"#xFFFFFFFFFFFFFFFFFFFF", b"#" + b"9" * 5000]
)
def test_what_stands_beside_is_left_too_where_a_number_is_no_character(number):
    """A server may write any number; it is botocore that says what is wrong with it."""
    assert told(b"<ListBucketResult><Name>&" + number + b";</Name></ListBucketResult>") is None

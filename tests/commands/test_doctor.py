"""The verb doctor: on both servers, on one that lies, and on one that says nothing."""

from __future__ import annotations

import asyncio
import datetime as dt
import email.utils
import socket
import ssl

import pandas as pd
import pytest
import trustme
from IPython.lib.pretty import pretty
from kernels import Kernel, good
from silent import Silent

from liar import Answer, Liar, error
from s3magic import session
from s3magic.commands.doctor import doctor
from s3magic.commands.facts import examining
from s3magic.commands.facts.diagnosis import Finding, diagnosis
from s3magic.commands.showing import displays
from s3magic.errors import BadArgument
from s3magic.server_probe import HOST
from s3magic.uri import S3Uri

LOOKS = ["Software", "Settings", "Credentials", "Identity", "Network", "TLS", "Clock", "Latency"]
BUCKET = ["Buckets", "Bucket", "List", "Read", "Versioning"]
WRITES = ["Write", "Conditional writes", "Checksums", "Multipart uploads", "Delete"]


class Nothing:
    """A display that shows nothing."""

    def draw(self, meter):
        pass

    def close(self, summary):
        pass


def connect(server, **options):
    given = {
        "endpoint_url": server and server.endpoint_url,
        "aws_access_key_id": "AKIAWHOLEKEYIDHERE",
        "aws_secret_access_key": "the-secret-itself",
        "region": "us-east-1",
    }
    session.connect(**given | options)


@pytest.fixture(autouse=True)
async def quiet():
    """No progress; and nothing of a connection is left behind."""
    displays.use(lambda _: Nothing())
    yield
    displays.reset()
    await session.close()
    session.connect(reset=True)


@pytest.fixture
async def connected(s3):
    """The verbs, connected to the server that the test's bucket is on."""
    connect(
        s3.server,
        aws_access_key_id=s3.server.access_key,
        aws_secret_access_key=s3.server.secret_key,
    )
    return s3


@pytest.fixture
async def liar():
    """A server that lies where it is told to, and the verbs connected to it."""
    async with Liar() as liar:
        liar.lie("HEAD bucket", lambda request, answer: Answer(200))
        connect(liar)
        yield liar


async def patient_of(uri=None):
    """What a single check is given."""
    target = uri and S3Uri.parse(uri)
    return examining.Patient(session.current(), await session.client(), target, 5.0)


def status(report):
    return dict(zip(report.Check, report.Status, strict=True))


def row(report, check):
    return report[report.Check == check].iloc[0]


async def test_a_bucket_in_good_health(s3, server, connected):
    """Every line is there, in its order; what was written is gone."""
    s3.put("folder/k", b"x")

    report = await doctor(s3.uri("folder/"), write=True)

    assert isinstance(report, pd.DataFrame)
    assert report.Check.tolist() == LOOKS + BUCKET + WRITES
    assert "fail" not in report.Status.tolist()
    assert set(status(report).values()) <= {"ok", "warn", "skipped"}
    assert status(report)["Conditional writes"] == "ok"
    assert s3.keys() == ["folder/k"]
    assert s3.uploads() == []


async def test_nothing_is_written_unless_asked_for(s3, connected):
    """A line says how; without a bucket one says so too."""
    told = []
    session.current()
    client = await session.client()
    client.meta.events.register("before-send.s3", lambda request, **_: told.append(request.method))

    with_bucket = await doctor(s3.uri())
    without = await doctor()

    assert set(told) <= {"GET", "HEAD"}
    assert row(with_bucket, "Write").Status == "skipped"
    assert f"%s3doctor {s3.uri()} --write" in row(with_bucket, "Write").Advice
    assert row(with_bucket, "Read").Status == "skipped"
    assert without.Check.tolist() == [*LOOKS, "Buckets", "Bucket"]
    assert row(without, "Bucket").Status == "skipped"


async def test_no_version_is_left_in_a_bucket_that_keeps_them(moto, s3, connected):
    """Each that was written is deleted by its own name."""
    versioning = {"Status": "Enabled"}
    s3.client.put_bucket_versioning(Bucket=s3.bucket, VersioningConfiguration=versioning)

    report = await doctor(s3.uri(), write=True)

    left = s3.client.list_object_versions(Bucket=s3.bucket)
    assert "kept" in row(report, "Versioning").Found
    assert status(report)["Delete"] == "ok"
    assert left.get("Versions", []) + left.get("DeleteMarkers", []) == []


async def test_who_one_is_is_told_and_no_secret(s3, server, connected):
    """Neither key nor secret, in any of the ways to show it."""
    session.connect(
        endpoint_url=s3.server.endpoint_url,
        aws_access_key_id=s3.server.access_key,
        aws_secret_access_key=s3.server.secret_key,
        region="us-east-1",
    )

    report = await doctor(s3.uri())

    said = report.to_csv() + repr(report) + report._repr_html_() + pretty(report)
    assert s3.server.secret_key not in said
    assert s3.server.access_key[:3] in row(report, "Credentials").Found
    assert f"key {s3.server.access_key}" not in said
    assert row(report, "Identity").Found.startswith("arn:")


async def test_keys_are_shown_to_no_other_server(liar):
    """Who they belong to is asked of the very server that they are for, not of AWS."""
    await doctor()

    asked = [request for request in liar.requests if b"GetCallerIdentity" in request.body]
    assert len(asked) == 1
    assert "AKIAWHOLEKEYIDHERE" in asked[0].headers["authorization"]
    assert not [one for one in liar.requests if b"the-secret-itself" in one.body]


async def test_what_fails_stops_nothing_else(liar):
    """Each line has its own reason, and what to do."""
    liar.objects["k"] = b"x"
    liar.lie("PutObject", lambda request, answer: error(403, "AccessDenied"))
    liar.lie("GetBucket", lambda request, answer: error(403, "AccessDenied"))
    liar.lie("GetObject", lambda request, answer: error(403, "AccessDenied"))

    report = await doctor(liar.uri("k"), write=True)

    seen = status(report)
    assert seen["List"] == "ok"
    assert seen["Read"] == seen["Write"] == "fail"
    assert [seen[name] for name in WRITES[1:]] == ["skipped"] * 4
    assert seen["Identity"] == "skipped"
    assert "access denied" in row(report, "Write").Found
    assert all(report.Advice[report.Status == "fail"].str.len() > 10)
    assert [request for request in liar.requests if request.method == "DELETE"] == []


async def test_what_a_server_does_not_know_is_told(liar):
    """Conditions, checksums, ranges, parts: what it means for the one who asks."""
    liar.objects["k"] = b"xyz"
    liar.lie("GetObject", lambda request, answer: Answer(200, {"etag": '"e"'}, b"xyz"))
    liar.lie("CreateMultipartUpload", lambda request, answer: error(501, "NotImplemented"))

    def unconditional(request, answer):
        if "if-none-match" in request.headers and len(liar.asked("PutObject")) == 1:
            return error(501, "NotImplemented")
        liar.objects[request.key] = request.body
        return Answer(200, {"etag": '"e"'})

    liar.lie("PutObject", unconditional)

    report = await doctor(liar.uri(), write=True)

    seen = status(report)
    assert seen["Write"] == "ok"
    assert seen["Conditional writes"] == "warn"
    assert "--no-clobber" in row(report, "Conditional writes").Advice
    assert seen["Checksums"] == "warn"
    assert seen["Read"] == "warn"
    assert seen["Multipart uploads"] == "fail"
    assert seen["Delete"] == "ok"
    assert list(liar.objects) == ["k"]


@pytest.mark.parametrize("step", [1, 3])
async def test_what_was_written_goes_also_when_it_is_cancelled(liar, step):
    """At each write; its answer may never have been heard."""
    reached = asyncio.Event()
    deleted = []

    async def stuck(request, answer):
        if len(liar.asked("PutObject")) == step:
            reached.set()
            await asyncio.Event().wait()
        return answer

    def delete(request, answer):
        deleted.append(request.key)
        liar.objects.pop(request.key, None)
        return Answer(204)

    liar.lie("PutObject", stuck)
    liar.lie("DeleteObject", delete)
    task = asyncio.create_task(doctor(liar.uri("folder/"), write=True))
    reaching = asyncio.create_task(reached.wait())
    await asyncio.wait({task, reaching}, return_when=asyncio.FIRST_COMPLETED)
    task.cancel()

    with pytest.raises(asyncio.CancelledError):
        await task
    assert deleted
    assert all(key.startswith("folder/.s3magic-doctor-") for key in deleted)
    assert liar.objects == {}


async def test_a_silent_server_does_not_hold_who_interrupts():
    """Neither with its answers nor with the clean-up; the checks had a minute."""
    with Silent() as silent:
        connect(silent)
        task = asyncio.create_task(doctor("s3://bucket/k", write=True, timeout=60))
        await asyncio.to_thread(silent.asked.wait, 30)
        task.cancel()

        async with asyncio.timeout(20):
            await asyncio.wait([task])

        assert task.cancelled()
        for left in [one for one in asyncio.all_tasks() if one.get_name() == "s3magic-doctor"]:
            left.cancel()
            await asyncio.wait([left])


async def test_a_server_that_says_nothing_is_told_of_soon():
    """Each line within its time, and none is missing."""
    with Silent() as silent:
        connect(silent)

        report = await doctor("s3://bucket/k", write=True, timeout=1)

    seen = status(report)
    assert report.Check.tolist() == [one for one in LOOKS + BUCKET + WRITES if one != "Latency"]
    assert {seen[name] for name in ("Identity", "Clock", "Bucket", "List", "Read", "Write")} == {
        "fail"
    }
    assert seen["Network"] == "ok"
    assert "no answer within 1.0 s" in row(report, "List").Found
    assert "If s3://bucket/.s3magic-doctor-" in row(report, "Delete").Advice


async def test_a_server_that_is_not_there_is_told_of():
    """Where it was looked for, and nothing of a token service that it would lack."""
    with socket.create_server((HOST, 0)) as once:
        port = once.getsockname()[1]
    connect(None, endpoint_url=f"http://{HOST}:{port}")

    report = await doctor("s3://bucket/", write=True)

    seen = status(report)
    assert {seen[name] for name in ("Identity", "Network", "Clock", "Bucket", "Write")} == {"fail"}
    assert f"no connection to {HOST}, port {port}" in row(report, "Network").Found
    assert seen["Delete"] == "skipped"


async def test_the_clocks_are_held_against_each_other(liar):
    """By what the server says of the time, whatever else it says."""
    apart = 0

    def dated(request, answer):
        now = dt.datetime.now(dt.UTC) + dt.timedelta(seconds=apart)
        return Answer(403, {"date": email.utils.format_datetime(now, usegmt=True)})

    liar._lies.clear()
    liar.lie("HEAD bucket", dated)
    patient = await patient_of(liar.uri())

    for apart, seen in ((0, "ok"), (30, "ok"), (300, "warn"), (-300, "warn"), (1200, "fail")):
        (finding,) = await examining.clock(patient)
        assert finding.status == seen, apart


async def test_a_bucket_elsewhere_or_nowhere_is_told(liar):
    """By the region that the server names; a HEAD's 404 is the bucket's."""
    liar._lies.clear()
    liar.lie("HEAD bucket", lambda *_: Answer(200, {"x-amz-bucket-region": "eu-west-1"}))
    elsewhere = await doctor(liar.uri())
    liar._lies.clear()
    liar.lie("HEAD bucket", lambda *_: Answer(404))
    nowhere = await doctor(liar.uri())

    assert row(elsewhere, "Bucket").Status == "warn"
    assert "--region eu-west-1" in row(elsewhere, "Bucket").Advice
    assert row(nowhere, "Bucket").Status == "fail"
    assert "there is no bucket lies" in row(nowhere, "Bucket").Found


async def test_tls_is_looked_at(tmp_path):
    """Good; trusted blindly; not to be trusted."""
    authority = trustme.CA()
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(HOST).configure_cert(tls)
    trusted, other = tmp_path / "ca.pem", tmp_path / "other.pem"
    authority.cert_pem.write_to_path(trusted)
    trustme.CA().cert_pem.write_to_path(other)

    async with Liar(tls) as liar:
        found = {}
        for verify in (str(trusted), False, str(other)):
            connect(liar, verify=verify)
            found[verify] = (await examining.network(await patient_of()))[-1]

    assert {finding.check for finding in found.values()} == {"TLS"}
    assert found[str(trusted)].status == "ok"
    assert "TLSv1" in found[str(trusted)].found
    assert "certificate good for" in found[str(trusted)].found
    assert found[False].status == "warn"
    assert found[str(other)].status == "fail"
    assert "cannot be verified" in found[str(other)].found


async def test_credentials_are_looked_at(moto, environment):
    """None, nobody's, those that end soon, those that end nobody knows when."""
    where = {"endpoint_url": moto.endpoint_url, "region": "us-east-1"}
    found = {}

    async def looked_at():
        return (await examining.credentials(await patient_of()))[0]

    session.connect(**where, reset=True)
    found["none"] = await looked_at()
    session.connect(**where, anonymous=True, reset=True)
    found["anonymous"] = await looked_at()
    environment.setenv("AWS_ACCESS_KEY_ID", "ASIAEXAMPLEEXAMPLE")
    environment.setenv("AWS_SECRET_ACCESS_KEY", "the-secret-itself")
    environment.setenv("AWS_SESSION_TOKEN", "the-token-itself")
    session.connect(**where, reset=True)
    found["temporary"] = await looked_at()
    ends = dt.datetime.now(dt.UTC) + dt.timedelta(minutes=14)
    environment.setenv("AWS_CREDENTIAL_EXPIRATION", ends.isoformat())
    session.connect(**where, reset=True)
    found["ending"] = await looked_at()
    said = (await doctor()).to_csv()

    statuses = {name: finding.status for name, finding in found.items()}
    assert statuses == {"none": "fail", "anonymous": "ok", "temporary": "warn", "ending": "warn"}
    assert "access key ASIA…, from environment variables" in found["temporary"].found
    assert f"until {ends:%Y-%m-%d %H:%M} UTC" in found["ending"].found
    assert not [word for word in ("itself", "EXAMPLE") if word in said]


async def test_settings_that_are_wrong_are_a_line_and_change_nothing(environment):
    """There is no client then, so there is nothing else to look at."""
    before = session.connect(profile="nobody", reset=True)

    report = await doctor("s3://bucket/")

    assert report.Check.tolist() == ["Software", "Settings"]
    assert row(report, "Settings").Status == "fail"
    assert "no such profile" in row(report, "Settings").Found
    assert session.current() is before


@pytest.mark.parametrize(
    ("uri", "options"),
    [
        (None, {"write": True}),
        (42, {}),
        ("s3:///k", {}),
        ("s3://bucket", {"timeout": "long"}),
        ("s3://bucket", {"timeout": 0}),
        ("s3://bucket", {"timeout": "1d"}),
        ("s3://bucket", {"progress": "loud"}),
    ],
)
async def test_what_cannot_be_meant_is_refused(uri, options):
    """In a sentence, as a ValueError."""
    with pytest.raises(BadArgument):
        await doctor(uri, **options)


def test_the_frame_shows_every_word_and_runs_nothing():
    """As text and as HTML; what is made of it is a plain frame."""
    long = "x" * 200
    report = diagnosis([Finding("A", "ok", "\x1b[2J<b>", ""), Finding("B", "fail", long, long)])

    html, text = report._repr_html_(), pretty(report)

    assert "\x1b" not in html + text + repr(report)
    assert "<b>fail</b>" in html
    assert "&lt;b&gt;" in html
    assert html.count("x" * 200) == 2
    assert text.replace("\n", "").replace(" ", "").count("xx") == 200
    assert "→ " in text
    assert type(report[report.Status == "ok"]) is pd.DataFrame
    assert [str(kind) for kind in report.dtypes] == ["string"] * 4


@pytest.mark.kernel
def test_a_magic_gives_what_its_twin_gives(seaweed, s3, tmp_path):
    """The same lines, on the notebook's own loop; shown as a table."""
    s3.put("k", b"x")
    with Kernel("s3magic", folder=tmp_path, env=seaweed.environment) as kernel:
        good(kernel.run("import s3magic as s3"))

        shown_ = good(kernel.run(f"%s3doctor {s3.uri()} --write"))
        same = good(
            kernel.run(
                f"one = %s3doctor {s3.uri()} --timeout 20s\n"
                f"two = await s3.doctor({s3.uri()!r}, timeout='20s')\n"
                "(one[['Check', 'Status']].equals(two[['Check', 'Status']])), len(one)"
            )
        )

    assert "<table>" in shown_.html
    assert "Multipart uploads" in shown_.value
    assert same.python == (True, 14)
    assert s3.keys() == ["k"]

"""Other engines on the connection in force: each is asked for an object, and gets it."""

from __future__ import annotations

import datetime as dt
import json
import pickle
import sys

import pandas as pd
import pytest

from s3magic import interop, session
from s3magic.engines import ENGINES
from s3magic.errors import BadArgument, S3Error

FRAME = pd.DataFrame({"x": [1, 2, 3], "y": ["a", "b", "c"]})


@pytest.fixture
def table(s3):
    """A table in the bucket, whose server needs credentials; its address."""
    s3.put("t.parquet", FRAME.to_parquet(index=False))
    return s3.uri("t.parquet")


@pytest.fixture(params=["given", "looked up", "profile"])
def connected(request, s3, environment, tmp_path):
    """The connection in force, with its keys from three places."""
    server = s3.server
    keys = {"aws_access_key_id": server.access_key, "aws_secret_access_key": server.secret_key}
    if request.param == "given":
        session.connect(endpoint_url=server.endpoint_url, region="us-east-1", **keys)
    elif request.param == "looked up":
        for name, value in server.environment.items():
            environment.setenv(name, value)
        session.connect(reset=True)
    else:
        config = tmp_path / "config"
        lines = [f"{name} = {value}" for name, value in keys.items()]
        config.write_text("\n".join(["[profile research]", *lines, "region = us-east-1"]))
        environment.setenv("AWS_CONFIG_FILE", str(config))
        session.connect(profile="research", endpoint_url=server.endpoint_url)
    yield s3
    for name in server.environment:
        environment.delenv(name, raising=False)
    session.connect(reset=True)


def test_pandas_reads_and_writes(connected, table):
    """Through s3fs, in a call that awaits nothing."""
    back = connected.uri("back.csv")

    read = pd.read_parquet(table, storage_options=interop.storage_options())
    FRAME.to_csv(back, index=False, storage_options=interop.storage_options("pandas", static=True))

    assert read.equals(FRAME)
    assert connected.get("back.csv") == FRAME.to_csv(index=False).encode()


def test_a_file_system_sees_what_the_verbs_do(connected, table):
    """No listing of before is kept."""
    files = interop.filesystem()
    first = files.ls(connected.bucket)
    connected.put("new", b"new")

    assert first == [f"{connected.bucket}/t.parquet"]
    assert f"{connected.bucket}/new" in files.ls(connected.bucket)
    assert files.cat(connected.uri("new")) == b"new"


def test_polars_scans(connected, table):
    """With keys as they are now, and with a provider."""
    polars = pytest.importorskip("polars")
    options = interop.storage_options("polars")

    plain = polars.scan_parquet(table, storage_options=options).collect()
    bare = {name: value for name, value in options.items() if "_access_" not in name}
    provided = polars.scan_parquet(
        table, storage_options=bare, credential_provider=interop.credential_provider()
    ).collect()

    assert plain.to_dict(as_series=False) == FRAME.to_dict("list")
    assert provided.equals(plain)


def test_pyarrow_opens(connected, table):
    """By its own file system."""
    fs = pytest.importorskip("pyarrow.fs")

    files = fs.S3FileSystem(**interop.storage_options("pyarrow"))
    with files.open_input_file(table.removeprefix("s3://")) as file:
        read = pd.read_parquet(file)

    assert read.equals(FRAME)


def test_obstore_gets(connected, table):
    """With a provider where credentials are looked up."""
    obstore = pytest.importorskip("obstore")
    from obstore.store import S3Store

    store = S3Store(connected.bucket, **interop.storage_options("obstore"))

    assert bytes(obstore.get(store, "t.parquet").bytes()) == FRAME.to_parquet(index=False)


def test_duckdb_reads_through_the_file_system(connected, table):
    """Also where its own extension cannot be fetched."""
    duckdb = pytest.importorskip("duckdb")

    with duckdb.connect() as base:
        base.register_filesystem(interop.filesystem())
        read = base.execute(f"SELECT sum(x) FROM '{table}'").fetchone()

    assert read == (6,)


@pytest.mark.filterwarnings("ignore:The inplace keyword")  # Dask's own, with pandas 3.1
def test_dask_reads(connected, table):
    """Its options go to other processes, as a plain dict."""
    dask = pytest.importorskip("dask.dataframe")

    read = dask.read_parquet(table, storage_options=interop.storage_options("dask", static=True))

    assert read.x.sum().compute(scheduler="sync") == 6


@pytest.mark.parametrize("engine", ENGINES)
def test_no_secret_is_shown(connected, engine):
    """Neither by repr nor by print; what is sent to a worker is a plain dict with all in it."""
    options = interop.storage_options(engine, static=True)

    shown = repr(options) + str(options) + f"{options}"
    plain = pickle.loads(pickle.dumps({k: v for k, v in options.items() if not callable(v)}))

    secret = connected.server.secret_key
    if secret != connected.server.access_key:
        assert secret not in shown
    assert connected.server.secret_key in json.dumps(plain)
    assert type(plain) is dict


def test_what_the_duckdb_statement_says(s3, environment):
    """The host without its scheme, text as SQL writes it."""
    session.connect(
        endpoint_url="http://127.0.0.1:9000", region="eu-west-1",
        aws_access_key_id="key", aws_secret_access_key="it's secret", aws_session_token="token",
    )  # fmt: skip

    statement = interop.duckdb_secret()
    session.connect(reset=True)

    assert statement == (
        "CREATE OR REPLACE SECRET \"s3magic\" (TYPE 's3', KEY_ID 'key', SECRET 'it''s secret', "
        "SESSION_TOKEN 'token', REGION 'eu-west-1', ENDPOINT '127.0.0.1:9000', URL_STYLE 'path', "
        "USE_SSL False)"
    )


def test_an_anonymous_connection_stays_so(s3):
    """No engine goes and looks for credentials."""
    session.connect(anonymous=True, endpoint_url="http://127.0.0.1:9000", reset=True)

    found = {engine: dict(interop.storage_options(engine)) for engine in ENGINES}
    session.connect(reset=True)

    assert found["pandas"]["anon"] is True
    assert found["polars"]["aws_skip_signature"] == "true"
    assert found["pyarrow"]["anonymous"] is True
    assert found["obstore"]["skip_signature"] is True
    assert "KEY_ID" not in found["duckdb"]
    for options in found.values():
        assert not any("key" in name.lower() or "provider" in name for name in options)


def test_temporary_credentials_are_renewed_for_who_asks_again(environment, tmp_path):
    """A process that gives credentials is asked once more when they end."""
    program = tmp_path / "credentials.py"
    program.write_text(
        "import datetime as dt, json, pathlib\n"
        f"count = pathlib.Path({str(tmp_path / 'count')!r})\n"
        "number = int(count.read_text() or 0) + 1 if count.exists() else 1\n"
        "count.write_text(str(number))\n"
        "ends = dt.datetime.now(dt.UTC) + dt.timedelta(seconds=5 if number == 1 else 7200)\n"
        "print(json.dumps({'Version': 1, 'AccessKeyId': f'key{number}', 'SecretAccessKey': 's',"
        " 'SessionToken': 't', 'Expiration': ends.isoformat()}))\n"
    )
    config = tmp_path / "config"
    config.write_text(f"[default]\ncredential_process = {sys.executable} {program}\n")
    environment.setenv("AWS_CONFIG_FILE", str(config))
    session.connect(reset=True, region="us-east-1")

    provide = interop.credential_provider()
    first, _ = provide()
    again, ends = provide()
    obstore = interop.storage_options("obstore")["credential_provider"]()
    session.connect(reset=True)

    assert first["aws_session_token"] == "t"
    assert again["aws_access_key_id"] != "key1"
    assert ends > dt.datetime.now(dt.UTC).timestamp() + 3600
    assert obstore["expires_at"].tzinfo is not None


def test_what_an_engine_cannot_be_told_is_a_sentence(environment, tmp_path):
    """A file of authorities, certificates that nobody checks, an engine that there is not."""
    bundle = tmp_path / "ca.pem"
    bundle.touch()
    session.connect(endpoint_url="https://127.0.0.1:9", verify=str(bundle), anonymous=True)
    for engine in ("polars", "obstore", "duckdb"):
        with pytest.raises(BadArgument, match=f"{engine} takes no file of authorities"):
            interop.storage_options(engine)
    assert interop.storage_options("pyarrow")["tls_ca_file_path"] == str(bundle)
    assert interop.storage_options()["client_kwargs"]["verify"] == str(bundle)
    session.connect(endpoint_url="https://127.0.0.1:9", verify=False, anonymous=True)
    with pytest.raises(BadArgument, match="pyarrow always verifies"):
        interop.storage_options("pyarrow")
    session.connect(reset=True)
    with pytest.raises(BadArgument, match="Did you mean 'polars'"):
        interop.storage_options("polar")


def test_a_bundle_for_all_of_aws_tools_is_handed_on_where_it_can_be(environment, tmp_path):
    """And keeps nobody from the others, nor matters where nothing is encrypted."""
    bundle = tmp_path / "ca.pem"
    bundle.touch()
    environment.setenv("AWS_CA_BUNDLE", str(bundle))

    session.connect(endpoint_url="https://127.0.0.1:9", anonymous=True)
    told = {engine: interop.storage_options(engine) for engine in ENGINES}
    session.connect(endpoint_url="http://127.0.0.1:9", anonymous=True)
    plain = {engine: interop.storage_options(engine) for engine in ENGINES}
    session.connect(reset=True)

    assert told["pyarrow"]["tls_ca_file_path"] == str(bundle)
    assert told["pandas"]["client_kwargs"]["verify"] == str(bundle)
    assert str(bundle) not in repr(plain)


def test_a_wrong_profile_is_our_error(environment):
    """As it is for the verbs."""
    session.connect(profile="nobody")
    with pytest.raises(S3Error, match="nobody"):
        interop.storage_options()
    session.connect(reset=True)


def test_a_missing_package_is_a_sentence(environment, monkeypatch):
    """It says what to install."""
    monkeypatch.setitem(sys.modules, "s3fs", None)

    with pytest.raises(BadArgument, match="pip install s3fs"):
        interop.filesystem()

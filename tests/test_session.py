"""Connections: one client a loop, settings from where AWS tools read them, nothing left open."""

import asyncio
import os
import subprocess
import sys
from pathlib import Path

import pytest
from aiohttp import web

from s3magic import session
from s3magic.botoclient import Options
from s3magic.commands.connect import connected
from s3magic.commands.ls import ls
from s3magic.connection import Connection
from s3magic.errors import BadArgument, NoSuchFile, S3Error
from s3magic.session import connect, current


@pytest.fixture(autouse=True)
async def closed_afterwards(environment):
    """Begin with no connection chosen, and close what the test opened."""
    connect(reset=True)
    yield
    await session.close()


def settings(client):
    """What of a client's configuration this room decides."""
    config = client.meta.config
    return (
        (config.s3 or {}).get("addressing_style"),
        config.request_checksum_calculation,
        config.response_checksum_validation,
    )


async def test_one_client_a_loop(seaweed, environment):
    """Twenty tasks that ask at once get the same client; another loop gets its own."""
    use(environment, seaweed)

    mine = await asyncio.gather(*(session.client() for _ in range(20)))

    async def elsewhere():
        return await session.client()

    other = await asyncio.to_thread(asyncio.run, elsewhere())
    assert len({id(one) for one in mine}) == 1
    assert other is not mine[0]


async def test_an_impatient_user_does_not_take_the_client_from_the_others(seaweed, environment):
    """One waiter is cancelled while the client is made; the other gets it."""
    use(environment, seaweed)
    impatient = asyncio.create_task(session.client())
    patient = asyncio.create_task(session.client())
    await asyncio.sleep(0)

    impatient.cancel()

    assert (await patient).meta.endpoint_url == seaweed.endpoint_url
    assert impatient.cancelled()


async def test_connect_makes_a_new_client_and_closes_the_old_one_when_it_is_free(
    seaweed, environment
):
    """A verb under way keeps the client that it began with."""
    use(environment, seaweed)
    async with session.using() as old:
        connect(region="eu-west-3")
        new = await session.client()
        names = (await old.list_buckets())["Buckets"]

    assert new is not old
    assert new.meta.region_name == "eu-west-3"
    assert isinstance(names, list)


async def test_an_endpoint_of_ones_own_gets_what_most_servers_need():
    """Path-style addresses, and checksums only where S3 requires them."""
    connect(endpoint_url="http://localhost:9", aws_access_key_id="a", aws_secret_access_key="b")

    client = await session.client()

    assert settings(client) == ("path", "when_required", "when_required")


@pytest.mark.parametrize("variable", ["AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_S3"])
async def test_so_does_an_endpoint_from_the_environment(environment, variable):
    """Wherever it was named."""
    environment.setenv(variable, "http://localhost:9")

    client = await session.client()

    assert client.meta.endpoint_url == "http://localhost:9"
    assert settings(client) == ("path", "when_required", "when_required")


async def test_aws_keeps_botocores_own_defaults(environment):
    """Nothing is decided there that AWS decides."""
    environment.setenv("AWS_DEFAULT_REGION", "eu-west-1")

    client = await session.client()

    assert client.meta.endpoint_url == "https://s3.eu-west-1.amazonaws.com"
    assert settings(client) == (None, "when_supported", "when_supported")


async def test_what_the_user_says_goes_first(environment):
    """Arguments, and the user's own AWS settings, beat what a foreign endpoint gets."""
    environment.setenv("AWS_REQUEST_CHECKSUM_CALCULATION", "when_supported")
    connect(endpoint_url="http://localhost:9", addressing_style="virtual")

    client = await session.client()

    assert settings(client) == ("virtual", "when_supported", "when_required")


async def test_a_profile_gives_endpoint_region_and_style(environment):
    """The config file is botocore's to read, all of it."""
    configure(
        "[profile lab]\nregion = eu-north-1\nendpoint_url = http://localhost:9\n"
        "s3 =\n  addressing_style = virtual\n"
    )
    connect(profile="lab")

    client = await session.client()

    assert client.meta.region_name == "eu-north-1"
    assert client.meta.endpoint_url == "http://localhost:9"
    assert settings(client)[0] == "virtual"


async def test_an_unknown_profile_is_an_error_of_ours():
    """One sentence that names it."""
    connect(profile="nobody")

    with pytest.raises(S3Error, match="nobody"):
        await session.client()


async def test_a_connection_tells_where_its_credentials_come_from_and_no_secret(environment):
    """The repr is for a notebook that is shown around."""
    environment.setenv("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE")
    environment.setenv("AWS_SECRET_ACCESS_KEY", "wJalr-secret")
    environment.setenv("AWS_SESSION_TOKEN", "token-of-nobody")

    told = repr(await connect(region="eu-west-1"))

    assert "https://s3.eu-west-1.amazonaws.com" in told
    assert "environment variables" in told
    assert "secret" not in told.replace("secret of", "")
    assert "AKIDEXAMPLE" not in told
    assert "token-of-nobody" not in told


def test_a_connection_given_a_secret_hides_it_before_and_after():
    """In its repr and in its options'."""
    connection = connect(aws_access_key_id="AKID", aws_secret_access_key="hush", region="x")

    assert "hush" not in repr(connection) + repr(connection.options)
    assert "AKID" not in repr(connection) + repr(connection.options)


async def test_anonymous_signs_nothing(environment):
    """No credentials are looked for."""
    told = repr(await connect(anonymous=True, region="eu-west-1"))

    assert "anonymous" in told


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"aws_access_key_id": "a"}, "go together"),
        ({"anonymous": True, "profile": "p"}, "anonymous and with credentials"),
        ({"endpoint_url": "localhost:9000"}, "is no endpoint"),
        ({"addressing_style": "bogus"}, "is not one of path, virtual, auto"),
        ({"checksums": "never"}, "is not one of when_supported, when_required"),
    ],
)
def test_contradictions_are_refused_and_the_old_connection_stays(options, sentence):
    """Bad input loses nothing."""
    before = connect(region="eu-west-1")

    with pytest.raises(BadArgument, match=sentence):
        connect(**options)

    assert current() is before


async def test_without_options_the_choice_stays_and_the_credentials_are_read_again(environment):
    """What error hints ask for loses nothing, and finds what was set meanwhile."""
    connect(endpoint_url="http://localhost:9", region="eu-west-3")
    before = repr(await current())
    environment.setenv("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE")
    environment.setenv("AWS_SECRET_ACCESS_KEY", "wJalr-secret")

    after = repr(await connect())

    assert "none found" in before
    assert "environment variables" in after
    assert "http://localhost:9" in after
    assert "eu-west-3" in after
    assert repr(await connected()) == after


async def test_reset_goes_back_to_what_aws_tools_would_use():
    """And forgets what was chosen."""
    connect(endpoint_url="http://localhost:9", region="eu-west-3")

    connection = connect(reset=True)

    assert connection.options == Options()
    assert current() is connection


@pytest.mark.parametrize("look_up", [connected, connect])
async def test_a_failed_look_up_leaves_the_connection_before_in_force(look_up):
    """Of the magic and of the awaited twin."""
    before = await connect(endpoint_url="http://localhost:9", region="eu-west-3")

    with pytest.raises(BadArgument, match="nobody"):
        await look_up(profile="nobody")

    assert current() is before
    assert (await session.client()).meta.region_name == "eu-west-3"


async def test_a_failed_magic_leaves_the_client_before_open():
    """Who holds it goes on with it."""
    before = connect(region="eu-west-3")
    client = await before.client()

    with pytest.raises(BadArgument):
        await connected(profile="nobody")

    assert await session.client() is client


async def test_every_one_of_equal_connections_is_closed_in_the_end():
    """Equal options are not the same clients."""
    first = connect(region="eu-west-3")
    second = connect(region="eu-west-3")
    await first.client()
    client = await second.client()

    await session.close()

    assert await second.client() is not client


@pytest.mark.parametrize("endpoint", ["http://me:hush@host:9000", "me:hush@host", "https://hush@h"])
async def test_an_endpoint_with_a_password_in_it_is_refused_and_not_repeated(endpoint, environment):
    """Wherever it was named: it would be shown with the connection."""
    with pytest.raises(BadArgument, match="password") as given:
        connect(endpoint_url=endpoint)
    environment.setenv("AWS_ENDPOINT_URL", endpoint)
    with pytest.raises(BadArgument, match="password") as found:
        await connect(reset=True)

    assert "hush" not in str(given.value) + str(found.value)


def test_a_missing_file_of_authorities_is_said_at_once(tmp_path):
    """And one that is there is taken."""
    there = tmp_path / "ca.pem"
    there.touch()

    with pytest.raises(NoSuchFile, match=r"nope\.pem"):
        connect(verify=str(tmp_path / "nope.pem"))

    assert connect(verify=str(there)).options.verify == str(there)


def test_equal_options_are_equal_connections():
    """A magic and its twin return equal values."""
    assert Connection(connect(region="a").options) == connect(region="a")
    assert connect(region="a") != connect(region="b")


def test_a_script_ends_without_a_complaint(seaweed):
    """`asyncio.run`, twice, and nothing closed by hand: no `Unclosed` on standard error."""
    program = (
        "import asyncio, s3magic as s3\n"
        "async def main():\n"
        "    return len(await s3.ls(progress='none'))\n"
        "print(asyncio.run(main()) == asyncio.run(main()))\n"
    )
    env = os.environ | seaweed.environment

    done = subprocess.run(
        [sys.executable, "-W", "always::ResourceWarning", "-c", program],
        env=env, capture_output=True, text=True, check=False, timeout=120,
    )  # fmt: skip

    assert (done.returncode, done.stdout, done.stderr) == (0, "True\n", "")


def use(environment, server):
    """Set the environment variables of a server."""
    for name, value in server.environment.items():
        environment.setenv(name, value)


def configure(text):
    """Write the AWS config file."""
    Path(os.environ["AWS_CONFIG_FILE"]).write_text(text, encoding="utf-8")


async def test_a_bucket_in_another_region_is_followed_and_remembered(environment):
    """The client signs anew for the region that S3 names; from then on the fast way does too."""
    regions = []

    async def answer(request):
        region = request.headers["Authorization"].split("/")[2]
        regions.append(region)
        if region != "eu-north-1":
            return web.Response(
                status=400,
                content_type="application/xml",
                text="<Error><Code>AuthorizationHeaderMalformed</Code><Message>x</Message>"
                "<Region>eu-north-1</Region></Error>",
            )
        return web.Response(
            content_type="application/xml",
            text='<ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/">'
            "<Name>far</Name><IsTruncated>false</IsTruncated></ListBucketResult>",
        )

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", answer)
    runner = web.AppRunner(app)
    await runner.setup()
    try:
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        host, port = runner.addresses[0]
        connect(
            endpoint_url=f"http://{host}:{port}",
            region="us-east-1",
            aws_access_key_id="a",
            aws_secret_access_key="b",
        )

        first = await ls("s3://far/", progress="none")
        second = await ls("s3://far/", progress="none")
        await session.close()
    finally:
        await runner.cleanup()

    assert len(first) == len(second) == 0
    # Refused on the fast way, then to the client, which follows; then at once.
    assert regions == ["us-east-1", "us-east-1", "eu-north-1", "eu-north-1"]


def test_what_is_read_ahead_is_all_that_a_client_reads_of_botocores_tables():
    """A botocore that asks for another one would make the first line wait for it."""
    program = """
import asyncio, sys
from s3magic.botoclient import Options, build, prepare
prepare()
read = []
sys.addaudithook(
    lambda event, told: read.append(str(told[0])) if event == "open" and read is not None else None
)
made, facts = build(Options(aws_access_key_id="a", aws_secret_access_key="b", region="eu-west-1"))
print([path for path in read if "botocore" in path and ".json" in path])
"""

    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=True
    )

    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize(
    ("endpoint", "proxy", "verified"),
    [
        ("http://localhost:9", "", False),
        ("https://localhost:9", "", True),
        ("http://example.org:9", "https://proxy.example.org:8080", True),
    ],
)
async def test_only_over_plain_http_is_there_nothing_to_verify(
    environment, endpoint, proxy, verified
):
    """The file of authorities takes long to read; a proxy may need it even then."""
    environment.setenv("no_proxy", "localhost")
    environment.setenv("http_proxy", proxy)
    connect(endpoint_url=endpoint, aws_access_key_id="a", aws_secret_access_key="b")

    client = await session.client()

    assert bool(client._endpoint.http_session._verify) is verified

"""The error tree, and the translation of foreign errors into it."""

import copy
import errno
import pickle
import subprocess
import sys

import botocore.exceptions
import pytest

from s3magic import errors
from s3magic.errors import (
    AccessDenied,
    AlreadyExists,
    BadArgument,
    BadSignature,
    ClockSkew,
    ConnectionFailed,
    DiskFull,
    ExpiredCredentials,
    LocalDenied,
    NoCredentials,
    NoSuchBucket,
    NoSuchFile,
    NoSuchKey,
    NotFound,
    RedirectRefused,
    S3Error,
    ServerFault,
    Throttled,
    TimedOut,
    TLSFailed,
    TransferError,
    WrongRegion,
)
from s3magic.single_error import single_error
from s3magic.translation import LISTING_BUCKETS, translate


def answered(code, status=400, **more):
    """What botocore raises for an error that the server sent."""
    return botocore.exceptions.ClientError(
        {
            "Error": {"Code": code, "Message": "Said by the server.", **more},
            "ResponseMetadata": {"HTTPStatusCode": status, "HTTPHeaders": {}},
        },
        "GetObject",
    )


URL = {"endpoint_url": "https://s3.example.org"}


@pytest.mark.parametrize(
    ("foreign", "ours", "builtin"),
    [
        (answered("NoSuchKey", 404), NoSuchKey, FileNotFoundError),
        (answered("404", 404), NoSuchKey, FileNotFoundError),
        (answered("NoSuchBucket", 404), NoSuchBucket, FileNotFoundError),
        (answered("AccessDenied", 403), AccessDenied, PermissionError),
        (answered("403", 403), AccessDenied, PermissionError),
        (answered("PermanentRedirect", 301, Region="eu-west-1"), WrongRegion, ConnectionError),
        (answered("AuthorizationHeaderMalformed", 400), WrongRegion, ConnectionError),
        (answered("307", 307), RedirectRefused, ConnectionError),
        (answered("SignatureDoesNotMatch", 403), BadSignature, PermissionError),
        (answered("InvalidAccessKeyId", 403), BadSignature, PermissionError),
        (answered("RequestTimeTooSkewed", 403), ClockSkew, PermissionError),
        (answered("ExpiredToken", 400), ExpiredCredentials, PermissionError),
        (answered("SlowDown", 503), Throttled, OSError),
        (answered("503", 503), Throttled, OSError),
        (answered("InternalError", 500), ServerFault, OSError),
        (answered("AccessControlListNotSupported", 400), BadArgument, ValueError),
        (botocore.exceptions.NoCredentialsError(), NoCredentials, PermissionError),
        (
            botocore.exceptions.UnauthorizedSSOTokenError(),
            ExpiredCredentials,
            PermissionError,
        ),
        (
            botocore.exceptions.EndpointConnectionError(**URL),
            ConnectionFailed,
            ConnectionError,
        ),
        (botocore.exceptions.SSLError(**URL, error="x"), TLSFailed, ConnectionError),
        (botocore.exceptions.ConnectTimeoutError(**URL), TimedOut, TimeoutError),
        (botocore.exceptions.ReadTimeoutError(**URL), TimedOut, TimeoutError),
        (TimeoutError(), TimedOut, TimeoutError),
        (OSError(errno.ENOSPC, "x"), DiskFull, OSError),
        (PermissionError(errno.EACCES, "x"), LocalDenied, PermissionError),
        (FileNotFoundError(errno.ENOENT, "x"), NoSuchFile, FileNotFoundError),
        (
            botocore.exceptions.ParamValidationError(report="x"),
            BadArgument,
            ValueError,
        ),
        (botocore.exceptions.ProfileNotFound(profile="lab"), BadArgument, ValueError),
        (RuntimeError("surprise"), S3Error, Exception),
    ],
    ids=lambda value: value.__name__ if isinstance(value, type) else type(value).__name__,
)
def test_every_foreign_error_becomes_one_of_ours(foreign, ours, builtin):
    """It is our class and the matching builtin, names what was tried, and keeps its cause."""
    error = translate(foreign, "get s3://b/k")

    assert type(error) is ours
    assert isinstance(error, builtin)
    assert error.__cause__ is foreign
    assert str(error).startswith("Cannot get s3://b/k: ")
    assert "\n" not in str(error)


def test_what_is_ours_stays_as_it_is():
    """Translated once is translated."""
    error = NoSuchKey("Cannot.")

    assert translate(error, "get s3://b/k") is error


def test_a_region_that_the_server_names_is_told():
    """The sentence says where the bucket lives."""
    error = translate(answered("PermanentRedirect", 301, Region="eu-west-1"), "list s3://b/")

    assert "eu-west-1" in error.message


def test_denied_on_reading_says_that_the_key_may_be_missing():
    """S3 answers 403 for a missing key to whoever may not list."""
    error = translate(answered("AccessDenied", 403), "get s3://b/k")

    assert "s3:ListBucket" in error.message


def test_the_servers_own_words_stand_for_a_code_that_we_do_not_know():
    """Nothing the server said is lost."""
    error = translate(answered("NovelProblem", 400), "put s3://b/k")

    assert "NovelProblem" in error.message
    assert "Said by the server" in error.message


def test_an_error_cannot_steer_a_terminal():
    """A key with an escape in it is shown as one."""
    error = translate(answered("NoSuchKey", 404), "get s3://b/\x1b[2Jk")

    assert "\x1b" not in str(error)
    assert "\x1b" not in "".join(error._render_traceback_())


def test_ipython_shows_a_sentence_and_what_to_do():
    """Two lines in place of sixty."""
    lines = translate(answered("NoSuchKey", 404), "get s3://b/k")._render_traceback_()

    assert lines[0].startswith("NoSuchKey: Cannot get s3://b/k: ")
    assert lines[1].startswith("  → ")
    assert len(lines) == 2


def test_every_class_stands_in_the_tree_of_the_docstring():
    """The picture and the classes agree."""
    classes = [name for name in errors.__all__ if isinstance(getattr(errors, name), type)]

    missing = [name for name in classes if f" {name}" not in errors.__doc__ and name != "S3Error"]

    assert missing == []


def test_a_transfer_error_carries_its_report():
    """The frame of all rows."""
    assert TransferError("2 of 3 failed.", report=[1, 2, 3]).report == [1, 2, 3]
    assert isinstance(AlreadyExists("x"), FileExistsError)


def test_translating_imports_no_botocore():
    """Errors are told by their names: an import would cost a third of a second."""
    program = (
        "import sys; from s3magic.translation import translate; translate(OSError(2, 'x'), 'y');"
        "print('botocore' in sys.modules)"
    )

    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )

    assert done.stdout.strip() == "False"


def test_the_error_of_a_single_transfer_is_of_its_own_class_too():
    """`except FileNotFoundError` finds the one missing key, `except TransferError` as well."""
    for kind in (NoSuchKey, BadArgument, TimedOut, DiskFull):
        error = single_error(kind("Cannot.", hint="Try.", code="X"), report="frame")

        assert isinstance(error, TransferError)
        assert isinstance(error, kind)
        assert (str(error), error.report, error.code) == ("Cannot. Try.", "frame", "X")
        assert type(error).__name__ == "TransferError"


@pytest.mark.parametrize(
    "again", [lambda error: pickle.loads(pickle.dumps(error)), copy.copy, copy.deepcopy]
)
@pytest.mark.parametrize(
    "error",
    [
        *(
            getattr(errors, name)("Cannot.", hint="Try.", code="X")
            for name in errors.__all__
            if name != "TransferError"
        ),
        TransferError("1 of 2 failed.", report=[1, 2], hint="Try."),
        single_error(NoSuchKey("Cannot.", hint="Try.", code="X"), report=[1]),
        single_error(BadArgument("Cannot."), report=[1]),
    ],
    ids=lambda error: "-".join(kind.__name__ for kind in type(error).__mro__[:3]),
)
def test_an_error_travels_between_processes(error, again):
    """Of joblib, dask or multiprocessing, with its class, its words and its report."""
    other = again(error)

    assert type(other) is type(error)
    assert str(other) == str(error)
    assert other.__dict__ == error.__dict__


@pytest.mark.parametrize("status", [403, 404, 500, 418])
def test_an_answer_without_a_code_is_told_without_empty_brackets(status):
    """A web server's own page, for example."""
    error = translate(answered("", status, Message=""), "get s3://b/k")

    assert "(" not in error.message.replace("(S3 says", "").replace("(status 404", "")


@pytest.mark.parametrize(
    ("code", "action"), [("", "get s3://b/k"), ("", LISTING_BUCKETS), ("404", LISTING_BUCKETS)]
)
def test_a_404_that_is_not_s3s_is_told_of_the_endpoint(code, action):
    """Of no key: there is no S3 server."""
    error = translate(answered(code, 404, Message=""), action)

    assert type(error) is NotFound
    assert error.message == f"Cannot {action}: no S3 server answers there (status 404)."
    assert "endpoint" in error.hint


@pytest.mark.parametrize("field", ["UploadId", "ETag"])
def test_a_field_that_is_missing_in_an_answer_is_told_of_the_endpoint(field):
    """Something answered, and not as S3 does."""
    error = translate(KeyError(field), "put s3://b/k")

    assert type(error) is ServerFault
    assert "answer is not S3's" in error.message
    assert type(translate(KeyError("some name"), "put s3://b/k")) is S3Error


def test_plain_http_behind_an_https_address_is_said():
    """What OpenSSL calls a wrong version number."""
    foreign = botocore.exceptions.SSLError(**URL, error="[SSL: WRONG_VERSION_NUMBER] wrong version")

    error = translate(foreign, LISTING_BUCKETS)

    assert type(error) is TLSFailed
    assert "speaks plain http." in error.message
    assert "http://" in error.hint

"""What became of each name, as an answer tells it."""

from __future__ import annotations

from s3magic.errors import AccessDenied, ServerFault, Throttled
from s3magic.transfer.outcomes import Name, Outcome, outcomes

ONE, TWO = Name("b", "k", "1"), Name("b", "k", "2")


def test_what_the_server_says_is_gone_is_gone():
    """Keys and versions, each by its own name."""
    plain = Name("b", "plain")
    answer = {"Deleted": [{"Key": "k", "VersionId": "2"}, {"Key": "plain"}]}

    assert outcomes([TWO, plain], answer) == [Outcome(TWO), Outcome(plain)]


def test_a_marker_is_kept_where_one_was_made():
    """Of a version that was a marker, the answer says something alike."""
    plain = Name("b", "k")
    made = {"Key": "k", "DeleteMarker": True, "DeleteMarkerVersionId": "m"}

    assert outcomes([plain], {"Deleted": [made]}) == [Outcome(plain, marker="m")]
    assert outcomes([ONE], {"Deleted": [{**made, "VersionId": "1"}]}) == [Outcome(ONE)]


def test_an_error_is_ours_and_names_the_object():
    """The server's own words stand in it where we have none."""
    rows = [
        {"Key": "k", "VersionId": "1", "Code": "AccessDenied", "Message": "no"},
        {"Key": "k", "VersionId": "2", "Code": "Odd", "Message": "Quite so."},
    ]

    first, second = outcomes([ONE, TWO], {"Errors": rows})

    assert isinstance(first.error, AccessDenied)
    assert "s3://b/k (version 1)" in str(first.error)
    assert "Odd: Quite so" in str(second.error)
    assert not first.unsure
    assert not first.busy


def test_what_the_server_was_too_busy_for_is_worth_another_try():
    """It was not done, and the server says so."""
    (one,) = outcomes([ONE], {"Errors": [{"Key": "k", "VersionId": "1", "Code": "SlowDown"}]})

    assert isinstance(one.error, Throttled)
    assert one.busy


def test_what_the_answer_does_not_name_is_not_called_gone():
    """Nobody knows whether it is."""
    (one,) = outcomes([ONE], {"Deleted": [{"Key": "other"}]})

    assert isinstance(one.error, ServerFault)
    assert one.unsure
    assert not one.busy


def test_a_server_that_does_not_repeat_versions_is_understood():
    """What it says twice of a key is of two versions; once, of one."""
    both = outcomes([ONE, TWO], {"Deleted": [{"Key": "k"}, {"Key": "k"}]})
    once = outcomes([ONE, TWO], {"Deleted": [{"Key": "k"}]})

    assert [one.error for one in both] == [None, None]
    assert [one.error is None for one in once] == [True, False]


def test_a_server_that_names_a_version_unasked_is_understood():
    """Some tell of the version that a plain delete made or removed."""
    plain = Name("b", "k")

    assert outcomes([plain], {"Deleted": [{"Key": "k", "VersionId": "null"}]}) == [Outcome(plain)]

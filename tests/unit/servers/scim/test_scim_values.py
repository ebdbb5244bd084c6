"""Attributes, marks, headers, URLs and Secrets of a SCIM service."""

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seatpool.api.list_backends import ScimSettings, ScimToken, SecretKey
from seatpool.servers.commands import MAX_FENCE
from seatpool.servers.direct.marks import mark_text, parse_mark
from seatpool.servers.direct.target import Mark
from seatpool.servers.errors import CommandFault, TransportError
from seatpool.servers.scim.attributes import ignores_case, top_level, values_of
from seatpool.servers.scim.client import _retry_after, _version
from seatpool.servers.scim.factory import make_target

ENTERPRISE = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
USER: dict[str, Any] = {
    "userName": "ann",
    "externalId": "x1",
    "emails": [{"value": "a@x"}, {"value": "b@x"}, "odd", None],
    "name": {"familyName": "A"},
    "number": 7,
    "flag": True,
    ENTERPRISE: {"employeeNumber": "42"},
}


@pytest.mark.parametrize(
    ("attribute", "values"),
    [
        ("userName", ("ann",)),
        ("USERNAME", ("ann",)),
        ("urn:ietf:params:scim:schemas:core:2.0:User:userName", ("ann",)),
        ("emails.value", ("a@x", "b@x")),
        ("name.familyName", ("A",)),
        ("number", ("7",)),
        ("flag", ()),
        ("none", ()),
        ("name", ()),
        (f"{ENTERPRISE}:employeeNumber", ("42",)),
        (f"{ENTERPRISE}:none", ()),
    ],
)
def test_the_attribute_with_the_name_is_read(attribute: str, values: tuple[str, ...]) -> None:
    assert values_of(USER, attribute) == values


def test_what_is_asked_for_and_compared() -> None:
    assert top_level("emails.value") == "emails"
    assert top_level(f"{ENTERPRISE}:employeeNumber") == f"{ENTERPRISE}:employeeNumber"
    assert ignores_case("userName")
    assert ignores_case("urn:ietf:params:scim:schemas:core:2.0:User:userName")
    assert not ignores_case("externalId")


@given(st.from_regex(r"[A-Za-z0-9-]{1,64}", fullmatch=True), st.integers(0, MAX_FENCE))
def test_a_mark_comes_back(owner: str, revision: int) -> None:
    mark = Mark(owner=owner, revision=revision)
    assert parse_mark(mark_text(mark)) == mark


@pytest.mark.parametrize(
    "text",
    [
        "", "seatpool:", "seatpool:a", "seatpool::1", "seatpool:a:01", "seatpool:a:-1", "seatpool:a:1\n", "Seatpool:a:1",
        "seatpool:a b:1", "seatpool:a:1:2", f"seatpool:a:{MAX_FENCE + 1}", "seatpool:a:٣", "hr-17",
    ],
)  # fmt: skip
def test_what_is_no_mark_belongs_to_others(text: str) -> None:
    assert parse_mark(text) is None


@given(st.text(max_size=30) | st.sampled_from(["1e9", "-1", "9" * 40, "Mon, 99 Foo 2020 00:00:00 GMT", "٣"]))
def test_any_retry_after_is_a_number_of_seconds_or_nothing(header: str) -> None:
    seconds = _retry_after(header)
    assert seconds is None or 0 <= seconds < 1e12


def test_retry_after_has_both_forms() -> None:
    assert _retry_after("120") == 120
    assert _retry_after(None) is None
    later = format_datetime(datetime.now(UTC) + timedelta(seconds=100), usegmt=True)
    assert 95 < (_retry_after(later) or 0) <= 100
    assert _retry_after("Mon, 01 Jan 2001 00:00:00 GMT") == 0


def test_the_version_is_the_etag_or_that_in_meta() -> None:
    assert _version('W/"1"', {"meta": {"version": 'W/"2"'}}) == 'W/"1"'
    assert _version(None, {"meta": {"version": 'W/"2"'}}) == 'W/"2"'
    for body in (None, {}, {"meta": None}, {"meta": {"version": 7}}, {"meta": {"version": "a\r\nX: y"}}):
        assert _version(None, body) is None


TOKEN = SecretKey(name="scim", key="token")


def settings(**changes: Any) -> ScimSettings:
    return ScimSettings(**({"url": "https://example.com/scim/v2", "token": TOKEN} | changes))


@pytest.mark.parametrize(
    ("given", "secrets", "fault", "says"),
    [
        (settings(), {}, CommandFault.SECRET_MISSING, "there is no key token in Secret scim"),
        (settings(), {"scim/token": " \n"}, CommandFault.REFUSED, "key token of Secret scim is no token"),
        (settings(), {"scim/token": "a b"}, CommandFault.REFUSED, "key token of Secret scim is no token"),
        (settings(), {"scim/token": "a\r\nX: y"}, CommandFault.REFUSED, "key token of Secret scim is no token"),
        (settings(token=None), {}, CommandFault.SECRET_MISSING, "neither token nor oauth"),
        (
            settings(ca=SecretKey(name="scim", key="ca")),
            {"scim/token": "t", "scim/ca": "no pem"},
            CommandFault.CERTIFICATE_REFUSED,
            "key ca of Secret scim has no certificates in PEM form",
        ),
        (
            settings(ca=SecretKey(name="scim", key="ca")),
            {"scim/token": "t", "scim/ca": ""},
            CommandFault.CERTIFICATE_REFUSED,
            "key ca of Secret scim has no certificates in PEM form",
        ),
        *(
            (settings(url=url), {"scim/token": "t"}, CommandFault.BAD_ANSWER, "spec.scim.url is not https://HOST")
            for url in (
                "http://example.com", "https:///x", "https://u:p@example.com", "https://example.com?a=b", "https://a#b",
                "https://exa mple.com", "ftp://example.com", "https://example.com/\n",
            )
        ),
        (
            settings(
                token=None,
                oauth=ScimToken(url="http://x.example/token", client_id="a", client_secret=TOKEN),
            ),
            {"scim/token": "t"},
            CommandFault.BAD_ANSWER,
            "spec.scim.oauth.url is not https://HOST",
        ),
    ],
)  # fmt: skip
def test_settings_and_secrets_that_cannot_work_are_refused(
    given: ScimSettings, secrets: dict[str, str], fault: CommandFault, says: str
) -> None:
    with pytest.raises(TransportError) as caught:
        make_target(given, secrets=secrets, timeout=timedelta(seconds=5))
    assert caught.value.reason is fault
    assert says in str(caught.value)
    assert not caught.value.maybe_applied


def test_settings_that_can_work_are_taken() -> None:
    for url in ("https://example.com", "https://[::1]:8443/scim/v2/", "https://h:1/a-b/~c%20d"):
        target = make_target(settings(url=url), secrets={"scim/token": "t\n"}, timeout=timedelta(seconds=5))
        assert target.host in url

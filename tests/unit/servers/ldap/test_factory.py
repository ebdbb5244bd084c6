"""Settings that make a target, and Secrets that do not."""

from datetime import timedelta
from typing import Any

import pytest

from seatpool.api.list_backends import LdapSettings
from seatpool.servers.direct.target import ChangedMeanwhile, ListProblem
from seatpool.servers.errors import CommandFault, TransportError
from seatpool.servers.ldap.factory import make_target
from seatpool.servers.ldap.results import LdapResult, change_error, read_error, server_error

SETTINGS = {
    "url": "ldaps://directory.example.com",
    "bindDn": "cn=seatpool,dc=example,dc=com",
    "password": {"name": "directory", "key": "password"},
    "group": "cn={product},dc=example,dc=com",
    "users": {"base": "dc=example,dc=com"},
}
SECRETS = {"directory/password": "secret-text\n"}


def made(*, secrets: dict[str, str] = SECRETS, seconds: float = 60, **changes: Any) -> Any:
    values = {name: value for name, value in {**SETTINGS, **changes}.items() if value is not None}
    return make_target(LdapSettings.model_validate(values), secrets=secrets, timeout=timedelta(seconds=seconds))


@pytest.mark.parametrize(
    ("url", "start_tls", "expected"),
    [
        ("ldaps://directory.example.com", False, ("directory.example.com", 636, False)),
        ("ldaps://directory.example.com:6360", False, ("directory.example.com", 6360, False)),
        ("ldap://directory.example.com", True, ("directory.example.com", 389, True)),
        ("ldaps://[2001:db8::1]:636", False, ("2001:db8::1", 636, False)),
    ],
)
def test_addresses(url: str, start_tls: bool, expected: tuple[str, int, bool]) -> None:
    account = made(url=url, startTls=start_tls)._client._account
    assert (account.host, account.port, account.start_tls) == expected
    assert account.tls.check_hostname
    assert account.password == "secret-text", "the line end of a file is no part of a password"


@pytest.mark.parametrize(
    ("url", "start_tls"),
    [
        ("ldap://directory.example.com", False),
        ("ldaps://directory.example.com", True),
        ("https://directory.example.com", False),
        ("ldaps:///dc=example", False),
        ("ldaps://directory.example.com:x", False),
        ("ldaps://[directory", False),
    ],
)
def test_addresses_that_are_none(url: str, start_tls: bool) -> None:
    with pytest.raises(TransportError, match=r"spec\.ldap\.url"):
        made(url=url, startTls=start_tls)


@pytest.mark.parametrize(
    ("secrets", "changes", "expected"),
    [
        ({}, {}, "key password of Secret directory is missing"),
        ({"directory/password": ""}, {}, "is empty"),
        (SECRETS, {"ca": {"name": "directory", "key": "ca.crt"}}, r"key ca\.crt of Secret directory is missing"),
        (
            {**SECRETS, "directory/ca.crt": "secret-text"},
            {"ca": {"name": "directory", "key": "ca.crt"}},
            "no certificates",
        ),
        (
            {"cert/tls.crt": "secret-text"},
            {"bindDn": None, "password": None, "clientCertificate": {"name": "cert"}},
            "missing",
        ),
        (
            {"cert/tls.crt": "secret-text", "cert/tls.key": "secret-text"},
            {"bindDn": None, "password": None, "clientCertificate": {"name": "cert"}},
            "no certificate and its key",
        ),
    ],
)
def test_secrets_that_cannot_be_used(secrets: dict[str, str], changes: dict[str, Any], expected: str) -> None:
    with pytest.raises(TransportError, match=expected) as error:
        made(secrets=secrets, **changes)
    assert error.value.reason is CommandFault.SECRET_MISSING
    assert "secret-text" not in str(error.value)


@pytest.mark.parametrize(("seconds", "expected"), [(60, 30), (20, 10), (0.1, 1), (86400, 30)])
def test_one_request_takes_no_longer_than_its_part_of_the_time(seconds: float, expected: float) -> None:
    assert made(seconds=seconds)._client._seconds == expected


@pytest.mark.parametrize("code", range(124))
def test_every_result_has_a_sentence_and_no_control_character(code: int) -> None:
    result = LdapResult(code, "name", "line\nand \x1b[31m\u202e" + "x" * 5000)
    for error in (
        server_error("host", "what", result),
        read_error("host", "vew", "cn=vew\n", result),
        change_error("host", "vew", "cn=vew\n", result),
    ):
        assert str(error).isprintable()
        assert len(str(error)) < 800
        assert str(code) in str(error)


def test_results_that_mean_another_writer() -> None:
    assert isinstance(change_error("host", "vew", "cn=vew", LdapResult(122, "name")), ChangedMeanwhile)
    for code in (16, 20, 68, 53, 50, 65, 10, 32, 1):
        error = change_error("host", "vew", "cn=vew", LdapResult(code, "name"))
        assert isinstance(error, ListProblem)
        assert not isinstance(error, ChangedMeanwhile)


def test_a_busy_server_is_no_matter_of_one_list() -> None:
    for code in (51, 52, 3, 11):
        for error in (read_error, change_error):
            assert isinstance(error("host", "vew", "cn=vew", LdapResult(code, "name")), TransportError)

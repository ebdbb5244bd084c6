"""Makes the target of a LicenseServer's `spec.ldap`."""

import ssl
import tempfile
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from urllib.parse import urlsplit

from seatpool.api.list_backends import ClientCertificate, LdapSettings, SecretKey
from seatpool.servers.errors import CommandFault, TransportError
from seatpool.servers.ldap.client import LdapClient
from seatpool.servers.ldap.members import MemberLookup
from seatpool.servers.ldap.session import Account
from seatpool.servers.ldap.target import LdapTarget
from seatpool.text import escape_unprintable

LONGEST_OPERATION = 30.0
"""Longest time in seconds for one request, if the time limit of a command is longer."""
_PORTS = {"ldap": 389, "ldaps": 636}


def make_target(settings: LdapSettings, *, secrets: Mapping[str, str], timeout: timedelta) -> LdapTarget:
    """Returns the target. `secrets`: contents of Secrets by `name/key`. `timeout`: time limit of one command.

    Nothing is sent yet. Raises TransportError if a Secret's content cannot be used.
    """
    host, port, is_plain = _address(settings)
    password = None
    if settings.password is not None:
        password = _secret(secrets, settings.password).rstrip("\r\n")
        if not password:
            raise _unusable(
                settings.password, "is empty, and a directory takes an empty password for no account at all"
            )
    account = Account(
        host=host,
        port=port,
        start_tls=is_plain,
        tls=_tls(settings, secrets),
        bind_name=settings.bind_dn,
        password=password,
    )
    client = LdapClient(account, seconds=max(1.0, min(LONGEST_OPERATION, timeout.total_seconds() / 2)))
    return LdapTarget(settings, client, MemberLookup(client, settings.users))


def _address(settings: LdapSettings) -> tuple[str, int, bool]:
    """Returns host, port, and whether the connection begins without TLS."""
    try:
        url = urlsplit(settings.url)
        host, port = url.hostname, url.port
    except ValueError:
        host, port = None, None
        url = urlsplit("")
    if not host or url.scheme not in _PORTS or (url.scheme == "ldap") != settings.start_tls:
        message = (
            f"spec.ldap.url {settings.url!a} is neither ldaps://HOST[:PORT], nor ldap://HOST[:PORT] with startTls: true"
        )
        raise TransportError(CommandFault.BAD_ANSWER, message, maybe_applied=False)
    return host, port or _PORTS[url.scheme], url.scheme == "ldap"


def _tls(settings: LdapSettings, secrets: Mapping[str, str]) -> ssl.SSLContext:
    """Returns how certificates are checked. Without a CA of its own, the system's certificates count."""
    authorities = None
    if settings.ca is not None:
        authorities = _secret(secrets, settings.ca)
        if not authorities.strip():
            raise _unusable(settings.ca, "is empty, and an empty CA would mean the system's certificates")
    try:
        context = ssl.create_default_context(cadata=authorities)
    except (ssl.SSLError, ValueError) as error:
        assert settings.ca is not None  # noqa: S101
        raise _unusable(settings.ca, "has no certificates in PEM") from error
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if settings.client_certificate is not None and settings.bind_dn is None:
        _load_certificate(context, settings.client_certificate, secrets)
    return context


def _load_certificate(context: ssl.SSLContext, named: ClientCertificate, secrets: Mapping[str, str]) -> None:
    """Takes a certificate and its key into a context. ssl reads them from files only, which are gone afterwards."""
    certificate = _secret(secrets, SecretKey(name=named.name, key="tls.crt"))
    key = _secret(secrets, SecretKey(name=named.name, key="tls.key"))
    with tempfile.TemporaryDirectory(prefix="seatpool-") as folder:
        paths = [Path(folder) / name for name in ("tls.crt", "tls.key")]
        for path, content in zip(paths, (certificate, key), strict=True):
            path.touch(mode=0o600)
            path.write_text(content, encoding="utf-8")
        try:
            context.load_cert_chain(paths[0], paths[1], password=lambda: b"")
        except (ssl.SSLError, ValueError) as error:
            unusable = SecretKey(name=named.name, key="tls.key")
            raise _unusable(
                unusable, "and tls.crt are no certificate and its key in PEM without a passphrase"
            ) from error


def _secret(secrets: Mapping[str, str], wanted: SecretKey) -> str:
    content = secrets.get(f"{wanted.name}/{wanted.key}")
    if content is None:
        raise _unusable(wanted, "is missing")
    return content


def _unusable(secret: SecretKey, why: str) -> TransportError:
    message = f"key {secret.key} of Secret {escape_unprintable(secret.name)} {why}"
    return TransportError(CommandFault.SECRET_MISSING, message, maybe_applied=False)

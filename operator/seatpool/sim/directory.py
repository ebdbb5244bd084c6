"""Runs a real OpenLDAP server whose groups are the lists of licensed products.

It has TLS by a CA of its own, an account for the operator that may only change groups, and one for the demo, which edits
groups by hand and looks at them.
"""

import datetime
import ipaddress
import secrets
import shutil
import socket
import subprocess
import time
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import ldap3
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from ldap3.core.exceptions import LDAPException

from seatpool.domain.errors import SeatpoolError
from seatpool.sim.license_host import JournalEntry

__all__ = ["Directory", "DirectoryMissing", "write_certificates"]

BASE = "dc=example,dc=com"
OPERATOR = f"cn=seatpool,ou=services,{BASE}"
NOBODY = f"cn=nobody,ou=services,{BASE}"
ROOT = f"cn=admin,{BASE}"
STARTS_WITHIN = 30.0
_CONFIGURATION = """
include /etc/ldap/schema/core.schema
include /etc/ldap/schema/cosine.schema
include /etc/ldap/schema/inetorgperson.schema
modulepath /usr/lib/ldap
moduleload back_mdb
pidfile {home}/slapd.pid
TLSCACertificateFile {home}/ca.pem
TLSCertificateFile {home}/server.pem
TLSCertificateKeyFile {home}/server.key
disallow bind_anon
database mdb
suffix "{base}"
rootdn "{root}"
rootpw {root_password}
directory {home}/data
access to attrs=userPassword by anonymous auth by * none
access to dn.subtree="ou=groups,{base}" attrs=member,description by dn.exact="{operator}" write by * none
access to * by dn.exact="{operator}" read by * none
"""


class DirectoryMissing(SeatpoolError):
    """OpenLDAP's server is not installed, or does not start. The message says what to do."""


class Directory:
    """The server, with an account for each user and a group for each product. Leaving it ends the process."""

    def __init__(self, home: Path, *, users: Iterable[str], products: Iterable[str]) -> None:
        self.home = home.absolute()
        self._users = tuple(users)
        self._products = tuple(products)
        self._known: dict[str, tuple[str, ...]] = dict.fromkeys(self._products, ())
        self._password, self._root_password = secrets.token_hex(16), secrets.token_hex(16)

    def __enter__(self) -> Self:
        program = shutil.which("slapd", path="/usr/sbin:/usr/bin:/usr/local/sbin:/usr/local/libexec")
        if program is None:
            raise DirectoryMissing("the demo on a directory needs OpenLDAP's server: apt-get install slapd")
        (self.home / "data").mkdir(parents=True, exist_ok=True)
        self.ca = write_certificates(self.home)
        self._port, self._tls_port = _free_port(), _free_port()
        values = {"base": BASE, "root": ROOT, "operator": OPERATOR, "root_password": self._root_password}
        (self.home / "slapd.conf").write_text(_CONFIGURATION.format(home=self.home, **values))
        listen = f"ldap://127.0.0.1:{self._port} ldaps://127.0.0.1:{self._tls_port}"
        command = [program, "-d0", "-f", str(self.home / "slapd.conf"), "-h", listen]
        with (self.home / "slapd.log").open("wb") as log:
            self._process = subprocess.Popen(command, stdout=log, stderr=log)  # noqa: S603
        try:
            self._connection: Any = self._connect()
            self._fill()
        except BaseException:
            self.__exit__(None, None, None)
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.terminate()
        self._process.wait(10)

    def section(self) -> dict[str, Any]:
        """Returns `spec.ldap` of a LicenseServer for this directory."""
        return {
            "url": f"ldaps://127.0.0.1:{self._tls_port}",
            "ca": {"name": "directory", "key": "ca.crt"},
            "bindDn": OPERATOR,
            "password": {"name": "directory", "key": "password"},
            "group": f"cn={{product}},ou=groups,{BASE}",
            "users": {"base": f"ou=people,{BASE}"},
            "placeholderMember": NOBODY,
        }

    def secret(self) -> Mapping[str, str]:
        """Returns the content of the Secret `directory`."""
        return {"ca.crt": self.ca, "password": self._password}

    def users(self, product: str) -> tuple[str, ...]:
        """Returns the users in a product's group, sorted."""
        self._connection.search(_group(product), "(objectClass=*)", ldap3.BASE, attributes=["member"])
        (entry,) = (one for one in self._connection.response if one["type"] == "searchResEntry")
        members = [value.decode() for value in entry["raw_attributes"].get("member", ())]
        names = (member.partition(",")[0].partition("=")[2] for member in members if member != NOBODY)
        return tuple(sorted(names))

    def edit(self, product: str, users: Iterable[str]) -> None:
        """Changes a group by hand. It is not journaled."""
        wanted = sorted(users)
        members = [_person(user) for user in wanted] or [NOBODY]
        self._connection.modify(_group(product), {"member": [(ldap3.MODIFY_REPLACE, members)]})
        self._known[product] = tuple(wanted)

    def seats(self, product: str, number: int | None) -> None:
        """Does nothing: a directory has no seats."""

    def place(self, product: str) -> str:
        """Returns where a product's list is."""
        return _group(product)

    def journal(self) -> Iterator[JournalEntry]:
        """Yields the groups that changed since the last call. A change is as old as this call finds it."""
        for product in self._products:
            users = self.users(product)
            if users != self._known[product]:
                self._known[product] = users
                yield JournalEntry(at=datetime.datetime.now(UTC), product=product, users=users, accepted=True)

    def _connect(self) -> Any:
        server = ldap3.Server("127.0.0.1", self._port, get_info=ldap3.NONE)
        until = time.monotonic() + STARTS_WITHIN
        while True:
            try:
                return ldap3.Connection(
                    server, user=ROOT, password=self._root_password, auto_bind=True, raise_exceptions=True
                )
            except LDAPException as error:
                if self._process.poll() is not None or time.monotonic() > until:
                    raise DirectoryMissing(f"slapd does not answer; see {self.home / 'slapd.log'}") from error
                time.sleep(0.05)

    def _fill(self) -> None:
        add = self._connection.add
        add(BASE, attributes={"objectClass": ["dcObject", "organization"], "o": "Example"})
        for unit in ("people", "groups", "services"):
            add(f"ou={unit},{BASE}", attributes={"objectClass": "organizationalUnit"})
        account = {"objectClass": ["organizationalRole", "simpleSecurityObject"], "userPassword": self._password}
        add(OPERATOR, attributes=account)
        add(NOBODY, attributes={"objectClass": "organizationalRole"})
        for user in self._users:
            add(_person(user), attributes={"objectClass": "inetOrgPerson", "uid": user, "cn": user, "sn": user})
        for product in self._products:
            add(_group(product), attributes={"objectClass": "groupOfNames", "member": NOBODY})


def _group(product: str) -> str:
    return f"cn={product},ou=groups,{BASE}"


def _person(user: str) -> str:
    return f"uid={user},ou=people,{BASE}"


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as one:
        port: int = one.getsockname()[1]
        return port


def write_certificates(home: Path) -> str:
    """Writes a CA's certificate, and the server's with its key. Returns the CA's."""
    now = datetime.datetime.now(UTC)
    ca_key, key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    issuer = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "CA of the demo's directory")])

    def certificate(name: str, public: ec.EllipticCurvePublicKey, *, is_ca: bool) -> x509.Certificate:
        subject = issuer if is_ca else x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        builder = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(issuer)
            .public_key(public)
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - datetime.timedelta(days=1))
            .not_valid_after(now + datetime.timedelta(days=30))
            .add_extension(x509.BasicConstraints(ca=is_ca, path_length=None), critical=True)
        )
        if not is_ca:
            names = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
            builder = builder.add_extension(names, critical=False)
        return builder.sign(ca_key, hashes.SHA256())

    ca = certificate("", ca_key.public_key(), is_ca=True).public_bytes(serialization.Encoding.PEM)
    server = certificate("directory", key.public_key(), is_ca=False).public_bytes(serialization.Encoding.PEM)
    (home / "ca.pem").write_bytes(ca)
    (home / "server.pem").write_bytes(server)
    secret = home / "server.key"
    secret.touch(mode=0o600)
    secret.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return ca.decode()

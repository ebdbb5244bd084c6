"""A real OpenLDAP server in a folder of its own."""

import shutil
import ssl
import subprocess
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import ldap3
import pytest
from tests.integration.backends.ldap.directory import NOTE, PASSWORD, Administrator, Authority, DirectorySite, free_port
from tests.integration.backends.ldap.liar import Liar
from tests.integration.backends.proxy import Relay
from tests.integration.backends.site import LIST, OTHER_LIST
from tests.waiting import wait_until

BASE = "dc=example,dc=com"
OPERATOR = f"cn=seatpool,ou=services,{BASE}"
PLACEHOLDER = f"cn=nobody,ou=services,{BASE}"
ROOT = f"cn=admin,{BASE}"
ROOT_PASSWORD = "admin"
CONFIGURATION = """
include /etc/ldap/schema/core.schema
include /etc/ldap/schema/cosine.schema
include /etc/ldap/schema/inetorgperson.schema
modulepath /usr/lib/ldap
moduleload back_mdb
pidfile {folder}/slapd.pid
TLSCACertificateFile {folder}/ca.pem
TLSCertificateFile {folder}/server.pem
TLSCertificateKeyFile {folder}/server.key
TLSVerifyClient try
authz-regexp "^(.*,)?cn=seatpool-client(,.*)?$" "{operator}"
disallow bind_anon
sizelimit 500
database mdb
suffix "{base}"
rootdn "{root}"
rootpw {root_password}
directory {folder}/data
maxsize 1073741824
index objectClass,uid,cn eq
access to attrs=userPassword by anonymous auth by * none
{rights}
"""
RIGHTS = f"""
access to dn.subtree="ou=hidden,{BASE}" by * none
access to dn.subtree="ou=blind,{BASE}" attrs=member by dn.exact="{OPERATOR}" =w by * none
access to dn.subtree="ou=blind,{BASE}" attrs=description by dn.exact="{OPERATOR}" write by * none
access to dn.subtree="ou=groups,{BASE}" attrs=member,uniqueMember,description,displayName
  by dn.exact="{OPERATOR}" write by * none
access to * by dn.exact="{OPERATOR}" read by * none
"""


class Slapd:
    """The server, with the operator's account and an empty tree of people and groups."""

    def __init__(self, folder: Path, authority: Authority, *, rights: str = RIGHTS) -> None:
        self.folder = folder
        self.authority = authority
        self._starts_left = 5
        self._write(rights)
        self._start()
        wait_until(self._answers, what=f"slapd in {folder}")

    def _start(self) -> None:
        self.port, self.tls_port = free_port(), free_port()
        self._process = subprocess.Popen(
            [
                shutil.which("slapd") or "/usr/sbin/slapd",
                "-d0",
                "-f",
                str(self.folder / "slapd.conf"),
                "-h",
                f"ldap://127.0.0.1:{self.port} ldaps://127.0.0.1:{self.tls_port}",
            ],
            stdout=subprocess.DEVNULL,
            stderr=(self.folder / "slapd.log").open("ab"),
        )

    def close(self) -> None:
        self._process.terminate()
        self._process.wait(10)

    def administrator(self) -> Administrator:
        return Administrator(self.server(), user=ROOT, password=ROOT_PASSWORD)

    def server(self) -> ldap3.Server:
        return ldap3.Server("127.0.0.1", self.port, get_info=ldap3.NONE)

    def _answers(self) -> bool:
        if self._process.poll() is not None:  # another program may have taken the port meanwhile
            self._starts_left -= 1
            assert self._starts_left, (self.folder / "slapd.log").read_text()
            self._start()
        try:
            self.administrator().connection.unbind()
        except ldap3.core.exceptions.LDAPException:
            return False
        return True

    def _write(self, rights: str) -> None:
        (self.folder / "data").mkdir()
        server = self.authority.ca.issue_cert("127.0.0.1", "localhost")
        server.private_key_pem.write_to_path(self.folder / "server.key")
        with (self.folder / "server.pem").open("wb") as chain:
            for certificate in server.cert_chain_pems:
                chain.write(certificate.bytes())
        self.authority.ca.cert_pem.write_to_path(self.folder / "ca.pem")
        (self.folder / "slapd.conf").write_text(
            CONFIGURATION.format(
                folder=self.folder,
                base=BASE,
                root=ROOT,
                root_password=ROOT_PASSWORD,
                operator=OPERATOR,
                rights=rights,
            )
        )


class SlapdSite(DirectorySite):
    """Groups of an OpenLDAP server."""

    def __init__(self, slapd: Slapd, *, member_attribute: str) -> None:
        self._member_attribute = member_attribute
        super().__init__(
            authority=slapd.authority, administrator=slapd.administrator(), relay=Relay(slapd.tls_port), base=BASE
        )
        self.slapd = slapd
        self._build()
        self.hostile_entries = (
            f"cn=nested,{self.groups}",
            f"uid=elsewhere,ou=services,{BASE}",
            f"cn=no uid,{self.people}",
            f"uid=\\2a)(uid=\\2a,{self.people}",
            f"cn=two\\0alines \\e2\\80\\ae back,{self.people}",
            f"uid=never there,{self.people}",
        )

    @property
    def settings(self) -> dict[str, Any]:
        return {
            "bindDn": OPERATOR,
            "password": {"name": "dir", "key": "password"},
            "group": f"cn=licensed-{{product}},ou=groups,{BASE}",
            "memberAttribute": self._member_attribute,
            "users": {"base": f"ou=people,{BASE}"},
            "placeholderMember": PLACEHOLDER,
        }

    @property
    def group_class(self) -> str:
        return "groupOfNames" if self._member_attribute == "member" else "groupOfUniqueNames"

    def add_users(self, names: Iterable[str]) -> None:
        for name in names:
            self.administrator.add(
                self.user_dn(name), {"objectClass": "inetOrgPerson", "uid": name, "sn": "x", "cn": f"A , B + {name}"}
            )

    def add_by_hand(self, product: str, names: Sequence[str]) -> None:
        group = self.group_dn(product)
        present = self.administrator.values(group, self.member_attribute)
        placeholder = [PLACEHOLDER] if PLACEHOLDER in present else []
        self.administrator.change_values(group, self.member_attribute, add=self.dns(names), remove=placeholder)

    def remove_by_hand(self, product: str, names: Sequence[str]) -> None:
        group, gone = self.group_dn(product), self.dns(names)
        present = self.administrator.values(group, self.member_attribute)
        placeholder = [PLACEHOLDER] if set(present) == set(gone) else []
        self.administrator.change_values(group, self.member_attribute, add=placeholder, remove=gone)

    def make_unreadable(self, product: str) -> None:
        self.administrator.delete(self.group_dn(product))

    @contextmanager
    def lying(self) -> Iterator[None]:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.slapd.folder / "server.pem", self.slapd.folder / "server.key")
        liar = Liar(context, self.slapd.port)
        try:
            with self.relay.elsewhere(liar.port):
                yield
        finally:
            liar.close()
        assert liar.lies, "nothing was changed through the server that lies"

    def clear(self) -> None:
        """Removes what a test left."""
        for dn in sorted(self.administrator.entries(BASE, attributes=("1.1",)), key=len, reverse=True):
            self.administrator.delete(dn)

    def _build(self) -> None:
        by = self.administrator
        by.add(BASE, {"objectClass": ["dcObject", "organization"], "o": "Example"})
        for unit in ("people", "groups", "services", "hidden", "blind"):
            by.add(f"ou={unit},{BASE}", {"objectClass": "organizationalUnit"})
        by.add(OPERATOR, {"objectClass": ["organizationalRole", "simpleSecurityObject"], "userPassword": PASSWORD})
        by.add(PLACEHOLDER, {"objectClass": "organizationalRole"})
        by.add(f"uid=elsewhere,ou=services,{BASE}", {"objectClass": "inetOrgPerson", "cn": "x", "sn": "x"})
        by.add(f"cn=no uid,{self.people}", {"objectClass": "inetOrgPerson", "sn": "x"})
        by.add(f"uid=\\2a)(uid=\\2a,{self.people}", {"objectClass": "inetOrgPerson", "cn": "x", "sn": "x"})
        by.add(
            f"cn=two\\0alines \\e2\\80\\ae back,{self.people}",
            {"objectClass": "inetOrgPerson", "uid": "two\nlines \u202e back", "sn": "x"},
        )
        for product in (LIST, OTHER_LIST):
            by.add(
                self.group_dn(product),
                {
                    "objectClass": self.group_class,
                    self.member_attribute: PLACEHOLDER,
                    "description": [NOTE, "seatpool: asks for this group", "seatpool:too:many:1"],
                    "owner": ROOT,
                    "o": ["Lab", "Other lab"],
                },
            )
        nested = {"objectClass": self.group_class, self.member_attribute: PLACEHOLDER, "description": NOTE}
        by.add(f"cn=nested,{self.groups}", nested)


@contextmanager
def running_slapd(*, rights: str = RIGHTS) -> Iterator[Slapd]:
    """Runs a server for the tests of a file."""
    if shutil.which("slapd") is None and not Path("/usr/sbin/slapd").exists():
        pytest.skip("slapd is not installed (Debian: apt-get install slapd)")
    with tempfile.TemporaryDirectory(prefix="seatpool-slapd-") as folder:
        slapd = Slapd(Path(folder), Authority(), rights=rights)
        try:
            yield slapd
        finally:
            slapd.close()

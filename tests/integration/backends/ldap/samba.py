"""A real Active Directory domain controller: Samba's, in a folder and a network of its own, for its ports are fixed."""

import contextlib
import ctypes
import os
import shutil
import socket
import ssl
import subprocess
import tempfile
import threading
from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, cast

import ldap3
import pytest
from tests.integration.backends.ldap.directory import Administrator, Authority, DirectorySite
from tests.integration.backends.proxy import Relay
from tests.integration.backends.site import LIST, OTHER_LIST
from tests.waiting import wait_until

from seatpool.servers.ldap.target import LdapTarget

BASE = "DC=lab,DC=example,DC=com"
SERVICES = f"OU=services,{BASE}"
OPERATOR = f"CN=seatpool,{SERVICES}"
ADMINISTRATOR = f"CN=Administrator,CN=Users,{BASE}"
ADMINISTRATOR_PASSWORD = "Adm1n.pass-word"
MEMBER, INFO, GROUP = (
    "bf9679c0-0de6-11d0-a285-00aa003049e2",
    "bf96793e-0de6-11d0-a285-00aa003049e2",
    "bf967a9c-0de6-11d0-a285-00aa003049e2",
)
"""Identifiers of the attributes member and info, and of the class group, in the schema of Active Directory."""
CLONE_NEWNET = 0x40000000
OPERATOR_PASSWORD = "Oper4tor.pass\\word*"


class Samba:
    """The domain controller, which has its LDAP service only."""

    def __init__(self, folder: Path, authority: Authority) -> None:
        self.folder = folder
        self.authority = authority
        self._provision()
        self._certificates()
        options = {
            "server services": "ldap",
            "dcerpc endpoint servers": "",
            "log file": f"{folder}/log",
            "pid directory": str(folder),
            "ncalrpc dir": f"{folder}/ncalrpc",
            "tls keyfile": f"{folder}/server.key",
            "tls certfile": f"{folder}/server.pem",
            "tls cafile": f"{folder}/ca.pem",
        }
        program = ["samba", "--foreground", "--no-process-group", "-M", "single", "-s", str(self.configuration)]
        samba = [*program, *(f"--option={name}={value}" for name, value in options.items())]
        self._process = subprocess.Popen(
            ["unshare", "--net", "sh", "-c", 'ip link set lo up && exec "$@"', "sh", *samba],
            stdout=(folder / "out").open("wb"),
            stderr=subprocess.STDOUT,
        )
        self._administrator_relay = Relay(636, self.connect)
        wait_until(self._answers, what=f"samba in {folder}")

    @property
    def configuration(self) -> Path:
        return self.folder / "etc" / "smb.conf"

    def close(self) -> None:
        self._administrator_relay.close()
        self._process.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(10)
        self._process.kill()
        self._process.wait(10)

    def connect(self, address: tuple[str, int]) -> socket.socket:
        """Returns a connection to an address of the server's own network. A socket stays in the network it was made in."""
        made: list[socket.socket] = []

        def enter() -> None:
            libc = ctypes.CDLL(None, use_errno=True)
            with Path(f"/proc/{self._process.pid}/ns/net").open("rb") as network:
                if libc.setns(network.fileno(), CLONE_NEWNET) == 0:
                    with contextlib.suppress(OSError):
                        made.append(socket.create_connection(address))

        thread = threading.Thread(target=enter)
        thread.start()
        thread.join()
        if not made:
            raise OSError("the server is not reached")
        return made[0]

    def administrator(self) -> Administrator:
        tls = ldap3.Tls(validate=ssl.CERT_NONE)
        server = ldap3.Server("127.0.0.1", self._administrator_relay.port, use_ssl=True, tls=tls, get_info=ldap3.NONE)
        return Administrator(server, user=ADMINISTRATOR, password=ADMINISTRATOR_PASSWORD)

    def tool(self, *arguments: str) -> str:
        """Runs samba-tool."""
        done = subprocess.run(
            ["samba-tool", *arguments, f"--configfile={self.configuration}"],
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def _answers(self) -> bool:
        assert self._process.poll() is None, (self.folder / "out").read_text()
        try:
            self.administrator().connection.unbind()
        except ldap3.core.exceptions.LDAPException:
            return False
        return True

    def _provision(self) -> None:
        done = subprocess.run(
            [
                *("samba-tool", "domain", "provision", "--realm=LAB.EXAMPLE.COM", "--domain=LAB", "--server-role=dc"),
                *("--dns-backend=NONE", "--host-name=dc1", "--host-ip=127.0.0.1", f"--targetdir={self.folder}"),
                f"--adminpass={ADMINISTRATOR_PASSWORD}",
            ],
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr[-2000:]

    def _certificates(self) -> None:
        server = self.authority.ca.issue_cert("127.0.0.1", "dc1.lab.example.com")
        key = self.folder / "server.key"
        server.private_key_pem.write_to_path(key)
        key.chmod(0o600)
        with (self.folder / "server.pem").open("wb") as chain:
            for certificate in server.cert_chain_pems:
                chain.write(certificate.bytes())
        self.authority.ca.cert_pem.write_to_path(self.folder / "ca.pem")


class SambaSite(DirectorySite):
    """Groups of a domain controller."""

    secrets = (OPERATOR_PASSWORD, OPERATOR_PASSWORD.split("\\")[0])
    most_users = 1_600
    """More than the 1,500 that one answer has."""
    most_values = 1_500
    """Members that one answer has."""
    rdn_attribute = "cn"

    def __init__(self, samba: Samba) -> None:
        super().__init__(
            authority=samba.authority,
            administrator=samba.administrator(),
            relay=Relay(636, samba.connect),
            base=BASE,
        )
        self.samba = samba
        self.password = OPERATOR_PASSWORD
        self._build()
        self.hostile_entries = (
            f"CN=nested,{self.groups}",
            f"CN=Guest,CN=Users,{BASE}",
            f"CN=A contact\\, of somebody,{self.people}",
            f"CN=machine,{self.people}",
            f"CN=two\\0Alines \u202e back,{self.people}",
        )

    @property
    def settings(self) -> dict[str, Any]:
        return {
            "bindDn": OPERATOR,
            "password": {"name": "dir", "key": "password"},
            "group": f"CN=licensed-{{product}},OU=groups,{BASE}",
            "users": {
                "base": f"OU=people,{BASE}",
                "filter": "(&(objectCategory=person)(sAMAccountName={user}))",
                "nameAttribute": "sAMAccountName",
            },
            "markAttribute": "info",
        }

    def target(self, **changes: Any) -> LdapTarget:
        made = super().target(**changes)
        cast("Any", made)._client.search = _in_parts(made._client.search, self.most_values)
        return made

    def add_users(self, names: Iterable[str]) -> None:
        for name in names:
            with contextlib.suppress(ldap3.core.exceptions.LDAPOperationResult):
                self.administrator.add(self.user_dn(name), {"objectClass": "user", "sAMAccountName": name})

    def add_by_hand(self, product: str, names: Sequence[str]) -> None:
        self.administrator.change_values(self.group_dn(product), "member", add=self.dns(names))

    def remove_by_hand(self, product: str, names: Sequence[str]) -> None:
        self.administrator.change_values(self.group_dn(product), "member", remove=self.dns(names))

    def make_unreadable(self, product: str) -> None:
        self.administrator.delete(self.group_dn(product))

    def clear(self) -> None:
        """Removes what a test left."""
        for unit in (self.groups, self.people, SERVICES):
            for dn in sorted(self.administrator.entries(unit, attributes=("1.1",)), key=len, reverse=True):
                self.administrator.delete(dn)

    def surroundings(self) -> Any:
        return {
            dn: attributes
            for dn, attributes in super().surroundings().items()
            if dn.lower().endswith((self.people.lower(), self.groups.lower()))
        }

    def _build(self) -> None:
        by = self.administrator
        for unit in (self.people, self.groups, SERVICES):
            by.add(unit, {"objectClass": "organizationalUnit"})
        by.add(OPERATOR, {"objectClass": "user", "sAMAccountName": "seatpool"})
        by.connection.extend.microsoft.modify_password(OPERATOR, OPERATOR_PASSWORD)
        by.replace(OPERATOR, "userAccountControl", ["512"])
        sid = self._sid()
        for attribute in (MEMBER, INFO):
            right = f"(OA;CIIO;RPWP;{attribute};{GROUP};{sid})"
            self.samba.tool("dsacl", "set", f"--objectdn={self.groups}", "--action=allow", f"--sddl={right}")
        by.add(f"CN=A contact\\, of somebody,{self.people}", {"objectClass": "contact"})
        machine = {"objectClass": "computer", "sAMAccountName": "MACHINE$", "userAccountControl": "4096"}
        by.add(f"CN=machine,{self.people}", machine)
        by.add(
            f"CN=two\\0Alines \u202e back,{self.people}", {"objectClass": "user", "sAMAccountName": "two\u202elines"}
        )
        for product in (LIST, OTHER_LIST):
            by.add(
                self.group_dn(product),
                {"objectClass": "group", "description": "Licences of the lab", "managedBy": ADMINISTRATOR},
            )
        by.add(f"CN=nested,{self.groups}", {"objectClass": "group", "info": "not ours"})

    def _sid(self) -> str:
        return self.samba.tool("user", "show", "seatpool", "--attributes=objectSid").split("objectSid:")[1].split()[0]


def _in_parts(search: Callable[..., Awaitable[Any]], most: int) -> Callable[..., Awaitable[Any]]:
    """Asks for so many members at a time. Active Directory gives no more than 1,500 by itself; Samba has no such limit, but
    answers such questions as Active Directory does."""

    def part(attribute: str) -> str:
        if attribute == "member":
            return f"member;range=0-{most - 1}"
        if attribute.startswith("member;range="):
            first = int(attribute.removeprefix("member;range=").removesuffix("-*"))
            return f"member;range={first}-{first + most - 1}"
        return attribute

    async def asked(base: str, wanted: str, attributes: Sequence[str], **how: Any) -> Any:
        return await search(base, wanted, [part(one) for one in attributes], **how)

    return asked


@contextmanager
def running_samba() -> Iterator[Samba]:
    """Runs a domain controller for the tests of a file."""
    for program in ("samba", "samba-tool", "unshare", "ip"):
        if shutil.which(program) is None:
            pytest.skip(
                f"{program} is not installed (Debian: apt-get install samba samba-ad-dc samba-ad-provision iproute2)"
            )
    if not Path("/usr/share/samba/setup").is_dir():
        pytest.skip("samba's files for a domain are not installed (Debian: apt-get install samba-ad-provision)")
    if os.geteuid() != 0:
        pytest.skip("a domain controller runs as root only")
    if subprocess.run(
        ["unshare", "--net", "ip", "link", "set", "lo", "up"], capture_output=True, check=False
    ).returncode:
        pytest.skip("this machine gives the tests no network of their own")
    with tempfile.TemporaryDirectory(prefix="seatpool-samba-") as folder:
        samba = Samba(Path(folder), Authority())
        try:
            yield samba
        finally:
            samba.close()

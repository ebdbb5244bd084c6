"""What the directories of the tests have in common: an administrator's own connection, and the suite's `Site`."""

import asyncio
import contextlib
import re
import secrets
import socket
from abc import abstractmethod
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import ldap3
import trustme
from tests.integration.backends.proxy import Relay
from tests.integration.backends.site import TIMEOUT, UNDISTURBED, Disturbance, RelayedSite, direct_backend

from seatpool.api.list_backends import LdapSettings
from seatpool.api.list_names import ListNames
from seatpool.servers.backend import ListBackend
from seatpool.servers.ldap.distinguished_names import escape_value
from seatpool.servers.ldap.factory import make_target
from seatpool.servers.ldap.target import LdapTarget

PASSWORD = f"pass-{secrets.token_hex(8)}\\*)( é"
"""The operator's password. It has what a careless client escapes or drops."""
MANAGE_REFERRALS = ("2.16.840.1.113730.3.4.2", False, None)
"""Control by which a referral is an entry like others."""
MARK = re.compile(rb"seatpool:[^:]+:[0-9]+")
NOTE = "Licences of the lab: do not delete"
"""A value that others have in the attribute of the mark."""


@dataclass(frozen=True)
class Authority:
    """A CA of the tests, and certificates by it."""

    ca: trustme.CA = field(default_factory=trustme.CA)

    @property
    def pem(self) -> str:
        return self.ca.cert_pem.bytes().decode()


def free_port() -> int:
    """Returns a port of 127.0.0.1 that nothing listens on now."""
    with socket.create_server(("127.0.0.1", 0)) as one:
        port: int = one.getsockname()[1]
        return port


class Administrator:
    """An administrator of a directory, who does things by hand."""

    def __init__(self, server: ldap3.Server, **account: Any) -> None:
        self.connection = ldap3.Connection(
            server, auto_range=True, auto_referrals=False, check_names=False, raise_exceptions=True, **account
        )
        self.connection.bind()

    def add(self, dn: str, attributes: Mapping[str, Any]) -> None:
        self.connection.add(dn, attributes=dict(attributes))

    def delete(self, dn: str) -> None:
        self.connection.delete(dn, controls=[MANAGE_REFERRALS])

    def replace(self, dn: str, attribute: str, values: Sequence[str]) -> None:
        self.connection.modify(dn, {attribute: [(ldap3.MODIFY_REPLACE, list(values))]})

    def change_values(self, dn: str, attribute: str, *, add: Sequence[str] = (), remove: Sequence[str] = ()) -> None:
        operations = [(ldap3.MODIFY_DELETE, list(remove))] if remove else []
        operations += [(ldap3.MODIFY_ADD, list(add))] if add else []
        self.connection.modify(dn, {attribute: operations})

    def values(self, dn: str, attribute: str) -> list[str]:
        self.connection.search(dn, "(objectClass=*)", ldap3.BASE, attributes=[attribute])
        (entry,) = [one for one in self.connection.response if one["type"] == "searchResEntry"]
        return [value.decode() for value in entry["raw_attributes"].get(attribute, ())]

    def entries(self, base: str, wanted: str = "(objectClass=*)", attributes: Sequence[str] = ("*",)) -> dict[str, Any]:
        found = self.connection.extend.standard.paged_search(
            base,
            wanted,
            ldap3.SUBTREE,
            attributes=list(attributes),
            paged_size=500,
            generator=True,
            controls=[MANAGE_REFERRALS],
        )
        return {
            one["dn"]: {name: sorted(values) for name, values in one["raw_attributes"].items() if values}
            for one in found
            if one["type"] == "searchResEntry"
        }


class DirectorySite(RelayedSite):
    """A directory behind a relay."""

    secrets = (PASSWORD, PASSWORD.split("\\")[0])
    user_class = "inetOrgPerson"

    def __init__(self, *, authority: Authority, administrator: Administrator, relay: Relay, base: str) -> None:
        self.authority = authority
        self.administrator = administrator
        self.relay = relay
        self.base = base
        self.people = f"ou=people,{base}"
        self.groups = f"ou=groups,{base}"
        self._targets: list[LdapTarget] = []
        self.password = PASSWORD

    @property
    @abstractmethod
    def settings(self) -> dict[str, Any]:
        """Settings of the LicenseServer, but for url and ca."""

    @property
    def member_attribute(self) -> str:
        return str(self.settings.get("memberAttribute", "member"))

    @property
    def mark_attribute(self) -> str:
        return str(self.settings.get("markAttribute", "description"))

    @property
    def name_attribute(self) -> str:
        return str(self.settings["users"].get("nameAttribute", "uid"))

    @property
    def url(self) -> str:
        return f"ldaps://127.0.0.1:{self.relay.port}"

    def target(
        self, *, timeout: timedelta = TIMEOUT, secrets: Mapping[str, str] | None = None, **changes: Any
    ) -> LdapTarget:
        settings = {"url": self.url, "ca": {"name": "dir", "key": "ca.crt"}, **self.settings, **changes}
        known = {"dir/ca.crt": self.authority.pem, "dir/password": self.password, **(secrets or {})}
        values = {name: value for name, value in settings.items() if value is not None}
        made = make_target(LdapSettings.model_validate(values), secrets=known, timeout=timeout)
        self._targets.append(made)
        return made

    def backend(
        self, *, timeout: timedelta = TIMEOUT, names: ListNames | None = None, disturbance: Disturbance = UNDISTURBED
    ) -> ListBackend:
        return direct_backend(self.target(timeout=timeout), names=names, timeout=timeout, disturbance=disturbance)

    def server(self) -> tuple[dict[str, Any], Mapping[str, Mapping[str, str]]]:
        section = {"url": self.url, "ca": {"name": "dir", "key": "ca.crt"}, **self.settings}
        return {"ldap": section}, {"dir": {"ca.crt": self.authority.pem, "password": self.password}}

    def close(self) -> None:
        async def close() -> None:
            for target in self._targets:
                await target.close()

        asyncio.run(close())
        self.relay.close()

    def group_dn(self, product: str) -> str:
        return f"cn=licensed-{escape_value(product)},{self.groups}"

    def user_dn(self, name: str) -> str:
        """Half of the people have an entry that is named after something other than the user."""
        if sum(name.encode()) % 2:
            return f"cn=A \\, B \\+ {escape_value(name)},{self.people}"
        return f"{self.rdn_attribute}={escape_value(name)},{self.people}"

    rdn_attribute = "uid"

    def dns(self, names: Iterable[str]) -> list[str]:
        """Returns the entries of names. A name that is a distinguished name is that entry."""
        by_name = self.by_name()
        return [name if "=" in name else by_name[name] for name in names]

    def by_name(self) -> dict[str, str]:
        found = self.administrator.entries(self.base, f"({self.name_attribute}=*)", (self.name_attribute,))
        return {value.decode(): dn for dn, one in found.items() for value in one[self.name_attribute]}

    def entries(self, product: str) -> Sequence[str]:
        by_dn = {dn.lower(): name for name, dn in self.by_name().items()}
        placeholder = str(self.settings.get("placeholderMember")).lower()
        members = self.administrator.values(self.group_dn(product), self.member_attribute)
        return [by_dn.get(member.lower(), member) for member in members if member.lower() != placeholder]

    def remove_user(self, name: str) -> None:
        self.administrator.delete(self.by_name()[name])

    def surroundings(self) -> Any:
        found = self.administrator.entries(self.base)
        for dn, attributes in found.items():
            if dn.lower().startswith("cn=licensed-"):
                attributes.pop(self.member_attribute, None)
                notes = [one for one in attributes.pop(self.mark_attribute, ()) if not MARK.fullmatch(one)]
                attributes["notes"] = notes
            for operational in (
                "whenChanged",
                "uSNChanged",
                "memberOf",
                "lastLogon",
                "logonCount",
                "lastLogonTimestamp",
            ):
                attributes.pop(operational, None)
        return found

    @contextlib.contextmanager
    def refusing(self) -> Iterator[None]:
        self.password = f"{PASSWORD}-old"
        yield
        self.password = PASSWORD

"""scim2-server as a site of the suite."""

import asyncio
import re
import ssl
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import trustme
from scim2_models import User
from tests.integration.backends.proxy import Relay
from tests.integration.backends.scim.scim_service import TOKEN, Lacks, Service, make_service, serve
from tests.integration.backends.site import (
    LIST,
    OTHER_LIST,
    TIMEOUT,
    UNDISTURBED,
    Disturbance,
    RelayedSite,
    direct_backend,
)

from seatpool.api.list_backends import ScimSettings, SecretKey
from seatpool.api.list_names import ListNames
from seatpool.servers.backend import ListBackend
from seatpool.servers.scim.factory import make_target
from seatpool.servers.scim.target import ScimTarget

MARK = re.compile(r"seatpool:[^:]+:[0-9]+")
STRANGE_NAME = "two\nlines \u202e back"


class ScimSite(RelayedSite):
    """Groups of a SCIM service behind a relay."""

    secrets = (TOKEN,)
    can_repeat = True

    def __init__(self, service: Service, url: str, ca: trustme.CA, lacks: Lacks) -> None:
        self.service = service
        self.relay = Relay(int(url.rpartition(":")[2]))
        self.ca = ca
        self.token = TOKEN
        self.learned: ScimTarget | None = None
        """A target that has read a list. Others begin with what it knows of the service."""
        self._targets: list[ScimTarget] = []
        self._groups = {product: service.add_group(f"Licensed {product}") for product in (LIST, OTHER_LIST)}
        nested = service.add_group("nested", service.add_users(STRANGE_NAME))
        self.hostile_entries = (
            nested,
            STRANGE_NAME,
            "0000",
            "..",
            "a/../b?c=d#e",
            'x" or value pr or value eq "',
            "two\r\nlines \u202e \x1b[2J",
            "%2e%2e",
            "ü" * 300,
            "x" * 5000,
        )
        service.lacks = lacks

    def target(self, *, timeout: timedelta = TIMEOUT) -> ScimTarget:
        settings = ScimSettings(
            url=f"https://127.0.0.1:{self.relay.port}/v2",
            ca=SecretKey(name="scim", key="ca.crt"),
            token=SecretKey(name="scim", key="token"),
            group="Licensed {product}",
        )
        secrets = {"scim/ca.crt": self.ca.cert_pem.bytes().decode(), "scim/token": self.token}
        made = make_target(settings, secrets=secrets, timeout=timeout)
        if self.learned is not None:
            made._service, made._has_versions = self.learned._service, self.learned._has_versions
        self._targets.append(made)
        return made

    def backend(
        self, *, timeout: timedelta = TIMEOUT, names: ListNames | None = None, disturbance: Disturbance = UNDISTURBED
    ) -> ListBackend:
        return direct_backend(self.target(timeout=timeout), names=names, timeout=timeout, disturbance=disturbance)

    def server(self) -> tuple[dict[str, Any], Mapping[str, Mapping[str, str]]]:
        section = {
            "url": f"https://127.0.0.1:{self.relay.port}/v2",
            "ca": {"name": "scim", "key": "ca.crt"},
            "token": {"name": "scim", "key": "token"},
            "group": "Licensed {product}",
        }
        return {"scim": section}, {"scim": {"ca.crt": self.ca.cert_pem.bytes().decode(), "token": self.token}}

    async def close(self) -> None:
        for target in self._targets:
            await target.close()
        await asyncio.to_thread(self.relay.close)

    def add_users(self, names: Iterable[str]) -> None:
        self.service.add_users(*names)

    def entries(self, product: str) -> Sequence[str]:
        names = {user_id: name for name, user_id in self._ids().items()}
        return [names.get(one, one) for one in self.service.members(self._groups[product])]

    def add_by_hand(self, product: str, names: Sequence[str]) -> None:
        ids, group = self._ids(), self._groups[product]
        self.service.set_members(group, [*self.service.members(group), *(ids.get(one, one) for one in names)])

    def remove_by_hand(self, product: str, names: Sequence[str]) -> None:
        ids, group = self._ids(), self._groups[product]
        gone = {ids.get(one, one) for one in names}
        self.service.set_members(group, [one for one in self.service.members(group) if one not in gone])

    def remove_user(self, name: str) -> None:
        self.service.delete_user(self._ids()[name])

    def make_unreadable(self, product: str) -> None:
        self.service.add_group(f"Licensed {product}")

    def surroundings(self) -> Any:
        found = {one.id: one.model_dump() for one in self.service.storage.resources}
        for group in self._groups.values():
            found[group].pop("members", None)
            found[group].pop("meta")
            if MARK.fullmatch(found[group].get("externalId", "")):
                del found[group]["externalId"]
        return found

    @contextmanager
    def refusing(self) -> Iterator[None]:
        self.token = f"{TOKEN}-old"
        self.secrets = (TOKEN,)
        yield
        self.token = TOKEN

    @contextmanager
    def lying(self) -> Iterator[None]:
        self.service.lacks.write_has_no_effect = True
        yield
        self.service.lacks.write_has_no_effect = False

    def _ids(self) -> dict[str, str]:
        return {str(one.user_name): str(one.id) for one in self.service.storage.resources if isinstance(one, User)}


@contextmanager
def running_service(context: ssl.SSLContext) -> Iterator[tuple[Service, str]]:
    """Runs a service for the tests of a file. `clear` empties it."""
    service = make_service()
    with serve(service, context) as url:
        yield service, url


def clear(service: Service) -> None:
    """Removes what a test left."""
    service.storage.resources = []
    service.lacks = Lacks()
    service.seen.clear()

"""A real Keycloak, which has a SCIM service, as a site of the suite of all back ends."""

import asyncio
import json
import os
import signal
import ssl
import subprocess
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.parse import quote, urlencode
from urllib.request import Request, urlopen

import trustme
from tests.integration.backends.ldap.directory import free_port
from tests.integration.backends.proxy import Relay
from tests.integration.backends.site import (
    LIST,
    OTHER_LIST,
    TIMEOUT,
    UNDISTURBED,
    Disturbance,
    RelayedSite,
    direct_backend,
)
from tests.waiting import wait_until

from seatpool.api.list_backends import ScimSettings, ScimToken, SecretKey
from seatpool.api.list_names import ListNames
from seatpool.servers.backend import ListBackend
from seatpool.servers.scim.factory import make_target
from seatpool.servers.scim.target import ScimTarget

REALM = "lab"
ADMIN = "admin"
CLIENT = "seatpool"
CLIENT_SECRET = "secret-of-a-test-0123456789"
ROLES = ("manage-users", "view-users", "query-users", "query-groups")
START = 300.0
"""Seconds that the first start may take: it builds the server."""
TOKEN_LIFE = 30.0
MOST = 10_000


class Keycloak:
    """The server in a folder of its own, with a realm that has a SCIM service."""

    def __init__(self, home: Path, folder: Path) -> None:
        self.ca = trustme.CA()
        self.port = free_port()
        self.url = f"https://127.0.0.1:{self.port}"
        self._token, self._until = "", 0.0
        self._context = ssl.create_default_context(cadata=self.pem)
        self._log = folder / "keycloak.log"
        certificate = self.ca.issue_cert("127.0.0.1")
        certificate.private_key_pem.write_to_path(folder / "server.key")
        (folder / "server.pem").write_bytes(b"".join(one.bytes() for one in certificate.cert_chain_pems))
        self._process = subprocess.Popen(
            [
                str(home / "bin" / "kc.sh"),
                "start-dev",
                "--features=scim-api",
                "--db=dev-mem",
                "--cache=local",
                "--http-enabled=false",
                "--http-host=127.0.0.1",
                f"--https-port={self.port}",
                f"--hostname={self.url}",
                f"--https-certificate-file={folder / 'server.pem'}",
                f"--https-certificate-key-file={folder / 'server.key'}",
            ],
            env={
                **os.environ,
                "KC_BOOTSTRAP_ADMIN_USERNAME": ADMIN,
                "KC_BOOTSTRAP_ADMIN_PASSWORD": ADMIN,
                "JAVA_OPTS_KC_HEAP": "-Xmx768m",
            },
            stdout=self._log.open("wb"),
            stderr=subprocess.STDOUT,
            start_new_session=True,  # the script starts Java as its child
        )
        wait_until(self._answers, seconds=START, what=f"Keycloak on port {self.port}")

    @property
    def pem(self) -> str:
        return self.ca.cert_pem.bytes().decode()

    def close(self) -> None:
        os.killpg(self._process.pid, signal.SIGTERM)
        self._process.wait(60)

    def build_realm(self) -> None:
        """Makes the realm, and the operator's client with its rights."""
        scim = f"{self.url}/realms/{REALM}/scim/v2"
        mapper = {
            "name": "audience",
            "protocol": "openid-connect",
            "protocolMapper": "oidc-audience-mapper",
            "config": {"included.custom.audience": scim, "access.token.claim": "true"},
        }
        client = {
            "clientId": CLIENT,
            "secret": CLIENT_SECRET,
            "publicClient": False,
            "serviceAccountsEnabled": True,
            "standardFlowEnabled": False,
            "protocolMappers": [mapper],
        }
        self.admin("POST", "", {"realm": REALM, "enabled": True, "scimApiEnabled": True})
        self.admin("POST", f"/{REALM}/clients", client)
        (made,) = self.admin("GET", f"/{REALM}/clients?clientId={CLIENT}")
        account = self.admin("GET", f"/{REALM}/clients/{made['id']}/service-account-user")["id"]
        (management,) = self.admin("GET", f"/{REALM}/clients?clientId=realm-management")
        roles = [self.admin("GET", f"/{REALM}/clients/{management['id']}/roles/{role}") for role in ROLES]
        self.admin("POST", f"/{REALM}/users/{account}/role-mappings/clients/{management['id']}", roles)

    def remove_realm(self) -> None:
        self.admin("DELETE", f"/{REALM}")

    def admin(self, method: str, path: str, body: Any = None) -> Any:
        """Calls the administrators' own interface, which is not SCIM."""
        headers = {"Authorization": f"Bearer {self._administrator()}", "Content-Type": "application/json"}
        data = None if body is None else json.dumps(body).encode()
        return self._call(Request(f"{self.url}/admin/realms{path}", data=data, headers=headers, method=method))

    def _administrator(self) -> str:
        if time.monotonic() >= self._until:
            form = {"grant_type": "password", "client_id": "admin-cli", "username": ADMIN, "password": ADMIN}
            url = f"{self.url}/realms/master/protocol/openid-connect/token"
            self._token = self._call(Request(url, data=urlencode(form).encode(), method="POST"))["access_token"]
            self._until = time.monotonic() + TOKEN_LIFE
        return self._token

    def _call(self, request: Request) -> Any:
        try:
            with urlopen(request, context=self._context, timeout=60) as answer:
                text = answer.read()
        except HTTPError as error:
            raise AssertionError(f"{request.method} {request.full_url}: {error.code} {error.read()[:500]!r}") from error
        return json.loads(text) if text else None

    def _answers(self) -> bool:
        assert self._process.poll() is None, self._log.read_text()[-2000:]
        try:
            return bool(self._administrator())
        except (AssertionError, URLError, OSError):
            return False


class KeycloakSite(RelayedSite):
    """Groups of a realm, by way of its SCIM service, behind a relay."""

    secrets = (CLIENT_SECRET,)
    most_users = 400

    def __init__(self, keycloak: Keycloak) -> None:
        self.keycloak = keycloak
        keycloak.build_realm()
        self.relay = Relay(keycloak.port)
        self.secret = CLIENT_SECRET
        self._targets: list[ScimTarget] = []
        self._groups: dict[str, str] = {}
        for product in (LIST, OTHER_LIST, "other"):
            body = {"name": f"licensed {product}", "attributes": {"cost": ["17"]}}
            keycloak.admin("POST", f"/{REALM}/groups", body)
        for group in keycloak.admin("GET", f"/{REALM}/groups?max={MOST}"):
            self._groups[group["name"].removeprefix("licensed ")] = group["id"]

    def settings(self, **changes: Any) -> ScimSettings:
        """Returns `spec.scim` of this service."""
        base = f"https://127.0.0.1:{self.relay.port}/realms/{REALM}"
        oauth = ScimToken(
            url=f"{base}/protocol/openid-connect/token",
            client_id=CLIENT,
            client_secret=SecretKey(name="keycloak", key="secret"),
        )
        return ScimSettings(
            url=f"{base}/scim/v2",
            ca=SecretKey(name="keycloak", key="ca"),
            oauth=oauth,
            group="licensed {product}",
            **changes,
        )

    def server(self) -> tuple[dict[str, Any], Mapping[str, Mapping[str, str]]]:
        return {"scim": self.settings().wire()}, {"keycloak": {"ca": self.keycloak.pem, "secret": self.secret}}

    def target(self, *, timeout: timedelta = TIMEOUT, **changes: Any) -> ScimTarget:
        secrets = {"keycloak/ca": self.keycloak.pem, "keycloak/secret": self.secret}
        made = make_target(self.settings(**changes), secrets=secrets, timeout=timeout)
        self._targets.append(made)
        return made

    def backend(
        self, *, timeout: timedelta = TIMEOUT, names: ListNames | None = None, disturbance: Disturbance = UNDISTURBED
    ) -> ListBackend:
        return direct_backend(self.target(timeout=timeout), names=names, timeout=timeout, disturbance=disturbance)

    async def close(self) -> None:
        for target in self._targets:
            await target.close()
        await asyncio.to_thread(self.relay.close)
        self.keycloak.remove_realm()

    def add_users(self, names: Iterable[str]) -> None:
        users = [{"username": name, "enabled": True} for name in names]
        self.keycloak.admin("POST", f"/{REALM}/partialImport", {"ifResourceExists": "FAIL", "users": users})

    def entries(self, product: str) -> Sequence[str]:
        path = f"/{REALM}/groups/{self._groups[product]}/members?max={MOST}&briefRepresentation=true"
        return [one["username"] for one in self.keycloak.admin("GET", path)]

    def add_by_hand(self, product: str, names: Sequence[str]) -> None:
        for name in names:
            self.keycloak.admin("PUT", f"/{REALM}/users/{self._user(name)}/groups/{self._groups[product]}")

    def remove_by_hand(self, product: str, names: Sequence[str]) -> None:
        for name in names:
            self.keycloak.admin("DELETE", f"/{REALM}/users/{self._user(name)}/groups/{self._groups[product]}")

    def remove_user(self, name: str) -> None:
        self.keycloak.admin("DELETE", f"/{REALM}/users/{self._user(name)}")

    def make_unreadable(self, product: str) -> None:
        self.keycloak.admin("DELETE", f"/{REALM}/groups/{self._groups[product]}")

    def surroundings(self) -> Any:
        groups: dict[str, Mapping[str, Any]] = {}
        for product, group in self._groups.items():
            found = self.keycloak.admin("GET", f"/{REALM}/groups/{group}")
            found.get("attributes", {}).pop("externalId", None)
            groups[product] = {key: value for key, value in found.items() if "imestamp" not in key}
        users = self.keycloak.admin("GET", f"/{REALM}/users?max={MOST}")
        return groups, sorted(users, key=lambda one: one["id"])

    @contextmanager
    def refusing(self) -> Iterator[None]:
        self.secret = f"{CLIENT_SECRET}-old"
        yield
        self.secret = CLIENT_SECRET

    def _user(self, name: str) -> str:
        (found,) = self.keycloak.admin("GET", f"/{REALM}/users?exact=true&username={quote(name, safe='')}")
        return str(found["id"])

"""Measures each kind of server: from the event in the queue to the list, beside the server's own plain write as the floor.

OpenLDAP and scim2-server are real ones, over TLS. The programs behind SSM are the real script with the stand-in's agent.
"""

import json
import shutil
import ssl
import subprocess
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from math import ceil
from pathlib import Path
from typing import Any, Protocol

from scim2_models import Group, User
from scim2_server.memory import InMemoryStorage
from scim2_server.testserver.application import BearerTokenApplication
from scim2_server.utils import load_default_provider
from werkzeug.serving import WSGIRequestHandler, make_server

from benchmarks.site import ACCOUNT, REGION, Body, OperatorRun, Place, pool, resource
from benchmarks.workloads import Event
from seatpool.sim.directory import Directory, write_certificates
from seatpool.sim.license_host import LicenseHost

PRODUCT = "matlab"
KIND = "vew-matlab"
EVENTS = 60
FLOOR = 30
LOOK_EVERY = 0.002
PATIENCE = 60.0
LONGER_THAN_A_POLL = 1.5
"""Seconds until the queue gives no message to the last request of an operator that has ended."""
TOKEN = "token-of-the-benchmark"
Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class BackEnd:
    """Seconds of one kind of server."""

    kind: str
    latencies: Sequence[float] = field(repr=False)
    floor: Sequence[float] = field(repr=False)

    def rank(self, seconds: Sequence[float], share: float) -> float:
        ordered = sorted(seconds)
        return ordered[max(0, ceil(share * len(ordered)) - 1)]


class Server(Protocol):
    """A server with one list."""

    def spec(self) -> tuple[Body, Mapping[str, str]]:
        """Returns what a LicenseServer says of it, and the Secret `login`."""

    def users(self) -> set[str]:
        """Returns the users on the list."""

    def write(self, user: str) -> None:
        """Adds a user as a program of the server would, without Seatpool."""


class OnHost:
    """A list on a node behind SSM."""

    def __init__(self, place: Place, number: int, section: Callable[[LicenseHost], Body], path: str) -> None:
        self._node = place.nodes[number]
        self._section = section
        self._file = self._node.host.home / path
        if not self._file.exists():
            self._file.parent.mkdir(parents=True, exist_ok=True)
            self._file.write_text("")

    def spec(self) -> tuple[Body, Mapping[str, str]]:
        target = {"target": {"tag": self._node.tag, "value": self._node.value}, "region": REGION}
        return target | self._section(self._node.host), {}

    def users(self) -> set[str]:
        lines = self._file.read_text().splitlines()
        groups = [line.split()[2:] for line in lines if line.startswith("GROUP ")]
        return {user for group in groups for user in group} | {line for line in lines if line and " " not in line}

    def write(self, user: str) -> None:
        present = self._file.with_name("by-hand")
        present.write_text(f"{user}\n")
        if self._file.parent.name == "products":
            client = self._node.host.home / "bin" / "xlc"
            subprocess.run([client, "apply", "--product", "floor", "--file", present], check=True, capture_output=True)
        else:
            fresh = self._file.with_name("fresh")
            shutil.copyfile(self._file, fresh)
            fresh.replace(self._file.with_name("floor"))


class InDirectory:
    """A group of OpenLDAP."""

    def __init__(self, directory: Directory) -> None:
        self._directory = directory

    def spec(self) -> tuple[Body, Mapping[str, str]]:
        section = self._directory.section()
        for name in ("ca", "password"):
            section[name] = section[name] | {"name": "login"}
        return {"ldap": section}, self._directory.secret()

    def users(self) -> set[str]:
        return set(self._directory.users(PRODUCT))

    def write(self, user: str) -> None:
        self._directory.edit("floor", [user])


class InScim:
    """A group of scim2-server."""

    def __init__(self, storage: InMemoryStorage, app: Any, url: str, ca: str) -> None:
        self._storage, self._url, self._ca = storage, url, ca
        self._types = {one.name: one for one in app.provider.resource_types}
        self._ids = {
            name: str(storage.create(self._types["User"], User(user_name=name)).id) for name in _people(EVENTS)
        }
        self._groups = {
            name: str(storage.create(self._types["Group"], Group(display_name=name)).id) for name in (PRODUCT, "floor")
        }
        self._context = ssl.create_default_context(cadata=ca)

    def spec(self) -> tuple[Body, Mapping[str, str]]:
        keys = {"ca": {"name": "login", "key": "ca.crt"}, "token": {"name": "login", "key": "token"}}
        return {"scim": {"url": f"{self._url}/v2"} | keys}, {"ca.crt": self._ca, "token": TOKEN}

    def users(self) -> set[str]:
        names = {value: name for name, value in self._ids.items()}
        group = self._storage.get(self._types["Group"], self._groups[PRODUCT]).model_dump()
        return {names[one["value"]] for one in group.get("members") or ()}

    def write(self, user: str) -> None:
        operation = {"op": "add", "path": "members", "value": [{"value": self._ids[user]}]}
        body = {"schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"], "Operations": [operation]}
        request = urllib.request.Request(
            f"{self._url}/v2/Groups/{self._groups['floor']}",
            data=json.dumps(body).encode(),
            method="PATCH",
            headers={"Authorization": f"Bearer {TOKEN}", "Content-Type": "application/scim+json"},
        )
        direct = urllib.request.build_opener(
            urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=self._context)
        )
        with direct.open(request, timeout=30) as answer:
            answer.read()


def measure(*, say: Say) -> list[BackEnd]:
    """Measures all kinds of servers, one after the other."""
    found: list[BackEnd] = []
    with ExitStack() as stack:
        place = stack.enter_context(Place(servers=3))
        servers: dict[str, Server] = {
            "client behind SSM (xlc)": OnHost(
                place, 0, lambda host: {"xlc": {"stateDir": host.state_dir}}, f"products/{PRODUCT}.list"
            ),
            "list file": OnHost(place, 1, lambda host: _list_file(host), "etc/users"),
            "FlexNet options file": OnHost(place, 2, lambda host: _options(host), "etc/options"),
        }
        try:
            directory = Directory(place.directory / "directory", users=_people(EVENTS), products=[PRODUCT, "floor"])
            servers["OpenLDAP group"] = InDirectory(stack.enter_context(directory))
        except Exception as error:  # noqa: BLE001
            say(f"OpenLDAP is left out: {error}")
        servers["SCIM group (scim2-server)"] = stack.enter_context(_scim(place.directory / "scim"))
        for number, (kind, server) in enumerate(servers.items()):
            found.append(_measured(place, kind, server, number))
            say(f"{kind}: p50 {found[-1].rank(found[-1].latencies, 0.5) * 1000:.0f} ms")
    return found


def _measured(place: Place, kind: str, server: Server, number: int) -> BackEnd:
    namespace = place.namespace(f"back-end-{number}")
    spec, secret = server.spec()
    objects: list[Body] = [
        resource("LicenseServer", namespace, "licenses-0", {"guard": {"maxReleasePercent": 100}} | spec),
        pool(namespace, PRODUCT, server=0, product=PRODUCT, seats=EVENTS, types=[KIND]),
    ]
    if secret:
        metadata = {"name": "login", "namespace": namespace}
        objects.insert(0, {"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "stringData": dict(secret)})
    place.apply(objects)
    mirror = {
        "queue": place.site.queue_url,
        "region": REGION,
        "endpoint_url": place.site.endpoint,
        "accounts": [{"account": ACCOUNT, "regions": [REGION], "namespace": namespace, "inventory": False}],
        "describe_lag": "0s",
        "long_poll": "1s",
    }
    with place.operator(f"back-end-{number}", namespaces=[namespace], mirror=mirror) as operator:
        operator.until_in_sync(1)
        latencies = [_one(place, server, operator, number, one) for one in range(EVENTS)]
    time.sleep(LONGER_THAN_A_POLL)
    floor = []
    for user in _people(FLOOR):
        began = time.monotonic()
        server.write(user)
        floor.append(time.monotonic() - began)
    return BackEnd(kind, latencies, floor)


def _one(place: Place, server: Server, operator: OperatorRun, number: int, one: int) -> float:
    """Sends the start of a workbench, and returns the seconds until its owner is on the list."""
    user = _people(one + 1)[one]
    event = Event(time.time(), f"i-{number + 1:05x}{one:012x}", user, KIND, starts=True)
    sent = time.time()
    place.site.client("sqs").send_message(QueueUrl=place.site.queue_url, MessageBody=json.dumps(event.envelope()))
    while user not in server.users():
        operator.process.check()
        if time.time() - sent > PATIENCE:
            raise RuntimeError(f"{user} is not on the list; {operator.process.log.read_text()[-2000:]}")
        time.sleep(LOOK_EVERY)
    came = time.time() - sent
    time.sleep(0.2)
    return came


def _people(count: int) -> list[str]:
    return [f"user{number:03}" for number in range(count)]


def _list_file(host: LicenseHost) -> Body:
    return {"listFile": {"path": str(host.home / "etc" / "users"), "stateDir": host.state_dir}}


def _options(host: LicenseHost) -> Body:
    return {"flexnet": {"optionsFile": str(host.home / "etc" / "options"), "reread": [], "stateDir": host.state_dir}}


class _Quiet(WSGIRequestHandler):
    protocol_version = "HTTP/1.1"

    def log(self, type: str, message: str, *args: Any) -> None:  # noqa: A002
        """Writes nothing."""


@contextmanager
def _scim(home: Path) -> Iterator[InScim]:
    home.mkdir()
    ca = write_certificates(home)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(home / "server.pem", home / "server.key")
    storage = InMemoryStorage()
    app = BearerTokenApplication(storage, load_default_provider(), bearer_tokens=[TOKEN])
    server = make_server("127.0.0.1", 0, app, threaded=True, ssl_context=context, request_handler=_Quiet)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield InScim(storage, app, f"https://127.0.0.1:{server.server_port}", ca)
    finally:
        server.shutdown()

"""`seatpool web` beside a real API server, with its own ServiceAccount, and callers with tokens of all kinds."""

import asyncio
import base64
import http.client
import json
import secrets
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Self

import pytest
import structlog
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from structlog.testing import LogCapture
from tests.integration.cli.conftest import Board
from tests.unit.history.rows import capacity, session, wait
from tests.waiting import wait_until

from seatpool.api.identity import IdentitySettings
from seatpool.history.config import HistoryConfig
from seatpool.history.schema import Row
from seatpool.history.writing import write_rows
from seatpool.settings.settings import Settings
from seatpool.sim.controlplane import ControlPlane
from seatpool.web.server import WebServer

AUDIENCE = "seatpool"
Body = dict[str, Any]


@dataclass(frozen=True)
class Reply:
    """A response."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def text(self) -> str:
        return self.body.decode()


@dataclass
class Site:
    """A running `seatpool web`, a namespace with pools, and callers."""

    plane: ControlPlane
    board: Board
    other: str
    """Another namespace."""
    server: WebServer
    log: LogCapture
    tokens: dict[str, str] = field(default_factory=dict)
    audit: Path = Path("/dev/null")
    """File of the audit trail."""

    @property
    def namespace(self) -> str:
        return self.board.namespace

    def get(
        self, path: str, caller: str | None = None, *, method: str = "GET", body: Any = None, **headers: str
    ) -> Reply:
        """What a caller gets. A caller is the name of a token or key. A body is sent as JSON, unless it is bytes."""
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        if body is not None:
            sent = {"Content-Type": "application/json"} | sent
            body = body if isinstance(body, bytes) else json.dumps(body).encode()
        if caller is not None:
            sent["Authorization"] = f"Bearer {self.tokens[caller]}"
        connection = http.client.HTTPConnection("127.0.0.1", self.server.port, timeout=60)
        try:
            connection.request(method, path, headers=sent, body=body)
            found = connection.getresponse()
            return Reply(found.status, {name.lower(): value for name, value in found.getheaders()}, found.read())
        finally:
            connection.close()

    def until(self, path: str, caller: str, holds: Callable[[Any], bool]) -> Any:
        """The answer, once it is as expected."""
        found: list[Any] = [None]

        def look() -> bool:
            reply = self.get(path, caller)
            found[0] = reply.json
            return reply.status == 200 and holds(found[0])

        wait_until(look, what=f"{path}: {found}")
        return found[0]

    def stream(self, caller: str, path: str = "/api/v1/events") -> "Stream":
        return Stream(self.server.port, path, self.tokens[caller])

    def new_key(self, caller: str, **wanted: Any) -> Body:
        """A key that a caller asked for, and that an admin approved where that is needed. Its tokens get it by its name."""
        wanted = {"purpose": "a test", "namespace": self.namespace} | wanted
        reply = self.get("/api/v1/keys", caller, method="POST", body=wanted)
        assert reply.status in (201, 202), reply.text
        if reply.status == 202:
            name = reply.json["item"]["name"]
            self.patch_key(name, {"spec": {"approved": True}})
            path = f"/api/v1/keys/{self.namespace}/{name}/secret"
            assert reply.headers["location"] == path
            reply = self.get(path, caller, method="POST")
            assert reply.status == 201, reply.text
        answer: Body = reply.json
        self.tokens[answer["item"]["name"]] = answer["key"]
        return answer

    def patch_key(self, name: str, patch: Body, *flags: str) -> None:
        self.plane.kubectl(
            "patch", "apikey", name, "-n", self.namespace, "--type=merge", "-p", json.dumps(patch), *flags
        )

    def put(self, *objects: Body) -> None:
        self.board.put(*objects)

    def new_token(self, account: str, *, namespace: str | None = None, audience: str | None = AUDIENCE) -> str:
        flags = [f"--audience={audience}"] if audience is not None else []
        return self.plane.kubectl("create", "token", account, "-n", namespace or self.namespace, *flags).strip()


class Stream:
    """An event stream as a client reads it."""

    def __init__(self, port: int, path: str, token: str) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        self._connection.request("GET", path, headers={"Authorization": f"Bearer {token}"})
        self.reply = self._connection.getresponse()

    def next(self, name: str | None = None) -> Body:
        """The next event of that name."""
        kind = ""
        while True:
            line = self.reply.readline().decode()
            assert line, "the stream ended"
            if line.startswith("event: "):
                kind = line.removeprefix("event: ").strip()
            elif line.startswith("data: ") and name in (None, kind):
                found: Body = json.loads(line.removeprefix("data: "))
                return found

    def close(self) -> None:
        self.reply.close()
        self._connection.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def start(settings: Settings) -> tuple[WebServer, LogCapture, Callable[[], None]]:
    """Runs a server in a thread. Returns it, its log lines and what stops it."""
    capture = LogCapture()
    log = structlog.wrap_logger(structlog.PrintLogger(), processors=[capture], wrapper_class=structlog.BoundLogger)
    made: list[tuple[WebServer, asyncio.AbstractEventLoop]] = []
    failed: list[BaseException] = []

    async def run() -> None:
        server = WebServer(settings, log=log)
        made.append((server, asyncio.get_running_loop()))
        await server.run()

    def work() -> None:
        try:
            asyncio.run(run())
        except BaseException as error:  # noqa: BLE001
            failed.append(error)

    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    wait_until(lambda: failed or (made and made[0][0].serving.is_set()), what="the server")
    assert not failed, failed
    server, loop = made[0]

    def stop() -> None:
        loop.call_soon_threadsafe(server.stop)
        thread.join(timeout=60)
        assert not thread.is_alive()
        assert not failed, failed

    return server, capture, stop


def web_settings(
    plane: ControlPlane, namespace: str, *, history: Path | None = None, audit: Path | None = None, **more: Any
) -> Settings:
    """Settings of a server that acts as the ServiceAccount `web` and knows two callers as users."""
    mapping = {f"system:serviceaccount:{namespace}:{user}": user for user in ("ann", "bob", "eve")}
    return Settings(
        kubeconfig=plane.kubeconfig_for_service_account(namespace, "web"),
        identity=IdentitySettings(mapping=mapping),
        history=HistoryConfig(location=None if history is None else str(history)),
        http={"port": 0, "host": "127.0.0.1"},
        audit={"file": audit},
        web={"port": 0, "host": "127.0.0.1", "requests_per_minute": 100_000, "refused_tokens_per_minute": 100_000}
        | more,
    )


def allow_web(plane: ControlPlane, namespace: str) -> None:
    """Gives the ServiceAccount `web` the rights that the chart gives it, and no others."""
    plane.kubectl("create", "serviceaccount", "web", "-n", namespace)
    account = f"--serviceaccount={namespace}:web"
    plane.kubectl(
        "create", "clusterrole", f"web-{namespace}", "--verb=get,list,watch",
        "--resource=licensepools.seatpool.io,licenseservers.seatpool.io,seatledgers.seatpool.io,workbenches.seatpool.io",
    )  # fmt: skip
    plane.kubectl("create", "clusterrolebinding", f"web-{namespace}", f"--clusterrole=web-{namespace}", account)
    for verbs, resource in (("get,list,watch,create,patch,delete", "apikeys"), ("patch", "apikeys/status")):
        name = f"web-{namespace}-{resource.replace('/', '-')}"
        kind, _, part = resource.partition("/")
        named = f"{kind}.seatpool.io" + (f"/{part}" if part else "")
        plane.kubectl("create", "clusterrole", name, f"--verb={verbs}", f"--resource={named}")
        plane.kubectl("create", "clusterrolebinding", name, f"--clusterrole={name}", account)
    plane.kubectl("create", "clusterrolebinding", f"auth-{namespace}", "--clusterrole=system:auth-delegator", account)


def allow(plane: ControlPlane, namespace: str, account: str, resources: str, *, where: str | None = None) -> None:
    """Lets a ServiceAccount look at some kinds: in its namespace, in another, or with where="*" in all."""
    name, named = f"{account}-{secrets.token_hex(3)}", ",".join(f"{one}.seatpool.io" for one in resources.split(","))
    subject = f"--serviceaccount={namespace}:{account}"
    plane.kubectl("create", "clusterrole", name, "--verb=get,list,watch", f"--resource={named}")
    if where == "*":
        plane.kubectl("create", "clusterrolebinding", name, f"--clusterrole={name}", subject)
    else:
        plane.kubectl("create", "rolebinding", name, "-n", where or namespace, f"--clusterrole={name}", subject)


def expired_token(plane: ControlPlane, namespace: str, account: str) -> str:
    """A token of a ServiceAccount, signed by the API server's own key, that ended a minute ago."""
    uid = json.loads(plane.kubectl("get", "serviceaccount", account, "-n", namespace, "-o", "json"))["metadata"]["uid"]
    now = datetime.now(UTC)
    claims = {
        "iss": "https://kubernetes.default.svc",
        "aud": [AUDIENCE],
        "sub": f"system:serviceaccount:{namespace}:{account}",
        "iat": int((now - timedelta(hours=1)).timestamp()),
        "nbf": int((now - timedelta(hours=1)).timestamp()),
        "exp": int((now - timedelta(minutes=1)).timestamp()),
        "kubernetes.io": {"namespace": namespace, "serviceaccount": {"name": account, "uid": uid}},
    }
    return signed(plane, claims)


def signed(plane: ControlPlane, claims: Body) -> str:
    """A token with these claims, signed as the API server signs its own."""
    key = load_pem_private_key((plane.directory / "certs" / "apiserver.key").read_bytes(), None)
    text = ".".join(_encoded(json.dumps(part).encode()) for part in ({"alg": "RS256", "typ": "JWT"}, claims))
    return f"{text}.{_encoded(key.sign(text.encode(), padding.PKCS1v15(), hashes.SHA256()))}"  # type: ignore[union-attr, call-arg, arg-type]


def _encoded(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def machine() -> Body:
    """A license server of its own: pools of one product on one machine would be in each other's way."""
    return {"instanceId": f"i-{secrets.token_hex(8)[:17].ljust(17, '0')}"}


def recorded(pool: str) -> list[Row]:
    """A day of a pool with three seats: four users came, one of them waited an hour, and one gave up."""
    return [
        capacity(3, pool=pool),
        session("ann", 0, 8 * 3600, waited_s=0.0, pool=pool),
        session("carl", 0, 6 * 3600, waited_s=0.0, pool=pool),
        session("zoe", 0, 9 * 3600, waited_s=0.0, pool=pool),
        session("bob", 6 * 3600, 7 * 3600, waited_s=3600.0, pool=pool),
        wait("dora", 5 * 3600, 5 * 3600 + 600, outcome="NeedEnded", pool=pool),
    ]


ALL = "licensepools,licenseservers,seatledgers,workbenches"
ACCOUNTS = {
    "nobody": [],
    "ann": [],
    "bob": [],
    "eve": [],
    "numbers": [("licensepools,licenseservers", None)],
    "viewer": [(ALL, None)],
    "elsewhere": [(ALL, "other")],
    "admin": [(ALL, "*")],
}


def add_keys(site: Site) -> None:
    """Keys of each scope, and two that have ended."""
    matlab = {"scope": "Pool", "pool": "matlab"}
    for name, caller, wanted in (
        ("key-own", "bob", {"scope": "Own"}), ("key-pool", "viewer", matlab), ("key-list", "viewer", {"scope": "List"}),
        ("key-revoked", "viewer", {"scope": "List"}), ("key-expired", "viewer", {"scope": "List"}),
    ):  # fmt: skip
        made = site.new_key(caller, **wanted)
        site.tokens[name] = site.tokens[made["item"]["name"]]
        if name == "key-revoked":
            site.patch_key(made["item"]["name"], {"spec": {"revoked": True}})
        if name == "key-expired":
            past = {"status": {"expiresAt": "2026-01-01T00:00:00Z"}}
            site.patch_key(made["item"]["name"], past, "--subresource=status")
    for name in ("key-revoked", "key-expired"):
        wait_until(lambda name=name: site.get("/api/v1/openapi.json", name).status == 401, what=name)


@pytest.fixture(scope="module")
def site(control_plane: ControlPlane, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """Two pools: ann, carl and zoe, who is protected, have the seats of matlab, bob waits. In the other namespace is one more.

    The history has a day of matlab.
    """
    plane, namespace, other = control_plane, f"web-{secrets.token_hex(4)}", f"web-{secrets.token_hex(4)}"
    for one in (namespace, other):
        plane.kubectl("create", "namespace", one)
    allow_web(plane, namespace)
    board = Board(plane, namespace)
    board.put(
        board.server(target=machine()),
        board.pool("matlab", seats=3, protectedUsers=["zoe"]),
        board.pool("cad", seats=5),
        board.ledger(
            "matlab",
            assigned={"ann": board.ago(hours=1), "carl": board.ago(hours=2), "zoe": board.ago(hours=3)},
            waiting={"bob": board.ago(minutes=70)},
        ),
        board.workbench(1, "ann"),
        board.workbench(2, "carl"),
        board.workbench(3, "bob"),
    )
    there = Board(plane, other)
    there.put(there.server(target=machine()), there.pool("matlab", seats=1), there.workbench(9, "dora"))
    history = tmp_path_factory.mktemp("history")
    write_rows(recorded(f"{namespace}/matlab"), history)
    audit = tmp_path_factory.mktemp("web") / "audit.jsonl"
    keys = {"enabled": True, "most_per_user": 50}
    server, log, stop = start(web_settings(plane, namespace, history=history, audit=audit, keys=keys))
    made = Site(plane, board, other, server, log, audit=audit)
    for account, rights in ACCOUNTS.items():
        plane.kubectl("create", "serviceaccount", account, "-n", namespace)
        for resources, where in rights:
            allow(plane, namespace, account, resources, where=other if where == "other" else where)
        made.tokens[account] = made.new_token(account)
    made.tokens["expired"] = expired_token(plane, namespace, "admin")
    made.tokens["wrong-audience"] = made.new_token("admin", audience=None)
    made.until("/api/v1/pools", "admin", lambda answer: len(answer["items"]) >= 3)
    add_keys(made)
    yield made
    stop()
    for one in (namespace, other):
        plane.kubectl("delete", "seatpool", "--all", "--namespace", one, "--wait=false")

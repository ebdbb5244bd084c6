"""Opens the pages of `seatpool web` beside a demo, and makes links by which a visitor is signed in.

The pages ask the demo's real API server about every visitor, as they do anywhere. Each visitor is a ServiceAccount with the
roles of examples/install/people.yaml. A link has a code, and this process knows which token belongs to it.
"""

import asyncio
import contextlib
import logging
import socket
import threading
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import structlog

from seatpool.domain.errors import SeatpoolError
from seatpool.history.writing import write_rows
from seatpool.settings.settings import Settings, load_settings
from seatpool.sim.demo.recorded_past import WEEKS, recorded_past
from seatpool.sim.demo.stage import IDENTITY, INSTALLATION, NAMESPACE, REPOSITORY, SERVER, Stage
from seatpool.web.server import WebServer

HOST = "127.0.0.1"
PORT = 8090
START_LIMIT = 60.0
"""Seconds in which the pages have to be there."""
AUDIENCE = "seatpool"
PAST_OF = "matlab"
"""The pool that gets a past."""
VISITORS: Mapping[str, tuple[str, str, tuple[str, ...]]] = {
    "ann": ("an engineer", "/", ()),
    "license-admin": ("a license admin", "/admin", ("seatpool-viewer", "seatpool-license-admin")),
    "buyer": (
        "a buyer, who sees numbers and no names",
        "/buyer",
        ("seatpool-demo-numbers",),
    ),
}
"""Who a visitor is, the page that the link opens, and the roles, by ServiceAccount."""


@contextlib.contextmanager
def open_pages(stage: Stage) -> Iterator[tuple[str, ...]]:
    """Serves the pages until the context ends. Yields the lines that tell a user where they are."""
    for objects in (_rights(), _accounts()):
        stage.apply(objects)
    told = [*_write_past(stage)]
    with _serving(stage) as server:
        assert server.service is not None  # noqa: S101
        for name, (who, page, _) in VISITORS.items():
            code = server.service.sign_in_codes.make(_token(stage, name), once=False)
            told.append(
                f"http://{HOST}:{server.port}/enter/{code}?{urlencode({'to': page}, safe='/')}  as {name}, {who}"
            )
        yield tuple(told)


def _rights() -> list[dict[str, Any]]:
    """Returns the role of the buyer, and what the pages need for keys. No visitor may create an APIKey by kubectl."""
    rbac, kinds = "rbac.authorization.k8s.io", ["licensepools", "licenseservers"]
    rules = {
        "seatpool-demo-numbers": [(kinds, ["get", "list"])],
        "seatpool-demo-keys": [
            (["apikeys"], ["get", "list", "watch", "create", "patch", "delete"]),
            (["apikeys/status"], ["patch"]),
        ],
    }
    roles = [
        {
            "apiVersion": f"{rbac}/v1",
            "kind": "ClusterRole",
            "metadata": {"name": name},
            "rules": [{"apiGroups": ["seatpool.io"], "resources": what, "verbs": verbs} for what, verbs in given],
        }
        for name, given in rules.items()
    ]
    web = {"kind": "ServiceAccount", "name": "seatpool-web", "namespace": NAMESPACE}
    return [*roles, _binding("ClusterRoleBinding", "seatpool-demo-keys", "seatpool-demo-keys", web)]


def _binding(kind: str, name: str, role: str, subject: Mapping[str, str]) -> dict[str, Any]:
    rbac = "rbac.authorization.k8s.io"
    metadata = {"name": name} | ({"namespace": NAMESPACE} if kind == "RoleBinding" else {})
    return {
        "apiVersion": f"{rbac}/v1",
        "kind": kind,
        "metadata": metadata,
        "roleRef": {"apiGroup": rbac, "kind": "ClusterRole", "name": role},
        "subjects": [dict(subject)],
    }


def _accounts() -> list[dict[str, Any]]:
    """Returns the ServiceAccounts and what binds them to their roles."""
    objects: list[dict[str, Any]] = []
    for name, (_, _, roles) in VISITORS.items():
        metadata = {"name": name, "namespace": NAMESPACE}
        objects.append({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": metadata})
        subject = {"kind": "ServiceAccount", **metadata}
        objects += [_binding("RoleBinding", f"{name}-{role}", role, subject) for role in roles]
    return objects


def _token(stage: Stage, name: str) -> str:
    return stage.plane.kubectl(
        "create", "token", name, "--namespace", NAMESPACE, "--audience", AUDIENCE, "--duration=24h"
    ).strip()


def _write_past(stage: Stage) -> Iterator[str]:
    pool = next((one["spec"] for one in stage.example("licensepools.yaml") if one["metadata"]["name"] == PAST_OF), None)
    if pool is None or stage.history is None:
        return
    rows = recorded_past(
        REPOSITORY / "examples" / "events-matlab-lab.jsonl.gz", installation=INSTALLATION, pool=f"{NAMESPACE}/{PAST_OF}",
        product=pool["product"], server=f"{NAMESPACE}/{SERVER}", seats=pool["seats"], now=datetime.now(UTC),
    )  # fmt: skip
    write_rows(rows, stage.history)
    yield f"the past of {PAST_OF} is made: {WEEKS} weeks of a lab's events"


def _settings(stage: Stage) -> Settings:
    return load_settings(
        flags={
            "kubeconfig": str(stage.plane.kubeconfig_for_service_account(NAMESPACE, "seatpool-web")),
            "identity": IDENTITY,
            "http": {"host": HOST, "port": 0},
            "web": {"host": HOST, "port": _free_port(), "audience": AUDIENCE, "keys": {"enabled": True}},
            "audit": {"file": str(stage.directory / "web-audit.jsonl")},
            "history": {"location": str(stage.history)},
        }
    )


def _free_port() -> int:
    """Returns the usual port of the demo's pages, or 0 if another program has it."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, PORT))
        except OSError:
            return 0
    return PORT


@contextlib.contextmanager
def _serving(stage: Stage) -> Iterator[WebServer]:
    """Runs the server in a thread with an event loop of its own."""
    settings = _settings(stage)
    started, failed = threading.Event(), list[BaseException]()
    running: list[tuple[WebServer, asyncio.AbstractEventLoop]] = []

    async def run() -> None:
        server = WebServer(settings, log=_log_into(stage.directory / "web.log"))
        running.append((server, asyncio.get_running_loop()))
        serving = asyncio.create_task(server.serving.wait())
        serving.add_done_callback(lambda _: started.set())
        await server.run()

    def work() -> None:
        try:
            asyncio.run(run())
        except BaseException as error:  # noqa: BLE001
            failed.append(error)
        finally:
            started.set()

    # What libraries log belongs into the file, not between the lines of the demo.
    logging.basicConfig(filename=stage.directory / "web.log", level=logging.WARNING)
    thread = threading.Thread(target=work, name="pages", daemon=True)
    thread.start()
    if not started.wait(START_LIMIT) or failed:
        raise SeatpoolError(f"the pages did not start: {failed[0] if failed else f'not within {START_LIMIT:g} s'}")
    server, loop = running[0]
    try:
        yield server
    finally:
        with contextlib.suppress(RuntimeError):  # the loop has ended already
            loop.call_soon_threadsafe(server.stop)
        thread.join(timeout=10)


def _log_into(file: Path) -> structlog.typing.FilteringBoundLogger:
    logger: structlog.typing.FilteringBoundLogger = structlog.wrap_logger(
        structlog.WriteLogger(file.open("a", encoding="utf-8")),
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso"),
            structlog.processors.format_exc_info,
            structlog.processors.JSONRenderer(),
        ],
        wrapper_class=structlog.make_filtering_bound_logger("info"),
    )
    return logger

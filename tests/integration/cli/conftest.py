"""Objects as the operator writes them, put straight into a real API server, and the command line asked about them."""

import asyncio
import sys
import time
from collections.abc import Iterable, Mapping
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from io import StringIO
from typing import Any

import pytest

from seatpool.api.base import format_instant
from seatpool.api.crd import RESOURCES
from seatpool.cli.main import main
from seatpool.kube.client import KubeClient
from seatpool.policy.ledger_codec import ledger_name
from seatpool.sim.controlplane import ControlPlane

Body = dict[str, Any]
KINDS = {kind.kind: kind for kind in RESOURCES}


@dataclass(frozen=True)
class Answered:
    """What a command printed, and its exit code."""

    stdout: str
    stderr: str
    code: int


@dataclass
class Board:
    """One namespace with a license server, pools, ledgers and workbenches."""

    plane: ControlPlane
    namespace: str
    now: datetime = field(default_factory=lambda: datetime.now(UTC).replace(microsecond=0))

    def ago(self, **length: float) -> str:
        return format_instant(self.now - timedelta(**length))

    def ahead(self, **length: float) -> str:
        return format_instant(self.now + timedelta(**length))

    def at(self, **length: float) -> str:
        """An instant as people read it; negative lengths are in the past."""
        then = self.now + timedelta(**length)
        return f"{then:%H:%M}" if then.date() == datetime.now(UTC).date() else f"{then:%Y-%m-%d %H:%M}"

    # -- what there is -------------------------------------------------------------------------------------------------

    def put(self, *objects: Body) -> None:
        """Create or change objects, and then their statuses."""
        asyncio.run(self._put(objects))

    async def _put(self, objects: Iterable[Body]) -> None:
        kube = await KubeClient.connect(kubeconfig=str(self.plane.kubeconfig))
        try:
            for one in objects:
                kind, name = KINDS[one["kind"]], one["metadata"]["name"]
                parts = {part: value for part, value in one.items() if part in ("metadata", "spec")}
                await kube.apply(kind, self.namespace, name, parts, manager="tests")
                if "status" in one:
                    await kube.apply(kind, self.namespace, name, {"status": one["status"]}, status=True)
        finally:
            await kube.close()

    def server(self, *, conditions: Mapping[str, tuple[str, str, str]] | None = None, **spec: Any) -> Body:
        settings: Body = {"target": {"instanceId": "i-0123456789abcdef0"}, "region": "eu-central-1"}
        told = {"Ready": ("True", "InSync", ""), "Reachable": ("True", "Reachable", "")} | dict(conditions or {})
        return self._object("LicenseServer", "licenses", settings | spec) | {
            "status": {"revision": 7, "conditions": [self._condition(kind, *parts) for kind, parts in told.items()]}
        }

    def pool(
        self,
        name: str = "matlab",
        *,
        seats: int = 2,
        conditions: Mapping[str, tuple[str, str, str]] | None = None,
        **spec: Any,
    ) -> Body:
        settings: Body = {
            "serverRef": {"name": "licenses"}, "product": name, "seats": seats, "workbenchTypes": [f"vew-{name}"],
        }  # fmt: skip
        told = {"InSync": ("True", "InSync", "")} | dict(conditions or {})
        return self._object("LicensePool", name, settings | spec) | {
            "status": {
                "observedGeneration": 99,
                "conditions": [self._condition(kind, *parts) for kind, parts in told.items()],
            }
        }

    def ledger(
        self,
        pool: str = "matlab",
        *,
        assigned: Mapping[str, str] | None = None,
        idle: Mapping[str, str] | None = None,
        waiting: Mapping[str, str] | None = None,
        **others: Any,
    ) -> Body:
        """`assigned` and `waiting` are users and since when, `idle` are holders and since when they need no seat."""
        gone = dict(idle or {})
        grants = [
            {"user": user, "since": since, "reason": "Granted"} | ({"idleSince": gone[user]} if user in gone else {})
            for user, since in (assigned or {}).items()
        ]
        places = [{"user": user, "since": since} for user, since in (waiting or {}).items()]
        memory = {"server": "licenses", "product": pool, "pool": pool, "assigned": grants, "waiting": places}
        return self._object("SeatLedger", ledger_name("licenses", pool, 0), memory | others)

    def workbench(
        self,
        number: int,
        owner: str,
        *,
        kind: str = "vew-matlab",
        state: str = "running",
        seats: list[Body] | None = None,
    ) -> Body:
        name = f"i-{number:08x}"
        spec = {
            "instanceId": name, "account": "123456789012", "region": "eu-central-1", "owner": owner, "type": kind,
            "state": state, "stateChangedAt": self.ago(hours=1),
        }  # fmt: skip
        status = {} if seats is None else {"status": {"seats": seats}}
        return self._object("Workbench", name, spec) | status

    # -- what people ask -----------------------------------------------------------------------------------------------

    def ask(self, *arguments: str, columns: int | None = None, here: bool = True) -> Answered:
        """Run the command line as a person does whose clock shows UTC."""
        where = ("-n", self.namespace) if here else ()
        command, *others = arguments
        argv = ["seatpool", command, *where, "--kubeconfig", str(self.plane.kubeconfig), *others]
        environ = {"TZ": "UTC", "NO_COLOR": "1"} | ({"COLUMNS": str(columns)} if columns is not None else {})
        out, err = StringIO(), StringIO()
        with pytest.MonkeyPatch.context() as patch, redirect_stdout(out), redirect_stderr(err):
            patch.delenv("COLUMNS", raising=False)
            for name, value in environ.items():
                patch.setenv(name, value)
            time.tzset()
            patch.setattr(sys, "argv", argv)
            with pytest.raises(SystemExit) as ended:
                main()
        time.tzset()
        return Answered(out.getvalue(), err.getvalue(), int(str(ended.value.code or 0)))

    def why(self, user: str, *more: str, code: int) -> list[str]:
        """The lines of the answer, without their indentation and without those that every answer begins with."""
        done = self.ask("why", user, *more)
        assert done.code == code, done.stdout + done.stderr
        return [line.strip() for line in self.after_heading(done.stdout) if line.strip()]

    def after_heading(self, out: str) -> list[str]:
        """The lines after those which tell of the operator and of the namespace."""
        alive, where, *lines = out.splitlines()
        assert alive.startswith(("Whether an operator is alive is not known", "No operator has written a status yet"))
        assert where == f"Looked at namespace {self.namespace}."
        return lines

    def _object(self, kind: str, name: str, spec: Body) -> Body:
        metadata = {"name": name, "namespace": self.namespace}
        return {"apiVersion": "seatpool.io/v1alpha1", "kind": kind, "metadata": metadata, "spec": spec}

    def _condition(self, kind: str, status: str, reason: str, message: str) -> Body:
        return {
            "type": kind, "status": status, "reason": reason, "message": message, "lastTransitionTime": self.ago(minutes=3),
        }  # fmt: skip


@pytest.fixture
def board(control_plane: ControlPlane, namespace: str) -> Board:
    return Board(control_plane, namespace)

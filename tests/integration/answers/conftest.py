"""Objects as the operator writes them, put straight into a real API server, and the command line asked about them."""

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from seatpool.api.base import format_instant
from seatpool.sim.controlplane import ControlPlane

Body = dict[str, Any]


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
        self._apply([{name: part for name, part in one.items() if name != "status"} for one in objects])
        for one in objects:
            if "status" in one:
                metadata = {"name": one["metadata"]["name"], "namespace": self.namespace}
                status = {name: one[name] for name in ("apiVersion", "kind", "status")} | {"metadata": metadata}
                self._apply([status], "--subresource=status")

    def server(self, *, conditions: Mapping[str, tuple[str, str, str]] | None = None, **spec: Any) -> Body:
        settings: Body = {"target": {"instanceId": "i-0123456789abcdef0"}, "region": "eu-central-1"}
        told = {"Ready": ("True", "InSync", ""), "Reachable": ("True", "Reachable", "")} | dict(conditions or {})
        return self._object("LicenseServer", "licenses", settings | spec) | {
            "status": {"revision": 7, "conditions": [self._condition(kind, *parts) for kind, parts in told.items()]}
        }

    def pool(
        self, name: str = "matlab", *, seats: int = 2, conditions: Mapping[str, tuple[str, str, str]] | None = None, **spec: Any
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
        return self._object("SeatLedger", f"{pool}-0", {"pool": pool, "assigned": grants, "waiting": places} | others)

    def workbench(
        self, number: int, owner: str, *, kind: str = "vew-matlab", state: str = "running", seats: list[Body] | None = None
    ) -> Body:
        name = f"i-{number:08x}"
        spec = {
            "instanceId": name, "account": "123456789012", "region": "eu-central-1", "owner": owner, "type": kind,
            "state": state, "stateChangedAt": self.ago(hours=1),
        }  # fmt: skip
        status = {} if seats is None else {"status": {"seats": seats}}
        return self._object("Workbench", name, spec) | status

    # -- what people ask -----------------------------------------------------------------------------------------------

    def ask(self, *arguments: str, columns: int | None = None) -> "subprocess.CompletedProcess[str]":
        """Run the command line as a person in London would in winter."""
        environ = os.environ | {"TZ": "UTC", "NO_COLOR": "1"}
        environ.pop("COLUMNS", None)
        if columns is not None:
            environ["COLUMNS"] = str(columns)
        return subprocess.run(
            [sys.executable, "-m", "seatpool.cli", *arguments, "-n", self.namespace,
             "--kubeconfig", str(self.plane.kubeconfig)],
            env=environ, capture_output=True, text=True, timeout=90, check=False,
        )  # fmt: skip

    def why(self, user: str, *more: str, code: int) -> list[str]:
        """The lines of the answer, without their indentation."""
        done = self.ask("why", user, *more)
        assert done.returncode == code, done.stdout + done.stderr
        return [line.strip() for line in done.stdout.splitlines() if line.strip()]

    def _apply(self, objects: list[Body], *more: str) -> None:
        listed = {"apiVersion": "v1", "kind": "List", "items": objects}
        self.plane.kubectl("apply", "--server-side", "--force-conflicts", *more, "-f", "-", input=json.dumps(listed))

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

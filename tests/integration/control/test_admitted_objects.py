"""Whatever the API server admits, the operator starts, leads, and serves the pools that are right."""

import os
import random
from pathlib import Path
from typing import Any

from pydantic import ValidationError
from tests.integration.control.admitted_objects import REFERENCES, Body, Generator
from tests.integration.control.conftest import Stage
from tests.waiting import eventually

from seatpool.api.base import Resource
from seatpool.api.identity import IdentitySettings
from seatpool.api.licensepool import LicensePool
from seatpool.api.licenseserver import LicenseServer
from seatpool.api.seatledger import SeatLedger
from seatpool.api.workbench import Workbench
from seatpool.domain.errors import SeatpoolError
from seatpool.kube.errors import KubeError
from seatpool.policy.ledger_codec import ledger_name, share_index
from seatpool.policy.pool_rules import pool_rules

CRDS = Path(__file__).resolve().parents[3] / "crds"
KINDS: dict[str, type[Resource]] = {kind.kind: kind for kind in (LicenseServer, LicensePool, SeatLedger, Workbench)}
BATCHES, OF_EACH_KIND, TRIES = 3, 8, 100
ADMITTED_WITHOUT = (
    "reservations",
    "priorities",
    "protectedUsers",
    "timeout",
    "verifyInterval",
    "debounce",
    "minInterval",
)
"""Fields that rules of the CRD bind to others, so that most random values are refused."""


class Crowd:
    """The odd objects of one test."""

    def __init__(self, stage: Stage, seed: int) -> None:
        self.stage = stage
        self.rng = random.Random(seed)
        self.generator = Generator(CRDS, self.rng)
        self.admitted: list[tuple[type[Resource], Body]] = []

    async def create(self) -> None:
        """Creates some objects of each kind, of those that the API server admits."""
        for kind in (*KINDS.values(),) * OF_EACH_KIND:
            for _ in range(TRIES):
                metadata = {"name": self._name(kind), "namespace": self.stage.namespace}
                try:
                    made = await self.stage.kube.create(
                        kind, self.stage.namespace, {"metadata": metadata, "spec": self._spec(kind)}
                    )
                except KubeError:
                    continue
                self.admitted.append((kind, made))
                break
            else:
                raise AssertionError(f"no {kind.kind} of {TRIES} is admitted")

    def _names(self, kind: type[Resource]) -> list[str]:
        return [body["metadata"]["name"] for one, body in self.admitted if one is kind]

    def _name(self, kind: type[Resource]) -> str:
        pools = [body["spec"] for one, body in self.admitted if one is LicensePool]
        if kind is SeatLedger and pools and self.rng.random() < 0.5:
            pool = self.rng.choice(pools)
            first = ledger_name(pool["serverRef"]["name"], pool["product"], 0)
            return f"{first.removesuffix('0')}{self.rng.choice(('0', '1', '00', 'backup', '0-backup'))}"
        return f"odd-{self.generator.name()}"[:253].rstrip("-")

    def _spec(self, kind: type[Resource]) -> Body:
        choice = self.rng.choice
        fixed: dict[str, Any] = {}
        if kind is LicensePool:
            fixed["serverRef"] = {"name": choice((*REFERENCES, *self._names(LicenseServer)))}
            fixed |= choice(({}, {"product": "real"}, {"workbenchTypes": ["vew-*"]}))
        elif kind is SeatLedger:
            pools = [body["spec"] for one, body in self.admitted if one is LicensePool]
            real = {"server": "licenses", "product": "real", "pool": "real"}
            named = ({"server": one["serverRef"]["name"], "product": one["product"], "pool": "p"} for one in pools)
            fixed |= choice((real, {"server": "missing", "product": "missing", "pool": "missing"}, *named))
        elif kind is Workbench:
            fixed |= choice(({}, {"type": "vew-real"}))
        elif self.rng.random() < 0.5:
            fixed["target"] = {"tag": self.stage.node.tag, "value": self.stage.node.value}
        else:
            fixed["target"] = {"instanceId": "mi-0123456789abcdef0"}
        made = self.generator.spec(kind.kind, **fixed)
        for field in ADMITTED_WITHOUT:
            if self.rng.random() < 0.8:
                made.pop(field, None)
        if kind is LicenseServer and not any(one is kind for one, _ in self.unreadable()):
            made["xlc"] = {
                "listFormat": {"type": "Regex", "pattern": choice(("((", "[", "*"))}
            }  # chance may bring none
        elif "xlc" in made and self.rng.random() < 0.8:
            made["xlc"] = {name: value for name, value in made["xlc"].items() if name not in ("apply", "list")}
        return made

    def unreadable(self) -> list[tuple[type[Resource], str]]:
        """The objects of which the operator has to say that they cannot be read."""
        return [(kind, body["metadata"]["name"]) for kind, body in self.admitted if not _is_readable(kind, body)]


def _is_readable(kind: type[Resource], body: Body) -> bool:
    try:
        parsed = kind.model_validate(body)
        if isinstance(parsed, LicensePool):
            pool_rules(parsed.spec, IdentitySettings())
    except (ValidationError, SeatpoolError):
        return False
    return (
        not isinstance(parsed, SeatLedger)
        or share_index(parsed.spec.server, parsed.spec.product, parsed.metadata.name) is not None
    )


async def test_whatever_is_admitted_other_pools_are_served_and_what_cannot_be_read_says_so(stage: Stage) -> None:
    seed = int(os.environ.get("SEATPOOL_SEED", random.randrange(10**6)))
    print(f"SEATPOOL_SEED={seed}")  # noqa: T201
    crowd = Crowd(stage, seed)
    stage.apply(stage.server(), stage.pool("real", product="real", seats=5000, workbenchTypes=["vew-real"]))
    for batch in range(BATCHES):
        async with stage.operator() as operator:
            user = f"user{batch}-a"
            stage.apply(stage.workbench(100 + batch, user, type="vew-real"))
            await eventually(lambda: user in stage.host.users("real"), what=f"{user} is on the list")  # noqa: B023
            await crowd.create()
            user = f"user{batch}-b"
            stage.apply(stage.workbench(200 + batch, user, type="vew-real"))
            await eventually(lambda: user in stage.host.users("real"), what=f"{user} is on the list")  # noqa: B023
            await stage.until_ready("real")
            for kind, name in crowd.unreadable():
                if kind is not SeatLedger:
                    await stage.until_condition(kind, name, "Ready", status="False", reason="InvalidSpec")
            ledgers = {name for kind, name in crowd.unreadable() if kind is SeatLedger}
            told = {one["involvedObject"]["name"] for one in stage.events("InvalidSpec")}
            await eventually(lambda: ledgers <= told | _told(stage), what=f"Events of {ledgers}")  # noqa: B023
            assert operator.registry.get_sample_value("seatpool_leader") == 1
    counts = {kind.kind: sum(one is kind for one, _ in crowd.admitted) for kind in KINDS.values()}
    print(f"admitted {counts}, unreadable {len(crowd.unreadable())}")  # noqa: T201
    assert {kind for kind, _ in crowd.unreadable()} == set(KINDS.values())


def _told(stage: Stage) -> set[str]:
    return {one["involvedObject"]["name"] for one in stage.events("InvalidSpec")}

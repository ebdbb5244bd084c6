"""Plays a day of a Virtual Engineering Workbench: machines and containers, a virtual target, an update, and the hub's events."""

import time
from datetime import UTC, datetime

from seatpool.sim.demo.event_file import WorkbenchEvent
from seatpool.sim.demo.expected_needs import ExpectedNeeds, PoolFacts
from seatpool.sim.demo.monitor import Monitor
from seatpool.sim.demo.people import People
from seatpool.sim.demo.scenes import Scenes
from seatpool.sim.demo.stage import NAMESPACE, SERVER, Stage
from seatpool.sim.demo.view import View
from seatpool.sim.fleet import Fleet
from seatpool.sim.vew import OWNER_TAG, PRODUCT_TAG, Containers, ProductKind, hub_event, launch_tags

__all__ = ["JUDGED", "VewStory", "facts", "fleet", "prepare"]

POOL, SEATS = "autosar", 3
MACHINE, CONTAINER = "AUTOSAR Workbench", "AUTOSAR Container"
JUDGED = (POOL,)
VERIFY = "1h"
"""No command but the needed ones."""
QUIET = 2.0
"""Seconds in which something would have happened."""


def facts() -> dict[str, PoolFacts]:
    """Returns the pool of the story."""
    return {POOL: PoolFacts(seats=SEATS, types=("AUTOSAR?*",))}


def prepare(stage: Stage) -> None:
    """Applies a pool, and starts an operator that knows nothing of tags but the profile."""
    stage.apply_license_server(verifyInterval=VERIFY)
    pool = {
        "apiVersion": "seatpool.io/v1alpha1",
        "kind": "LicensePool",
        "metadata": {"name": POOL, "namespace": NAMESPACE},
        "spec": {
            "serverRef": {"name": SERVER},
            "product": POOL,
            "seats": SEATS,
            "workbenchTypes": ["AUTOSAR?*"],
        },
    }
    stage.apply([pool])
    stage.node.host.seats(POOL, SEATS)
    accounts = [{"account": stage.site.account, "regions": [stage.site.region], "inventory": True}]
    stage.start_operator(accounts=accounts, profile="vew", describe_lag="0s")


def fleet(stage: Stage) -> Fleet:
    """Returns the machines, with the tags of VEW."""
    return stage.site.fleet(owner_tag=OWNER_TAG, type_tag=PRODUCT_TAG)


class VewStory(Scenes):
    """Scenes of the story, in order."""

    def __init__(
        self, stage: Stage, *, expected: ExpectedNeeds, people: People, machines: Fleet, monitor: Monitor, view: View
    ) -> None:
        super().__init__(stage, expected=expected, people=people, monitor=monitor, view=view)
        self._machines = machines
        self._containers = Containers(
            stage.site.client("ecs"), account=stage.site.account, region=stage.site.region, post=machines.post,
            keep=stage.aws.control.keep_tasks,
        )  # fmt: skip
        self._task = ""
        self._updated = ""

    def play(self) -> None:
        scenes = (
            self._two_users_launch_machines,
            self._a_container_gets_a_seat_too,
            self._a_virtual_target_gets_none,
            self._the_pool_is_full,
            self._an_update_replaces_a_machine,
            self._the_hub_tells_of_a_stop,
            self._everybody_goes_home,
        )
        self._play(scenes)

    def _two_users_launch_machines(self) -> None:
        self._view.tell(f"T0011AA and T0022BB launch the product {MACHINE}. VEW puts its tags on the instances.")
        for owner in ("T0011AA", "T0022BB"):
            self._launch(owner)
        self._until_listed(POOL, "t0011aa", "t0022bb")

    def _a_container_gets_a_seat_too(self) -> None:
        self._view.tell(f"T0033CC launches the container {CONTAINER}: a task of ECS.")
        self._task = self._containers.start("T0033CC", CONTAINER)
        self._note(self._task, "T0033CC", CONTAINER, "running")
        self._until_listed(POOL, "t0011aa", "t0022bb", "t0033cc")

    def _a_virtual_target_gets_none(self) -> None:
        self._view.tell("T0044DD starts a virtual target. It has an owner, too, but it is no workbench.")
        tags = launch_tags("T0044DD", MACHINE, ProductKind.VIRTUAL_TARGET)
        target = self._machines.start("T0044DD", MACHINE, tags=tags)
        time.sleep(QUIET)
        name = ("get", "wb", target, "-n", NAMESPACE, "-o", "name", "--ignore-not-found")
        if self._stage.plane.kubectl(*name).strip():
            self.faults.append("a virtual target became a workbench")

    def _the_pool_is_full(self) -> None:
        self._view.tell(f"T0055EE launches a machine, but the pool has {SEATS} seats: the user waits.")
        self._launch("T0055EE")
        self._until("t0055ee waits", lambda: self._waiting(POOL) == ("t0055ee",))

    def _an_update_replaces_a_machine(self) -> None:
        self._view.tell("T0011AA updates the product: the new instance runs, then the old one is terminated.")
        before = next(one for one, (owner, _) in self._people.running.items() if owner == "T0011AA")
        commands = self._stage.commands()
        self._updated = self._launch("T0011AA", version="1.1.0")
        self._until("the new instance is known", lambda: self._state(self._updated) == "running")
        self._people.terminate(before)
        self._until("the old instance is gone", lambda: self._state(before) in ("terminated", ""))
        time.sleep(QUIET)
        sent = self._stage.commands() - commands
        self._view.tell(f"  commands to the license server: {sent}")
        if sent:
            self.faults.append(f"{sent} commands were sent for a machine that was replaced")

    def _the_hub_tells_of_a_stop(self) -> None:
        self._view.tell("T0022BB stops. The hub forwards WorkbenchEC2StateChanged, and the seat goes to T0055EE.")
        instance = next(one for one, (owner, _) in self._people.running.items() if owner == "T0022BB")
        self._people.stop(instance, forward=hub_event)
        self._until_listed(POOL, "t0011aa", "t0033cc", "t0055ee")

    def _everybody_goes_home(self) -> None:
        self._view.tell("Evening: everything stops.")
        self._containers.stop(self._task)
        self._note(self._task, "T0033CC", CONTAINER, "terminated")
        for instance in self._people.running:
            self._people.stop(instance)
            time.sleep(0.2)
        self._until_listed(POOL)

    def _launch(self, owner: str, *, version: str = "1.0.0") -> str:
        return self._people.start(
            owner, MACHINE, tags=launch_tags(owner, MACHINE, ProductKind.WORKBENCH, version=version)
        )

    def _note(self, instance: str, owner: str, workbench_type: str, state: str) -> None:
        event = WorkbenchEvent(
            instance=instance,
            account=self._stage.site.account,
            region=self._stage.site.region,
            at=datetime.now(UTC),
            state=state,
            owner=owner,
            type=workbench_type,
        )
        self._expected.add(event, time.time())

    def _state(self, instance: str) -> str:
        path = "jsonpath={.spec.state}"
        return self._stage.plane.kubectl("get", "wb", instance, "-n", NAMESPACE, "-o", path, "--ignore-not-found")

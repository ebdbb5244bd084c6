"""Plays half a minute of a license server. Each scene says what happens and waits until it is visible."""

import contextlib
import json
import random
import time
from pathlib import Path
from typing import Any

from seatpool.sim.demo.expected_needs import PoolFacts
from seatpool.sim.demo.monitor import Monitor
from seatpool.sim.demo.options import Backend, DemoError
from seatpool.sim.demo.people import People
from seatpool.sim.demo.scenes import PATIENCE, Scenes
from seatpool.sim.demo.stage import NAMESPACE, Stage
from seatpool.sim.demo.view import View

__all__ = ["JUDGED", "Story", "example_facts", "live_on", "populate", "prepare"]

MATLAB, CAD = "vew-matlab", "vew-cad"
JUDGED = ("matlab",)
"""The pool without rules that take time. Its list follows from the events alone."""
VERIFY = "3s"
ACCOUNTS = ("mallory", "cad-librarian")
"""Users of the story who start no workbench."""
CAST = ("ann", "bob", "carl", "dora", "eve", "fay", "gil", "hana", "night-ida", "night-jo", "oncall-kim", "student-lee")


def example_facts(stage: Stage) -> dict[str, PoolFacts]:
    """Returns the pools of examples/licensepools.yaml."""
    return {
        pool["spec"]["product"]: PoolFacts(
            seats=pool["spec"]["seats"],
            types=tuple(pool["spec"]["workbenchTypes"]),
        )
        for pool in stage.example("licensepools.yaml")
    }


def prepare(stage: Stage, backend: Backend = Backend.XLC) -> None:
    """Applies the examples and starts an operator that reads its inventory from EC2."""
    pools = stage.example("licensepools.yaml")
    # By default lists are read back every 5 minutes, which is too long for a demo.
    if backend is Backend.LDAP:
        products = [pool["spec"]["product"] for pool in pools]
        stage.use_directory(users=(*CAST, *ACCOUNTS), products=products, verifyInterval=VERIFY)
    else:
        stage.apply_license_server(verifyInterval=VERIFY)
    stage.apply(pools)
    for pool in pools:
        stage.lists.seats(pool["spec"]["product"], pool["spec"]["seats"])
    accounts = [{"account": stage.site.account, "regions": [stage.site.region], "inventory": True}]
    stage.start_operator(accounts=accounts)


def populate(stage: Stage, people: People) -> None:
    """Starts workbenches: MATLAB is full and one user waits, CAD has a free seat. Returns when the lists are written."""
    for owner, kind in (*((owner, MATLAB) for owner in ("ann", "bob", "carl", "dora", "eve")), ("fay", CAD)):
        people.start(owner, kind)
    host = stage.lists
    until = time.monotonic() + PATIENCE
    while len(host.users("matlab")) < 4 or "fay" not in host.users("cad"):
        if time.monotonic() > until:
            raise DemoError(f"the lists were not written within {PATIENCE:g} s; see {stage.operator.log}")
        time.sleep(0.1)


class Story(Scenes):
    """Scenes of the story, in order."""

    def play(self) -> None:
        scenes = (
            self._the_pool_fills,
            self._somebody_waits,
            self._a_seat_passes_on,
            self._two_workbenches_take_one_seat,
            self._events_come_twice,
            self._a_hostile_owner_is_refused,
            self._a_change_by_hand_is_repaired,
            self._seats_are_kept_for_the_night_shift,
            self._everybody_goes_home,
        )
        self._play(scenes)

    def _the_pool_fills(self) -> None:
        self._view.tell("Ann, Bob, Carl and Dora start MATLAB workbenches. The pool has four seats.")
        for owner in ("ann", "bob", "carl", "dora"):
            self._people.start(owner, MATLAB)
            time.sleep(0.5)
        self._until_listed("matlab", "ann", "bob", "carl", "dora")

    def _somebody_waits(self) -> None:
        self._view.tell("Eve starts one, too. Her workbench runs, but the pool is full: she waits, and can see it.")
        instance = self._people.start("eve", MATLAB)
        self._until("eve waits in line", lambda: self._condition(instance).get("reason") == "SomeWait")
        self._view.tell(f"  kubectl get wb {instance}: {self._condition(instance).get('message', '')}")

    def _a_seat_passes_on(self) -> None:
        self._view.tell("Bob stops his workbench. His seat goes to Eve in the same overwrite of the list.")
        self._people.stop_one_of("bob")
        self._until_listed("matlab", "ann", "carl", "dora", "eve")

    def _two_workbenches_take_one_seat(self) -> None:
        self._view.tell("CORP\\Ann starts a second workbench and stops it. One person, one seat: nothing is sent.")
        instance = self._people.start("CORP\\Ann", MATLAB)
        time.sleep(1)
        self._people.stop(instance)
        self._until_listed("matlab", "ann", "carl", "dora", "eve")

    def _events_come_twice(self) -> None:
        self._view.tell("The queue delivers Ann's start event three more times. Nothing is counted; nothing changes.")
        instance = next(one for one, (owner, _) in self._people.running.items() if owner == "ann")
        written = len(self._monitor.records["matlab"].written)
        self._people.repeat_start(instance, times=3)
        time.sleep(1.5)
        if len(self._monitor.records["matlab"].written) != written:
            self.faults.append("a repeated event made the list be written again")

    def _a_hostile_owner_is_refused(self) -> None:
        marker = Path("/tmp/x")  # noqa: S108
        owner = f"$(touch {marker})"
        was_there = marker.exists()
        self._view.tell(f"Somebody tags a workbench with the owner {owner}")
        instance = self._people.start(owner, MATLAB)
        self._until("the hostile owner is refused", lambda: self._condition(instance).get("reason") == "InvalidOwner")
        self._view.tell(f"  refused: {self._condition(instance).get('message', '')}")
        if marker.exists() and not was_there:
            self.faults.append(f"the owner tag was run as a command: there is a {marker}")
        self._people.stop(instance)

    def _a_change_by_hand_is_repaired(self) -> None:
        self._view.tell(f"Somebody edits MATLAB's list by hand and puts Mallory on it. It is read back every {VERIFY}.")
        host = self._stage.lists
        host.edit("matlab", ["ann", "carl", "mallory"])
        edited = time.time()
        self._until("the list is repaired", lambda: host.users("matlab") == ("ann", "carl", "dora", "eve"))
        self._view.tell(f"  repaired after {time.time() - edited:.1f} s")

    def _seats_are_kept_for_the_night_shift(self) -> None:
        self._view.tell("Fay, Gil and Hana want CAD: one seat is the librarian's, two are kept for the night shift.")
        for owner in ("fay", "gil", "hana"):
            self._people.start(owner, CAD)
            time.sleep(0.3)
        self._until("hana waits for a seat of cad", lambda: self._waiting("cad") == ("hana",))
        self._view.tell("Ida of the night shift starts one, and has a seat at once.")
        self._people.start("night-ida", CAD)
        self._until_listed("cad", "cad-librarian", "fay", "gil", "night-ida")

    def _everybody_goes_home(self) -> None:
        self._view.tell("Evening: all MATLAB workbenches stop, one after another.")
        for instance, (_, workbench_type) in self._people.running.items():
            if workbench_type == MATLAB:
                self._people.stop(instance)
                time.sleep(0.2)
        self._until_listed("matlab")

    def _condition(self, instance: str) -> dict[str, Any]:
        """Returns the Ready condition of a workbench, as kubectl shows it."""
        found = self._stage.plane.kubectl("get", "wb", instance, "-n", NAMESPACE, "-o", "json", "--ignore-not-found")
        conditions = json.loads(found).get("status", {}).get("conditions", []) if found else []
        return next((one for one in conditions if one["type"] == "Ready"), {})


def live_on(people: People, monitor: Monitor, view: View, *, randomness: random.Random) -> None:
    """Lets random users start and stop workbenches until Ctrl-C."""
    view.tell("Life goes on: people come and go by chance. Ctrl-C ends it.")
    with contextlib.suppress(KeyboardInterrupt):
        while True:
            monitor.check()
            running = list(people.running)
            if running and randomness.random() < len(running) / (2 * len(CAST)):
                people.stop(randomness.choice(running))
            else:
                people.start(randomness.choice(CAST), randomness.choice((MATLAB, MATLAB, CAD, "vew-simulation")))
            time.sleep(randomness.uniform(0.2, 1.5))

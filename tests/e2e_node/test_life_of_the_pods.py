"""What happens to people's seats in the life of the operator's pods, in the order in which it happens to a real one.

The tests share one installation and go on where the one before has stopped, as days do: each begins and ends with a list
that is right.
"""

import json
from datetime import UTC, datetime

from tests.e2e_node.cluster.provided import Cluster
from tests.e2e_node.measures import Measures
from tests.e2e_node.office import Office, eventually
from tests.e2e_node.release import Release

WHAT_IT_MAY = """
import json, os, pathlib, pwd
def refused(do):
    try:
        do()
    except (OSError, KeyError) as error:
        return type(error).__name__
status = dict(line.split(":", 1) for line in pathlib.Path("/proc/self/status").read_text().splitlines())
print(json.dumps({
    "user": os.getuid(),
    "name": refused(lambda: pwd.getpwuid(os.getuid())),
    "write": refused(lambda: pathlib.Path("/opt/seatpool/mark").write_text("")),
    "capabilities": int(status["CapPrm"], 16) | int(status["CapBnd"], 16),
    "no new privileges": status["NoNewPrivs"].strip(),
    "seccomp": status["Seccomp"].strip(),
    "shell": os.path.exists("/bin/sh"),
}))
"""

SINCE_START = """
import os, time
started = int(open("/proc/1/stat").read().rpartition(")")[2].split()[19]) / os.sysconf("SC_CLK_TCK")
print(time.time() - time.clock_gettime(time.CLOCK_BOOTTIME) + started)
"""


def test_a_workbench_that_starts_gets_a_seat_and_one_that_stops_gives_it_back(
    release: Release, office: Office, measures: Measures
) -> None:
    assert len(release.ready()) == 2
    office.comes("ann", "bea")
    office.until_listed()
    office.leaves("bea")
    with measures.timed("a workbench stops, and its owner is off the list"):
        office.until_listed()
    office.comes("cid")
    with measures.timed("a workbench starts, and its owner is on the list"):
        office.until_listed()


def test_the_pods_run_as_a_nameless_user_that_may_do_nothing(release: Release) -> None:
    may = json.loads(release.run_in(release.leader(), WHAT_IT_MAY))
    assert may == {
        "user": 65532,
        "name": "KeyError",
        "write": "OSError",
        "capabilities": 0,
        "no new privileges": "1",
        "seccomp": "2",
        "shell": False,
    }


def test_a_container_says_its_first_word(release: Release, measures: Measures) -> None:
    pod = release.leader()
    started = float(release.run_in(pod, SINCE_START))
    first = release.kubectl("logs", "-n", release.namespace, pod, "--timestamps").split(maxsplit=1)[0]
    seconds = datetime.fromisoformat(first).timestamp() - started
    measures.note("from the start of the container's process to its first line", seconds)
    assert seconds > 0


def test_helm_test_finds_all_well(release: Release, measures: Measures) -> None:
    with measures.timed("helm test"):
        release.test()


def test_an_upgrade_throws_nobody_out_and_misses_nobody(release: Release, office: Office, measures: Measures) -> None:
    before, at_work, began = release.ready(), office.at_work(), datetime.now(UTC)
    office.comes("dan")
    with measures.timed("helm upgrade --wait with new pods"):
        release.upgrade("config.log.level=debug")
    office.comes("eva")
    office.until_listed()
    eventually(lambda: len(release.ready()) == 2, what="two new pods are ready")
    assert not release.ready() & before
    assert office.thrown_out_since(began, at_work) == set()


def test_when_the_leading_pod_is_deleted_the_other_one_leads(
    release: Release, office: Office, measures: Measures
) -> None:
    leader, at_work, began = release.leader(), office.at_work(), datetime.now(UTC)
    release.kubectl("delete", "pod", "-n", release.namespace, leader, "--wait=false")
    office.comes("fay")
    with measures.timed("the leading pod is deleted, another one leads, and whoever came meanwhile is on the list"):
        eventually(lambda: release.leader() not in {"", leader}, what="another pod leads")
        office.until_listed()
    eventually(lambda: len(release.ready()) == 2, what="the deleted pod has a successor")
    assert office.thrown_out_since(began, at_work) == set()


def test_when_the_leading_pod_is_killed_the_other_one_leads(
    release: Release, office: Office, measures: Measures
) -> None:
    leader, at_work, began = release.leader(), office.at_work(), datetime.now(UTC)
    release.kubectl("delete", "pod", "-n", release.namespace, leader, "--force", "--grace-period=0", "--wait=false")
    office.comes("gus")
    with measures.timed("the leading pod is deleted by force, another one leads, and whoever came is on the list"):
        eventually(lambda: release.leader() not in {"", leader}, what="another pod leads")
        office.until_listed()
    eventually(lambda: len(release.ready()) == 2, what="the killed pod has a successor")
    assert office.thrown_out_since(began, at_work) == set()


def test_after_a_power_cut_of_the_node_the_list_is_right_again(
    release: Release, office: Office, cluster: Cluster, measures: Measures
) -> None:
    cluster.cut_power()
    office.leaves("ann")
    office.comes("hal")
    stay, began = office.at_work() & office.listed(), datetime.now(UTC)
    with measures.timed("the node has power again, and the list is right"):
        cluster.power_on()
        office.until_listed()
    eventually(lambda: len(release.ready()) == 2, what="both pods are ready again")
    office.comes("ida")
    office.until_listed()
    assert office.thrown_out_since(began, stay) == set()


def test_uninstalling_ends_the_pods_and_leaves_pools_and_list_as_they_are(
    release: Release, office: Office, measures: Measures
) -> None:
    listed = office.listed()

    def used() -> int | None:
        count: int | None = release.get("licensepools")["items"][0]["status"].get("used")
        return count

    eventually(lambda: used() == len(listed), what="the pool's status counts everybody")
    with measures.timed("helm uninstall --wait"):
        release.uninstall()
    eventually(lambda: not release.pods(), what="the pods are gone")
    assert used() == len(listed)
    assert office.listed() == listed == office.at_work()

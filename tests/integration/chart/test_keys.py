"""Keys as the chart installs them: the admission policy, the roles of users, and those of the service."""

import json
import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml
from tests.integration.chart.conftest import Body, Cluster
from tests.integration.chart.test_web import LOOKS, REVIEWS, Right
from tests.integration.cli.conftest import Board
from tests.integration.web.conftest import Site, machine, start
from tests.waiting import wait_until

from seatpool.settings.settings import load_settings
from seatpool.sim.controlplane import KubectlError

VERBS = ("list", "watch", "create", "get", "patch", "delete")
WRITES: set[Right] = {("seatpool.io", "apikeys", verb) for verb in VERBS} | {("seatpool.io", "apikeys/status", "patch")}
ANN, ADMIN, MASTER, APPROVER = "ann", "adam", "root-of-one-namespace", "kim"
RULE = "ValidatingAdmissionPolicy 'seatpool-web-keys'"


@dataclass
class Place:
    """The release in one namespace, what it serves in another, and users with the chart's roles there."""

    cluster: Cluster
    site: Site
    release: str

    @property
    def namespace(self) -> str:
        return self.site.namespace

    def kubectl(self, *arguments: str, user: str, stdin: str | None = None) -> str:
        return self.cluster.plane.kubectl(*arguments, "-n", self.namespace, f"--as={user}", input=stdin)

    def ask(self, by: str, name: str, **spec: object) -> None:
        """`kubectl apply`, as this user."""
        made = {"user": by, "scope": "Own", "purpose": "a test"} | spec
        metadata = {"name": name, "namespace": self.namespace}
        body = {"apiVersion": "seatpool.io/v1alpha1", "kind": "APIKey", "metadata": metadata, "spec": made}
        self.kubectl("apply", "-f", "-", user=by, stdin=yaml.safe_dump(body))

    def patch(self, user: str, name: str, **spec: object) -> None:
        self.kubectl("patch", "key", name, "--type=merge", "-p", json.dumps({"spec": spec}), user=user)

    def phase(self, name: str) -> str:
        return self.cluster.plane.kubectl(
            "get", "key", name, "-n", self.namespace, "-o", "jsonpath={.status.phase}"
        ).strip()

    def asked(self, *, allowed: bool) -> set[Right]:
        """What the service asked the API server for."""
        user, found = f"system:serviceaccount:{self.release}:seatpool-web", set()
        for line in self.cluster.audit_log.read_text().splitlines():
            entry = json.loads(line)
            if entry["user"]["username"] != user or "objectRef" not in entry:
                continue
            if (entry.get("responseStatus", {}).get("code") == 403) is not allowed:
                it = entry["objectRef"]
                resource = "/".join(filter(None, (it.get("resource"), it.get("subresource"))))
                found.add((it.get("apiGroup", ""), resource, entry["verb"]))
        return found


@pytest.fixture(scope="module", params=[False, True], ids=["cluster-wide", "namespaced"])
def place(
    bare_cluster: Cluster, request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Place]:
    cluster, plane = bare_cluster, bare_cluster.plane
    release, served = f"release-{secrets.token_hex(3)}", f"served-{secrets.token_hex(3)}"
    for name in (release, served):
        plane.kubectl("create", "namespace", name)
    config: Body = {"identity": {"mapping": {f"system:serviceaccount:{served}:ann": "ann"}}}
    config["web"] = {"keys": {"most_per_user": 2}}
    values: Body = {"web": {"enabled": True, "keys": {"enabled": True}}, "config": config}
    if request.param:
        values |= {"watchNamespaces": [served], "rbac": {"decisionPolicy": "install"}}
        config["installation"] = "tests"
    cluster.install(release, values=values)
    plane.kubectl("wait", "--for=condition=Established", "crd", "--all")
    plane.until_served(["apikeys", "licensepools", "licenseservers", "seatledgers", "workbenches"])
    board = Board(plane, served)
    board.put(board.server(target=machine()), board.pool(), board.workbench(1, "ann"))
    plane.kubectl("create", "serviceaccount", "ann", "-n", served)
    for user, roles in {
        ANN: ["seatpool-web-key-requester"], APPROVER: ["seatpool-web-key-approver"],
        ADMIN: ["seatpool-web-key-requester", "seatpool-web-key-approver"],
    }.items():  # fmt: skip
        for number, role in enumerate(roles):
            kind = "role" if request.param else "clusterrole"
            plane.kubectl(
                "create", "rolebinding", f"{user}-{number}", f"--{kind}={role}", f"--user={user}", "-n", served
            )
    plane.kubectl("create", "role", "everything", "--verb=*", "--resource=*.*", "-n", served)
    plane.kubectl("create", "rolebinding", "everything", "--role=everything", f"--user={MASTER}", "-n", served)
    data = cluster.get("configmap", "seatpool-web", "-n", release)["data"]
    folder: Path = tmp_path_factory.mktemp("web")
    file = folder / "settings.yaml"
    file.write_text(data["settings.yaml"])
    flags = {
        "kubeconfig": plane.kubeconfig_for_service_account(release, "seatpool-web"), "audit": {"file": folder / "audit"},
        "http": {"host": "127.0.0.1", "port": 0}, "web": {"host": "127.0.0.1", "port": 0}, "watch": {"resync_interval": "1s"},
    }  # fmt: skip
    server, log, stop = start(load_settings(file=file, flags=flags))
    site = Site(plane, board, served, server, log, audit=folder / "audit")
    site.tokens["ann"] = site.new_token("ann")
    site.until("/api/v1/me", "ann", lambda found: found["answer"]["workbenches"])
    here = Place(cluster, site, release)
    wait_until(lambda: is_refused(here), what="the policy has an effect")
    yield here
    stop()
    cluster.clean()


def is_refused(here: Place) -> bool:
    try:
        here.ask(ANN, f"probe-{secrets.token_hex(3)}", user="somebody-else")
    except KubectlError as error:
        return RULE in str(error)
    return False


def test_a_user_asks_for_keys_of_the_own_and_revokes_them(place: Place) -> None:
    place.ask(ANN, "mine")
    wait_until(lambda: place.phase("mine") == "Approved")
    place.patch(ANN, "mine", revoked=True)
    wait_until(lambda: place.phase("mine") == "Ended")
    for verb in ("list", "delete"):
        target = ["apikeys"] if verb == "list" else ["key", "mine"]
        with pytest.raises(KubectlError, match=f"cannot {verb} resource"):
            place.kubectl("get" if verb == "list" else verb, *target, user=ANN)


@pytest.mark.parametrize("user", [ANN, ADMIN, MASTER])
@pytest.mark.parametrize(
    "for_whom", ["root", "system:admin", "system:serviceaccount:kube-system:default", "Ann", "ann "]
)
def test_no_user_becomes_another_not_even_one_who_may_do_everything_in_the_namespace(
    place: Place, user: str, for_whom: str
) -> None:
    with pytest.raises(KubectlError) as refused:
        place.ask(user, f"other-{secrets.token_hex(3)}", user=for_whom)
    assert f"spec.user is {for_whom}, and you are {user}" in str(refused.value)


def test_a_user_does_not_approve_and_an_approver_does(place: Place) -> None:
    wanted = {"scope": "List"}
    with pytest.raises(KubectlError, match=r"spec\.approved is true: leave it out"):
        place.ask(ANN, "approved-by-oneself", approved=True, **wanted)
    place.ask(ANN, "waiting", **wanted)
    wait_until(lambda: place.phase("waiting") == "Requested")
    with pytest.raises(KubectlError, match=r"spec\.approved is true: leave it out"):
        place.patch(ANN, "waiting", approved=True)
    place.patch(APPROVER, "waiting", approved=True)
    wait_until(lambda: place.phase("waiting") == "Approved")
    with pytest.raises(KubectlError, match=r"spec\.approved is absent: leave it out"):
        place.patch(ANN, "waiting", approved=None)
    place.patch(APPROVER, "waiting", approved=False)
    wait_until(lambda: place.phase("waiting") == "Refused")
    with pytest.raises(KubectlError, match="cannot create resource"):
        place.ask(APPROVER, "of-an-approver")


def test_no_user_revokes_the_key_of_another_or_writes_a_status(place: Place) -> None:
    place.ask(ADMIN, "of-the-admin")
    with pytest.raises(KubectlError, match="you may revoke your own keys only"):
        place.patch(ANN, "of-the-admin", revoked=True)
    status = ("--subresource=status", "--type=merge", "-p", '{"status": {"hash": "00", "phase": "Issued"}}')
    for user in (ANN, ADMIN, APPROVER):
        with pytest.raises(KubectlError, match=r"cannot (get|patch) resource \"apikeys/status\""):
            place.kubectl("patch", "key", "of-the-admin", *status, user=user)
    place.patch(APPROVER, "of-the-admin", revoked=True)


def test_the_roles_of_the_service_are_enough_and_no_more(place: Place) -> None:
    site, made = place.site, []
    for _ in range(4):
        asked = site.get("/api/v1/keys", "ann", method="POST", body={"scope": "Own", "purpose": "x"})
        assert asked.status == 201, asked.text
        name = asked.json["item"]["name"]
        site.tokens[name] = asked.json["key"]
        assert site.get("/api/v1/me", name).status == 200
        path = f"/api/v1/keys/{place.namespace}/{name}"
        assert site.get(path, "ann", method="DELETE").status == 200
        made.append(name)
    assert site.get("/api/v1/pools", "ann").status == 403
    taken = site.get(f"/api/v1/keys/{place.namespace}/{made[-1]}/secret", "ann", method="POST")
    assert taken.status == 409
    wait_until(lambda: place.asked(allowed=True) >= LOOKS | WRITES, what=f"{WRITES - place.asked(allowed=True)}")
    assert place.asked(allowed=False) == set()
    assert place.asked(allowed=True) == LOOKS | WRITES | REVIEWS

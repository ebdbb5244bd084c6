"""License admins decide, and change nothing else: on the real API server, as users who have the chart's roles."""

import json
import re
import secrets
import time
from collections.abc import Iterator
from typing import Any

import pytest
import yaml
from tests.integration.chart.conftest import Cluster
from tests.waiting import PATIENCE

from seatpool.sim.controlplane import KubectlError

NAMES = [f"{kind}.seatpool.io" for kind in ("licensepools", "licenseservers", "seatledgers", "workbenches")]
ADMIN, EDITOR, VIEWER = "lia", "eda", "vic"
RULE = r"a license admin may change annotations seatpool\.io/\* and spec\.suspend only, and this changes"
SERVER = {
    "target": {"tag": "seatpool:license-server", "value": "a"},
    "region": "eu-central-1",
    "guard": {"maxReleasePercent": 50},
}
POOL = {
    "serverRef": {"name": "licenses"},
    "product": "matlab",
    "seats": 4,
    "workbenchTypes": ["vew-*"],
    "protectedUsers": [f"user-{number:05}" for number in range(3)],
}
Body = dict[str, Any]


class Place:
    """A namespace with a server, a pool, and users who have the chart's roles there."""

    def __init__(self, cluster: Cluster, namespace: str) -> None:
        self.cluster, self.namespace = cluster, namespace

    def kubectl(self, *arguments: str, user: str | None = None, stdin: str | None = None) -> str:
        who = () if user is None else (f"--as={user}",)
        return self.cluster.plane.kubectl(*arguments, "-n", self.namespace, *who, input=stdin)

    def patch(self, user: str, kind: str, patch: Any, *, way: str = "merge") -> None:
        name = {"licenseserver": "licenses", "licensepool": "matlab"}[kind]
        self.kubectl("patch", kind, name, f"--type={way}", "-p", json.dumps(patch), user=user)

    def get(self, kind: str, name: str) -> Body:
        return self.cluster.get(kind, name, "-n", self.namespace)


@pytest.fixture(scope="module")
def place(bare_cluster: Cluster) -> Iterator[Place]:
    namespace = f"decisions-{secrets.token_hex(3)}"
    plane = bare_cluster.plane
    plane.kubectl("create", "namespace", namespace)
    bare_cluster.install(namespace)
    plane.kubectl("wait", "--for=condition=Established", "crd", "--all")
    plane.until_served(NAMES)
    here = Place(bare_cluster, namespace)
    objects = [("LicenseServer", "licenses", SERVER), ("LicensePool", "matlab", POOL)]
    annotations = {"team": "a"}
    here.kubectl("apply", "--server-side", "-f", "-", stdin=yaml.safe_dump_all(
        {"apiVersion": "seatpool.io/v1alpha1", "kind": kind, "metadata": {"name": name, "annotations": annotations},
         "spec": spec}
        for kind, name, spec in objects
    ))  # fmt: skip
    here.kubectl(
        "create",
        "role",
        "editor",
        "--verb=get,patch,update",
        "--resource=licensepools.seatpool.io,licenseservers.seatpool.io",
    )
    for user, roles in {
        ADMIN: ("--clusterrole=seatpool-viewer", "--clusterrole=seatpool-license-admin"),
        EDITOR: ("--clusterrole=seatpool-license-admin", "--role=editor"),
        VIEWER: ("--clusterrole=seatpool-viewer",),
    }.items():
        for number, role in enumerate(roles):
            here.kubectl("create", "rolebinding", f"{user}-{number}", role, f"--user={user}")
    _until_in_force(here)
    yield here
    bare_cluster.clean()


def _until_in_force(here: Place) -> None:
    """A new policy takes effect a moment after it is stored."""
    deadline = time.monotonic() + PATIENCE
    while not _is_refused(here):
        assert time.monotonic() < deadline, "the policy has no effect"
        time.sleep(0.1)


def _is_refused(here: Place) -> bool:
    try:
        here.kubectl("label", "licensepool", "matlab", "a=b", "--dry-run=server", user=ADMIN)
    except KubectlError as error:
        return re.search(RULE, str(error)) is not None
    return False


@pytest.mark.parametrize("kind", ["licenseserver", "licensepool"])
@pytest.mark.parametrize(
    "patch",
    [
        {"metadata": {"annotations": {"seatpool.io/verify": "now", "seatpool.io/approve-change": "abc"}}},
        {"metadata": {"annotations": {"seatpool.io/verify": None}}},
        {"spec": {"suspend": True}},
        {"spec": {"suspend": None}},
        {"spec": {"suspend": False}, "metadata": {"annotations": {"seatpool.io/verify": "later"}}},
    ],
)
def test_a_license_admin_decides(place: Place, kind: str, patch: Body) -> None:
    place.patch(ADMIN, kind, patch)


SERVER_CHANGES: list[tuple[Body, str]] = [
    ({"spec": {"xlc": {"list": ["sh", "-c", "id", "{product}"]}}}, "spec.xlc"),
    ({"spec": {"target": {"tag": None, "value": None, "instanceId": "i-0123456789abcdef0"}}}, "spec.target"),
    ({"spec": {"document": "AWS-RunShellScript"}}, "spec.document"),
    ({"spec": {"roleArn": "arn:aws:iam::111122223333:role/a", "externalId": "abc"}}, "spec.externalId, spec.roleArn"),
    ({"spec": {"guard": {"maxReleasePercent": 100}}}, "spec.guard"),
    ({"spec": {"mode": "DryRun", "suspend": True}}, "spec.mode"),
    ({"spec": {"region": "eu-west-1"}, "metadata": {"annotations": {"seatpool.io/verify": "x"}}}, "spec.region"),
]
POOL_CHANGES: list[tuple[Body, str]] = [
    ({"spec": {"seats": 400}}, "spec.seats"),
    ({"spec": {"protectedUsers": ["mallory"]}}, "spec.protectedUsers"),
    ({"spec": {"protectedUsers": None}}, "spec.protectedUsers"),
    ({"spec": {"deniedUsers": ["ann"]}}, "spec.deniedUsers"),
]
METADATA_CHANGES: list[tuple[Body, str]] = [
    ({"metadata": {"annotations": {"team": "b"}}}, "annotation team"),
    ({"metadata": {"annotations": {"team": None}}}, "annotation team"),
    ({"metadata": {"annotations": {"seatpool.iox/a": "b"}}}, "annotation seatpool.iox/a"),
    ({"metadata": {"labels": {"a": "b"}}}, "metadata.labels"),
    ({"metadata": {"finalizers": ["a.example/b"]}}, "metadata.finalizers"),
    (
        {"metadata": {"ownerReferences": [{"apiVersion": "v1", "kind": "ConfigMap", "name": "a", "uid": "b"}]}},
        "metadata.ownerReferences",
    ),
]
CHANGES = [
    *(("licenseserver", *change) for change in SERVER_CHANGES + METADATA_CHANGES),
    *(("licensepool", *change) for change in POOL_CHANGES + METADATA_CHANGES),
]


@pytest.mark.parametrize(("kind", "patch", "named"), CHANGES, ids=str)
def test_a_license_admin_changes_nothing_else_and_is_told_what_it_was(
    place: Place, kind: str, patch: Body, named: str
) -> None:
    with pytest.raises(KubectlError) as refused:
        place.patch(ADMIN, kind, patch)
    text = str(refused.value)
    assert re.search(RULE, text)
    for part in named.split(", "):
        assert part in text


def test_no_kind_of_patch_goes_around_it(place: Place) -> None:
    spec = SERVER | {"xlc": {"list": ["sh", "-c", "id", "{product}"]}}
    applied = {
        "apiVersion": "seatpool.io/v1alpha1",
        "kind": "LicenseServer",
        "metadata": {"name": "licenses"},
        "spec": spec,
    }
    by_json = [{"op": "add", "path": "/spec/xlc", "value": {"stateDir": "/etc"}}]
    with pytest.raises(KubectlError, match=RULE):
        place.patch(ADMIN, "licenseserver", by_json, way="json")
    apply = ("apply", "--server-side", "--force-conflicts", "-f", "-")
    with pytest.raises(KubectlError, match=RULE):
        place.kubectl(*apply, user=ADMIN, stdin=yaml.safe_dump(applied))
    with pytest.raises(KubectlError, match="cannot create resource"):
        place.kubectl(*apply, user=ADMIN, stdin=yaml.safe_dump(applied | {"metadata": {"name": "another"}}))


def test_a_license_admin_neither_deletes_nor_replaces_nor_writes_a_status(place: Place) -> None:
    whole = yaml.safe_dump(place.get("licenseserver", "licenses"))
    with pytest.raises(KubectlError, match="cannot delete resource"):
        place.kubectl("delete", "licenseserver", "licenses", user=ADMIN)
    with pytest.raises(KubectlError, match="cannot update resource"):
        place.kubectl("replace", "-f", "-", user=ADMIN, stdin=whole)
    status = ("--subresource=status", "--type=merge", "-p", '{"status": {"revision": 9}}')
    with pytest.raises(KubectlError, match=r"cannot (get|patch) resource \"licenseservers/status\""):
        place.kubectl("patch", "licenseserver", "licenses", *status, user=ADMIN)


def test_a_user_who_may_update_changes_everything_though_he_decides_too(place: Place) -> None:
    place.patch(EDITOR, "licensepool", {"spec": {"seats": 5}, "metadata": {"labels": {"a": "b"}}})
    place.patch(EDITOR, "licensepool", {"spec": {"seats": 4}, "metadata": {"labels": None}})


def test_others_are_not_limited_and_viewers_change_nothing(place: Place) -> None:
    place.kubectl("label", "licensepool", "matlab", "c=d")
    place.kubectl("label", "licensepool", "matlab", "c-")
    with pytest.raises(KubectlError, match="cannot patch resource"):
        place.patch(VIEWER, "licensepool", {"spec": {"suspend": True}})


def test_the_largest_pool_can_be_paused(place: Place) -> None:
    """What a rule may cost is limited, and comparing takes as long as the object is."""
    names = [f"a-user-with-a-rather-long-name-{number:05}@corp.example" for number in range(500)]
    reservations = [{"name": f"r-{number}", "users": names[:200], "seats": 1} for number in range(50)]
    large = {"protectedUsers": names, "reservations": reservations, "seats": 5000}
    _patch_as_owner(place, large)
    place.patch(ADMIN, "licensepool", {"spec": {"suspend": True}})
    with pytest.raises(KubectlError, match=RULE):
        place.patch(ADMIN, "licensepool", {"spec": {"deniedUsers": ["ann"]}})
    _patch_as_owner(place, POOL | {"reservations": None})


def _patch_as_owner(here: Place, spec: Body) -> None:
    patch = json.dumps({"spec": spec})
    here.kubectl("patch", "licensepool", "matlab", "--type=merge", "--patch-file=/dev/stdin", stdin=patch)


@pytest.mark.parametrize("role", ["view", "edit", "admin"])
def test_kubernetes_own_roles_show_no_user_of_a_license(place: Place, role: str) -> None:
    """A controller that is not here puts them together from the roles with this label."""
    parts = place.cluster.get("clusterroles", "-l", f"rbac.authorization.k8s.io/aggregate-to-{role}=true")["items"]
    assert parts
    groups = {group for part in parts for rule in part["rules"] or () for group in rule["apiGroups"]}
    assert not groups & {"seatpool.io", "*"}

"""`check` and `support-bundle` against a real API server, and `check` against the stand-in of AWS."""

import json
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from tests.integration.cli.conftest import Board

from seatpool.explain.rights import RIGHTS, Right, Role
from seatpool.servers.ssm.document import document_json
from seatpool.sim.aws import AwsProcess
from seatpool.sim.site import Site

INSTALL = Path(__file__).parents[3] / "examples" / "install"


def lines(board: Board, *arguments: str, code: int) -> dict[str, dict[str, str]]:
    """The lines of `check`, by what they are about."""
    done = board.ask("check", "-o", "json", *arguments)
    assert done.code == code, done.stdout + done.stderr
    found: list[dict[str, str]] = json.loads(done.stdout)["checks"]
    return {one["what"]: one for one in found}


def test_an_installation_without_an_operator_has_nothing_that_failed(board: Board) -> None:
    board.put(board.server(), board.pool())
    found = lines(board, code=0)
    assert {name: one["result"] for name, one in found.items()} == {
        "API server": "ok", "CRD apikeys": "ok", "CRD licensepools": "ok", "CRD licenseservers": "ok", "CRD seatledgers": "ok",
        "CRD workbenches": "ok", "rights (viewer)": "ok", "objects": "ok", "operator": "not known", "AWS": "not known",
    }  # fmt: skip
    screen = board.ask("check").stdout.splitlines()
    assert screen[0].startswith("ok         API server: Kubernetes v")
    assert screen[-1].startswith("Nothing failed, 2 not known")


def test_an_operator_that_died_fails(board: Board) -> None:
    server = board.server()
    server["status"]["operator"] = {"holder": "pod-1", "version": "0.0.1", "lease": f"{board.namespace}/seatpool"}
    lease = {
        "apiVersion": "coordination.k8s.io/v1", "kind": "Lease",
        "metadata": {"name": "seatpool", "namespace": board.namespace},
        "spec": {"holderIdentity": "pod-1", "leaseDurationSeconds": 15, "renewTime": "2026-01-01T00:00:00.000000Z"},
    }  # fmt: skip
    board.plane.kubectl("apply", "-f", "-", input=yaml.safe_dump(lease))
    board.put(server, board.pool())
    found = lines(board, code=1)
    assert found["operator"]["result"] == "failed"
    assert found["operator"]["advice"]
    assert found["versions"]["result"] == "not known"


def test_rights_that_are_missing_fail_and_are_named(board: Board) -> None:
    board.plane.kubectl("apply", "-f", INSTALL / "namespace.yaml", "-f", INSTALL / "people.yaml")
    board.plane.kubectl("create", "serviceaccount", "jo", "-n", board.namespace)
    as_jo = ("--as", f"system:serviceaccount:{board.namespace}:jo")
    refused = lines(board, *as_jo, code=1)
    assert refused["rights (viewer)"]["result"] == "failed"
    assert "get/list/watch licensepools" in refused["rights (viewer)"]["text"]
    assert "seatpool-viewer" in refused["rights (viewer)"]["advice"]
    assert refused["CRD workbenches"]["result"] == "ok"  # by the discovery API, which every user may read
    assert refused["objects"]["result"] == "not known"
    board.plane.kubectl(
        "create", "rolebinding", "jo", "-n", board.namespace, "--clusterrole=seatpool-viewer",
        f"--serviceaccount={board.namespace}:jo",
    )  # fmt: skip
    allowed = lines(board, *as_jo, code=0)
    assert allowed["rights (viewer)"]["result"] == "ok"
    assert lines(board, *as_jo, "--role", "license-admin", code=1)["rights (license-admin)"]["result"] == "failed"


def rules_of(file: str, kind: str, name: str) -> set[Right]:
    """The rights of a role that ships, those on one object by its name left out."""
    (role,) = (
        one for one in yaml.safe_load_all((INSTALL / file).read_text())
        if (one["kind"], one["metadata"]["name"]) == (kind, name)
    )  # fmt: skip
    return {
        Right(group, resource.partition("/")[0], verb, resource.partition("/")[2])
        for rule in role["rules"] if not rule.get("resourceNames")
        for group in rule["apiGroups"] for resource in rule["resources"] for verb in rule["verbs"]
    }  # fmt: skip


@pytest.mark.parametrize(
    ("role", "file", "name", "besides"),
    [
        (Role.VIEWER, "people.yaml", "seatpool-viewer", ()),
        (Role.LICENSE_ADMIN, "people.yaml", "seatpool-license-admin", ()),
        (Role.OPERATOR, "rbac.yaml", "seatpool", ("customresourcedefinitions",)),
    ],
)
def test_the_rights_that_are_checked_are_those_of_the_roles_that_ship(
    role: Role, file: str, name: str, besides: tuple[str, ...]
) -> None:
    shipped = {right for right in rules_of(file, "ClusterRole", name) if right.resource not in besides}
    assert set(RIGHTS[role]) == shipped


@pytest.fixture(scope="module")
def aws(tmp_path_factory: pytest.TempPathFactory) -> Iterator[AwsProcess]:
    with AwsProcess(tmp_path_factory.mktemp("aws")) as process:
        yield process


def test_with_the_settings_queue_account_agent_and_document_are_asked(
    board: Board, aws: AwsProcess, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")
    site = Site.create(aws, document=document_json())
    node = site.add_license_server()
    settings: dict[str, Any] = {
        "mirror": {
            "queue": site.queue_url, "region": site.region, "endpoint_url": site.endpoint,
            "accounts": [{"account": site.account, "namespace": board.namespace, "regions": [site.region]}],
        },
        "servers": {"endpoint_url": site.endpoint},
    }  # fmt: skip
    file = tmp_path / "settings.yaml"
    file.write_text(yaml.safe_dump(settings))
    board.put(board.server(target={"instanceId": node.instance_id}, region=site.region), board.pool())
    server, document = f"agent of {board.namespace}/licenses", f"document Seatpool-ApplyUserLists in {site.region}"
    found = lines(board, "--config", str(file), code=0)
    for name in ("settings", "queue", f"account {site.account}", server, document):
        assert found[name]["result"] == "ok", found[name]

    settings["servers"]["allowed"] = [{"namespaces": [board.namespace], "targets": [{"instance_id": "i-0other"}]}]
    file.write_text(yaml.safe_dump(settings))
    refused = lines(board, "--config", str(file), code=1)
    assert refused[server]["result"] == "failed"
    assert "spec.target" in refused[server]["text"]
    assert document not in refused
    del settings["servers"]["allowed"]

    changed = json.loads(document_json()) | {"description": "changed"}
    site.client("ssm").update_document(
        Name="Seatpool-ApplyUserLists", Content=json.dumps(changed), DocumentVersion="$LATEST"
    )
    site.client("ssm").update_document_default_version(Name="Seatpool-ApplyUserLists", DocumentVersion="2")
    settings["mirror"]["queue"] = site.queue_url + "-gone"
    settings["mirror"]["accounts"][0]["account"] = "999999999999"
    file.write_text(yaml.safe_dump(settings))
    board.put(board.server(target={"instanceId": "i-0bad0bad0bad0bad0"}, region=site.region))
    found = lines(board, "--config", str(file), code=1)
    for name in ("queue", "account 999999999999", server, document):
        assert found[name]["result"] == "failed", found[name]
        assert found[name]["advice"]


SECRET = "hunter2-very-secret"
USER = "zelda"


@pytest.fixture
def secrets(board: Board, tmp_path: Path) -> Path:
    """Objects and settings with a planted secret and a user id in every place that they can be in."""
    pool = board.pool(
        protectedUsers=[USER],
        reservations=[{"name": "r", "userPattern": USER, "seats": 1}],
        conditions={"InSync": ("False", "DryRun", f"DryRun: 1 would be added ({USER})")},
    )
    pool["metadata"]["annotations"] = {"example.com/token": SECRET, "seatpool.io/note": USER}
    bench = board.workbench(1, f"CORP\\{USER.capitalize()}")
    board.put(
        board.server(externalId=SECRET, roleArn="arn:aws:iam::123456789012:role/r"),
        pool, board.ledger(assigned={USER: board.ago(hours=1)}), bench,
    )  # fmt: skip
    for reason, message in (
        ("SeatsGranted", "left-long-ago got a seat (revision 2)"),
        ("SeatsReleased", "left-too (WorkbenchesStopped), other-gone: seat freed (revision 3)"),
        ("SeatsReleased", "a message of another version about left-oddly"),
    ):
        event = {
            "apiVersion": "v1", "kind": "Event", "reason": reason, "message": message,
            "metadata": {"generateName": "e-", "namespace": board.namespace},
            "involvedObject": {
                "apiVersion": "seatpool.io/v1alpha1", "kind": "LicensePool", "name": "matlab", "namespace": board.namespace,
            },
        }  # fmt: skip
        board.plane.kubectl("create", "-f", "-", input=json.dumps(event))
    file = tmp_path / "settings.yaml"
    (tmp_path / "signing").write_text(SECRET)
    webhook = {"url": f"https://hooks.example/{SECRET}", "secret_file": str(tmp_path / "signing")}
    accounts = [
        {"account": "123456789012", "namespace": "lab", "regions": ["eu-central-1"], "external_id": SECRET,
         "role_arn": "arn:aws:iam::123456789012:role/r"}
    ]  # fmt: skip
    file.write_text(
        yaml.safe_dump({
            "notify": {"webhook": webhook}, "identity": {"mapping": {USER: "e777"}},
            "mirror": {"accounts": accounts, "endpoint_url": f"http://user:{SECRET}@127.0.0.1:1/x"},
        })
    )  # fmt: skip
    return file


def bundle(file: Path) -> dict[str, str]:
    found = {}
    with tarfile.open(file) as archive:
        for member in archive.getmembers():
            content = archive.extractfile(member)
            assert content is not None
            found[member.name] = content.read().decode()
    return found


def test_a_bundle_has_no_secret_and_no_user_id(board: Board, secrets: Path, tmp_path: Path) -> None:
    file = tmp_path / "bundle.tar.gz"
    done = board.ask("support-bundle", str(file), "--config", str(secrets))
    assert done.code == 0, done.stderr
    assert file.stat().st_mode & 0o077 == 0
    found = bundle(file)
    assert {name.removeprefix("seatpool-support/") for name in found} == {
        "objects/licensepools.yaml", "objects/licenseservers.yaml", "objects/seatledgers.yaml", "objects/workbenches.yaml",
        "objects/events.yaml", "settings.yaml", "versions.yaml",
    }  # fmt: skip
    whole = "\n".join(found.values()).casefold()
    for secret in (SECRET, USER, "e777", "left-long-ago", "left-too", "other-gone", "left-oddly"):
        assert secret not in whole, secret
    pools = yaml.safe_load(found["seatpool-support/objects/licensepools.yaml"])
    ledgers = yaml.safe_load(found["seatpool-support/objects/seatledgers.yaml"])
    benches = yaml.safe_load(found["seatpool-support/objects/workbenches.yaml"])
    pseudonym = pools[0]["spec"]["protectedUsers"][0]
    assert pseudonym.startswith("user-")
    assert ledgers[0]["spec"]["assigned"][0]["user"] == benches[0]["spec"]["owner"] == pseudonym
    assert "matlab" in whole
    assert "arn:aws:iam::123456789012:role/r" in whole


def test_names_are_left_if_that_is_asked_for_and_secrets_are_not(board: Board, secrets: Path, tmp_path: Path) -> None:
    file = tmp_path / "bundle.tar.gz"
    assert board.ask("support-bundle", str(file), "--names", "--config", str(secrets)).code == 0
    whole = "\n".join(bundle(file).values())
    assert USER in whole
    assert "left-long-ago" in whole
    assert SECRET not in whole


def test_a_file_that_exists_is_not_overwritten(board: Board, tmp_path: Path) -> None:
    board.put(board.server(), board.pool())
    file = tmp_path / "bundle.tar.gz"
    file.write_text("mine")
    done = board.ask("support-bundle", str(file))
    assert (done.code, file.read_text()) == (2, "mine")
    assert "exists already" in done.stderr


def test_what_may_not_be_read_is_said_in_the_bundle(board: Board, tmp_path: Path) -> None:
    file = tmp_path / "bundle.tar.gz"
    done = board.ask("support-bundle", str(file), "--as", "jo")
    assert done.code == 0, done.stderr
    assert "cannot list" in bundle(file)["seatpool-support/not-read.yaml"]

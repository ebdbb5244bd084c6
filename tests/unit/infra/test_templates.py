"""What must be true of all templates: cdk-nag, cfn-lint, snapshots, and the page of permissions."""

import json
from pathlib import Path
from typing import Any

import cfnlint.api
import pytest
from aws_cdk import Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_sqs as sqs
from cfnlint.config import ManualArgs
from tests.unit.infra.conftest import Assembly

from seatpool_infra.application import new_app
from seatpool_infra.blueprints.permission import Permission
from seatpool_infra.blueprints.role import NarrowRole, UnexplainedWildcard, trust
from seatpool_infra.generate import REFERENCE
from seatpool_infra.permissions_table import PAGE, page
from seatpool_infra.site import Site
from seatpool_infra.snapshots import FOLDER, SUFFIX, snapshots

ACKNOWLEDGED = "aws:cdk:acknowledged-rules"
REGIONS = ["eu-central-1", "eu-west-1"]


def complaints(text: str) -> list[str]:
    found = cfnlint.api.lint(text, config=ManualArgs(regions=REGIONS))
    return [f"{each.rule.id} {each.path}: {each.message}" for each in found]


def test_templates_are_as_they_were_when_somebody_looked_at_them(assembly: Assembly) -> None:
    fresh = snapshots(assembly.folder)
    assert sorted(fresh) == sorted(path.name for path in FOLDER.glob(f"*{SUFFIX}")), "run make generate"
    for name, text in fresh.items():
        assert (FOLDER / name).read_text() == text, "look at the difference, then run make generate"


def test_the_page_of_permissions_is_what_the_policies_say(example: Site) -> None:
    assert (REFERENCE / PAGE).read_text() == page(example), "run make generate"


def test_cfn_lint_has_nothing_to_say(assembly: Assembly) -> None:
    for path in sorted(assembly.folder.glob(f"*{SUFFIX}")):
        assert complaints(path.read_text()) == []


def test_cfn_lint_has_nothing_to_say_of_the_document_either(assembly: Assembly) -> None:
    """Its rule is switched off in the template, because it cannot read a document that is given as text."""
    template = json.loads(json.dumps(assembly.license))
    (deployed,) = (each for each in template["Resources"].values() if each["Type"] == "AWS::SSM::Document")
    del deployed["Metadata"]
    deployed["Properties"]["Content"] = json.loads(deployed["Properties"]["Content"])
    assert complaints(json.dumps(template)) == []
    deployed["Properties"]["Content"]["schemaVersion"] = "7"
    assert complaints(json.dumps(template)) != []


def test_cdk_nag_stops_what_nobody_has_explained(tmp_path: Path) -> None:
    app = new_app(out=tmp_path)
    stack = Stack(app, "Careless")
    s3.Bucket(stack, "Bucket")
    sqs.Queue(stack, "Queue")
    with pytest.raises(RuntimeError, match="ValidationFailed"):
        app.synth()
    report = json.loads((tmp_path / "validation-report.json").read_text())
    found = {each["ruleName"] for plugin in report["pluginReports"] for each in plugin["violations"]}
    assert {"AwsSolutions-S1", "AwsSolutions-S10", "AwsSolutions-SQS3", "AwsSolutions-SQS4"} <= found


@pytest.mark.parametrize(
    ("resource", "reason"),
    [("*", None), ("arn:aws:s3:::bucket/*", None), ("arn:aws:s3:::bucket", "there is none")],
)
def test_a_wildcard_and_its_reason_only_come_together(resource: str, reason: str | None) -> None:
    stack = Stack(new_app(), "Roles")
    permission = Permission(
        name="Read",
        actions=("s3:GetObject",),
        resources=(resource,),
        on="objects",
        why="to read",
        without="unread",
        wildcard=reason,
    )
    with pytest.raises(UnexplainedWildcard, match="permission Read on"):
        NarrowRole(
            stack,
            "Role",
            description="Somebody.",
            trust=[trust(principal=iam.ServicePrincipal("ec2.amazonaws.com"))],
            permissions=[permission],
        )


def test_every_acknowledged_finding_has_a_sentence_for_a_reason(assembly: Assembly) -> None:
    reasons = [
        reason for path in assembly.folder.glob("*.metadata.json") for reason in _reasons(json.loads(path.read_text()))
    ]
    assert len(reasons) >= 5
    assert all(len(reason.split()) >= 6 for reason in reasons)


def _reasons(metadata: dict[str, list[dict[str, Any]]]) -> list[str]:
    """Of every construct; the example has nothing but acknowledgements and what the CDK writes by itself."""
    entries = [entry for entries in metadata.values() for entry in entries]
    return [reason for each in entries if each["type"] == ACKNOWLEDGED for reason in each["data"].values()]

"""The example's templates, synthesised once: starting the CDK takes longer than all tests of what it makes."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from seatpool_infra.__main__ import EXAMPLE, write
from seatpool_infra.site import Site

Body = dict[str, Any]


@dataclass(frozen=True)
class Assembly:
    """A folder that was synthesised into."""

    folder: Path
    templates: Mapping[str, Body]

    @classmethod
    def of(cls, folder: Path) -> "Assembly":
        paths = folder.glob("*.template.json")
        return cls(folder, {path.name.removesuffix(".template.json"): json.loads(path.read_text()) for path in paths})

    @property
    def license(self) -> Body:
        return self.templates["seatpool-license"]

    def workbenches(self, account: str, region: str = "eu-central-1") -> Body:
        return self.templates[f"seatpool-workbenches-{account}-{region}"]


def of_type(template: Body, kind: str) -> list[Body]:
    """The properties of all resources of a kind."""
    return [each["Properties"] for each in template["Resources"].values() if each["Type"] == kind]


def role(template: Body, name: str) -> Body:
    return next(each for each in of_type(template, "AWS::IAM::Role") if each.get("RoleName") == name)


def allowed(role: Body) -> list[Body]:
    """The statements of a role's permissions."""
    return [statement for policy in role["Policies"] for statement in policy["PolicyDocument"]["Statement"]]


@pytest.fixture(scope="session")
def example() -> Site:
    return Site.model_validate(yaml.safe_load(EXAMPLE.read_text()))


@pytest.fixture(scope="session")
def assembly(tmp_path_factory: pytest.TempPathFactory) -> Assembly:
    folder = tmp_path_factory.mktemp("example")
    write(site=EXAMPLE, out=folder)
    return Assembly.of(folder)


@pytest.fixture
def synthesise(tmp_path: Path) -> Callable[[Body], Assembly]:
    """Templates of another site."""

    def make(site: Body) -> Assembly:
        file = tmp_path / "site.yaml"
        file.write_text(yaml.safe_dump(site))
        write(site=file, out=tmp_path / "out")
        return Assembly.of(tmp_path / "out")

    return make


@pytest.fixture
def small() -> Body:
    """One account for everything, and nothing that can be left out."""
    return {
        "license": {
            "account": "111122223333",
            "region": "eu-central-1",
            "oidc_provider_arn": "arn:aws:iam::111122223333:oidc-provider/oidc.example/id/E",
            "trail": False,
        },
        "workbenches": [{"account": "111122223333", "regions": ["eu-central-1"], "external_id": "seatpool-itself"}],
    }

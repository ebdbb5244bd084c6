"""What the operator's settings let a LicenseServer name."""

import json
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from seatpool.api.licenseserver import LicenseServer
from seatpool.policy.allowed_servers import AllowedServers, AllowedTarget, matches, refusal

TAG = {"tag": "seatpool:license-server", "value": "team-a"}
ROLE = "arn:aws:iam::111122223333:role/seatpool-team-a"


def server(*, namespace: str = "team-a", **spec: Any) -> LicenseServer:
    given = {"target": TAG, "region": "eu-central-1"} | spec
    return LicenseServer.model_validate({"metadata": {"name": "licenses", "namespace": namespace}, "spec": given})


def rule(**fields: Any) -> AllowedServers:
    return AllowedServers.model_validate({"namespaces": ["team-a"], "targets": [TAG]} | fields)


def xlc(**fields: Any) -> dict[str, Any]:
    return {"xlc": fields}


def test_without_a_rule_everything_may_be_used() -> None:
    anything = server(xlc={"list": ["sh", "-c", "id", "{product}"], "stateDir": "/etc"}, roleArn=ROLE)
    assert refusal(anything, ()) is None


def test_a_rule_allows_the_defaults_of_the_fields_that_it_leaves_out() -> None:
    assert refusal(server(), [rule()]) is None


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        (xlc(apply=["sh", "-c", "{product}", "{file}"]), 'spec.xlc.apply: ["sh", "-c", "{product}", "{file}"] is not allowed; '
         'allowed: ["xlc", "apply", "--product", "{product}", "--file", "{file}"]'),
        (xlc(list=["cat", "/etc/shadow", "{product}"]), 'spec.xlc.list: ["cat", "/etc/shadow", "{product}"] is not allowed; '
         'allowed: ["xlc", "list", "--product", "{product}"]'),
        (xlc(stateDir="/etc"), 'spec.xlc.stateDir: "/etc" is not allowed; allowed: "/var/lib/seatpool"'),
        ({"document": "AWS-RunShellScript"}, 'spec.document: "AWS-RunShellScript" is not allowed; '
         'allowed: "Seatpool-ApplyUserLists"'),
        ({"roleArn": ROLE}, f'spec.roleArn: "{ROLE}" is not allowed; allowed: none'),
        ({"target": {"instanceId": "i-0123456789abcdef0"}}, 'spec.target: {"instanceId": "i-0123456789abcdef0", "region": '
         '"eu-central-1"} is not allowed; allowed: {"tag": "seatpool:license-server", "value": "team-a", "region": "*"}'),
        ({"target": TAG | {"value": "team-b"}}, '"value": "team-b"'),
    ],
)  # fmt: skip
def test_what_no_rule_allows_is_named_with_its_value_and_what_is_allowed(spec: dict[str, Any], message: str) -> None:
    found = refusal(server(**spec), [rule()])
    assert found is not None
    assert message in found
    assert "; spec." not in found


def test_every_field_that_differs_is_named() -> None:
    found = refusal(server(document="Another", roleArn=ROLE), [rule()])
    assert found is not None
    assert "spec.document: " in found
    assert "; spec.roleArn: " in found


def test_a_namespace_without_a_rule_may_name_nothing_once_there_are_rules() -> None:
    found = refusal(server(namespace="team-b"), [rule()])
    assert found == 'metadata.namespace: no LicenseServer of namespace "team-b" is allowed'


def test_one_rule_has_to_allow_everything_and_two_halves_do_not_make_one() -> None:
    by_role = rule(role_arns=[ROLE])
    by_document = rule(documents=["Another"])
    assert refusal(server(roleArn=ROLE), [by_document, by_role]) is None
    assert refusal(server(document="Another"), [by_document, by_role]) is None
    assert refusal(server(document="Another", roleArn=ROLE), [by_document, by_role]) is not None


def test_a_rule_that_names_roles_is_not_for_the_operators_own_role() -> None:
    found = refusal(server(), [rule(role_arns=[ROLE])])
    assert found == f'spec.roleArn: is missing; allowed: "{ROLE}"'


def test_the_rule_with_the_fewest_differences_is_the_one_that_is_told() -> None:
    far = rule(documents=["Another"], role_arns=[ROLE])
    near = rule(state_dirs=["/srv/seatpool"])
    assert (refusal(server(), [far, near]) or "").startswith("spec.xlc.stateDir: ")


@pytest.mark.parametrize(
    ("pattern", "value", "holds"),
    [
        ("/opt/xlc/bin/*", "/opt/xlc/bin/xlc", True),
        ("/opt/xlc/bin/*", "/opt/xlc/bin/../../../bin/sh", False),
        ("/var/lib/seatpool/*", "/var/lib/seatpool/../../../etc", False),
        ("/srv/a..b", "/srv/a..b", True),
        ("team-*", "team-a", True),
        ("team-*", "Team-a", False),
        ("*", "", True),
        ("a*a", "a", False),
        ("[ab]", "a", False),
        ("a?", "ab", False),
    ],
)
def test_a_star_stands_for_any_text_but_never_for_the_way_up(pattern: str, value: str, holds: bool) -> None:
    assert matches(pattern, value) is holds


@given(pattern=st.text("ab*/.\n", max_size=12), value=st.text("ab/.\n", max_size=12))
def test_a_pattern_matches_what_the_same_regular_expression_matches(pattern: str, value: str) -> None:
    expression = ".*".join(map(re.escape, pattern.split("*")))
    wanted = pattern == value if ".." in value else re.fullmatch(expression, value, re.DOTALL) is not None
    assert matches(pattern, value) is wanted


def test_a_pattern_of_many_stars_takes_no_time() -> None:
    assert not matches("a*" * 500 + "b", "a" * 100_000)


@given(words=st.lists(st.text(min_size=1, max_size=1024), min_size=1, max_size=31))
def test_no_command_but_the_allowed_one_passes_and_its_text_cannot_harm_a_screen(words: list[str]) -> None:
    command = [*words, "{product}"]
    found = refusal(server(xlc={"list": command}), [rule()])
    if command == ["xlc", "list", "--product", "{product}"]:
        assert found is None
        return
    assert found is not None
    assert found.startswith("spec.xlc.list: ")
    assert found.replace("…", "").isprintable()
    assert found.isascii() or "…" in found
    assert len(found) < 1000


def test_a_long_list_of_what_is_allowed_is_cut() -> None:
    found = refusal(server(document="Another"), [rule(documents=[f"Document-{n}" for n in range(9)])])
    assert found is not None
    assert found.endswith('"Document-4" or 4 more')


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"tag": "a"},
        {"value": "a"},
        {"instance_id": "i-1", "tag": "a", "value": "b"},
        {"instance_id": "i-1", "tag": "a"},
    ],
)
def test_a_target_is_named_by_id_or_by_tag_and_value(fields: dict[str, str]) -> None:
    with pytest.raises(ValidationError, match="give either instance_id, or tag and value"):
        AllowedTarget(**fields)


def test_a_target_by_tag_never_allows_an_instance_id() -> None:
    everything = rule(targets=[{"tag": "*", "value": "*"}])
    assert refusal(server(target={"instanceId": "i-0123456789abcdef0"}), [everything]) is not None
    assert refusal(server(), [rule(targets=[{"instance_id": "*"}])]) is not None


def test_a_rule_may_bind_a_target_to_a_region() -> None:
    there = rule(targets=[TAG | {"region": "eu-*"}])
    assert refusal(server(), [there]) is None
    assert refusal(server(region="us-east-1"), [there]) is not None


def test_the_rules_can_be_written_as_json_for_the_environment() -> None:
    made = rule(apply=[["/opt/xlc/bin/*", "apply", "{product}", "{file}"]])
    assert AllowedServers.model_validate_json(json.dumps(made.model_dump())) == made

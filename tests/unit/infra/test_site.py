from pathlib import Path
from typing import Any

import pytest
import yaml

from seatpool.aws.regions import dns_suffix, region_names
from seatpool.settings.settings import load_settings
from seatpool_infra.operator_settings import SETTINGS, chart_values, write_settings
from seatpool_infra.patterns import forwarded
from seatpool_infra.permissions import operator_permissions
from seatpool_infra.site import Site, UnusableSite, load_site


def refusal(tmp_path: Path, site: Any) -> str:
    file = tmp_path / "site.yaml"
    file.write_text(site if isinstance(site, str) else yaml.safe_dump(site))
    with pytest.raises(UnusableSite) as refused:
        load_site(file)
    return str(refused.value)


def test_a_misspelt_field_is_named(tmp_path: Path, small: dict[str, Any]) -> None:
    small["license"]["historie"] = True
    assert "license.historie: Extra inputs are not permitted" in refusal(tmp_path, small)


def test_a_site_where_nobody_could_be_the_operator_is_refused(tmp_path: Path, small: dict[str, Any]) -> None:
    del small["license"]["oidc_provider_arn"]
    assert "give oidc_provider_arn, pod_identity_cluster or both" in refusal(tmp_path, small)


def test_an_oidc_provider_of_another_account_is_refused(tmp_path: Path, small: dict[str, Any]) -> None:
    small["license"]["oidc_provider_arn"] = "arn:aws:iam::999999999999:oidc-provider/oidc.example/id/E"
    assert "is not in account 111122223333" in refusal(tmp_path, small)


def test_an_account_that_is_written_twice_is_refused(tmp_path: Path, small: dict[str, Any]) -> None:
    small["workbenches"] *= 2
    assert "account 111122223333 is in workbenches twice" in refusal(tmp_path, small)


def test_an_external_id_that_anybody_would_guess_is_refused(tmp_path: Path, small: dict[str, Any]) -> None:
    small["workbenches"][0]["external_id"] = "x"
    assert "workbenches.0.external_id" in refusal(tmp_path, small)


SERVERS = {"account": "222233334444", "regions": ["eu-west-1"], "external_id": "seatpool-servers"}
TOPIC = "arn:aws:sns:eu-west-1:111122223333:on-call"


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"license_servers": [SERVERS, SERVERS]}, "account 222233334444 is in license_servers twice"),
        ({"license_servers": [SERVERS | {"external_id": None}]}, "account 222233334444 needs an external_id"),
        (
            {"license_servers": [SERVERS | {"account": "111122223333"}]},
            "is that of `license`, where the operator assumes no",
        ),
        (
            {"license_servers": [{"account": "111122223333", "regions": ["eu-central-1"]}]},
            "region eu-central-1 of account 111122223333 is that of `license`, which has the document already",
        ),
        (
            {"license_servers": [SERVERS | {"regions": ["cn-north-1"]}]},
            "cn-north-1 is in partition aws-cn, and partition is aws",
        ),
        ({"partition": "aws-cn"}, "region eu-central-1 is in partition aws, and partition is aws-cn"),
        (
            {"license": {"alarm_topic_arn": TOPIC}},
            "is not in region eu-central-1: alarms reach topics of their own region",
        ),
        (
            {"license": {"key_arn": "arn:aws:kms:eu-west-1:111122223333:key/k"}},
            "is not in region eu-central-1 of account 1111",
        ),
        ({"license": {"key_arn": "alias/seatpool"}}, "license.key_arn"),
        (
            {"license": {"hub_rule_arns": ["arn:aws:events:eu-west-1:999999999999:rule/hub/seatpool"]}},
            "is not in region eu-central-1: a rule reaches queues of its own region only",
        ),
        ({"license": {"hub_rule_arns": ["arn:aws:events:eu-central-1:999999999999:event-bus/hub"]}}, "hub_rule_arns"),
        ({"license": {"history_old_versions_days": 0}}, "license.history_old_versions_days"),
        ({"workbenches": {"alarm_topic_arns": [TOPIC]}}, "is in none of the regions eu-central-1"),
        (
            {"workbenches": {"alarm_topic_arns": [TOPIC.replace("west", "central")] * 2}},
            "alarm_topic_arns has two topics in eu-central-1",
        ),
    ],
)
def test_what_cannot_fit_together_is_refused_with_what_would(
    tmp_path: Path, small: dict[str, Any], changes: dict[str, Any], message: str
) -> None:
    site = small | {key: value for key, value in changes.items() if key not in ("license", "workbenches")}
    site["license"] |= changes.get("license", {})
    site["workbenches"][0] |= changes.get("workbenches", {})
    assert message in refusal(tmp_path, site)


@pytest.mark.parametrize("text", ["{", "", "- a", "\x00"])
def test_what_is_no_site_at_all_is_refused_with_the_files_name(tmp_path: Path, text: str) -> None:
    assert refusal(tmp_path, text).startswith(f"site {tmp_path}/site.yaml: ")


def test_a_file_that_is_not_there_is_refused_with_a_hint(tmp_path: Path) -> None:
    with pytest.raises(UnusableSite, match="name a file like"):
        load_site(tmp_path / "none.yaml")


def test_the_operator_takes_the_settings_that_follow_from_the_site(tmp_path: Path, example: Site) -> None:
    write_settings(example, tmp_path)
    settings = load_settings(file=tmp_path / SETTINGS)
    assert settings.mirror.queue == "arn:aws:sqs:eu-central-1:111122223333:seatpool-events"
    assert [account.role_arn for account in settings.mirror.accounts] == [
        "arn:aws:iam::444455556666:role/seatpool-reader",
        "arn:aws:iam::777788889999:role/seatpool-reader",
    ]
    assert settings.mirror.accounts[0].external_id == example.workbenches[0].external_id
    assert settings.history.location == "s3://seatpool-history-111122223333-eu-central-1/history"
    assert settings.notify.bus == example.license.notify_bus_arn


def test_names_of_custom_events_reach_the_operator(tmp_path: Path, small: dict[str, Any]) -> None:
    small["custom_events"] = {"source": "lab.benches", "detail_type": "Bench"}
    write_settings(Site.model_validate(small), tmp_path)
    mirror = load_settings(file=tmp_path / SETTINGS).mirror
    assert (mirror.custom_source, mirror.custom_detail_type) == ("lab.benches", "Bench")


def test_the_seat_tag_reaches_the_operator_and_is_no_tag_that_it_reads(tmp_path: Path, small: dict[str, Any]) -> None:
    write_settings(Site.model_validate(small | {"seat_tag": "seatpool:seat"}), tmp_path)
    assert load_settings(file=tmp_path / SETTINGS).mirror.seat_tag == "seatpool:seat"
    assert "is read as owner or type" in refusal(tmp_path, small | {"seat_tag": "vew:workbench:type"})


def test_a_profile_reaches_the_operator_and_the_rule_for_tag_changes(tmp_path: Path, small: dict[str, Any]) -> None:
    site = Site.model_validate(small | {"profile": "vew"})
    write_settings(site, tmp_path)
    mirror = load_settings(file=tmp_path / SETTINGS).mirror
    assert (mirror.tags, mirror.sources) == (site.tags, ("EC2", "ECS"))
    tags = next(pattern for pattern in forwarded(site) if pattern.name == "Tags")
    assert tags.pattern["detail"]["changed-tag-keys"] == [
        "vew:provisionedProduct:ownerId",
        "vew:product:name",
        "vew:product:type",
    ]
    assert "put each tag's key into braces" in refusal(tmp_path, small | {"tag_type": "{a"})


def test_pods_have_the_roles_annotation_only_where_irsa_is_used(small: dict[str, Any]) -> None:
    assert chart_values(Site.model_validate(small))["aws"] == {
        "roleArn": "arn:aws:iam::111122223333:role/seatpool-operator"
    }
    del small["license"]["oidc_provider_arn"]
    small["license"]["pod_identity_cluster"] = "tools"
    assert "aws" not in chart_values(Site.model_validate(small))


@pytest.mark.parametrize("region", region_names())
def test_the_key_is_used_by_services_whatever_suffix_they_have_in_their_partition(region: str, example: Site) -> None:
    site = example.model_copy(update={"license": example.license.model_copy(update={"region": region})})
    keys = [one for one in operator_permissions(site, key_arn="key") if "kms:Decrypt" in one.actions]
    assert keys
    for one in keys:
        named = one.conditions["StringEquals"]["kms:ViaService"]
        hosts = {named} if isinstance(named, str) else set(named)
        assert {host.partition(f".{region}.")[2] for host in hosts} == {"amazonaws.com", dns_suffix(region)}

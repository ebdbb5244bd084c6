"""Alerts that fire when they should and not when they should not, and that somebody can act on."""

import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml
from tests.integration.monitoring.conftest import RULES, installed
from tests.integration.monitoring.test_rendering import rendered

from seatpool.reference.metrics_page import described

CASES = Path(__file__).with_name("alerts.yaml")
AFTER_A_START = Path(__file__).with_name("after_a_start.yaml")
OF_A_SCRAPE = ("cluster", "namespace", "job", "instance")
"""Labels that Prometheus gives to what it reads."""
RUNBOOK = Path(__file__).resolve().parents[3] / "docs" / "runbook.md"


def alerts() -> list[dict[str, Any]]:
    return [rule for group in yaml.safe_load(RULES.read_text())["groups"] for rule in group["rules"]]


def cases() -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = yaml.safe_load(CASES.read_text())["tests"]
    return found


def test_prometheus_takes_the_rules() -> None:
    done = subprocess.run([installed("promtool"), "check", "rules", RULES], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert f"{len(alerts())} rules found" in done.stdout


@pytest.mark.parametrize("file", [CASES, AFTER_A_START], ids=lambda file: file.stem)
def test_each_alert_fires_in_its_case_and_not_in_another(file: Path) -> None:
    done = subprocess.run([installed("promtool"), "test", "rules", file], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("alert", alerts(), ids=lambda alert: alert["alert"])
def test_an_alert_has_cases_a_severity_and_a_section_for_those_on_call(alert: dict[str, Any]) -> None:
    name = alert["alert"]
    expected = [
        bool(test["exp_alerts"]) for case in cases() for test in case["alert_rule_test"] if test["alertname"] == name
    ]
    assert sorted(expected) == [False, True]
    assert alert["labels"]["severity"] in ("critical", "warning", "info")
    assert alert["annotations"].keys() == {"summary", "description", "runbook_url"}
    assert alert["annotations"]["runbook_url"] == f"docs/runbook.md#{name.lower()}"
    assert f"\n## {name}\n" in RUNBOOK.read_text()


def test_the_runbook_has_no_section_of_an_alert_that_is_gone() -> None:
    sections = re.findall(r"^## (Seatpool\w+)$", RUNBOOK.read_text(), re.MULTILINE)
    assert sections == [alert["alert"] for alert in alerts()]


def test_alerts_ask_for_metrics_and_labels_that_there_are() -> None:
    known = {metric.name: set(metric.labels) for metrics in described().values() for metric in metrics}
    for alert in alerts():
        names = {name.removesuffix("_bucket") for name in re.findall(r"seatpool_\w+", alert["expr"])}
        assert names <= known.keys()
        grouped = re.findall(r"by \(([^)]*)\)", alert["expr"])
        labels = {label.strip() for text in grouped for label in text.split(",")} - {"le", *OF_A_SCRAPE}
        assert labels <= set().union(*(known[name] for name in names))


QUIET = {
    "seatpool_pool_": "what is used and waited for; SeatpoolPoolSaturated asks for the one that matters",
    "seatpool_grants_total": "work done",
    "seatpool_releases_total": "work done",
    "seatpool_waits_total": "work done",
    "seatpool_wait_seconds": "SeatpoolPoolSaturated",
    "seatpool_event_to_list_seconds": "SeatpoolSlow, which does not count how late EventBridge is",
    "seatpool_change_to_list_seconds": "a part of what SeatpoolSlow measures",
    "seatpool_events_followed_total": "work done",
    "seatpool_journeys_total": "the old name of the former",
    "seatpool_ssm_command": "SeatpoolServerUnreachable and SeatpoolListWrong",
    "seatpool_list_writes_total": "SeatpoolDrift",
    "seatpool_reconcile_seconds": "SeatpoolSlow",
    "seatpool_server_in_sync": "SeatpoolListWrong, by pool",
    "seatpool_kube_writes_total": "SeatpoolReconcileErrors",
    "seatpool_events_total": "the status of the object says the same",
    "seatpool_cache_": "repaired when it is counted",
    "seatpool_watch_last_event_timestamp_seconds": "a quiet cluster is no problem; SeatpoolWatchDead",
    "seatpool_settings_reloads_total": "SeatpoolSettingsRefused",
    "seatpool_lease_writes_total": "SeatpoolNoLeader",
    "seatpool_mirror_received_total": "work done",
    "seatpool_mirror_malformed_total": "SeatpoolDeadLetters",
    "seatpool_mirror_irrelevant_total": "work done",
    "seatpool_mirror_handled_total": "SeatpoolQueueOld",
    "seatpool_mirror_deleted_total": "work done",
    "seatpool_mirror_delete_failed_total": "the message comes again; SeatpoolQueueOld",
    "seatpool_mirror_parked_total": "SeatpoolDeadLetters",
    "seatpool_mirror_refused_sources": "their events are dead letters: SeatpoolDeadLetters",
    "seatpool_mirror_unlisted_objects": "meant so while an account is taken out; the guard holds what it would release",
    "seatpool_mirror_message_age_seconds": "SeatpoolSlow",
    "seatpool_mirror_event_lag_seconds": "how late EventBridge is",
    "seatpool_mirror_queue_depth": "SeatpoolQueueOld",
    "seatpool_mirror_queue_redrive": "a choice; the condition EventsConnected says it",
    "seatpool_mirror_writes_total": "SeatpoolQueueOld",
    "seatpool_mirror_objects": "how many there are",
    "seatpool_mirror_inventories_total": "SeatpoolInventoryStale and SeatpoolInventoryOld",
    "seatpool_mirror_future_times_total": "not believed, and so harmless",
    "seatpool_mirror_resync_corrections_total": "corrected when it is counted",
    "seatpool_mirror_seat_tag_calls_total": "SeatpoolTagsNotWritten",
    "seatpool_mirror_seat_tags_open": "SeatpoolTagsNotWritten",
    "seatpool_mirror_log_suppressed_total": "the lines that are not suppressed say it",
    "seatpool_notices_waiting": "SeatpoolNoticesDropped",
    "seatpool_history_rows_waiting": "SeatpoolHistoryNotWritten",
    "seatpool_history_errors_total": "SeatpoolHistoryNotWritten",
    "seatpool_history_archived_timestamp_seconds": "SeatpoolHistoryNotWritten",
    "seatpool_web_": "no list depends on the HTTP API, and its callers see each failure with the reason",
}
"""Metrics that no alert asks for, or their beginning, and why: one that counts a failure should ring somewhere."""


def test_what_has_a_metric_rings_or_there_is_a_reason_why_not() -> None:
    asked = {re.sub(r"_bucket$", "", name) for alert in alerts() for name in re.findall(r"seatpool_\w+", alert["expr"])}
    known = {metric.name for metrics in described().values() for metric in metrics}
    quiet = known - asked
    assert sorted(name for name in quiet if not name.startswith(tuple(QUIET))) == []
    assert sorted(prefix for prefix in QUIET if not any(name.startswith(prefix) for name in quiet)) == []


def test_no_aggregate_mixes_installations() -> None:
    for alert in alerts():
        expr = alert["expr"]
        assert not re.search(r"\b(sum|min|max|count|avg|group)\s*\(", expr), alert["alert"]
        for kept in re.findall(r"\b(?:by|on) \(([^)]*)\)", expr):
            assert {label.strip() for label in kept.split(",")} >= {"cluster", "namespace", "job"}, alert["alert"]


NAMES = ("team-a", "team-b")


def of_another(case: Any, name: str) -> Any:
    """A case with its series, and what it expects, in another namespace."""
    text = yaml.safe_dump(case).replace('namespace="seatpool"', f'namespace="{name}"')
    return yaml.safe_load(re.sub(r"(?m)^(\s+)namespace: seatpool$", rf"\1namespace: {name}", text))


def side_by_side(alert: str, *, ill: str, well: str) -> dict[str, Any]:
    """The case in which the alert fires for one installation, beside that in which it does not for another."""
    named = [case for case in cases() if case["alert_rule_test"][0]["alertname"] == alert]
    fires = of_another(next(case for case in named if case["alert_rule_test"][0]["exp_alerts"]), ill)
    quiet = of_another(next(case for case in named if not case["alert_rule_test"][0]["exp_alerts"]), well)
    return fires | {"name": alert, "input_series": fires["input_series"] + quiet["input_series"]}


def rules_of(folder: Path, installation: str, *settings: str) -> Path:
    """A rule file of what the chart makes for a release in a namespace."""
    asked = ("enabled=true", "selector.namespace=" + installation)
    spec = rendered(
        "prometheusrule",
        *(f"monitoring.prometheusRule.{setting}" for setting in asked),
        *settings,
        namespace=installation,
    )["spec"]
    file = folder / f"{installation}.yaml"
    file.write_text(yaml.safe_dump({"groups": spec["groups"]}))
    return file


def check(folder: Path, rules: Path, tests: list[dict[str, Any]]) -> None:
    file = folder / f"tests-{rules.stem}.yaml"
    file.write_text(yaml.safe_dump({"rule_files": [str(rules)], "evaluation_interval": "1m", "tests": tests}))
    done = subprocess.run([installed("promtool"), "test", "rules", file], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize(("ill", "well"), [NAMES, NAMES[::-1]])
def test_an_installation_that_is_well_hides_no_other_that_is_ill(tmp_path: Path, ill: str, well: str) -> None:
    tests = [side_by_side(alert["alert"], ill=ill, well=well) for alert in alerts()]
    check(tmp_path, RULES, tests)
    check(tmp_path, rules_of(tmp_path, ill), tests)


def test_the_rules_of_an_installation_say_nothing_of_another(tmp_path: Path) -> None:
    tests = [side_by_side(alert["alert"], ill="team-b", well="team-a") for alert in alerts()]
    for test in tests:
        test["alert_rule_test"][0]["exp_alerts"] = []
    check(tmp_path, rules_of(tmp_path, "team-a"), tests)


@pytest.mark.parametrize(
    ("monitor", "job"), [("serviceMonitor", "seatpool"), ("podMonitor", "team-b/seatpool"), (None, "anything")]
)
def test_a_release_that_was_never_there_is_missed_while_another_runs(
    tmp_path: Path, monitor: str | None, job: str
) -> None:
    """What the plain rules cannot know: which installations there have to be."""
    flags = (f"monitoring.{monitor}.enabled=true",) if monitor else ()
    spec = rendered("prometheusrule", "monitoring.prometheusRule.enabled=true", *flags, namespace="team-b")["spec"]
    file = tmp_path / "rules.yaml"
    file.write_text(yaml.safe_dump({"groups": spec["groups"]}))
    build = 'seatpool_build_info{{namespace="{}", job="{}", instance="a", version="1"}}'
    other = {"series": build.format("team-a", job), "values": "1x60"}
    own = {"series": build.format("team-b", job), "values": "1x60"}
    missed = {"severity": "critical", "namespace": "team-b"} | ({"job": job} if monitor else {})
    annotations = next(alert for alert in alerts() if alert["alert"] == "SeatpoolOperatorAbsent")["annotations"]

    def test(series: list[dict[str, str]], *expected: dict[str, str]) -> dict[str, Any]:
        found = [{"exp_labels": labels, "exp_annotations": annotations} for labels in expected]
        asked = {"eval_time": "10m", "alertname": "SeatpoolOperatorAbsent", "exp_alerts": found}
        return {"interval": "1m", "input_series": series, "alert_rule_test": [asked]}

    check(tmp_path, file, [test([other], missed), test([other, own])])


def test_single_alerts_can_be_switched_off_or_tuned(tmp_path: Path) -> None:
    tuned = "monitoring.prometheusRule.alerts."
    spec = rendered(
        "prometheusrule",
        "monitoring.prometheusRule.enabled=true",
        "monitoring.prometheusRule.ruleLabels.team=cad",
        f"{tuned}SeatpoolSlow.threshold=90.5",
        f"{tuned}SeatpoolSlow.for=1h",
        f"{tuned}SeatpoolSlow.severity=info",
        f"{tuned}SeatpoolSlow.labels.team=mcad",
        f"{tuned}SeatpoolPoolSaturated.enabled=false",
    )["spec"]
    made = {rule["alert"]: rule for rule in spec["groups"][0]["rules"]}
    assert made.keys() == {alert["alert"] for alert in alerts()} - {"SeatpoolPoolSaturated"}
    slow = made["SeatpoolSlow"]
    assert slow["expr"].endswith(") > 90.5")
    assert (slow["for"], slow["labels"]) == ("1h", {"severity": "info", "team": "mcad"})
    assert made["SeatpoolDrift"]["labels"] == {"severity": "warning", "team": "cad"}


def test_each_threshold_that_can_be_tuned_gives_rules_that_prometheus_takes(tmp_path: Path) -> None:
    with_one = [alert["alert"] for alert in alerts() if re.search(r"(>=?) [0-9.]+$", alert["expr"])]
    assert len(with_one) > len(alerts()) / 2
    flags = [f"monitoring.prometheusRule.alerts.{name}.threshold=2500000" for name in with_one]
    rules = rules_of(tmp_path, "team-a", *flags)
    done = subprocess.run([installed("promtool"), "check", "rules", rules], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert rules.read_text().count("2500000") == len(with_one)

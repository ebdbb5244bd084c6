"""Alerts that fire when they should and not when they should not, and that somebody can act on."""

import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml
from tests.integration.monitoring.conftest import RULES, installed

from seatpool.reference.metrics_page import described

CASES = Path(__file__).with_name("alerts.yaml")
AFTER_A_START = Path(__file__).with_name("after_a_start.yaml")
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
        labels = {label.strip() for text in grouped for label in text.split(",")} - {"le", "job", "instance"}
        assert labels <= set().union(*(known[name] for name in names))

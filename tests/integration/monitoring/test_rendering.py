"""What the chart makes of the rules and of the dashboard: the very same, for nothing of theirs is Helm's business."""

import json
import subprocess
from typing import Any

import yaml
from tests.integration.monitoring.conftest import CHART, DASHBOARD, RULES

from seatpool.sim import binaries


def rendered(template: str, *settings: str) -> dict[str, Any]:
    helm = binaries.find_helm()
    assert helm is not None, "run make bootstrap"
    flags = [flag for setting in settings for flag in ("--set", setting)]
    command = [helm, "template", "seatpool", CHART, "--show-only", f"templates/{template}.yaml", *flags]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    found: dict[str, Any] = yaml.safe_load(done.stdout)
    return found


def test_the_alerts_are_those_of_the_rule_file_with_the_runbook_where_the_user_has_it() -> None:
    wiki = "https://wiki.example/runbook"
    asked = ("enabled=true", "interval=45s", f"runbookUrl={wiki}")
    spec = rendered("prometheusrule", *(f"monitoring.prometheusRule.{setting}" for setting in asked))["spec"]
    expected = yaml.safe_load(RULES.read_text().replace("docs/runbook.md#", f"{wiki}#"))
    (group,) = spec["groups"]
    assert group.pop("interval") == "45s"
    assert [group] == expected["groups"]


def test_the_dashboard_is_the_file() -> None:
    found = rendered("dashboard", "monitoring.dashboard.enabled=true")
    assert json.loads(found["data"]["seatpool.json"]) == json.loads(DASHBOARD.read_text())
    assert found["metadata"]["labels"]["grafana_dashboard"] == "1"


def test_monitors_read_the_port_of_the_metrics() -> None:
    service = rendered("servicemonitor", "monitoring.serviceMonitor.enabled=true")["spec"]
    pod = rendered("podmonitor", "monitoring.podMonitor.enabled=true")["spec"]
    assert (
        service["endpoints"] == pod["podMetricsEndpoints"] == [{"port": "http", "path": "/metrics", "interval": "30s"}]
    )

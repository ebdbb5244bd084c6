"""What the chart makes of the rules and of the dashboard: the same, for one installation."""

import json
import re
import subprocess
from typing import Any

import pytest
import yaml
from tests.integration.monitoring.conftest import CHART, DASHBOARD, RULES

from seatpool.sim import binaries


def rendered(template: str, *settings: str, namespace: str = "seatpool") -> dict[str, Any]:
    helm = binaries.find_helm()
    assert helm is not None, "run make bootstrap"
    flags = [flag for setting in settings for flag in ("--set", setting)]
    command = [
        helm, "template", "seatpool", CHART, "--namespace", namespace, "--show-only", f"templates/{template}.yaml", *flags
    ]  # fmt: skip
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    found: dict[str, Any] = yaml.safe_load(done.stdout)
    return found


def test_the_alerts_are_those_of_the_rule_file_with_the_runbook_where_the_user_has_it() -> None:
    wiki = "https://wiki.example/runbook"
    asked = ("enabled=true", "interval=45s", f"runbookUrl={wiki}")
    spec = rendered("prometheusrule", *(f"monitoring.prometheusRule.{setting}" for setting in asked))["spec"]
    (expected,) = yaml.safe_load(RULES.read_text().replace("docs/runbook.md#", f"{wiki}#"))["groups"]
    (group,) = spec["groups"]
    assert (group["name"], group["interval"]) == (expected["name"], "45s")
    own = '{namespace="seatpool"'
    for rule, wanted in zip(group["rules"], expected["rules"], strict=True):
        selectors = re.findall(r"seatpool_[a-z_]+(.{21})", rule["expr"] + " ")
        assert selectors == [own] * len(re.findall(r"seatpool_[a-z_]+", wanted["expr"])), rule["alert"]
        plain = rule["expr"].replace(own + "}", "").replace(own + ", ", "{")
        assert rule | {"expr": plain} == wanted


def test_the_dashboard_is_the_file() -> None:
    found = rendered("dashboard", "monitoring.dashboard.enabled=true")
    board, file = json.loads(found["data"]["seatpool.json"]), json.loads(DASHBOARD.read_text())
    assert found["metadata"]["labels"]["grafana_dashboard"] == "1"
    chosen = {one["name"]: one["current"] for one in board["templating"]["list"]}
    assert chosen["namespace"] == {"text": ["seatpool"], "value": ["seatpool"]}
    assert chosen["job"] == {"text": "All", "value": "$__all"}
    for one in (board, file):
        del one["uid"], one["title"]
        for variable in one["templating"]["list"]:
            del variable["current"]
    assert board == file


def test_two_installations_have_two_dashboards_each_with_its_own_chosen() -> None:
    flags = ("monitoring.dashboard.enabled=true", "monitoring.podMonitor.enabled=true")
    boards = [
        json.loads(rendered("dashboard", *flags, namespace=name)["data"]["seatpool.json"])
        for name in ("team-a", "team-b")
    ]
    assert [board["title"] for board in boards] == ["Seatpool (team-a)", "Seatpool (team-b)"]
    assert boards[0]["uid"] != boards[1]["uid"]
    assert all(len(board["uid"]) <= 40 for board in boards)
    jobs = [one["current"]["value"] for board in boards for one in board["templating"]["list"] if one["name"] == "job"]
    assert jobs == [["team-a/seatpool"], ["team-b/seatpool"]]


def test_monitors_read_the_port_of_the_metrics() -> None:
    service = rendered("servicemonitor", "monitoring.serviceMonitor.enabled=true")["spec"]
    pod = rendered("podmonitor", "monitoring.podMonitor.enabled=true")["spec"]
    assert (
        service["endpoints"] == pod["podMetricsEndpoints"] == [{"port": "http", "path": "/metrics", "interval": "30s"}]
    )


@pytest.mark.parametrize(
    ("kind", "endpoints"), [("serviceMonitor", "endpoints"), ("podMonitor", "podMetricsEndpoints")]
)
def test_an_endpoint_has_what_is_asked_of_it(kind: str, endpoints: str) -> None:
    asked = ("enabled=true", "scrapeTimeout=10s", "honorLabels=true", "endpointConfig.followRedirects=false",
             "relabelings[0].targetLabel=node", "metricRelabelings[0].action=labeldrop")  # fmt: skip
    (made,) = rendered(kind.lower(), *(f"monitoring.{kind}.{one}" for one in asked))["spec"][endpoints]
    assert made == {
        "port": "http", "path": "/metrics", "interval": "30s", "scrapeTimeout": "10s", "honorLabels": True,
        "followRedirects": False, "relabelings": [{"targetLabel": "node"}], "metricRelabelings": [{"action": "labeldrop"}],
    }  # fmt: skip

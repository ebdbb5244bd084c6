"""The dashboard as far as it can be checked without Grafana: its structure, and what it asks for."""

import itertools
import json
import re
from typing import Any

from tests.integration.monitoring.conftest import DASHBOARD

from seatpool.reference.metrics_page import described

SUFFIXES = re.compile(r"_(bucket|sum|count)$")


def dashboard() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(DASHBOARD.read_text())
    return found


def panels() -> list[dict[str, Any]]:
    return [panel for panel in dashboard()["panels"] if panel["type"] != "row"]


def test_it_is_what_grafana_asks_of_a_dashboard() -> None:
    found = dashboard()
    assert found["uid"] == "seatpool"
    assert found["schemaVersion"] >= 36
    assert "id" not in found, "an id of somebody's own Grafana"
    ids = [panel["id"] for panel in found["panels"]]
    assert len(ids) == len(set(ids))
    assert {panel["type"] for panel in found["panels"]} == {"row", "stat", "timeseries"}
    for panel in panels():
        assert panel["title"]
        assert panel["description"]
        assert panel["targets"]
        references = [target["refId"] for target in panel["targets"]]
        assert len(references) == len(set(references))


def test_its_panels_lie_beside_each_other_and_not_on_each_other() -> None:
    places = [panel["gridPos"] for panel in dashboard()["panels"]]
    assert all(place["x"] >= 0 and place["x"] + place["w"] <= 24 for place in places)
    for one, other in itertools.combinations(places, 2):
        assert (
            one["x"] + one["w"] <= other["x"]
            or other["x"] + other["w"] <= one["x"]
            or one["y"] + one["h"] <= other["y"]
            or other["y"] + other["h"] <= one["y"]
        )


def test_it_asks_whatever_prometheus_the_viewer_chooses_and_no_other() -> None:
    sources = {json.dumps(part["datasource"]) for panel in panels() for part in (panel, *panel["targets"])}
    assert sources == {json.dumps({"type": "prometheus", "uid": "${datasource}"})}
    variables = {variable["name"] for variable in dashboard()["templating"]["list"]}
    used = set(re.findall(r"\$\{?(\w+)", DASHBOARD.read_text())) - {"__rate_interval", "__all"}
    assert used == variables


def test_it_asks_for_metrics_and_labels_that_there_are() -> None:
    known = {metric.name: set(metric.labels) for metrics in described().values() for metric in metrics}
    for panel in panels():
        for target in panel["targets"]:
            names = {SUFFIXES.sub("", name) for name in re.findall(r"\bseatpool_\w+", target["expr"])}
            assert names <= known.keys(), panel["title"]
            legend = set(re.findall(r"\{\{(\w+)\}\}", target["legendFormat"])) - {"instance", "namespace", "job"}
            assert legend <= set().union(*(known[name] for name in names)), panel["title"]


def test_it_tells_installations_apart() -> None:
    own = '{namespace=~"$namespace", job=~"$job"'
    for panel in panels():
        for target in panel["targets"]:
            for selector in re.findall(r"\b(?:seatpool|process)_\w+(.{37})", target["expr"]):
                assert selector.startswith(own), panel["title"]
            assert "on (job" not in target["expr"]
    for name in ("namespace", "job", "pool", "server"):
        (variable,) = (one for one in dashboard()["templating"]["list"] if one["name"] == name)
        assert variable["definition"] == variable["query"]["query"]
        assert name == "namespace" or '{namespace=~"$namespace"' in variable["definition"]
    for title in ("Dead letters", "Oldest event", "Queue", "Oldest inventory", "Leaders"):
        stat = next(panel for panel in panels() if panel["title"] == title and panel["type"] == "stat")
        assert all(" by (namespace, job) (" in target["expr"] for target in stat["targets"]), title

"""The kinds of the Prometheus operator, as far as the chart writes them: its CRDs are not in the API server of the tests."""

import re
from collections.abc import Iterable
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

MONITORING = "monitoring.coreos.com"
Length = Annotated[str, Field(pattern=re.compile(r"^(0|([0-9]+d)?([0-9]+h)?([0-9]+m)?([0-9]+s)?([0-9]+ms)?)$"))]


class Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


class Relabeling(Strict):
    source_labels: list[str] = Field(default=[], alias="sourceLabels")
    target_label: str = Field(default="", alias="targetLabel")
    separator: str = ";"
    regex: str = ""
    replacement: str = ""
    action: str = "replace"


class Endpoint(Strict):
    port: str
    path: str
    scheme: Literal["http", "https"] = "http"
    interval: Length
    scrape_timeout: Length = Field(default="", alias="scrapeTimeout")
    honor_labels: bool = Field(default=False, alias="honorLabels")
    relabelings: list[Relabeling] = []
    metric_relabelings: list[Relabeling] = Field(default=[], alias="metricRelabelings")


class Names(Strict):
    match_names: list[str] = Field(alias="matchNames", min_length=1)


class Selector(Strict):
    match_labels: dict[str, str] = Field(alias="matchLabels", min_length=1)


class ServiceMonitor(Strict):
    namespace_selector: Names = Field(alias="namespaceSelector")
    selector: Selector
    endpoints: list[Endpoint]


class PodMonitor(Strict):
    namespace_selector: Names = Field(alias="namespaceSelector")
    selector: Selector
    endpoints: list[Endpoint] = Field(alias="podMetricsEndpoints")


class Rule(Strict):
    alert: str
    expr: str = Field(min_length=1)
    for_: Length = Field(default="", alias="for")
    labels: dict[str, str] = {}
    annotations: dict[str, str] = {}


class Group(Strict):
    name: str
    interval: Length
    rules: list[Rule]


class PrometheusRule(Strict):
    groups: list[Group]


KINDS: dict[str, type[Strict]] = {kind.__name__: kind for kind in (ServiceMonitor, PodMonitor, PrometheusRule)}


def check_monitoring(objects: Iterable[dict[str, Any]]) -> None:
    """Checks the spec of each object of these kinds. Raises ValidationError with the field."""
    for one in objects:
        if MONITORING in one["apiVersion"]:
            assert one["apiVersion"] == f"{MONITORING}/v1"
            KINDS[one["kind"]].model_validate(one["spec"])

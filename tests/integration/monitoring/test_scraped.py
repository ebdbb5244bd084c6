"""A real Prometheus reads a running operator: every question of the dashboard and of the alerts has an answer."""

import asyncio
import json
import re
import subprocess
from urllib.request import Request, urlopen

from opentelemetry.sdk.trace import TracerProvider
from tests.integration.control.conftest import Stage, event
from tests.integration.monitoring.conftest import DASHBOARD, Prometheus, installed, prometheus
from tests.integration.monitoring.test_alerts import alerts
from tests.waiting import eventually

from seatpool.control.runtime.operator import Operator
from seatpool.reference.metrics_page import described
from seatpool.tracing.otel import OpenTelemetryTraces

OWN = 'namespace=~".*", job=~".*"'
EMPTY = {
    f"max by (receiver) (seatpool_notices_waiting{{{OWN}}})": "nobody is told",
    f"max by (part) (seatpool_history_failing{{{OWN}}})": "no history is recorded",
    f"max by (account, region) (seatpool_mirror_seat_tags_failing{{{OWN}}})": "no tag is written",
    f"sum by (sink) (increase(seatpool_sink_failures_total{{{OWN}}}[1h]))": "nothing failed by a fault of ours",
    f'sum(increase(seatpool_audit_lines_total{{{OWN}, result="failed"}}[1h]))': "no audit trail is written",
    f"sum by (task) (increase(seatpool_task_restarts_total{{{OWN}}}[1h]))": "nothing failed by a fault of ours",
    f"sum by (part) (increase(seatpool_mirror_restarts_total{{{OWN}}}[1h]))": "nothing failed by a fault of ours",
}
"""Questions that have no answer in the life of this test's operator, and why."""


def questions() -> list[str]:
    """Every query of the dashboard, with its variables filled in."""
    board = json.loads(DASHBOARD.read_text())
    return [
        re.sub(r"\$(pool|server|namespace|job)\b", ".*", target["expr"].replace("$__rate_interval", "2m"))
        for panel in board["panels"]
        for target in panel.get("targets", ())
    ]


async def live_through_a_day(stage: Stage) -> None:
    """Seats given and freed, somebody who waits, a change by hand, a bad message, and an inventory that corrects."""
    await stage.until_ready()
    fleet = stage.site.fleet()
    ann = fleet.start("ann")
    stage.send(
        "not an event",
        event(3, "running", "eve", account="9" * 12),
        event(3, "running", "eve") | {"source": "aws.health"},
    )
    await stage.until_list(["ann"])
    fleet.start("bob")
    stage.host.edit("matlab", ["ann", "zoe"])
    stage.plane.kubectl("annotate", "licenseserver/licenses", "-n", stage.namespace, "seatpool.io/verify=1")
    await eventually(lambda: stage.host.users("matlab") == ("ann",))
    fleet.stop(ann)
    await stage.until_list(["bob"])
    fleet.start("cem")


async def read_by(reader: Prometheus, operator: Operator) -> None:
    async def has_read() -> bool:
        targets = await reader.targets()
        assert not any(target["lastError"] for target in targets if target["health"] == "down"), targets
        return any(target["health"] == "up" for target in targets)

    await eventually(has_read, what=f"port {operator.http_port} is read")


async def unanswered(reader: Prometheus, asked: set[str]) -> set[str]:
    """Those that have no answer, or one that is no number."""
    found = set()
    for question in asked:
        values = [one["value"][1] for one in await reader.query(question)]
        if not values or all(value == "NaN" for value in values):
            found.add(question)
    return found


async def test_every_question_of_the_dashboard_and_the_alerts_is_answered(stage: Stage) -> None:
    stage.apply(
        stage.server(),
        stage.pool(seats=1, maxReassignments={"count": 50, "window": "1d"}),
    )
    traces = OpenTelemetryTraces(TracerProvider(shutdown_on_exit=False))
    mirror = stage.mirror_settings(inventory=True)
    make_an_instance(stage)
    async with stage.operator(mirror=mirror, traces=traces) as operator:
        await eventually(lambda: operator.http_port != 0)
        with prometheus(stage.tmp_path, target=f"127.0.0.1:{operator.http_port}") as reader:
            await eventually(lambda: is_listening(reader))
            await read_by(reader, operator)
            await live_through_a_day(stage)
            left = set(questions())

            async def all_are_answered() -> bool:
                nonlocal left
                left = await unanswered(reader, left)
                return left <= EMPTY.keys()

            await eventually(all_are_answered, what="every question is answered")
            assert left == EMPTY.keys(), "what is named as empty has an answer"

            names = await reader.names()
            for alert in alerts():
                asked = set(re.findall(r"seatpool_\w+", alert["expr"])) - UNSEEN
                assert {name for name in asked if not name.startswith("seatpool_history_")} <= names, alert["alert"]
            assert {rule["health"] for rule in await reader.rules()} == {"ok"}
            pending = {"SeatpoolDeadLetters", "SeatpoolPoolSaturated"}

            async def what_is_wrong_is_noticed() -> bool:
                return {rule["name"] for rule in await reader.rules() if rule["state"] != "inactive"} >= pending

            await eventually(what_is_wrong_is_noticed)
            assert not [rule["name"] for rule in await reader.rules() if rule["state"] == "firing"]

            missing = {name for name in families() if not names & {name, f"{name}_count"}}
            assert {name for name in missing if not name.startswith("seatpool_history_")} == UNSEEN
            assert {name for name in names if name.startswith("seatpool_")} <= {
                name + suffix for name in families() for suffix in ("", "_bucket", "_sum", "_count")
            }
            exemplars = await reader.exemplars("seatpool_message_to_list_seconds_bucket")
            assert exemplars
            assert all(re.fullmatch("[0-9a-f]{32}", one["labels"]["trace_id"]) for one in exemplars)
            await check_names(operator)


UNSEEN = {
    "seatpool_audit_lines_total",
    "seatpool_cache_ghosts_pruned_total",
    "seatpool_cache_repairs_total",
    "seatpool_lease_writes_total",
    "seatpool_mirror_future_times_total",
    "seatpool_mirror_log_suppressed_total",
    "seatpool_mirror_restarts_total",
    "seatpool_mirror_seat_tag_calls_total",
    "seatpool_mirror_seat_tags_failing",
    "seatpool_notices_total",
    "seatpool_notices_waiting",
    "seatpool_objects_refused_total",
    "seatpool_settings_reloads_total",
    "seatpool_sink_failures_total",
    "seatpool_task_restarts_total",
}
"""Metrics without a sample in this life: nobody is elected or told, no trail is written, and nothing of the kind went wrong."""


def make_an_instance(stage: Stage) -> None:
    """One that no event tells of: the inventory finds it."""
    tags = [{"Key": "vew:workbench:ownerId", "Value": "ida"}, {"Key": "vew:workbench:type", "Value": "vew-other"}]
    stage.site.client("ec2").run_instances(
        ImageId="ami-12345678", MinCount=1, MaxCount=1, TagSpecifications=[{"ResourceType": "instance", "Tags": tags}]
    )


def families() -> set[str]:
    """The metrics of an operator. The HTTP API is another process."""
    found = {metric.name for metrics in described().values() for metric in metrics}
    return {name for name in found if not name.startswith("seatpool_web_")}


async def is_listening(reader: Prometheus) -> bool:
    try:
        await reader.targets()
    except OSError:
        return False
    return True


async def check_names(operator: Operator) -> None:
    """promtool's own opinion of names, types and help texts."""
    request = Request(f"http://127.0.0.1:{operator.http_port}/metrics", headers={"Accept": "text/plain"})

    def fetch() -> bytes:
        with urlopen(request, timeout=10) as answer:
            found: bytes = answer.read()
            return found

    text = await asyncio.to_thread(fetch)
    command = [installed("promtool"), "check", "metrics"]
    done = await asyncio.to_thread(lambda: subprocess.run(command, input=text, capture_output=True))
    assert [line for line in done.stderr.decode().splitlines() if line.startswith("seatpool_")] == []

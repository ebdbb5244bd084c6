"""Several operators as processes of their own, each with a log and probes of its own."""

import asyncio
import json
import os
import secrets
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from prometheus_client.parser import text_string_to_metric_families
from tests.integration.control.conftest import ACCOUNT, Stage
from tests.waiting import PATIENCE, eventually

PROGRAM = Path(__file__).with_name("operator_that_stops.py")
SHORT = {"lease_duration": "3s", "renew_deadline": "2s", "retry_period": "500ms"}
NEVER = "never"


class Replica:
    """One of them."""

    def __init__(self, stage: Stage, name: str, *, settings: Mapping[str, Any], stopped_at: str) -> None:
        self.name = name
        self.log = stage.tmp_path / f"{name}.log"
        file = stage.tmp_path / f"{name}.json"
        file.write_text(stage.settings(**settings).model_dump_json())
        aws = {"AWS_ACCESS_KEY_ID": ACCOUNT, "AWS_SECRET_ACCESS_KEY": "test", "POD_NAME": name}
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, PROGRAM, file, stopped_at], env=os.environ | aws, stdout=log, stderr=log
            )

    # -- what it says ------------------------------------------------------------------------------------------------

    def said(self, event: str) -> dict[str, Any] | None:
        """The last line of its log with that event."""
        found = None
        for line in self.log.read_text(errors="replace").splitlines():
            try:
                entry = json.loads(line)
            except ValueError:
                continue
            if isinstance(entry, dict) and entry.get("event") == event:
                found = entry
        return found

    def probe(self, path: str) -> tuple[int, str]:
        """0 and nothing when it does not answer."""
        started = self.said("starting")
        if started is None:
            return 0, ""
        direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        try:
            with direct.open(f"http://127.0.0.1:{started['port']}{path}", timeout=1) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()
        except OSError:
            return 0, ""

    def total(self, metric: str) -> float:
        """The sum of a metric over its labels."""
        families = text_string_to_metric_families(self.probe("/metrics")[1])
        return sum(sample.value for family in families for sample in family.samples if sample.name == metric)

    @property
    def is_ready(self) -> bool:
        return self.probe("/readyz")[0] == 200

    @property
    def leads(self) -> bool:
        return self.total("seatpool_leader") == 1

    # -- what is done to it ------------------------------------------------------------------------------------------

    def signal(self, number: signal.Signals) -> None:
        self.process.send_signal(number)

    @property
    def is_stopped(self) -> bool:
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        return "State:\tT" in status

    async def ended(self, *, seconds: float = PATIENCE) -> int:
        """Wait for its end; its exit code."""
        return await asyncio.to_thread(self.process.wait, seconds)


class Replicas:
    """All of one test."""

    def __init__(self, stage: Stage, *, election: Mapping[str, Any], **settings: Any) -> None:
        self.stage = stage
        self.lease = f"lease-{secrets.token_hex(3)}"
        self._settings = {"mirror": stage.mirror_settings(), "http": {"host": "127.0.0.1", "port": 0}} | settings
        self._settings["leader_election"] = {
            "enabled": True, "name": self.lease, "namespace": stage.namespace, **election
        }  # fmt: skip
        self.all: list[Replica] = []

    async def start(self, name: str, *, stopped_at: str = NEVER, **settings: Any) -> Replica:
        """Return when it leads, or stands by."""
        replica = Replica(self.stage, name, settings=self._settings | settings, stopped_at=stopped_at)
        self.all.append(replica)
        await eventually(lambda: replica.is_ready, what=f"{name} is ready")
        return replica

    async def pair(self, *, stopped_at: str = NEVER) -> tuple[Replica, Replica]:
        """One that leads, and one that stands by."""
        leader = await self.start("leader", stopped_at=stopped_at)
        await eventually(lambda: leader.leads, what="the first leads")
        standby = await self.start("standby")
        assert "ok stands by, leader-" in standby.probe("/readyz")[1]
        return leader, standby

    def end(self) -> None:
        for replica in self.all:
            replica.process.kill()
            replica.process.wait()


@contextmanager
def replicas(stage: Stage, *, election: Mapping[str, Any] = SHORT, **settings: Any) -> Iterator[Replicas]:
    """None of them outlives the test."""
    made = Replicas(stage, election=election, **settings)
    try:
        yield made
    finally:
        made.end()


class Stopwatch:
    """For figures that are printed and not asserted."""

    def __init__(self) -> None:
        self._began = time.monotonic()

    def say(self, what: str) -> None:
        print(f"{what}: {time.monotonic() - self._began:.1f} s")  # noqa: T201

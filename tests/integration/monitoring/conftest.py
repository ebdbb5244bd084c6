"""A real Prometheus that reads a real operator, where Prometheus is installed."""

import asyncio
import json
import shutil
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlencode
from urllib.request import urlopen

import pytest
import yaml
from tests.integration.control.conftest import aws_process, stage

__all__ = ["aws_process", "stage"]

CHART = Path(__file__).resolve().parents[3] / "charts" / "seatpool"
RULES = CHART / "rules" / "alerts.yaml"
DASHBOARD = CHART / "dashboards" / "seatpool.json"
SCRAPE = "1s"


def installed(program: str) -> str:
    """Where a program of Prometheus is; without it the test is skipped, and says what is missing."""
    found = shutil.which(program)
    if found is None:
        pytest.skip(f"{program} is not installed (Debian: apt-get install prometheus)")
    return found


@dataclass(frozen=True)
class Prometheus:
    """One that runs."""

    url: str

    async def query(self, expression: str) -> list[dict[str, Any]]:
        """The samples of an instant query; it fails with Prometheus' own words."""
        answer = await self._get("query", query=expression)
        result: list[dict[str, Any]] = answer["data"]["result"]
        return result

    async def names(self) -> set[str]:
        """Every metric that was read."""
        answer = await self._get("label/__name__/values")
        return set(answer["data"])

    async def rules(self) -> list[dict[str, Any]]:
        """Every alert with how it is evaluated."""
        answer = await self._get("rules")
        return [rule for group in answer["data"]["groups"] for rule in group["rules"]]

    async def targets(self) -> list[dict[str, Any]]:
        answer = await self._get("targets")
        active: list[dict[str, Any]] = answer["data"]["activeTargets"]
        return active

    async def exemplars(self, expression: str) -> list[dict[str, Any]]:
        answer = await self._get("query_exemplars", query=expression, start="0", end="4102444800")
        return [one for series in answer["data"] for one in series["exemplars"]]

    async def _get(self, path: str, **parameters: str) -> dict[str, Any]:
        def call() -> dict[str, Any]:
            with urlopen(f"{self.url}/api/v1/{path}?{urlencode(parameters)}", timeout=10) as answer:
                found: dict[str, Any] = json.load(answer)
                return found

        return await asyncio.to_thread(call)


@contextmanager
def prometheus(folder: Path, *, target: str) -> Iterator[Prometheus]:
    """Read one target, evaluate our alerts."""
    program = installed("prometheus")
    config = folder / "prometheus.yaml"
    config.write_text(
        yaml.safe_dump(
            {
                "global": {"scrape_interval": SCRAPE, "scrape_timeout": SCRAPE, "evaluation_interval": "1s"},
                "rule_files": [str(RULES)],
                "scrape_configs": [{"job_name": "seatpool", "static_configs": [{"targets": [target]}]}],
            }
        )
    )
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{free.getsockname()[1]}"
    arguments = [
        program, f"--config.file={config}", f"--storage.tsdb.path={folder / 'tsdb'}", f"--web.listen-address={address}",
        "--enable-feature=exemplar-storage",
    ]  # fmt: skip
    with (folder / "prometheus.log").open("wb") as log:
        process = subprocess.Popen(arguments, stdout=log, stderr=log)
    try:
        yield Prometheus(f"http://{address}")
    finally:
        process.terminate()
        process.wait(20)

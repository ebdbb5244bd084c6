"""Sets up the environment of benchmarks: a real API server, AWS with license servers, and the operator as a process."""

import asyncio
import json
import py_compile
import socket
import sys
import tempfile
import time
import urllib.request
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import yaml
from prometheus_client.parser import text_string_to_metric_families

from benchmarks.measured import MeasuredProcess
from seatpool.kube.client import KubeClient
from seatpool.servers.ssm.document import document_json
from seatpool.sim.aws import AwsProcess
from seatpool.sim.controlplane import ControlPlane
from seatpool.sim.site import LicenseServerNode, Site
from seatpool.sim.ssm.behavior import AgentBehavior

Body = dict[str, Any]
ACCOUNT = "123456789012"
REGION = "eu-central-1"
REPOSITORY = Path(__file__).resolve().parents[1]
QUICK_SERVER = Path(__file__).with_name("remote_server.py")
COMMAND = ("-m", "seatpool", "run", "--config")
WRITERS = 24
IN_SYNC = "in sync for the first time"
LOOK_EVERY = 0.05


class Place:
    """Control plane, AWS and license servers. Leaving it ends every process and removes every file."""

    plane: ControlPlane
    aws: AwsProcess
    site: Site

    def __init__(self, *, servers: int, quick: bool = False) -> None:
        """Prepares the environment. `quick` license servers run `remote_server.py` instead of the apply script."""
        self._servers = servers
        self._quick = quick
        self._ending = ExitStack()
        self.nodes: list[LicenseServerNode] = []

    def __enter__(self) -> Self:
        try:
            self.directory = Path(self._ending.enter_context(tempfile.TemporaryDirectory(prefix="seatpool-bench-")))
            with ThreadPoolExecutor(1) as beside:
                starting = beside.submit(self._ending.enter_context, AwsProcess(self.directory / "aws"))
                self.plane = self._ending.enter_context(ControlPlane(directory=self.directory / "control-plane"))
                self.plane.install_crds(REPOSITORY / "crds")
                self.aws = starting.result()
            self.site = Site.create(self.aws, document=document_json(), region=REGION, account=ACCOUNT)
            self.nodes = [self.site.add_license_server(f"licenses-{number}") for number in range(self._servers)]
            if self._quick:
                compiled = py_compile.compile(
                    str(QUICK_SERVER), cfile=str(self.directory / "remote_server.pyc"), doraise=True
                )
                for node in self.nodes:
                    node.host.behavior = AgentBehavior(shell=(sys.executable, "-I", "-S", compiled))
        except BaseException:
            self._ending.close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._ending.close()

    def namespace(self, name: str) -> str:
        self.plane.kubectl("create", "namespace", name)
        return name

    def apply(self, objects: Iterable[Body]) -> None:
        listed = {"apiVersion": "v1", "kind": "List", "items": list(objects)}
        self.plane.kubectl("apply", "--server-side", "-f", "-", input=json.dumps(listed), timeout=300)

    async def kube(self) -> KubeClient:
        return await KubeClient.connect(kubeconfig=str(self.plane.kubeconfig))

    def server(self, namespace: str, number: int, **spec: Any) -> Body:
        """Returns the LicenseServer object of one of the nodes."""
        node = self.nodes[number]
        settings: Body = {
            "target": {"tag": node.tag, "value": node.value},
            "region": REGION,
            "xlc": {"stateDir": node.host.state_dir},
            "guard": {"maxReleasePercent": 100},
        }
        return resource("LicenseServer", namespace, f"licenses-{number}", settings | spec)

    def calls(self) -> dict[str, int]:
        """Returns the requests to AWS, by operation."""
        return self.aws.control.calls()

    def operator(self, name: str, *, program: Sequence[str] = COMMAND, **settings: Any) -> "OperatorRun":
        return OperatorRun(self, name, settings, program=program)


class OperatorRun:
    """`seatpool run` as users start it."""

    def __init__(
        self, place: Place, name: str, settings: Mapping[str, Any], *, program: Sequence[str] = COMMAND
    ) -> None:
        """Prepares a run. `program` is what python gets before the settings file."""
        self._port = free_port()
        config = place.directory / f"{name}.yaml"
        config.write_text(
            yaml.safe_dump(
                {
                    "kubeconfig": str(place.plane.kubeconfig),
                    "installation": "benchmarks",
                    "servers": {"endpoint_url": place.site.endpoint},
                    "http": {"host": "127.0.0.1", "port": self._port},
                    "log": {"format": "json"},
                    **settings,
                }
            )
        )
        self.process = MeasuredProcess([*program, str(config)], log=place.directory / f"{name}.log")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.process.end()

    def until_in_sync(self, servers: int, *, seconds: float = 180) -> float:
        """Returns its age when all lists of so many servers were right for the first time, by its log.

        Reading its metrics instead would slow it down, and it would answer late while it works.
        """
        self._until(lambda: len(self._logged(IN_SYNC)) >= servers, seconds=seconds)
        return self._age_at(self._logged(IN_SYNC)[servers - 1])

    def until_ready(self, *, seconds: float = 60) -> float:
        self._until(lambda: self._get("/readyz") is not None, seconds=seconds)
        return self.process.age

    def until_leading(self, *, seconds: float = 60) -> float:
        self._until(lambda: self.total("seatpool_leader") == 1, seconds=seconds)
        return self.process.age

    def seconds_until_logged(self, event: str) -> float:
        """Returns its age when it wrote this line into its log."""
        entries = self._logged(event)
        if not entries:
            raise RuntimeError(f"{event!r} is not in {self.process.log}")
        return self._age_at(entries[0])

    def _age_at(self, entry: Body) -> float:
        return datetime.fromisoformat(entry["timestamp"]).timestamp() - self.process.began_at

    def total(self, metric: str) -> float:
        """Returns the sum of a metric over its labels."""
        families = text_string_to_metric_families(self._get(f"/metrics?name[]={metric}") or "")
        return sum(sample.value for family in families for sample in family.samples if sample.name == metric)

    def _logged(self, event: str) -> list[Body]:
        """Returns the complete lines of its log with that event."""
        lines = self.process.log.read_text().splitlines(keepends=True)
        entries = (json.loads(line) for line in lines if line.startswith("{") and line.endswith("\n"))
        return [entry for entry in entries if entry["event"] == event]

    def _until(self, is_so: Callable[[], bool], *, seconds: float) -> None:
        deadline = time.monotonic() + seconds
        while not is_so():
            self.process.check()
            if time.monotonic() > deadline:
                raise RuntimeError(f"not within {seconds:g} s; log: {self.process.log.read_text()[-3000:]}")
            time.sleep(LOOK_EVERY)

    def _get(self, path: str) -> str | None:
        direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        try:
            with direct.open(f"http://127.0.0.1:{self._port}{path}", timeout=10) as answer:
                return str(answer.read().decode())
        except OSError:
            return None


async def at_once(calls: Sequence[Callable[[], Awaitable[object]]], *, width: int = WRITERS) -> None:
    """Makes all calls, so many at the same time."""
    waiting = iter(calls)

    async def work() -> None:
        for call in waiting:
            await call()

    await asyncio.gather(*(work() for _ in range(width)))


def resource(kind: str, namespace: str, name: str, spec: Body) -> Body:
    metadata = {"name": name, "namespace": namespace}
    return {"apiVersion": "seatpool.io/v1alpha1", "kind": kind, "metadata": metadata, "spec": spec}


def pool(namespace: str, name: str, *, server: int, product: str, seats: int, types: Sequence[str]) -> Body:
    spec = {
        "serverRef": {"name": f"licenses-{server}"},
        "product": product,
        "seats": seats,
        "workbenchTypes": list(types),
        "linger": "0s",
    }
    return resource("LicensePool", namespace, name, spec)


def free_port() -> int:
    """Returns a port that was free a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])

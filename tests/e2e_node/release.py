"""The chart's release and its pods, by helm and kubectl as a person uses them."""

import json
import os
import subprocess
from pathlib import Path
from typing import Any

from tests.e2e_node.cluster.provided import helm, kubectl

__all__ = ["Release"]

CHART = Path(__file__).resolve().parents[2] / "charts" / "seatpool"
PATIENCE = "4m"


class Release:
    """`seatpool` in a namespace of its own, whose pods must meet the Pod Security Standard `restricted`."""

    name = "seatpool"
    namespace = "seatpool"

    def __init__(self, kubeconfig: Path, *, directory: Path) -> None:
        self._directory = directory
        self._environ = os.environ | {
            "KUBECONFIG": str(kubeconfig),
            "KUBECACHEDIR": str(directory / "kubectl-cache"),
            **{f"HELM_{kind}_HOME": str(directory / "helm" / kind.lower()) for kind in ("CACHE", "CONFIG", "DATA")},
        }

    def install(self, values: dict[str, Any]) -> None:
        self.kubectl("create", "namespace", self.namespace)
        self.kubectl("label", "namespace", self.namespace, "pod-security.kubernetes.io/enforce=restricted")
        (self._directory / "values.json").write_text(json.dumps(values))
        self._helm("install", *self._chart(), "--wait", f"--timeout={PATIENCE}")

    def upgrade(self, *changes: str) -> None:
        """With the same values but for these."""
        self._helm(
            "upgrade", *self._chart(), *(f"--set={change}" for change in changes), "--wait", f"--timeout={PATIENCE}"
        )

    def test(self) -> None:
        self._helm("test", self.name, "--logs", f"--timeout={PATIENCE}")

    def uninstall(self) -> None:
        self._helm("uninstall", self.name, "--wait", f"--timeout={PATIENCE}")

    def pods(self) -> list[dict[str, Any]]:
        """Those that are not ending."""
        pods = self.get("pods", "--selector=app.kubernetes.io/name=seatpool")["items"]
        return [pod for pod in pods if "deletionTimestamp" not in pod["metadata"]]

    def ready(self) -> set[str]:
        """The names of the pods that are ready."""
        return {
            pod["metadata"]["name"]
            for pod in self.pods()
            for condition in pod.get("status", {}).get("conditions", [])
            if condition["type"] == "Ready" and condition["status"] == "True"
        }

    def leader(self) -> str:
        """The name of the pod that holds the Lease; empty when none does. The holder adds two parts to it."""
        holder = str(self.get("lease", self.name)["spec"].get("holderIdentity", ""))
        return holder.rsplit("-", 2)[0]

    def run_in(self, pod: str, code: str) -> str:
        """Run Python in the pod: there is no shell."""
        return self.kubectl("exec", "-n", self.namespace, pod, "--", "python", "-c", code).strip()

    def get(self, *what: str) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.kubectl("get", "-n", self.namespace, *what, "-o", "json"))
        return found

    def kubectl(self, *arguments: str, input: str = "") -> str:  # noqa: A002
        return self._run(str(kubectl()), *arguments, input=input)

    def told(self) -> str:
        """What pods and their events say, for whoever looks into a failure."""
        selected = ("-n", self.namespace, "--selector=app.kubernetes.io/name=seatpool")
        questions = (
            ("describe", "pods", *selected),
            ("logs", *selected, "--tail=40", "--prefix"),
            ("get", "licensepools,licenseservers,leases", "-n", self.namespace, "-o", "yaml"),
        )
        return "\n".join(self._answer(*question) for question in questions)

    def _answer(self, *question: str) -> str:
        try:
            return self.kubectl(*question)
        except AssertionError as error:
            return str(error)

    def _chart(self) -> tuple[str, ...]:
        return (self.name, str(CHART), "--values", str(self._directory / "values.json"))

    def _helm(self, *arguments: str) -> str:
        return self._run(str(helm()), *arguments, "--namespace", self.namespace)

    def _run(self, *command: str, input: str = "") -> str:  # noqa: A002
        done = subprocess.run(
            command, env=self._environ, input=input, capture_output=True, text=True, timeout=300, check=False
        )
        assert done.returncode == 0, f"{' '.join(command)}: {(done.stdout + done.stderr).strip()}"
        return done.stdout

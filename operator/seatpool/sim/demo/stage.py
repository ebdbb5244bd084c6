"""Starts everything around the operator, and the operator: a Kubernetes API, AWS, and a license server.

The cluster is filled as a user does it: kubectl applies crds/ and examples/. The operator gets the ServiceAccount and
the rights of examples/install/rbac.yaml. So a right that is missing there shows here.
"""

import fcntl
import shutil
import signal
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import yaml

from seatpool.servers.ssm.document import document_json
from seatpool.sim.aws import AwsProcess
from seatpool.sim.controlplane import ControlPlane
from seatpool.sim.demo.operator_process import OperatorProcess
from seatpool.sim.demo.options import DemoError
from seatpool.sim.directory import Directory
from seatpool.sim.license_host import LicenseHost
from seatpool.sim.site import LicenseServerNode, Site
from seatpool.terminal.progress import progress

__all__ = ["IDENTITY", "INSTALLATION", "NAMESPACE", "REPOSITORY", "SERVER", "Pages", "Stage"]

REPOSITORY = Path(__file__).resolve().parents[4]
NAMESPACE = "seatpool"
SERVICE_ACCOUNT = "seatpool"
SERVER = "license-server"
INSTALLATION = "demo"
LOCK = "demo.lock"
IDENTITY = {
    "mapping": {f"system:serviceaccount:{NAMESPACE}:{name}": name for name in ("ann", "license-admin", "buyer")}
}
"""Visitors of the pages are ServiceAccounts, and users all the same. The operator and the pages read owners alike."""

Pages = Callable[["Stage"], AbstractContextManager[Sequence[str]]]
"""Opens the pages beside a stage. The lines tell where they are."""


class Stage:
    """All parts that run, with their files in one folder. Leaving it ends every process."""

    plane: ControlPlane
    aws: AwsProcess
    site: Site
    node: LicenseServerNode
    operator: OperatorProcess
    lists: LicenseHost | Directory
    """Where the lists are, as somebody sees and edits them who has nothing to do with the operator."""

    def __init__(self, directory: Path, *, say: Callable[[str], None], pages: Pages | None = None) -> None:
        """Prepares a stage. `say` gets a line for each part that was started. With `pages` there is a history, too."""
        self.directory = directory
        self.history = None if pages is None else directory / "history"
        """Where the history is recorded. None: it is not."""
        self.links: Sequence[str] = ()
        """Lines that tell where the pages are."""
        self._say = say
        self._pages = pages
        self._ending = ExitStack()

    def __enter__(self) -> Self:
        try:
            self._claim_directory()
            with self._told("etcd and kube-apiserver"):
                self.plane = self._ending.enter_context(ControlPlane(directory=self.directory / "control-plane"))
            with self._told("AWS with a queue and a license server"):
                self.aws = self._ending.enter_context(AwsProcess(self.directory / "aws"))
                self.site = Site.create(self.aws, document=document_json())
                self.node = self.site.add_license_server()
                self.lists = self.node.host
            with self._told("CRDs, namespace and rights"):
                self.plane.install_crds(_shipped("crds"))
                for name in ("namespace.yaml", "rbac.yaml"):
                    self.plane.kubectl("apply", "--filename", _shipped(f"examples/install/{name}"))
        except BaseException:
            self._ending.close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._ending.close()

    def apply(self, objects: Sequence[Mapping[str, Any]]) -> None:
        """Applies objects with kubectl."""
        text = yaml.safe_dump_all([dict(one) for one in objects], sort_keys=False)
        self.plane.kubectl("apply", "--filename", "-", input=text)

    def example(self, name: str) -> list[dict[str, Any]]:
        """Returns the objects of a file in examples/."""
        return [one for one in yaml.safe_load_all(_shipped(f"examples/{name}").read_text()) if one is not None]

    def apply_license_server(self, **changes: Any) -> None:
        """Applies the example's LicenseServer, with a state folder that this user may write, and these changes."""
        (server,) = self.example("licenseserver.yaml")
        spec = server["spec"]
        spec["xlc"]["stateDir"] = self.node.host.state_dir
        self.apply([server | {"spec": spec | changes}])

    def use_directory(self, *, users: Iterable[str], products: Iterable[str], **changes: Any) -> None:
        """Starts a directory for the lists, and applies a LicenseServer for it, its Secret and the right to read that."""
        with self._told("a directory (OpenLDAP)"):
            directory = Directory(self.directory / "directory", users=users, products=products)
            self._ending.enter_context(directory)
        self.lists = directory
        (server,) = self.example("licenseserver.yaml")
        kept = {name: server["spec"][name] for name in ("debounce", "guard")}
        self.apply(
            [
                *_secret_with_right(directory.secret()),
                server | {"spec": kept | {"ldap": directory.section()} | changes},
            ]
        )

    def start_operator(self, *, accounts: Sequence[Mapping[str, Any]], **mirror: Any) -> None:
        """Starts the operator with the settings that it needs here."""
        kubeconfig = self.plane.kubeconfig_for_service_account(NAMESPACE, SERVICE_ACCOUNT)
        settings = {
            "kubeconfig": str(kubeconfig),
            "mirror": {
                "queue": self.site.queue_url,
                "region": self.site.region,
                "endpoint_url": self.site.endpoint,
                "accounts": [{"namespace": NAMESPACE, **account} for account in accounts],
                "long_poll": "5s",
                "visibility": "30s",
                **mirror,
            },
            "servers": {"endpoint_url": self.site.endpoint},
            "http": {"host": "127.0.0.1", "port": 0},
            "log": {"format": "json"},
        }
        if self.history is not None:
            settings |= {
                "installation": INSTALLATION,
                "history": {"location": str(self.history), "flush_interval": "5s"},
            }
        self.operator = OperatorProcess(self.directory, settings)
        self._ending.callback(self._stop_operator)
        with self._told("the operator"):
            self.operator.start()
        if self._pages is not None:
            for name in ("people.yaml", "web.yaml"):
                self.plane.kubectl("apply", "--filename", _shipped(f"examples/install/{name}"))
            with self._told("the pages"):
                self.links = self._ending.enter_context(self._pages(self))

    def commands(self) -> int:
        """Returns how many commands were sent to license servers, by the stand-in's own count."""
        return self.aws.control.calls().get("SendCommand", 0)

    def hints(self) -> tuple[str, ...]:
        """Returns commands with which a user can look around."""
        kubectl = "kubectl" if shutil.which("kubectl") else str(self.plane.kubectl_file)
        return (
            f"export KUBECONFIG={self.plane.kubeconfig}",
            f"seatpool status -n {NAMESPACE}",
            f"seatpool why eve -n {NAMESPACE}",
            f"seatpool check -n {NAMESPACE}",
            f"{kubectl} get seatpool -n {NAMESPACE}",
        )

    def _stop_operator(self) -> None:
        code = self.operator.stop()
        if code not in (0, None, -signal.SIGTERM):  # it may still be starting, and has no handler yet
            self._say(f"the operator did not end cleanly on SIGTERM: code {code}; see {self.operator.log}")

    def _claim_directory(self) -> None:
        """Empties the folder of an earlier demo. A folder that no demo made is not touched. Raises DemoError."""
        try:
            self.directory.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise DemoError(
                f"--directory {self.directory}: {error.strerror or error}; give a folder that can be made"
            ) from error
        if any(self.directory.iterdir()) and not (self.directory / LOCK).exists():
            raise DemoError(f"--directory {self.directory} has other files in it; give a new folder or an empty one")
        lock = self._ending.enter_context((self.directory / LOCK).open("w"))
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise DemoError(f"another demo runs in {self.directory}; end it, or give --directory") from error
        for name in ("control-plane", "aws", "directory", "history"):
            shutil.rmtree(self.directory / name, ignore_errors=True)
        for name in ("summary.json", "web.log", "web-audit.jsonl"):
            (self.directory / name).unlink(missing_ok=True)

    @contextmanager
    def _told(self, part: str) -> Iterator[None]:
        began = time.monotonic()
        with progress(f"starting {part}"):
            yield
        self._say(f"starting {part} ... {time.monotonic() - began:.1f} s")


def _secret_with_right(content: Mapping[str, str]) -> list[dict[str, Any]]:
    """Returns the Secret of a directory, and a Role by which the operator may read it by name."""
    metadata = {"name": "directory", "namespace": NAMESPACE}
    rbac = "rbac.authorization.k8s.io"
    rule = {"apiGroups": [""], "resources": ["secrets"], "resourceNames": ["directory"], "verbs": ["get"]}
    subject = {"kind": "ServiceAccount", "name": SERVICE_ACCOUNT, "namespace": NAMESPACE}
    role = {"apiGroup": rbac, "kind": "Role", "name": "directory"}
    return [
        {"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "stringData": dict(content)},
        {"apiVersion": f"{rbac}/v1", "kind": "Role", "metadata": metadata, "rules": [rule]},
        {
            "apiVersion": f"{rbac}/v1",
            "kind": "RoleBinding",
            "metadata": metadata,
            "roleRef": role,
            "subjects": [subject],
        },
    ]


def _shipped(name: str) -> Path:
    path = REPOSITORY / name
    if not path.exists():
        raise DemoError(f"{path} is missing: the demo applies crds/ and examples/: run it from a clone")
    return path

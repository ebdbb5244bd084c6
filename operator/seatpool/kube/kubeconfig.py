"""Reads a kubeconfig and finds the credentials in it, by the rules of kubectl.

The library expects a well-formed file, and fails on others with whatever exception Python raises. It also goes on without
credentials if a credential plugin cannot be run. So the files are checked first, and a plugin that fails is an error.
"""

import logging
import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from kubernetes.aio.client import ApiClient, Configuration
from kubernetes.aio.config import ConfigException, load_incluster_config
from kubernetes.aio.config.kube_config import (
    ENV_KUBECONFIG_PATH_SEPARATOR,
    ConfigNode,
    KubeConfigLoader,
    KubeConfigMerger,
)

from seatpool.domain.errors import SeatpoolError

LIBRARY = logging.getLogger("kubernetes.aio.config.kube_config")
CHOSEN = "seatpool --context --cluster --user"
"""Name of the context that is made of the options. No context of a user has it."""
PARTS = {"contexts": "context", "clusters": "cluster", "users": "user"}


class KubeconfigError(SeatpoolError):
    """There is no way to an API server: no kubeconfig, a broken one, or one that has not what was asked for."""

    def __init__(self, text: str) -> None:
        super().__init__(f"no way to the Kubernetes API: {text}")


class NoServiceAccount(KubeconfigError):
    """This is no pod with a service account."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KubeconfigChoice:
    """What a caller takes from a kubeconfig, as the options of kubectl name it. None: what the kubeconfig says."""

    file: str | None = None
    """One file, or several as in KUBECONFIG. None: KUBECONFIG, or else ~/.kube/config."""
    context: str | None = None
    cluster: str | None = None
    user: str | None = None

    @property
    def is_named(self) -> bool:
        """Tells whether the caller, or KUBECONFIG, names something."""
        named = (self.file, self.context, self.cluster, self.user, os.environ.get("KUBECONFIG"))
        return any(one is not None and one != "" for one in named)

    @property
    def paths(self) -> str:
        return self.file or os.environ.get("KUBECONFIG") or str(_default_file())

    @property
    def exists(self) -> bool:
        """Tells whether there is a kubeconfig, or the caller says that there is."""
        return self.is_named or _default_file().is_file()


class Kubeconfig:
    """The kubeconfig of one choice: well-formed, and with everything that the choice names."""

    def __init__(self, choice: KubeconfigChoice) -> None:
        """Reads the files. Raises KubeconfigError."""
        self._paths = choice.paths
        files = [path for path in _files(choice.paths) if path.exists()]
        if not files:
            raise KubeconfigError(f"there is no file {choice.paths}; name a kubeconfig with --kubeconfig or KUBECONFIG")
        for path in files:
            _check(path)
        merger = KubeConfigMerger(choice.paths)
        self._merged: ConfigNode = merger.config
        # The library takes the current-context of the last file, kubectl that of the first.
        contexts = (found.get("current-context") for found in merger.config_files.values())
        self._current = next((str(name) for name in contexts if name), None)
        for part, inner in PARTS.items():
            for node in self._merged.value[part]:
                # The library's name has the whole entry in it, which its messages would show with a token.
                node.name = f"{node.path}/{part}[name={node.value['name']}]"
                node.value[inner] = node.value.get(inner) or {}
        self._context = self._choose(choice)

    @property
    def namespace(self) -> str:
        """Returns the namespace of the context, which kubectl would use."""
        return str(self._context.get("namespace") or "default")

    @property
    def cluster(self) -> str:
        """Returns the name of the cluster."""
        return str(self._context["cluster"])

    @property
    def user(self) -> str | None:
        """Returns the name of the user. None: requests are anonymous."""
        found = self._context.get("user")
        return None if found is None else str(found)

    @property
    def namespaces(self) -> tuple[str, ...]:
        """Returns the namespaces that its contexts name."""
        inner = (node.value.get("context") or {} for node in self._merged.value["contexts"])
        return tuple(sorted({str(one["namespace"]) for one in inner if one.get("namespace")}))

    def names(self, part: str) -> tuple[str, ...]:
        """Returns the names of its `contexts`, `clusters` or `users`."""
        return tuple(self._names(part))

    async def connect(self, settings: Configuration) -> ApiClient:
        """Puts address and credentials into `settings`, and returns a client. Runs a credential plugin.

        Raises KubeconfigError.
        """
        context = {"name": CHOSEN, "context": self._context}
        self._merged.value["contexts"].append(ConfigNode(CHOSEN, context, self._first_path()))
        try:
            loader = _Loader(self._merged, user=self.user, paths=self._paths)
            await loader.load_and_set(settings)  # type: ignore[no-untyped-call]
            return ApiClient(configuration=settings)
        except (ConfigException, OSError, ValueError, TypeError, KeyError, AttributeError) as error:
            # A field of a type that the library does not expect, a file that is not there, or no certificate.
            told = " ".join(str(error).split()) or type(error).__name__
            raise KubeconfigError(
                f"kubeconfig {self._paths}, user {self.user}, cluster {self.cluster}: {told}; correct it, or name another "
                "--context"
            ) from error

    def _choose(self, choice: KubeconfigChoice) -> dict[str, Any]:
        name = choice.context or self._current
        context: dict[str, Any] = {}
        if name is not None:
            context = dict(self._find("contexts", name))
        elif choice.cluster is None:
            raise KubeconfigError(
                f"kubeconfig {self._paths} has no current-context; name one with --context: "
                f"{_known(self._names('contexts'))}"
            )
        context |= {key: value for key, value in (("cluster", choice.cluster), ("user", choice.user)) if value}
        if not context.get("cluster"):
            raise KubeconfigError(f"kubeconfig {self._paths}: context {name} names no cluster; write its field cluster")
        if not self._find("clusters", str(context["cluster"])).get("server"):
            raise KubeconfigError(
                f"kubeconfig {self._paths}: cluster {context['cluster']} has no address; write its field server"
            )
        if context.get("user"):
            self._find("users", str(context["user"]))
        return context

    def _find(self, part: str, name: str) -> Mapping[str, Any]:
        """Returns what a part of the kubeconfig has by that name."""
        for node in self._merged.value[part]:
            if node.value["name"] == name:
                inner: Mapping[str, Any] = node.value.get(PARTS[part]) or {}
                return inner
        raise KubeconfigError(
            f"kubeconfig {self._paths} has no {PARTS[part]} {name}; there are: {_known(self._names(part))}"
        )

    def _names(self, part: str) -> list[str]:
        return [str(node.value["name"]) for node in self._merged.value[part]]

    def _first_path(self) -> str:
        return str(next(path for path in _files(self._paths) if path.exists()))


class _Loader(KubeConfigLoader):
    """Takes the credentials of the chosen context. An error of a credential plugin is raised."""

    def __init__(self, merged: ConfigNode, *, user: str | None, paths: str) -> None:
        super().__init__(config_dict=merged, active_context=CHOSEN, config_base_path=None)  # type: ignore[no-untyped-call]
        self._user_name = user
        self._paths = paths
        if self._user is None:
            self._user = ConfigNode("user", {})

    async def load_from_exec_plugin(self) -> bool:
        assert self._user is not None  # noqa: S101
        settings = self._user["exec"].value
        where = f"kubeconfig {self._paths}, user {self._user_name}"
        command = settings.get("command") if isinstance(settings, Mapping) else None
        if not isinstance(command, str) or not command:
            raise KubeconfigError(f"{where}: exec.command is missing; write the command that gives the credentials")
        if shutil.which(command) is None:
            hint = " ".join(str(settings.get("installHint") or f"install {command}, or put it on the PATH").split())
            raise KubeconfigError(f"{where}: the credentials come from {command}, which cannot be found; {hint}")
        with _errors_of_library() as told:
            done = await super().load_from_exec_plugin()  # type: ignore[no-untyped-call]
        if not done or told:
            raise KubeconfigError(
                f"{where}: {command} gave no credentials: {'; '.join(told)}; log in with it and try again"
            )
        return True


@contextmanager
def _errors_of_library() -> Iterator[list[str]]:
    """Collects what the library would only log."""
    told: list[str] = []

    class Collecting(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            told.append(" ".join(record.getMessage().split()))

    handler, propagated = Collecting(logging.ERROR), LIBRARY.propagate
    LIBRARY.addHandler(handler)
    LIBRARY.propagate = False
    try:
        yield told
    finally:
        LIBRARY.propagate = propagated
        LIBRARY.removeHandler(handler)


def load_service_account(settings: Configuration) -> None:
    """Puts address and credentials of the pod's service account into `settings`. Raises NoServiceAccount."""
    try:
        load_incluster_config(client_configuration=settings)
    except (ConfigException, OSError, ValueError) as error:
        raise NoServiceAccount(f"the service account of this pod cannot be used: {error}") from error


def _default_file() -> Path:
    return Path("~/.kube/config").expanduser()


def _files(paths: str) -> list[Path]:
    return [Path(path).expanduser() for path in paths.split(ENV_KUBECONFIG_PATH_SEPARATOR) if path]


def _check(path: Path) -> None:
    """Raises KubeconfigError if the file is none that the library can read."""
    try:
        found = yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise KubeconfigError(
            f"kubeconfig {path}: {error.strerror or error}; name another with --kubeconfig"
        ) from error
    except UnicodeDecodeError as error:
        raise KubeconfigError(f"kubeconfig {path} is no UTF-8 text (byte {error.start}); name another") from error
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        told = " ".join(str(error).split())
        raise KubeconfigError(f"kubeconfig {path} is not YAML: {told}; correct it, or name another") from error
    if found is None:
        raise KubeconfigError(f"kubeconfig {path} is empty; name another with --kubeconfig or KUBECONFIG")
    if not isinstance(found, dict):
        raise KubeconfigError(f"kubeconfig {path} is a {type(found).__name__} and no mapping; name a kubeconfig")
    for part, inner in PARTS.items():
        _check_part(path, part, inner, found.get(part))


def _check_part(path: Path, part: str, inner: str, found: object) -> None:
    if found is None:
        return
    if not isinstance(found, list):
        raise KubeconfigError(f"kubeconfig {path}: {part} is no list; write a list of objects with name and {inner}")
    for number, one in enumerate(found):
        if not isinstance(one, dict) or not isinstance(one.get("name"), str):
            raise KubeconfigError(f"kubeconfig {path}: {part}[{number}] has no name; write name and {inner}")
        if not isinstance(one.get(inner) or {}, dict):
            raise KubeconfigError(f"kubeconfig {path}: {part}[{number}].{inner} is no mapping")


def _known(names: list[str]) -> str:
    return ", ".join(names[:10]) + (f" and {len(names) - 10} more" if len(names) > 10 else "") if names else "none"

"""Defines every setting of `seatpool run` and `seatpool web`, and loads them.

A flag wins over an environment variable, that over the file, and that over the default. An environment variable is
`SEATPOOL_` and the field's name. Two underscores join the parts: `SEATPOOL_LOG__FORMAT=json`. The file is YAML with the
same names. The Helm chart writes such a file.
"""

from collections.abc import Mapping
from datetime import timedelta
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, ClassVar, Self

import yaml
from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    ModelWrapValidatorHandler,
    PrivateAttr,
    ValidationError,
    model_validator,
)
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    SettingsError,
    YamlConfigSettingsSource,
)

from seatpool.api.base import Duration, format_duration
from seatpool.api.identity import IdentitySettings
from seatpool.domain.errors import SeatpoolError
from seatpool.history.config import HistoryConfig
from seatpool.mirror.config import MirrorConfig
from seatpool.notify.config import NotifyConfig
from seatpool.policy.allowed_servers import AllowedServers
from seatpool.settings.owner_mapping import UnusableMapping, with_mapping_file
from seatpool.settings.web import WebSettings
from seatpool.text import redact_urls
from seatpool.tracing.config import TracingConfig
from seatpool.trail.config import TrailConfig

RENAMED: Mapping[str, str] = {"watch.audit_interval": "watch.resync_interval"}
"""Settings whose old name still works, by the old name. The value is the name of today."""
SECRETS = (("notify", "webhook", "url"),)
"""Settings that no message may show, nor a value that holds them: a webhook's URL often has a token in it."""
NAMESPACE_PATTERN = r"^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$"


class InvalidSettings(SeatpoolError):
    """Settings cannot be used. The message names each field, its value and what is allowed."""


class LogFormat(StrEnum):
    """Format of log lines."""

    AUTO = "auto"
    JSON = "json"
    CONSOLE = "console"


class LogLevel(StrEnum):
    """Lowest level of the log lines that are written."""

    DEBUG = "debug"
    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


class LogSettings(BaseModel):
    """Settings of the log."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    format: LogFormat = Field(default=LogFormat.AUTO, description="auto is console on a terminal and json elsewhere.")
    level: LogLevel = Field(default=LogLevel.INFO, description="debug, info, warning or error.")


class HttpSettings(BaseModel):
    """Address and port of /healthz, /readyz and /metrics."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    host: str = Field(default="", description="Address to listen on. Empty: all, of IPv6 and of IPv4.")
    port: int = Field(default=8080, ge=0, le=65535, description="Port to listen on; 0 takes a free one.")


class WatchSettings(BaseModel):
    """Settings of the watches and of the relist that repairs them."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    resync_interval: Annotated[Duration, Field(ge=timedelta(seconds=1))] = Field(
        default=timedelta(minutes=5), description="How often everything is listed to repair what a watch missed."
    )
    heartbeat_limit: Annotated[Duration, Field(ge=timedelta(seconds=1))] = Field(
        default=timedelta(seconds=30), description="After how long without a living watch /healthz fails."
    )


class StatusSettings(BaseModel):
    """Settings of status writes."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    workbenches_per_second: int = Field(
        default=50,
        ge=1,
        le=1000,
        description="Most Workbench statuses written in a second. Lists never wait for them.",
    )


class EventSettings(BaseModel):
    """Settings of Kubernetes Events."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    user_names: bool = Field(
        default=True,
        description="Name users in Events. False: numbers only, because Kubernetes' role `view` reads Events.",
    )


class LeaderElectionSettings(BaseModel):
    """Settings of the Lease by which replicas agree on the one that works."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    enabled: bool = Field(
        default=False, description="Work only while the Lease is held; without it two replicas would work at once."
    )
    name: str = Field(
        default="seatpool",
        pattern=NAMESPACE_PATTERN,
        description="Name of the Lease; operators that serve different namespaces need one each.",
    )
    namespace: str | None = Field(
        default=None, pattern=NAMESPACE_PATTERN, description="Namespace of the Lease. Default: the pod's own."
    )
    lease_duration: Annotated[Duration, Field(ge=timedelta(seconds=2), le=timedelta(minutes=5))] = Field(
        default=timedelta(seconds=10), description="How long a Lease that is not renewed keeps others away."
    )
    renew_deadline: Annotated[Duration, Field(ge=timedelta(seconds=1))] = Field(
        default=timedelta(seconds=7), description="How long after its last renewal the leader still sends anything."
    )
    retry_period: Annotated[Duration, Field(ge=timedelta(milliseconds=200))] = Field(
        default=timedelta(seconds=2), description="Pause between renewals."
    )

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.lease_duration % timedelta(seconds=1):
            raise ValueError(f"lease_duration {format_duration(self.lease_duration)} must be whole seconds")
        if not 2 * self.retry_period <= self.renew_deadline < self.lease_duration:
            raise ValueError(
                f"renew_deadline {format_duration(self.renew_deadline)} must be at least twice retry_period "
                f"({format_duration(self.retry_period)}) and shorter than lease_duration ({format_duration(self.lease_duration)})"
            )
        return self


class ServerSettings(BaseModel):
    """Settings of the connection to license servers."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    endpoint_url: str | None = Field(default=None, description="Another AWS endpoint, for a stand-in.")
    document_hash: bool = Field(
        default=True, description="Pin the SSM document by its hash, so that a changed document is refused."
    )
    allowed: tuple[AllowedServers, ...] = Field(
        default=(),
        description="Commands, folders, documents, roles and targets that a namespace's LicenseServers may name. Empty: any.",
    )


class ReloadSettings(BaseModel):
    """Settings of changed files that are taken over while the operator runs."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    max_loss_percent: int = Field(
        default=20,
        ge=0,
        le=100,
        description="A changed mapping of owners or type_aliases is refused if more of its entries are gone or changed, "
        "until a restart. One entry may always be; 100 allows all.",
    )


class Settings(BaseSettings):
    """All settings of `seatpool run`. `seatpool web` reads the same file, and of it what concerns it."""

    model_config = SettingsConfigDict(
        env_prefix="SEATPOOL_", env_nested_delimiter="__", extra="forbid", frozen=True, validate_default=True
    )
    file: ClassVar[Path | None] = None
    flags: ClassVar[dict[str, Any]] = {}
    _old_names: tuple[str, ...] = PrivateAttr(default=())

    kubeconfig: Path | None = Field(default=None, description="kubeconfig file; in a pod the service account is used.")
    namespaces: tuple[Annotated[str, Field(pattern=NAMESPACE_PATTERN)], ...] = Field(
        default=(), description="Namespaces to serve; empty means all."
    )
    installation: str | None = Field(
        default=None,
        pattern=r"^[A-Za-z0-9-]{1,64}$",
        description="Owner of the lists. Default: the uid of the namespace kube-system, one for each cluster.",
    )
    identity: IdentitySettings = Field(default=IdentitySettings(), description="How owners' names become user ids.")
    mirror: MirrorConfig = Field(default=MirrorConfig(), description="How EC2 instances become Workbench objects.")
    servers: ServerSettings = Field(default=ServerSettings(), description="How license servers are reached.")
    watch: WatchSettings = Field(default=WatchSettings(), description="How the cluster is watched.")
    status: StatusSettings = Field(default=StatusSettings(), description="How the status of objects is written.")
    events: EventSettings = Field(default=EventSettings(), description="What Kubernetes Events say.")
    leader_election: LeaderElectionSettings = Field(
        default=LeaderElectionSettings(), description="Which of several replicas works."
    )
    notify: NotifyConfig = Field(default=NotifyConfig(), description="Receivers of notices about seats.")
    audit: TrailConfig = Field(default=TrailConfig(), description="Where the audit trail goes.")
    history: HistoryConfig = Field(
        default=HistoryConfig(), description="Whether and where seat intervals are recorded."
    )
    reload: ReloadSettings = Field(default=ReloadSettings(), description="When changed files are taken over.")
    http: HttpSettings = Field(default=HttpSettings(), description="Where probes and metrics are served.")
    web: WebSettings = Field(default=WebSettings(), description="The HTTP API of `seatpool web`.")
    log: LogSettings = Field(default=LogSettings(), description="What is logged.")
    tracing: TracingConfig = Field(default=TracingConfig(), description="Whether traces are made.")

    @property
    def old_names(self) -> tuple[str, ...]:
        """Returns the keys of RENAMED that were given."""
        return self._old_names

    @model_validator(mode="after")
    def _rules_are_about_served_namespaces(self) -> Self:
        for rule in self.mirror.kubernetes:
            for namespace in (*rule.namespaces, rule.namespace):
                if self.namespaces and namespace not in self.namespaces:
                    raise ValueError(
                        f"mirror.kubernetes: rule {rule.name} names namespace {namespace}, which the operator does not serve; "
                        f"it serves {', '.join(self.namespaces)}"
                    )
        return self

    @model_validator(mode="wrap")
    @classmethod
    def _accept_old_names(cls, data: Any, validate: ModelWrapValidatorHandler[Self]) -> Self:
        if not isinstance(data, dict):
            return validate(data)
        given = []
        for old, new in RENAMED.items():
            section, old_field = old.split(".")
            values, new_field = data.get(section), new.split(".")[1]
            if not isinstance(values, dict) or old_field not in values:
                continue
            if new_field in values:
                raise ValueError(f"{old} and {new} are both given and are the same setting; keep {new}")
            data[section] = {new_field if key == old_field else key: value for key, value in values.items()}
            given.append(old)
        made = validate(data)
        made._old_names = tuple(given)  # noqa: SLF001
        return made

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        del dotenv_settings, file_secret_settings
        sources: tuple[PydanticBaseSettingsSource, ...] = (init_settings, env_settings)
        if cls.file is not None:
            sources += (YamlConfigSettingsSource(settings_cls, yaml_file=cls.file),)
        return sources


def load_settings(*, file: Path | None = None, flags: dict[str, Any] | None = None) -> Settings:
    """Returns the settings from all sources. Raises InvalidSettings."""

    class FromFile(Settings):
        pass

    FromFile.file, FromFile.flags = file, flags or {}
    try:
        if file is not None:
            _check_file(file)
        settings = FromFile(**FromFile.flags)
        return settings.model_copy(update={"identity": with_mapping_file(settings.identity)})
    except UnusableMapping as error:
        raise InvalidSettings(str(error)) from error
    except ValidationError as error:
        problems = [
            f"  {_named('.'.join(map(str, item['loc'])))}: {item['msg']}{_got(item['loc'], item['input'])}"[:400]
            for item in error.errors()
        ]
        raise InvalidSettings("settings are not right:\n" + "\n".join(problems)) from error
    except SettingsError as error:
        raise InvalidSettings(
            f"environment: {error}; write lists and mappings as JSON, for example SEATPOOL_NAMESPACES='[\"team-a\"]'"
        ) from error
    except (yaml.YAMLError, OSError, UnicodeDecodeError, RecursionError) as error:
        raise InvalidSettings(f"--config {file}: {_without_content(error)}") from error


def load_again(settings: Settings) -> Settings:
    """Loads the settings again from the same flags, the environment and the files."""
    return load_settings(file=type(settings).file, flags=type(settings).flags)


def _got(location: tuple[str | int, ...], value: object) -> str:
    """Returns the value that was refused, or nothing if a secret could be in it."""
    holds_secret = any(all(a == b for a, b in zip(location, secret, strict=False)) for secret in SECRETS)
    return "" if holds_secret else f" (got {value!r})"


def _without_content(error: Exception) -> str:
    """Returns the text of an error, of YAML without the line that it quotes, because that line may hold a secret."""
    if isinstance(error, yaml.MarkedYAMLError) and error.problem_mark is not None:
        where = f"line {error.problem_mark.line + 1}, column {error.problem_mark.column + 1}"
        return f"{error.problem or 'it is no YAML'} at {where}"
    return str(error)


def _named(key: str) -> str:
    """Returns a key, with its old name if it has one."""
    old = next((old for old, new in RENAMED.items() if new == key), None)
    return f"{key} (old name: {old})" if old is not None else key or "settings"


def _check_file(file: Path) -> None:
    if not file.is_file():
        raise InvalidSettings(f"--config {file}: there is no such file")
    content = yaml.safe_load(file.read_text(encoding="utf-8"))
    if content is not None and not isinstance(content, dict):
        raise InvalidSettings(
            f"--config {file}: the file holds {redact_urls(f'{content!r:.40}')} instead of settings; "
            "write for example `log: {level: debug}`"
        )

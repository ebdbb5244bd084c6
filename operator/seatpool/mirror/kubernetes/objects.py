"""Asks the API server for the objects of a rule: all of them, or some by name.

The API server is consistent: a list that succeeds is whole, and an object that it does not find by name is gone. So an
empty list is believed, where one of AWS is not.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

from seatpool.api.workbench import InstanceState, SourceKind, WorkbenchSource
from seatpool.domain.instants import to_milliseconds
from seatpool.kube.client import Body, KubeClient
from seatpool.kube.errors import Forbidden, KubeError, NotFound
from seatpool.mirror.kubernetes.json_path import JsonPath, compile_path
from seatpool.mirror.kubernetes.rule import STATES, KubernetesRule
from seatpool.mirror.names import object_name
from seatpool.mirror.rate_limited_log import RateLimitedLog, escaped
from seatpool.mirror.regions import AccountRegion, rule_key
from seatpool.mirror.source import ById, Machine, SourceFailed
from seatpool.mirror.type_aliases import TypeAliases
from seatpool.mirror.workbench_tags import TagReading

READS_AT_ONCE = 16
PODS = ("", "pods")


@dataclass(frozen=True, slots=True)
class ServedRule:
    """A rule as a place. See Place."""

    rule: KubernetesRule
    namespaces: tuple[str, ...]
    """Namespaces in which objects are looked for. Empty: all."""

    @property
    def key(self) -> AccountRegion:
        return rule_key(self.rule.name)

    @property
    def namespace(self) -> str:
        return self.rule.namespace

    @property
    def inventory(self) -> bool:
        return True

    def __str__(self) -> str:
        return str(self.key)


@dataclass
class KubernetesObjects:
    """The objects of one rule."""

    served: ServedRule
    kube: KubeClient
    aliases: TypeAliases
    log: RateLimitedLog
    kind: SourceKind = SourceKind.KUBERNETES
    _owner: JsonPath = field(init=False)
    _type: JsonPath | None = field(init=False)
    _state: JsonPath = field(init=False)
    _states: Mapping[str, InstanceState] = field(init=False)

    def __post_init__(self) -> None:
        rule = self.served.rule
        self._owner, self._state = compile_path(rule.owner), compile_path(rule.state)
        self._type = compile_path(rule.type) if rule.type.startswith((".", "{", "[")) else None
        self._states = {**STATES, **rule.states}
        self._nothing_logged = False

    def reference(self, metadata: Mapping[str, Any]) -> str:
        """Returns the reference of an object."""
        return f"{self.served.rule.name}/{metadata.get('namespace', '')}/{metadata['name']}"

    def owner_of(self, raw: Mapping[str, Any]) -> str | None:
        """Returns whose an object is. None: it does not say it."""
        return self._owner.find(raw)

    def path_of(self, reference: str) -> str:
        """Returns the path of an object in the API."""
        _, namespace, name = reference.split("/")
        return f"{self._path(namespace)}/{quote(name, safe='')}"

    def gone(self, raw: Mapping[str, Any]) -> Machine:
        """Returns the last word on an object that was deleted."""
        source = WorkbenchSource(kind=self.kind, reference=self.reference(raw["metadata"]))
        return Machine(
            source=source,
            name=object_name(source),
            state=InstanceState.TERMINATED,
            launched_at=None,
            tags=TagReading(owner=None, type=None),
        )

    def machine(self, raw: Mapping[str, Any]) -> Machine | None:
        """Returns what an object says. None: the word for its state is unknown, so nothing can be said."""
        metadata, rule = raw["metadata"], self.served.rule
        source = WorkbenchSource(kind=self.kind, reference=self.reference(metadata))
        word = self._state.find(raw)
        state = self._states.get(word) if word is not None else None
        if state is None:
            # An object that a controller has not looked at yet has no state.
            if word is not None:
                self.log.warning(
                    "unknown state of an object", reason="UnknownState", rule=rule.name, state=escaped(word),
                    object=source.reference, advice=f"add it to states of the rule {rule.name} in mirror.kubernetes",
                )  # fmt: skip
            return None
        kind = self._type.find(raw) if self._type is not None else rule.type
        return Machine(
            source=source,
            name=object_name(source),
            state=state,
            launched_at=_created_at(metadata) if (rule.group, rule.kind) == PODS else None,
            tags=TagReading(
                owner=self._owner.find(raw),
                type=self.aliases.resolve(kind) if kind is not None else None,
                excluded=not rule.selects(metadata),
            ),
        )

    async def list_workbenches(
        self, on_page: Callable[[str | None, Body], None] = lambda _namespace, _page: None
    ) -> Sequence[Machine]:
        """Returns every workbench. `on_page` gets each page as it comes, with its namespace; None: of all namespaces."""
        objects = 0
        machines: list[Machine] = []
        for namespace in self.served.namespaces or (None,):
            try:
                async with self.kube.pages_at(self._path(namespace), label_selector=self._selector()) as pages:
                    async for page in pages:
                        on_page(namespace, page)
                        objects += len(page["items"])
                        machines += [one for raw in page["items"] if (one := self.machine(raw)) is not None]
            except KubeError as error:
                raise self._failure(error) from error
        workbenches = [one for one in machines if one.is_workbench]
        is_nothing = bool(objects) and not workbenches
        if is_nothing and not self._nothing_logged:
            rule = self.served.rule
            self.log.warning(
                "no object of a rule is a workbench", reason="NothingFound", rule=rule.name, objects=objects,
                advice=f"check owner ({rule.owner}), type ({rule.type}) and state ({rule.state}) of the rule",
            )  # fmt: skip
        self._nothing_logged = is_nothing
        return workbenches

    async def describe_by_id(self, references: Sequence[str]) -> ById:
        """Reads objects by name. Only what the API server does not find is gone."""
        slots = asyncio.Semaphore(READS_AT_ONCE)

        async def read(reference: str) -> Body | None:
            async with slots:
                return await self._read(reference)

        asked = [one for one in references if self._is_covered(one)]
        answers = await asyncio.gather(*map(read, asked))
        found: dict[str, Machine] = {}
        gone: set[str] = set()
        for reference, raw in zip(asked, answers, strict=True):
            if raw is None:
                gone.add(reference)
            elif (machine := self.machine(raw)) is not None:
                found[reference] = machine
        return ById(found=found, gone=frozenset(gone), silent=frozenset())

    async def _read(self, reference: str) -> Body | None:
        """Returns an object. None: there is none."""
        try:
            return await self.kube.get_raw(self.path_of(reference))
        except NotFound:
            return None
        except KubeError as error:
            raise self._failure(error) from error

    def _is_covered(self, reference: str) -> bool:
        """Tells whether an object is in the namespaces of the rule. One that is not, may not be read, and stays as it is."""
        namespaces = self.served.namespaces
        return reference.count("/") == 2 and (not namespaces or reference.split("/")[1] in namespaces)

    def _path(self, namespace: str | None) -> str:
        rule = self.served.rule
        where = "" if namespace is None else f"/namespaces/{quote(namespace, safe='')}"
        return f"{rule.prefix}{where}/{rule.kind}"

    def _selector(self) -> str | None:
        return ",".join(f"{key}={value}" for key, value in self.served.rule.selector.items()) or None

    def _failure(self, error: KubeError) -> SourceFailed:
        rule = self.served.rule
        advice = {
            Forbidden: f"allow get, list and watch of {rule.resource} (the chart does, from config.mirror.kubernetes)",
            NotFound: f"the cluster has no {rule.resource} of version {rule.version}; install it, or correct the rule",
        }.get(type(error))
        return SourceFailed(type(error).__name__, f"{error}; {advice}" if advice else str(error))


def _created_at(metadata: Mapping[str, Any]) -> datetime | None:
    text = metadata.get("creationTimestamp")
    return to_milliseconds(datetime.fromisoformat(text).astimezone(UTC)) if isinstance(text, str) else None

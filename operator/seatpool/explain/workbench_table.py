"""Reads all workbenches from the API server's table, as `kubectl get` does.

10,000 Workbenches are 16 MB of JSON, and an answer needs five words of each. The API server makes and sends the table of
these words in a fraction of the time.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from operator import itemgetter
from typing import Any

from seatpool.api.identity import IdentitySettings
from seatpool.api.licensepool import LicensePoolSpec
from seatpool.api.workbench import Workbench
from seatpool.domain.demand import Kind, WorkbenchFact
from seatpool.kube.client import Body, KubeClient

_COLUMNS = ("Name", "Namespace", "Owner", "Type", "State")
_USER = "User"
"""Column of the user id that the operator computed. Older CRDs have none."""
_RUNNING = frozenset(state.value for state in LicensePoolSpec.model_fields["active_states"].default)


@dataclass(frozen=True, slots=True)
class WorkbenchRow:
    """One workbench, as far as an answer depends on it."""

    name: str
    namespace: str
    owner: str
    type: str
    state: str
    user: str | None
    """None: the owner cannot be a user id, and `problem` says why."""
    problem: str | None
    told_user: str | None = None
    """User id in the Workbench's status, as the operator's settings make it from the owner. None: not written yet."""

    @property
    def is_running(self) -> bool:
        """Tells whether the workbench is in a state in which a pool gives a seat by default."""
        return self.state in _RUNNING

    @property
    def kind(self) -> Kind:
        """Namespace and type: they decide which pools serve the workbench."""
        return self.namespace, self.type

    @property
    def key(self) -> str:
        return f"{self.namespace}/{self.name}"

    def fact(self, *, active_since: datetime) -> WorkbenchFact | None:
        """Returns the input of the demand index. None: the workbench has no user."""
        if self.user is None:
            return None
        return WorkbenchFact(
            key=self.key,
            namespace=self.namespace,
            owner=self.user,
            type=self.type,
            state=self.state,
            active_since=active_since,
        )


async def read_rows(kube: KubeClient, *, namespace: str | None, identity: IdentitySettings) -> list[WorkbenchRow]:
    """Returns all workbenches. Older CRDs have no column for the namespace. Then the whole objects are read."""
    names, rows = await kube.table_cached(Workbench, namespace=namespace)
    if set(_COLUMNS) <= set(names):
        return from_table(names, rows, identity=identity)
    return from_objects(await kube.list_cached(Workbench, namespace=namespace), identity=identity)


def from_table(
    names: Sequence[str], rows: Iterable[Sequence[Any]], *, identity: IdentitySettings
) -> list[WorkbenchRow]:
    """Returns the rows of a table that has all columns."""
    words = itemgetter(*(names.index(column) for column in (*_COLUMNS, *({_USER} & set(names)))))
    return _rows(map(words, rows), identity)


def from_objects(items: Iterable[Body], *, identity: IdentitySettings) -> list[WorkbenchRow]:
    """Returns the rows of whole objects."""
    words = (
        (
            item["metadata"]["name"], item["metadata"]["namespace"],
            item["spec"]["owner"], item["spec"]["type"], item["spec"]["state"], item.get("status", {}).get("user"),
        )
        for item in items
    )  # fmt: skip
    return _rows(words, identity)


def _rows(every: Iterable[Sequence[str | None]], identity: IdentitySettings) -> list[WorkbenchRow]:
    """Returns the rows of these words. A table has None for a field that an object lacks."""
    user_of = cache(identity.user_or_problem)

    def row(
        name: str | None, namespace: str | None, owner: str | None, kind: str | None, state: str | None,
        told: str | None = None,
    ) -> WorkbenchRow:  # fmt: skip
        user, problem = (told, None) if told else user_of(owner or "")
        return WorkbenchRow(
            name or "", namespace or "", owner or "", kind or "", state or "", user, problem, told_user=told or None
        )

    return [row(*words) for words in every]

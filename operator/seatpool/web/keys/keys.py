"""Puts the parts of keys together, for one process."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from structlog.typing import FilteringBoundLogger

from seatpool.kube.client import KubeClient
from seatpool.settings.web import KeySettings
from seatpool.trail.trail import Trail
from seatpool.web.authorization import Authorizer
from seatpool.web.cluster import LiveCluster
from seatpool.web.keys.index import KeyIndex
from seatpool.web.keys.issuing import Issuing
from seatpool.web.keys.keyring import Keyring
from seatpool.web.keys.statuses import KeyStatuses
from seatpool.web.keys.workbenches import has_workbench


@dataclass(frozen=True, slots=True)
class Keys:
    """The keys of one process."""

    index: KeyIndex
    keyring: Keyring
    issuing: Issuing
    statuses: KeyStatuses

    def workbench_changed(self, workbench: str) -> None:
        """Notes that a workbench changed, by `namespace/name`. Keys that are for it may have ended."""
        if self.index.is_for(workbench):
            self.index.tell()


def make_keys(
    settings: KeySettings,
    *,
    kube: KubeClient,
    cluster: LiveCluster,
    authorizer: Authorizer,
    user_id: Callable[[str], str | None],
    trail: Trail,
    log: FilteringBoundLogger,
    clock: Callable[[], datetime],
    is_listed: Callable[[], bool],
) -> Keys:
    """Returns the parts, connected. `user_id` returns the user id of a user of Kubernetes."""
    index = KeyIndex()
    keyring = Keyring(
        index=index, settings=settings, clock=clock, is_listed=is_listed,
        has_workbench=lambda key: has_workbench(key, cluster, user_id),
    )  # fmt: skip
    statuses = KeyStatuses(index=index, kube=kube, state_of=keyring.state_of, trail=trail, log=log, clock=clock)
    keyring.used = statuses.used
    index.on_change.append(statuses.wake)
    issuing = Issuing(
        kube=kube, index=index, keyring=keyring, settings=settings, authorizer=authorizer, cluster=cluster, trail=trail,
        clock=clock, user_id=user_id,
    )  # fmt: skip
    return Keys(index, keyring, issuing, statuses)

"""Tells admins of owners whom normalisation makes one user although their domains differ, such as `A\\ann` and `B\\ann`.

They may be one person with two accounts, or two people who share a seat. Only an admin knows. `ann` and `A\\ann` are not told,
nor are `A\\ann` and `ann@a.example`, because one person is often spelt in these ways.
"""

from collections import defaultdict

from structlog.typing import FilteringBoundLogger

from seatpool.api.reasons import EventReason, message
from seatpool.api.workbench import Workbench
from seatpool.cache.store import Store, StoreHandler, WorkbenchView
from seatpool.control.sinks.event_recorder import EventRecorder
from seatpool.domain.identity import domain_of
from seatpool.text import format_names

MOST_TOLD = 100
"""Users that are told in the life of a process. A site whose users all have two domains knows it by then."""
_SHOWN = ("{domain}\\", "@{domain}")
"""How a domain before and a domain after the user id are shown."""


class MergedOwners(StoreHandler):
    """Tells of each user and set of domains once, in the log and as an Event of the workbench that showed it."""

    def __init__(self, *, store: Store, recorder: EventRecorder, log: FilteringBoundLogger) -> None:
        self._store = store
        self._recorder = recorder
        self._log = log
        self._known: dict[str, tuple[str, tuple[str, str]]] = {}
        """User and domains of each workbench's owner."""
        self._workbenches: defaultdict[str, set[str]] = defaultdict(set)
        """Workbenches of each user."""
        self._told: set[tuple[str, str]] = set()

    def start(self) -> None:
        """Follows every change from now on, and takes in everything that is there already."""
        self._store.subscribe(self)
        for workbench in self._store.workbenches:
            self.workbench_changed(workbench)

    def workbench_upserted(self, view: WorkbenchView) -> None:
        key = view.fact.key
        now = None
        if view.user is not None and self._store.identity.strip_domain:
            now = (view.user, domain_of(view.fact.owner))
        if self._known.get(key) == now:
            return
        self._drop(key)
        if now is None:
            return
        self._known[key] = now
        user = now[0]
        self._workbenches[user].add(key)
        for index, template in enumerate(_SHOWN):
            domains = {self._known[other][1][index] for other in self._workbenches[user]} - {""}
            if len(domains) > 1:
                self._tell(view, user, format_names(template.format(domain=one) for one in sorted(domains)))

    def workbench_changed(self, workbench: str) -> None:
        """Takes a workbench whose user may be another one, as after a change of the identity settings."""
        view = self._store.workbenches.get(workbench)
        if view is not None:
            self.workbench_upserted(view)

    def workbench_deleted(self, view: WorkbenchView) -> None:
        self._drop(view.fact.key)

    def _drop(self, key: str) -> None:
        known = self._known.pop(key, None)
        if known is None:
            return
        self._workbenches[known[0]].discard(key)
        if not self._workbenches[known[0]]:
            del self._workbenches[known[0]]

    def _tell(self, view: WorkbenchView, user: str, domains: str) -> None:
        if (user, domains) in self._told or len(self._told) >= MOST_TOLD:
            return
        self._told.add((user, domains))
        self._log.warning("owners of several domains are one user", user=user, domains=domains)
        text = message(EventReason.OWNERS_MERGED, user=user, domains=domains)
        self._recorder.warning(Workbench, view.metadata, EventReason.OWNERS_MERGED, text)

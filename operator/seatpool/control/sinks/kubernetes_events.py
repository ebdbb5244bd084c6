"""Facts as Kubernetes Events on pools and servers."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import ClassVar

from seatpool.api.licensepool import LicensePool
from seatpool.api.licenseserver import LicenseServer
from seatpool.api.reasons import EventReason, message
from seatpool.control.sinks import facts
from seatpool.control.sinks.event_recorder import EventRecorder
from seatpool.text import MOST_NAMES, format_count, format_names

MOST_ADOPTED = 50
"""So many adopted users are named in the Event."""


@dataclass(frozen=True, slots=True)
class KubernetesEvents:
    """Posts an Event for each fact that an admin should see in `kubectl describe`."""

    kinds: ClassVar[tuple[type[facts.Fact], ...]] = (
        facts.AnswerStored,
        facts.ListConfirmed,
        facts.UsersAdopted,
        facts.LedgerLost,
        facts.DriftDetected,
        facts.ListFailed,
        facts.ListRecovered,
        facts.ForeignOwnerFound,
        facts.ChangeHeld,
        facts.ServerUnreachable,
        facts.ServerRecovered,
    )

    recorder: EventRecorder
    user_names: bool = True
    """False: Events have numbers of users instead of their names, because Kubernetes' role `view` reads Events."""

    def handle(self, fact: facts.Fact) -> None:
        """Takes one fact."""
        match fact:
            case facts.AnswerStored() if fact.newly_waiting:
                waiting = fact.answer.waiting
                self._normal(
                    fact.pool, EventReason.USERS_WAITING, users=self._users(fact.newly_waiting),
                    reason=waiting[-1].reason, waiting=len(waiting), seats=fact.pool.spec.seats,
                )  # fmt: skip
            case facts.ListConfirmed():
                self._confirmed(fact)
            case facts.UsersAdopted():
                names = self._users(fact.users, most=MOST_ADOPTED)
                self._normal(fact.pool, EventReason.USERS_ADOPTED, count=len(fact.users), users=names)
            case facts.LedgerLost():
                product, revision = fact.pool.spec.product, fact.revision
                self._warning(fact.pool, EventReason.LEDGER_LOST, product=product, revision=revision)
            case facts.DriftDetected():
                added, removed = self._users(fact.added), self._users(fact.removed)
                self._warning(fact.pool, EventReason.DRIFT_DETECTED, added=added, removed=removed)
            case facts.ListFailed():
                self._warning(fact.pool, EventReason.APPLY_FAILED, fact.message)
            case facts.ListRecovered():
                self._normal(fact.pool, EventReason.LIST_RECOVERED)
            case facts.ForeignOwnerFound():
                self._warning(fact.pool, EventReason.FOREIGN_OWNER_FOUND, fact.message)
            case facts.ChangeHeld():
                self._warning(fact.server, EventReason.CHANGE_HELD, fact.change.message(fact.server))
            case facts.ServerUnreachable():
                self._warning(fact.server, EventReason.SERVER_UNREACHABLE, fault=fact.reason, error=fact.message)
            case facts.ServerRecovered():
                self._normal(fact.server, EventReason.SERVER_RECOVERED)
            case _:
                pass

    def _confirmed(self, fact: facts.ListConfirmed) -> None:
        granted, released, revision = fact.state.granted, fact.state.released, fact.state.revision
        if granted:
            names = self._users(dict.fromkeys(one.user for one in granted))
            self._normal(fact.pool, EventReason.SEATS_GRANTED, users=names, revision=revision)
        if released:
            names = self._users(dict.fromkeys(f"{one.user} ({one.reason})" for one in released))
            self._normal(fact.pool, EventReason.SEATS_RELEASED, users=names, revision=revision)

    def _users(self, users: Iterable[str], *, most: int = MOST_NAMES) -> str:
        found = list(users)
        if not found:
            return "nobody"
        return format_names(found, most=most) if self.user_names else format_count(len(found), "user")

    def _normal(
        self, item: LicensePool | LicenseServer, reason: EventReason, text: str = "", /, **values: object
    ) -> None:
        self.recorder.normal(type(item), item.metadata, reason, text or message(reason, **values))

    def _warning(
        self, item: LicensePool | LicenseServer, reason: EventReason, text: str = "", /, **values: object
    ) -> None:
        self.recorder.warning(type(item), item.metadata, reason, text or message(reason, **values))

"""Facts as Kubernetes Events on pools and servers."""

from dataclasses import dataclass
from typing import ClassVar

from seatpool.api.licensepool import LicensePool
from seatpool.api.licenseserver import LicenseServer
from seatpool.api.reasons import EventReason, message
from seatpool.control.sinks import facts
from seatpool.control.sinks.event_recorder import EventRecorder
from seatpool.text import format_names

MOST_ADOPTED = 50
"""So many adopted users are named in the Event."""


@dataclass(frozen=True, slots=True)
class KubernetesEvents:
    """Posts an Event for each fact that an admin should see in `kubectl describe`."""

    kinds: ClassVar[tuple[type[facts.Fact], ...]] = (
        facts.AnswerStored,
        facts.ListConfirmed,
        facts.UsersAdopted,
        facts.DriftDetected,
        facts.ListFailed,
        facts.ListRecovered,
        facts.ForeignOwnerFound,
        facts.ChangeHeld,
        facts.ServerUnreachable,
        facts.ServerRecovered,
    )

    recorder: EventRecorder

    def handle(self, fact: facts.Fact) -> None:
        """Takes one fact."""
        match fact:
            case facts.AnswerStored() if fact.newly_waiting:
                waiting = fact.answer.waiting
                self._normal(
                    fact.pool, EventReason.USERS_WAITING, users=format_names(fact.newly_waiting),
                    reason=waiting[-1].reason, waiting=len(waiting), seats=fact.pool.spec.seats,
                )  # fmt: skip
            case facts.ListConfirmed():
                self._confirmed(fact)
            case facts.UsersAdopted():
                names = format_names(fact.users, most=MOST_ADOPTED)
                self._normal(fact.pool, EventReason.USERS_ADOPTED, count=len(fact.users), users=names)
            case facts.DriftDetected():
                added, removed = format_names(fact.added) or "nobody", format_names(fact.removed) or "nobody"
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
            names = format_names(dict.fromkeys(one.user for one in granted))
            self._normal(fact.pool, EventReason.SEATS_GRANTED, users=names, revision=revision)
        if released:
            names = format_names(dict.fromkeys(f"{one.user} ({one.reason})" for one in released))
            self._normal(fact.pool, EventReason.SEATS_RELEASED, users=names, revision=revision)

    def _normal(
        self, item: LicensePool | LicenseServer, reason: EventReason, text: str = "", /, **values: object
    ) -> None:
        self.recorder.normal(type(item), item.metadata, reason, text or message(reason, **values))

    def _warning(
        self, item: LicensePool | LicenseServer, reason: EventReason, text: str = "", /, **values: object
    ) -> None:
        self.recorder.warning(type(item), item.metadata, reason, text or message(reason, **values))

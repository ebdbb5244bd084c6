"""Facts as Kubernetes Events on pools and servers."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

from seatpool.api.licensepool import LicensePool
from seatpool.api.licenseserver import LicenseServer
from seatpool.api.reasons import SENTENCES, EventReason, message
from seatpool.control.sinks import facts
from seatpool.control.sinks.event_recorder import EventRecorder
from seatpool.text import MOST_NAMES, format_count, format_names

MOST_ADOPTED = 50
"""So many adopted users are named in the Event."""
SEE_THE_STATUS = "the conditions of the LicenseServer say more"
"""Stands for an error that may name a user."""


@dataclass(frozen=True, slots=True)
class _Users:
    """Users in a message: by name, or as a number."""

    names: Sequence[str]
    most: int = MOST_NAMES

    @property
    def named(self) -> str:
        return format_names(self.names, most=self.most) if self.names else "nobody"

    @property
    def counted(self) -> str:
        return format_count(len(self.names), "user") if self.names else "nobody"


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

    def handle(self, fact: facts.Fact) -> None:
        """Takes one fact."""
        match fact:
            case facts.AnswerStored() if fact.answer.newly_waiting:
                waiting, new = fact.answer.waiting, fact.answer.newly_waiting
                self._normal(
                    fact.pool, EventReason.USERS_WAITING, users=_Users([one.user for one in new]),
                    reason=", ".join(dict.fromkeys(one.reason.value for one in new)),
                    waiting=len(waiting), seats=fact.pool.spec.seats,
                )  # fmt: skip
            case facts.ListConfirmed():
                self._confirmed(fact)
            case facts.UsersAdopted():
                names = _Users(fact.users, most=MOST_ADOPTED)
                self._normal(fact.pool, EventReason.USERS_ADOPTED, count=len(fact.users), users=names)
            case facts.LedgerLost():
                product, revision = fact.pool.spec.product, fact.revision
                self._warning(fact.pool, EventReason.LEDGER_LOST, product=product, revision=revision)
            case facts.DriftDetected():
                added, removed = _Users(fact.added), _Users(fact.removed)
                self._warning(fact.pool, EventReason.DRIFT_DETECTED, added=added, removed=removed)
            case facts.ListFailed():
                nameless = message(
                    EventReason.APPLY_FAILED, product=fact.pool.spec.product, detail=SENTENCES[fact.reason]
                )
                self._warning(fact.pool, EventReason.APPLY_FAILED, fact.message, nameless)
            case facts.ListRecovered():
                self._normal(fact.pool, EventReason.LIST_RECOVERED)
            case facts.ForeignOwnerFound():
                self._warning(fact.pool, EventReason.FOREIGN_OWNER_FOUND, fact.message)
            case facts.ChangeHeld():
                self._warning(fact.server, EventReason.CHANGE_HELD, fact.change.message(fact.server))
            case facts.ServerUnreachable():
                text = message(EventReason.SERVER_UNREACHABLE, fault=fact.reason, error=fact.message)
                nameless = message(EventReason.SERVER_UNREACHABLE, fault=fact.reason, error=SEE_THE_STATUS)
                self._warning(fact.server, EventReason.SERVER_UNREACHABLE, text, nameless)
            case facts.ServerRecovered():
                self._normal(fact.server, EventReason.SERVER_RECOVERED)
            case _:
                pass

    def _confirmed(self, fact: facts.ListConfirmed) -> None:
        granted, released, revision = fact.state.granted, fact.state.released, fact.state.revision
        if granted:
            names = _Users(tuple(dict.fromkeys(one.user for one in granted)))
            self._normal(fact.pool, EventReason.SEATS_GRANTED, users=names, revision=revision)
        if released:
            names = _Users(tuple(dict.fromkeys(f"{one.user} ({one.reason})" for one in released)))
            self._normal(fact.pool, EventReason.SEATS_RELEASED, users=names, revision=revision)

    def _normal(
        self,
        item: LicensePool | LicenseServer,
        reason: EventReason,
        text: str = "",
        nameless: str = "",
        /,
        **values: object,
    ) -> None:
        text, nameless = text or _named(reason, values), nameless or _counted(reason, values)
        self.recorder.normal(type(item), item.metadata, reason, text, nameless=nameless)

    def _warning(
        self,
        item: LicensePool | LicenseServer,
        reason: EventReason,
        text: str = "",
        nameless: str = "",
        /,
        **values: object,
    ) -> None:
        text, nameless = text or _named(reason, values), nameless or _counted(reason, values)
        self.recorder.warning(type(item), item.metadata, reason, text, nameless=nameless)


def _named(reason: EventReason, values: Mapping[str, object]) -> str:
    return message(reason, **{name: one.named if isinstance(one, _Users) else one for name, one in values.items()})


def _counted(reason: EventReason, values: Mapping[str, object]) -> str:
    return message(reason, **{name: one.counted if isinstance(one, _Users) else one for name, one in values.items()})

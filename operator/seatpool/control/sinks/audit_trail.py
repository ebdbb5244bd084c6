"""Facts as lines of the audit trail."""

from dataclasses import dataclass
from typing import Any, ClassVar

from seatpool.api.licensepool import LicensePool
from seatpool.api.licenseserver import LicenseServer
from seatpool.cache.store import Store
from seatpool.control.sinks import facts
from seatpool.control.state.pool_state import ObservedList
from seatpool.domain.identity import PLACEHOLDER
from seatpool.domain.list_hash import list_hash
from seatpool.policy.guard import HeldChange
from seatpool.trail.trail import Action, Trail


@dataclass(frozen=True, slots=True)
class AuditTrail:
    """Notes who got, lost or was refused a seat, by which rule, and which command carried it out."""

    kinds: ClassVar[tuple[type[facts.Fact], ...]] = (
        facts.AnswerStored,
        facts.ListApplied,
        facts.UsersAdopted,
        facts.DriftDetected,
        facts.ChangeHeld,
        facts.ChangeApproved,
    )

    store: Store
    trail: Trail

    def handle(self, fact: facts.Fact) -> None:
        """Takes one fact."""
        match fact:
            case facts.AnswerStored():
                self._answered(fact)
            case facts.ListApplied():
                self._applied(fact)
            case facts.UsersAdopted():
                self.trail.note(
                    Action.ADOPT, **self._of_pool(fact.pool), users=sorted(fact.users), listBefore=list(fact.former)
                )
            case facts.DriftDetected():
                self.trail.note(
                    Action.DRIFT, **self._of_pool(fact.pool), added=list(fact.added), removed=list(fact.removed),
                    revision=fact.observed.revision,
                )  # fmt: skip
            case facts.ChangeHeld():
                self.trail.note(Action.HOLD, **_of_server(fact.server), **_of_change(fact.change))
            case facts.ChangeApproved():
                self.trail.note(Action.APPROVE, **_of_server(fact.server), **_of_change(fact.change))
            case _:
                pass

    def _answered(self, fact: facts.AnswerStored) -> None:
        answer, about = fact.answer, self._of_pool(fact.pool)
        used = answer.reassignments_used
        for grant in answer.granted:
            self.trail.note(
                Action.GRANT, **about, user=grant.user, rule=grant.reason.value,
                waitedSeconds=round(grant.waited.total_seconds(), 3), reassignmentsUsed=used,
            )  # fmt: skip
        for gone in answer.released:
            self.trail.note(
                Action.RELEASE, **about, user=gone.user, rule=gone.reason.value,
                heldSeconds=round(gone.held.total_seconds(), 3), reassignmentsUsed=used,
            )  # fmt: skip
        waited, new = fact.waited, {one.user for one in answer.newly_waiting}
        for one in answer.waiting:
            known = waited.get(one.user)
            if one.user in new or (known is not None and known.reason is not one.reason):
                self.trail.note(Action.REFUSE, **about, user=one.user, rule=one.reason.value, position=one.position)
        for user in fact.newly_denied:
            self.trail.note(Action.REFUSE, **about, user=user, rule=answer.denial(user).value)

    def _applied(self, fact: facts.ListApplied) -> None:
        now = set(fact.observed.users)
        before = set(fact.before.users) if fact.before is not None else set()
        self.trail.note(
            Action.APPLY, **self._of_pool(fact.pool), added=sorted(now - before), removed=sorted(before - now),
            people=len(fact.observed.users), hashBefore=None if fact.before is None else list_hash(fact.before.users),
            hashAfter=list_hash(fact.observed.users), hashWanted=fact.desired_hash, revision=fact.observed.revision,
            placeholderBefore=None if fact.before is None else self._placeholder(fact.pool, fact.before),
            placeholderAfter=self._placeholder(fact.pool, fact.observed), ssmCommandId=fact.command_id,
        )  # fmt: skip

    def _placeholder(self, pool: LicensePool, observed: ObservedList) -> str:
        """Returns the entry that stood for the empty list. Empty: none did."""
        if not observed.placeholder:
            return ""
        server = self.store.servers.get(pool.server_key)
        return (server.spec.placeholder_user if server is not None else None) or PLACEHOLDER

    def _of_pool(self, pool: LicensePool) -> dict[str, Any]:
        metadata = pool.metadata
        ledgers = self.store.shares_of(pool.key)
        return {
            "pool": pool.key,
            "poolUid": metadata.uid,
            "poolGeneration": metadata.generation,
            "poolResourceVersion": metadata.resource_version,
            "server": pool.server_key,
            "product": pool.spec.product,
            "mode": self.store.mode_of(pool).value,
            "ledgers": {view.name: view.resource_version for view in ledgers.values()},
        }


def _of_server(server: LicenseServer) -> dict[str, Any]:
    metadata = server.metadata
    return {
        "server": server.key,
        "serverUid": metadata.uid,
        "serverGeneration": metadata.generation,
        "serverResourceVersion": metadata.resource_version,
        "revision": server.status.revision,
    }


def _of_change(change: HeldChange) -> dict[str, Any]:
    return {"token": str(change.token), "leaving": len(change.leaving), "gone": change.gone, "present": change.present}

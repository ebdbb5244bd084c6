"""Facts as log lines."""

from dataclasses import dataclass
from typing import ClassVar

from structlog.typing import FilteringBoundLogger

from seatpool.control.sinks import facts

MOST_NAMED = 20


@dataclass(frozen=True, slots=True)
class LogLines:
    """Writes one line for each fact that an operator engineer searches the log for."""

    kinds: ClassVar[tuple[type[facts.Fact], ...]] = (
        facts.ListConfirmed,
        facts.UsersAdopted,
        facts.LedgerLost,
        facts.EntryNotAdopted,
        facts.DriftDetected,
        facts.OlderRevisionFound,
        facts.NewerRevisionFound,
        facts.ListFailed,
        facts.ForeignOwnerFound,
        facts.ChangeHeld,
        facts.ChangeApproved,
        facts.ServerUnreachable,
        facts.ServerChanged,
        facts.ServerRecovered,
        facts.InSyncFirst,
    )

    log: FilteringBoundLogger

    def handle(self, fact: facts.Fact) -> None:
        """Takes one fact."""
        match fact:
            case facts.ListConfirmed() if fact.state.granted or fact.state.released:
                state = fact.state
                self.log.info(
                    "list applied", pool=fact.pool.key, revision=state.revision, granted=len(state.granted),
                    released=len(state.released), users=len(state.desired or ()),
                )  # fmt: skip
            case facts.UsersAdopted():
                self.log.info(
                    "first contact with a list",
                    pool=fact.pool.key,
                    users=list(fact.users),
                    list_before=list(fact.former),
                )
            case facts.LedgerLost():
                self.log.warning(
                    "the ledger of a list is gone; the vendor's rules start afresh", pool=fact.pool.key,
                    product=fact.pool.spec.product, revision=fact.revision,
                )  # fmt: skip
            case facts.EntryNotAdopted():
                self.log.warning("an entry of the list is not adopted", pool=fact.pool.key, error=fact.problem)
            case facts.DriftDetected():
                added, removed = list(fact.added[:MOST_NAMED]), list(fact.removed[:MOST_NAMED])
                self.log.warning("drift", pool=fact.pool.key, added=added, removed=removed)
            case facts.OlderRevisionFound():
                self.log.warning(
                    "the license server went back to an older revision", product=fact.pool.spec.product,
                    was=fact.before, now=fact.revision,
                )  # fmt: skip
            case facts.NewerRevisionFound():
                self.log.warning(
                    "the license server has a newer revision than ours",
                    product=fact.pool.spec.product,
                    fence=fact.fence,
                )
            case facts.ListFailed():
                self.log.warning(
                    "a list is not as it should be", pool=fact.pool.key, reason=fact.reason, message=fact.message
                )
            case facts.ForeignOwnerFound():
                self.log.warning("a list belongs to another installation", pool=fact.pool.key, message=fact.message)
            case facts.ChangeHeld():
                self.log.warning(
                    "a change is held back", server=fact.server.key, leaving=len(fact.change.leaving),
                    present=fact.change.present,
                )  # fmt: skip
            case facts.ChangeApproved():
                self.log.info(
                    "an approved change is made", server=fact.server.key, leaving=len(fact.change.leaving),
                    present=fact.change.present,
                )  # fmt: skip
            case facts.ServerUnreachable():
                self.log.warning(
                    "the license server cannot be reached",
                    server=fact.server.key,
                    reason=fact.reason,
                    error=fact.message,
                )
            case facts.ServerChanged():
                self.log.info("another license server answers; its lists are read", server=fact.server.key)
            case facts.ServerRecovered():
                self.log.info("the license server answers again", server=fact.server.key)
            case facts.InSyncFirst():
                self.log.info("in sync for the first time", server=fact.server.key, pools=fact.pools)
            case _:
                pass

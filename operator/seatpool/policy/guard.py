"""Holds back a change that would release suspiciously many users at once.

A wrong tag, a wrong account or a wiped cluster looks as if every user went home in the same second. An admin who knows that
the change is right approves it with an annotation that names this change.
"""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass

from seatpool.api.annotations import APPROVE_CHANGE
from seatpool.api.licenseserver import LicenseServer
from seatpool.api.reasons import ConditionReason, message


@dataclass(frozen=True, slots=True)
class HeldChange:
    """A change that waits for the approval of an admin."""

    leaving: int
    present: int
    percent: int
    token: str

    def message(self, server: LicenseServer) -> str:
        """Returns the text of the condition and of the Event: the numbers, and the command that approves."""
        return message(
            ConditionReason.TOO_MANY_RELEASES, leaving=self.leaving, present=self.present, percent=self.percent,
            server=server.metadata.name, namespace=server.metadata.namespace, token=self.token,
        )  # fmt: skip


def examine(server: LicenseServer, *, present: int, leaving: Iterable[tuple[str, str]]) -> HeldChange | None:
    """Returns the change if it is so large that an admin has to approve it. `leaving` are (pool, user) pairs."""
    pairs = sorted(leaving)
    limits = server.spec.guard
    if present < limits.min_users or len(pairs) * 100 <= present * limits.max_release_percent:
        return None
    token = hashlib.sha256("\n".join(f"{pool} {user}" for pool, user in pairs).encode()).hexdigest()[:12]
    return HeldChange(leaving=len(pairs), present=present, percent=limits.max_release_percent, token=token)


def hold(server: LicenseServer, *, present: int, leaving: Iterable[tuple[str, str]]) -> HeldChange | None:
    """Returns the change as it must be held; None: it may go on."""
    large = examine(server, present=present, leaving=leaving)
    return None if large is None or is_approved(server, large) else large


def is_approved(server: LicenseServer, held: HeldChange) -> bool:
    """Tells whether an admin approved exactly this change."""
    return server.metadata.annotations.get(APPROVE_CHANGE) == held.token

"""Holds back a change that would put out suspiciously many people at once.

A wrong tag, a wrong account or a wiped cluster looks just like everybody going home in the same second. An admin who knows
that it is true says so with an annotation that names this very change.
"""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass

from seatpool.api.annotations import APPROVE_CHANGE
from seatpool.api.licenseserver import LicenseServer


@dataclass(frozen=True, slots=True)
class HeldChange:
    """A change that waits for a person."""

    leaving: int
    present: int
    percent: int
    token: str

    def message(self, server: LicenseServer) -> str:
        return (
            f"{self.leaving} of {self.present} people would lose their seats at once, more than the "
            f"{self.percent} % that spec.guard.maxReleasePercent allows; nobody is released. If it is right: kubectl annotate "
            f"--overwrite licenseserver/{server.metadata.name} -n {server.metadata.namespace} {APPROVE_CHANGE}={self.token}"
        )


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
    """Whether an admin approved this very change."""
    return server.metadata.annotations.get(APPROVE_CHANGE) == held.token

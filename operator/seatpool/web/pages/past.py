"""What the pages need of the recorded past."""

from datetime import tzinfo
from typing import Protocol

from seatpool.api.licensepool import LicensePool
from seatpool.web.usage import Plan, Usage


class Past(Protocol):
    """Answers what a pool's past was, and what other numbers of seats would have given. Raises Refusal."""

    async def usage(self, pool: LicensePool, *, since: str, zone: tzinfo) -> Usage: ...

    async def plan(self, pool: LicensePool, *, since: str, zone: tzinfo) -> Plan: ...

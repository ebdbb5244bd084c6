"""Finds out for whom a page is made: who reads it, in which time zone, and which parts of the site are for this reader."""

from dataclasses import dataclass
from datetime import UTC, tzinfo

from fastapi import Request

from seatpool.api.base import Resource
from seatpool.api.licensepool import LicensePool
from seatpool.api.licenseserver import LicenseServer
from seatpool.text import TimeFormat
from seatpool.web.authentication import Caller
from seatpool.web.authorization import Scope
from seatpool.web.problems import ProblemId, Refusal
from seatpool.web.service import Service, read_zone
from seatpool.web.session import cookie_token
from seatpool.web.visible_users import ALL_NAMED, VisibleUsers

ZONE_COOKIE = "zone"
"""Set by the script of the pages to the zone of the reader's clock."""


@dataclass(frozen=True, slots=True)
class Reader:
    """Who reads a page."""

    service: Service
    caller: Caller
    zone: tzinfo
    can_sign_out: bool

    @property
    def times(self) -> TimeFormat:
        """Returns how times are shown to the reader now."""
        return TimeFormat(zone=self.zone, now=self.service.cluster.clock())

    @property
    def zone_text(self) -> str:
        """Returns the name of the zone, and its short name if that says more."""
        short, name = self.times.zone_name, str(self.zone)
        return name if short == name or short[:1] in "+-" else f"{name} ({short})"

    async def pools(self) -> tuple[str, ...]:
        """Returns the keys of the pools that the reader may list, sorted."""
        return await self._listed(LicensePool, tuple(self.service.cluster.store.pools))

    async def servers(self) -> tuple[str, ...]:
        """Returns the keys of the servers that the reader may list, sorted."""
        return await self._listed(LicenseServer, tuple(self.service.cluster.store.servers))

    async def scope(self, kind: type[Resource], keys: tuple[str, ...]) -> Scope:
        """Returns the namespaces in which the reader may list a kind. Raises Refusal if that is none."""
        namespaces = {key.partition("/")[0] for key in keys}
        found = await self.service.authorizer.scope(self.caller, kind, namespaces)
        if not found:
            raise Refusal(ProblemId.FORBIDDEN, verb="list", resource=kind.plural, where="a namespace")
        return found

    async def visible(self, pool: LicensePool) -> VisibleUsers:
        """Returns what the reader may see of the users of a pool."""
        all_named = await self.service.authorizer.may_see_names(self.caller, pool)
        return ALL_NAMED if all_named else self.service.own_user_only(self.caller)

    async def _listed(self, kind: type[Resource], keys: tuple[str, ...]) -> tuple[str, ...]:
        scope = await self.scope(kind, keys)
        return tuple(sorted(key for key in keys if key.partition("/")[0] in scope))


def reader_of(request: Request, service: Service, caller: Caller) -> Reader:
    """Returns the reader of a page."""
    by_cookie = request.headers.get("authorization") is None and cookie_token(request) is not None
    return Reader(service, caller, zone_of(request), can_sign_out=by_cookie)


def zone_of(request: Request) -> tzinfo:
    """Returns the zone of the reader's clock, or UTC before the browser has told it."""
    try:
        return read_zone(request.cookies.get(ZONE_COOKIE, "UTC").replace("%2F", "/"))
    except Refusal:
        return UTC

"""Decides what a key opens. The rights of its user are asked for besides, so a key never shows more than its user may see.

What is not named here is closed. So a route that is added later is closed to keys, and so are the routes of keys: no key makes,
approves or shows another.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from seatpool.api.apikey import APIKey, KeyScope
from seatpool.api.licensepool import LicensePool
from seatpool.api.licenseserver import LicenseServer

_POOL = "/api/v1/pools/{namespace}/{name}"
_ALL = frozenset({"/api/v1/openapi.json", "/developer"})
_OF_POOL = frozenset({_POOL, "/api/v1/usage", "/api/v1/plan", "/pools/{namespace}/{name}", "/stream"})
OPEN_ROUTES: Mapping[KeyScope, frozenset[str]] = {
    KeyScope.OWN: _ALL | {"/api/v1/me", "/api/v1/users/{user}", "/api/v1/events", "/", "/stream"},
    KeyScope.POOL: _ALL | _OF_POOL,
    KeyScope.LIST: _ALL | _OF_POOL | {"/api/v1/status", "/api/v1/pools", "/api/v1/servers", "/pools", "/buyer"},
}
"""Paths of the routes, all of them to read, that a key of each scope opens."""
_STREAM = "/stream"
_PAGES: Mapping[str, str] = {"seat": "/", "pools": "/pools", "pool": "/pools/{namespace}/{name}", "admin": "/admin"}
"""The pages that the stream of pages keeps up to date, by the name that they have there."""


@dataclass(frozen=True, slots=True)
class KeyRights:
    """What one key opens."""

    id: str
    """Id of the key."""
    scope: KeyScope
    namespace: str
    """Namespace of the APIKey, and of what it opens with the scopes Pool and List."""
    pool: str | None = None
    """Name of the pool, with scope Pool."""

    @property
    def is_own(self) -> bool:
        """Tells whether the key shows who its user is, and what the user has."""
        return self.scope is KeyScope.OWN

    def opens(self, method: str, route: str, *, page: str = "") -> bool:
        """Tells whether the key opens a route. `page`: the page that the stream of pages is asked for."""
        open_routes = OPEN_ROUTES[self.scope]
        is_open = method == "GET" and route in open_routes
        return is_open and (route != _STREAM or _PAGES.get(page) in open_routes)

    def permits(self, verb: str, resource: str, namespace: str | None, name: str | None) -> bool:
        """Tells whether the key permits what its user may be allowed. Namespace None: in all of them; name None: all objects."""
        if namespace != self.namespace:
            return False
        if self.scope is KeyScope.POOL:
            return (verb, resource, name) == ("get", LicensePool.plural, self.pool)
        if self.scope is KeyScope.LIST:
            return (verb, resource) in (
                ("get", LicensePool.plural),
                ("list", LicensePool.plural),
                ("list", LicenseServer.plural),
            )
        return False


def rights_of(key: APIKey, id: str) -> KeyRights:  # noqa: A002
    """Returns what a key of an APIKey opens."""
    return KeyRights(id=id, scope=key.spec.scope, namespace=key.metadata.namespace, pool=key.spec.pool)

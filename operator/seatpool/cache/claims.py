"""Decides which pool manages a list: the oldest of all pools that claim it.

A list is a product on a machine with a state folder, or a group of a directory. Two LicenseServers may name the same machine
and folder, as after a restore into another namespace. Their pools would write over each other, so they count as one server
here.
"""

import posixpath
from datetime import UTC, datetime

from seatpool.api.licensepool import LicensePool
from seatpool.api.licenseserver import LicenseServer
from seatpool.api.list_backends import CustomSettings, LdapSettings, ScimSettings

Place = tuple[str | None, ...]
"""Machine and state folder of a LicenseServer, or the groups of a directory, or its key if it is not known."""
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def place_of(key: str, server: LicenseServer | None) -> Place:
    """Returns where the lists of a server are. `server` None: it does not exist, so its pools share lists with no others."""
    if server is None:
        return (key,)
    spec, settings = server.spec, server.spec.settings
    match settings:
        case LdapSettings():
            return ("ldap", settings.url.lower().rstrip("/"), settings.group.lower())
        case ScimSettings():
            return ("scim", settings.url.rstrip("/"), settings.group)
        case CustomSettings():
            return ("custom", settings.adapter, *sorted(f"{name}={value}" for name, value in settings.settings.items()))
    target, region = spec.node
    folder = posixpath.normpath(settings.state_dir).lstrip("/")
    return (target.instance_id, target.tag, target.value, region, spec.role_arn, folder)


class ProductClaims:
    """Holds the claims of all pools."""

    def __init__(self) -> None:
        self._claim_of: dict[str, tuple[Place, str]] = {}
        self._claims: dict[tuple[Place, str], list[tuple[datetime, str]]] = {}

    def put(self, pool: LicensePool, place: Place) -> set[str]:
        """Stores the claim of a pool. Returns the keys of all pools that claim its old or its new list, with its own."""
        claim = (place, pool.spec.product)
        entry = (pool.metadata.creation_timestamp or _EPOCH, pool.key)
        if self._claim_of.get(pool.key) == claim and entry in self._claims[claim]:
            return {pool.key}
        affected = self.remove(pool.key)
        self._claim_of[pool.key] = claim
        entries = self._claims.setdefault(claim, [])
        entries.append(entry)
        entries.sort()
        return affected | {key for _, key in entries}

    def remove(self, pool: str) -> set[str]:
        """Drops the claim of a pool. Returns the keys of the others that claim the same list."""
        claim = self._claim_of.pop(pool, None)
        if claim is None:
            return set()
        left = [entry for entry in self._claims[claim] if entry[1] != pool]
        if left:
            self._claims[claim] = left
        else:
            del self._claims[claim]
        return {key for _, key in left}

    def owner(self, pool: str) -> str:
        """Returns the key of the pool that manages this pool's list."""
        return self._claims[self._claim_of[pool]][0][1]

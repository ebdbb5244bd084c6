"""The (account, region) pairs that the mirror serves, with the settings of each."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from seatpool.mirror.config import AccountConfig, MirrorConfig


class AccountRegion(NamedTuple):
    """One region of one account."""

    account: str
    region: str

    def __str__(self) -> str:
        return f"{self.account}/{self.region}"


def rule_key(name: str) -> AccountRegion:
    """Returns the place of a rule for objects in the cluster."""
    return AccountRegion("kubernetes", name)


class Place(Protocol):
    """Where workbenches are looked for, as one: a region of an account, or a rule for objects in the cluster."""

    @property
    def key(self) -> AccountRegion:
        """Names the place in metrics, conditions and logs."""

    @property
    def namespace(self) -> str:
        """Namespace of its Workbench objects."""

    @property
    def inventory(self) -> bool:
        """True: it may be asked for everything."""


@dataclass(frozen=True, slots=True)
class ServedRegion:
    """A region of a configured account, with the account's settings."""

    key: AccountRegion
    settings: AccountConfig

    @property
    def namespace(self) -> str:
        """Namespace of its Workbench objects."""
        return self.settings.namespace

    @property
    def inventory(self) -> bool:
        """True: EC2 may be asked. False: events alone keep the objects up to date."""
        return self.settings.inventory

    def __str__(self) -> str:
        return str(self.key)


class ServedRegions:
    """All served regions. They may be replaced while the mirror runs."""

    def __init__(self, config: MirrorConfig) -> None:
        self._regions: dict[AccountRegion, ServedRegion] = {}
        self.replace(config)

    def replace(self, config: MirrorConfig) -> None:
        """Takes over the accounts and regions of other settings."""
        keys = {AccountRegion(one.account, region): one for one in config.accounts for region in one.regions}
        self._regions = {key: ServedRegion(key, settings) for key, settings in keys.items()}

    def __iter__(self) -> Iterator[ServedRegion]:
        return iter(self._regions.values())

    def find(self, key: AccountRegion) -> ServedRegion | None:
        """Returns the region with its settings. None: it is not configured."""
        return self._regions.get(key)

    @property
    def namespaces(self) -> tuple[str, ...]:
        """Namespaces of all Workbench objects, sorted."""
        return tuple(sorted({served.namespace for served in self}))

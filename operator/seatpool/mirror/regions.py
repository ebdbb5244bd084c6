"""The (account, region) pairs that the mirror serves, and where the objects of each live."""

from collections.abc import Iterator
from dataclasses import dataclass

from seatpool.mirror.config import AccountConfig, MirrorConfig


@dataclass(frozen=True, slots=True)
class Source:
    """One region of one account."""

    account: AccountConfig
    region: str

    @property
    def place(self) -> tuple[str, str]:
        return self.account.account, self.region

    @property
    def namespace(self) -> str:
        return self.account.namespace

    @property
    def inventory(self) -> bool:
        return self.account.inventory

    def __str__(self) -> str:
        return f"{self.account.account}/{self.region}"


class Sources:
    """All of them, by account and region. May be replaced while the mirror runs."""

    def __init__(self, config: MirrorConfig) -> None:
        self._sources: dict[tuple[str, str], Source] = {}
        self.replace(config)

    def replace(self, config: MirrorConfig) -> None:
        self._sources = {
            (account.account, region): Source(account, region)
            for account in config.accounts
            for region in account.regions
        }

    def __iter__(self) -> Iterator[Source]:
        return iter(self._sources.values())

    def find(self, account: str, region: str) -> Source | None:
        return self._sources.get((account, region))

    @property
    def namespaces(self) -> tuple[str, ...]:
        return tuple(sorted({source.namespace for source in self}))

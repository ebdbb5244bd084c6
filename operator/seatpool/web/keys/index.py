"""Holds the APIKeys as the watch brings them, so that no request makes a list."""

from collections import OrderedDict, defaultdict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from seatpool.api.apikey import APIKey
from seatpool.api.base import key_of

_ID, _USER, _WORKBENCH = "id", "user", "workbench"
_ID_FROM = len("sp_")
MOST_DELETED = 10_000
"""Deleted objects that are remembered: an answer to a write of ours may come after the news that its object is gone."""


@dataclass
class KeyIndex:
    """All APIKeys. It belongs to one event loop."""

    on_change: list[Callable[[], None]] = field(default_factory=list)
    """Called after each change."""
    _keys: dict[str, APIKey] = field(default_factory=dict, init=False)
    _versions: dict[str, tuple[str, int]] = field(default_factory=dict, init=False)
    _keys_by: dict[tuple[str, str], set[str]] = field(default_factory=lambda: defaultdict(set), init=False)
    """Keys of the objects by what they have: an id, a user, a workbench."""
    _deleted: OrderedDict[str, None] = field(default_factory=OrderedDict, init=False)

    def __iter__(self) -> Iterator[APIKey]:
        return iter(tuple(self._keys.values()))

    @property
    def versions(self) -> Mapping[str, tuple[str, int]]:
        """uid and resourceVersion of every object, by key."""
        return self._versions

    def get(self, key: str) -> APIKey | None:
        """Returns an APIKey by `namespace/name`."""
        return self._keys.get(key)

    def find(self, id: str) -> APIKey | None:  # noqa: A002
        """Returns the APIKey with a key of this id. None: there is none, or more than one claims it."""
        found = self._keys_by.get((_ID, id), ())
        return self._keys[next(iter(found))] if len(found) == 1 else None

    def of_user(self, user: str) -> list[APIKey]:
        """Returns the APIKeys of a user of Kubernetes, sorted by key."""
        return [self._keys[key] for key in sorted(self._keys_by.get((_USER, user), ()))]

    def is_for(self, workbench: str) -> bool:
        """Tells whether there is an APIKey for a workbench."""
        return (_WORKBENCH, workbench) in self._keys_by

    def upsert(self, raw: Mapping[str, Any]) -> bool:
        """Stores an object. Returns False if it is not newer. Raises ValidationError if it cannot be read."""
        key, uid, version = _identity(raw)
        if not self._is_newer(key, uid, version):
            return False
        found = APIKey.model_validate(raw)
        self._take(key)
        self._keys[key], self._versions[key] = found, (uid, version)
        for name in _names(found):
            self._keys_by[name].add(key)
        self.tell()
        return True

    def refuse(self, raw: Mapping[str, Any]) -> bool:
        """Drops an object whose newest version cannot be read. Returns False if that was known."""
        key, uid, version = _identity(raw)
        if not self._is_newer(key, uid, version):
            return False
        was_there = self._take(key)
        self._versions[key] = uid, version
        self.tell()
        return was_there

    def delete(self, key: str, uid: str | None) -> bool:
        """Drops an object. Returns whether it was stored."""
        if uid is not None:
            self._deleted[uid] = None
            if len(self._deleted) > MOST_DELETED:
                self._deleted.popitem(last=False)
        if uid is not None and self._versions.get(key, (uid, 0))[0] != uid:
            return False  # another object has the name meanwhile
        self._take(key)
        was_there = self._versions.pop(key, None) is not None
        self.tell()
        return was_there

    def _is_newer(self, key: str, uid: str, version: int) -> bool:
        known = self._versions.get(key)
        return uid not in self._deleted and (known is None or known[0] != uid or known[1] < version)

    def _take(self, key: str) -> bool:
        found = self._keys.pop(key, None)
        if found is None:
            return False
        for name in _names(found):
            self._keys_by[name].discard(key)
            if not self._keys_by[name]:
                del self._keys_by[name]
        return True

    def tell(self) -> None:
        """Calls `on_change`."""
        for told in self.on_change:
            told()


def workbench_of(key: APIKey) -> str | None:
    """Returns the workbench that an APIKey is for, as `namespace/name`. None: it is for none."""
    return None if key.spec.workbench is None else f"{key.metadata.namespace}/{key.spec.workbench}"


def _names(key: APIKey) -> Iterator[tuple[str, str]]:
    """Yields what an APIKey is found by."""
    yield _USER, key.spec.user
    if key.status.prefix is not None:
        yield _ID, key.status.prefix[_ID_FROM:]
    if (workbench := workbench_of(key)) is not None:
        yield _WORKBENCH, workbench


def _identity(raw: Mapping[str, Any]) -> tuple[str, str, int]:
    metadata = raw["metadata"]
    return key_of(metadata), metadata["uid"], int(metadata["resourceVersion"])

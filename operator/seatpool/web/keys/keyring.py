"""Finds out whose key a text is. It asks no server: a key that is revoked is refused as soon as the watch has told it."""

import hmac
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from seatpool.api.apikey import APIKey, KeyPhase
from seatpool.settings.web import KeySettings
from seatpool.web.caller import Caller
from seatpool.web.keys.index import KeyIndex
from seatpool.web.keys.lifecycle import KeyState, state_of
from seatpool.web.keys.rights import rights_of
from seatpool.web.keys.text import read_key
from seatpool.web.problems import ProblemId, Refusal

_NO_HASH = "0" * 64


@dataclass(kw_only=True)
class Keyring:
    """Accepts keys."""

    index: KeyIndex
    settings: KeySettings
    clock: Callable[[], datetime]
    has_workbench: Callable[[APIKey], bool]
    """Tells whether the workbench of an APIKey is active and its user's, or the APIKey is for none."""
    is_listed: Callable[[], bool]
    """Tells whether the index is complete."""
    used: Callable[[APIKey], None] = lambda _key: None
    """Told of every APIKey whose key is accepted."""

    def caller(self, text: str) -> Caller:
        """Returns who a key acts for. Raises Refusal. Why a key has ended is told only to a caller who has the whole of it."""
        key = read_key(text)
        if key is None:
            raise Refusal(ProblemId.BAD_KEY)
        if not self.is_listed():
            raise Refusal(ProblemId.NOT_READY, retry_after=2)
        found = self.index.find(key.id)
        # The comparison takes the same time whether there is such an APIKey or not.
        is_same = hmac.compare_digest(key.hash.encode(), ((found and found.status.hash) or _NO_HASH).encode())
        if found is None or not is_same:
            raise Refusal(ProblemId.BAD_KEY)
        state = self.state_of(found)
        if state.phase is not KeyPhase.ISSUED:
            raise Refusal(ProblemId.KEY_ENDED, prefix=key.prefix, said=state.said.rstrip("."))
        self.used(found)
        return Caller(name=found.spec.user, groups=found.status.groups, key=rights_of(found, key.id))

    def state_of(self, key: APIKey) -> KeyState:
        """Returns what an APIKey is now."""
        return state_of(key, self.settings, has_workbench=self.has_workbench(key), now=self.clock())

"""Defines a caller: who sends a request, as the API server or a key tells it."""

from collections.abc import Hashable
from dataclasses import dataclass

from seatpool.api.identity import IdentitySettings
from seatpool.kube.client import Body
from seatpool.web.keys.rights import KeyRights


@dataclass(frozen=True, slots=True)
class Caller:
    """A caller, as the API server knows it."""

    name: str
    uid: str = ""
    groups: tuple[str, ...] = ()
    extra: tuple[tuple[str, tuple[str, ...]], ...] = ()
    key: KeyRights | None = None
    """What the caller's key opens. None: the caller has a token, which opens everything that the caller may see."""

    @property
    def subject(self) -> Body:
        """Returns the part of a SubjectAccessReview that says who asks."""
        extra = {name: list(values) for name, values in self.extra}
        return {"user": self.name, "uid": self.uid, "groups": list(self.groups), "extra": extra}

    @property
    def limited_as(self) -> Hashable:
        """Returns what the limits count: each key by itself, and a user with all tokens."""
        return self.name if self.key is None else ("key", self.key.id)


def user_id_of(name: str, *, prefix: str, identity: IdentitySettings) -> str | None:
    """Returns the user id of a user of Kubernetes, by the identity settings. None: it is no user of Seatpool.

    A ServiceAccount is none, unless the identity mapping names it: its name has a colon, which no user id has.
    """
    if prefix and not name.startswith(prefix):
        return None
    return identity.user_or_problem(name.removeprefix(prefix))[0]

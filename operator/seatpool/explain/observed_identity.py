"""Finds the operator's identity settings from what it wrote, so that a command needs no settings file.

The operator writes the user id of each owner into the Workbench's status. So owners and users are seen in pairs. The settings
that explain the most pairs are taken, and each other pair is an entry of the mapping.
"""

from collections.abc import Iterable
from itertools import product

from seatpool.api.identity import IdentitySettings
from seatpool.domain.identity import normalise


def observed_identity(identity: IdentitySettings, pairs: Iterable[tuple[str, str]]) -> IdentitySettings:
    """Returns settings that make the user from the owner in each pair. `identity` stays if it does already."""
    seen = dict(pairs)
    if all(identity.user_or_problem(owner)[0] == user for owner, user in seen.items()):
        return identity
    choices = [identity]
    choices += [
        identity.changed(strip_domain=strip, fold_case=fold) for strip, fold in product((True, False), repeat=2)
    ]
    best = max(choices, key=lambda one: sum(one.user_or_problem(owner)[0] == user for owner, user in seen.items()))
    others = {
        normalise(owner, strip_domain=best.strip_domain, fold_case=best.fold_case, mapping={}): user
        for owner, user in seen.items()
        if best.user_or_problem(owner)[0] != user
    }
    return best.changed(mapping=best.mapping | others)

"""Finds the rules of a pool that have no effect: those that match nobody, and those that exclude each other.

The API server refuses what its rules can know (`api/licensepool.py`). The rest depends on the identity settings, or on several
rules together. It is found here and told in the condition `RulesEffective`. No rule is changed for it.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice
from string import ascii_letters, digits

from seatpool.api.identity import IdentitySettings
from seatpool.api.licensepool import LicensePoolSpec
from seatpool.domain.globs import can_match, count_not_covered, matcher
from seatpool.domain.rules import Order, PoolRules, Reservation
from seatpool.text import format_count, format_names

_FIRST = ascii_letters + digits
_USER = _FIRST + "._@+-"
_TYPE = _FIRST + "._+-"
_LONGEST_TYPE = 256
_SHOWN = 3
_MOST_NAMED = 50
"""Single users that are compared with a pattern."""
_ELSEWHERE = "is matched by an earlier one, which counts, or is in deniedUsers"


@dataclass(frozen=True, slots=True)
class IneffectiveRule:
    """A rule that has no effect, or less than it says."""

    field: str
    """Field of the pool's spec, such as `reservations caps`."""
    problem: str

    def __str__(self) -> str:
        return f"{self.field}: {self.problem}"


def ineffective_rules(
    spec: LicensePoolSpec, rules: PoolRules, identity: IdentitySettings
) -> tuple[IneffectiveRule, ...]:
    """Returns the rules of a pool that have no effect. `rules` are those of this spec by these settings."""
    return (*_misspelt(spec, identity), *_of_rules(rules, spec.workbench_types))


def _misspelt(spec: LicensePoolSpec, identity: IdentitySettings) -> Iterator[IneffectiveRule]:
    """Yields users who are written as the mapping writes them, and are another user when they are normalised."""
    mapped = frozenset(identity.mapping.values())
    if not mapped:
        return
    fields = [("protectedUsers", spec.protected_users), ("deniedUsers", spec.denied_users)]
    fields += [(f"reservations {one.name}", one.users or ()) for one in spec.reservations]
    for field, users in fields:
        for user in users:
            if user in mapped and (read := identity.user(user)) != user:
                owners = sorted(owner for owner, to in identity.mapping.items() if to == user)
                yield IneffectiveRule(
                    field,
                    f"{user} is read as {read}, who is another user; write {owners[0]}, whom the mapping turns into {user}",
                )


@lru_cache(maxsize=256)
def _of_rules(rules: PoolRules, types: tuple[str, ...]) -> tuple[IneffectiveRule, ...]:
    return (*_types(types), *_users(rules), *_reservations(rules), *_claims(rules), *_priorities(rules))


def _types(types: tuple[str, ...]) -> Iterator[IneffectiveRule]:
    for glob in types:
        if not can_match(glob, first=_FIRST, rest=_TYPE, longest=_LONGEST_TYPE):
            yield IneffectiveRule("workbenchTypes", f"{glob} can match no type")


def _users(rules: PoolRules) -> Iterator[IneffectiveRule]:
    both = sorted(rules.denied.intersection(rules.protected))
    if both:
        yield IneffectiveRule("protectedUsers", f"{_names(both)} also in deniedUsers, which is stronger")


def _reservations(rules: PoolRules) -> Iterator[IneffectiveRule]:
    for index, one in enumerate(rules.reservations):
        field = f"reservations {one.name}"
        if one.pattern is not None:
            before = rules.reservations[:index]
            taken = _taken(one.pattern, [other.pattern for other in before], [other.users for other in before], rules)
            left = count_not_covered(taken, one.pattern, first=_FIRST, rest=_USER, most=one.seats)
            if taken and not left:
                yield IneffectiveRule(field, f"every user that its userPattern matches {_ELSEWHERE}")
            elif left < one.seats:
                yield _too_few(field, one, left)
            continue
        members = one.users
        denied = sorted(members & rules.denied)
        elsewhere = {user: first for user in members if (first := rules.reservation_of(user)) not in (None, index)}
        if denied:
            yield IneffectiveRule(field, f"{_names(denied)} in deniedUsers, which is stronger")
        if elsewhere:
            names = sorted({rules.reservations[first].name for first in elsewhere.values() if first is not None})
            yield IneffectiveRule(
                field,
                f"{_names(sorted(elsewhere))} in an earlier reservation, which counts: {format_names(names, most=_SHOWN)}",
            )
        left = len(members - rules.denied - elsewhere.keys())
        if left < one.seats:
            yield _too_few(field, one, left)


def _too_few(field: str, reservation: Reservation, left: int) -> IneffectiveRule:
    who = "no user" if left == 0 else f"only {format_count(left, 'user')}"
    return IneffectiveRule(
        field, f"it keeps {format_count(reservation.seats, 'seat')} free, and {who} can have one of them"
    )


def _claims(rules: PoolRules) -> Iterator[IneffectiveRule]:
    """Yields that protected users and reservations claim more seats than there are.

    A protected user who belongs to a reservation takes one of its seats.
    """
    if not rules.always or not rules.reservations:
        return
    inside = [0] * len(rules.reservations)
    outside = 0
    for user in rules.always:
        index = rules.reservation_of(user)
        if index is None:
            outside += 1
        else:
            inside[index] += 1
    kept = sum(max(one.seats, count) for one, count in zip(rules.reservations, inside, strict=True))
    if outside + kept > rules.seats:
        yield IneffectiveRule(
            "reservations",
            f"they keep {format_count(kept, 'seat')} free, and protectedUsers who belong to none take {outside} more, of "
            f"{format_count(rules.seats, 'seat')} in all: the reservations can never be full",
        )


def _priorities(rules: PoolRules) -> Iterator[IneffectiveRule]:
    if rules.order is not Order.PRIORITY:
        return
    for index, one in enumerate(rules.priorities):
        earlier = [before.pattern for before in rules.priorities[:index]]
        taken = _taken(one.pattern, earlier, (), rules)
        if taken and not count_not_covered(taken, one.pattern, first=_FIRST, rest=_USER, most=1):
            yield IneffectiveRule(f"priorities {one.pattern}", f"every user that it matches {_ELSEWHERE}")


def _taken(
    pattern: str, patterns: Iterable[str | None], users: Iterable[frozenset[str]], rules: PoolRules
) -> list[str]:
    """Returns globs of the users for whom a pattern does not count. The number of users is limited."""
    matches = matcher([pattern])
    named = sorted(user for user in rules.denied.union(*users) if matches(user))
    return [*filter(None, patterns), *islice(named, _MOST_NAMED)]


def _names(users: list[str]) -> str:
    return f"{format_names(users, most=_SHOWN)} {'is' if len(users) == 1 else 'are'}"

"""Converts a pool's spec to the rules and the selector of the domain, and rules to texts."""

from collections.abc import Iterable

from seatpool.api.base import format_duration
from seatpool.api.identity import IdentitySettings
from seatpool.api.licensepool import LicensePool, LicensePoolSpec
from seatpool.api.licensepool import Order as SpecOrder
from seatpool.api.rule_fields import DURATIONS, MAX_REASSIGNMENTS
from seatpool.domain.demand import PoolSelector
from seatpool.domain.identity import is_placeholder
from seatpool.domain.rules import Order, PoolRules, Priority, ReassignmentBudget, Reservation


def pool_rules(
    spec: LicensePoolSpec,
    identity: IdentitySettings,
    *,
    placeholder: str | None = None,
    unlistable: Iterable[str] = (),
) -> PoolRules:
    """Returns the rules of a pool. Users and patterns are normalised in the same way as owners, so spellings do not matter.

    `placeholder` of the pool's server is denied, because a list with it alone counts as empty. None: there is no server.
    `unlistable`: users whom the server's list cannot have.

    Raises InvalidUser for a user that no list can hold, and for a pattern that can match no user id.
    """
    budget = spec.max_reassignments
    return PoolRules(
        seats=spec.seats,
        order=Order.PRIORITY if spec.order is SpecOrder.PRIORITY else Order.FIRST_COME,
        reservations=tuple(
            Reservation(
                name=item.name,
                users=frozenset(identity.user(user) for user in item.users or ()),
                pattern=None if item.user_pattern is None else identity.user_pattern(item.user_pattern),
                seats=item.seats,
            )
            for item in spec.reservations
        ),
        priorities=tuple(
            Priority(pattern=identity.user_pattern(item.user_pattern), weight=item.weight) for item in spec.priorities
        ),
        protected=tuple(dict.fromkeys(identity.user(user) for user in spec.protected_users)),
        denied=frozenset(identity.user(user) for user in spec.denied_users if not is_placeholder(user))
        | (identity.spellings(placeholder) if placeholder is not None else frozenset()),
        unlistable=frozenset(unlistable),
        minimum_hold=spec.minimum_hold,
        linger=spec.linger,
        seat_cool_down=spec.seat_cool_down,
        readmit_after=spec.readmit_after,
        max_reassignments=None if budget is None else ReassignmentBudget(count=budget.count, window=budget.window),
    )


def pool_selector(pool: LicensePool) -> PoolSelector:
    """Returns which workbenches a pool serves."""
    namespaces = pool.spec.workbench_namespaces or (pool.metadata.namespace,)
    return PoolSelector(
        key=pool.key,
        namespace=pool.metadata.namespace,
        namespaces=frozenset(namespaces),
        types=pool.spec.workbench_types,
        active_states=frozenset(state.value for state in pool.spec.active_states),
    )


def format_rules(rules: LicensePoolSpec | PoolRules, *, budget: str) -> dict[str, str]:
    """Returns the rules that are set in a pool's spec or rules, by spec name.

    `budget` is the template of a budget, such as `{count} in {window}`.
    """
    texts = {rule.spec: format_duration(length) for rule in DURATIONS if (length := getattr(rules, rule.attribute))}
    limit = rules.max_reassignments
    if limit is not None:
        texts[MAX_REASSIGNMENTS.spec] = budget.format(count=limit.count, window=format_duration(limit.window))
    return texts

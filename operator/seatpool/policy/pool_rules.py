"""Converts a pool's spec to the rules and the selector of the domain. Users are normalised; durations stay."""

from seatpool.api.identity import IdentitySettings
from seatpool.api.licensepool import LicensePool, LicensePoolSpec
from seatpool.api.licensepool import Order as SpecOrder
from seatpool.domain.demand import PoolSelector
from seatpool.domain.rules import Order, PoolRules, Priority, ReassignmentBudget, Reservation


def pool_rules(spec: LicensePoolSpec, identity: IdentitySettings) -> PoolRules:
    """Returns the rules of a pool. Users are normalised in the same way as owners, so spellings do not matter."""
    budget = spec.max_reassignments
    return PoolRules(
        seats=spec.seats,
        order=Order.PRIORITY if spec.order is SpecOrder.PRIORITY else Order.FIRST_COME,
        reservations=tuple(
            Reservation(
                name=item.name,
                users=frozenset(identity.user(user) for user in item.users or ()),
                pattern=item.user_pattern,
                seats=item.seats,
            )
            for item in spec.reservations
        ),
        priorities=tuple(Priority(pattern=item.user_pattern, weight=item.weight) for item in spec.priorities),
        protected=tuple(dict.fromkeys(identity.user(user) for user in spec.protected_users)),
        denied=frozenset(identity.user(user) for user in spec.denied_users),
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

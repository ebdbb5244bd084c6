"""Decides who has a seat. Pure Python: no I/O, no clock, no Kubernetes, no AWS.

In: the rules, the demand, the memory between two allocations, and `allocate`, which decides.
Not in: how objects become rules (`policy`), and what happens with a decision (`control`).

Read in this order:

1. `rules`, `need`, `memory`: the input of an allocation.
2. `allocation`, `reasons`: its result.
3. `allocate`: the allocation itself.
4. `checks`, `supply`, `reserved_seats`, `waiting_line`, `tenure`, `next_change`: its parts.
5. `seat_durations`, `residual`: how long seats were held, and how long they may still be.
6. `demand`: which user needs a seat of which pool, kept up to date change by change.
"""

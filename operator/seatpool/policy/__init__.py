"""Connects API objects with the domain: specs and ledgers in, decisions out. Nothing here does I/O.

In: conversions between API objects and domain values, the allocation of one server's pools, the mass-release guard, and the
limits of what a LicenseServer may name.
Not in: the rules of a seat (`domain`), the order of writes (`control`), and the objects themselves (`api`).

Read in this order:

1. `pool_rules`: a LicensePool's spec as rules and selector. `rule_effects`: rules that match nobody.
2. `ledger_codec`: a pool's memory as SeatLedger objects, and back.
3. `ledger_writes`: the order in which changed shares are written.
4. `plan`: allocates every pool of a server.
5. `guard`: holds back a change that releases too many users.
6. `ended_entries`: keeps what ended until the history has it.
7. `allowed_servers`: what the operator's settings allow a LicenseServer to name.
"""

"""Keeps the lists of one LicenseServer as they should be.

Read `reconciler.reconcile` first: it is a whole pass. Its steps, in order:

1. `observed` (with `drift`): settles the command in flight and reads the lists.
2. `desired`: computes the answers of the pools.
3. `diff`: which lists must be written, and why.
4. `apply` (with `commit`, `send_command`): writes ledgers and intent, sends, records the id, reads back.
5. `advance` (with `transition`, `failures`, `pacing`): makes the next `server_state` and the facts from the `step_results`.
6. `requeue`: when the next pass is made.

Beside the pass: `controller` starts the reconcilers, `write_ahead_log` and `ledger_store` write the two durable objects,
`finalizer` frees deleted pools, and `dependencies` holds what all reconcilers share.

Not here: reports of what happened (`control/sinks`) and rendering of statuses (`control/status`).
"""

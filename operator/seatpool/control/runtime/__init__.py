"""Builds, starts and stops an operator.

Read in this order:

1. `operator`: the order of the start and of the end.
2. `builder`: creates all components and connects them.
3. `start_leading`: what a process starts once it leads.

Beside them:

- `health`, `probes`: /healthz, /readyz and /metrics.
- `crd_check`: are the CRDs new enough?
- `settings_reload`: applies changed settings files.
- `gc_tuning`: garbage collection during the first list.

Not here: the command line and logging (`cli/`), and the settings (`settings/`).
"""

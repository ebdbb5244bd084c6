"""The operator: it watches the cluster and keeps the lists of the license servers as the LicensePools demand.

Layers, from the top: `runtime`, `reconcile` and `watch`, `sinks`, `status`, `state`, `leader`, `aio`, `metrics`. An import points
downwards only.

Read in this order:

1. `reconcile/reconciler.py`: one pass for one LicenseServer.
2. `state/` and `sinks/facts.py`: the values that a pass makes.
3. `watch/` and `leader/`: what starts a pass, and what allows it to write.
4. `runtime/operator.py`: start and stop of the whole.

Not here: allocation (`domain/`), decisions without I/O (`policy/`), SSM and the apply script (`servers/`), EC2 and SQS
(`mirror/`).
"""
